"""`console runbook NAME`: walk a runbook, in the terminal UI, line by line, or with scripted answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit, Interrupted, UsageError
from console.base.text import listed
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, plain, print_json, say

if TYPE_CHECKING:
    from console.facts.model import Alert
    from console.live import Live
    from console.operate.person import Person
    from console.runbook.walk import Walk


@click.command()
@click.argument("name", required=False)
@click.option("--app", metavar="NAMESPACE/NAME", help="The Spark application that it is walked on.")
@click.option("--about", metavar="KIND/NS/NAME", help="What it is walked on, where that is no application: a node, …")
@click.option("--alert", metavar="FILE|-", help="An alert as Alertmanager sends it; inputs are taken from it.")
@click.option("--input", "inputs", metavar="NAME=VALUE", multiple=True, help="An input of the runbook.")
@click.option("--answers", metavar="FILE", help="Scripted answers; refused on production contexts.")
@click.option("--plain", is_flag=True, help="Line by line, for screen readers and simple terminals.")
@click.option("--resume", metavar="WALK", help="Go on with a walk that was cut off (an id, its beginning, or latest).")
@click.option(
    "--take-over", metavar="TEXT", default="", help="With --resume: take the walk from who is on it; TEXT says why."
)
@click.option(
    "--undo", metavar="WALK", help="Undo the last change of a walk (an id, its beginning, or latest), line by line."
)
@click.option("--change", metavar="ID", default="", help="With --undo: this change instead of the last (WALK/1, or 1).")
@click.option("--stored", is_flag=True, help="With --resume: the runbook as the walk has stored it, not as it is now.")
@where_options
@output_option("markdown")
def command(
    name: str | None,
    app: str | None,
    about: str | None,
    alert: str | None,
    inputs: Sequence[str],
    answers: str | None,
    plain: bool,
    resume: str | None,
    take_over: str,
    undo: str | None,
    change: str,
    stored: bool,
    where: Where,
    output: str,
) -> int:
    """Walk the runbook NAME: evidence, decisions, guarded changes, verification, timeline.

    --undo WALK takes back a change of a walk that nobody is on: the rollback is shown as any change is, asked about,
    and what it leaves is looked at. It exits with 0 where it was undone, 4 where it was refused, else 1.
    """
    from console.cli.ui import open_ui, terminal

    if undo is not None:
        if name is not None or resume is not None or app or alert:
            raise UsageError("--undo takes back a change of one walk, and walks nothing")
        return _undo(undo, change, answers, where, output)
    _one_thing(name, resume, take_over, change)
    given = {**({"about": about} if about else {}), **_pairs(inputs)}
    sent = _alert(alert, app or "") if alert else None
    if terminal() and not (plain or answers) and output == "table":
        from console.live import Opening

        return open_ui(where, Opening(name or "", app or "", sent, given, resume or "", stored, take_over))
    from console.cli.connect import looking

    with looking(where) as live:
        board = live.situation.board
        person = _person(answers, production=board.cluster.production)
        chosen = _app(live, app)
        walk = walk_it(
            live, name, app=chosen, alert=sent, given=given, person=person,
            resume=resume, stored=stored, because=take_over,
        )  # fmt: skip
        return report(live, walk, output)


def _one_thing(name: str | None, resume: str | None, take_over: str, change: str) -> None:
    """Raises UsageError where the options do not say what is to be walked, or say more."""
    if change:
        raise UsageError("--change names what --undo takes back", hint="console runbook --undo WALK --change ID")
    if name is None and resume is None:
        raise UsageError("which runbook?", hint="`console runbooks list` shows them; or say --resume latest")
    if take_over and resume is None:
        raise UsageError("--take-over takes a walk from who is on it", hint="--resume WALK --take-over TEXT")


def _undo(walk: str, change: str, answers: str | None, where: Where, output: str) -> int:
    from console.cli.connect import looking

    with looking(where) as live:
        person = _person(answers, production=live.situation.board.cluster.production)
        ended, effect = undo_it(live, walk, change, person)
        report(live, ended, output)
        return exit_of_undo(ended, effect)


def undo_it(live: Live, walk: str, change: str, person: Person) -> tuple[Walk, str]:
    """Undo a change, narrating on stderr: (the walk afterwards, the change).

    Raises:
        UsageError: there is nothing to undo. RefusedError: another process is on the walk.
        Interrupted: Ctrl-C; nothing was changed, or the journal keeps what was sent.
    """
    from console.cli.plain import Narrator

    id, effect = live.undoable(walk, change).result()
    narrator = Narrator()
    if (known := live.situation.walk(id)) is not None:
        narrator.past(known)
    narrator.follow(id)
    live.subscribe(narrator)
    try:
        ended: Walk = live.undo(id, effect, person).result()
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; what became of it: console incident show {id}") from None
    narrator.last(ended)
    return ended, effect


def exit_of_undo(walk: Walk, change: str) -> int:
    """0 where the change was undone, 4 where somebody or something refused that, 1 otherwise."""
    if any(effect.inverse_of == change for effect in walk.writes):
        return Exit.OK
    tried = [undone.state for undone in walk.undos]
    return Exit.REFUSED if tried and tried[-1] == "refused" else Exit.UNHEALTHY


def _pairs(inputs: Sequence[str]) -> dict[str, str]:
    out = {}
    for text in inputs:
        key, found, value = text.partition("=")
        if not found or not key:
            raise UsageError(f"--input {text!r} is no NAME=VALUE")
        out[key] = value
    return out


def _alert(file: str, app: str) -> Alert:
    """The alert of a payload, a firing one before one that is over. Several alerts must be about one thing.

    Args:
        app: the application that the person named: of several alerts the one about it is taken.

    Raises:
        UsageError: the payload cannot be read, or holds alerts about different things.
    """
    from console.apps.alerts import subject_of
    from console.sources.prometheus.alertmanager import read_payload

    if file == "-":
        text, shown = sys.stdin.read(), "standard input"
    else:
        try:
            text, shown = Path(file).read_text(), file
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--alert {file}: {error}") from None
    alerts = read_payload(text, shown)
    if not alerts:
        raise UsageError(f"{shown} holds no alert")
    alerts = tuple(a for a in alerts if a.state == "firing") or alerts
    wanted = [a for a in alerts if app and app.rpartition("/")[2] == subject_of(a)[1]] or alerts
    about = {(a.name, *subject_of(a)): "/".join(part for part in subject_of(a) if part) for a in wanted}
    if len(about) > 1 and not app:
        said = listed((f"{name} on {where or 'nothing named'}" for (name, *_), where in about.items()), 5)
        raise UsageError(
            f"{shown} holds {len(wanted)} alerts about different things: {said}",
            hint="send one of them, or name the application with --app",
        )
    return wanted[0]


def _app(live: Live, name: str | None) -> str:
    from console.cli.board.apps import find_app

    return find_app(live.situation.board, name).key if name else ""


def _person(answers: str | None, *, production: bool) -> Person:
    from console.cli.plain import PlainPerson
    from console.operate.person import Scripted

    return Scripted.read(Path(answers), production=production) if answers else PlainPerson()


def walk_it(
    live: Live,
    name: str | None,
    *,
    app: str = "",
    alert: Alert | None = None,
    given: dict[str, str] | None = None,
    person: Person,
    resume: str | None = None,
    stored: bool = False,
    because: str = "",
) -> Walk:
    """Walk to the end, narrating each step on stderr.

    Raises:
        Interrupted: Ctrl-C; the journal keeps where the walk stood.
    """
    from console.cli.plain import Narrator

    narrator = Narrator()
    live.subscribe(narrator)
    if resume:
        id = live.resume(resume, person, bind=stored, because=because).result()
    else:
        id = _begin(live, str(name), app, alert, dict(given or {}), person)
    narrator.follow(id)
    try:
        walk: Walk = live.finished(id).result()
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; the journal keeps where the walk stood: console runbook --resume {id}"
        ) from None
    except SystemExit:
        narrate(f"terminated; the journal keeps where the walk stood: console runbook --resume {id}")
        raise
    narrator.last(walk)
    return walk


def _begin(live: Live, name: str, app: str, alert: Alert | None, given: dict[str, str], person: Person) -> str:
    """Begin the walk. A person at the terminal is asked for the inputs that it lacks."""
    from console.cli.plain import PlainPerson
    from console.runbook.inputs import InputMissing, InputRefused

    lacking, wrong = None, ""
    problem: InputMissing | InputRefused
    while True:
        try:
            return live.begin(name, app=app, alert=alert, given=given, person=person).result()
        except InputMissing as error:
            lacking, wrong, problem = error.lacking, "", error
        except InputRefused as error:
            if lacking is None or error.name != lacking.name:
                raise
            wrong, problem = error.why, error
        value = person.need(lacking, wrong) if isinstance(person, PlainPerson) else None
        if value is None:
            raise problem
        given[lacking.name] = value


def report(live: Live, walk: Walk, output: str) -> int:
    """Print the end of a walk; the exit code says how it ended."""
    from console.timeline.prose import because, outcome

    if output == "json":
        print_json(walk_document(walk))
    elif output == "markdown":
        say(live.timeline(walk.id).result())
    else:
        say(f"{outcome(walk)}: {because(walk) or 'not ended'}")
        for todo in walk.still_to_do:
            say(f"still to do: {todo}")
        say(f"timeline: console incident timeline {walk.id}")
    return exit_of(walk)


def exit_of(walk: Walk) -> int:
    """0 resolved, mitigated or not applicable; 4 where a No ended it; 1 otherwise."""
    if walk.status == "ended" and not walk.recurred and walk.outcome in ("resolved", "mitigated", "not_applicable"):
        return Exit.OK
    refused = any(s.state == "refused" for s in walk.steps)
    return Exit.REFUSED if refused and not walk.writes else Exit.UNHEALTHY


def walk_document(walk: Walk) -> dict[str, Any]:
    """A walk as scripts read it, when this process is no longer on it."""
    from console.timeline.prose import escalations, rights, status

    return {
        "walk": walk.id,
        "runbook": {"id": walk.runbook, "version": walk.version, "hash": walk.hash},
        "subject": walk.subject,
        "alert": plain(walk.alert) if walk.alert is not None else None,
        "remarks": list(walk.remarks),
        "rights": rights(walk),
        "status": status(walk, ""),
        "outcome": walk.outcome,
        "because": walk.because,
        "escalations": escalations(walk),
        "recurred": walk.recurred or None,
        "still_to_do": list(walk.still_to_do),
        "inputs": plain_inputs(walk),
        "path": list(walk.path),
        "writes": [plain(effect) for effect in walk.writes],
        "rollbacks": [
            {"effect": u.effect, "title": u.title, "state": u.state, "words": u.words, "left": u.left}
            for u in walk.undos
        ],
        "slo": {"before": walk.slo_before, "after": walk.slo_after},
        "notes": plain(list(walk.notes)),
    }


def plain_inputs(walk: Walk) -> dict[str, Any]:
    """Each input with where it came from."""
    return {k: {"value": plain(v), "from": walk.origins.get(k, "")} for k, v in walk.inputs.items()}
