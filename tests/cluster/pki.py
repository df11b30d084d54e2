"""Certificates and kubeconfigs of a throw-away cluster, by openssl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder. A folder that has one already is used as it is."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"
        self.account_key = folder / "sa.key"
        self.account_public = folder / "sa.pub"
        if not self.account_public.exists():
            made = ("-keyout", self._key, "-out", self.certificate)
            extension = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
            _openssl("req", "-x509", *_NEW_KEY, "-subj", "/CN=parts-ca", *extension, *made)
            curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
            _openssl("genpkey", *curve, "-out", self.account_key)
            _openssl("pkey", "-in", self.account_key, "-pubout", "-out", self.account_public)

    def issue(self, name: str, *, groups: Iterable[str] = (), hosts: Iterable[str] = (), file: str = "") -> Pair:
        """A certificate for a user (its groups become organizations) or a server (its hosts become alternatives).

        Hosts are written as openssl does: `IP:127.0.0.1`, `DNS:localhost`.
        """
        stem = file or name.replace(":", "-").replace("/", "-")
        pair = Pair(self.folder / f"{stem}.crt", self.folder / f"{stem}.key")
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={name}"
        extensions = ["-addext", "extendedKeyUsage=clientAuth,serverAuth", "-addext", "basicConstraints=CA:FALSE"]
        if alternatives := ",".join(hosts):
            extensions += ["-addext", f"subjectAltName={alternatives}"]
        signer: tuple[str | Path, ...] = ("-CA", self.certificate, "-CAkey", self._key)
        _openssl(
            *("req", "-x509", *_NEW_KEY, *signer, "-subj", subject, *extensions),
            *("-keyout", pair.key, "-out", pair.certificate),
        )
        return pair


def write_kubeconfig(
    path: Path,
    *,
    server: str,
    authority: Path,
    user: str,
    token: str = "",
    pair: Pair | None = None,
    namespace: str = "default",
    context: str = "parts",
) -> Path:
    """Write a kubeconfig with one context. It is JSON, which is YAML too."""
    credentials: dict[str, str] = {"token": token} if token else {}
    if pair:
        credentials |= {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user, "namespace": namespace}}],
        "current-context": context,
    }
    path.write_text(json.dumps(document, indent=1))
    path.chmod(0o600)
    return path
