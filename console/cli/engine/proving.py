"""`console runbooks test`: every case of every drill and every test of a script beside runbooks, played and judged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import click
from msgspec import Struct

from console.base.errors import ConsoleError, Exit, UsageError, did_you_mean
from console.base.text import clean, plural
from console.cli.engine import scripted, supported
from console.cli.options import output_option
from console.cli.output import narrate, print_json, say, table

if TYPE_CHECKING:
    from console.drill.scenario.model import Scenario
    from console.rehearse.playing import Score
    from console.runbook.lint.problems import LintProblem
    from console.runbook.scripts import ScriptSpec
    from console.sources.files.runbooks import Library


class PlayedCase(Struct, frozen=True):
    """One case of a drill, played. `problems` is empty where it ended as it should; `seconds` are of the wall.

    `said`: the texts that a person would have seen, line by line, with what was answered.
    """

    drill: str
    case: str
    runbook: str
    outcome: str
    path: tuple[str, ...]
    writes: int
    problems: tuple[str, ...]
    seconds: float
    said: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    """Outcomes with which it ends as it should; none of a script."""


@click.command("test")
@click.argument("names", nargs=-1)
@click.option("--case", "cases", multiple=True, metavar="NAME", help="Only cases of this name.")
@click.option("-j", "jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="So many at the same time.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write a JUnit report as well.")
@click.option("-v", "--verbose", is_flag=True, help="Print what a person would see: questions, previews, the end.")
@output_option()
def command(
    names: Sequence[str], cases: Sequence[str], jobs: int, junit: Path | None, verbose: bool, output: str
) -> int:
    """Play drills and tests of scripts on simulated clusters: of the library, of those named, or of folders.

    What lint finds an error in is not played. Exit code 1 where a case does not end as it should.
    """
    plays, tried = _plays(names, cases)
    wrong = unfit({s.file: s for s, _ in plays}.values())
    refused = [_refused(s, case, wrong[s.file]) for s, case in plays if s.file in wrong]
    played = []
    drilled = _played([(s.file, case) for s, case in plays if s.file not in wrong], jobs)
    for one in chain(refused, (_script(*test) for test in tried), drilled):
        played.append(one)
        _narrate(one, f"{len(played)}/{len(plays) + len(tried)}", verbose=verbose)
    played.sort(key=lambda one: (one.drill, one.case))
    if junit is not None:
        junit.write_bytes(report(played))
    return _told(played, output, verbose=verbose)


def _plays(
    names: Sequence[str], cases: Sequence[str]
) -> tuple[list[tuple[Scenario, str]], list[tuple[ScriptSpec, str]]]:
    """Cases of drills and tests of scripts that are asked for. Raises UsageError where there are none."""
    mine, scripts = scripted.split(names)
    drills = chosen(mine) if mine or not names else []
    plays = [(s, case) for s in drills for case in s.cases if not cases or case in cases]
    tried = [(spec, test) for spec in scripts.values() for test in spec.tests if not cases or test in cases]
    if not plays and not tried:
        raise UsageError("no drill has such a case", hint="`console drills` lists them")
    return plays, tried


def _script(spec: ScriptSpec, name: str) -> PlayedCase:
    """One test of a script, as a case."""
    problems, writes, said, seconds = scripted.tried(spec, name)
    outcome = "-" if problems else "as expected"
    return PlayedCase("script", name, spec.name, outcome, (), writes, problems, seconds, said)


def _narrate(one: PlayedCase, number: str, *, verbose: bool) -> None:
    said = "ok" if not one.problems else "; ".join(one.problems)
    narrate(f"{number} {one.drill} {one.case}: {said} ({one.seconds:.1f} s)")
    for line in one.said if verbose else ():
        narrate(f"  {line}" if line else "")


def _told(played: Sequence[PlayedCase], output: str, *, verbose: bool) -> int:
    """All cases as a table or as JSON, and the exit code."""
    if output == "json":
        cases = [document(one, verbose=verbose) for one in played]
        print_json({"kind": "RunbookTests", "cases": cases, "supported": supported.of(played).document()})
    else:
        rows = [
            (one.runbook, one.drill, one.case, one.outcome, str(one.writes), "ok" if not one.problems else "FAILED")
            for one in played
        ]
        say(table(("RUNBOOK", "DRILL", "CASE", "ENDED", "WRITES", "RESULT"), rows))
    failed = sum(1 for one in played if one.problems)
    narrate(f"{plural(len(played), 'case')}, {failed} not as it should")
    if (figure := supported.of(played)).faults:
        narrate(figure.words)
    return Exit.UNHEALTHY if failed else Exit.OK


def chosen(names: Sequence[str]) -> list[Scenario]:
    """The drills of the library, or of the runbooks, drills, files and folders that are named.

    Raises:
        UsageError: nothing has such a name. DocumentError: a drill is wrong.
    """
    from console.drill.scenario.files import drills_dir, load

    shipped = [load(file) for file in _drills(drills_dir())]
    if not names:
        return shipped
    out: list[Scenario] = []
    for name in names:
        path = Path(name)
        if path.exists() and (path.is_dir() or path.suffix in (".yaml", ".yml")):
            out += [load(file) for file in _below(path)]
            continue
        mine = [s for s in shipped if name in (s.name, s.runbook)]
        if not mine:
            known = sorted({*(s.name for s in shipped), *(s.runbook for s in shipped)})
            raise UsageError(f"no drill and no runbook with a drill is called {name!r}", hint=did_you_mean(name, known))
        out += mine
    return out


def unfit(drills: Iterable[Scenario]) -> dict[str, tuple[str, ...]]:
    """Files of drills that are not played, and why: errors of theirs, and of the runbook that each is a drill of."""
    from console.cli.engine.linting import drill_problems, problem_text
    from console.sources.files.runbooks import Library

    shipped, out = Library.read(), {}
    libraries: dict[Path, Library] = {}
    for drill in drills:
        file = Path(drill.file)
        folder = file.parent.parent if file.parent.name == "drills" else file.parent
        library = libraries.get(folder) or libraries.setdefault(folder, Library.read([folder]))
        book = library.files.get(drill.runbook)
        found = [*drill_problems([file], shipped), *library.lint(only=[drill.runbook])]
        errors = [one for one in found if one.severity == "error" and _is_of(one, drill, book)]
        if errors:
            out[drill.file] = tuple(dict.fromkeys(problem_text(one) for one in errors))
    return out


def _is_of(problem: LintProblem, drill: Scenario, book: Path | None) -> bool:
    """Whether a problem is that of the drill or of its runbook: another file of the folder may be broken."""
    unread = book is None and Path(problem.file).stem == drill.runbook
    return unread or problem.file in (drill.file, str(book))


def _refused(scenario: Scenario, case: str, why: tuple[str, ...]) -> PlayedCase:
    said = tuple(f"not played: {one}" for one in why)
    return PlayedCase(scenario.name, case, scenario.runbook, "-", (), 0, said, 0.0, (), _expected(scenario, case))


def _expected(scenario: Scenario, case: str) -> tuple[str, ...]:
    return scenario.case(case).expect.outcomes


def _below(path: Path) -> list[Path]:
    """The drills of a folder of runbooks, of a runbook's file, or the drill itself."""
    if path.is_dir():
        found = _drills(path / "drills") if (path / "drills").is_dir() else _drills(path)
        if not found:
            raise UsageError(f"no drill lies in {path}", hint="drills lie in a folder `drills` beside the runbooks")
        return found
    if path.parent.name == "drills":
        return [path]
    beside = [file for file in _drills(path.parent / "drills") if f"runbook: {path.stem}\n" in f"{file.read_text()}\n"]
    if not beside:
        said = f"no drill in {path.parent / 'drills'} is of the runbook {path.stem!r}"
        raise UsageError(said, hint=f"a drill says `runbook: {path.stem}`")
    return beside


