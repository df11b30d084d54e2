"""Presets against what runs: which preset fits best and why, and how far what runs keeps to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from console.base.text import plural
from console.components.model import Component
from console.components.spec import Definition, Mark, Preset
from console.slo.model import SloStatus


class PresetMatch(Struct, frozen=True):
    """How well a preset fits. `score` is found / (found + missing + unexpected), 0 to 1."""

    preset: str
    score: float
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    because: str = ""
    promised: tuple[str, ...] = ()
    """Expected components that cannot be had as shipped, and are not there: they are left out of the score."""


class Detection(Struct, frozen=True):
    """Matches, the best first. `best` holds one name, several that fit equally (ambiguous), or none."""

    best: tuple[str, ...]
    matches: tuple[PresetMatch, ...]

    @property
    def ambiguous(self) -> bool:
        return len(self.best) > 1

    @property
    def headline(self) -> str:
        """What fits, in one line."""
        if not self.best:
            return "no preset fits: nothing that a preset expects was found"
        if self.ambiguous:
            return f"ambiguous: {', '.join(self.best)} fit equally well"
        return f"{self.best[0]} fits best"


VERDICTS = ("missing", "broken", "unintended", "unexpected", "unknown", "as declared", "not used")
"""Of a component against its preset, the worst first."""


class ConformanceRow(Struct, frozen=True):
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
    """Declared, found and healthy side by side, the worst first.

    `promises` is what the preset says and cannot bring about, and why what is missing cannot be had; `blind` its
    objectives without data with their reasons.
    """

    preset: str
    rows: tuple[ConformanceRow, ...]
    promises: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()

    @property
    def expects(self) -> bool:
        """Whether the preset expects anything at all."""
        return any(row.declared == "required" for row in self.rows)

    @property
    def conforms(self) -> bool:
        return all(row.verdict in ("as declared", "not used") for row in self.rows)


def detect(found: Iterable[str], presets: Iterable[Preset], held: frozenset[str] = frozenset()) -> Detection:
    """Which preset the found components and marks speak for. Their health says nothing.

    Components that no preset mentions say nothing. What is optional in a preset speaks neither for nor against it; of
    two presets that fit alike the one that expects more of what was found is the better one. Without what gives a
    preset its name it does not fit.

    Args:
        held: `preset/mark` of the marks that are there (`find.marks`).
    """
    candidates = [preset for preset in presets if not preset.abstract and preset.expected]
    telling = {id for preset in candidates for id in _mentioned(preset, required=True)}
    there = set(found) & telling
    matches = sorted(
        (_match(preset, there, held) for preset in candidates),
        key=lambda m: (-m.score, -len(m.found), len(m.promised), m.preset),
    )
    best = tuple(m.preset for m in matches if m.score > 0 and _same(m, matches[0]))
    return Detection(best, tuple(matches))


def _same(one: PresetMatch, other: PresetMatch) -> bool:
    """Equal in score, in how much of what was found they expect, and in what they promise in vain."""
    return (one.score, len(one.found), len(one.promised)) == (other.score, len(other.found), len(other.promised))


def _mentioned(preset: Preset, *, required: bool = False) -> set[str]:
    out: set[str] = set()
    for id, what in preset.components.items():
        if not required or what.presence == "required":
            out |= {id, *what.instead}
    return out


def _match(preset: Preset, there: set[str], held: frozenset[str]) -> PresetMatch:
    found, missing, promised = _expected(preset, there)
    has, of = len(found), len(found) + len(missing)
    unexpected = sorted(there - _mentioned(preset))
    nameless = [id for id in missing if preset.components[id].names]
    seen, not_seen, against = _marks(preset, held)
    nameless += [mark.says for mark in not_seen if mark.names]
    found += [mark.says for mark in seen]
    missing += [mark.says for mark in not_seen]
    unexpected += [mark.says for mark in against]
    rated = len(found) + len(missing) + len(unexpected)
    score = len(found) / rated if rated and not nameless else 0.0
    words = [f"{has} of {plural(of, 'expected component')} found"]
    if seen:
        words.append(", ".join(mark.says for mark in seen))
    if nameless:
        words.append(f"without {', '.join(nameless)} it is another preset")
    if missing:
        words.append(f"missing {', '.join(missing)}")
    if promised:
        words.append(f"promised, and not to be had as shipped: {', '.join(promised)}")
    if unexpected:
        words.append(f"not in the preset: {', '.join(unexpected)}")
    return PresetMatch(
        preset.name, round(score, 4), tuple(found), tuple(missing), tuple(unexpected), "; ".join(words), tuple(promised)
    )


def _expected(preset: Preset, there: set[str]) -> tuple[list[str], list[str], list[str]]:
    """Components that are expected and there, expected and not there, promised by what cannot bring them."""
    found: list[str] = []
    missing: list[str] = []
    promised: list[str] = []
    for id in preset.expected:
        what = preset.components[id]
        served = next((name for name in (id, *what.instead) if name in there), None)
        (found if served else promised if what.cannot else missing).append(served or id)
    return found, missing, promised


def _marks(preset: Preset, held: frozenset[str]) -> tuple[list[Mark], list[Mark], list[Mark]]:
    """Marks that are wanted and there, wanted and not there, there and not wanted."""
    there = {id: f"{preset.name}/{id}" in held for id in preset.marks}
    wanted = {id: mark for id, mark in preset.marks.items() if mark.presence == "required"}
    against = [mark for id, mark in preset.marks.items() if mark.presence == "absent" and there[id]]
    return [m for id, m in wanted.items() if there[id]], [m for id, m in wanted.items() if not there[id]], against


def conformance(
    preset: Preset,
    components: Iterable[Component],
    definitions: Iterable[Definition],
    slos: Iterable[SloStatus] = (),
) -> Conformance:
    """How far what runs keeps to the preset. Where it expects nothing, nothing is unexpected.

    Args:
        components: as judged with this preset.
        slos: its objectives as measured; those without data are named.
    """
    titles = {definition.id: definition.title for definition in definitions}
    judged: Mapping[str, Component] = {c.id: c for c in components}
    rows, cannot = [], []
    served: set[str] = set()
    for id, what in preset.components.items():
        names = [name for name in (id, *what.instead) if name in judged and judged[name].state != "absent"]
        served.update(names)
        component = judged[names[0]] if names else None
        state = component.state if component else "absent"
        lacking = what.cannot if state == "absent" else ""
        note = "; ".join(part for part in (component.reason if component else "", what.because, lacking) if part)
        cannot += [f"{titles.get(id, id)}: {lacking}"] if lacking else []
        rows.append(ConformanceRow(id, titles.get(id, id), what.presence, state, _verdict(what.presence, state), note))
    if preset.expected:
        rows += _undeclared(judged, {*preset.components, *served})
    blind = tuple(f"{slo.id}: {slo.reason}" for slo in slos if slo.state == "no data")
    rows.sort(key=lambda row: VERDICTS.index(row.verdict))
    return Conformance(preset.name, tuple(rows), (*preset.promises, *cannot), blind)


def _undeclared(judged: Mapping[str, Component], declared: set[str]) -> list[ConformanceRow]:
    """What runs and is not declared."""
    return [
        ConformanceRow(id, component.title, "not declared", component.state, "unexpected", component.reason)
        for id, component in judged.items()
        if id not in declared and component.state != "absent"
    ]


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
