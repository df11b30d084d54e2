"""The library of presets and component files: found, laid over each other, checked. A bad file never hides the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from console.base.decode import check
from console.base.document import Document, parse, parse_all
from console.base.errors import DocumentError, UsageError, did_you_mean
from console.base.paths import library
from console.components.check import problems as component_problems
from console.components.spec import Definition, Preset
from console.slo.imported import Imported, read
from console.slo.spec import problems as slo_problems

Tree = dict[str, Any]
WHOLE = frozenset({"sli", "alerting", "contributors"})
"""Keys that are replaced, never merged."""


@dataclass(frozen=True)
class PresetLibrary:
    """What could be read.

    Attributes:
        presets: by name, abstract ones included. `components`: by id.
        problems: everything that is wrong, each with its place.
    """

    presets: Mapping[str, Preset]
    components: Mapping[str, Definition]
    problems: tuple[DocumentError, ...] = ()

    def preset(self, name: str) -> Preset:
        """The preset of this name.

        Raises:
            DocumentError: its file is wrong.
            UsageError: there is none; the nearest name is the hint.
        """
        if name in self.presets:
            return self.presets[name]
        for problem in self.problems:
            if Path(problem.file).stem == name:
                raise problem
        raise UsageError(f"there is no preset {name!r}", hint=did_you_mean(name, self.names()))

    def names(self) -> tuple[str, ...]:
        """Names of the presets that stand for a deployment."""
        return tuple(sorted(name for name, preset in self.presets.items() if not preset.abstract))


def load_library(folders: Iterable[Path] = ()) -> PresetLibrary:
    """The presets of the user's folders, then the shipped ones; of equal names the first wins.

    A preset that extends its own name is laid over the next one of that name, so that a user's file can adjust a
    shipped one. Component files lie in `components/` below each folder.
    """
    roots = (*folders, library("presets"))
    parts = ((root, _texts(root), _texts(root / "components")) for root in roots)
    return _made(tuple((str(root), root.is_dir(), presets, components) for root, presets, components in parts))


PresetTexts = tuple[tuple[str, str, str], ...]
"""(file, its text, why it cannot be read) of each file of a folder."""


def _texts(folder: Path) -> PresetTexts:
    return tuple(_text(file) for file in sorted(folder.glob("*.yaml")))


def _text(file: Path) -> tuple[str, str, str]:
    try:
        return str(file), file.read_text(encoding="utf-8"), ""
    except (OSError, UnicodeDecodeError) as error:
        return str(file), "", f"cannot be read: {error}"


@lru_cache(maxsize=4)
def _made(roots: tuple[tuple[str, bool, PresetTexts, PresetTexts], ...]) -> PresetLibrary:
    """What these folders say, worked out once while their files stay as they are."""
    problems: list[DocumentError] = []
    sources: dict[str, list[Document]] = {}
    components: dict[str, Definition] = {}
    objectives: dict[str, Tree] = {}
    for root, is_there, of_presets, of_components in roots:
        if not is_there:
            problems.append(DocumentError("this folder of presets does not exist", file=root))
            continue
        for document in _documents(of_presets, problems):
            sources.setdefault(Path(document.file).stem, []).append(document)
        for document in _documents(of_components, problems):
            found = _component(document, problems)
            if found is not None and found.id not in components:
                components[found.id] = found
                objectives[found.id] = document.data.get("sli", {})
    reader = _PresetReader(sources, components, objectives, problems)
    presets = {name: preset for name in sources if (preset := reader.preset(name)) is not None}
    return PresetLibrary(presets, components, tuple(sorted(problems, key=lambda p: (p.file, p.line))))


def _documents(texts: PresetTexts, problems: list[DocumentError]) -> Iterable[Document]:
    for file, text, unread in texts:
        if unread:
            problems.append(DocumentError(unread, file=file))
            continue
        try:
            yield parse(text, file)
        except DocumentError as error:
            problems.append(error)


def _component(document: Document, problems: list[DocumentError]) -> Definition | None:
    tree, wrong = check(document, Definition)
    if not wrong:
        made = msgspec.convert(tree, Definition)
        wrong = component_problems(made, document)
        for id, body in made.sli.items():
            wrong += slo_problems(body, document, ("sli", id))
        if made.id != Path(document.file).stem:
            wrong.append(document.error(("id",), "the id must be the name of the file", hint=Path(document.file).stem))
        if not wrong:
            return made
    problems += wrong
    return None


class _PresetReader:
    def __init__(
        self,
        sources: Mapping[str, list[Document]],
        components: Mapping[str, Definition],
        objectives: Mapping[str, Tree],
        problems: list[DocumentError],
    ) -> None:
        self.sources, self.components, self.objectives, self.problems = sources, components, objectives, problems
        self.trees: dict[tuple[str, int], Tree | None] = {}

    def preset(self, name: str) -> Preset | None:
        tree = self.tree(name, 0, ())
        if tree is None:
            return None
        document = self.sources[name][0]
        tree, wrong = self.held(document, tree)
        merged = document.holding({**tree, "name": name, "origin": document.file})
        plain, more = check(merged, Preset)
        wrong += more
        if not wrong:
            made = msgspec.convert(plain, Preset)
            for id, body in made.slos.items():
                wrong += slo_problems(body, merged, ("slos", id))
            for id, what in made.components.items():
                wrong += [self.unknown(merged, ("components", id), id)] if id not in self.components else []
                for index, other in enumerate(what.instead):
                    if other not in self.components:
                        wrong.append(self.unknown(merged, ("components", id, "instead", index), other))
            if not wrong:
                return made
        self.problems += wrong
        return None

    def held(self, document: Document, tree: Tree) -> tuple[Tree, list[DocumentError]]:
        """The tree with the objectives of the components that it holds below its own."""
        wrong: list[DocumentError] = []
        slos: Tree = {}
        for index, id in enumerate(tree.get("hold", ())):
            if id not in self.components:
                wrong.append(self.unknown(document, ("hold", index), id))
            slos.update(self.objectives.get(id, {}))
        for index, name in enumerate(tree.get("imports", ())):
            imported = self.imported(Path(document.file).parent / Path(name).expanduser())
            if isinstance(imported, str):
                wrong.append(document.error(("imports", index), imported))
            else:
                wrong += imported.problems
                slos.update(imported.slos)
        slos = _laid_over(slos, tree.get("slos", {}))
        return {**tree, "slos": {id: body for id, body in slos.items() if body is not None}}, wrong

    def imported(self, path: Path) -> Imported | str:
        """The objectives of another tool's file, or why it cannot be read."""
        try:
            return read(parse_all(path.read_text(encoding="utf-8"), str(path)))
        except DocumentError as error:
            return Imported(problems=(error,))
        except (OSError, UnicodeDecodeError) as error:
            return f"{path.name} cannot be read: {error}"

    def unknown(self, document: Document, at: tuple[str | int, ...], id: str) -> DocumentError:
        return document.error(at, f"there is no component {id!r}", hint=did_you_mean(id, self.components))

    def tree(self, name: str, rank: int, above: tuple[tuple[str, int], ...]) -> Tree | None:
        """The plain tree of the preset with everything that it extends."""
        key = (name, rank)
        if key not in self.trees:
            self.trees[key] = None
            self.trees[key] = self.merged(name, rank, (*above, key))
        return self.trees[key]

    def merged(self, name: str, rank: int, above: tuple[tuple[str, int], ...]) -> Tree | None:
        document = self.sources[name][rank]
        own, removed = _without_nothing(document.data)
        tree = self.own(document, own, name)
        if tree is None:
            return None
        out = self.inherited(document, tree.get("extends", ()), rank, above)
        return None if out is None else _adjusted(out, tree, removed)

    def own(self, document: Document, data: Any, name: str) -> Tree | None:
        """What the file itself says, checked; None where it is wrong."""
        tree, wrong = check(document.holding(data), Preset, whole=False)
        for key in ("name", "origin"):
            if isinstance(data, dict) and key in data and (key != "name" or data["name"] != name):
                hint = "leave it out" if key == "origin" else f"name: {name}"
                wrong.append(document.error((key,), f"{key} does not say the name of the file", hint=hint))
        if wrong:
            self.problems += wrong
            return None
        return dict(tree)

    def inherited(
        self, document: Document, bases: Sequence[str], rank: int, above: tuple[tuple[str, int], ...]
    ) -> Tree | None:
        """The presets of `extends`, each laid over the ones before it; None where one cannot be had."""
        name = Path(document.file).stem
        out: Tree = {}
        for index, base in enumerate(bases):
            place = ("extends", index)
            target = (base, rank + 1 if base == name else 0)
            if base not in self.sources or target[1] >= len(self.sources[base]):
                hint = did_you_mean(base, [known for known in self.sources if known != name])
                self.problems.append(document.error(place, f"there is no preset {base!r}", hint=hint))
                return None
            if target in above:
                circle = " → ".join(part for part, _ in (*above, target))
                self.problems.append(document.error(place, f"presets extend each other in a circle: {circle}"))
                return None
            tree = self.tree(*target, above)
            if tree is None:
                self.problems.append(document.error(place, f"preset {base!r} is wrong itself"))
                return None
            out = _laid_over(out, {k: v for k, v in tree.items() if k not in ("abstract", "extends", "name")})
        return out


