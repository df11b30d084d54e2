"""Who is at the keyboard: user and machine, terminal, where the SSH session comes from, process."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import sys
from typing import Any


def session() -> dict[str, Any]:
    """What tells this session from another one, as far as it is known: what is not, is left out."""
    return {key: value for key, value in _session() if value}


def _session() -> tuple[tuple[str, Any], ...]:
    origin = os.environ.get("SUDO_USER", "")
    user = _user()
    return (
        ("user", user),
        ("host", socket.gethostname()),
        ("tty", _terminal()),
        ("ssh_from", _ssh_client()),
        ("sudo_from", origin if origin != user else ""),
        ("pid", os.getpid()),
    )


def actor() -> str:
    """`ada@bastion pts/3`: the user, the machine and the terminal; and of the session that leads here another one."""
    found = session()
    name = f"{found.get('user')}@{found.get('host', 'localhost')}"
    terminal = f" {found['tty']}" if "tty" in found else ""
    return f"{name}{terminal}" + (f" (from {found['sudo_from']})" if "sudo_from" in found else "")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _terminal() -> str:
    """`pts/3`; `` where there is none."""
    for stream in (sys.__stdin__, sys.__stderr__, sys.__stdout__):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return os.ttyname(stream.fileno()).removeprefix("/dev/")  # type: ignore[union-attr]
    return ""


def _ssh_client() -> str:
    """The address that the SSH session comes from; `` where it is none."""
    words = (os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_CLIENT") or "").split()
    return words[0] if words else ""
