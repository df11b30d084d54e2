"""Which cluster a walk is pinned to, and whether a connection still leads there."""

from __future__ import annotations

from typing import Any

from console.base.errors import ForbiddenError, ReachError
from console.operate.kubernetes import uid_of
from console.operate.policy import Rules
from console.wire.connection import Connection


def of(connection: Connection, rules: Rules) -> dict[str, Any]:
    """What a walk keeps of the cluster that it began on."""
    identity = connection.identity
    return {
        "context": identity.context,
        "server": identity.server,
        "ca": identity.ca_hash,
        "uid": identity.cluster_uid,
        "user": identity.user,
        "mode": rules.mode,
        "production": rules.production,
        "kind": "real",
    }


async def other_cluster(connection: Connection, pinned: dict[str, Any]) -> str:
    """Why a connection is not to the pinned cluster, `` where it is: server, CA and the UID of kube-system."""
    identity = connection.identity
    for word, mine, theirs in (
        ("server", identity.server, pinned.get("server")),
        ("CA", identity.ca_hash, pinned.get("ca")),
    ):
        if theirs and mine != theirs:
            return f"this is not the cluster of the walk: its {word} is another one"
    try:
        space = await connection.reader.object("/api/v1/namespaces/kube-system")
    except ForbiddenError:
        return ""
    except ReachError as error:
        if getattr(error, "status", 0) == 404:
            return ""
        raise
    uid = uid_of(space)
    if uid and pinned.get("uid") and uid != pinned["uid"]:
        return "this is not the cluster of the walk: another one answers at its address (kube-system has another UID)"
    return ""
