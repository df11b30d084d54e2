"""Long texts as in a pager: a log, an object as YAML. Searched, narrowed, wrapped; every line can be marked."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from console.base.redact import redact, redact_value
from console.live.situation import Focus
from console.tui.filters import fits
from console.tui.lines import Line, Span, TextRole, cut, fit_middle, line, span, wrap

HIT = "▐"
"""What marks a line that was searched for."""


class PagerView(NamedTuple):
    """How a text is read.

    Attributes:
        narrow: only lines that fit it are shown (every word, `!word` must not).
        search: what n and N go to, in any case; `` for nothing.
        wrapped: long lines go on below instead of ending in an ellipsis.
        follow: new lines come at the end, which stays in sight; otherwise the text stands still.
        previous: the log of the container's previous run.
    """

    narrow: str = ""
    search: str = ""
    wrapped: bool = False
    follow: bool = True
    previous: bool = False


class PagedText(NamedTuple):
    """Lines with keys `text:N`, `kept` of `total`; `hits` are the keys of those that were searched for."""

    lines: list[Line]
    total: int
    kept: int
    hits: tuple[str, ...]


def log(focus: Focus, reading: PagerView, width: int) -> PagedText:
    """The end of a log; errors stand out."""
    if focus.log is None:
        return _nothing(waiting(focus, "no log"))
    texts = redact(focus.log.text).splitlines()
    if not texts:
        return _nothing(" the log is empty: the container has written nothing yet")
    return _text(texts, reading, width, _log_role)


def manifest(focus: Focus, reading: PagerView, width: int) -> PagedText:
    """The object as YAML, without secrets."""
    if not focus.manifest:
        return _nothing(waiting(focus, "no object"))
    return _text(manifest_text(focus).splitlines(), reading, width, lambda text: "text")


def manifest_text(focus: Focus) -> str:
    """The YAML itself, to be copied."""
    import yaml

    return yaml.safe_dump(redact_value(focus.manifest), sort_keys=False, allow_unicode=True, width=200)


def _nothing(why: str) -> PagedText:
    return PagedText([line(span(why, "dim"))], 0, 0, ())


def _log_role(text: str) -> TextRole:
    if " ERROR " in text or "OutOfMemoryError" in text:
        return "crit"
    return "warn" if " WARN " in text else "text"


def _text(texts: list[str], reading: PagerView, width: int, role: object) -> PagedText:
    out: list[Line] = []
    hits: list[str] = []
    kept = 0
    sought = reading.search.casefold()
    for number, text in enumerate(texts):
        if not fits(reading.narrow, text):
            continue
        kept += 1
        key, shown = f"text:{number}", span(text, role(text))  # type: ignore[operator]
        found = bool(sought) and sought in shown.text.casefold()
        if found:
            hits.append(key)
        lead = Span(HIT if found else " ", "accent")
        parts = _wrapped(shown.text, width - 2) if reading.wrapped else [shown.text]
        out.append(line(lead, Span(parts[0], shown.role), key=key))
        out += [line(lead, Span(part, shown.role)) for part in parts[1:]]
    if not out:
        why = f" no line of {len(texts)} fits {reading.narrow!r}: & changes it, esc clears it"
        return PagedText([line(span(why, "dim"))], len(texts), 0, ())
    return PagedText(out, len(texts), kept, tuple(hits))


def _wrapped(text: str, width: int) -> list[str]:
    """A line in as many as it takes. It stays as far to the right as it was, and what follows of it too."""
    if cell_len(text) <= width:
        return [text]
    bare = text.lstrip()
    indent = text[: min(len(text) - len(bare), width // 2)]
    return [indent + part for part in wrap(bare, width - len(indent))]


def log_head(focus: Focus, pod: str, reading: PagerView, text: PagedText, at: str, width: int) -> list[Line]:
    """Which log this is, and how it is read: two lines that stay in sight."""
    named = focus.log.container if focus.log is not None else ""
    container = f"container {named}" if named else "its only container"
    run = "previous run" if reading.previous else "present run"
    tail = f" · {container} · {run}"
    more = [focus.detail] if focus.detail and focus.log is not None else []
    more += ["the beginning is not shown"] if focus.log is not None and focus.log.truncated else []
    name = fit_middle(pod, max(16, width - len(tail) - 1)).rstrip()
    first = line(Span(" "), span(name, "title"), span(tail, "head"), span("".join(f" · {m}" for m in more), "warn"))
    follow = Span("following", "ok") if reading.follow else Span("stands still", "warn")
    parts = [Span(" "), Span("f ", "key"), follow, Span("  ")]
    parts += [Span("w ", "key"), Span("wrap on" if reading.wrapped else "wrap off", "text"), Span("  ")]
    parts += [Span("p ", "key"), Span("present run" if reading.previous else "previous run"), Span("  ")]
    return [cut(first, width), cut(line(*parts, *_filters(reading, text, at)), width)]


def manifest_head(reading: PagerView, text: PagedText, at: str, width: int) -> list[Line]:
    """How the object is read: one line that stays in sight."""
    keys = [Span(" "), Span("w ", "key"), Span("wrap on" if reading.wrapped else "wrap off", "text"), Span("  ")]
    keys += [Span("c ", "key"), Span("copies the line  "), Span("C ", "key"), Span("all of it  ")]
    return [cut(line(*keys, *_filters(reading, text, at)), width)]


def _filters(reading: PagerView, text: PagedText, at: str) -> list[Span]:
    narrowed = f"{reading.narrow!r} {text.kept} of {text.total}" if reading.narrow else "all"
    if not reading.search:
        found = "search"
    elif not text.hits:
        found = f"{reading.search!r}: nothing found"
    else:
        place = text.hits.index(at) + 1 if at in text.hits else 0
        found = f"{reading.search!r} {place or '–'} of {len(text.hits)} (n/N)"
    role: TextRole = "warn" if reading.search and not text.hits else "text"
    return [
        Span("& ", "key"), span(narrowed, "warn" if reading.narrow else "dim"), Span("  "), Span("/ ", "key"),
        span(found, role),
    ]  # fmt: skip


def waiting(focus: Focus, nothing: str) -> str:
    """Why there is nothing to show."""
    if focus.state == "ready":
        return f" {nothing}"
    return f" {focus.state}{f': {focus.detail}' if focus.detail else ''}"
