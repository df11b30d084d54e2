"""Where things lie: the user's XDG folders, and the library of runbooks and presets that travels with the package."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import platformdirs

from console.base.errors import UsageError

APP = "console-oncall"
_ELSEWHERE = "CONSOLE_STATE_DIR names another folder for what is kept"


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
    """A folder of Console's own at `path`, for its owner only: made, or tightened where it is there already.

    Raises:
        UsageError: it cannot be made, belongs to somebody else, or is shared by everybody (as `/tmp` is).
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.stat()
        mode = stat.S_IMODE(found.st_mode)
        if mode & stat.S_ISVTX:
            raise UsageError(f"{path} is a folder that everybody shares", hint=_ELSEWHERE)
        if found.st_uid != os.geteuid() and os.geteuid() != 0:
            raise UsageError(f"the folder {path} belongs to somebody else", hint=_ELSEWHERE)
        if mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise UsageError(f"the folder {path} cannot be used: {error.strerror or error}", hint=_ELSEWHERE) from None
    return path


def replace_file(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Write a file whole or not at all; whoever else writes it at the same time, in this process too, does as well.

    Args:
        mode: who may read it.
        durable: on the disk when this returns, at the price of a wait: for what cannot be had again.

    Raises:
        OSError: the folder is not there, cannot be written, or the disk is full; what stood at `path` stays.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def library(name: str) -> Path:
    """The folder `runbooks` or `presets` of this installation.

    The source tree wins when the package lies in one, so that an editable install never reads a stale copy.
    """
    package = Path(__file__).resolve().parents[1]
    source = package.parent / name
    if (package.parent / "pyproject.toml").is_file() and source.is_dir():
        return source
    return package / "_data" / name


def short(path: Path) -> str:
    """The path with the home folder as `~`."""
    home = str(Path.home())
    text = str(path)
    return "~" + text[len(home) :] if text.startswith(home + os.sep) else text
