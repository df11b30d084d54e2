"""The ClusterRole that `console doctor --rbac` prints lets Console read all that it looks at, and nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.live.doctor.rights import reading
from tests.cluster.command import Console
from tests.cluster.controlplane import KubeApi
from tests.operate.objects import create, running

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def rules() -> list[dict[str, Any]]:
    return list(reading()["rules"])


def test_it_lets_nobody_change_anything_or_read_a_secret() -> None:
    assert {verb for rule in rules() for verb in rule["verbs"]} == {"get", "list", "watch"}
    named = {resource for rule in rules() for resource in rule["resources"]}
    assert "secrets" not in named and "*" not in named
    assert {"pods", "pods/log", "pods/proxy", "sparkapplications", "networkpolicies", "endpointslices"} <= named


def test_no_resource_stands_in_it_twice() -> None:
    named = [(rule["apiGroups"][0], resource) for rule in rules() for resource in rule["resources"]]
    assert len(named) == len(set(named))


@pytest.mark.parts
def test_with_it_alone_nothing_that_console_looks_at_is_forbidden_on_a_real_server(
    kube_api: KubeApi, tmp_path: Path
) -> None:
    space = kube_api.new_namespace("rights")
    create(kube_api, space)
    running(kube_api, space)
    console = Console(tmp_path, kube_api.kubeconfig, "admin", mode="read-only")
    role = yaml.safe_load(console("doctor", "--rbac").stdout)
    kube_api.grant(space, *role["rules"])
    said: list[tuple[str, str]] = []
    for command in (("status",), ("components",), ("advise",), ("diagnose", f"{space}/etl-orders")):
        ran = console(*command, "--as", space, "-n", space, "-o", "json")
        assert ran.stdout, ran.stderr
        said += [(" ".join(command), text) for text in _texts(json.loads(ran.stdout)) if "forbidden" in text]
    assert [one for one in said if "secrets" not in one[1]] == []
    checks = json.loads(console("doctor", "--as", space, "-n", space, "-o", "json").stdout)["items"]
    refused = {
        one["name"] for one in checks if one["standing"] in ("limited", "missing") and "not allowed" in one["detail"]
    }
    assert refused == set()
    for kind, name in (("clusterrolebindings", space), ("clusterroles", space)):
        kube_api.delete(f"{RBAC}/{kind}/{name}")


def _texts(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _texts(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in _texts(value)]
    return [tree] if isinstance(tree, str) else []
