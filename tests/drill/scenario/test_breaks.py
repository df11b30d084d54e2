"""What a scenario does to its world, written in the verbs of runbooks, and worlds that scenarios share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.base.errors import DocumentError, UsageError
from console.drill.scenario.files import load, read
from console.drill.scenario.model import Scenario
from tests.drill.conftest import Api, open_api

HEAD = """\
apiVersion: console.drill/v1
kind: Scenario
name: mine
title: Mine
runbook: mine
warmup: 60s
"""
WORLD = """\
world:
  cluster: drill
  namespace: spark-prod
  nodes: [{name: node-1}]
  apps: []
"""
CASES = """\
cases:
  default:
    title: It breaks
    break:
    - {scale: Deployment/spark-operator/spark-operator-controller, to: 0, at: -30s}
    - {patch: Deployment/hive-metastore, with: {metadata: {labels: {tier: gold}}}, by: alice, at: -30s}
    - {delete: Service/spark-connect, at: -20s}
    - {cordon: node-1, at: -10s}
    - create: {apiVersion: v1, kind: ConfigMap, metadata: {name: notes}, data: {who: me, where: $namespace}}
      at: 30s
    expect: {outcomes: [resolved]}
"""


def scenario(text: str = HEAD + WORLD + CASES, file: str = "mine.yaml") -> Scenario:
    return read(text, file)


async def objects(api: Api, *paths: str) -> list[Any]:
    return [await api.get(path) for path in paths]


async def test_each_verb_changes_its_object_at_its_time() -> None:
    async with open_api(scenario=scenario()) as api:
        operator, metastore, node = await objects(
            api,
            "/apis/apps/v1/namespaces/spark-operator/deployments/spark-operator-controller",
            "/apis/apps/v1/namespaces/spark-prod/deployments/hive-metastore",
            "/api/v1/nodes/node-1",
        )
        assert (operator["spec"]["replicas"], operator["metadata"]["generation"]) == (0, 2)
        assert operator["status"].get("availableReplicas", 0) == 0
        assert metastore["metadata"]["labels"]["tier"] == "gold" and metastore["metadata"]["generation"] == 1
        assert "alice" in {entry["manager"] for entry in metastore["metadata"]["managedFields"]}
        assert node["spec"]["unschedulable"] is True
        assert [t["key"] for t in node["spec"]["taints"]] == ["node.kubernetes.io/unschedulable"]
        services, maps = "/api/v1/namespaces/spark-prod/services", "/api/v1/namespaces/spark-prod/configmaps"
        assert "spark-connect" not in {s["metadata"]["name"] for s in (await api.get(services))["items"]}
        assert (await api.call("GET", f"{maps}/notes"))[0] == 404
        await api.session.run_for(31)
        assert (await api.get(f"{maps}/notes"))["data"] == {"who": "me", "where": "spark-prod"}


async def test_the_long_form_and_the_short_one_mean_the_same() -> None:
    long = HEAD + WORLD + CASES.replace(
        "- {cordon: node-1, at: -10s}", "- {kind: cordon, target: node-1, at: -10s}"
    )  # fmt: skip
    for text in (long, long.replace("    break:", "    faults:")):
        assert [f.kind for f in scenario(text).cases["default"].breaks] == [
            f.kind for f in scenario().cases["default"].breaks
        ]


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("{cordon: node-1,", "{cordn: node-1,", "hint: did you mean 'cordon'", 19),
        ("{cordon: node-1,", "{cordon: node-2,", "'node-2' is not in this world", 19),
        ("{cordon: node-1,", "{cordon: node-1, drain: node-1,", "one verb is wanted here", 19),
        ("to: 0, at", "too: 0, at", "unknown key 'too'", 16),
        ("to: 0, at", "at", "scale needs 'to'", 16),
        ("Deployment/hive-metastore", "Deplyment/hive-metastore", "no kind 'Deplyment'", 17),
        ("Deployment/hive-metastore", "hive-metastore", "no kind 'hive-metastore'", 17),
        ("kind: ConfigMap,", "kind: ConfigMapp,", "the API has no 'ConfigMapp'", 20),
        ("at: 30s", "at: soon", "is no duration", 21),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands(old: str, new: str, message: str, line: int) -> None:
    text = HEAD + WORLD + CASES
    assert old in text
    with pytest.raises(DocumentError) as caught:
        scenario(text.replace(old, new, 1))
    assert message in str(caught.value) and caught.value.line == line


async def test_an_object_that_is_not_there_when_the_drill_begins_is_an_error() -> None:
    text = HEAD + WORLD + CASES.replace("Deployment/hive-metastore", "Deployment/hive-metastoer")
    with pytest.raises(UsageError, match="breaks Deployment/hive-metastoer, which its world does not have"):
        async with open_api(scenario=scenario(text)):
            pass


# -- shared worlds -----------------------------------------------------------------------------------------------------


def shared(folder: Path) -> Path:
    (folder / "worlds").mkdir()
    world = "".join(line.removeprefix("  ") for line in WORLD.splitlines(keepends=True)[1:])
    extra = """\
