"""The Hive metastore (I24)."""

from __future__ import annotations

import re

from msgspec import Struct

from console.apps.evidence import of_hit
from console.facts.logs import Hit
from console.findings.case import Case
from console.findings.figures.storage import MetastoreFigures
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.rules.storage.object_store import spread

_THRIFT = re.compile(r"thrift://([\w.-]+:\d+)")
_ROLES = ("driver", "other")


class MetastoreHits(Struct, frozen=True):
    """Places in logs that speak of the metastore: not reached, broken off as it was asked, answered with an error."""

    unreached: list[Hit]
    broken: list[Hit]
    errors: list[Hit]

    @property
    def text(self) -> str:
        hits = (*self.unreached[:12], *self.broken[:5], *self.errors[:5])
        return " ".join(f"{h.text} {h.record.body}" for h in hits)


def metastore(case: Case) -> Answer:
    """The Hive metastore does not answer, or answers with an error."""
    hits = _hits(case)
    if not hits.unreached and not hits.broken and not hits.errors:
        return "nothing says that the metastore failed"
    word, why = _cause(hits)
    recovered = case.succeeded and not hits.errors
    return [
        finding(
            case,
            "metastore-down",
            "I24",
            "warning" if recovered else severity_of(case, fatal=case.group is None and bool(hits.unreached)),
            "high" if hits.unreached else "medium",
            f"Hive metastore: {why}",
            detail="the driver retried and went on" if recovered else why,
            evidence=[of_hit(h) for h in (*spread(hits.unreached), *hits.broken[:1], *hits.errors[:1])],
            ruled_out=[("user code", "the catalog failed before any table was read")],
            questions=[
                "whether the metastore answers at all: `show databases` from another client, its pod and its database"
            ],
            data=MetastoreFigures(cause=word, address=_address(case, hits.text)),
        )
    ]


def _hits(case: Case) -> MetastoreHits:
    """Errors of thrift count only where Hive is spoken of; "Could not connect" is told by the places not reached."""
    thrift = case.hits("thrift", roles=_ROLES)
    errors = case.hits("metastore-error", roles=_ROLES)
    return MetastoreHits(
        unreached=case.hits("metastore", roles=_ROLES),
        broken=[h for h in thrift if any(word in h.record.body.lower() for word in ("metastore", "hive"))],
        errors=[h for h in errors if "Could not connect" not in h.text],
    )


def _cause(hits: MetastoreHits) -> tuple[str, str]:
    """Why it fails: one word, and a sentence."""
    text = hits.text
    if "Connection refused" in text:
        return "refused", "connection refused: the metastore's pod or service is down"
    if "timed out" in text.lower() or "Deadline exceeded" in text:
        return "timeout", "it does not answer in time: its database, its pool, or a long partition listing"
    if hits.errors and not hits.unreached:
        return "error", "it answers with an error (schema, rights, missing object)"
    return "unreachable", "no URI of the metastore could be connected"


def _address(case: Case, text: str) -> str:
    """Which metastore: `host:port` by the log, else by the configuration; `` where neither tells."""
    found = _THRIFT.search(text)
    if found is None:
        conf = case.app.conf
        uris = conf.get("spark.hadoop.hive.metastore.uris") or conf.get("spark.hive.metastore.uris") or ""
        found = _THRIFT.search(uris)
    return found.group(1) if found is not None else ""


RULES = [Rule("metastore-down", "I24", metastore)]
