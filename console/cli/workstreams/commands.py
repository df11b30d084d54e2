"""`console workstreams`: progress of planned work, and whether its index tells the truth.

FILE is the index; without it the one of the git repository around the current folder is used
(docs/workstreams/INDEX.md), else `workstreams.index` of the config. `-` reads the index from stdin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from console.base.errors import Exit
from console.base.text import clean, plural, shorten
from console.cli.options import output_option
from console.cli.output import narrate, print_document, print_json, say, table
from console.cli.workstreams.common import (
    feature_named,
    files_option,
    index_argument,
    items,
    load_index,
    name_first,
    one,
)
from console.cli.workstreams.complete import complete
from console.cli.workstreams.graph import delay, graph, path, unlocks, waves
from console.cli.workstreams.reports import digest, format_, history, metrics, prevents, roadmap
from console.workstreams.model import Index


@click.group("workstreams")
def group() -> None:
    """Progress of the platform's workstreams, and whether the index is true.

    FILE is the index; without it docs/workstreams/INDEX.md of the git repository around the current folder is used,
    else workstreams.index of the config. `-` reads it from stdin. Every command prints JSON with -o json.
    """


@group.command("summary")
@index_argument
@files_option
@output_option()
def summary(file: str | None, files: Path | None, output: str) -> Exit:
    """Counts: features, rows, workstreams, completed, ready, blocked, contradictions. Always exits 0."""
    index = load_index(file, files)
    counts = index.counts()
    if output == "json":
        print_json(dict(counts))
        return Exit.OK
    done, total = counts["completed"], counts["workstreams"]
    words = {name: name.replace("_", " ") for name in counts}
    width = max(len(word) for word in words.values())
    for name, value in counts.items():
        share = f"  {done * 100 // total} %" if name == "completed" and total else ""
        say(f"{words[name]:<{width}}  {value:>6}{share}")
    if counts["contradictions"] or counts["rows_unread"]:
        narrate("console workstreams lint lists them with their lines")
    return Exit.OK


@group.command("lint")
@index_argument
@files_option
@click.option("--codes", is_flag=True, help="List every code that lint can report, and stop.")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@click.option("--errors", "errors_only", is_flag=True, help="Print errors only.")
@output_option("text", "sarif")
def lint(file: str | None, files: Path | None, codes: bool, strict: bool, errors_only: bool, output: str) -> Exit:
    """Every contradiction in the index, with its line. Exits 1 when there are errors."""
    if codes:
        return _codes(output)
    index = load_index(file, files)
    shown = [item for item in index.problems if not errors_only or item.severity == "error"]
    if output == "json":
        keys = ("code", "severity", "message", "line", "feature", "workstream", "declared", "derived")
        print_json({"items": [{key: getattr(item, key) for key in keys} for item in shown]})
    elif output == "sarif":
        _print_sarif(index, files)
    else:
        for item in shown:
            place = f"{index.file}:{item.line}" if item.line else item.file or index.file
            say(f"{clean(place)}: {item.severity}: {item.message} [{item.code}]")
        severities = [item.severity for item in index.problems]
        narrate(
            f"{plural(severities.count('error'), 'error')}, {plural(severities.count('warning'), 'warning')}, "
            f"{plural(severities.count('note'), 'note')}"
        )
    grave = {"error", "warning"} if strict else {"error"}
    return Exit.UNHEALTHY if any(item.severity in grave for item in index.problems) else Exit.OK


def _codes(output: str) -> Exit:
    from console.workstreams.codes import CODES

    if output == "json":
        rows = [
            {"code": c.code, "severity": c.severity, "meaning": c.meaning, "line": c.at, "needs_files": c.files}
            for c in CODES.values()
        ]
        print_json({"items": rows})
    else:
        say(
            table(
                ["CODE", "SEVERITY", "MEANING", "LINE"], [(c.code, c.severity, c.meaning, c.at) for c in CODES.values()]
            )
        )
    return Exit.OK


def _print_sarif(index: Index, files: Path | None) -> None:
    from console.sources.files.workstreams import repository_of
    from console.workstreams.reports.sarif import sarif

    def uri(path: Path) -> str:
        absolute = path.resolve()
        root = repository_of(absolute if absolute.is_dir() else absolute.parent) or Path.cwd()
        return (
            absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else f"file://{absolute.as_posix()}"
        )

    where = "INDEX.md" if index.file == "-" else uri(Path(index.file))
    log = sarif(index, uri=where, files_uri=uri(files) if files else "")
    print_document(log)


@group.command("list")
@index_argument
@click.option("--ready", "state", flag_value="ready", help="Only what can be begun now.")
@click.option("--blocked", "state", flag_value="blocked", help="Only what waits for something.")
@click.option("--completed", "state", flag_value="completed", help="Only what is completed.")
@click.option("--feature", metavar="ID", help="Only this feature.")
@click.option("--text", metavar="WORDS", default="", help="Only where all words occur in id, name, status or feature.")
@output_option()
def list_(file: str | None, state: Any, feature: str | None, text: str, output: str) -> Exit:
    """Workstreams, filtered."""
    from console.workstreams.reports import view

    index = load_index(file)
    numbers = view.select(index, state=state, feature=feature_named(index, feature), text=text)
    if output == "json":
        print_json({"items": items(index, numbers)})
        return Exit.OK
    rows = view.rows(index, numbers)
    say(
        table(
            ["WORKSTREAM", "STATE", "NAME", "WAITS FOR"],
            [(row.key, row.state, shorten(row.name, 40), shorten(", ".join(row.waits_for), 60)) for row in rows],
        )
    )
    return Exit.OK


@group.command("features")
@index_argument
@output_option()
def features(file: str | None, output: str) -> Exit:
    """Features with their derived progress beside what their headers declare."""
    from console.workstreams.reports import view
    from console.workstreams.reports.metrics import metrics

    index = load_index(file)
    if output == "json":
        print_json({"items": metrics(index)["features"]})
        return Exit.OK
    rows = []
    for row in view.features(index):
        cells = 10 * row.completed // row.total if row.total else 0
        bar = "#" * cells + "." * (10 - cells) if row.total else "no rows"
        rows.append(
            (
                row.id,
                f"[{bar}]",
                f"{row.completed}/{row.total}" + ("+?" if row.unread else ""),
                row.derived,
                ("! " if not row.agrees else "") + shorten(row.declared or "-", 20),
                str(row.errors or ""),
                shorten(row.title, 24),
            )
        )
    say(table(["FEATURE", "PROGRESS", "DONE", "ROWS SAY", "DECLARED", "ERRORS", "TITLE"], rows))
    if any(not row.agrees for row in view.features(index)):
        narrate("! the declared status or total contradicts the rows; console workstreams lint says how")
    return Exit.OK


@group.command("show")
@click.argument("name", metavar="WS-ID")
@index_argument
@files_option
@output_option()
def show(name: str, file: str | None, files: Path | None, output: str) -> Exit:
    """One workstream with its dependencies both ways. `F11/WS-011-01` names one among equal ids."""
    from console.cli.output import plain
    from console.workstreams.reports import view

    name, file = name_first(name, file)
    index = load_index(file, files)
    detail = view.detail(index, one(index, name))
    if output == "json":
        print_json(plain(detail))
        return Exit.OK
    row = detail.row
    say(f"{row.key}  {row.name}")
    say(f"  feature    {row.feature}: {detail.feature_title}")
    say(f"  status     {row.status}  ({row.state}), line {row.line}")
    for label, value in (("scope", detail.scope), ("bead", detail.bead), ("scenarios", detail.scenarios)):
        if value not in ("", None):
            say(f"  {label:<9}  {value}")
    for need in detail.needs:
        say(
            f"  waits for  {need.text}: {need.state}"
            + (f", {need.open} of {need.total} open" if need.total > 1 else "")
        )
        for words in need.missing:
            say(f"             {words}")
        for member in need.members[:8]:
            say(f"             {member.key} {shorten(member.name, 40)} ({member.state})")
        if need.total > 8:
            say(f"             and {need.total - 8} more")
    for label, found in (("unlocks", detail.unlocks), ("used by", detail.used_by)):
        for other in found:
            say(f"  {label:<9}  {other.key} {shorten(other.name, 40)} ({other.state})")
    if detail.later:
        say(f"  further    {plural(detail.later, 'workstream')} wait behind those")
    for item in detail.files or ():
        say(f"  file       {clean(item.path)}")
    for problem in detail.problems:
        say(f"  {problem.severity:<9}  {problem.message} [{problem.code}]")
    return Exit.OK


for _command in (graph, path, waves, unlocks, delay, roadmap, metrics, digest, history, prevents, format_, complete):
    group.add_command(_command)
