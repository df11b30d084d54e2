"""How a change is proved: the clause of a step, of its runbook, or of the verb; then the objectives."""

from __future__ import annotations

import re

from console.actions.verb import Verb
from console.base.document import Path
from console.runbook.language.ends import OBJECTIVES
from console.runbook.language.shapes import VerifyClause
from console.runbook.model import Branch, Step

LEAST, USUAL, OF_A_QUERY = 1.0, 5.0, 15.0
"""Seconds between two looks: the fewest, and where the runbook says nothing of an object and of a query."""


def verification(id: str, clause: VerifyClause, to: str, at: Path, *, title: str) -> Step:
    """The verify step of a clause. What was seen before the change proves nothing of it."""
    until = f"({clause.that}) and ({clause.also})" if clause.also else clause.that
    return Step(
        id=id,
        kind="verify",
        title=title,
        until=until,
        progress=f"walk.wrote and ({clause.counts})" if clause.counts else "walk.wrote",
        rises=clause.moves,
        completed=clause.done,
        fails=clause.fails,
        worse=clause.worse,
        hold=clause.hold,
        deadline=clause.within,
        poll=looks(clause.every, clause.query),
        query=clause.query,
        shows=tuple(clause.shows) or lines(until),
        on_effective=to,
        on_ineffective="not-fixed",
        on_worse="not-fixed",
        on_unknown="unclear",
        at=at,
    )


def looks(every: float | None, query: str) -> float:
    """Seconds between two looks: Prometheus has a new value but every so often."""
    return max(LEAST, every) if every is not None else (OF_A_QUERY if query else USUAL)


def by_default(verb: Verb, change: Step, name: str) -> VerifyClause | None:
    """What the verb itself says proves it; `object` in it is the target, which the runbook calls `name`.

    The workload of a component is taken for a Deployment, as nearly all are.
    """
    kind = change.target.kind if change.target is not None else ""
    asked = getattr(verb, "proof", None)
    made = asked(change.settings, "Deployment" if "{" in kind else kind) if asked is not None else None
    if made is None:
        return None
    until = re.sub(r"\bobject\b(?=[.\[|])", name, made.until)
    return VerifyClause(that=until, hold=made.hold, within=made.deadline)


def lines(expression: str) -> tuple[str, ...]:
    """What an expression asks, value by value, as lines beside its step; a value of the runbook by its name."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", expression)
    paths = dict.fromkeys(re.findall(r"(?<![\w.|])[a-z_]\w*(?:\.\w+)+", bare))
    named = [(_name(path), path) for path in paths if path != "walk.wrote"]
    return tuple(f"{name}: {{{{ {path}|default('not known')|said }}}}" for name, path in named)


def _name(path: str) -> str:
    """`python rss` for a figure of the finding or a value of the runbook; others by their path."""
    bare = path.removeprefix("values.").removeprefix("finding.data.")
    return path if bare == path else bare.replace("_", " ")


def objectives(within: str = "2h") -> list[Step]:
    """Whether the objectives that the runbook answers for are measured, and whether they recover `within` that time."""
    ask, recover = OBJECTIVES
    return [
        Step(
            id=ask,
            kind="decide",
            title="Is the objective measured?",
            shows=("{{ recovery.words }}",),
            at=("match",),
            branches=(
                Branch(
                    "recovery.state in ['none', 'no data']", "mitigated", "unknown: {{ recovery.words }}", "unknown"
                ),
                Branch("", recover, "{{ recovery.words }}"),
            ),
            on_unknown="mitigated",
        ),
        Step(
            id=recover,
            kind="verify",
            title="The burn rates of the windows that page fall below 1",
            text="The budget that was spent stays spent; recovered means that it is no longer being burned too fast.",
            shows=("{{ recovery.words }}",),
            progress="recovery.state in ['recovered', 'burning']",
            until="recovery.state == 'recovered'",
            hold="1m",
            deadline=within,
            poll=60.0,
            on_effective="resolved",
            on_ineffective="mitigated",
            on_worse="mitigated",
            on_unknown="mitigated",
            at=("match",),
        ),
    ]
