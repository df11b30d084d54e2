"""`console status` and `alerts`: the board, once, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit
from console.base.text import clean, listed
from console.board.compose import condensed
from console.board.model import Cluster
from console.board.overview import causes
from console.cli.options import Where, output_option, where_options
from console.cli.output import (
    exit_for,
    finding_json,
    handed,
    left_out_json,
    left_out_lines,
    plain,
    print_json,
    say,
    table,
    verification,
    watched_of,
)
from console.live.shown import (
    age,
    alert_state,
    alerts_unknown,
    looked_at,
    runbook_names,
    slos_aged,
)
from console.slo import words
from console.slo.model import SloStatus
from console.timeline.prose import status as walk_status

MOST_MEMBERS = 5
"""Applications of one shared cause that are named where they are not asked for."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from console.live import Situation


def _settled(where: Where) -> Situation:
    from console.cli.connect import settled

    return settled(where)


@click.command()
@where_options
@output_option()
@click.option("--members", is_flag=True, help="List the findings of causes that several applications share.")
def status(where: Where, output: str, *, members: bool) -> int:
    """What is burning, since when, and how far each source can be trusted."""
    situation = _settled(where)
    board = situation.board
    if output == "json":
        print_json(status_document(situation))
    else:
        say(status_text(situation, opened=members))
    return exit_for(board)


def status_document(situation: Situation) -> dict[str, Any]:
    """The whole board without the members of each application."""
    board = situation.board
    return {
        "at": plain({"at": board.at})["at"],
        "cluster": plain(board.cluster),
        "verdict": board.verdict,
        "because": board.because,
        "summary": board.summary,
        "sources": plain(list(board.sources)),
        "left_out": left_out_json(board.left_out),
        "slos": plain(list(board.slos)),
        "findings": [finding_json(situation, f) for f in board.findings],
        "incidents": plain(list(board.incidents)),
        "alerts": plain(list(board.alerts)),
        "components": plain(list(board.components)),
        "apps": len(board.apps),
        "pods": board.pods,
        "runbooks": plain({key: list(matched) for key, matched in situation.matches.items()}),
        "walks": [
            {
                "id": w.id,
                "runbook": w.runbook,
                "subject": w.subject,
                "status": walk_status(w, situation.on_it(w)),
                "walked_by": situation.on_it(w) or None,
                "step": w.current,
                "outcome": w.outcome,
                "recurred": w.recurred or None,
                "still_to_do": list(w.still_to_do),
                "handed_over": handed(w),
                "verification": verification(situation, w),
            }
            for w in situation.walks
        ],
        "walks_unread": [{"walk": id, "because": clean(why)} for id, why in situation.walks_unread],
    }


def status_text(situation: Situation, *, opened: bool = False) -> str:
    """The board on one page of plain text.

    Args:
        opened: whether the findings of shared causes are listed; they are counted otherwise.
    """
    board = situation.board
    lines = [f"{board.verdict}  {board.summary}"]
    if situation.phase in ("lost", "failed"):
        lines.append(f"{situation.phase.upper()}  {situation.trouble}")
    lines.append(f"where         {_where(board.cluster)}")
    for source in condensed(board.sources):
        lines.append(f"{source.name:<14}{source.state}{f' ({source.detail})' if source.detail else ''}")
    lines += _missing(situation)
    if board.slos:
        lines += [
            "",
            table(
                ("SLO", "TARGET", "STATE", "BUDGET LEFT", "BURN 5M", "1H", "6H", "BAD/TOTAL"), map(slo_row, board.slos)
            ),
        ]
        lines += [f"{slo.title}: {why}" for slo in board.slos if (why := words.to_tell(slo))]
        lines += [old] if (old := slos_aged(board)) else []
    if board.findings:
        lines += [
            "",
            table(("SEVERITY", "FINDING", "CLASS", "WHERE", "SINCE", "RUNBOOK"), _cause_rows(situation, opened)),
        ]
        for cause in causes(board):
            if cause.shared and cause.incident is not None:
                lines += ["", f"one cause of {len(cause.apps)}: {cause.title}"]
                lines += [f"  for      {text}" for text in cause.incident.speaks_for]
                lines += [f"  against  {text}" for text in cause.incident.against]
                if not opened:
                    lines.append(f"  in       {_named(cause.apps)}")
    if not board.alerts and (why := alerts_unknown(board)):
        lines += ["", why]
    if board.alerts:
        fired = [(a.name, alert_state(a), age(board, a.since), _labels(a.labels)) for a in board.alerts]
        lines += ["", table(("ALERT", "STATE", "SINCE", "LABELS"), fired)]
    lines += _walk_lines(situation)
    return "\n".join(lines)


