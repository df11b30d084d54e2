"""Files that the terminal UI writes for a person: below the state folder, or where they say."""

from __future__ import annotations

import os
from pathlib import Path

from console.base.paths import private_dir, short, state_dir


def default_path(name: str) -> Path:
    """Where a file of this name lies unless somebody says otherwise."""
    return state_dir() / "timelines" / name


def written(text: str, path: Path, *, overwrite: bool) -> tuple[str, bool]:
    """Write a file that only its owner may read. A sentence that says where it lies, or why not; whether it is bad."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if overwrite else os.O_EXCL)
    try:
        if overwrite:
            private_dir(path.parent)
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        return f"{short(path)}: {error.strerror}", True
    return f"written: {short(path)}", False
