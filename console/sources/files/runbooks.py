"""The library of runbooks on disk: a user's folders first, then what travels with the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from console.base.errors import DocumentError, UsageError, did_you_mean
from console.base.paths import library
from console.runbook import catalogue as catalogue_module
from console.runbook import scripts as scripts_module
from console.runbook.catalogue import Catalogue
from console.runbook.lint.problems import LintProblem, of_error
from console.runbook.lint.run import lint
from console.runbook.model import Runbook
from console.runbook.schema import check
from console.runbook.scripts import ScriptSpec

MAX_BYTES = 1_000_000
MAX_FILES = 2_000
SUFFIXES = (".yaml", ".yml")
ASIDE = ("scripts", "drills")
"""Folders beside runbooks that hold no runbooks."""


@dataclass(frozen=True)
class Library:
    """What was found.

    Attributes:
        runbooks: by id, in the order of their ids; of two with one id the first folder's wins.
        problems: files that do not load, and ids that stand twice.
        scripts: by name.
        files: the file of each runbook.
        folders: where was looked, in order.
        others: runbooks of elsewhere that its own may run.
    """

    runbooks: dict[str, Runbook] = field(default_factory=dict)
    problems: tuple[LintProblem, ...] = ()
    scripts: dict[str, ScriptSpec] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)
    files: dict[str, Path] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    others: Mapping[str, Runbook] = field(default_factory=dict)

    @classmethod
    def read(cls, paths: Sequence[Path] = (), *, shipped: bool = True) -> Library:
        """Read the folders (or single files) in `paths`, then the shipped library."""
        folders = (*paths, *((library("runbooks"),) if shipped else ()))
        problems: list[LintProblem] = []
        runbooks: dict[str, Runbook] = {}
        files: dict[str, Path] = {}
        scripts: dict[str, ScriptSpec] = {}
        for folder in dict.fromkeys(p.expanduser() for p in folders):
            if not folder.exists():
                problems.append(LintProblem("no-such-folder", "error", "there is no such file or folder", str(folder)))
                continue
            for file in _yaml(folder, problems):
                runbook, found = _runbook(file)
                problems += found
                if runbook is None:
                    continue
                if runbook.id in runbooks:
                    message = f"runbook {runbook.id!r} is hidden by {files[runbook.id]}"
                    problems.append(LintProblem("id-twice", "warning", message, str(file)))
                    continue
                runbooks[runbook.id], files[runbook.id] = runbook, file
            for spec in _scripts(folder if folder.is_dir() else folder.parent, problems):
                scripts.setdefault(spec.name, spec)
        return cls(
            runbooks=dict(sorted(runbooks.items())),
            problems=tuple(problems),
            scripts=scripts,
            catalogue=read_catalogue(),
            files=files,
            folders=tuple(dict.fromkeys(folders)),
        )

    def knowing(self, alerts: Iterable[str], objectives: Iterable[str], components: Iterable[str] = ()) -> Library:
        """The library with names that runbooks may wait for; alerts of its own runbooks are among them."""
        own = {alert.name for book in self.runbooks.values() for alert in book.match.alerts}
        known = replace(self.catalogue, alerts=frozenset({*alerts, *own}), objectives=frozenset(objectives))
        return replace(self, catalogue=replace(known, components=frozenset(components)))

    def get(self, id: str) -> Runbook:
        """The runbook of this id.

        Raises:
            UsageError: there is none; names the nearest, or says that its file does not load.
        """
        if id in self.runbooks:
            return self.runbooks[id]
        broken = next((p for p in self.problems if p.severity == "error" and Path(p.file).stem == id), None)
        if broken is not None:
            raise UsageError(
                f"runbook {id!r} does not load: {broken.place}: {broken.message}", hint=broken.hint or None
            )
        raise UsageError(f"there is no runbook {id!r}", hint=did_you_mean(id, self.runbooks))

    def lint(self, *, today: str = "", only: Iterable[str] = ()) -> tuple[LintProblem, ...]:
        """The problems of reading and those of every runbook (or of the ids in `only`)."""
        wanted = set(only) or set(self.runbooks)
        found, known = list(self.problems), {**self.others, **self.runbooks}
        for id, runbook in self.runbooks.items():
            if id in wanted:
                if not {step.runs for step in runbook.steps if step.kind == "run"} <= set(known):
                    known = {**_beside(self.files[id]), **known}
                found += lint(runbook, scripts=self.scripts, catalogue=self.catalogue, today=today, runbooks=known)
        return tuple(found)


def read_catalogue() -> Catalogue:
    """The catalogue that travels with the package."""
    folder = Path(catalogue_module.__file__).parent
    metrics, kinds = ((folder / name).read_text(encoding="utf-8") for name in ("metrics.yaml", "kinds.yaml"))
    return _catalogue(metrics, kinds)


@lru_cache(maxsize=1)
def _catalogue(metrics: str, kinds: str) -> Catalogue:
    return catalogue_module.read(metrics, kinds)


def _yaml(folder: Path, problems: list[LintProblem]) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    count = 0
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.suffix not in SUFFIXES or parts[0] in ASIDE or any(p.startswith(".") for p in parts):
            continue
        count += 1
        if count > MAX_FILES:
            problems.append(
                LintProblem("too-many-files", "error", f"more than {MAX_FILES} files are here", str(folder))
            )
            return
        if file.is_file():
            yield file


def _beside(file: Path) -> dict[str, Runbook]:
    """The runbooks in the folder of a file, so that one which is read alone may run them."""
    found = (_runbook(one)[0] for one in _yaml(file.parent, []) if one.parent == file.parent)
    return {book.id: book for book in found if book is not None}


def _read(file: Path) -> str:
    """The text of a file.

    Raises:
        DocumentError: it is too large, unreadable or no text.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DocumentError(f"the file is larger than {MAX_BYTES // 1000} kB", file=str(file))
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DocumentError("the file is no UTF-8 text", file=str(file)) from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}", file=str(file)) from None


@lru_cache(maxsize=MAX_FILES)
def _checked(text: str, file: str) -> tuple[Runbook | None, tuple[DocumentError, ...]]:
    """What a text says, read once while it stays as it is."""
    return check(text, file)


def _runbook(file: Path) -> tuple[Runbook | None, list[LintProblem]]:
    try:
        runbook, errors = _checked(_read(file), str(file))
    except DocumentError as error:
        return None, [of_error(error)]
    return runbook, [of_error(error) for error in errors]


def _scripts(folder: Path, problems: list[LintProblem]) -> Iterator[ScriptSpec]:
    place = folder / "scripts"
    for file in sorted(place.glob("*")) if place.is_dir() else ():
        if file.suffix not in SUFFIXES:
            continue
        try:
            spec = scripts_module.load(_read(file), str(file), str(place.resolve()))
        except DocumentError as error:
            problems.append(of_error(error))
            continue
        if not Path(spec.path).is_file():
            problems.append(
                LintProblem(
                    "script-file-missing", "error", f"there is no file {Path(spec.path).name!r}", str(file), key="file"
                )
            )
            continue
        if not spec.tests:
            problems.append(
                LintProblem("script-untested", "warning", "this script has no tests", str(file), hint="docs/scripts.md")
            )
        yield spec
