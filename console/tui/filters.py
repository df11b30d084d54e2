"""What a filter lets through, the same on every page that has one."""

from __future__ import annotations


def fits(wanted: str, *texts: object) -> bool:
    """Whether every word of `wanted` occurs in one of `texts`, in any case, and none that is preceded by `!`."""
    words = [word for word in wanted.lower().split() if word != "!"]
    if not words:
        return True
    text = "\n".join(map(str, texts)).lower()
    return all(word[1:] not in text if word.startswith("!") else word in text for word in words)
