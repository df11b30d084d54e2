"""Scenario files: where they lie, and how one is read: strictly, with lines in every error."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from console.base.document import parse
from console.base.errors import DocumentError, UsageError, did_you_mean
from console.base.paths import library
from console.drill.scenario.check import API_VERSION, ScenarioChecker, ScenarioReader
from console.drill.scenario.model import Scenario, WorldDoc
from console.drill.scenario.shared import lay, world_of


def drills_dir() -> Path:
    """Where the shipped scenarios lie."""
    return library("runbooks") / "drills"


def names(folder: Path | None = None) -> list[str]:
    """Names of the scenarios in a folder."""
    return sorted(path.stem for path in (folder or drills_dir()).glob("*.yaml"))


def load(name_or_path: str | Path) -> Scenario:
    """A scenario by its name in the library, or by the path of its file.

    Raises:
        UsageError: there is no such scenario.
        DocumentError: the file is wrong.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = drills_dir() / f"{name_or_path}.yaml"
        if not re.fullmatch(r"[a-z0-9-]+", str(name_or_path)) or not path.is_file():
            raise UsageError(f"there is no drill {str(name_or_path)!r}", hint=did_you_mean(str(name_or_path), names()))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"the scenario cannot be read: {error}", file=str(path)) from None
    return read(text, str(path))


def read(text: str, file: str = "scenario.yaml") -> Scenario:
    """A scenario from YAML text.

    Raises:
        DocumentError: it is wrong; the error names line, column and key.
    """
    document = parse(text, file)
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), "a scenario is a mapping")
    if data.get("apiVersion") != API_VERSION:
        raise document.error(("apiVersion",), f"apiVersion must be {API_VERSION}")
    body = {k: v for k, v in data.items() if k not in ("apiVersion", "kind")}
    if data.get("kind") != "Scenario":
        raise document.error(("kind",), "kind must be Scenario")
    cases = body.get("cases")
    if not isinstance(cases, dict) or "default" not in cases:
        raise document.error(("cases",), "cases must have one named default")
    for name, case in cases.items():
        if not isinstance(case, dict):
            raise document.error(("cases", name), "a case is a mapping")
        case["name"] = name
    reader = ScenarioReader(document)
    if "world" in body:
        body["world"] = world_of(document, body["world"], ("world",), Path(file).parent)
    scenario: Scenario = reader.struct(Scenario, body, ())
    worlds = {
        name: reader.struct(WorldDoc, lay(body["world"], case["world"]), ("cases", name, "world"))
        for name, case in cases.items()
        if isinstance(case.get("world"), dict)
    }
    scenario = msgspec.structs.replace(scenario, file=file, worlds=worlds)
    ScenarioChecker(document, scenario).run()
    return scenario
