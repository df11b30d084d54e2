"""Where a script works: a private folder with an empty home and a kubeconfig that leads to the guarded proxy."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.base import paths

STALE_SECONDS = 3600.0
_PREFIX = "script-"


@dataclass(frozen=True)
class Workplace:
    """A folder for the time of one run. `home` is empty; the script runs in it."""

    home: Path
    kubeconfig: Path
    scratch: Path

    @property
    def env(self) -> dict[str, str]:
        """What the script is told of it."""
        return {"HOME": str(self.home), "TMPDIR": str(self.scratch), "KUBECONFIG": str(self.kubeconfig)}


@contextlib.contextmanager
def furnished(server: str, *, context: str, namespace: str, folder: Path | None = None) -> Iterator[Workplace]:
    """A workplace for the time of the block. What a crash left behind earlier is removed first.

    Args:
        server: the address of the proxy; it is all that the kubeconfig holds.
        folder: where workplaces lie; None means `run` in the state folder.
    """
    where = paths.private_dir(folder if folder is not None else paths.state_dir() / "run")
    sweep(where)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=where, ignore_cleanup_errors=True) as made:
        place = Workplace(Path(made) / "home", Path(made) / "kubeconfig", Path(made) / "tmp")
        place.home.mkdir(mode=0o700)
        place.scratch.mkdir(mode=0o700)
        place.kubeconfig.touch(mode=0o600)
        place.kubeconfig.write_text(json.dumps(document(server, context, namespace)))
        yield place


def sweep(folder: Path) -> None:
    """Remove what scripts of crashed processes left here."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left)


def document(server: str, context: str, namespace: str) -> dict[str, Any]:
    """A kubeconfig without credentials."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": server}}],
        "users": [{"name": context, "user": {}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context, "namespace": namespace}}],
    }