objects:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: notes}
  data: {where: $namespace}
"""
    head = "apiVersion: console.drill/v1\nkind: World\n"
    (folder / "worlds" / "small.yaml").write_text(head + world + extra)
    return folder / "mine.yaml"


async def test_a_world_is_taken_by_its_name_and_changed(tmp_path: Path) -> None:
    file = shared(tmp_path)
    file.write_text(
        HEAD
        + """\
world:
  from: small
  nodes:
  - {name: node-1, cpu: 4}
  - {name: node-2}
  objects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: notes}, data: {who: me}}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: hive-metastore}
    spec: {replicas: 2}
"""
        + CASES
    )
    async with open_api(scenario=load(file)) as api:
        nodes, notes, metastore = await objects(
            api,
            "/api/v1/nodes",
            "/api/v1/namespaces/spark-prod/configmaps/notes",
            "/apis/apps/v1/namespaces/spark-prod/deployments/hive-metastore",
        )
        amounts = {n["metadata"]["name"]: n["status"]["capacity"]["cpu"] for n in nodes["items"]}
        assert amounts == {"node-1": "4", "node-2": "16"}
        assert notes["data"] == {"where": "spark-prod", "who": "me"}
        assert metastore["status"]["readyReplicas"] == 2, "what is laid over a shipped object is so from the start"


async def test_a_case_may_have_a_world_of_its_own(tmp_path: Path) -> None:
    file = shared(tmp_path)
    cases = (
        CASES
        + """\
  poor:
    title: A quota
    world: {quota: {pods: "5"}, nodes: [{name: node-1, remove: true}, {name: node-9}]}
    break: [{cordon: node-9}]
    expect: {outcomes: [resolved]}
"""
    )
    file.write_text(HEAD + "world: small\n" + cases)
    async with open_api("poor", load(file)) as api:
        nodes, quotas = await objects(api, "/api/v1/nodes", "/api/v1/namespaces/spark-prod/resourcequotas")
        assert [n["metadata"]["name"] for n in nodes["items"]] == ["node-9"]
        assert quotas["items"][0]["spec"]["hard"] == {"pods": "5"}


def test_a_world_that_is_not_there_or_wrong_is_named(tmp_path: Path) -> None:
    file = shared(tmp_path)
    for named, message in (("smal", "did you mean 'small'"), ("none.yaml", "there is no file 'none.yaml'")):
        file.write_text(HEAD + f"world: {named}\n" + CASES)
        with pytest.raises(DocumentError, match=message) as caught:
            load(file)
        assert caught.value.line == 7
    wrong = tmp_path / "worlds" / "small.yaml"
    wrong.write_text(wrong.read_text().replace("{name: node-1}", "{nam: node-1}"))
    file.write_text(HEAD + "world: small\n" + CASES)
    with pytest.raises(DocumentError, match="unknown key 'nam'") as caught:
        load(file)
    assert caught.value.file == str(wrong)


def test_a_scenario_without_a_world_says_so() -> None:
    with pytest.raises(DocumentError, match="'world' is missing"):
        scenario(HEAD + CASES)
    assert msgspec.to_builtins(scenario().world)["namespace"] == "spark-prod"
