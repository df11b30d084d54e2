"""Systems of the platform that are down or degraded, as findings: what is down is said where everything else is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from console.base.text import clean, shorten
from console.components.model import Component, Trouble
from console.findings.figures.components import ComponentFigures
from console.findings.model import SEVERITY_ORDER, Finding
from console.findings.rule import finding

DOWN, DEGRADED = "component-down", "component-degraded"
_CLASSES = {"refused": "I16", "image": "I13", "scheduling": "I14"}
"""Cause of a trouble -> incident class, where it is one."""
_BESIDE = frozenset({"network-policy-blocks"})
"""Codes about an object that say nothing of why its pods are not ready or not reached."""


def findings_of_components(components: Iterable[Component], others: Sequence[Finding]) -> list[Finding]:
    """One finding for each component and namespace in which something is wrong with it.

    Args:
        components: as they were judged. Unknown and absent ones are no findings: nothing was seen to be wrong.
        others: what else was found. A warning about an object of the component, or about a pod of it, is its cause.
    """
    known = {component.id: component for component in components}
    found = [one for component in known.values() for one in _of(component, others)]
    of_component = {one.data.component: one.key for one in reversed(found) if isinstance(one.data, ComponentFigures)}
    return [_leaning(one, known, of_component) for one in found]


def _of(component: Component, others: Sequence[Finding]) -> list[Finding]:
    by_space: dict[str, list[Trouble]] = {}
    for trouble in component.troubles:
        by_space.setdefault(trouble.subject.split("/")[1], []).append(trouble)
    return [_finding(component, space, troubles, others) for space, troubles in by_space.items()]


def _finding(component: Component, space: str, troubles: list[Trouble], others: Sequence[Finding]) -> Finding:
    first = troubles[0]
    down = first.level == "down"
    causes = tuple(one.key for one in others if _explains(one, troubles))
    made = finding(
        None,
        DOWN if down else DEGRADED,
        next((_CLASSES[t.cause] for t in troubles if t.cause in _CLASSES), None),
        "critical" if down else "warning",
        "medium" if first.cause in ("signal", "needs") else "high",
        shorten(clean(f"{component.title} is {first.level}: {first.words}"), 160),
        subject=first.subject,
        since=min((t.since for t in troubles if t.since is not None), default=None),
        detail=shorten(clean("; ".join(dict.fromkeys(t.words for t in troubles[1:]))), 400),
        evidence=[trouble.evidence for trouble in troubles],
        data=ComponentFigures(
            component=component.id,
            state=first.level,
            why=tuple(dict.fromkeys(t.cause for t in troubles)),
            namespace=space,
            expected=component.expected,
        ),
    )
    return replace(made, causes=causes, runbooks=component.runbooks)


def _explains(one: Finding, troubles: Sequence[Trouble]) -> bool:
    """Whether another finding says what is wrong with the object itself."""
    if SEVERITY_ORDER[one.severity] > SEVERITY_ORDER["warning"] or one.code in _BESIDE:
        return False
    return any(one.subject == trouble.subject or one.subject == trouble.evidence.locator for trouble in troubles)


def _leaning(one: Finding, known: dict[str, Component], keys: dict[str, str]) -> Finding:
    """The finding behind that of the component which it needs."""
    if not isinstance(one.data, ComponentFigures) or "needs" not in one.data.why:
        return one
    needed = [
        t.evidence.locator
        for t in known[one.data.component].troubles
        if t.cause == "needs" and t.evidence.source == "component"
    ]
    above = [keys[id] for id in needed if id in keys and keys[id] != one.key]
    return replace(one, causes=tuple(dict.fromkeys((*one.causes, *above)))) if above else one
