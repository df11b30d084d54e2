"""Two people, two processes, two identities: one sees the walk of the other live, takes it over, and ends it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.drill.kube.access import User
from console.operate.journal import Journal
from console.operate.locks import Busy
from console.operate.person import Reply
from console.runbook.walk import Applied, RightsAsked, TakenOver
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.conftest import GRANTED, YES, Cluster, Says
from tests.operate.objects import NEW, create, running, spark_path
from tests.operate.test_second_person import bind
from tests.operate.tower import INPUTS, ORIGINS, desk, small

ROOT = Path(__file__).parents[2]


def identity(cluster: Cluster, name: str) -> ContextRef:
    """Somebody of the cluster who may walk in the namespace of this test."""
    user = f"{name}-{cluster.namespace}"
    if cluster.session is None:
        bind(cluster, cluster.namespace, user, *GRANTED)
        return cluster.ref(as_user=user)
    cluster.session.kube.access.tokens[f"token-{user}"] = User(user)
    path = cluster.folder / f"{name}.kubeconfig"
    cluster.relay.kubeconfig(path, f"token-{user}", namespace=cluster.namespace)
    return ContextRef(kubeconfig=str(path))


@contextmanager
def responder(ref: ContextRef, cluster: Cluster, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Grace's process, at the question whether to apply; and the id of her walk."""
    what = [str(folder), str(ref.kubeconfig), ref.as_user or "", cluster.namespace]
    call = [sys.executable, "-m", "tests.operate.responder", *what]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            walk = process.stdout.readline().strip()
            assert process.stdout.readline() == "waits\n"
            yield process, walk
        finally:
            process.kill()


async def test_a_second_responder_sees_a_walk_takes_it_over_and_ends_it(cluster: Cluster, tmp_path: Path) -> None:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    grace, ada = (identity(cluster, name) for name in ("grace", "ada"))
    connection = await Connection.open(ada)
    with responder(grace, cluster, tmp_path) as (process, id):
        at = desk(connection, cluster.namespace, tmp_path, actor="ada")
        (seen,) = at.walks()
        assert (seen.id, seen.current, seen.status) == (id, "raise", "waiting"), "live, and read-only"
        assert at.walked_by(id) == f"grace (process {process.pid})"
        with pytest.raises(Busy, match="take it over with a reason"):
            await at.resume(id, Says())
        await at.resume(id, Says(YES), because="her laptop died")
        walk = await at.wait(id)
        said, _ = await asyncio.to_thread(process.communicate, timeout=60)
        assert said == "ada: her laptop died\n", "who had it learns by whom it was taken, and why"
    assert (walk.outcome, len(walk.writes)) == ("resolved", 1)
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"] == NEW
    events = Journal(tmp_path / "journal.db").read(id)
    assert [type(e) for e in events].count(TakenOver) == 1 and [type(e) for e in events].count(Applied) == 1
    assert Journal(tmp_path / "journal.db").verify(id).ok
    await connection.close()


async def test_who_may_not_change_is_told_before_the_first_step_and_reads_on(cluster: Cluster, tmp_path: Path) -> None:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    connection = await Connection.open(cluster.without("sparkapplications", "patch"))
    at = desk(connection, cluster.namespace, tmp_path)
    app = f"{cluster.namespace}/etl-orders"
    id = await at.start(small(), INPUTS, ORIGINS, app, Says(Reply("overhead", "ada"), YES))
    walk = await at.wait(id)
    asked = Journal(tmp_path / "journal.db").read(id)[1]
    assert isinstance(asked, RightsAsked) and asked == walk.rights, "before the first step"
    (missing,) = asked.missing
    assert missing.words == f"patch sparkapplications.sparkoperator.k8s.io in namespace {cluster.namespace}"
    assert missing.steps == ("Raise memoryOverhead to 1200m",)
    assert 'resources: ["sparkapplications"]' in asked.rule and 'verbs: ["patch"]' in asked.rule
    assert walk.path == ("look", "which", "raise", "declined"), "what reads is walked, the change is refused"
    await connection.close()
