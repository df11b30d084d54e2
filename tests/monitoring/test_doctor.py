"""What the doctor says of monitoring, and of files of presets that do not load."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from console.facts.monitoring import Objects, Outage, ScrapeObject
from console.live.doctor.checks import _presets, monitoring_checks
from console.live.plan import Plan
from console.settings.load import load
from console.wire.config import ContextRef
from tests.monitoring.worlds import NOW, TARGETS, scrape, seen


def test_each_part_of_monitoring_is_one_check() -> None:
    checks = {check.name: check for check in monitoring_checks(seen())}
    assert {check.standing for check in checks.values()} == {"ok"}
    assert checks["monitoring targets"].detail == "3 targets answer"


def test_what_is_blind_is_said_with_its_proof() -> None:
    dead = scrape("spark-connect", "10.0.0.9:4040", health="down", error="connection refused")
    blind = seen(targets=(*TARGETS, dead), down=(Outage("spark-connect", "10.0.0.9:4040", NOW - 900),))
    check = next(c for c in monitoring_checks(blind) if c.name == "monitoring targets")
    assert (check.standing, check.detail) == ("limited", "the target of scrape job spark-connect does not answer")
    assert check.hint == "http://10.0.0.9:4040/metrics: connection refused"


def test_what_could_not_be_read_is_unknown_and_not_ok() -> None:
    checks = monitoring_checks(seen(rules=None, unread=(("rules", "HTTP 404"),)))
    check = next(c for c in checks if c.name == "monitoring rules")
    assert (check.standing, check.detail) == ("unknown", "HTTP 404")


def test_a_preset_that_does_not_load_is_named_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "ours.yaml").write_text("title: Ours\nextnds: [core-baseline]\n")
    config = tmp_path / "config.yaml"
    config.write_text("preset_paths: [presets]\n")
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    check = _presets(Plan(load(config, context="", flags={}), ContextRef()))
    assert check.standing == "limited"
    assert "ours.yaml:2" in check.detail and "did you mean 'extends'?" in check.detail


def test_a_monitor_of_a_few_minutes_is_not_judged_yet_and_named_with_its_namespace() -> None:
    young = ScrapeObject("ServiceMonitor", "team-a", "spark-connect", created=NOW - 120)
    checks = monitoring_checks(seen(objects=Objects(monitors=(young,), services=())))
    check = next(c for c in checks if c.name == "monitoring objects")
    assert check.standing == "unknown"
    assert check.detail == "not judged yet, younger than 10 minutes: ServiceMonitor/team-a/spark-connect"
    old = replace(young, created=NOW - 3600)
    checks = monitoring_checks(seen(objects=Objects(monitors=(old,), services=())))
    assert next(c for c in checks if c.name == "monitoring objects").detail == (
        "ServiceMonitor team-a/spark-connect selects no Service"
    )


def test_young_monitors_are_named_beside_old_ones_that_select_nothing() -> None:
    young = ScrapeObject("ServiceMonitor", "team-a", "spark-connect", created=NOW - 120)
    old = ScrapeObject("ServiceMonitor", "team-b", "etl", created=NOW - 7200)
    checks = monitoring_checks(seen(objects=Objects(monitors=(young, old), services=())))
    check = next(c for c in checks if c.name == "monitoring objects")
    assert check.detail == (
        "ServiceMonitor team-b/etl selects no Service; not judged yet, younger than 10 minutes: "
        "ServiceMonitor/team-a/spark-connect"
    )


def test_a_rule_object_that_is_no_promql_is_told_with_its_place() -> None:
    rules = [{"alert": "Elevated", "expr": "a > 0.02 and < 0.05"}]
    torn = ScrapeObject("PrometheusRule", "team-b", "slo", {}, NOW - 60, {"groups": [{"name": "g", "rules": rules}]})
    checks = monitoring_checks(seen(objects=Objects(rules=(torn,))))
    check = next(c for c in checks if c.name == "monitoring rules")
    assert (check.standing, check.detail) == (
        "limited",
        "PrometheusRule team-b/slo: Elevated is no PromQL; not judged yet, younger than 10 minutes: "
        "PrometheusRule/team-b/slo",
    )
    assert "group g rule Elevated: at 1:14 '<' has nothing on its left" in check.hint
