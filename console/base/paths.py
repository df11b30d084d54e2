"""Where things lie: the user's XDG folders, and the library of runbooks and presets that travels with the package."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "console-oncall"


def config_dir() -> Path:
    """`CONSOLE_CONFIG_DIR`, else the XDG config folder."""
    return Path(os.environ.get("CONSOLE_CONFIG_DIR") or platformdirs.user_config_dir(APP))


def state_dir() -> Path:
    """`CONSOLE_STATE_DIR`, else the XDG state folder: journal, locks, captured evidence."""
    return Path(os.environ.get("CONSOLE_STATE_DIR") or platformdirs.user_state_dir(APP))


def cache_dir() -> Path:
    """`CONSOLE_CACHE_DIR`, else the XDG cache folder: may be deleted at any time."""
    return Path(os.environ.get("CONSOLE_CACHE_DIR") or platformdirs.user_cache_dir(APP))


def private_dir(path: Path) -> Path:
    """Create `path` readable by its owner only."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def library(name: str) -> Path:
    """The folder `runbooks` or `presets` of this installation.

    The source tree wins when the package lies in one, so that an editable install never reads a stale copy.
    """
    package = Path(__file__).resolve().parents[1]
    source = package.parent / name
    if (package.parent / "pyproject.toml").is_file() and source.is_dir():
        return source
    return package / "_data" / name
