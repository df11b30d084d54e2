"""An application's spec, its status and its pods are compared."""

from __future__ import annotations

from tests.findings.worlds import cr, driver, ended, judge

OF = {"sparkoperator.k8s.io/app-name": "etl", "sparkoperator.k8s.io/launched-by-spark-operator": "true"}
MOUNTED = {
    "volumes": [{"name": "conf", "configMap": {"name": "etl-conf"}}],
    "driver": {
        "memory": "512m",
        "volumeMounts": [{"name": "conf", "mountPath": "/etc/etl"}],
        "tolerations": [{"key": "pool", "operator": "Equal", "value": "spark"}],
    },
}


def test_a_volume_and_a_toleration_that_did_not_reach_the_driver_are_told() -> None:
    said = judge(cr("RUNNING", spec=MOUNTED), driver(labels=OF))
    assert [f.code for f in said] == ["webhook-not-injecting"]
    assert "volume conf, toleration of pool" in said[0].title


def test_what_reached_the_driver_is_nothing() -> None:
    there = driver(labels=OF, volumes=[{"name": "conf", "configMap": {"name": "etl-conf"}}])
    spec = {**MOUNTED, "driver": {k: v for k, v in MOUNTED["driver"].items() if k != "tolerations"}}  # type: ignore[attr-defined]
    assert judge(cr("RUNNING", spec=spec), there) == ()


def test_running_with_a_driver_that_ended_long_ago_is_a_contradiction() -> None:
    said = judge(cr("RUNNING"), driver(ended(0, "Completed", 100), "Running", labels=OF), now=900)
    assert [f.code for f in said] == ["status-contradicts-pod"] and "RUNNING" in said[0].title


def test_failed_with_a_driver_that_ended_well_is_a_contradiction() -> None:
    said = judge(
        cr("FAILED", message="driver pod not found"), driver(ended(0, "Completed", 100), "Succeeded", labels=OF)
    )
    assert "status-contradicts-pod" in {f.code for f in said}


def test_a_driver_that_just_ended_is_none() -> None:
    assert judge(cr("RUNNING"), driver(ended(0, "Completed", 590), "Running", labels=OF), now=600) == ()
