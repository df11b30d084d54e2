"""`console workstreams roadmap|metrics|digest|history|prevents|format`: what is made from an index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from console.base.errors import ConsoleError, Exit, UsageError, did_you_mean
from console.base.text import clean, plural, shorten
from console.cli.options import output_option
from console.cli.output import narrate, print_json, put, say, table
from console.cli.workstreams.common import (
    files_option,
    index_argument,
    index_path,
    load_index,
)
from console.workstreams.model import Index


@click.command("roadmap")
@index_argument
@click.option("--check", type=click.Path(path_type=Path), metavar="FILE", help="Exit 1 unless FILE holds this roadmap.")
@output_option("markdown")
def roadmap(file: str | None, check: Path | None, output: str) -> Exit:
    """A Markdown page of derived progress. The same index gives the same bytes."""
    from console.workstreams.reports.metrics import metrics
    from console.workstreams.reports.roadmap import roadmap as page

    index = load_index(file)
    text = clean(page(index), lines=True)
    if check is not None:
        from console.sources.files.workstreams import read_bytes

        if read_bytes(check) == text.encode():
            return Exit.OK
        narrate(f"{check} is not what follows from {index.file}; console workstreams roadmap prints it")
        return Exit.UNHEALTHY
    if output == "json":
        print_json(metrics(index))
    else:
        put(text)
    return Exit.OK


@click.command("metrics")
@index_argument
@files_option
@output_option("prometheus")
def metrics(file: str | None, files: Path | None, output: str) -> Exit:
    """Figures for machines: JSON (also the default), or Prometheus text with -o prometheus."""
    from console.workstreams.reports.metrics import exposition
    from console.workstreams.reports.metrics import metrics as figures

    index = load_index(file, files)
    if output == "prometheus":
        put(exposition(index))
    else:
        print_json(figures(index))
    return Exit.OK


@click.command("digest")
@index_argument
@files_option
@click.option("--since", default="1w", show_default=True, help="An age like 1w, 3d, 12h, or a date like 2026-02-01.")
@output_option()
def digest(file: str | None, files: Path | None, since: str, output: str) -> Exit:
    """What changed since then, from the git history of the index (and of its files). Renames are followed."""
    from console.base.clock import WallClock, rfc3339
    from console.cli.output import plain
    from console.sources.files.git import History
    from console.workstreams.build import build
    from console.workstreams.reports.history import compare, digest_text

    now = WallClock().now()
    start = _moment(since, now)
    history = History(index_path(file))
    versions = history.versions()
    before = [version for version in versions if version.time <= start]
    last = versions[-1]
    if not before and history.shallow():
        narrate(f"history is shallow and starts at {rfc3339(versions[0].time)}; older changes are not known")
        before = versions[:1]
    wanted = [*before[-1:], last]
    data = history.contents(wanted)
    if any(item is None for item in data):
        raise ConsoleError("a version of the index is missing in this clone", hint="fetch the whole history")
    old = build(data[0] or b"" if before else b"", file=history.path)
    new = build(data[-1] or b"", file=history.path)
    changes = compare(old, new)
    moved = _moved(history, files, start, new) if files else []
    since_text, until = (rfc3339(start) or "")[:10], (rfc3339(last.time) or "")[:10]
    if output == "json":
        print_json(
            {
                "since": rfc3339(start),
                "until": rfc3339(last.time),
                "from_commit": before[-1].commit if before else None,
                "to_commit": last.commit,
                **plain(changes),
                "files": plain(moved),
            }
        )
        return Exit.OK
    put(digest_text(changes, moved, since=since_text, until=until))
    return Exit.OK


def _moment(text: str, now: float) -> float:
    from console.base.clock import parse_time
    from console.base.units import parse_duration

    moment = parse_time(text) if text[:4].isdigit() and "-" in text else None
    if moment is not None:
        return moment
    try:
        return now - parse_duration(text)
    except ValueError:
        raise UsageError(f"{clean(text)!r} is no age and no date", hint="examples: 1w, 3d, 12h, 2026-02-01") from None


def _moved(history: Any, files: Path, start: float, index: Index) -> list[Any]:
    """Workstream files that came into a folder of completed ones."""
    from console.workstreams.grammar.files import spellings
    from console.workstreams.lint.files import folder_says
    from console.workstreams.reports.history import MovedFile

    out = []
    for item in history.renames(history.commit_at(start), files):
        path, before = Path(item.path), Path(item.before) if item.before else None
        if not item.path.lower().endswith(".md") or folder_says(path.parent.name) is not True:
            continue
        if before is not None and folder_says(before.parent.name) is True:
            continue
        names = spellings(path.stem) + spellings("-".join(path.stem.split("-")[:3]))
        numbers = next((index.by_id()[name] for name in names if name in index.by_id()), ())
        known = index.workstreams[numbers[0]] if len(numbers) == 1 else None
        out.append(MovedFile(item.path, item.before, known.id if known else path.stem, known.name if known else ""))
    return out


@click.command("history")
@index_argument
@click.option("--max", "most", type=click.IntRange(2, 1000), default=100, show_default=True, help="Versions to read.")
@click.option("--width", type=click.IntRange(40, 400), default=80, show_default=True)
@click.option("--height", type=click.IntRange(4, 60), default=12, show_default=True)
@click.option("--ascii", "ascii_only", is_flag=True, help="No characters beyond ASCII.")
@output_option()
def history(file: str | None, most: int, width: int, height: int, ascii_only: bool, output: str) -> Exit:
    """Progress over time from git, with a burn-up plot: filled is completed, the line is the total."""
    from console.base.clock import rfc3339
    from console.sources.files.git import History, progress, sample
    from console.workstreams.reports.history import burn_up

    past = History(index_path(file))
    versions = past.versions()
    chosen = sample(versions, most)
    points = progress(past, chosen)
    if output == "json":
        items = [
            {
                "time": rfc3339(p.time),
                "commit": p.commit,
                "path": p.path,
                "workstreams": p.workstreams,
                "completed": p.completed,
                "ready": p.ready,
                "blocked": p.blocked,
                "contradictions": p.contradictions,
            }
            for p in points
        ]
        print_json({"versions": len(versions), "items": items})
        return Exit.OK
    for line in burn_up(points, width=width, height=height, ascii_only=ascii_only):
        say(line)
    if points:
        last = points[-1]
        narrate(f"{last.completed} of {last.workstreams} completed in the last of {plural(len(versions), 'version')}")
    if len(chosen) < len(versions):
        narrate(f"{len(chosen)} versions were read, evenly chosen; --max reads more")
    if len(points) < len(chosen):
        narrate(f"{len(chosen) - len(points)} versions are missing in this clone")
    if past.shallow():
        narrate("history is shallow: older versions were not fetched")
    return Exit.OK


@click.command("prevents")
@click.argument("incident_class", metavar="CLASS")
@index_argument
@output_option()
def prevents(incident_class: str, file: str | None, output: str) -> Exit:
    """Planned work that bears on an incident class (I01 to I30), found by words in names; judge each yourself."""
    from console.workstreams.reports import view
    from console.workstreams.reports.prevent import CLASSES, proposals

    incident = CLASSES.get(incident_class.upper())
    if incident is None:
        raise UsageError(f"{clean(incident_class)!r} is no incident class", hint=did_you_mean(incident_class, CLASSES))
    index = load_index(file)
    found = proposals(index, incident)
    rows = view.rows(index, [item.number for item in found])
    if output == "json":
        items = [
            {
                "feature": r.feature,
                "id": r.id,
                "name": r.name,
                "state": r.state,
                "bears_on": p.kind,
                "because": p.because,
            }
            for r, p in zip(rows, found, strict=True)
        ]
        print_json({"class": incident.id, "title": incident.title, "items": items})
        return Exit.OK
    say(f"{incident.id} {incident.title}")
    say(
        table(
            ["WORKSTREAM", "STATE", "BEARS ON", "NAME", "BECAUSE"],
            [(r.key, r.state, p.kind, shorten(r.name, 36), p.because) for r, p in zip(rows, found, strict=True)],
        )
    )
    narrate("found by words only: nobody recorded that this work would have been enough")
    return Exit.OK


@click.command("format")
@index_argument
def format_(file: str | None) -> Exit:
    """Print the index in its canonical form. Nothing is written to the file."""
    from console.workstreams.grammar.write import render

    put(render(load_index(file)))
    return Exit.OK
