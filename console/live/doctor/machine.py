"""What Console needs of the machine that it runs on: its program, terminal, state folder and clock."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from console.base.errors import ConsoleError
from console.base.text import joined
from console.base.units import human_duration

if TYPE_CHECKING:
    from console.wire.reader import Reader

AbilityState = Literal["ok", "limited", "missing", "unknown"]
COLUMNS, LINES = 80, 24
SKEW = 2.0
"""Seconds that clocks may differ by before it is said."""


class Check(Struct, frozen=True):
    name: str
    standing: AbilityState
    detail: str
    hint: str = ""


def program() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("program", "ok", f"Python {version}, SQLite {sqlite3.sqlite_version}")


def terminal(environment: Mapping[str, str], size: os.terminal_size | None) -> Check:
    """Whether the pages can be drawn here. `size` is None where this is no terminal."""
    term = environment.get("TERM") or "none"
    locale = next((v for key in ("LC_ALL", "LC_CTYPE", "LANG") if (v := environment.get(key))), "")
    said = joined(f"TERM {term}", f"{size.columns}x{size.lines}" if size is not None else "", locale)
    if term in ("none", "dumb"):
        return Check("terminal", "limited", f"{said}: no pages can be drawn", "the commands say the same")
    if "utf" not in locale.lower():
        return Check("terminal", "limited", f"{said}: signs beyond ASCII may be wrong", "export LC_ALL=C.UTF-8")
    if size is not None and (size.columns < COLUMNS or size.lines < LINES):
        return Check("terminal", "limited", f"{said}: lines are cut", f"make it {COLUMNS}x{LINES} or larger")
    return Check("terminal", "ok", said)


def skew(before: float, said: float, after: float) -> float:
    """Seconds by which this machine's clock is ahead of another's (negative: behind), at least; 0 where the two may
    agree. `said` is a whole second of the other's, between `before` and `after` of ours."""
    if before > said + 1:
        return before - said - 1
    return min(0.0, after - said)


async def clock(reader: Reader) -> Check:
    """Whether this machine and the API server have the same time: ages are told by both."""
    from console.operate.locks import SKEW_SECONDS

    before = time.time()
    try:
        said = await reader.clock()
    except ConsoleError as error:
        return Check("clock", "unknown", error.message)
    if said is None:
        return Check("clock", "unknown", "the API server does not say what time it has")
    off = skew(before, said, time.time())
    if abs(off) < SKEW:
        return Check("clock", "ok", "agrees with the API server's")
    which = "ahead of" if off > 0 else "behind"
    lost = "ages are wrong" if abs(off) < SKEW_SECONDS else "ages are wrong, and locks of others may be taken for old"
    return Check(
        "clock",
        "limited",
        f"{human_duration(abs(off))} {which} the API server's: {lost}",
        "see to time synchronisation",
    )


def state_folder(folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(
            "state folder", "missing", f"{folder}: {error.strerror}", "set CONSOLE_STATE_DIR to a folder of yours"
        )
    if not os.access(folder, os.W_OK):
        return Check(
            "state folder", "missing", f"{folder} cannot be written", "set CONSOLE_STATE_DIR to a folder of yours"
        )
    if free < 100 * 2**20:
        return Check("state folder", "limited", f"{folder}: {free // 2**20} MiB free", "the journal needs room")
    return Check("state folder", "ok", str(folder))