def _drills(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml")) if folder.is_dir() else []


def _played(plays: Sequence[tuple[str, str]], jobs: int) -> Iterator[PlayedCase]:
    if jobs == 1 or len(plays) == 1:
        yield from (one(file, case) for file, case in plays)
        return
    with ProcessPoolExecutor(min(jobs, len(plays)), mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(one, file, case) for file, case in plays]):
            yield done.result()


def one(file: str, case: str) -> PlayedCase:
    """Play one case. What stops it is a problem of it, as a wrong end is."""
    from console.drill.scenario.files import load
    from console.rehearse.playing import play

    scenario, began = load(Path(file)), time.monotonic()
    try:
        score = play(scenario, case)
    except (ConsoleError, TimeoutError) as error:
        said = error.message if isinstance(error, ConsoleError) else "it did not come to an end in time"
        took = time.monotonic() - began
        wanted = _expected(scenario, case)
        return PlayedCase(scenario.name, case, scenario.runbook, "-", (), 0, (clean(said),), took, (), wanted)
    took, problems = time.monotonic() - began, tuple(clean(p) for p in score.problems)
    outcome, writes = score.outcome or "-", len(score.writes)
    seen = tuple(_said(score))
    wanted = score.expected
    return PlayedCase(scenario.name, case, score.runbook, outcome, score.path, writes, problems, took, seen, wanted)


def _said(score: Score) -> Iterator[str]:
    """What a person would have seen: each question with its answer, and the end."""
    from console.cli.plain import shown

    for question, answer in score.asked:
        yield from (clean(line) for text in shown(question) for line in text.split("\n"))
        yield f"> {clean(answer) or '(nobody answered)'}"
    yield ""
    yield f"{score.outcome or 'not ended'}: {clean(score.because)}"


def document(played: PlayedCase, *, verbose: bool = False) -> dict[str, Any]:
    """A case for scripts."""
    return {
        **({"said": list(played.said)} if verbose else {}),
        "runbook": played.runbook,
        "drill": played.drill,
        "case": played.case,
        "ok": not played.problems,
        "outcome": played.outcome,
        "path": list(played.path),
        "writes": played.writes,
        "problems": list(played.problems),
        "seconds": round(played.seconds, 1),
    }


def report(played: Sequence[PlayedCase]) -> bytes:
    """A JUnit report: a suite for each drill."""
    root = ElementTree.Element("testsuites")
    for drill in dict.fromkeys(one.drill for one in played):
        mine = [one for one in played if one.drill == drill]
        failed = str(sum(1 for one in mine if one.problems))
        suite = ElementTree.SubElement(root, "testsuite", name=drill, tests=str(len(mine)), failures=failed)
        for one in mine:
            attributes = {"classname": one.runbook, "name": one.case, "time": f"{one.seconds:.1f}"}
            case = ElementTree.SubElement(suite, "testcase", attributes)
            if one.problems:
                failure = ElementTree.SubElement(case, "failure", message=one.problems[0])
                failure.text = "\n".join(one.problems)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
