"""Whether a node takes a pod: taints, selectors, affinity and room, as the scheduler's plugins ask."""

from __future__ import annotations

from typing import Any

import pytest

from console.drill.control.fitting import lacking, matches, requests, suits, tolerates, untolerated

TAINT = {"key": "team", "value": "ml", "effect": "NoSchedule"}


def node(**spec: Any) -> dict[str, Any]:
    labels = {"disk": "ssd", "cores": "16"}
    return {"metadata": {"name": "n-1", "labels": labels}, "spec": spec}


@pytest.mark.parametrize(
    ("toleration", "borne"),
    [
        ({"key": "team", "value": "ml", "effect": "NoSchedule"}, True),
        ({"key": "team", "value": "ml"}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "team", "value": "web"}, False),
        ({"key": "team"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "team", "value": "ml", "effect": "NoExecute"}, False),
    ],
)
def test_a_toleration_covers_a_taint_by_key_value_and_effect(toleration: dict[str, str], borne: bool) -> None:
    assert tolerates(toleration, TAINT) is borne
    assert (untolerated({"tolerations": [toleration]}, node(taints=[TAINT])) is None) is borne


def test_a_preference_keeps_nobody_out() -> None:
    assert untolerated({}, node(taints=[{**TAINT, "effect": "PreferNoSchedule"}])) is None
    assert untolerated({}, node(taints=[TAINT])) == TAINT
    assert not suits({}, node(taints=[TAINT])) and suits({}, node())


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, True),
        ({"key": "disk", "operator": "In", "values": ["hdd"]}, False),
        ({"key": "disk", "operator": "NotIn", "values": ["hdd"]}, True),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, False),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "disk", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "Exists"}, False),
        ({"key": "zone", "operator": "DoesNotExist"}, True),
        ({"key": "disk", "operator": "DoesNotExist"}, False),
        ({"key": "cores", "operator": "Gt", "values": ["15"]}, True),
        ({"key": "cores", "operator": "Gt", "values": ["16"]}, False),
        ({"key": "cores", "operator": "Lt", "values": ["17"]}, True),
        ({"key": "cores", "operator": "Lt", "values": ["16"]}, False),
        ({"key": "disk", "operator": "Between", "values": ["1"]}, False),
    ],
)
def test_required_affinity_asks_for_labels(rule: dict[str, Any], fits: bool) -> None:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}
    assert matches({"affinity": {"nodeAffinity": required}}, node()) is fits


def test_one_term_of_many_is_enough_and_a_selector_wants_every_label() -> None:
    wrong = {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}
    right = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n-1"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [wrong, right]}}
    assert matches({"affinity": {"nodeAffinity": required}}, node())
    assert matches({"nodeSelector": {"disk": "ssd"}}, node())
    assert not matches({"nodeSelector": {"disk": "ssd", "zone": "a"}}, node())


def test_everything_that_is_short_is_named() -> None:
    containers = [
        {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}},
        {"resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "2"}}},
    ]
    wanted = requests({"spec": {"containers": containers}})
    assert wanted == {"cpu": 3.0, "memory": 2.0**30, "nvidia.com/gpu": 1.0}
    assert lacking(wanted, {"cpu": 3.0, "memory": 2.0**30, "nvidia.com/gpu": 1.0, "pods": 1.0}) == []
    assert lacking(wanted, {"cpu": 2.5, "memory": 2.0**30, "pods": 0.0}) == [
        "Too many pods", "Insufficient cpu", "Insufficient nvidia.com/gpu",
    ]  # fmt: skip
