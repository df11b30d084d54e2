"""Monitoring that is blind, and monitoring that sees: what is not seen is named with its query, target or rule."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.facts.model import Origin, Pod
from console.facts.monitoring import CountedObjective, Gap, Objects, Outage, PodLabels, PodPorts
from console.monitoring import blind
from console.runbook.catalogue import Catalogue
from console.sources.files.runbooks import read_catalogue
from tests.monitoring.worlds import (
    NAMES,
    NOW,
    TARGETS,
    findings,
    identities,
    scrape,
    seen,
    thing,
    written,
)

CATALOGUE: Catalogue = read_catalogue()


def explained(rules: Any) -> dict[str, Any]:
    """What the catalogue says of the names that are missing, as the source has it."""
    names = {blind.name_of(s) for rule in rules for s in blind.selected(rule.query)} - NAMES
    known = {name: series.source for name in names if (series := CATALOGUE.find(name)) is not None}
    return {
        "exporters": known,
        "instead": {n: use for n in names - set(known) if (use := CATALOGUE.invention(n))},
        "scraped": frozenset(CATALOGUE.series[name].source for name in NAMES if name in CATALOGUE.series),
    }


def test_monitoring_that_sees_everything_gives_no_finding() -> None:
    assert findings(seen()) == {}


def test_without_prometheus_there_is_no_finding() -> None:
    assert findings(None) == {}


def test_what_could_not_be_read_gives_no_finding() -> None:
    nothing = {"targets": None, "rules": None, "names": None, "newest": None, "pod_labels": None, "objects": None}
    assert findings(seen(**nothing)) == {}


def test_each_rule_is_judged_as_it_was_written_to_be() -> None:
    rules = tuple(rule for rule, _ in written())
    empty = identities(rules, {"spark-operator"})
    found = findings(seen(rules=rules, empty=empty, **explained(rules)))
    said: dict[str, str] = {}
    for finding in found.values():
        word = {"monitoring-series-missing": "missing", "monitoring-selector-empty": "empty"}[finding.code]
        said |= dict.fromkeys(finding.data.rules, word)
    assert {rule.name: said.get(rule.name, "no") for rule, _ in written()} == {r.name: what for r, what in written()}


def test_a_missing_series_is_named_with_its_rule_and_with_what_there_is_instead() -> None:
    rules = tuple(rule for rule, _ in written() if rule.name == "ObjectStoreDriveOffline")
    (finding,) = findings(seen(rules=rules, **explained(rules))).values()
    assert finding.title == "the rule ObjectStoreDriveOffline can never fire: nobody exports minio_disk_offline"
    assert (finding.severity, finding.class_, finding.since) == ("warning", None, None)
    (proof,) = finding.evidence
    assert proof.locator == "rule ObjectStoreDriveOffline of group storage in rules.yaml"
    assert "minio_cluster_drive_offline_total" in proof.excerpt and "minio_disk_offline > 0" in proof.excerpt
    assert proof.at == NOW


def test_a_counter_that_has_not_counted_yet_is_not_missing() -> None:
    rules = tuple(rule for rule, _ in written() if rule.name == "OperatorJobsFail")
    assert "spark_application_failure_count" not in NAMES
    assert findings(seen(rules=rules, **explained(rules))) == {}


def test_a_rule_that_cannot_be_evaluated_is_quoted() -> None:
    rule = replace(written()[4][0], health="err", error="many-to-many matching not allowed")
    (finding,) = findings(seen(rules=(rule,))).values()
    assert finding.title == "the rule OperatorJobsFail cannot be evaluated"
    assert "many-to-many matching not allowed" in finding.evidence[0].excerpt


def test_a_rule_that_is_not_evaluated_any_more_is_late() -> None:
    rule = replace(written()[4][0], evaluated=NOW - 3600)
    (finding,) = findings(seen(rules=(rule,))).values()
    assert (finding.code, finding.since) == ("monitoring-rule-late", NOW - 3600)


def test_an_objective_that_counts_a_missing_series() -> None:
    objective = CountedObjective("jobs", "Job success", "sum(increase(spark_job_completed_total[5m]))")
    instead = {"spark_job_completed_total": "spark_application_success_count"}
    (finding,) = findings(seen(objectives=(objective,), instead=instead)).values()
    assert finding.key == "monitoring-objective-blind@Slo//jobs"
    assert "nobody exports spark_job_completed_total" in finding.title


def test_a_recorded_series_is_not_missing_from_the_rules_that_read_it() -> None:
    first = replace(written()[4][0], kind="recording", name="job:failures:rate5m")
    second = replace(written()[4][0], name="Burn", query="job:failures:rate5m > 1")
    assert findings(seen(rules=(first, second))) == {}


@pytest.mark.parametrize(
    "users", [(), ('kube_pod_info * on (pod) group_left () kube_pod_labels{label_spark_role="driver"}',)]
)
def test_pod_labels_that_are_not_kept_weigh_more_where_a_rule_reads_them(users: tuple[str, ...]) -> None:
    rules = tuple(replace(written()[4][0], name="ByRole", query=query) for query in users)
    (finding,) = findings(seen(rules=rules, pod_labels=PodLabels(containers=4, labelled=40, spark=0))).values()
    assert finding.code == "monitoring-pod-labels"
    assert finding.severity == ("warning" if users else "info")
    assert "--metric-labels-allowlist=pods=[spark-role" in finding.detail


def test_without_spark_pods_nothing_is_said_about_their_labels() -> None:
    assert findings(seen(pod_labels=PodLabels(containers=0, labelled=0, spark=0))) == {}


def test_a_target_that_does_not_answer() -> None:
    dead = scrape("spark-connect", "10.0.0.9:4040", health="down", error="connection refused")
    outage = Outage("spark-connect", "10.0.0.9:4040", NOW - 900)
    (finding,) = findings(seen(targets=(*TARGETS, dead), down=(outage,))).values()
    assert finding.title == "the target of scrape job spark-connect does not answer"
    assert finding.since == NOW - 900
    assert finding.evidence[0].locator == "http://10.0.0.9:4040/metrics"
    assert finding.evidence[0].excerpt == "connection refused"


def test_some_targets_of_a_job_are_counted() -> None:
    dead = scrape("kubelet", "10.0.0.9:10250", health="down")
    (finding,) = findings(seen(targets=(*TARGETS, dead), down=(Outage("kubelet", "10.0.0.9:10250"),))).values()
    assert finding.title == "scrape job kubelet: 1 of 2 targets do not answer"
    assert finding.since is None


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_the_target_of_a_pod_that_ended_is_no_outage(phase: str) -> None:
    labels = {"namespace": "spark", "pod": "etl-driver"}
    dead = scrape("drivers", "10.0.0.9:4040", health="down", labels=labels)
    pod = Pod("spark", "etl-driver", Origin("kubernetes", "/"), phase=phase)
    down = (Outage("drivers", "10.0.0.9:4040"),)
    assert findings(seen(targets=(*TARGETS, dead), down=down), pods=(pod,)) == {}


def test_scrapes_that_are_missing_from_one_target_and_from_all() -> None:
    gaps = tuple(Gap(t.job, t.instance, 30.0, 60.0, 1800.0) for t in TARGETS)
    (one,) = findings(seen(gaps=gaps[:1])).values()
    assert one.title == "scrape job kube-state-metrics misses 50% of its scrapes"
    assert one.evidence[0].locator.startswith('count_over_time(up{job="kube-state-metrics"')
    (all_,) = findings(seen(gaps=gaps)).values()
    assert all_.title == "all targets miss 50% of their scrapes"


def test_a_prometheus_in_which_nothing_new_arrives() -> None:
    (finding,) = findings(seen(newest=NOW - 1800)).values()
    assert (finding.code, finding.severity, finding.since) == ("monitoring-stale", "critical", NOW - 1800)


METRICS = {"selector": {"matchLabels": {"app": "spark-connect"}}, "endpoints": [{"port": "metrics"}]}
SERVICE = {"labels": {"app": "spark-connect"}}


def objects(**over: Any) -> Objects:
    monitor = thing("ServiceMonitor", "connect", **METRICS)
    service = thing("Service", "connect", **SERVICE, ports=[{"name": "metrics"}])
    fields: dict[str, Any] = {"monitors": (monitor,), "services": (service,), "endpoints": {"spark/connect": 2}}
    return Objects(**{**fields, **over})


def test_a_monitor_that_selects_something_is_no_finding() -> None:
    assert findings(seen(objects=objects())) == {}


@pytest.mark.parametrize(
    ("over", "code", "title", "proof"),
    [
        ({"services": ()}, "selects-nothing", "selects no Service", "no Service has app=spark-connect"),
        (
            {"services": (thing("Service", "connect", **SERVICE, ports=[{"name": "grpc"}]),)},
            "port-missing",
            "wants a port metrics that no Service has",
            "spark/connect has grpc",
        ),
        ({"endpoints": {}}, "no-endpoints", "has no endpoints", "no pod is ready behind Service spark/connect"),
        (
            {"services": (thing("Service", "connect", "elsewhere", **SERVICE, ports=[{"name": "metrics"}]),)},
            "selects-nothing",
            "selects no Service",
            "no Service has app=spark-connect",
        ),
    ],
)
def test_a_service_monitor_without_targets(over: dict[str, Any], code: str, title: str, proof: str) -> None:
    (finding,) = findings(seen(objects=objects(**over))).values()
    assert finding.key == f"monitoring-{code}@ServiceMonitor/spark/connect"
    assert finding.title == f"ServiceMonitor spark/connect {title}"
    assert finding.evidence[0].excerpt == proof
    assert finding.since == NOW - 86400


@pytest.mark.parametrize("unread", [{"services": None}, {"endpoints": None}])
def test_what_may_not_be_read_accuses_no_monitor(unread: dict[str, Any]) -> None:
    assert findings(seen(objects=objects(**unread))) == {}


def test_a_monitor_that_was_just_made_has_time() -> None:
    young = thing("ServiceMonitor", "connect", age=60, **METRICS)
    assert findings(seen(objects=objects(monitors=(young,), services=()))) == {}


def pod_monitor(selector: dict[str, str], pods: tuple[PodPorts, ...]) -> Objects:
    monitor = thing("PodMonitor", "pods", selector={"matchLabels": selector}, podMetricsEndpoints=[{"port": "metrics"}])
    return Objects(monitors=(monitor,), pods={monitor.key: pods})


def test_a_pod_monitor_whose_port_no_pod_declares() -> None:
    pods = (PodPorts("spark", "etl-exec-1", ("blockmanager",)),)
    (finding,) = findings(seen(objects=pod_monitor({"spark-role": "executor"}, pods))).values()
    assert finding.title == "PodMonitor spark/pods wants a port metrics that no pod has"
    assert finding.evidence[0].excerpt == "spark/etl-exec-1 has blockmanager"


def test_executors_come_and_go_but_a_server_must_be_there() -> None:
    assert findings(seen(objects=pod_monitor({"spark-role": "executor"}, ()))) == {}
    (finding,) = findings(seen(objects=pod_monitor({"app": "minio"}, ()))).values()
    assert finding.title == "PodMonitor spark/pods selects no pod"


def test_a_rule_object_that_is_no_promql() -> None:
    rules = [{"alert": "Elevated", "expr": "> 0.02 and < 0.05"}, {"alert": "Fine", "expr": "up == 0"}]
    broken = thing("PrometheusRule", "spark", groups=[{"name": "g", "rules": rules}])
    (finding,) = findings(seen(objects=Objects(rules=(broken,)))).values()
    assert finding.title == "PrometheusRule spark/spark: Elevated is no PromQL"
    assert "> 0.02 and < 0.05" in finding.evidence[0].excerpt


def test_a_rule_object_that_is_not_loaded_may_belong_to_another_prometheus() -> None:
    stray = thing("PrometheusRule", "spark", groups=[{"name": "g", "rules": [{"alert": "Mine", "expr": "up == 0"}]}])
    (finding,) = findings(seen(objects=Objects(rules=(stray,)))).values()
    assert (finding.code, finding.severity, finding.confidence) == ("monitoring-rule-not-loaded", "info", "medium")
    loaded = replace(written()[4][0], name="Mine", query="up == 0")
    assert findings(seen(rules=(loaded,), objects=Objects(rules=(stray,)))) == {}


@pytest.mark.parametrize(
    ("query", "gives"),
    [
        ("a > 1", False),
        ("a or b", True),
        ("a and b", False),
        ("b unless a", True),
        ("a unless b", False),
        ("b / a", False),
        ("absent(a)", True),
        ("sum(rate(a[5m])) > 0", False),
        ("(b or a) * 2", True),
        ("max_over_time((a == 1)[1h:1m])", False),
        ("vector(1)", True),
    ],
)
def test_which_parts_of_an_expression_decide(query: str, gives: bool) -> None:
    reasons = blind.silence(query, lambda s: "a is missing" if blind.name_of(s) == "a" else "")
    assert (reasons == ()) is gives


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ('up{job="x", instance="y"}', ['up{job="x"}']),
        ('kube_pod_info{pod="p"}', []),
        ('r{container="spark-kubernetes-driver", namespace=~"a|b"}', ['r{namespace=~"a|b"}']),
        ('r{container=~"spark-kubernetes-.+"}', []),
        ('r{container="spark-driver"}', ['r{container="spark-driver"}']),
        ('ALERTS{job="x"}', []),
        ('x{namespace=~".+", reason="OOMKilled"}', []),
    ],
)
def test_only_what_says_where_series_come_from_is_looked_up(query: str, kept: list[str]) -> None:
    assert [text for s in blind.selected(query) if (text := blind.identity(s))] == kept


def test_the_past_is_looked_up_for_the_whole_family() -> None:
    assert blind.widened('up{job="x"}') == '{__name__="up", job="x"}'
    wanted = '{__name__=~"kube_pod(_.+)?", container="c"}'
    assert blind.widened('kube_pod_container_status_waiting_reason{container="c"}') == wanted
