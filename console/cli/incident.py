"""`console incident`: the walks that the journal holds, and what is said of those that nobody is on. No cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.base.clock import rfc3339
from console.base.errors import ConsoleError, Exit, UsageError
from console.base.units import human_duration
from console.cli.output import handed, narrate, plain, print_json, say, table

if TYPE_CHECKING:
    from console.operate.journal import Journal
    from console.runbook.walk import Walk
    from console.timeline.record import WalkRecord


F = TypeVar("F", bound=Callable[..., Any])


def _output(*formats: str) -> Callable[[F], F]:
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=formats[0], show_default=True, help="Format on stdout."
    )


def _journal() -> Journal:
    from console.operate.journal import Journal

    return Journal()


@click.group()
def group() -> None:
    """Walks that were made, and their timelines."""


@group.command("list")
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first.")
@_output("text", "json")
def list_walks(limit: int, output: str) -> int:
    """The walks of the journal, the newest first."""
    from console.timeline.record import WalkRecord

    journal = _journal()
    heads = journal.walks()
    records = []
    for head in heads[:limit]:
        try:
            records.append(WalkRecord.read(journal, head.walk))
        except ConsoleError as error:
            narrate(f"{head.walk}: {error.message}")
    if output == "json":
        items = [summary(r) for r in records]
        print_json({"items": items, "total": len(heads), "journal": str(journal.path)})
    elif records:
        columns = ("WALK", "BEGAN", "TOOK", "RUNBOOK", "SUBJECT", "OUTCOME", "CHANGES", "CHAIN")
        say(table(columns, [row(r) for r in records]))
    else:
        say(f"no walk yet ({journal.path})")
    return Exit.OK if all(r.chain.ok for r in records) and len(records) == len(heads[:limit]) else Exit.UNHEALTHY


def summary(record: WalkRecord) -> dict[str, Any]:
    """One walk in a list."""
    from console.timeline.prose import escalations, status

    walk = record.walk
    return {
        "walk": walk.id,
        "runbook": walk.runbook,
        "subject": walk.subject,
        "context": walk.cluster.get("context"),
        "status": status(walk, record.on_it),
        "walked_by": record.on_it or None,
        "handed_over": handed(walk),
        "outcome": walk.outcome,
        "escalations": escalations(walk),
        "recurred": walk.recurred or None,
        "still_to_do": list(walk.still_to_do),
        "began": rfc3339(walk.started),
        "ended": rfc3339(walk.ended),
        "writes": len(walk.writes),
        "journal": {"records": record.chain.records, "whole": record.chain.ok, "head": record.head},
    }


def row(record: WalkRecord) -> tuple[str, ...]:
    from console.timeline.prose import outcome

    walk = record.walk
    took = "-" if walk.ended is None else human_duration(walk.ended - walk.started)
    return (
        walk.id, rfc3339(walk.started) or "", took, walk.runbook, walk.about or "-", outcome(walk, record.on_it),
        str(len(walk.writes)), "whole" if record.chain.ok else "BROKEN",
    )  # fmt: skip


@group.command()
@click.argument("walk", default="latest")
@_output("text", "json", "markdown")
def show(walk: str, output: str) -> int:
    """How a walk went, on a page. WALK is an id, its beginning, or `latest`."""
    record = _read(walk)
    if output == "markdown":
        return _timeline(record, output)
    if output == "json":
        print_json({key: value for key, value in _document(record).items() if key != "events"})
    else:
        say(page(record))
    return _exit(record)


@group.command()
@click.argument("walk", default="latest")
@_output("markdown", "json", "text")
def timeline(walk: str, output: str) -> int:
    """Who did and saw what, when, what was changed and verified. WALK is an id, its beginning, or `latest`."""
    return _timeline(_read(walk), output)


@group.command("hand-over")
@click.argument("walk", default="latest")
@click.option("--to", "text", default="", metavar="TEXT", help="To whom, and why.")
@_output("text", "json")
def hand_over(walk: str, text: str, output: str) -> int:
    """Leave a walk that nobody is on to somebody else: it waits until `console runbook --resume` takes it up."""
    from console.operate import leaving

    journal = _journal()
    id = journal.find_open(walk)
    leaving.hand_over(journal, _locks(journal), id, text=text, **_now())
    return _told(journal, id, output, f"{id} waits for the next person: console runbook --resume {id}")


@group.command()
@click.argument("walk")
@click.option("--because", required=True, metavar="TEXT", help="Why it ends; it stands in the timeline.")
@_output("text", "json")
def stop(walk: str, because: str, output: str) -> int:
    """End a walk that nobody is on, without a further change. WALK is an id, its beginning, or `latest`.

    What it has changed stays as it is. A walk whose change is in doubt stays open: resume it, and the cluster is asked.
    """
    from console.operate import leaving

    if not because.strip():
        raise UsageError("why does it end?", hint="--because TEXT; it stands in the timeline")
    journal = _journal()
    id = journal.find_open(walk)
    if _read(id).walk.ended is not None:
        raise UsageError(f"walk {id} has ended", hint=f"console incident show {id}")
    ended = leaving.stop(journal, _locks(journal), id, because=because, **_now())
    if ended.ended is None:
        _told(
            journal,
            id,
            output,
            f"{id} stays open: whether its change arrived is not known. console runbook --resume {id} asks",
        )
        return Exit.UNHEALTHY
    left = "; what it changed stays: " + ", ".join(e.title or e.step for e in ended.writes) if ended.writes else ""
    return _told(journal, id, output, f"{id} has ended{left}")


@group.command()
@click.argument("walk")
@click.argument("text")
@_output("text", "json")
def note(walk: str, text: str, output: str) -> int:
    """Add the note TEXT to a walk that nobody is on. WALK is an id, its beginning, or `latest`."""
    from console.operate import leaving

    if not text.strip():
        raise UsageError("the note is empty")
    journal = _journal()
    id = journal.find(walk)
    leaving.note(journal, _locks(journal), id, text=text, **_now())
    return _told(journal, id, output, f"noted on {id}")


def _locks(journal: Journal) -> Path:
    return journal.path.parent / "run"


def _now() -> dict[str, Any]:
    """Who does something, and when."""
    from console.base.clock import WallClock
    from console.live.who import actor

    return {"by": actor(), "now": WallClock().now()}


def _told(journal: Journal, walk: str, output: str, words: str) -> int:
    """How a walk stands after something was written of it."""
    from console.timeline.record import WalkRecord

    if output == "json":
        print_json(summary(WalkRecord.read(journal, walk)))
    else:
        say(words)
    return Exit.OK


@group.command()
@click.argument("walk", default="latest")
@_output("text", "json")
def kept(walk: str, output: str) -> int:
    """What was kept of the objects that changes ended: WALK (an id, its beginning, `latest`), or a change (WALK/1).

    `-o json` prints the objects, events and ends of logs themselves; `console diagnose FOLDER` judges them.
    """
    from console.operate.ahead.keeping import place_of, read_back
    from console.runbook.walk import EvidenceKept

    name, _, number = walk.partition("/")
    journal, record = _journal(), _read(name)
    wanted = f"{record.walk.id}/{number}" if number else ""
    saved = [e for e in record.events if isinstance(e, EvidenceKept) and wanted in ("", e.effect)]
    root = journal.path.parent / "kept"
    if output == "json":
        items = [
            {
                "at": rfc3339(e.at), "effect": e.effect, "step": e.step, "holds": list(e.holds), "lacks": list(e.lacks),
                "folder": str(place_of(root, e.effect)), "files": read_back(root, e.effect),
            }
            for e in saved
        ]  # fmt: skip
        print_json({"kind": "KeptList", "walk": record.walk.id, "items": items})
        return Exit.OK
    lines = []
    for e in saved:
        place = place_of(root, e.effect)
        lines += [f"{e.effect}  {rfc3339(e.at)}  {', '.join(e.holds) or 'nothing'}"]
        lines += [f"  not kept: {why}" for why in e.lacks]
        lines += [f"  console diagnose {place}" if place.is_dir() else "  it has given way: what is kept is bounded"]
    say("\n".join(lines) or f"no change of {record.walk.id} ended anything")
    return Exit.OK


def _timeline(record: WalkRecord, output: str) -> int:
    from console.timeline.timeline import markdown

    if output == "json":
        print_json(_document(record))
    elif output == "markdown":
        say(markdown(record.walk, record.events, record.chain, record.hashes, record.on_it).rstrip())
    else:
        say(story(record))
    return _exit(record)


def _document(record: WalkRecord) -> dict[str, Any]:
    from console.timeline.timeline import document

    return document(record.walk, record.events, record.chain, record.hashes, record.on_it)


def _read(walk: str) -> WalkRecord:
    from console.timeline.record import WalkRecord

    journal = _journal()
    return WalkRecord.read(journal, journal.find(walk))


def _exit(record: WalkRecord) -> Exit:
    """1 where something is in doubt, or the journal is not what was written."""
    return Exit.OK if record.chain.ok and record.walk.status != "in doubt" else Exit.UNHEALTHY


def _goes_on(record: WalkRecord) -> str:
    """What can be done with a walk that has not ended."""
    if record.on_it:
        return "it is answered there"
    return f"console runbook --resume {record.walk.id} goes on with it"


def page(record: WalkRecord) -> str:
    """The walk on a page of plain text."""
    from console.timeline.prose import because, duration, outcome, target_of

    walk, spans = record.walk, record.spans()
    lines = [
        f"{outcome(walk, record.on_it).upper()}  {because(walk) or _goes_on(record)}",
        *([] if walk.ended is not None else [f"stands   at {record.where()}"]),
        *(f"to do    {todo}" for todo in walk.still_to_do),
        *([f"left     by {walk.left.by} at {rfc3339(walk.left.at)}"] if walk.left is not None else []),
        *([f"handed   over by {walk.handed.by}: {walk.handed.text or '-'}"] if walk.handed is not None else []),
        f"walk     {walk.id}  {walk.runbook} {walk.version}",
        f"subject  {walk.about or '-'}  on {walk.cluster.get('context', '')}",
        f"by       {walk.actor}  {rfc3339(walk.started)}  took {duration(spans['to_end'])}",
        f"journal  {record.chain.records} records, "
        + ("whole" if record.chain.ok else f"BROKEN: {record.chain.because}")
        + f", head sha256:{record.head}",
    ]
    lines += [*_called(walk), *_cost(walk)]
    rows = []
    for number, s in enumerate(walk.steps, 1):
        rows.append((rfc3339(s.entered) or "", record.name(number), s.state, s.status or "", s.words))
        rows += [("", u.title, u.state, "", u.words) for u in walk.undos if u.after == number]
    lines += ["", table(("AT", "STEP", "STATE", "JUDGED", "WHY"), rows)]
    for effect in walk.writes:
        shown = record.previews.get(effect.id)
        lines += ["", f"changed  {target_of(effect)}: {effect.title} ({effect.id})"]
        lines += [f"  {line}" for line in (shown.preview.diff if shown else ())]
    lines += [f"note     {note.by}: {note.text}" for note in walk.notes]
    if walk.ended is None and not record.on_it:
        lines += ["", f"go on with: console runbook --resume {walk.id}"]
        lines += [f"or end it:  console incident stop {walk.id} --because TEXT"]
    return "\n".join(plain(lines))


def _called(walk: Walk) -> list[str]:
    return [f"called   {one.whom}: {one.came_of_it or 'not answered yet'}" for one in walk.escalations]


def _cost(walk: Walk) -> list[str]:
    """What the trouble cost, and how the objectives stood before and after."""
    from console.timeline.impact import sentences
    from console.timeline.prose import objective

    lines = [f"impact   {said}" for said in sentences(walk)]
    for name in dict.fromkeys([*walk.slo_before, *walk.slo_after]):
        now = "-" if walk.ended is None else objective(walk.slo_after.get(name))
        lines.append(f"slo      {name}: {objective(walk.slo_before.get(name))} -> {now}")
    return lines


def story(record: WalkRecord) -> str:
    """One line per record."""
    from console.runbook.walk import Entered
    from console.timeline.prose import sentence

    rows, visits = [], 0
    for number, event in enumerate(record.events, 1):
        visits += isinstance(event, Entered)
        words = record.name(visits) if isinstance(event, Entered) else sentence(event)
        rows.append((str(number), rfc3339(event.at) or "", words, record.hashes[number - 1][:12]))
    return table(("#", "AT", "WHAT", "SHA-256"), rows)
