"""Help: every key that works on the page below, and why others do not now."""

from __future__ import annotations

from console.tui.hub import Hub
from console.tui.keys import DIGITS, MOVES, KeyBinding
from console.tui.lines import BLANK, FixedLines, Line, Lines, Span, TextRole, fit, line, rule, span, wrap
from console.tui.pages.base import Page

WORDS = (
    ("5m, 1h, 6h, 3d", "Burn rate over that window: 1 spends the budget exactly by the end of the period."),
    ("~", "Few events in the window: one failure moves the rate a lot."),
    ("no data", "Not known. It is never counted as good."),
    ("fresh late stale", "How old the last answer of a source is."),
    ("captured, gone", "The pod does not exist any more; what is shown was kept when it ended."),
)


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
                out += self._key(key, width)
            if keys is self.everywhere:
                out += [line(Span(" "), span(text, "dim")) for text in wrap(DIGITS, width - 2)]
        out += [
            rule("words", width),
            *(made for word, meaning in WORDS for made in _word(word, meaning, width)),
            BLANK,
        ]
        return FixedLines(out)

    def _key(self, key: KeyBinding, width: int) -> list[Line]:
        reason = self.below.why_not(key)
        first, *rest = wrap(key.tip, width - 10)
        role: TextRole = "dim" if reason else "text"
        out = [line(Span(" "), span(fit(key.label, 8), "key"), span(first, role))]
        out += [line(Span(" " * 9), span(more, role)) for more in rest]
        why = wrap(f"not now: {reason}", width - 10) if reason else []
        return [*out, *(line(Span(" " * 9), span(part, "warn")) for part in why)]


def _word(word: str, meaning: str, width: int) -> list[Line]:
    texts = wrap(meaning, width - 20)
    return [line(Span(" "), span(fit(word if not i else "", 18), "head"), span(t)) for i, t in enumerate(texts)]
