"""Typed inputs of a runbook: taken from the selection, the alert, the finding or a default, and checked.

Where a value came from is part of the answer: it is shown before the first step and journalled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from console.base.errors import UsageError, did_you_mean
from console.base.text import clean, listed
from console.board.model import Board
from console.facts.model import Alert
from console.findings.model import Finding
from console.runbook.about import CLUSTER, WalkSubject, about_words, means, subject_of
from console.runbook.match import application_of, rank
from console.runbook.model import Input, Runbook
from console.runbook.types import convert
from console.runbook.walk import Walk

ABOUT = "about"
"""The input of every runbook that says what it is about."""


class MissingInput(Struct, frozen=True):
    """A required input that no source had. `because` names what was tried, `choices` are those of an enum."""

    name: str
    title: str
    type: str
    because: str
    choices: tuple[str, ...] = ()

    @property
    def asks(self) -> str:
        """What a person is asked: its title, and what is expected."""
        return f"{self.title} ({listed(self.choices, 8) or self.type})"


class InputMissing(UsageError):
    """A walk cannot begin: `lacking` is the first input that no source had."""

    def __init__(self, runbook: str, lacking: MissingInput) -> None:
        super().__init__(
            f"runbook {runbook} needs the input {lacking.name!r} ({lacking.type}): {lacking.because}",
            hint="say --about, or choose it on a page; a drill says `inputs: {about: …}`"
            if lacking.name == ABOUT
            else f"say --input {lacking.name}=…, or choose it on a page",
        )
        self.lacking = lacking


class InputRefused(UsageError):
    """A value that a person gave for the input `name` is not of its type, or outside of its limits."""

    def __init__(self, runbook: str, item: Input, why: str) -> None:
        hint = f"{item.title or item.name} is of type {item.type}"
        super().__init__(f"input {item.name!r} of runbook {runbook}: {why}", hint=hint)
        self.name, self.why = item.name, why


class Resolved(Struct, frozen=True):
    """Values by name, where each came from in words, and what a person still has to give.

    `subject` is what the walk is about, `` where that is missing or nothing says it.
    """

    inputs: dict[str, Any]
    origins: dict[str, str]
    missing: tuple[MissingInput, ...] = ()
    subject: str = ""


def resolve(
    runbook: Runbook, board: Board, *, app: str = "", alert: Alert | None = None, given: Mapping[str, str] | None = None
) -> Resolved:
    """The inputs of a walk.

    Args:
        runbook: what asks for them.
        board: the picture that names are checked against.
        app: the selected application (`namespace/name`), or ``.
        alert: the alert that led here, or None.
        given: values that a person wrote; they win over every source.

    Raises:
        UsageError: a given value has no such input. InputRefused: it is not of its input's type.
    """
    given = given or {}
    known = {i.name: i for i in runbook.inputs}
    _are_known(runbook, given)
    inputs: dict[str, Any] = {}
    origins: dict[str, str] = {}
    missing: list[MissingInput] = []
    subject = _about(runbook, board, app, given.get(ABOUT, ""), alert, missing)
    if subject.key:
        inputs[ABOUT], origins[ABOUT] = subject.key, subject.origin
        app = subject.key if board.app(subject.key) is not None else app
    for item in runbook.inputs:
        if item.name in given:
            inputs[item.name], origins[item.name] = _given(runbook, item, given[item.name], board), "given"
            continue
        chosen = _app_of(inputs, known, app)
        where = _Situation(runbook, board, app, chosen or app, alert)
        value, words = _taken(item, where)
        if value is not None:
            inputs[item.name], origins[item.name] = value, words
        elif item.required:
            missing.append(
                MissingInput(item.name, item.title or item.name, item.type, words or "no source", item.choices)
            )
    about = subject.key or str(inputs.get("app") or app or CLUSTER)
    return Resolved(inputs, origins, tuple(missing), about)


def no_longer(runbook: Runbook, walk: Walk, board: Board) -> str:
    """Why a walk may change nothing (more): its inputs do not hold any more, or its application is another one of that
    name, which no change of its own has brought about; `` where all is as it was."""
    app = board.app(walk.subject)
    if app is not None and walk.uid and app.uid and app.uid != walk.uid and not walk.writes:
        return f"{walk.about} is not the one that this walk began on: it was deleted and created again"
    for item in runbook.inputs:
        if item.name not in walk.inputs:
            continue
        try:
            convert(item, walk.inputs[item.name], board)
        except ValueError as error:
            return f"the input {item.name} is not valid any more: {clean(str(error))}"
    return ""


def _are_known(runbook: Runbook, given: Mapping[str, str]) -> None:
    names = (*(i.name for i in runbook.inputs), *((ABOUT,) if runbook.about else ()))
    for name in given:
        if name not in names:
            raise UsageError(f"runbook {runbook.id} has no input {name!r}", hint=did_you_mean(name, names))


def _app_of(inputs: Mapping[str, Any], known: Mapping[str, Input], app: str) -> Any:
    """The application that an input names, else the selected one."""
    return next((v for k, v in inputs.items() if k in known and known[k].type == "spark_app"), app)


def _about(
    runbook: Runbook, board: Board, app: str, given: str, alert: Alert | None, missing: list[MissingInput]
) -> WalkSubject:
    """What the walk is about, where the runbook says that it is about something; it is missing where nothing tells."""
    if not runbook.about:
        return WalkSubject()
    try:
        found = subject_of(runbook, board, app=app, given=given, alert=alert)
    except UsageError as error:
        item = Input(ABOUT, "string", title=about_words(runbook))
        raise InputRefused(runbook.id, item, f"{error.message}; {error.hint}") from None
    if not found.key:
        title = f"What is it about: {about_words(runbook)}?"
        missing.append(MissingInput(ABOUT, title, "subject", found.because, found.choices))
    return found


def _given(runbook: Runbook, item: Input, value: str, board: Board) -> Any:
    try:
        return convert(item, value, board)
    except ValueError as error:
        raise InputRefused(runbook.id, item, str(error)) from None


class _Situation(NamedTuple):
    """Where the values of one walk's inputs may come from; `chosen` is the application that an input named already."""

    runbook: Runbook
    board: Board
    selected: str
    chosen: str
    alert: Alert | None


