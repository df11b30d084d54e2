"""The fast decoder of pods gives exactly what the plain one gives, for every pod that was ever recorded here."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from console.facts.model import Origin
from console.sources.cluster import decode
from console.sources.cluster.pods import PodDecoder
from tests.wire.peer import recorded


def pods() -> list[dict[str, Any]]:
    out = []
    for name in ("pods-1.20.2", "pods-probes-1.37.2"):
        out += json.loads(recorded(f"kubernetes/{name}.json"))["items"]
    for line in recorded("kubernetes/executor-oom.watch.jsonl").splitlines():
        out.append(json.loads(line)["object"])
    return out


def plain(tree: dict[str, Any], *, gone: bool = False) -> Any:
    meta = tree["metadata"]
    locator = f"/api/v1/namespaces/{meta.get('namespace') or ''}/pods/{meta['name']}"
    return decode.pod(tree, Origin("kubernetes", locator, 5.0), gone=gone)


def test_every_recorded_pod() -> None:
    known = pods()
    body = json.dumps({"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": known}).encode()
    decoder = PodDecoder()
    version, first = decoder.page(body, 5.0)
    _, second = decoder.page(body, 5.0)  # now from the caches
    assert version == "9" and len(known) > 35
    assert first == second == [plain(tree) for tree in known]


def test_the_last_object_of_a_watch() -> None:
    tree = pods()[-1]
    assert PodDecoder().one(json.dumps(tree).encode(), 5.0, gone=True) == plain(tree, gone=True)


EXTRA: list[dict[str, Any]] = [
    {"metadata": {"name": "x"}},
    {"metadata": {"name": "x", "labels": None, "namespace": None}, "spec": {"containers": None}, "status": {}},
    {
        "metadata": {"name": "x", "deletionTimestamp": "2026-11-23T10:00:30Z", "deletionGracePeriodSeconds": 30},
        "spec": {
            "hostPID": True,
            "securityContext": {"runAsUser": 0},
            "nodeSelector": {"a": "b"},
            "priorityClassName": "high",
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "volumes": [
                {"name": "kube-api-access-abcde", "projected": {"sources": []}},
                {"name": "d", "emptyDir": {"medium": "Memory"}},
                {"name": "s", "secret": {"secretName": "t", "optional": True}},
            ],
            "containers": [
                {
                    "name": "spark-kubernetes-driver",
                    "args": ["--conf", "spark.x.password=hunter2"],
                    "securityContext": {"privileged": True},
                    "env": [
                        {"name": "SPARK_EXECUTOR_ID", "value": "7"},
                        {"name": "SPARK_AUTH_TOKEN", "value": "hunter2"},
                        {"name": "OTHER", "value": "hunter2"},
                    ],
                },
                {"name": "istio-proxy", "resources": {"limits": {"memory": "bogus", "cpu": 2}}},
            ],
            "initContainers": [{"name": "side", "restartPolicy": "Always"}, {"name": "init"}],
        },
        "status": {
            "containerStatuses": [{"name": "ephemeral", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
            "initContainerStatuses": [{"name": "side", "state": {"running": {"startedAt": "2026-11-23T10:00:00Z"}}}],
        },
    },
]


@pytest.mark.parametrize("tree", EXTRA)
def test_odd_pods(tree: dict[str, Any]) -> None:
    found = PodDecoder().one(json.dumps(tree).encode(), 5.0)
    assert found == plain(tree)
    assert "hunter2" not in msgspec.json.encode(found).decode()


def test_executors_share_what_they_have_in_common() -> None:
    tree = EXTRA[2]
    decoder, other = PodDecoder(), json.loads(json.dumps(tree))
    other["spec"]["containers"][0]["env"][0]["value"] = "8"
    other["spec"]["volumes"][0]["name"] = "kube-api-access-zzzzz"
    one, two = (decoder.one(json.dumps(t, separators=(",", ":")).encode(), 5.0) for t in (tree, other))
    assert one.main is not None and two.main is not None
    assert one.main.env is two.main.env and one.volumes is two.volumes


@pytest.mark.parametrize(
    "spec", [{"nodeName": 5}, {"containers": "x"}, {"containers": [{"args": "not a list"}]}, {"volumes": [3]}]
)
def test_wrong_types_are_read_as_missing_as_the_plain_decoder_does(spec: dict[str, Any]) -> None:
    tree = {"metadata": {"name": "x"}, "spec": spec}
    assert PodDecoder().one(json.dumps(tree).encode(), 5.0) == plain(tree)
    body = json.dumps({"metadata": {}, "items": [tree, {"metadata": {"name": "y"}}, 5, {}]}).encode()
    assert [pod.name for pod in PodDecoder().page(body, 5.0)[1]] == ["x", "y"]


def test_full_caches_are_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.cluster.pods._LIMIT", 3)
    decoder = PodDecoder()
    for tree in pods():
        assert decoder.one(json.dumps(tree).encode(), 5.0) == plain(tree)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"items": 5}'])
def test_what_is_no_list(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        PodDecoder().page(body, 5.0)
