"""One connection to one cluster: an authenticated transport that knows which cluster it reaches and as whom.

A connection belongs to the event loop in which it was opened.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from console.base.errors import ForbiddenError, LoginNeeded
from console.base.jsontext import decode_json
from console.wire.config import ClusterTarget, ContextRef, resolve
from console.wire.errors import ApiError, NotFoundError
from console.wire.http import Method
from console.wire.reader import Reader
from console.wire.transport import Transport

T = TypeVar("T")


class Identity(Struct, frozen=True):
    """Which cluster this is and who we are there. `cluster_uid` and `version` are `` where they may not be read."""

    context: str
    server: str
    ca_hash: str
    namespace: str
    user: str = ""
    groups: tuple[str, ...] = ()
    impersonating: str = ""
    cluster_uid: str = ""
    version: str = ""

    @property
    def pin(self) -> str:
        """What must not change under a walk: server, CA and the UID of kube-system."""
        return f"{self.server} {self.ca_hash[:16]} {self.cluster_uid or '-'}"

    @property
    def slug(self) -> str:
        """A short name for folders: one cluster gives one slug, whatever the context is called."""
        what = self.cluster_uid or f"{self.server} {self.ca_hash}"
        host = re.sub(r"[^A-Za-z0-9.-]+", "-", urlsplit(self.server).hostname or "cluster")[:40].strip("-.")
        return f"{host or 'cluster'}-{hashlib.sha256(what.encode()).hexdigest()[:10]}"


class _ServerVersion(Struct, frozen=True, rename="camel"):
    git_version: str = ""


class _KubeSystemMeta(Struct, frozen=True):
    uid: str = ""


class _KubeSystem(Struct, frozen=True):
    metadata: _KubeSystemMeta = _KubeSystemMeta()


class _UserInfo(Struct, frozen=True):
    username: str = ""
    groups: tuple[str, ...] | None = None


class _SelfSubjectStatus(Struct, frozen=True, rename="camel"):
    user_info: _UserInfo = _UserInfo()


class _SelfSubject(Struct, frozen=True):
    status: _SelfSubjectStatus = _SelfSubjectStatus()


class Connection(Transport):
    """An open connection. Use `Connection.open`; close it with `close`. `reader` is everything that only reads."""

    def __init__(self, ref: ContextRef, target: ClusterTarget) -> None:
        super().__init__(target)
        self.ref = ref
        self.reader = Reader(self)
        self.identity = Identity(
            context=target.context,
            server=target.server,
            ca_hash=target.ca_hash,
            namespace=target.namespace,
            user=target.impersonation.user or target.user,
            impersonating=target.impersonation.user,
        )

    @classmethod
    async def open(cls, ref: ContextRef, *, identify: bool = True) -> Connection:
        """A connection for `ref`. With `identify=False` nothing is sent before the first request.

        Raises:
            UsageError: the context does not exist or its files are broken (DocumentError).
            LoginNeeded: the server does not know us.
            ReachError: the server cannot be reached.
        """
        connection = cls(ref, resolve(ref))
        if identify:
            try:
                await connection.identify()
            except BaseException:
                await connection.close()
                raise
        return connection

    async def identify(self) -> Identity:
        """Ask which cluster this is and as whom it sees us; keeps and returns the answer.

        Raises:
            LoginNeeded, ReachError: as for any request. What may not be read stays empty.
        """
        version, space, review = await asyncio.gather(
            self._optional("GET", "/version", _ServerVersion),
            self._optional("GET", "/api/v1/namespaces/kube-system", _KubeSystem),
            self._optional(
                "POST",
                "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                _SelfSubject,
                {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
            ),
        )
        who = review.status.user_info
        name = who.username or self.identity.user
        if name == "system:anonymous":
            raise LoginNeeded(
                f"the server sees context {self.target.context!r} as anonymous: its user has no credentials that count",
                hint=f"add credentials to {self.target.file}" if self.target.file else None,
            )
        self.identity = msgspec.structs.replace(
            self.identity,
            user=name,
            groups=who.groups or (),
            cluster_uid=space.metadata.uid or self.identity.cluster_uid,
            version=version.git_version or self.identity.version,
        )
        return self.identity

    async def _optional(self, method: Method, path: str, kind: type[T], body: Any = None) -> T:
        """The answer, or an empty one where it may not be read, does not exist or makes no sense."""
        try:
            return decode_json((await self.send(method, path, body=body)).body, kind)
        except (ForbiddenError, NotFoundError, msgspec.DecodeError):
            return kind()
        except ApiError as error:
            if error.status in (405, 422):
                return kind()
            raise
