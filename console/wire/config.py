"""Which cluster and as whom: the flags, the kubeconfig files or the pod we run in. Imports no Kubernetes client.

Secrets stay out of `repr`. Errors name file, line and key.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Struct

from console.base.errors import UsageError, did_you_mean
from console.wire.checks import fits_in_a_header, http_address
from console.wire.kubeconfig import Entry, Merged, pem

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER = "in-cluster"


class ContextRef(Struct, frozen=True):
    """Which cluster and as whom, as the flags say it. None means what kubectl would take.

    Attributes:
        namespace: the namespace to use where one is needed; it restricts nothing by itself.
        request_timeout: seconds for one request; watches and followed logs are not concerned.
    """

    context: str | None = None
    kubeconfig: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    request_timeout: float | None = None


class ContextInfo(Struct, frozen=True):
    """One context as it stands in a file."""

    name: str
    cluster: str
    server: str
    user: str
    namespace: str
    file: str
    line: int


class Contexts(Struct, frozen=True):
    """All contexts. `current` is `` where none is chosen; `in_cluster` says that this is a pod."""

    current: str
    contexts: tuple[ContextInfo, ...]
    in_cluster: bool = False


@dataclass(frozen=True)
class Impersonation:
    """Whom to be, by the server's leave. Empty `user` means ourselves."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ClusterTarget:
    """One context, resolved: everything that a connection needs, files already read.

    Attributes:
        user: name of the kubeconfig user, not necessarily what the server calls it.
        file: the kubeconfig file that errors name; `` in a pod.
        folder: what relative paths and commands of the user entry are relative to.
        ca, cert, key: PEM; empty where not given.
        login: the user entry, secrets in it.
    """

    context: str
    cluster: str
    server: str
    namespace: str
    user: str
    file: str = ""
    folder: Path = field(default_factory=Path)
    ca: bytes = field(default=b"", repr=False)
    insecure: bool = False
    server_name: str = ""
    proxy: str = field(default="", repr=False)
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    login: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cluster_entry: Mapping[str, Any] = field(default_factory=dict, repr=False)
    impersonation: Impersonation = Impersonation()
    timeout: float | None = None

    @property
    def ca_hash(self) -> str:
        """SHA-256 of the CA certificates, independent of their order and layout; a word where there are none."""
        if self.insecure:
            return "insecure"
        if not self.ca:
            return "system"
        return hashlib.sha256(b"".join(sorted(_ders(self.ca)))).hexdigest()


def _ders(pem: bytes) -> list[bytes]:
    text, out = pem.decode("ascii", "replace"), []
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    for part in text.split(begin)[1:]:
        try:
            out.append(ssl.PEM_cert_to_DER_cert(begin + part.split(end)[0] + end + "\n"))
        except ValueError:
            out.append(part.encode())
    return out or [pem]


