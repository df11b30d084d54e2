"""Lint against what stands beside a runbook: other runbooks that it runs, and components that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from console.base.document import Path, walk
from console.base.errors import nearest
from console.runbook.language.link import DEEPEST
from console.runbook.lint.problems import LintReport
from console.runbook.model import Runbook, Step


def check(report: LintReport, runbooks: Mapping[str, Runbook], components: Iterable[str]) -> None:
    """Add names that nothing has. Both are only held against lists that there are."""
    for step in report.runbook.steps:
        if step.kind == "run" and not step.scope and runbooks:
            _run(report, step, runbooks)
    known = set(components)
    for index, about in enumerate(report.runbook.about):
        if about.kind == "component" and about.of and known and about.of not in known:
            several = isinstance(report.document.data.get("about"), list)
            near = nearest(about.of, known)
            hint = (
                f"did you mean {near!r}?" if near else "`console components` and the presets name those that there are"
            )
            at = ("about", index) if several else ("about",)
            report.add("unknown-component", at, f"no component of a preset is called {about.of!r}", hint)


def _run(report: LintReport, step: Step, runbooks: Mapping[str, Runbook]) -> None:
    at = _said(report, step)
    other = runbooks.get(step.runs)
    if step.runs == report.runbook.id:
        report.add("runs-itself", at, "it runs itself, so it would never end", "lead to a step by its id")
    elif other is None:
        near = nearest(step.runs, runbooks)
        hint = f"did you mean {near!r}?" if near else "`console runbooks list` names those that there are"
        report.add("unknown-runbook", at, f"there is no runbook {step.runs!r}", hint)
    elif other.last:
        said = f"{step.runs!r} has a `finally`, so it cannot be walked within another"
        report.add("not-within", at, said, "escalate to whoever walks it by itself")
    elif circle := _circle(report.runbook.id, step.runs, runbooks):
        said = f"it runs {' which runs '.join(circle)}: a circle"
        report.add("runs-itself", at, said, "let one of them end, or escalate")
    elif _deep(step.runs, runbooks) >= DEEPEST:
        report.add("too-deep", at, f"more than {DEEPEST} runbooks stand within each other", "escalate instead")


def _said(report: LintReport, step: Step) -> Path:
    """Where the runbook is named: under `run`, or as the way of another step (`then: run image-pull`)."""
    if report.is_written(step.id):
        return report.at(step.id, "run")
    wanted = ["run", step.runs]
    ways = (at for at, value in walk(report.document.data) if isinstance(value, str) and value.split() == wanted)
    return next(ways, ())


def _runs(id: str, runbooks: Mapping[str, Runbook]) -> list[str]:
    book = runbooks.get(id)
    return [] if book is None else list(dict.fromkeys(s.runs for s in book.steps if s.kind == "run" and not s.scope))


def _circle(wanted: str, id: str, runbooks: Mapping[str, Runbook]) -> tuple[str, ...]:
    """The runbooks by which `id` leads back to `wanted`; empty where it does not."""
    ways: list[tuple[str, ...]] = [(id,)]
    seen = {id}
    for way in ways:
        for other in _runs(way[-1], runbooks):
            if other == wanted:
                return (*way, other)
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()


def _deep(id: str, runbooks: Mapping[str, Runbook], above: tuple[str, ...] = ()) -> int:
    if id in above or len(above) > DEEPEST:
        return len(above)
    return 1 + max((_deep(other, runbooks, (*above, id)) for other in _runs(id, runbooks)), default=0)
