"""A right that is missing is found before anything is tried, and named with the rule to ask for."""

from __future__ import annotations

from pathlib import Path

from console.operate.gate import pass_gate
from console.runbook.walk import Applied, ChangeRefused, Previewed
from console.wire.connection import Connection
from tests.operate.conftest import YES, Cluster, Passage, Says
from tests.operate.objects import NEW, OLD, create, raise_overhead, spark_path


async def test_the_missing_right_is_shown_with_the_exact_rule(cluster: Cluster, tmp_path: Path) -> None:
    made = create(cluster.kube, cluster.namespace)
    connection = await Connection.open(cluster.without("sparkapplications", "patch"))
    passage = Passage(connection, tmp_path, [])
    try:
        ended = await pass_gate(raise_overhead(made), passage.gate(Says(YES)))
    finally:
        await connection.close()
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "permission"
    assert f"you may not patch sparkapplications.sparkoperator.k8s.io in namespace {cluster.namespace}" in ended.because
    rule = '{apiGroups: ["sparkoperator.k8s.io"], resources: ["sparkapplications"], verbs: ["patch"]}'
    assert f"ask for {rule} (Role in {cluster.namespace})" in ended.because
    assert cluster.relay.writes == [], "nothing was tried"
    shown = passage.events[0]
    assert isinstance(shown, Previewed)
    assert f"+    memoryOverhead: {NEW}" in shown.preview.diff
    assert "ask for" in shown.preview.read_only


async def test_what_may_not_be_read_is_unknown_and_stops_nothing(cluster: Cluster, tmp_path: Path) -> None:
    made = create(cluster.kube, cluster.namespace)
    connection = await Connection.open(cluster.without("resourcequotas", "get", "list"))
    passage = Passage(connection, tmp_path, [])
    person = Says(YES)
    try:
        ended = await pass_gate(raise_overhead(made), passage.gate(person))
    finally:
        await connection.close()
    assert isinstance(ended, Applied), ended
    assert person.asked[0].preview is not None
    quota = [c for c in person.asked[0].preview.consequences if c.topic == "quota" and c.level == "unknown"]
    assert len(quota) == 1
    assert "could not be checked" in quota[0].text


async def test_an_event_that_may_not_be_written_stops_nothing(cluster: Cluster, tmp_path: Path) -> None:
    made = create(cluster.kube, cluster.namespace)
    connection = await Connection.open(cluster.without("events", "create"))
    passage = Passage(connection, tmp_path, [])
    try:
        ended = await pass_gate(raise_overhead(made), passage.gate(Says(YES)))
    finally:
        await connection.close()
    assert isinstance(ended, Applied)
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"] != OLD
