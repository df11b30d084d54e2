"""`console preset`: which presets there are, what one contains, which one fits a cluster, how far it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit, UsageError
from console.base.redact import redact, redact_short
from console.base.text import clean
from console.base.units import human_duration
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, plain, print_document, print_json, say, table

if TYPE_CHECKING:
    from console.components.match import Conformance, Detection
    from console.components.spec import Preset
    from console.settings.presets import PresetLibrary


@click.group("preset")
def group() -> None:
    """What a deployment of a given shape should contain, and what it is held to."""


@group.command("list")
@where_options
@output_option()
def list_(where: Where, output: str) -> int:
    """The presets that there are. Files that are wrong are named on stderr; the rest still loads."""
    library = _library(where)
    presets = [library.presets[name] for name in library.names()]
    if output == "json":
        rows = [
            {"name": p.name, "title": p.title, "extends": list(p.extends), "origin": p.origin, "slos": list(p.slos)}
            for p in presets
        ]
        problems = [str(problem) for problem in library.problems]
        print_json({"kind": "PresetList", "presets": rows, "problems": problems})
    else:
        cells = [(p.name, p.title, str(len(p.expected)), ", ".join(p.slos) or "-") for p in presets]
        say(table(("PRESET", "TITLE", "PARTS", "OBJECTIVES"), cells))
        for problem in library.problems:
            narrate(str(problem))
    return Exit.USAGE if library.problems else Exit.OK


@group.command("show")
@click.argument("name")
@where_options
@output_option()
def show(name: str, where: Where, output: str) -> int:
    """One preset with everything that it inherits."""
    library = _library(where)
    preset = library.preset(name)
    if output == "json":
        print_json({"kind": "Preset", "preset": plain(preset)})
    else:
        say(preset_page(preset, library))
    return Exit.OK


@group.command("detect")
@where_options
@output_option()
def detect(where: Where, output: str) -> int:
    """Which preset fits what runs here best, and why. Presets that fit equally are ambiguous."""
    from console.cli.connect import settled

    situation = settled(where)
    found = [c.id for c in situation.board.components if c.state != "absent"]
    detection = situation.detection
    assert detection is not None, "a settled situation was judged"
    if output == "json":
        document = {"kind": "Detection", "best": list(detection.best), "ambiguous": detection.ambiguous}
        print_json({**document, "found": found, "matches": plain(list(detection.matches))})
    else:
        say(detection_page(detection))
    return Exit.OK if len(detection.best) == 1 else Exit.UNHEALTHY


@group.command("conformance")
@click.argument("name", required=False)
@where_options
@output_option()
def conformance(name: str | None, where: Where, output: str) -> int:
    """Declared, found and healthy side by side, for the configured preset or NAME."""
    from msgspec.structs import replace

    from console.cli.connect import settled
    from console.components.match import conformance as compare
    from console.settings.load import load

    library = _library(where)
    chosen = name or where.preset or load(where.config, context=where.context or "").preset
    if chosen is None:
        raise UsageError("no preset is named", hint="console preset detect finds the one that fits")
    preset = library.preset(chosen)
    board = settled(replace(where, preset=chosen)).board
    found = compare(preset, board.components, library.components.values(), board.slos)
    if output == "json":
        print_json({"kind": "Conformance", "conforms": found.conforms, "conformance": plain(found)})
    else:
        say(conformance_page(found))
    return Exit.OK if found.conforms else Exit.UNHEALTHY


@group.command("schema")
@click.argument("kind", type=click.Choice(["preset", "component"]), default="preset")
def schema(kind: str) -> None:
    """Print the JSON Schema of preset or component files."""

    from console.base import decode
    from console.components.spec import Definition, Preset

    document: dict[str, Any] = decode.schema(Preset if kind == "preset" else Definition)
    print_document(document)


def _library(where: Where) -> PresetLibrary:
    from console.settings.load import load
    from console.settings.presets import load_library

    return load_library(load(where.config, context=where.context or "").folders("preset_paths"))


def preset_page(preset: Preset, library: PresetLibrary) -> str:
    """Everything about one preset."""
    said = redact(f"{preset.name}: {preset.title}\n  {preset.description.strip()}")
    lines = [said, f"file        {preset.origin}"]
    if preset.extends:
        lines.append(f"extends     {', '.join(preset.extends)}")
    rows = []
    for id, what in preset.components.items():
        title = library.components[id].title if id in library.components else id
        either = f" (or {', '.join(what.instead)})" if what.instead else ""
        rows.append((id + either, title, what.presence, what.because or "-", what.cannot or "-"))
    lines += ["", table(("COMPONENT", "TITLE", "PRESENCE", "BECAUSE", "CANNOT WORK AS SHIPPED"), rows)]
    if preset.slos:
        cells = [(id, b.title, f"{b.objective:g}%", human_duration(b.period)) for id, b in preset.slos.items()]
        lines += ["", table(("OBJECTIVE", "TITLE", "TARGET", "PERIOD"), cells)]
    if preset.promises:
        lines += [
            "",
            "what it promises and cannot do",
            *map(_said, preset.promises),
        ]
    return "\n".join(lines)


def detection_page(detection: Detection) -> str:
    """The best match first, then what else was near."""
    head = detection.headline
    rows = [(m.preset, f"{m.score:.0%}", m.because) for m in detection.matches[:8] if m.score > 0]
    return "\n".join([head, "", table(("PRESET", "FITS", "BECAUSE"), rows)] if rows else [head])


def conformance_page(found: Conformance) -> str:
    """The comparison as a table, then what cannot work."""
    head = f"{found.preset}: {'kept' if found.conforms else 'not kept'}"
    rows = [(r.id, r.declared, r.state, r.verdict, r.note or "-") for r in found.rows]
    lines = [head, "", table(("COMPONENT", "DECLARED", "STATE", "VERDICT", "WHY"), rows)]
    if found.blind:
        lines += ["", "objectives without data", *(f"  {clean(words)}" for words in found.blind)]
    if found.promises:
        lines += [
            "",
            "what the preset promises and cannot do",
            *map(_said, found.promises),
        ]
    return "\n".join(lines)


def _said(words: str) -> str:
    return f"  {clean(redact_short(words))}"
