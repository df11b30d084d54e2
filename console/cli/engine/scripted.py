"""Scripts in `console runbooks test`: each test of each script that lies beside runbooks, played alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.base.errors import ConsoleError
from console.base.text import clean

if TYPE_CHECKING:
    from console.cli.engine.proving import PlayedCase
    from console.runbook.scripts import ScriptSpec

FOLDER = "scripts"


def split(names: Sequence[str]) -> tuple[list[str], dict[str, ScriptSpec]]:
    """Of what is named: the names that are of drills, and the scripts: by name, by file, or beside runbooks."""
    from console.sources.files.runbooks import Library

    shipped = Library.read().scripts
    if not names:
        return [], shipped
    drills, scripts = [], {}
    for name in names:
        path = Path(name)
        if name in shipped:
            scripts[name] = shipped[name]
        elif FOLDER in (path.name, path.parent.name) and path.exists():
            folder = path if path.is_dir() else path.parent
            found = Library.read([folder.parent], shipped=False).scripts
            scripts |= {n: s for n, s in found.items() if path.is_dir() or Path(s.file).name == path.name}
        else:
            beside = Library.read([path], shipped=False).scripts if path.is_dir() else {}
            scripts |= beside
            if not beside or (path / "drills").is_dir():
                drills.append(name)
    return drills, scripts


def played(plays: Iterable[tuple[ScriptSpec, str]]) -> Iterator[PlayedCase]:
    """Each test."""
    yield from (one(spec, name) for spec, name in plays)


def one(spec: ScriptSpec, name: str) -> PlayedCase:
    """One test. What stops it is a problem of it."""
    from console.cli.engine.proving import PlayedCase
    from console.rehearse.scripting import try_script

    began = time.monotonic()
    try:
        score = try_script(spec, name)
        problems, writes, said = score.problems, score.writes, tuple(score.said.splitlines())
    except ConsoleError as error:
        problems, writes, said = (error.message,), 0, ()
    told = tuple(clean(problem) for problem in problems)
    outcome = "as expected" if not told else "-"
    return PlayedCase("script", name, spec.name, outcome, (), writes, told, time.monotonic() - began, said)
