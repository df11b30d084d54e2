"""The diff that a person confirms: what matters with its place, no noise, no secrets, nothing that harms a terminal."""

from __future__ import annotations

from typing import Any

from console.actions.effects import STAMP
from console.operate.ahead.diff import ANOTHER_VALUE, diff, fingerprint


def app(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {
            "name": "etl-orders",
            "namespace": "spark-jobs",
            "uid": "u-1",
            "resourceVersion": "41",
            "generation": 1,
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {
            "type": "Python",
            "sparkVersion": "4.1.4",
            "restartPolicy": {"type": "OnFailure", "onFailureRetries": 1},
            "driver": {"cores": 1, "memory": "512m", "serviceAccount": "spark", "labels": {"team": "orders"}},
            "executor": {"cores": 1, "instances": 2, "memory": "512m", "memoryOverhead": "200m", **spec},
        },
        "status": {"applicationState": {"state": "RUNNING"}},
    }


def test_a_changed_field_stands_under_the_keys_that_lead_to_it() -> None:
    assert diff(app(), app(memoryOverhead="1200m")) == (
        " …",
        " spec:",
        " …",
        "   executor:",
        "     cores: 1",
        "     instances: 2",
        "     memory: 512m",
        "-    memoryOverhead: 200m",
        "+    memoryOverhead: 1200m",
    )


def test_what_moves_by_itself_is_no_difference() -> None:
    other = app()
    other["metadata"].update(resourceVersion="99", generation=2, managedFields=[])
    other["metadata"]["annotations"] = {STAMP: "w-1/1"}
    other["status"] = {"applicationState": {"state": "FAILING"}}
    assert diff(app(), other) == ()


def test_a_field_that_goes_and_one_that_comes() -> None:
    lines = diff(app(), app(memoryOverhead=None, coreRequest="500m"))
    assert "-    memoryOverhead: 200m" in lines
    assert "+    coreRequest: 500m" in lines


def test_secrets_are_hidden_and_a_secret_that_changes_says_so() -> None:
    one, two = "planted-" + "one", "planted-" + "two"
    before = app(env=[{"name": "DB_PASSWORD", "value": one}, {"name": "MODE", "value": "slow"}])
    after = app(env=[{"name": "DB_PASSWORD", "value": two}, {"name": "MODE", "value": "fast"}])
    text = "\n".join(diff(before, after))
    assert one not in text
    assert two not in text
    assert ANOTHER_VALUE in text
    assert "+      value: fast" in text


def test_a_secret_that_stays_says_nothing() -> None:
    env = [{"name": "DB_PASSWORD", "value": "planted-value"}]
    text = "\n".join(diff(app(env=env), app(env=env, memoryOverhead="1200m")))
    assert "planted" not in text
    assert ANOTHER_VALUE not in text


def test_hostile_values_cannot_reach_the_terminal() -> None:
    text = "\n".join(diff(app(), app(nodeSelector={"zone": "\x1b]0;owned\x07\u202egpj.exe", "b": "[red]x[/red]"})))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]x[/red]" in text


def test_a_huge_difference_is_cut() -> None:
    lines = diff(app(), app(env=[{"name": f"N{n}", "value": str(n)} for n in range(2000)]))
    assert len(lines) == 401
    assert "more lines" in lines[-1]


def test_the_fingerprint_is_that_of_what_would_change() -> None:
    same = diff(app(), app(memoryOverhead="1200m"))
    moved = app()
    moved["metadata"]["resourceVersion"] = "77"
    assert fingerprint(same) == fingerprint(diff(moved, app(memoryOverhead="1200m")))
    assert fingerprint(same) != fingerprint(diff(app(instances=3), app(instances=3, memoryOverhead="1g")))
