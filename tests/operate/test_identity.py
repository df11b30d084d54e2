"""Which cluster a walk is pinned to, as the journal keeps it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from console.drill.session import DrillSession
from console.operate.identity import address, of, other_cluster
from console.operate.policy import ChangeRules
from console.wire.config import ContextRef
from console.wire.connection import Connection, Identity


def connected(server: str) -> Any:
    """A connection to it; nothing is asked."""
    return SimpleNamespace(identity=Identity("here", server, "ca", "jobs", cluster_uid="u"))


@pytest.mark.parametrize("host", ["127.0.0.1:41234", "localhost:8001", "[::1]:8001"])
def test_a_drill_that_another_process_serves_is_a_drill_and_its_token_is_not_kept(host: str) -> None:
    kept = of(connected(f"http://{host}/drill/D59Sx-y_z"), ChangeRules(mode="guarded"))
    assert (kept["kind"], kept["server"]) == ("simulated", f"http://{host}/drill/…")
    assert "D59Sx" not in repr(kept)


@pytest.mark.parametrize(
    "server",
    ["https://10.0.0.1:6443", "https://rancher/k8s/clusters/c-1", "http://elsewhere/drill/a", "http://127.0.0.1:1/x"],
)
def test_any_other_address_is_kept_whole(server: str) -> None:
    assert of(connected(server), ChangeRules(mode="guarded"))["kind"] == "real"
    assert of(connected(server), ChangeRules(mode="guarded"), "simulated")["kind"] == "simulated"
    assert address(server) == server


async def test_a_walk_is_pinned_to_its_drill_whether_the_token_was_kept_or_not() -> None:
    class Reader:
        async def object(self, path: str) -> Any:
            return {"metadata": {"uid": "u"}}

    at = connected("http://127.0.0.1:41234/drill/abc")
    at.reader = Reader()
    for kept in ("http://127.0.0.1:41234/drill/abc", "http://127.0.0.1:41234/drill/…"):
        assert await other_cluster(at, {"server": kept, "ca": "ca", "uid": "u"}) == ""
    assert "server is another one" in await other_cluster(at, {"server": "http://127.0.0.1:9/drill/…", "ca": "ca"})


async def test_no_drill_is_taken_for_another_of_its_seed() -> None:
    uids = set()
    for _ in range(2):
        async with DrillSession.open("spark-oom", "default", step=True) as session:
            connection = await Connection.open(ContextRef(kubeconfig=str(session.kubeconfig)))
            try:
                uids.add((await connection.reader.object("/api/v1/namespaces/kube-system"))["metadata"]["uid"])
            finally:
                await connection.close()
    assert len(uids) == 2
