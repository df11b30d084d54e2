"""The catalogue knows what real exporters have, tells invented names from mistyped ones, and what may be written."""

from __future__ import annotations

from typing import Any

import pytest

from console.base.errors import DocumentError
from console.runbook import catalogue
from console.runbook.lint.promql import check
from tests.runbook.player import LIBRARY

KNOWN = LIBRARY.catalogue
APP = ("sparkoperator.k8s.io/v1beta2", "SparkApplication")


@pytest.mark.parametrize(
    "query",
    [
        'sum by (pod) (increase(container_oom_events_total{container="spark-kubernetes-executor"}[15m])) > 0',
        'max by (namespace, pod) (kube_pod_container_status_terminated_reason{reason="OOMKilled"}) == 1',
        'max by (namespace, pod) (container_memory_working_set_bytes) / max by (namespace, pod) '
        '(kube_pod_container_resource_limits{resource="memory"}) > 0.95',
        'sum by (application_id) (increase(metrics_executor_failedTasks_total{executor_id!="driver"}[10m])) > 0 and on '
        "(application_id) max by (application_id) (metrics_executor_totalGCTime_seconds_total / "
        "clamp_min(metrics_executor_totalDuration_seconds_total, 1)) > 0.1",
        'max by (instance) ({__name__=~"metrics_.+_driver_jvm_heap_usage_Value"}) > 0.92',
        "metrics_spark_3f2a_driver_appStatus_tasks_failedTasks_Count",
        "rate(metrics_etl_driver_LiveListenerBus_queue_appStatus_numDroppedEvents_Count[5m])",
        "histogram_quantile(0.95, sum by (le) (rate(spark_application_start_latency_seconds_histogram_bucket[1h])))",
        "sum(increase(spark_app_failure_count[1h]))",
        "DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)",
        "DCGM_FI_DEV_GPU_UTIL_RATIO * on (UUID) group_left (modelName) DCGM_FI_DEV_FB_USED_BYTES",
        "sum by (UUID, xid) (increase(DCGM_EXP_XID_ERRORS_TOTAL[15m]))",
        'sum by (team) (label_replace(up, "team", "$1", "job", "(.*)"))',
        "max by (sloth_id) (slo:sli_error:ratio_rate1h) / on (sloth_id) max by (sloth_id) (slo:error_budget:ratio)",
        'kube_pod_labels{label_spark_role="executor"}',
        'ALERTS{alertstate="firing", severity="page"}',
        "max(workqueue_depth{name=~\".*spark.*\"}) > 50",
        "1 + 1",
        "vector(1)",
    ],
)  # fmt: skip
def test_queries_of_real_incidents_are_fine(query: str) -> None:
    assert check(query, KNOWN) == ()


@pytest.mark.parametrize(
    ("query", "code", "words", "hint"),
    [
        ("spark_job_failed_total", "invented-metric", "no exporter has", "spark_application_failure_count"),
        ("rate(spark_executor_shuffle_spill_bytes[5m])", "invented-metric", "no exporter has", "REST"),
        ("driver_pod_oom_killed_total", "invented-metric", "no exporter has", 'reason="OOMKilled"'),
        ("jvm_gc_time_seconds", "invented-metric", "no exporter has", "totalGCTime_seconds_total"),
        ("metrics_executor_totalDuration", "invented-metric", "no exporter has", "totalDuration_seconds_total"),
        ("minio_disk_offline", "invented-metric", "no exporter has", "minio_cluster_drive_offline_total"),
        ("nvidia_gpu_duty_cycle", "invented-metric", "no exporter has", "DCGM_FI_DEV_GPU_UTIL"),
        ("spark_connect_requests_total", "invented-metric", "no exporter has", "no metrics"),
        ("kube_pod_status_fase", "unknown-metric", "no known exporter", "did you mean 'kube_pod_status_phase'?"),
        ("my_own_series", "unknown-metric", "no known exporter", "under `metrics` of the runbook"),
        ('{__name__=~"metrics_.+_driver_nothing_Value"}', "unknown-metric", "no known series has a name like", ""),
        ("metrics_app_driver_jvm_heap_usage_Total", "unknown-metric", "no known exporter", ""),
        (
            'container_memory_working_set_bytes{pod_name="x"}',
            "unknown-label",
            "has no label 'pod_name'",
            "the label is pod",
        ),
        (
            "sum by (executor) (metrics_executor_activeTasks)",
            "unknown-label",
            "grouped by label 'executor'",
            "executor_id",
        ),
        (
            "metrics_executor_activeTasks / on (app_id) metrics_executor_maxTasks",
            "unknown-label",
            "matched on label 'app_id'",
            "",
        ),
        ("rate(kube_pod_status_phase[5m])", "rate-of-gauge", "is a gauge", "changes()"),
        ("increase(DCGM_FI_DEV_XID_ERRORS[5m])", "rate-of-gauge", "is a gauge", ""),
        (
            'rate({__name__=~"metrics_.+_driver_appStatus_tasks_failedTasks_Count"}[5m])',
            "rate-over-names",
            "422",
            "last_over_time",
        ),
        ("slo_availability:30d", "unknown-recording-rule", "recording rule", "`metrics`"),
        ("sum(", "promql-syntax", "this is no PromQL", ""),
        ("rate(up)", "promql-syntax", "expected type matrix", ""),
    ],
)
def test_what_can_never_answer_is_told_with_what_would(query: str, code: str, words: str, hint: str) -> None:
    found = check(query, KNOWN)
    assert code in [c.code for c in found], found
    complaint = next(c for c in found if c.code == code)
    assert words in complaint.message and hint in complaint.hint


