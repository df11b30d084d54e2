"""A kubeconfig for a script: the very cluster and user that the walk is pinned to, private, gone afterwards."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from console.base import paths
from console.wire.config import Target

STALE_SECONDS = 3600.0
_PREFIX = "script-"
_FILES = ("client-certificate", "client-key", "client-certificate-data", "client-key-data")
_IMPERSONATION = ("as", "as-uid", "as-groups", "as-user-extra")


@contextlib.contextmanager
def written(target: Target, folder: Path | None = None) -> Iterator[Path]:
    """A kubeconfig file (0600) for the time of the block. What a crash left behind earlier is removed first."""
    where = paths.private_dir(folder if folder is not None else paths.state_dir() / "run")
    sweep(where)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=where) as made:
        path = Path(made) / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(document(target)))
        yield path


def sweep(folder: Path) -> None:
    """Remove what scripts of crashed processes left here."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left)


def document(target: Target) -> dict[str, Any]:
    """The kubeconfig of one resolved context."""
    cluster: dict[str, Any] = {"server": target.server}
    if target.insecure:
        cluster["insecure-skip-tls-verify"] = True
    elif target.ca:
        cluster["certificate-authority-data"] = _base64(target.ca)
    if target.server_name:
        cluster["tls-server-name"] = target.server_name
    if target.proxy:
        cluster["proxy-url"] = target.proxy
    extensions = target.cluster_entry.get("extensions")
    if extensions:
        cluster["extensions"] = extensions
    name = target.context
    context = {"cluster": name, "user": name, "namespace": target.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": _user(target)}],
        "contexts": [{"name": name, "context": context}],
    }


def _user(target: Target) -> dict[str, Any]:
    user = {k: v for k, v in target.login.items() if k not in (*_FILES, *_IMPERSONATION)}
    if target.cert:
        user["client-certificate-data"], user["client-key-data"] = _base64(target.cert), _base64(target.key)
    if isinstance(user.get("tokenFile"), str):
        user["tokenFile"] = str(target.folder / user["tokenFile"])
    plugin = user.get("exec")
    if isinstance(plugin, Mapping) and "/" in str(plugin.get("command") or ""):
        user["exec"] = {**plugin, "command": str(target.folder / str(plugin["command"]))}
    whom = target.impersonation
    if whom.user:
        user["as"] = whom.user
        if whom.uid:
            user["as-uid"] = whom.uid
        if whom.groups:
            user["as-groups"] = list(whom.groups)
        if whom.extra:
            extra: dict[str, list[str]] = {}
            for key, value in whom.extra:
                extra.setdefault(key, []).append(value)
            user["as-user-extra"] = extra
    return user


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
