"""Where the time went, as text and JSON of `console diagnose --slow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.base.text import joined
from console.cli.output import plain

if TYPE_CHECKING:
    from console.apps.model import SparkApp
    from console.live.times import Times
    from console.timing.items import TimeReport

STEPS = 12


def report_lines(name: str, report: TimeReport) -> list[str]:
    """A report for a person: what costs most, then the chain of stages that the time went into."""
    from console.timing import words
    from console.timing.items import KINDS

    lines = [f"TIME {name}: {words.headline(report)}"]
    for item in report.items:
        lines += [
            f"    {words.cost(item)} {item.kind}: {KINDS[item.kind]}",
            f"            {item.words}",
            f"            at       {item.where}",
            f"            confirm  {item.confirm}",
        ]
    if not report.items:
        lines.append("    nothing costs enough to be worth a word")
    lines += [f"    unknown  {gap}" for gap in report.missing]
    steps, left, rest = words.shown(report.path, STEPS)
    if steps:
        whole = sum(s.seconds for s in report.path)
        lines.append(f"    critical path {words.seconds(whole)}, in order of time:")
        for step in steps:
            filled = f", {step.slots:.0%} of slots" if step.slots is not None else ""
            tasks = f"  {step.tasks} tasks{filled}" if step.stage is not None else ""
            split = f"  {words.split(step)}" if step.split else ""
            lines.append(
                f"      {words.seconds(step.seconds):>6} {step.seconds / whole:>4.0%}  "
                f"{words.place(step)}{tasks}{split}"
            )
        if left:
            lines.append(f"      {words.seconds(rest):>6} {rest / whole:>4.0%}  {left} shorter steps")
    return lines


def live_lines(app: SparkApp, times: Times) -> list[str]:
    """What was read of an application of the cluster."""
    if times.report is None:
        return [joined(f"TIME {app.key}: {times.state}", times.detail), *_unread(times)]
    lines = report_lines(app.key, times.report)
    lines.append(f"    read from {times.source}" + (", still running" if times.live else ""))
    if times.former:
        lines.append(f"    compared with {', '.join(times.former)}")
    if times.former_note:
        lines.append(f"    not compared: {times.former_note}")
    return [*lines, *_unread(times)]


def _unread(times: Times) -> list[str]:
    return [f"    unread  {locator}: {reason}" for locator, reason in times.unread]


def live_json(app: SparkApp, times: Times) -> dict[str, Any]:
    """The same for machines: the report's fields beside where they come from."""
    tree: dict[str, Any] = plain(times)
    report = tree.pop("report", None) or {}
    return {"app": app.key, "appId": tree.pop("app_id", app.app_id) or app.app_id, **report, **tree}
