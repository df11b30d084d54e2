"""Help: every key that works on the page below, and why others do not now."""

from __future__ import annotations

from console.tui.hub import Hub
from console.tui.keys import DIGITS, MOVES, KeyBinding
from console.tui.lines import BLANK, FixedLines, Line, Lines, Span, fit, line, rule, span, wrap
from console.tui.pages.base import Page


class HelpPage(Page):
    name = "help"

    def __init__(self, hub: Hub, below: Page, everywhere: tuple[KeyBinding, ...]) -> None:
        super().__init__(hub)
        self.below, self.everywhere = below, everywhere

    @property
    def own_digits(self) -> bool:
        return self.below.own_digits

    def digit(self, number: int) -> bool:
        if self.own_digits:
            self.hub.host.say(f"{number} does nothing here: esc goes back, :{number} to the page")
        return self.own_digits

    def show(self, width: int, height: int) -> Lines:
        out: list[Line] = []
        for title, keys in (
            (f"on the page {self.below.name}", self.below.keys),
            ("everywhere", self.everywhere),
            ("moving", MOVES),
        ):
            out.append(rule(title, width))
            for key in keys:
                out += self._key(key)
            if keys is self.everywhere:
                out += [line(Span(" "), span(text, "dim")) for text in wrap(DIGITS, width - 2)]
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
        return FixedLines(out)

    def _key(self, key: KeyBinding) -> list[Line]:
        reason = self.below.why_not(key)
        out = [line(Span(" "), span(fit(key.label, 8), "key"), span(key.tip, "dim" if reason else "text"))]
        return [*out, line(Span(" " * 9), span(f"not now: {reason}", "warn"))] if reason else out


def _word(word: str, meaning: str) -> Line:
    return line(Span(" "), span(fit(word, 18), "head"), span(meaning))
