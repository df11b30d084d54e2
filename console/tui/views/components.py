"""Components: does each system work, is what was promised there, and which preset is this?"""

from __future__ import annotations

from console.base.text import plural
from console.health.components.match import Conformance, Detection, Match, Row
from console.health.model import Board, Component
from console.live.situation import Situation
from console.tui.lines import BLANK, Cell, Column, Line, Role, Span, bar, header, line, row, rule, span, wrap
from console.tui.words import COMPONENT, age

HEALTH = (
    Column("COMPONENT", 26),
    Column("STATE", 9),
    Column("PRESET", 8, drop=2),
    Column("WHY", 0, least=20),
)
DECLARED = (
    Column("COMPONENT", 24),
    Column("DECLARED", 12),
    Column("STATE", 9),
    Column("VERDICT", 11),
    Column("WHY", 0, least=16, drop=1),
)
FITS = (
    Column("PRESET", 26),
    Column("FITS", 15),
    Column("FOUND", 6, "right"),
    Column("MISSING", 0, least=14),
    Column("NOT IN IT", 0, least=12, drop=1),
)
VERDICT: dict[str, Role] = {
    "as declared": "ok", "not used": "dim", "missing": "crit", "broken": "crit", "unknown": "warn",
    "unintended": "warn", "unexpected": "warn",
}  # fmt: skip
_ORDER = ("missing", "broken", "unintended", "unexpected", "unknown", "as declared", "not used")


def health(situation: Situation, width: int, wanted: str, selected: str, *, beside: bool = False) -> list[Line]:
    """What was found and what is expected, and the selected one with its evidence unless that stands beside."""
    board = situation.board
    shown = [c for c in board.components if _fits(c, wanted)]
    if not shown:
        words = f"no component fits {wanted!r}" if wanted else "no component is known here: nothing of any was found"
        return [line(span(f" {words}", "dim"))]
    out = [header(HEALTH, width), *(_health(c, width) for c in shown)]
    one = next((c for c in shown if f"component:{c.id}" == selected), None)
    if one is not None and not beside:
        out += [rule(width=width), *detail(board, one, width)]
    return out


def _fits(component: Component, wanted: str) -> bool:
    """Whether every word is in it, and no word that is preceded by `!`."""
    text = f"{component.id} {component.title} {component.state} {component.reason}".lower()
    return all((w[1:] not in text) if w.startswith("!") and w[1:] else w in text for w in wanted.lower().split())


def _health(component: Component, width: int) -> Line:
    cells: list[Cell] = [
        component.title,
        span(component.state, COMPONENT[component.state]),
        span("expected" if component.expected else "–", "dim"),
        component.reason,
    ]
    return row(HEALTH, cells, width, key=f"component:{component.id}")


def detail(board: Board, component: Component, width: int) -> list[Line]:
    """One component: why it is judged so, what was found of it, what was seen, which runbooks there are."""
    out = [
        line(Span(" "), span(component.title, "title"), Span("  "), span(component.state, COMPONENT[component.state]))
    ]
    out += [line(Span(" "), span(text)) for text in wrap(component.reason, width - 2)]
    for key in component.found or ("nothing",):
        out.append(line(Span(" object   ", "head"), span(key)))
    for item in component.evidence:
        out += _part(" seen     ", item.excerpt, width, "text")
        when = "" if item.at is None else f" · {age(board, item.at)} ago"
        out += _part("          ", f"{item.source} · {item.locator}{when}", width, "dim")
    if component.runbooks:
        out += _part(" runbooks ", ", ".join(component.runbooks), width, "accent")
    return out


def _part(label: str, text: str, width: int, role: Role) -> list[Line]:
    texts = wrap(text, max(20, width - len(label) - 1))
    return [line(Span(label if not n else " " * len(label), "head"), span(part, role)) for n, part in enumerate(texts)]


def conformance(found: Conformance | None, width: int, selected: str) -> list[Line]:
    """Declared, found and healthy side by side, the worst first; then what cannot work."""
    if found is None:
        return [line(span(" reading", "dim"))]
    if not found.rows:
        return [line(span(f" the preset {found.preset} expects nothing: m shows which presets fit", "dim"))]
    counts = {word: sum(1 for r in found.rows if r.verdict == word) for word in _ORDER}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    kept: tuple[str, Role] = ("kept", "ok") if found.conforms else ("not kept", "crit")
    out = [line(Span(" "), span(found.preset, "title"), Span("  "), span(*kept), span(f"  {told}", "dim"))]
    out.append(header(DECLARED, width))
    for one in sorted(found.rows, key=lambda r: _ORDER.index(r.verdict)):
        out.append(_declared(one, width))
        if f"declared:{one.id}" == selected and one.note:
            out += [line(Span("   "), span(text, "dim")) for text in wrap(one.note, width - 4)]
    for title, words in (
        ("promised, and cannot work as shipped", found.promises),
        ("objectives without data", found.blind),
    ):
        if words:
            out += [rule(title, width)]
            out += [line(Span(" · " if not n else "   ", "warn"), span(text)) for one in words
                    for n, text in enumerate(wrap(one, width - 4))]  # fmt: skip
    return out


def _declared(one: Row, width: int) -> Line:
    cells: list[Cell] = [
        one.title,
        span(one.declared, "dim"),
        span(one.state, COMPONENT.get(one.state, "text")),
        span(one.verdict, VERDICT[one.verdict]),
        span(one.note, "dim"),
    ]
    return row(DECLARED, cells, width, key=f"declared:{one.id}")


def detection(found: Detection | None, present: str, width: int, selected: str) -> list[Line]:
    """Which presets fit what runs, and why; `present` is the one in use."""
    if found is None:
        return [line(span(" reading", "dim"))]
    if not found.best:
        head = "no preset fits: nothing that a preset expects was found"
    elif found.ambiguous:
        head = f"ambiguous: {', '.join(found.best)} fit equally well"
    else:
        head = f"{found.best[0]} fits best"
    if present and present not in found.best:
        head += f"; in use is {present}"
    role: Role = "ok" if found.best == (present,) else "warn"
    out = [line(Span(" "), span(head, role)), header(FITS, width)]
    shown = [match for match in found.matches if match.score > 0 or match.preset == present]
    for one in shown:
        out.append(_match(one, present, width))
        if f"preset:{one.preset}" == selected:
            out += [line(Span("   "), span(text, "dim")) for text in wrap(one.because, width - 4)]
    rest = len(found.matches) - len(shown)
    if rest > 0:
        out += [BLANK, line(span(f" of {plural(rest, 'other preset')} nothing was found", "dim"))]
    return out


def _match(one: Match, present: str, width: int) -> Line:
    done, rest = bar(one.score, 10, "bar")
    of = len(one.found) + len(one.missing)
    cells: list[Cell] = [
        span(one.preset + (" (in use)" if one.preset == present else "")),
        (done, rest, span(f"{one.score * 100:4.0f}%")),
        f"{len(one.found)}/{of}",
        span(", ".join(one.missing) or "–", "text" if one.missing else "dim"),
        span(", ".join(one.unexpected) or "–", "dim"),
    ]
    return row(FITS, cells, width, key=f"preset:{one.preset}")