NAMES = frozenset({"spark_app", "node", "namespace", "pod", "k8s_name"})
"""Types that say who is meant: a source that names what is not there is not replaced by the next one."""


def _taken(item: Input, where: _Situation) -> InputOrigin:
    """The first source that has a value, and its words; None where there is none, and what was tried."""
    tried: list[str] = []
    for source in (*item.sources, *(() if "default" in item.sources else ("default",))):
        raw, words = _from(source, item, where)
        if raw is None:
            tried.append(words)
            continue
        try:
            return convert(item, raw, where.board), words
        except ValueError as error:
            tried.append(f"{words}: {error}")
            if item.type in NAMES:
                break
    return None, "; ".join(dict.fromkeys(text for text in tried if text))


InputOrigin = tuple[Any, str]
"""The raw value of a source with its origin in words; None where the source has none."""


def _from(source: str, item: Input, where: _Situation) -> InputOrigin:
    head, _, rest = source.partition(".")
    if head == "default":
        return item.default, "default" if item.default is not None else "no default"
    if head not in _SOURCES:
        return None, f"unknown source {source}"
    return _SOURCES[head](rest, where)


def _of_selection(rest: str, where: _Situation) -> InputOrigin:
    return where.selected or None, "selection" if where.selected else "nothing is selected"


def _of_alert(rest: str, where: _Situation) -> InputOrigin:
    alert = where.alert
    if rest == "app":
        return application_of(alert, where.board)
    label = rest.removeprefix("labels.")
    value = alert.labels.get(label) if alert is not None else None
    return value, f"alert label {label}" if value is not None else f"no alert label {label}"


def _of_finding(rest: str, where: _Situation) -> InputOrigin:
    finding = the_finding(where.runbook, where.board, where.chosen, where.alert)
    if rest == "app":
        if finding is None or not finding.app:
            return None, "no finding names an application"
        if not where.chosen and len(several := _with_a_finding(where)) > 1:
            return None, f"several applications have such a finding: {listed(several, 5)}"
        return finding.app, f"finding {finding.code}"
    field = rest.removeprefix("data.")
    value = _dig(msgspec.to_builtins(finding.data), field) if finding is not None else None
    return value, f"finding {finding.code} {field}" if finding and value is not None else f"no finding has {field}"


def _of_app(rest: str, where: _Situation) -> InputOrigin:
    app = where.board.app(where.chosen)
    value = _dig(msgspec.to_builtins(app), rest) if app is not None else None
    return value, f"application {rest}" if value is not None else f"the application has no {rest}"


_SOURCES: dict[str, Callable[[str, _Situation], InputOrigin]] = {
    "selection": _of_selection, "alert": _of_alert, "finding": _of_finding, "app": _of_app,
}  # fmt: skip


def _dig(tree: Any, path: str) -> Any:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def the_finding(runbook: Runbook, board: Board, app: str, alert: Alert | None = None) -> Finding | None:
    """The finding that the runbook is for: the best match, of the application or other subject where one is chosen.

    Of equals, one of the present attempt goes before one of an attempt that is over.
    """
    by_key = {f.key: f for f in board.findings}
    other = app != "" and board.app(app) is None
    ranked = rank([runbook], board) if other else rank([runbook], board, app=app, alert=alert)
    found = [(m.score, by_key[m.finding]) for m in ranked if m.finding]
    found = [pair for pair in found if not other or means(pair[1], app, runbook, board)]
    found.sort(key=lambda pair: (-pair[0], pair[1].data.current is False))
    return found[0][1] if found else None


def _with_a_finding(where: _Situation) -> tuple[str, ...]:
    """Keys of the applications with a finding that the runbook is for."""
    ranked = rank([where.runbook], where.board, alert=where.alert)
    return tuple(dict.fromkeys(m.app for m in ranked if m.finding and m.app))
