"""Generated rules: promtool accepts them, their unit tests pass, and a factor broken on purpose fails one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cli.main import run
from console.settings.presets import load_library
from console.slo.rules import impossible, pairs, prometheus_rule, rule_file, unit_tests
from console.slo.spec import Alerting, Events, Ratio, Sli, Slices, SloSpec
from tests.cluster.parts import require_parts

LIBRARY = load_library()
EVENTS = Sli(events=Events(total="sum(increase(total[{window}]))", bad="sum(increase(bad[{window}]))"))


def spec(**over: Any) -> SloSpec:
    fields = {"id": "jobs", "title": "Jobs", "objective": 99.0, "sli": EVENTS, "runbooks": ("spark-oom",), **over}
    return SloSpec(**fields)


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    binary = require_parts("promtool")["promtool"]
    return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=120)


def written(folder: Path, specs: list[SloSpec]) -> tuple[Path, Path]:
    rules, tests = folder / "rules.yaml", folder / "tests.yaml"
    rules.write_text(yaml.safe_dump(rule_file(specs)))
    tests.write_text(yaml.safe_dump(unit_tests(specs, "rules.yaml")))
    return rules, tests


SHIPPED = {f"{s.id}-{s.objective:g}": s for name in LIBRARY.names() for s in LIBRARY.preset(name).specs()}


@pytest.mark.parts
@pytest.mark.parametrize("name", LIBRARY.names())
def test_promtool_accepts_the_rules_of_every_preset(name: str, tmp_path: Path) -> None:
    rules, _ = written(tmp_path, list(LIBRARY.preset(name).specs()))
    checked = promtool("check", "rules", rules)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parts
@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_unit_tests_of_every_shipped_objective_pass(name: str, tmp_path: Path) -> None:
    _, tests = written(tmp_path, [SHIPPED[name]])
    tested = promtool("test", "rules", tests)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parts
@pytest.mark.parametrize(
    "one",
    [
        spec(objective=99.9),
        spec(objective=90.0),
        spec(objective=100.0),
        spec(alerting=Alerting(at_least=3)),
        spec(sli=Sli(slices=Slices(good="min(up) > bool 0"))),
        spec(sli=Sli(ratio=Ratio(errors="avg_over_time(errors:ratio[{window}])"))),
        spec(period=28 * 86400.0),
    ],
    ids=["999", "90", "100", "at-least", "slices", "ratio", "28d"],
)
def test_every_kind_of_objective(one: SloSpec, tmp_path: Path) -> None:
    rules, tests = written(tmp_path, [one])
    assert promtool("check", "rules", rules).returncode == 0
    tested = promtool("test", "rules", tests)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parts
@pytest.mark.parametrize("broken", ["14.4 * 0.01", "6 * 0.01", "3 * 0.01", "1 * 0.01"])
@pytest.mark.parametrize("by", [1.01, 0.99])
def test_a_factor_that_is_broken_on_purpose_fails_a_test(broken: str, by: float, tmp_path: Path) -> None:
    rules, tests = written(tmp_path, [spec()])
    factor = float(broken.split()[0])
    text = rules.read_text()
    assert f"> ({broken})" in text
    rules.write_text(text.replace(f"> ({broken})", f"> ({factor * by:g} * 0.01)"))
    assert promtool("check", "rules", rules).returncode == 0
    tested = promtool("test", "rules", tests)
    assert tested.returncode != 0
    assert "FAILED" in tested.stdout + tested.stderr


@pytest.mark.parts
@pytest.mark.parametrize("broken", ["and console_slo:error_ratio:rate5m", "absent(sum(total))"])
def test_a_condition_that_is_broken_on_purpose_fails_a_test(broken: str, tmp_path: Path) -> None:
    rules, tests = written(tmp_path, [spec()])
    document = yaml.safe_load(rules.read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].replace(broken, broken.replace("and ", "or ").replace("absent", "sum"))
    rules.write_text(yaml.safe_dump(document))
    assert promtool("test", "rules", tests).returncode != 0


def test_each_alert_has_a_firing_a_silent_and_a_no_data_case() -> None:
    document = unit_tests([spec()], "rules.yaml")
    words = [test["name"].split(": ")[-1] for test in document["tests"]]
    assert words.count("fires") == 4
    assert words.count("silent below the factor") == 4
    assert words.count("silent without data") == 4
    assert words.count("fires without data") == 1


def test_alerts_carry_the_name_of_their_runbook() -> None:
    alerts = [rule for group in rule_file([spec()])["groups"] for rule in group["rules"] if "alert" in rule]
    assert {rule["labels"]["runbook"] for rule in alerts} == {"spark-oom"}
    assert {rule["annotations"]["console"] for rule in alerts} == {"console runbook spark-oom"}
    assert {rule["labels"]["severity"] for rule in alerts} == {"critical", "warning"}


def test_what_can_never_alert_is_left_out_and_said() -> None:
    loose = spec(objective=90.0)
    assert [pair.long for pair in pairs(loose)] == [21600, 86400, 259200]
    assert impossible(loose) == (
        "jobs: a burn of 14.4 over 1h would need an error ratio of 1.44, so it can never alert",
    )


def test_an_object_for_the_prometheus_operator() -> None:
    made = prometheus_rule([spec()], "console-slo", "monitoring", {"release": "prom"})
    assert made["metadata"] == {"name": "console-slo", "namespace": "monitoring", "labels": {"release": "prom"}}
    assert [group["name"] for group in made["spec"]["groups"]] == [
        "console-slo-jobs-ratios",
        "console-slo-jobs-budget",
        "console-slo-jobs-alerts",
    ]


def test_the_command_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["slo", "rules", "--preset", "core-baseline"]) == 0
    assert len(yaml.safe_load(capsys.readouterr().out)["groups"]) == 9
    assert run(["slo", "rules", "--preset", "core-baseline", "-o", "tests"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["rule_files"] == ["console-slo.rules.yaml"]
    assert run(["slo", "rules", "--preset", "core-baseline", "-o", "prometheusrule", "--label", "a=b"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["kind"] == "PrometheusRule"
    assert run(["slo", "rules", "--preset", "core-baseline", "--only", "job-success"]) == 0
    assert len(yaml.safe_load(capsys.readouterr().out)["groups"]) == 3
    assert run(["slo", "rules", "--preset", "core-basline"]) == 2
    assert "did you mean 'core-baseline'?" in capsys.readouterr().err
