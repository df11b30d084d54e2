"""Which cluster a walk is pinned to, and whether a connection still leads there."""

from __future__ import annotations

import re
from typing import Any, Literal

from console.actions.pins import uid_of
from console.base.errors import ForbiddenError
from console.operate.policy import ChangeRules
from console.wire.connection import Connection
from console.wire.errors import NotFoundError

ClusterKind = Literal["real", "simulated"]


DRILL = re.compile(r"^http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?/drill/(?P<token>[^/]+)")
"""Address of a simulated cluster that another process serves; the token in it is its credential."""


def of(connection: Connection, rules: ChangeRules, kind: ClusterKind = "real") -> dict[str, Any]:
    """What a walk keeps of the cluster that it began on.

    Args:
        kind: as this process knows it; a drill that another process serves is told by its address.
    """
    identity = connection.identity
    return {
        "context": identity.context,
        "server": address(identity.server),
        "ca": identity.ca_hash,
        "uid": identity.cluster_uid,
        "user": identity.user,
        "mode": rules.mode,
        "production": rules.production,
        "kind": "simulated" if is_drill(identity.server) else kind,
    }


def is_drill(server: str) -> bool:
    """Whether a simulated cluster answers at an address, as the address itself says."""
    return DRILL.match(server) is not None


def address(server: str) -> str:
    """The address of a server without the token of a drill's."""
    found = DRILL.match(server)
    return server if found is None else server.replace(found["token"], "…", 1)


async def other_cluster(connection: Connection, pinned: dict[str, Any]) -> str:
    """Why a connection is not to the pinned cluster, `` where it is: server, CA and the UID of kube-system."""
    identity = connection.identity
    for word, mine, theirs in (
        ("server", address(identity.server), address(str(pinned.get("server") or ""))),
        ("CA", identity.ca_hash, pinned.get("ca")),
    ):
        if theirs and mine != theirs:
            return f"this is not the cluster of the walk: its {word} is another one"
    try:
        space = await connection.reader.object("/api/v1/namespaces/kube-system")
    except (ForbiddenError, NotFoundError):
        return ""
    uid = uid_of(space)
    if uid and pinned.get("uid") and uid != pinned["uid"]:
        return "this is not the cluster of the walk: another one answers at its address (kube-system has another UID)"
    return ""
