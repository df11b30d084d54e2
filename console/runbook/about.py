"""What a walk is about: resolved from what was given, selected, alerted or found; and how it is called. Pure.

The subject of a walk is the key of an application (`namespace/name`), the key of an object (`Node//node-041`,
`Deployment/spark-operator/controller`), `Component//ID`, or `cluster`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from console.apps.alerts import named_by
from console.base.errors import UsageError, did_you_mean
from console.base.text import clean, listed, shorten
from console.board.model import Board
from console.components.model import Component
from console.facts.model import Alert
from console.findings.figures.components import ComponentFigures
from console.findings.model import Finding
from console.runbook.model import About, Runbook
from console.runbook.state import words_of as words_of

CLUSTER = "cluster"
SCHEDULES = frozenset({"ScheduledSparkApplication", "CronJob"})
WHOLE = frozenset({"cluster", "nodes"})
"""What is about the cluster as a whole."""
_LABELS = {"node": ("node", "instance", "Hostname", "hostname"), "schedule": ("schedule", "cronjob")}
"""Labels of alerts that name a node or a schedule."""


class WalkSubject(Struct, frozen=True):
    """`key` of what the walk is about and where that comes from; or none, with why and what there is to choose from."""

    key: str = ""
    origin: str = ""
    because: str = ""
    choices: tuple[str, ...] = ()


def component_of(key: str) -> str:
    """The id of the component that a subject is, `` where it is none."""
    return key.removeprefix("Component//") if key.startswith("Component//") else ""


def concerns(finding: Finding, key: str, board: Board) -> bool:
    """Whether a finding is about a subject."""
    if key == CLUSTER or not key:
        return True
    if finding.app == key or finding.subject == key:
        return True
    if key.startswith("Node//"):
        return key.removeprefix("Node//") in finding.data.nodes
    id = component_of(key)
    if not id:
        return False
    if isinstance(finding.data, ComponentFigures):
        return finding.data.component == id
    one = next((c for c in board.components if c.id == id), None)
    return one is not None and finding.subject in objects_of(one)


def objects_of(component: Component) -> tuple[str, ...]:
    """Keys of the objects that a component consists of, those in trouble first."""
    return tuple(dict.fromkeys((*(t.subject for t in component.troubles), *component.found)))


def objects_of_component(finding: Finding, board: Board) -> tuple[str, ...]:
    """Keys of the objects of the component that a finding is about."""
    id = finding.data.component if isinstance(finding.data, ComponentFigures) else _owner(finding, board)
    return next((objects_of(c) for c in board.components if c.id == id), ())


def means(finding: Finding, key: str, runbook: Runbook, board: Board) -> bool:
    """Whether a finding that a runbook is for speaks of a subject: as its own, or as what another thing lacks."""
    return concerns(finding, key, board) or key_of(finding, runbook, board) == key


def findings_of(board: Board, key: str) -> tuple[Finding, ...]:
    """The findings about a subject."""
    return tuple(f for f in board.findings if concerns(f, key, board))


def subject_of(
    runbook: Runbook, board: Board, *, app: str = "", given: str = "", alert: Alert | None = None
) -> WalkSubject:
    """What a walk of `runbook` is about.

    Args:
        app: the application that is selected, ``.
        given: what a person named: a key, or the name of something that there is.

    Raises:
        UsageError: what was named does not exist, or the runbook is not about such a thing.
    """
    if given:
        return WalkSubject(_named(runbook, board, given), "given")
    return _certain(runbook, app) or _alerted(runbook, board, alert) or _found(runbook, board)


def _certain(runbook: Runbook, app: str) -> WalkSubject | None:
    """What needs no look at the cluster."""
    kinds = {about.kind for about in runbook.about}
    if app and "app" in kinds:
        return WalkSubject(app, "selection")
    alone = [about for about in runbook.about if about.kind == "component" and about.of]
    if len(runbook.about) == 1 and alone:
        return WalkSubject(f"Component//{alone[0].of}", "the runbook")
    return WalkSubject(CLUSTER, "the runbook") if kinds <= WHOLE else None


def _alerted(runbook: Runbook, board: Board, alert: Alert | None) -> WalkSubject | None:
    """What the alert names."""
    key = _of_alert(runbook, board, alert) if alert is not None else ""
    return WalkSubject(key, f"alert {alert.name}") if alert is not None and key else None


def _found(runbook: Runbook, board: Board) -> WalkSubject:
    """What the only finding is about, else what there is to choose from."""
    found = (key_of(f, runbook, board) for f in board.findings if f.code in runbook.match.findings)
    seen = tuple(dict.fromkeys(key for key in found if key))
    if len(seen) == 1:
        return WalkSubject(seen[0], "the only finding that the runbook is for")
    if not seen and WHOLE & {about.kind for about in runbook.about}:
        return WalkSubject(CLUSTER, "the runbook")
    because = "several things show such a finding" if seen else "nothing shows a finding that this runbook is for"
    return WalkSubject(because=because, choices=seen or tuple(_there_is(runbook, board)))


def _named(runbook: Runbook, board: Board, given: str) -> str:
    there = tuple(_there_is(runbook, board))
    if given in there:
        return given
    same = [key for key in there if given in (key.rpartition("/")[2], key.split("/", 1)[-1], words_of(key))]
    if len(same) == 1:
        return same[0]
    if len(same) > 1:
        raise UsageError(
            f"{shorten(clean(given), 60)!r} may be {listed(same, 5, ' or ')}", hint="name one of them in full"
        )
    if given.count("/") == 2 and any(_suits(given, about) for about in runbook.about):
        return given
    names = [key.rpartition("/")[2] for key in there]
    raise UsageError(
        f"{runbook.id} is about {about_words(runbook)}, and there is no such thing as {shorten(clean(given), 60)!r}",
        hint=did_you_mean(given, [*there, *names]) if there else "name it as KIND/NAMESPACE/NAME",
    )


def about_words(runbook: Runbook) -> str:
    """What a runbook is about, in words."""
    return ", ".join(f"{a.kind} {a.of}".strip() for a in runbook.about) or "an application"


def _suits(key: str, about: About) -> bool:
    kind = key.split("/")[0]
    match about.kind:
        case "node":
            return kind == "Node"
        case "schedule":
            return kind in SCHEDULES
        case "component":
            return kind == "Component" and about.of in ("", component_of(key))
        case "object":
            return kind != "Component" and about.of in ("", kind)
    return False


def _there_is(runbook: Runbook, board: Board) -> Iterable[str]:
    """Keys of everything that the runbook may be about, as far as the board knows it."""
    for about in runbook.about:
        match about.kind:
            case "app":
                yield from (app.key for app in board.apps)
            case "component":
                yield from (f"Component//{c.id}" for c in board.components if about.of in ("", c.id))
            case "node":
                yield from (f"Node//{node.name}" for node in board.nodes)
            case "cluster" | "nodes":
                yield CLUSTER
            case _:
                keys = (f.subject for f in board.findings if _suits(f.subject, about))
                yield from dict.fromkeys(keys)


def fits(finding: Finding, runbook: Runbook, board: Board) -> bool:
    """Whether a finding is about something that the runbook is about."""
    return not runbook.about or bool(key_of(finding, runbook, board))


def key_of(finding: Finding, runbook: Runbook, board: Board) -> str:
    """What of a finding the runbook is about, `` where it is about nothing in it.

    An application that cannot use a component says something of it, where the runbook of the component names the code.
    """
    for about in runbook.about:
        if about.kind == "app" and finding.app:
            return finding.app
        if about.kind == "component":
            id = finding.data.component if isinstance(finding.data, ComponentFigures) else _owner(finding, board)
            if id and about.of in ("", id):
                return f"Component//{id}"
            if about.of and not id and finding.app and finding.code in runbook.match.findings:
                return f"Component//{about.of}"
        if about.kind in ("cluster", "nodes"):
            return CLUSTER
        if about.kind == "node" and len(finding.data.nodes) == 1:
            return f"Node//{finding.data.nodes[0]}"
        if _suits(finding.subject, about):
            return finding.subject
    return ""


def _owner(finding: Finding, board: Board) -> str:
    """The id of the component that the finding's object belongs to, ``."""
    if component_of(finding.subject):
        return component_of(finding.subject)
    return next((c.id for c in board.components if finding.subject in objects_of(c)), "")


def _of_alert(runbook: Runbook, board: Board, alert: Alert) -> str:
    for about in runbook.about:
        if about.kind == "app" and len(apps := named_by(alert, board.apps).apps) == 1:
            return apps[0]
        for label in _LABELS.get(about.kind, ()):
            name = alert.labels.get(label, "").split(":")[0]
            near = [key for key in _there_is(runbook, board) if name and key.rpartition("/")[2] == name]
            if len(near) == 1:
                return near[0]
    return ""
