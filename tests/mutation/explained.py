"""Reads `explained.txt`: the mutants that may survive, each with its reason.

A line is `MODULE FUNCTION: BEFORE => AFTER # REASON`, as the survivor is printed, so that it stays true while lines
move and ends when the line itself changes. Empty lines and those that begin with `#` are for people.
"""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("explained.txt")


def explained() -> dict[str, str]:
    """Reasons by the key of the mutant.

    Raises:
        ValueError: a line has no reason, or stands twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, reason = line.rpartition(" # ")
        if not key or not reason.strip():
            raise ValueError(f"{FILE}:{number}: a survivor needs ` # ` and its reason")
        if key in found:
            raise ValueError(f"{FILE}:{number}: this survivor stands here twice")
        found[key] = reason.strip()
    return found
