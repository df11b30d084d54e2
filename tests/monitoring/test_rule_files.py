"""Rules that are written in the cluster and that no Prometheus has: each with its file, group, rule and place."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from console.facts.model import Facts, Workload
from console.facts.monitoring import Loaded, Monitoring, Objects
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.monitoring import rulefiles
from console.monitoring.rulefiles import ExpressionFault
from console.sources.cluster.configmaps import content
from tests.cluster.monitoring import Prometheus
from tests.cluster.parts import require_parts
from tests.components.worlds import workload
from tests.monitoring.worlds import NOW, seen, thing

CHAINED = "sum(rate(a_total[5m]))\n  / sum(rate(b_total[5m])) > 0.02\n  and < 0.05\n"
FAULTS = {
    "(a / b) > 0.02 and < 0.05": (1, 20),
    CHAINED: (3, 7),
    "> 0.02": (1, 1),
    "a > bool < 2": (1, 10),
    "a * on (job) group_left (x) b == > 2": (1, 34),
}
"""What is no PromQL -> where Prometheus says so."""
RULES = {
    "groups": [
        {"name": "slo", "rules": [{"alert": "Fine", "expr": "up == 0"}, {"alert": "Elevated", "expr": CHAINED}]},
        {"name": "more", "rules": [{"record": "job:a:rate", "expr": "sum by (job) (rate(a_total[5m]))"}]},
    ]
}
TEXT = "groups:\n  - name: slo\n    rules:\n      - alert: Fine\n        expr: up == 0\n      - alert: Elevated\n"
TEXT += "        expr: |\n          (a / b) > 0.02\n          and < 0.05\n"


def config(name: str, files: dict[str, str], labels: dict[str, str] | None = None) -> Workload:
    """A ConfigMap as the source keeps it."""
    made = workload("ConfigMap", name, labels or {"role": "alert-rules"}, spec=dict(files))
    kept = content({"metadata": {"labels": made.labels}, "data": files})
    assert kept is not None
    return replace(made, spec={key: value for key, value in kept.items() if key != "metadata"})


def mounting(name: str, *, env: dict[str, str] | None = None) -> Workload:
    """A server with the ConfigMap as a volume, or with a sidecar that looks for a label."""
    named = [{"name": key, "value": value} for key, value in (env or {}).items()]
    volumes = [] if env else [{"name": "rules", "configMap": {"name": name}}]
    pod = {"containers": [{"name": "main", "image": "prometheus", "env": named}], "volumes": volumes}
    return workload("StatefulSet", "prometheus", spec={"template": {"spec": pod}})


def found(*workloads: Workload, monitoring: Monitoring | None = None) -> dict[str, Finding]:
    judged = diagnose(Facts(at=NOW, workloads=workloads, monitoring=monitoring), ())
    return {one.code: one for one in judged if one.code.startswith("monitoring")}


@pytest.mark.parametrize(("expr", "place"), FAULTS.items())
def test_an_operator_without_a_side_is_named_with_its_place(expr: str, place: tuple[int, int]) -> None:
    said = rulefiles.fault(expr)
    assert said is not None and (said.line, said.column) == place
    assert said.words.endswith("has nothing on its left")


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("up == 0 and on (job) absent(x) or up > -2", None),
        ('a{b=~"> and <"} > 1 # and <', None),
        ("1 +", ExpressionFault("'+' has nothing on its right", 1, 3)),
        ("sum(rate(a[5m])", ExpressionFault("'(' is not closed", 1, 4)),
        ("a) > 1", ExpressionFault("')' closes nothing", 1, 2)),
        ("rate(a)", ExpressionFault("expected type matrix in call to function 'rate', got vector")),
        ("  ", ExpressionFault("there is no expression")),
    ],
)
def test_other_faults_say_what_they_are(expr: str, said: ExpressionFault | None) -> None:
    assert rulefiles.fault(expr) == said


def test_a_file_in_a_configmap_that_is_no_promql_is_told_with_all_that_is_lost() -> None:
    torn = config(
        "platform-rules", {"rules.yaml": TEXT, "more.yaml": yaml.safe_dump({**RULES, "groups": RULES["groups"][1:]})}
    )
    one = found(torn, mounting("platform-rules"))["monitoring-rule-invalid"]
    assert (one.title, one.severity) == ("ConfigMap spark/platform-rules: Elevated is no PromQL", "warning")
    assert one.detail == (
        "Prometheus refuses a file as a whole: none of its 2 rules is loaded; one that runs keeps the rules that it "
        "had, and one that starts with the file ends at once. Their alerts do not exist."
    )
    (proof,) = one.evidence
    assert proof.locator == "ConfigMap/spark/platform-rules rules.yaml:7 group slo rule Elevated"
    assert proof.excerpt == "at 2:5 '<' has nothing on its left: (a / b) > 0.02 and < 0.05"
    assert (one.data.rules, one.data.of) == (("Elevated",), 2)  # type: ignore[attr-defined]


def test_a_rule_object_is_refused_as_a_whole_with_the_place() -> None:
    broken = thing("PrometheusRule", "spark", groups=RULES["groups"])
    one = found(monitoring=seen(objects=Objects(rules=(broken,))))["monitoring-rule-invalid"]
    assert "none of its 3 rules reaches Prometheus" in one.detail
    assert one.evidence[0].locator == "PrometheusRule/spark/spark group slo rule Elevated"
    assert one.evidence[0].excerpt.startswith("at 3:7 '<' has nothing on its left: sum(rate(a_total[5m]))")


def test_rules_that_no_workload_mounts_are_told() -> None:
    budget = config("budget-rules", {"budget.yaml": yaml.safe_dump({"groups": RULES["groups"][1:]})})
    one = found(budget)["monitoring-rules-not-mounted"]
    assert one.title == "ConfigMap spark/budget-rules holds 1 rule, and no workload mounts it"
    assert (one.confidence, one.evidence[0].excerpt) == ("medium", "budget.yaml")
    assert found(budget, monitoring=seen())["monitoring-rules-not-mounted"].confidence == "high"


@pytest.mark.parametrize(
    "reader",
    [mounting("budget-rules"), mounting("", env={"LABEL": "role"}),
     mounting("", env={"LABEL": "role", "LABEL_VALUE": "alert-rules"})],
    ids=["volume", "sidecar by label", "sidecar by value"],
)  # fmt: skip
def test_rules_that_somebody_mounts_or_a_sidecar_looks_for_are_not(reader: Workload) -> None:
    budget = config("budget-rules", {"budget.yaml": yaml.safe_dump({"groups": RULES["groups"][1:]})})
    assert found(budget, reader) == {}
    other = mounting("", env={"LABEL": "role", "LABEL_VALUE": "dashboards"})
    assert set(found(budget, other)) == {"monitoring-rules-not-mounted"}


def test_rules_that_the_server_has_are_loaded_whoever_brought_them() -> None:
    budget = config("budget-rules", {"budget.yaml": yaml.safe_dump({"groups": RULES["groups"][1:]})})
    has = seen(rules=(Loaded("recording", "job:a:rate", "1"),))
    assert "monitoring-rules-not-mounted" not in found(budget, monitoring=has)
    mounted = found(budget, mounting("budget-rules"), monitoring=seen())["monitoring-rule-not-loaded"]
    assert mounted.title == "ConfigMap spark/budget-rules is not loaded"
    young = replace(budget, created=NOW - 60)
    assert "monitoring-rule-not-loaded" not in found(young, mounting("budget-rules"), monitoring=seen())


def test_a_file_that_is_no_yaml_is_told_with_its_line_and_one_with_anchors_is_not() -> None:
    torn = config("torn", {"a.yaml": "groups:\n- name: g\n  rules:\n  - alert: A\n   expr: up\n"})
    one = found(torn, mounting("torn"))["monitoring-rule-invalid"]
    assert one.title == "ConfigMap spark/torn: a.yaml is no YAML" and one.evidence[0].locator.endswith("a.yaml:5")
    anchored = "groups:\n- name: g\n  rules:\n  - &a {alert: A, expr: up == 0}\n  - *a\n"
    assert rulefiles.read("a.yaml", anchored) is None


@pytest.mark.parametrize(
    "text",
    [
        'groups:\n- name: g\n  rules:\n  - alert: A\n    expr: \'sum(rate({app="x"} |= "error" [5m])) > 1\'\n',
        "groups:\n- admins\nexpr: x\n",
        "global: {}\nscrape_configs: []\n",
    ],
    ids=["rules of logs", "groups of people", "a configuration"],
)
def test_what_is_no_file_of_prometheus_rules_is_none(text: str) -> None:
    assert rulefiles.read("a.yaml", text) is None


def test_a_name_with_escapes_stays_text() -> None:
    evil = config(
        "evil", {"a.yaml": yaml.safe_dump({"groups": [{"name": "g", "rules": [{"alert": "\x1b[31mA", "expr": "<"}]}]})}
    )
    for one in found(evil).values():
        assert "\x1b" not in one.title + "".join(e.locator + e.excerpt for e in one.evidence)


@pytest.mark.parts
@pytest.mark.xdist_group("monitoring")
def test_a_real_prometheus_names_the_same_places(tmp_path: Path) -> None:
    promtool = require_parts("prometheus", "promtool")["promtool"]
    rules = [{"alert": f"A{n}", "expr": expr} for n, expr in enumerate(FAULTS)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    run = subprocess.run([promtool, "check", "rules", tmp_path / "rules.yaml"], capture_output=True, timeout=60)
    said = re.findall(r'"A(\d+)": could not parse expression: (\d+):(\d+):', (run.stdout + run.stderr).decode())
    assert {int(n): (int(line), int(column)) for n, line, column in said} == dict(enumerate(FAULTS.values()))


@pytest.mark.parts
@pytest.mark.xdist_group("monitoring")
def test_a_real_prometheus_keeps_the_rules_that_it_had_or_does_not_start(tmp_path: Path) -> None:
    prometheus = require_parts("prometheus", "promtool")["prometheus"]
    torn, sound = tmp_path / "torn.yaml", tmp_path / "sound.yaml"
    torn.write_text(yaml.safe_dump(RULES))
    sound.write_text(yaml.safe_dump({"groups": RULES["groups"][1:]}))
    settings: dict[str, Any] = {"rule_files": [str(sound)], "scrape_configs": []}
    server = Prometheus(tmp_path / "server", settings)
    try:
        sound.write_text(yaml.safe_dump({"groups": []}))
        (tmp_path / "server" / "prometheus.yml").write_text(
            yaml.safe_dump({**settings, "rule_files": [str(torn), str(sound)]})
        )
        with pytest.raises(Exception, match="500"):
            server.post("/-/reload")
        groups = server.get("/api/v1/rules")["data"]["groups"]
        assert [rule["name"] for group in groups for rule in group["rules"]] == ["job:a:rate"]
    finally:
        server.stop()
    command = [prometheus, "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]
    run = subprocess.run(
        [*command, "--web.listen-address=127.0.0.1:0"], cwd=server.folder, capture_output=True, timeout=60
    )
    assert run.returncode and b'group \\"slo\\", rule 2, \\"Elevated\\"' in run.stderr