def _where(cluster: Cluster) -> str:
    """Which cluster, what may be done there, and of which namespaces this is, where not of all."""
    practice = ", drill" if cluster.drill else ""
    where = f"{cluster.context or cluster.server} [{cluster.mode}{practice}]"
    return f"{where}, only {named}" if (named := looked_at(cluster)) else where


def _walk_lines(situation: Situation) -> list[str]:
    """Walks that have not ended, or whose end is not the last word."""
    out = []
    for walk in situation.walks:
        if walk.status != "ended":
            said = f"handed over by {walk.handed.by}: {walk.handed.text}" if walk.handed else situation.walk_state(walk)
            out.append(f"WALK {walk.runbook} on {walk.subject}, {said}")
            if not situation.on_it(walk):
                out.append(f"  console runbook --resume {walk.id}, or console incident stop {walk.id} --because TEXT")
            from console.runbook.watching import words

            if (watched := watched_of(situation, walk)) is not None:
                out.append(f"  {words(watched)}")
        elif walk.recurred:
            out.append(f"walk          {walk.runbook} on {walk.subject} recurred: {walk.recurred} ({walk.id})")
        else:
            out += [f"still to do   {walk.subject}: {todo} ({walk.id})" for todo in walk.still_to_do]
    return ["", *out] if out else []


def _missing(situation: Situation) -> list[str]:
    """What bounds left out, and walks that cannot be read."""
    unread = [f"walks unknown  {clean(id)}: {clean(why)}" for id, why in situation.walks_unread]
    return [*left_out_lines(situation.board.left_out), *unread]


def _named(apps: Sequence[str]) -> str:
    """The applications of a shared cause, a few of them by name."""
    return f"{listed(apps, MOST_MEMBERS)}: --members lists what was found"


def _cause_rows(situation: Situation, opened: bool) -> Iterator[tuple[str, ...]]:
    """One row per cause; what follows from it is indented below, and what shares it where that is `opened`."""
    board = situation.board
    for cause in causes(board):
        members = (cause.lead, *cause.rest)
        if cause.shared and cause.incident is not None:
            books = ",".join(runbook_names(situation, cause.lead))
            classes = ",".join(cause.classes) or "-"
            yield (
                cause.incident.severity, cause.title, classes, cause.where, age(board, cause.since), books or "-",
            )  # fmt: skip
            if not opened:
                continue
        for place, f in enumerate(members):
            lead = "  " if cause.shared else "└ " if place else ""
            yield (
                f.severity, lead + f.title, f.class_ or "-", f.subject, age(board, f.since),
                ",".join(runbook_names(situation, f)) or "-",
            )  # fmt: skip


def _labels(labels: dict[str, str]) -> str:
    return " ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in ("alertname", "__name__"))


def slo_row(slo: SloStatus) -> tuple[str, ...]:
    """One objective as cells; what is not known is a word, never a zero."""
    return (
        slo.title,
        words.target(slo.objective),
        words.state(slo),
        words.budget_left(slo.budget_left),
        *(words.burn_rate(words.burn_over(slo, window)) for window in (300.0, 3600.0, 21600.0)),
        words.bad_of_total(slo.bad, slo.total),
    )


@click.command()
@where_options
@output_option()
def alerts(where: Where, output: str) -> int:
    """Firing alerts and the runbook of each."""
    situation = _settled(where)
    board = situation.board
    unknown = alerts_unknown(board)
    matches = situation.matches
    runbooks = {a.key: list(dict.fromkeys(m.runbook for m in matches.get(f"alert:{a.key}", ()))) for a in board.alerts}
    if output == "json":
        items = [{**plain(a), "runbooks": runbooks[a.key]} for a in board.alerts]
        left_out = left_out_json(board.left_out)
        print_json({"items": items, "sources": plain(list(board.sources)), "left_out": left_out})
    elif board.alerts:
        rows = [
            (a.name, alert_state(a), age(board, a.since), ",".join(runbooks[a.key]) or "-", _labels(a.labels))
            for a in board.alerts
        ]
        shown = table(("ALERT", "STATE", "SINCE", "RUNBOOK", "LABELS"), rows)
        say(
            "\n".join([shown, *left_out_lines(o for o in board.left_out if o.source in ("alertmanager", "prometheus"))])
        )
    else:
        say(unknown or "no alert fires")
    return Exit.UNHEALTHY if unknown or board.alerts else Exit.OK
