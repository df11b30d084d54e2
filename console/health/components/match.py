"""Presets against what runs: which preset fits best and why, and how far what runs keeps to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from console.base.text import plural
from console.health.components.spec import Definition, Preset
from console.health.model import Component, SloStatus


class Match(Struct, frozen=True):
    """How well a preset fits. `score` is found / (found + missing + unexpected), 0 to 1."""

    preset: str
    score: float
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    because: str = ""


class Detection(Struct, frozen=True):
    """Matches, the best first. `best` holds one name, several that fit equally (ambiguous), or none."""

    best: tuple[str, ...]
    matches: tuple[Match, ...]

    @property
    def ambiguous(self) -> bool:
        return len(self.best) > 1


class Row(Struct, frozen=True):
    """One component of a preset against what runs.

    Attributes:
        declared: what the preset says; `not declared` for what runs besides.
        state: the component's own, or `absent`.
        verdict: `as declared`, `missing`, `broken`, `unknown`, `unintended`, `unexpected`, `not used`.
        note: why, and why it cannot work as shipped where that is known.
    """

    id: str
    title: str
    declared: Literal["required", "optional", "unintended", "not declared"]
    state: str
    verdict: Literal["as declared", "missing", "broken", "unknown", "unintended", "unexpected", "not used"]
    note: str = ""


class Conformance(Struct, frozen=True):
    """Declared, found and healthy side by side.

    `promises` is what the preset says and cannot bring about, `blind` its objectives without data with their reasons.
    """

    preset: str
    rows: tuple[Row, ...]
    promises: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()

    @property
    def conforms(self) -> bool:
        return all(row.verdict in ("as declared", "not used") for row in self.rows)


def detect(found: Iterable[str], presets: Iterable[Preset]) -> Detection:
    """Which preset the found components speak for.

    Components that no preset mentions say nothing. What is optional in a preset speaks neither for nor against it; of
    two presets that fit alike the one that expects more of what was found is the better one.
    """
    candidates = [preset for preset in presets if not preset.abstract and preset.expected]
    telling = {id for preset in candidates for id in _mentioned(preset, required=True)}
    there = set(found) & telling
    matches = sorted(
        (_match(preset, there) for preset in candidates), key=lambda m: (-m.score, -len(m.found), m.preset)
    )
    best = tuple(m.preset for m in matches if m.score > 0 and _same(m, matches[0]))
    return Detection(best, tuple(matches))


def _same(one: Match, other: Match) -> bool:
    """Equal in score, and in how much of what was found they expect."""
    return one.score == other.score and len(one.found) == len(other.found)


def _mentioned(preset: Preset, *, required: bool = False) -> set[str]:
    out: set[str] = set()
    for id, what in preset.components.items():
        if not required or what.presence == "required":
            out |= {id, *what.instead}
    return out


def _match(preset: Preset, there: set[str]) -> Match:
    found: list[str] = []
    missing: list[str] = []
    for id in preset.expected:
        served = there & {id, *preset.components[id].instead}
        (found if served else missing).append(id)
    unexpected = tuple(sorted(there - _mentioned(preset)))
    score = len(found) / (len(found) + len(missing) + len(unexpected))
    words = [f"{len(found)} of {plural(len(preset.expected), 'expected component')} found"]
    if missing:
        words.append(f"missing {', '.join(missing)}")
    if unexpected:
        words.append(f"not in the preset: {', '.join(unexpected)}")
    return Match(preset.name, round(score, 4), tuple(found), tuple(missing), unexpected, "; ".join(words))


def conformance(
    preset: Preset,
    components: Iterable[Component],
    definitions: Iterable[Definition],
    slos: Iterable[SloStatus] = (),
) -> Conformance:
    """How far what runs keeps to the preset.

    Args:
        components: as judged with this preset.
        slos: its objectives as measured; those without data are named.
    """
    titles = {definition.id: definition.title for definition in definitions}
    judged: Mapping[str, Component] = {c.id: c for c in components}
    rows = []
    served: set[str] = set()
    for id, what in preset.components.items():
        names = [name for name in (id, *what.instead) if name in judged and judged[name].state != "absent"]
        served.update(names)
        component = judged[names[0]] if names else None
        note = "; ".join(part for part in (component.reason if component else "", what.because, what.cannot) if part)
        state = component.state if component else "absent"
        rows.append(Row(id, titles.get(id, id), what.presence, state, _verdict(what.presence, state), note))
    for id, component in judged.items():
        if id not in preset.components and id not in served and component.state != "absent":
            row = Row(id, component.title, "not declared", component.state, "unexpected", component.reason)
            rows.append(row)
    blind = tuple(f"{slo.id}: {slo.reason}" for slo in slos if slo.state == "no data")
    cannot = tuple(f"{titles.get(id, id)}: {what.cannot}" for id, what in preset.components.items() if what.cannot)
    return Conformance(preset.name, tuple(rows), (*preset.promises, *cannot), blind)


def _verdict(
    presence: str, state: str
) -> Literal["as declared", "missing", "broken", "unknown", "unintended", "not used"]:
    if presence == "unintended":
        return "not used" if state == "absent" else "unintended"
    if state == "absent":
        return "missing" if presence == "required" else "not used"
    if state == "unknown":
        return "unknown"
    return "as declared" if state == "healthy" else "broken"
