"""Copying through the terminal (OSC 52), which also works over SSH."""

from __future__ import annotations

import base64
from collections.abc import Mapping

MAX_BYTES = 74_994
"""Terminals cut or refuse more than this."""


def copy_sequence(text: str, environ: Mapping[str, str]) -> str | None:
    """The escape sequence that puts `text` on the clipboard, wrapped for tmux; None when it is too long."""
    data = base64.b64encode(text.encode()).decode()
    if len(data) > MAX_BYTES:
        return None
    sequence = f"\x1b]52;c;{data}\x07"
    if environ.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    return sequence
