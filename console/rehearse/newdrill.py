"""A drill for a new runbook: the fault of a shipped one that shows its finding, and a world with nothing wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from console.base.document import parse
from console.drill.scenario.files import drills_dir, read
from console.drill.scenario.model import Scenario, WorldDoc
from console.runbook import graph
from console.runbook.model import About, Runbook

COPIED = ("opens", "earlier", "specs", "world", "faults", "break", "page")
"""Keys of a case that say what is the matter."""
OF_WORLD = ("warmup", "seed", "world")
EXAMPLE = "example"
"""Name of an object that a healthy case is about, where the world need not have it."""


class FaultRecipe(NamedTuple):
    """A case of a shipped drill that shows a finding: as it is written, and its scenario."""

    drill: Mapping[str, Any]
    case: Mapping[str, Any]
    scenario: Scenario


def recipe(finding: str, about: About, books: Mapping[str, Runbook]) -> FaultRecipe | None:
    """The plainest shipped case that shows a finding of such a thing; None where no shipped drill does."""
    found = list(_recipes(finding, about, books))
    return min(found, key=_plainness) if found else None


def _recipes(finding: str, about: About, books: Mapping[str, Runbook]) -> Iterator[FaultRecipe]:
    for file in sorted(drills_dir().glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if finding not in text:
            continue
        scenario, written = read(text, str(file)), parse(text, str(file)).data
        book = books.get(scenario.runbook)
        if book is None or not _is_about(book, about):
            continue
        for name, case in scenario.cases.items():
            if finding in case.expect.findings and case.breaks:
                yield FaultRecipe(written, written["cases"][name], scenario)


def _is_about(book: Runbook, wanted: About) -> bool:
    """Whether what a shipped drill breaks is such a thing. A walk about the whole cluster is about all that breaks."""
    own = book.about or (About("app"),)
    return wanted.kind in ("cluster", "nodes") or any((one.kind, one.of) == (wanted.kind, wanted.of) for one in own)


def _plainness(one: FaultRecipe) -> tuple[int, int]:
    faults = [*one.case.get("break", ()), *one.case.get("faults", ())]
    return len(one.case["expect"]["findings"]), len(yaml.safe_dump([one.drill["world"], faults]))


def drill(book: Runbook, found: FaultRecipe | None) -> str:
    """The text of the drill. Without a fault its only case is that nothing is wrong."""
    about = book.about[0]
    data: dict[str, Any] = {
        "apiVersion": "console.drill/v1",
        "kind": "Scenario",
        "name": book.id,
        "title": book.title,
        "runbook": book.id,
        "warmup": "6m",
        "world": "platform",
    }
    if found is None:
        note = (
            f"# No shipped drill shows {', '.join(book.match.findings)} here, so nothing is broken yet: "
            "write `break:` into the default case.\n# console runbooks vocabulary faults\n"
        )
        cases = {"default": _healthy(about, None)}
    else:
        note = "# Plays the answer that changes nothing. Write a case for each way of the runbook.\n"
        data.update({key: found.drill[key] for key in OF_WORLD if key in found.drill})
        cases = {"default": _broken(book, found), "healthy": _healthy(about, found.scenario.world)}
    return note + yaml.safe_dump({**data, "cases": cases}, sort_keys=False, width=120, allow_unicode=True)


def _broken(book: Runbook, found: FaultRecipe) -> dict[str, Any]:
    """What the shipped case breaks, and the walk that leaves it as it is."""
    asking = [step for step in book.steps if step.kind == "ask"]
    inputs = {key: value for key, value in found.case.get("inputs", {}).items() if key == "about"}
    expected = found.case["expect"]
    seen = {key: expected[key] for key in ("findings", "others", "within") if key in expected}
    path = [step.id for step in book.steps if step.kind in ("check", "ask") and step.id in graph.reachable(book)]
    return {
        "title": str(found.case["title"]),
        **{key: found.case[key] for key in COPIED if key in found.case},
        **({"inputs": inputs} if inputs else {}),
        **({"answers": {step.id: step.choices[0].value for step in asking}} if asking else {}),
        "expect": {"outcomes": ["handed_over"], "path": path, "writes": 0, **seen},
    }


def _healthy(about: About, world: WorldDoc | None) -> dict[str, Any]:
    inputs = _subject(about, world)
    return {
        "title": "Nothing is wrong",
        **({"inputs": {"about": inputs}} if inputs else {}),
        "expect": {"outcomes": ["not_applicable"], "writes": 0},
    }


def _subject(about: About, world: WorldDoc | None) -> str:
    """Something that a walk of this runbook can be about where nothing is wrong; `` where the runbook says it."""
    world = world or read(_PLATFORM, str(drills_dir() / "new.yaml")).world
    match about.kind:
        case "app":
            return f"{world.namespace}/{world.apps[0].name}"
        case "node":
            return world.nodes[0].name
        case "schedule":
            name = next((app.scheduled_by for app in world.apps if app.scheduled_by), EXAMPLE)
            return f"ScheduledSparkApplication/{world.namespace}/{name}"
        case "object":
            return f"{about.of or 'ConfigMap'}/{world.namespace}/{EXAMPLE}"
        case "component":
            return "" if about.of else "spark-operator"
    return ""


_PLATFORM = """\
apiVersion: console.drill/v1
kind: Scenario
name: new
title: New
runbook: new
world: platform
cases: {default: {title: Nothing, expect: {outcomes: [not_applicable]}}}
"""


def drill_file(folder: Path, id: str) -> Path:
    """Where the drill of a runbook lies that lies in `folder`."""
    return folder / "drills" / f"{id}.yaml"
