"""Help: every key that works on the page below, and why others do not now."""

from __future__ import annotations

from console.tui.hub import Hub
from console.tui.keys import GLOBAL, MOVES, Key
from console.tui.lines import BLANK, Fixed, Line, Lines, Span, fit, line, rule, span
from console.tui.pages.base import Page


class HelpPage(Page):
    name = "help"

    def __init__(self, hub: Hub, below: Page) -> None:
        super().__init__(hub)
        self.below = below

    def show(self, width: int, height: int) -> Lines:
        out: list[Line] = []
        own = {key.key for key in self.below.keys}
        for title, keys in (
            (f"on the page {self.below.name}", self.below.keys),
            ("everywhere", tuple(key for key in GLOBAL if key.key not in own)),
            ("moving", MOVES),
        ):
            out.append(rule(title, width))
            for key in keys:
                out += self._key(key)
        out += [
            rule("words", width),
            _word(
                "5m, 1h, 6h, 3d", "Burn rate over that window: 1 spends the budget exactly by the end of the period."
            ),
            _word("~", "Few events in the window: one failure moves the rate a lot."),
            _word("no data", "Not known. It is never counted as good."),
            _word("fresh late stale", "How old the last answer of a source is."),
            _word("captured, gone", "The pod does not exist any more; what is shown was kept when it ended."),
            BLANK,
        ]
        return Fixed(out)

    def _key(self, key: Key) -> list[Line]:
        reason = self.below.why_not(key)
        out = [line(Span(" "), span(fit(key.label, 8), "key"), span(key.tip, "dim" if reason else "text"))]
        return [*out, line(Span(" " * 9), span(f"not now: {reason}", "warn"))] if reason else out


def _word(word: str, meaning: str) -> Line:
    return line(Span(" "), span(fit(word, 18), "head"), span(meaning))