def files(kubeconfig: str | None = None, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The kubeconfig files that exist, in order of precedence.

    Raises:
        UsageError: the file that was asked for does not exist.
    """
    if kubeconfig:
        path = Path(kubeconfig).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no kubeconfig file {kubeconfig}")
        return [path]
    listed = [Path(part).expanduser() for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if not listed:
        listed = [Path.home() / ".kube" / "config"]
    return [path for path in listed if path.is_file()]


def in_cluster(environ: Mapping[str, str] = os.environ, account: Path = SERVICE_ACCOUNT) -> bool:
    """Whether this is a pod with a service account."""
    return bool(
        environ.get("KUBERNETES_SERVICE_HOST")
        and environ.get("KUBERNETES_SERVICE_PORT")
        and (account / "token").is_file()
    )


def contexts(kubeconfig: str | None = None, environ: Mapping[str, str] = os.environ) -> Contexts:
    """All contexts of the kubeconfig files, in the order of the files.

    Raises:
        DocumentError: a file is broken.
        UsageError: the file that was asked for does not exist.
    """
    merged = Merged(files(kubeconfig, environ))
    out = []
    for name, entry in merged.entries["contexts"].items():
        cluster = entry.text("cluster")
        known = merged.entries["clusters"].get(cluster)
        out.append(
            ContextInfo(
                name=name,
                cluster=cluster,
                server=known.text("server") if known else "",
                user=entry.text("user"),
                namespace=entry.text("namespace") or "default",
                file=entry.document.file,
                line=entry.document.line(entry.path),
            )
        )
    return Contexts(current=merged.current, contexts=tuple(out), in_cluster=in_cluster(environ))


def resolve(ref: ContextRef, environ: Mapping[str, str] = os.environ, account: Path = SERVICE_ACCOUNT) -> ClusterTarget:
    """What `ref` means here: the flags, then KUBECONFIG or ~/.kube/config, then the service account of this pod.

    Raises:
        UsageError: there is no such context, or none at all.
        DocumentError: a kubeconfig file is broken, with file, line and key.
    """
    found = files(ref.kubeconfig, environ)
    merged = Merged(found)
    if not merged.entries["contexts"] and not ref.context and not ref.kubeconfig and in_cluster(environ, account):
        return _from_pod(ref, environ, account)
    name = ref.context or merged.current
    known = merged.entries["contexts"]
    if not name:
        if not known:
            where = ", ".join(map(str, found)) or "neither KUBECONFIG nor ~/.kube/config names a file that exists"
            raise UsageError(f"no cluster to connect to ({where})", hint="console drill spark-oom needs no cluster")
        raise UsageError("no context is chosen: --context NAME", hint=did_you_mean("", known))
    if name not in known:
        raise UsageError(f"there is no context {name!r}", hint=did_you_mean(name, known))
    return _from_kubeconfig(ref, name, merged)


def _from_kubeconfig(ref: ContextRef, name: str, merged: Merged) -> ClusterTarget:
    context = merged.entries["contexts"][name]
    cluster_name, user_name = context.text("cluster"), context.text("user")
    cluster = merged.entries["clusters"].get(cluster_name)
    if cluster is None:
        known = merged.entries["clusters"]
        raise context.error("cluster", f"there is no cluster {cluster_name!r}", did_you_mean(cluster_name, known))
    user = merged.entries["users"].get(user_name)
    if user is None and user_name:
        raise context.error("user", f"there is no user {user_name!r}", did_you_mean(user_name, merged.entries["users"]))
    server = cluster.text("server").rstrip("/")
    if not server:
        raise cluster.error("server", f"cluster {cluster_name!r} names no server")
    ca = pem(cluster, "certificate-authority")
    cert = pem(user, "client-certificate") if user else b""
    key = pem(user, "client-key") if user else b""
    if user and bool(cert) != bool(key):
        missing = "client-key" if cert else "client-certificate"
        raise user.error("", f"user {user_name!r} has no {missing} beside its other half")
    if "://" not in server:
        server = ("https://" if ca or cert or cluster.flag("insecure-skip-tls-verify") else "http://") + server
    if http_address(server) is None:
        raise cluster.error("server", f"{server!r} is no http or https address")
    home = user or cluster
    return ClusterTarget(
        context=name,
        cluster=cluster_name,
        server=server,
        namespace=ref.namespace or context.text("namespace") or "default",
        user=user_name,
        file=home.document.file,
        folder=Path(home.document.file).resolve().parent,
        ca=ca,
        insecure=cluster.flag("insecure-skip-tls-verify"),
        server_name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url"),
        cert=cert,
        key=key,
        login=user.body if user else {},
        cluster_entry=cluster.body,
        impersonation=_impersonation(ref, user),
        timeout=ref.request_timeout,
    )


def _from_pod(ref: ContextRef, environ: Mapping[str, str], account: Path) -> ClusterTarget:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    host = f"[{host}]" if ":" in host else host
    authority, space = account / "ca.crt", account / "namespace"
    return ClusterTarget(
        context=IN_CLUSTER,
        cluster=IN_CLUSTER,
        server=f"https://{host}:{port}",
        namespace=ref.namespace or (space.read_text().strip() if space.is_file() else "default"),
        user="service account",
        folder=account,
        ca=authority.read_bytes() if authority.is_file() else b"",
        login={"tokenFile": str(account / "token")},
        impersonation=_impersonation(ref, None),
        timeout=ref.request_timeout,
    )


def _impersonation(ref: ContextRef, user: Entry | None) -> Impersonation:
    found = _impersonated(ref, user)
    words = (found.user, found.uid, *found.groups, *(word for pair in found.extra for word in pair))
    if wrong := next((word for word in words if not fits_in_a_header(word)), None):
        raise UsageError(f"nobody can be impersonated by the name {wrong!r}")
    return found


def _impersonated(ref: ContextRef, user: Entry | None) -> Impersonation:
    if ref.as_user:
        return Impersonation(ref.as_user, ref.as_uid or "", ref.as_groups)
    if ref.as_groups or ref.as_uid:
        raise UsageError("--as-group and --as-uid need --as USER")
    if user is None:
        return Impersonation()
    name, groups, extra = user.text("as"), user.body.get("as-groups") or [], user.body.get("as-user-extra") or {}
    if not isinstance(groups, list) or not all(isinstance(g, str) for g in groups):
        raise user.error("as-groups", "as-groups must be a list of names")
    if not isinstance(extra, dict) or not all(isinstance(v, list) for v in extra.values()):
        raise user.error("as-user-extra", "as-user-extra must map names to lists")
    if not name and (groups or extra or user.text("as-uid")):
        raise user.error("as-groups", "groups, uid or extra are impersonated without a user", "add `as: USER`")
    pairs = tuple((str(k), str(v)) for k, values in extra.items() for v in values)
    return Impersonation(name, user.text("as-uid"), tuple(groups), pairs)
