"""To which runbook the alerts of a file of rules lead, before any of them fires. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from console.base.document import Document
from console.board.model import Board, Cluster
from console.facts.model import Alert, Origin
from console.monitoring import rulefiles
from console.monitoring.rulefiles import WrittenRule
from console.runbook.match import rank
from console.runbook.model import Runbook


class AlertLead(Struct, frozen=True):
    """One alert of a file.

    Attributes:
        runbook: the one that fits best, `` where the library has none.
        because: why it fits.
        wrong: why Prometheus refuses the rule, and where in its expression.
        waived: why it may stay without a runbook.
    """

    alert: str
    place: str
    runbook: str = ""
    because: str = ""
    wrong: str = ""
    waived: str = ""


def rules_in(document: Document) -> tuple[WrittenRule, ...]:
    """The rules of a file of Prometheus, of a PrometheusRule, or of the files in a ConfigMap."""
    tree = document.data if isinstance(document.data, Mapping) else {}
    if tree.get("kind") == "PrometheusRule":
        spec = tree.get("spec")
        return rulefiles.of_groups(spec.get("groups") if isinstance(spec, Mapping) else None)
    if tree.get("kind") == "ConfigMap":
        data: Any = tree.get("data")
        files = data.items() if isinstance(data, Mapping) else ()
        return tuple(one for file, held in files for one in rulefiles.written(rulefiles.read(str(file), str(held))))
    return rulefiles.written(rulefiles.read("", document.text))


def leads(
    rules: Iterable[WrittenRule], file: str, runbooks: Iterable[Runbook], waived: Mapping[str, str]
) -> tuple[AlertLead, ...]:
    """The alerts in the order of the file."""
    books = tuple(runbooks)
    return tuple(_lead(rule, file, books, waived) for rule in rules if rule.kind == "alerting" and rule.name)


def _lead(rule: WrittenRule, file: str, books: tuple[Runbook, ...], waived: Mapping[str, str]) -> AlertLead:
    labels = {"alertname": rule.name, **rule.labels}
    alert = Alert(rule.name, labels, Origin("file", file), annotations=rule.annotations)
    board = Board(0.0, Cluster(), "DEGRADED", alerts=(alert,))
    best = next((one for one in rank(books, board, alert=alert) if one.alert == alert.name), None)
    said = rulefiles.fault(rule.expr)
    at = f"at {said.line}:{said.column} " if said is not None and said.line else ""
    return AlertLead(
        rule.name,
        ":".join(str(part) for part in (file, rule.file, rule.line) if part),
        best.runbook if best is not None else "",
        best.because if best is not None else "",
        f"no PromQL: {at}{said.words}" if said is not None else "",
        waived.get(rule.name, "") if best is None else "",
    )
