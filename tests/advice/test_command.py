"""`console advise DIR`: the published document, the families, and exit codes that scripts can gate by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cli.main import run

APP: dict[str, Any] = {
    "apiVersion": "sparkoperator.k8s.io/v1beta2",
    "kind": "SparkApplication",
    "metadata": {"name": "etl", "namespace": "jobs", "uid": "u1"},
    "spec": {
        "type": "Python",
        "sparkVersion": "4.1.4",
        "sparkConf": {"spark.sql.adaptive.enabled": "false", "spark.sql.adaptive.enable": "false"},
        "driver": {"memory": "1g"},
        "executor": {"memory": "1g", "instances": 1},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "app.yaml").write_text(yaml.safe_dump(APP))
    return str(tmp_path)


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    code = run(["advise", *argv, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_advice_is_published_with_its_reason_and_its_source(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    code, found = document(capsys, folder)
    assert code == 0 and next(iter(found)) == "apiVersion" and found["kind"] == "AdviceList"
    assert [i["id"] for i in found["items"]] == ["aqe-off", "unknown-key"]
    first = found["items"][0]
    assert set(first) >= {"priority", "because", "do", "holdsFor", "source", "subject", "about"}
    assert first["evidence"][0]["locator"].startswith("app.yaml: SparkApplication jobs/etl")
    assert found["apps"] == ["jobs/etl"] and found["namespaces"] == ["jobs"]


@pytest.mark.parametrize(("level", "code"), [("high", 0), ("medium", 1), ("low", 1)])
def test_a_gate_shuts_at_its_level(folder: str, level: str, code: int) -> None:
    assert run(["advise", folder, "--fail-on", level]) == code


def test_one_family_alone(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    code, found = document(capsys, folder, "--family", "versions", "--fail-on", "low")
    assert code == 0 and found["items"] == []


def test_the_text_groups_by_subject(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    assert run(["advise", folder]) == 0
    text = capsys.readouterr().out
    assert text.startswith("SparkApplication/jobs/etl\n  MEDIUM aqe-off: adaptive query execution is switched off\n")
    assert "did you mean spark.sql.adaptive.enabled?" in text


def test_a_folder_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["advise", str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_hostile_keys_are_shown_clean(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = {
        **APP["spec"],
        "sparkConf": {"spark.sql.adaptive.enable\x1b[31md": "false", "spark.executor.cores": "\x1b]0;x"},
    }
    (tmp_path / "app.json").write_text(json.dumps({**APP, "spec": spec}))
    assert run(["advise", str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_folder_may_hold_the_security_of_a_namespace(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    spark = {"kind": "ServiceAccount", "name": "spark", "namespace": "jobs"}
    driver = {"name": "spark-kubernetes-driver", "image": "spark:latest"}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "jobs"}, "spec": {"finalizers": ["kubernetes"]}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "etl-driver", "namespace": "jobs", "labels": {"spark-role": "driver"}},
            "spec": {"containers": [driver], "serviceAccountName": "spark"},
            "status": {"phase": "Running"},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "deny", "namespace": "jobs"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            **rbac,
            "kind": "ClusterRole",
            "metadata": {"name": "wide"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
        },
        {
            **rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "wide"},
            "roleRef": {"kind": "ClusterRole", "name": "wide"},
            "subjects": [spark],
        },
    ]
    listed = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": objects}
    (Path(folder) / "objects.json").write_text(json.dumps(listed))
    code, found = document(capsys, folder, "--family", "security")
    assert code == 0
    assert [i["id"] for i in found["items"]] == ["over-wide-account", "pod-security-level", "not-restricted"]
    assert "do everything in every namespace" in found["items"][0]["statement"]
    assert any("rolebindings" in u["what"] and "nothing of it in the folder" in u["because"] for u in found["unjudged"])
