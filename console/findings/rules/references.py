"""Objects that name what is not there: Services, Secrets, ConfigMaps, service accounts, targets of scalers."""

from __future__ import annotations

from console.base.text import plural
from console.facts.evidence import Evidence
from console.facts.references import RESOURCE, Reference, missing
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
}


def reference_missing(world: ClusterView) -> Answer:
    """What is named and does not exist, one finding for each thing that lacks."""
    by_target: dict[str, list[Reference]] = {}
    for one in missing(world.facts, world.facts.names):
        by_target.setdefault(one.target, []).append(one)
    return [
        _finding(ones) for ones in by_target.values()
    ] or "everything that is named is there, as far as names are read"


def _finding(ones: list[Reference]) -> Finding:
    first = ones[0]
    kind, _, rest = first.source.partition("/")
    name = rest.partition("/")[2]
    others = sorted({one.source for one in ones} - {first.source})
    more = f" (and {plural(len(others), 'other')})" if others else ""
    return finding(
        None,
        CODE,
        None,
        "warning",
        "high",
        _title(first, f"{kind} {name}{more}"),
        subject=first.target,
        detail=f"{first.field} is {first.text or first.name!r}: {_WHAT_FOLLOWS[first.kind]}",
        evidence=[Evidence("kubernetes", f"{one.source} {one.field}", one.text or one.name) for one in ones],
        data=ReferenceFigures(kind=first.kind, named_by=tuple(dict.fromkeys(one.source for one in ones))),
    )


def _title(first: Reference, who: str) -> str:
    if first.kind == RESOURCE:
        return f"no node has {first.name}, which {who} asks for"
    return f"no {first.kind} {first.name}, which {who} names"


RULES = [WorldRule(CODE, None, reference_missing)]
