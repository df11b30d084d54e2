"""Objects that name what is not there: Services, Secrets, ConfigMaps, targets of scalers, catalogs, buckets."""

from __future__ import annotations

from collections.abc import Mapping

from console.base.text import clean, plural, shorten
from console.facts.evidence import Evidence
from console.facts.model import Facts, Workload
from console.facts.objectpaths import walk
from console.facts.references import RESOURCE, Reference, missing
from console.facts.storage_names import BUCKET, CATALOG, missing_storage
from console.findings.case import ClusterView
from console.findings.figures.references import ReferenceFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

CODE = "reference-missing"
_WHAT_FOLLOWS = {
    "Service": "whatever connects there finds no such host",
    "Secret": "a pod that is made anew does not start",
    "ConfigMap": "a pod that is made anew does not start",
    "ServiceAccount": "no pod of it can be made",
    "Deployment": "it scales nothing",
    "StatefulSet": "it scales nothing",
    RESOURCE: "its pods wait for ever",
    "PersistentVolumeClaim": "its pods wait for ever",
    "SecretStore": "the Secret is never filled",
    CATALOG: "queries that name it fail: a catalog is there only by its class, spark.sql.catalog.NAME",
    BUCKET: "the Jobs that make buckets here make others; reads and writes there fail unless somebody else made it",
}
_DERIVED = {CATALOG: "does the image's spark-defaults.conf have it?", BUCKET: "is it in the object store all the same?"}
"""What is concluded from what is written, so that somebody else may have provided it."""
_MAKERS = {"ExternalSecret": "spec.target.name", "SealedSecret": "spec.template.metadata.name"}
"""What makes Secrets -> where it says the Secret's name, unless that is its own."""


def reference_missing(world: ClusterView) -> Answer:
    """What is named and does not exist, one finding for each thing that lacks."""
    by_target: dict[str, list[Reference]] = {}
    for one in (*missing(world.facts, world.facts.names), *missing_storage(world.facts)):
        by_target.setdefault(one.target, []).append(one)
    return [
        _finding(ones, world.facts) for ones in by_target.values()
    ] or "everything that is named is there, as far as names are read"


def _finding(ones: list[Reference], facts: Facts) -> Finding:
    first = ones[0]
    derived = _DERIVED.get(first.kind)
    kind, _, rest = first.source.partition("/")
    name = rest.partition("/")[2]
    others = sorted({one.source for one in ones} - {first.source})
    more = f" (and {plural(len(others), 'other')})" if others else ""
    return finding(
        None,
        CODE,
        None,
        "warning",
        "medium" if derived else "high",
        _title(first, f"{kind} {name}{more}"),
        subject=first.target,
        detail=f"{first.field} is {first.text or first.name!r}: {_WHAT_FOLLOWS[first.kind]}{_maker(first, facts)}",
        evidence=[Evidence("kubernetes", f"{one.source} {one.field}", one.text or one.name) for one in ones],
        questions=[derived] if derived else (),
        data=ReferenceFigures(kind=first.kind, named_by=tuple(dict.fromkeys(one.source for one in ones))),
    )


def _title(first: Reference, who: str) -> str:
    if first.kind == RESOURCE:
        return f"no node has {first.name}, which {who} asks for"
    if first.kind == BUCKET:
        return f"no Job makes the bucket {first.name}, which {who} names"
    if first.kind == CATALOG:
        return f"no catalog {first.name} is configured, which {who} names"
    return f"no {first.kind} {first.name}, which {who} names"


def _maker(first: Reference, facts: Facts) -> str:
    """What should have made a missing Secret, and how that is."""
    for one in facts.workloads if first.kind == "Secret" else ():
        if one.kind in _MAKERS and one.namespace == first.namespace and first.name in _makes(one):
            states = [c for c in walk({"status": one.status}, "status.conditions.*") if isinstance(c, Mapping)]
            said = next((c for c in states if c.get("status") == "False"), {})
            words = " ".join(str(said.get(key) or "") for key in ("reason", "message")).strip()
            return shorten(clean(f"; {one.kind} {one.name} is to make it" + (f": {words}" if words else "")), 200)
    return ""


def _makes(one: Workload) -> tuple[str, ...]:
    named = [str(value) for value in walk({"spec": one.spec}, _MAKERS[one.kind]) if value]
    return tuple(named) or (one.name,)


RULES = [WorldRule(CODE, None, reference_missing)]