def test_both_generations_of_operators_and_gpus_and_versions_of_spark_are_there() -> None:
    for name in ("spark_application_count", "spark_app_count", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_USED_BYTES",
                 "metrics_executor_ConcurrentGCCount_total", "kube_pod_status_disruption_reason"):  # fmt: skip
        assert KNOWN.find(name) is not None, name
    assert KNOWN.find("metrics_executor_ConcurrentGCCount_total").note == "4.x only"  # type: ignore[union-attr]
    assert KNOWN.find("spark_application_start_latency_seconds_histogram") is None


@pytest.mark.parametrize(
    ("kind", "path", "value", "wrong"),
    [
        (APP, "spec.executor.memoryOverhead", "2g", None),
        (APP, "spec.executor.memoryOverhead", 2, "spec.executor.memoryOverhead must be text, not a int"),
        (APP, "spec.executor.cores", "2", "spec.executor.cores must be a whole number, not text"),
        (APP, "spec.executor.cores", True, "spec.executor.cores must be a whole number, not a bool"),
        (APP, "spec.executor.podTemplate", "x", "spec.executor has no field 'podTemplate'"),
        (APP, "spec.priorityClassName", "x", "spec has no field 'priorityClassName'"),
        (APP, "spec.dynamicAllocation.executorAllocationRatio", 1, "has no field 'executorAllocationRatio'"),
        (APP, "spec.mainAppFile", "x", "did you mean 'mainApplicationFile'?"),
        (APP, "spec.sparkConf.a", "x", None),
        (APP, "spec.sparkConf.a", 3, "must be text"),
        (APP, "spec.sparkConf", {"a": 3}, "must be a mapping of texts"),
        (APP, "spec.executor.affinity.nodeAffinity.anything", 3, None),
        (APP, "spec.executor.memory", None, None),
        (APP, "status.applicationState.state", "x", "has no field 'status'"),
        (APP, "metadata.annotations.x", "y", None),
        (APP, "metadata.ownerReferences", [], "only labels and annotations"),
        (APP, "spec.executor.memory.x", "y", "spec.executor.memory is a string and has no field 'x'"),
        (("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication"), "spec.template.executor.memory", "2g", None),
        (
            ("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication"),
            "spec.template.executor.memry",
            "2g",
            "did you mean 'memory'?",
        ),
        (("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication"), "spec.suspend", True, None),
        (("v1", "Node"), "spec.unschedulable", True, None),
        (("v1", "Secret"), "data.x", "y", None),
    ],
)
def test_fields_exist_and_have_types(kind: tuple[str, str], path: str, value: Any, wrong: str | None) -> None:
    said = KNOWN.wrong_field(*kind, tuple(path.split(".")), value)
    assert (said is None) if wrong is None else (wrong in (said or "")), said


def test_a_broken_catalogue_names_the_place() -> None:
    with pytest.raises(DocumentError, match=r"m\.yaml:1:1: unknown key 'exporter'"):
        catalogue.read("exporter: []\ntarget_labels: []\nservlet: {}\ninvented: []\n", "{}", ("m.yaml", "k.yaml"))
