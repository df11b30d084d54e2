"""Advice as lines: grouped by what it is about, the selected one with its reason, and what could not be judged."""

from __future__ import annotations

from collections.abc import Sequence

from console.advice.model import PRIORITIES, Advice, AdviceReport, Priority
from console.base.text import joined, plural
from console.tui.lines import BLANK, Line, Span, TextRole, line, rule, span, wrap
from console.tui.views.leftout import left_out
from console.tui.words import SOURCE

PRIORITY: dict[Priority, tuple[str, TextRole]] = {
    "high": ("HIGH", "crit"),
    "medium": ("MED ", "warn"),
    "low": ("LOW ", "info"),
}


def lines(report: AdviceReport, items: Sequence[Advice], selected: str, width: int, *, inline: bool) -> list[Line]:
    """The page.

    Args:
        items: what the filter leaves of the report's.
        selected: key of the row under the cursor.
        inline: show the reason below the selected row, where there is no side pane.
    """
    out = [_summary(report, items), *_sources(report, width), *left_out(report.left_out, width)]
    if not items:
        out.append(line(span(" no advice" + (" fits the filter" if report.items else ""), "ok")))
    for subject in dict.fromkeys(item.subject for item in items):
        out += [BLANK, _subject(subject, width)]
        for item in (i for i in items if i.subject == subject):
            out += _row(item, width)
            if inline and item.key == selected:
                out += [*detail(item, width), BLANK]
    if report.unjudged:
        out += [BLANK, rule("not judged", width)]
        for unknown in report.unjudged:
            about = f"{unknown.subject}: " if unknown.subject else ""
            out += _hanging("  ?  ", "warn", f"{about}{unknown.what}", "text", width)
            needs = f"; needs {unknown.needs}" if unknown.needs else ""
            out += [line(Span("     "), span(text, "dim")) for text in wrap(f"{unknown.because}{needs}", width - 6)]
    return out


def detail(item: Advice, width: int, indent: int = 6) -> list[Line]:
    """Why, what to do, what was seen, since which version, and who says so."""
    out: list[Line] = []
    for label, role, text, body in (
        ("why", "head", item.because, "text"),
        ("do", "accent", item.do, "text"),
        *(("seen", "ok", f"{e.excerpt} · {e.source} · {e.locator}", "dim") for e in item.evidence),
        ("holds", "head", item.holds_for, "dim"),
        ("read", "head", item.source, "dim"),
    ):
        out += _hanging(f"{' ' * indent}{label:<7}", role, text, body, width)  # type: ignore[arg-type]
    return out


def page(item: Advice, width: int) -> list[Line]:
    """One advice by itself, for the side pane."""
    word, role = PRIORITY[item.priority]
    title = [line(span(text, "title")) for text in wrap(item.statement, width)]
    return [
        line(Span(word.strip(), role), span(f"  {item.id} · {item.family}", "dim")),
        *title,
        BLANK,
        *detail(item, width, 0),
    ]


def _summary(report: AdviceReport, items: Sequence[Advice]) -> Line:
    counts = [(p, sum(1 for i in items if i.priority == p)) for p in PRIORITIES]
    spans: list[Span] = [Span(" ")]
    for priority, count in counts:
        if count:
            spans += [span(f"{count} {priority}", PRIORITY[priority][1]), Span(" · ", "rule")]
    apps, spaces = plural(len(report.apps), "application"), plural(len(report.namespaces), "namespace")
    spans.append(span(f"{apps} in {spaces}", "dim"))
    if report.unjudged:
        spans += [Span(" · ", "rule"), span(f"{len(report.unjudged)} not judged", "warn")]
    spans += [Span(" · ", "rule"), span("no part of the verdict", "dim")]
    return Line(tuple(spans))


def _sources(report: AdviceReport, width: int) -> list[Line]:
    """What could not be read, and the permission that it needs."""
    alike: dict[tuple[str, str], list[str]] = {}
    for source in report.unread():
        alike.setdefault((source.state, source.hint or source.detail), []).append(source.name)
    out: list[Line] = []
    for (state, said), names in alike.items():
        head = f" {names[0]} {state}  " if len(names) == 1 else f" {state}  "
        text = said if len(names) == 1 else joined(", ".join(names), said)
        out += _hanging(head, SOURCE[state], text, "dim", width)
    return out


def _subject(subject: str, width: int) -> Line:
    kind, _, rest = subject.partition("/")
    name = rest.lstrip("/")
    used = len(kind) + len(name) + 6
    return line(
        Span("── ", "rule"),
        span(f"{kind} ", "dim"),
        span(name, "title"),
        Span(" " + "─" * max(0, width - used), "rule"),
    )


def _row(item: Advice, width: int) -> list[Line]:
    """The statement beside its priority, in as many lines as it takes; only the first can be selected."""
    word, role = PRIORITY[item.priority]
    texts = wrap(item.statement, max(20, width - 9))
    first = line(Span(f"  {word}  ", role), span(texts[0]), key=item.key)
    return [first, *(line(Span(" " * 8), span(text)) for text in texts[1:])]


def _hanging(label: str, role: TextRole, text: str, body: TextRole, width: int) -> list[Line]:
    texts = wrap(text, max(20, width - len(label) - 1))
    pad = " " * len(label)
    return [line(span(label, role), span(texts[0], body)), *(line(Span(pad), span(part, body)) for part in texts[1:])]
