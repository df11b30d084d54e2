"""`console runbooks stats`: how the runbooks did, from the journal: for people, scripts and Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from console.base.clock import rfc3339
from console.base.errors import ConsoleError, Exit
from console.base.units import human_duration, percent
from console.cli.output import narrate, print_json, put, say, table

if TYPE_CHECKING:
    from console.timeline.stats import RunbookFigures


@click.command("stats")
@click.option("-o", "--output", type=click.Choice(["table", "json", "prometheus"]), default="table", show_default=True)
def command(output: str) -> int:
    """How the runbooks did: runs, outcomes, times to the first change and to its proof, unknowns, rollbacks.

    `-o prometheus` is text that a node exporter's textfile collector takes.
    """
    from console.operate.journal import Journal
    from console.runbook.walk import fold
    from console.timeline.stats import figures

    journal, walks, unread = Journal(), [], 0
    for head in journal.walks():
        try:
            events = journal.read(head.walk)
            walks.append((fold(events), events))
        except (ConsoleError, ValueError) as error:
            unread += 1
            narrate(f"{head.walk} is left out: {error}")
    found = figures(walks)
    if output == "json":
        print_json({"kind": "RunbookFigures", "runbooks": [document(one) for one in found], "left_out": unread})
    elif output == "prometheus":
        put(exposition(found))
    elif found:
        columns = (
            "RUNBOOK",
            "RUNS",
            "OPEN",
            "RESOLVED",
            "OTHER ENDS",
            "CHANGE AFTER",
            "PROVED AFTER",
            "UNKNOWN",
            "UNDONE",
            "CALLED",
            "LAST",
        )
        say(table(columns, [_row(one) for one in found]))
    else:
        say(f"no walk yet ({journal.path})")
    return Exit.UNHEALTHY if unread else Exit.OK


def _row(one: RunbookFigures) -> tuple[str, ...]:
    others = ", ".join(
        f"{count} {outcome.replace('_', ' ')}"
        for outcome, count in sorted(one.outcomes.items())
        if outcome != "resolved"
    )
    undone = "-" if one.rollback_rate is None else percent(one.rollback_rate)
    return (
        one.runbook,
        str(one.runs),
        str(one.unfinished),
        str(one.outcomes.get("resolved", 0)),
        others or "-",
        human_duration(one.first_action) if one.first_action is not None else "-",
        human_duration(one.verified) if one.verified is not None else "-",
        percent(one.unknown_rate),
        undone,
        f"{one.escalations}" + (f" ({one.unanswered} unanswered)" if one.unanswered else ""),
        rfc3339(one.last) or "-",
    )


def document(one: RunbookFigures) -> dict[str, Any]:
    """The figures of one runbook for scripts; times are seconds, null where nothing was measured."""
    return {
        "runbook": one.runbook,
        "runs": one.runs,
        "unfinished": one.unfinished,
        "outcomes": one.outcomes,
        "changed": one.changed,
        "rolled_back": one.rolled_back,
        "unknown": one.unknown,
        "escalations": one.escalations,
        "unanswered_escalations": one.unanswered,
        "unknown_rate": one.unknown_rate,
        "rollback_rate": one.rollback_rate,
        "seconds_to_first_change": one.first_action,
        "seconds_to_proof": one.verified,
        "seconds_to_end": one.took,
        "last": rfc3339(one.last),
        "last_good": rfc3339(one.last_good),
    }


def exposition(found: Sequence[RunbookFigures]) -> str:
    """The figures as Prometheus text. What was not measured has no sample."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"console_runbook_{name}", words, ["runbook", *labels], registry=registry)

    runs = gauge("walks", "Walks in the journal by outcome; none: they have not ended.", "outcome")
    rolled = gauge("rolled_back_walks", "Walks of which a change was taken back.")
    unknown = gauge("unknown_walks", "Walks in which a check or a verification could not be told.")
    called = gauge("escalations", "How often somebody was called; late: no answer was recorded in time.", "answer")
    times = {
        "first_action": gauge("seconds_to_first_change", "Median seconds from the beginning to the first change."),
        "verified": gauge("seconds_to_proof", "Median seconds from the first change to the proof that it helped."),
        "took": gauge("seconds_to_end", "Median seconds from the beginning to the end."),
        "last": gauge("last_walk_timestamp_seconds", "When it was walked last."),
        "last_good": gauge("last_good_walk_timestamp_seconds", "When a walk began that ended well."),
    }
    for one in found:
        for outcome, count in {**one.outcomes, "none": one.unfinished}.items():
            runs.labels(one.runbook, outcome).set(count)
        rolled.labels(one.runbook).set(one.rolled_back)
        unknown.labels(one.runbook).set(one.unknown)
        called.labels(one.runbook, "late").set(one.unanswered)
        called.labels(one.runbook, "other").set(one.escalations - one.unanswered)
        for field, metric in times.items():
            if (value := getattr(one, field)) is not None:
                metric.labels(one.runbook).set(value)
    return generate_latest(registry).decode()