def _adjusted(inherited: Tree, own: Tree, removed: Sequence[tuple[str, ...]]) -> Tree:
    """The inherited tree without what is removed, below the preset's own. A removed objective is remembered as None."""
    out = deepcopy(inherited)
    for path in removed:
        _remove(out, path)
    out = _laid_over(out, own)
    for path in removed:
        if len(path) == 2 and path[0] == "slos":
            out.setdefault("slos", {})[path[1]] = None
    return out


def _without_nothing(data: Any) -> tuple[Any, list[tuple[str, ...]]]:
    """The data without keys that hold nothing, and the paths of those keys: they remove what is inherited."""
    removed: list[tuple[str, ...]] = []

    def clean(value: Any, path: tuple[str, ...]) -> Any:
        if not isinstance(value, dict):
            return value
        for key in [key for key, item in value.items() if item is None and path]:
            removed.append((*path, key))
        return {key: clean(item, (*path, key)) for key, item in value.items() if item is not None or not path}

    return clean(data, ()), removed


def _remove(tree: Tree, path: tuple[str, ...]) -> None:
    at: Any = tree
    for key in path[:-1]:
        at = at.get(key) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(path[-1], None)


def _laid_over(base: Tree, over: Tree) -> Tree:
    """Key by key. Why something is required is no reason why it is optional: with another presence it goes."""
    out = dict(base)
    if over.get("presence", base.get("presence")) != base.get("presence"):
        out.pop("because", None)
    for key, value in over.items():
        old = out.get(key)
        merge = isinstance(value, dict) and isinstance(old, dict) and key not in WHOLE
        out[key] = _laid_over(old, value) if merge and isinstance(old, dict) else value
    return out
