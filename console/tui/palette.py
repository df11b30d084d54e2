"""Roles as styles, on a ladder: truecolor, 16 colours, none. A state is a word first, so colour may be missing."""

from __future__ import annotations

import os
import sys
from typing import Literal

from rich.style import Style

from console.tui.lines import TextRole

Depth = Literal["truecolor", "ansi", "mono"]

_TRUE: dict[TextRole, str] = {
    "text": "#d5d9e0", "dim": "#7d8695", "head": "#8d97a8", "title": "bold #f2f4f8", "ok": "#7fc98f", "warn": "#e5b567",
    "crit": "bold #f2777a", "info": "#7fb3e6", "accent": "#8ab4f8", "badge": "#11151c on #8d97a8",
    "badge-prod": "bold #11151c on #f2777a", "badge-drill": "bold #11151c on #7fb3e6", "key": "bold #e5b567",
    "rule": "#3a4250", "add": "#7fc98f", "del": "#f2777a", "bar": "#7fc98f", "bar-crit": "#f2777a",
    "bar-warn": "#e5b567", "bar-rest": "#3a4250", "input": "bold #f2f4f8",
}  # fmt: skip
_ANSI: dict[TextRole, str] = {
    "text": "default", "dim": "bright_black", "head": "bright_black", "title": "bold", "ok": "green", "warn": "yellow",
    "crit": "bold red", "info": "cyan", "accent": "blue", "badge": "reverse", "badge-prod": "bold white on red",
    "badge-drill": "bold black on cyan", "key": "bold yellow", "rule": "bright_black", "add": "green", "del": "red",
    "bar": "green", "bar-crit": "red", "bar-warn": "yellow", "bar-rest": "bright_black", "input": "bold",
}  # fmt: skip
_MONO: dict[TextRole, str] = {
    "title": "bold", "crit": "bold", "badge": "reverse", "badge-prod": "bold reverse", "badge-drill": "reverse",
    "key": "bold", "input": "bold",
}  # fmt: skip
_ASCII = str.maketrans(
    {
        "█": "#", "▉": "#", "▊": "#", "▋": "#", "▌": "#", "▍": "#", "▎": "#", "▏": "#", "·": ".", "─": "-", "│": "|",
        "├": "+", "└": "+", "┌": "+", "┐": "+", "┘": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "…": "~", "▸": ">",
        "▾": "v", "✓": "+", "✗": "x", "→": ">", "←": "<", "↑": "^", "↓": "v", "■": "#", "□": "o", "▪": "h", "×": "x",
        "–": "-", "—": "-", "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "=", "●": "*", "○": "o",
        "≥": ">", "▹": "-", "≤": "<", "“": '"', "”": '"', "’": "'",
    }
)  # fmt: skip


class Palette:
    """Styles of one terminal.

    Args:
        depth: how many colours there are.
        ascii_only: replace shapes by ASCII.
    """

    def __init__(self, depth: Depth, *, ascii_only: bool = False) -> None:
        self.depth, self.ascii_only = depth, ascii_only
        table = {"truecolor": _TRUE, "ansi": _ANSI, "mono": _MONO}[depth]
        self.background = Style.parse("on #11151c") if depth == "truecolor" else Style.null()
        self._styles = {role: self.background + Style.parse(text) for role, text in table.items()}
        plain = Style.parse(_TRUE["text"]) if depth == "truecolor" else Style.null()
        self._plain = self.background + plain
        mark = {"truecolor": "on #232b38", "ansi": "reverse", "mono": "reverse"}[depth]
        self.cursor = Style.parse(mark)

    def style(self, role: TextRole) -> Style:
        return self._styles.get(role, self._plain)

    def shape(self, text: str) -> str:
        """`text` as this terminal can draw it."""
        if not self.ascii_only or text.isascii():
            return text
        return text.translate(_ASCII).encode("ascii", "replace").decode()


def detect(environ: os._Environ[str] | dict[str, str] = os.environ) -> Palette:
    """The palette for this terminal: NO_COLOR, COLORTERM, TERM and the encoding decide.

    Over SSH the 16 colours are used: they need half the bytes.
    """
    term = environ.get("TERM", "")
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    ascii_only = environ.get("CONSOLE_ASCII") == "1" or not encoding.startswith("utf")
    if environ.get("NO_COLOR") or term in ("vt100", "vt220"):
        return Palette("mono", ascii_only=ascii_only)
    truecolor = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    if truecolor and not environ.get("SSH_CONNECTION"):
        return Palette("truecolor", ascii_only=ascii_only)
    return Palette("ansi", ascii_only=ascii_only)
