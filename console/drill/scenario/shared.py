"""Worlds that scenarios share: `world: NAME`, a path, or `{from: NAME, …}` with what differs.

Mappings are laid over each other; lists of things with a name are laid over each other thing by thing, and a thing with
`remove: true` is taken out. The objects of a world and those of who changes it are kept together: the later one of two
with the same kind and name is merged into the earlier one when the world is made.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from console.base.document import Document, parse
from console.base.errors import DocumentError, did_you_mean
from console.base.paths import library
from console.drill.scenario.check import API_VERSION, ScenarioReader
from console.drill.scenario.model import WorldDoc

Object = dict[str, Any]
DEEPEST = 4
"""So many worlds may stand one upon the other."""
NAMES = {"nodes": "name", "apps": "name", "fleet": "name", "images": "name", "rules": "alert"}
FROM = "from"


def world_of(document: Document, data: Any, path: tuple[str | int, ...], folder: Path) -> Any:
    """The world that a scenario describes, with those that it is built upon laid below it.

    Args:
        document: the scenario's file; `path` is where `data` stands in it.
        data: a name or path, or a mapping.
        folder: of the scenario's file: relative paths and a folder `worlds` are looked for there first.

    Raises:
        DocumentError: there is no such world, or it is wrong.
    """
    return _laid(document, data, path, folder, 0)


def _laid(document: Document, data: Any, path: tuple[str | int, ...], folder: Path, depth: int) -> Any:
    if isinstance(data, str):
        data = {FROM: data}
    if not isinstance(data, dict) or FROM not in data:
        return data
    if depth >= DEEPEST:
        raise document.error((*path, FROM), f"more than {DEEPEST} worlds stand one upon the other")
    file = _file(document, data[FROM], (*path, FROM), folder)
    below = _read(file, depth)
    return lay(below, {key: value for key, value in data.items() if key != FROM})


def _file(document: Document, name: Any, path: tuple[str | int, ...], folder: Path) -> Path:
    if not isinstance(name, str):
        raise document.error(path, "a world is named by a text")
    if name.endswith((".yaml", ".yml")):
        file = folder / name
        if not file.is_file():
            raise document.error(path, f"there is no file {name!r}")
        return file
    places = [folder / "worlds", library("runbooks") / "drills" / "worlds"]
    if re.fullmatch(r"[a-z0-9-]+", name):
        for place in places:
            if (place / f"{name}.yaml").is_file():
                return place / f"{name}.yaml"
    known = sorted({file.stem for place in places for file in place.glob("*.yaml")})
    raise document.error(path, f"there is no world {name!r}", hint=did_you_mean(name, known))


def _read(file: Path, depth: int) -> Object:
    """A world's file, found to be right by itself."""
    try:
        document = parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"the world cannot be read: {error}", file=str(file)) from None
    data = document.data
    if not isinstance(data, dict) or data.get("apiVersion") != API_VERSION or data.get("kind") != "World":
        raise document.error((), f"a world begins with apiVersion: {API_VERSION} and kind: World")
    body = {key: value for key, value in data.items() if key not in ("apiVersion", "kind")}
    laid: Object = _laid(document, body, (), file.parent, depth + 1)
    ScenarioReader(document).struct(WorldDoc, laid, ())
    return laid


def lay(below: Object, above: Object) -> Object:
    """A world with what differs laid over it."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        if isinstance(value, list) and isinstance(old, list):
            out[key] = [*old, *value] if key == "objects" else _items(old, value, NAMES.get(key, ""))
        elif isinstance(value, dict) and isinstance(old, dict):
            out[key] = lay(old, value)
        elif value is None:
            out.pop(key, None)
        else:
            out[key] = value
    return out


def _items(old: list[Any], new: list[Any], by: str) -> list[Any]:
    if not by or not all(isinstance(item, dict) and by in item for item in (*old, *new)):
        return new
    out = {item[by]: item for item in old}
    for item in new:
        if item.get("remove") is True:
            out.pop(item[by], None)
        else:
            out[item[by]] = lay(out.get(item[by], {}), item)
    return list(out.values())
