"""Components: does each system work, is what was promised there, and which preset is this?"""

from __future__ import annotations

from collections.abc import Sequence

from console.base.text import plural
from console.board.model import Board
from console.components.match import VERDICTS, Conformance, ConformanceRow, Detection, PresetMatch
from console.components.model import Component
from console.live.shown import age
from console.live.situation import Situation
from console.tui.filters import fits
from console.tui.lines import BLANK, Cell, Line, Span, TableColumn, TextRole, bar, header, line, row, rule, span, wrap
from console.tui.words import COMPONENT

HEALTH = (
    TableColumn("COMPONENT", 26),
    TableColumn("STATE", 9),
    TableColumn("PRESET", 8, drop=2),
    TableColumn("WHY", 0, least=20),
)
DECLARED = (
    TableColumn("COMPONENT", 24),
    TableColumn("DECLARED", 12),
    TableColumn("STATE", 9),
    TableColumn("VERDICT", 11),
    TableColumn("WHY", 0, least=16, drop=1),
)
FITS = (
    TableColumn("PRESET", 26),
    TableColumn("FITS", 15),
    TableColumn("FOUND", 6, "right"),
    TableColumn("MISSING", 0, least=14),
    TableColumn("NOT IN IT", 0, least=12, drop=1),
)
VERDICT: dict[str, TextRole] = {
    "as declared": "ok", "not used": "dim", "missing": "crit", "broken": "crit", "unknown": "warn",
    "unintended": "warn", "unexpected": "warn",
}  # fmt: skip


def health(situation: Situation, width: int, wanted: str, selected: str, *, beside: bool = False) -> list[Line]:
    """What was found and what is expected, and the selected one with its evidence unless that stands beside."""
    board = situation.board
    shown = [c for c in board.components if fits(wanted, c.id, c.title, c.state, c.reason)]
    if not shown:
        words = f"no component fits {wanted!r}" if wanted else "no component is known here: nothing of any was found"
        return [line(span(f" {words}", "dim"))]
    out = [header(HEALTH, width), *(_health(c, width) for c in shown)]
    one = next((c for c in shown if f"component:{c.id}" == selected), None)
    if one is not None and not beside:
        out += [rule(width=width), *detail(board, one, width)]
    return out


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


def _part(label: str, text: str, width: int, role: TextRole) -> list[Line]:
    texts = wrap(text, max(20, width - len(label) - 1))
    return [line(Span(label if not n else " " * len(label), "head"), span(part, role)) for n, part in enumerate(texts)]


def conformance(found: Conformance | None, width: int, selected: str) -> list[Line]:
    """Declared, found and healthy side by side, the worst first; then what cannot work."""
    if found is None:
        return [line(span(" reading", "dim"))]
    if not found.expects:
        return [line(span(f" the preset {found.preset} expects nothing: m shows which presets fit", "dim"))]
    out = [_kept(found), header(DECLARED, width)]
    for one in found.rows:
        out.append(_declared(one, width))
        if f"declared:{one.id}" == selected and one.note:
            out += [line(Span("   "), span(text, "dim")) for text in wrap(one.note, width - 4)]
    out += _listed("promised, and cannot work as shipped", found.promises, width)
    return out + _listed("objectives without data", found.blind, width)


def _kept(found: Conformance) -> Line:
    """Whether the preset is kept, and how many of its components stand how."""
    counts = {word: sum(1 for r in found.rows if r.verdict == word) for word in VERDICTS}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    kept: tuple[str, TextRole] = ("kept", "ok") if found.conforms else ("not kept", "crit")
    return line(Span(" "), span(found.preset, "title"), Span("  "), span(*kept), span(f"  {told}", "dim"))


def _listed(title: str, texts: Sequence[str], width: int) -> list[Line]:
    out = [rule(title, width)] if texts else []
    for text in texts:
        first, *more = wrap(text, width - 4)
        out += [line(Span(" · ", "warn"), span(first)), *(line(Span("   ", "warn"), span(part)) for part in more)]
    return out


def _declared(one: ConformanceRow, width: int) -> Line:
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
    head = found.headline
    if present and present not in found.best:
        head += f"; in use is {present}"
    role: TextRole = "ok" if found.best == (present,) else "warn"
    out = [line(Span(" "), span(head, role)), header(FITS, width)]
    shown = [match for match in found.matches if match.score > 0 or match.preset == present]
    for one in shown:
        out.append(_match(one, present, width))
        if f"preset:{one.preset}" == selected:
            out += [line(Span("   "), span(text, "dim")) for text in wrap(one.because, width - 4)]
    rest = len(found.matches) - len(shown)
    if rest > 0:
        out += [BLANK, line(span(f" {plural(rest, 'other preset')} {'does' if rest == 1 else 'do'} not fit", "dim"))]
    return out


def _match(one: PresetMatch, present: str, width: int) -> Line:
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
