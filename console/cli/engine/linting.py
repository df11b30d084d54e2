"""`console runbooks lint`: runbooks and their drills, of the library, of folders, or single files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit
from console.base.redact import redact_short
from console.base.text import clean, plural
from console.cli.library import known_names, read_library
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, print_json, say

if TYPE_CHECKING:
    from console.runbook.lint.problems import LintProblem
    from console.sources.files.runbooks import Library

UNREADABLE = ("schema", "no-such-folder", "too-many-files", "script-file-missing")
"""Problems of files that do not load at all; they end with 2, as wrong arguments do."""
DRILLS = "drills"


@click.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@where_options
@output_option()
def command(paths: tuple[Path, ...], where: Where, output: str) -> int:
    """Check runbooks and their drills: the whole library and the user's folders, or only what is named.

    Exit code 1 when there are errors, 2 when a file does not load. Warnings alone are 0.
    """
    from datetime import UTC, datetime

    from console.sources.files.runbooks import Library

    today = datetime.now(UTC).date().isoformat()
    whole = library = read_library(where).knowing(*known_names(where))
    drills = drills_of(paths or library.folders)
    if paths:
        named = Library.read([path for path in paths if not _is_drill(path)], shipped=False)
        scripts = {**library.scripts, **named.scripts}
        library = replace(named, scripts=scripts, catalogue=library.catalogue, others=whole.runbooks)
    problems = [*library.lint(today=today), *drill_problems(drills, whole)]
    if output == "json":
        counts = {"runbooks": len(library.runbooks), "drills": len(drills)}
        print_json({"kind": "RunbookProblems", **counts, "problems": [_document(p) for p in problems]})
    else:
        for problem in problems:
            say(problem_text(problem))
    errors = [p for p in problems if p.severity == "error"]
    warnings = len(problems) - len(errors)
    checked = f"{plural(len(library.runbooks), 'runbook')} and {plural(len(drills), 'drill')} checked"
    narrate(f"{checked}: {plural(len(errors), 'error')}, {plural(warnings, 'warning')}")
    if any(p.code in UNREADABLE for p in errors):
        return Exit.USAGE
    return Exit.UNHEALTHY if errors else Exit.OK


def drills_of(paths: Iterable[Path]) -> list[Path]:
    """The drills that lie in folders of runbooks, in folders of drills, and those that are named themselves."""
    out: list[Path] = []
    for path in (path.expanduser() for path in paths):
        folder = path if path.name == DRILLS else path / DRILLS
        if folder.is_dir():
            out += sorted(folder.glob("*.yaml"))
        elif _is_drill(path):
            out.append(path)
    return list(dict.fromkeys(out))


def _is_drill(path: Path) -> bool:
    """Whether a path is that of drills and not of runbooks: by the folder that it lies in."""
    return path.name == DRILLS if path.is_dir() else path.parent.name == DRILLS


def drill_problems(drills: Sequence[Path], library: Library) -> list[LintProblem]:
    """What is wrong with drills. The runbooks that lie beside a drill are those that it is a drill of."""
    from console.rehearse.lint.run import lint_file
    from console.sources.files.runbooks import Library

    beside: dict[Path, Library] = {}
    out: list[LintProblem] = []
    for drill in drills:
        folder = drill.parent.parent if drill.parent.name == DRILLS else drill.parent
        if folder not in beside:
            own = any(folder.resolve() == known.expanduser().resolve() for known in library.folders)
            beside[folder] = library if own else Library.read([folder], shipped=False)
        out += lint_file(drill, {**library.runbooks, **beside[folder].runbooks})
    return out


def problem_text(problem: LintProblem) -> str:
    """One problem as one line, and its hint below."""
    key = f" [{problem.key}]" if problem.key else ""
    line = f"{problem.place}: {problem.severity}: {problem.message}{key} ({problem.code})"
    return clean(redact_short(line)) + (f"\n  hint: {clean(redact_short(problem.hint))}" if problem.hint else "")


def _document(problem: LintProblem) -> dict[str, Any]:
    return {key: getattr(problem, key) for key in problem.__struct_fields__}
