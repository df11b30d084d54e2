"""Kubernetes objects of 1.20 and 1.37 become the same facts; hostile trees become missing values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from console.base.redact import MARK
from console.facts.model import Origin
from console.sources.cluster import decode

HERE = Origin("kubernetes", "/api/v1/x")


def spark_pod(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "etl-exec-1",
            "namespace": "jobs",
            "creationTimestamp": "2026-11-23T09:55:37Z",
            "labels": {"spark-role": "executor"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "x"},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Pod", "name": "etl-driver", "uid": "u", "controller": True}
            ],
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
        },
        "spec": {
            "nodeName": "n1",
            "containers": [
                {
                    "name": "spark-kubernetes-executor",
                    "image": "r/spark:4.3.0",
                    "resources": {"limits": {"memory": "640Mi"}, "requests": {"cpu": "300m", "memory": "640Mi"}},
                    "env": [
                        {"name": "SPARK_EXECUTOR_MEMORY", "value": "512m"},
                        {"name": "SPARK_AUTH_SECRET", "value": "hunter2"},
                        {"name": "DB_PASSWORD", "value": "hunter2"},
                        {"name": "SPARK_JAVA_OPT_1", "value": "--add-opens=java.base/java.io=ALL-UNNAMED"},
                        {"name": "SPARK_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    ],
                },
                {"name": "log-shipper", "image": "r/fluent:1"},
            ],
            "initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "fetch"}],
            "volumes": [{"name": "d", "emptyDir": {"sizeLimit": "10Mi"}}, {"name": "s", "secret": {"secretName": "t"}}],
        },
        "status": {"phase": "Running", **status},
    }


def test_a_pod_keeps_what_is_judged_and_nothing_secret() -> None:
    pod = decode.pod(spark_pod(), HERE)
    assert pod.key == "Pod/jobs/etl-exec-1" and pod.node == "n1" and pod.owners[0].name == "etl-driver"
    main = pod.main
    assert main is not None and main.limits == {"memory": 640 * 2**20} and main.requests["cpu"] == 0.3
    assert main.env == {"SPARK_EXECUTOR_MEMORY": "512m", "SPARK_AUTH_SECRET": MARK}
    assert "hunter2" not in msgspec.json.encode(pod).decode()
    assert {c.name: c.role for c in pod.containers} == {
        "spark-kubernetes-executor": "main",
        "log-shipper": "sidecar",
        "proxy": "sidecar",
        "fetch": "init",
    }
    assert pod.annotations == {"note": "x"}


def test_states_of_containers() -> None:
    status = {
        "containerStatuses": [
            {
                "name": "spark-kubernetes-executor",
                "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-23T09:56:10Z"}},
                "lastState": {},
                "restartCount": 0,
            },
            {
                "name": "log-shipper",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "1970-01-01T00:00:00Z"}},
                "restartCount": 4,
            },
        ]
    }
    main, side, *_ = decode.pod(spark_pod(**status), HERE).containers
    assert main.state == "terminated" and main.terminated is not None
    assert (main.terminated.exit_code, main.terminated.reason) == (137, "OOMKilled")
    assert side.state == "waiting" and side.waiting_reason == "CrashLoopBackOff" and side.restarts == 4
    assert side.last_terminated is not None and side.last_terminated.started is None


def test_limits_after_a_resize_come_from_the_status() -> None:
    status = {"containerStatuses": [{"name": "spark-kubernetes-executor", "resources": {"limits": {"memory": "1Gi"}}}]}
    main = decode.pod(spark_pod(**status), HERE).main
    assert main is not None and main.limits == {"memory": 2**30} and main.requests["memory"] == 640 * 2**20


@pytest.mark.parametrize(
    "tree",
    [
        {"metadata": {"name": "p"}, "spec": None, "status": "x"},
        {"metadata": {"name": "p", "labels": [], "ownerReferences": "no"}, "spec": {"containers": [1, None, {}]}},
        {"metadata": {"name": "p"}, "spec": {"containers": [{"name": 4, "args": [1], "env": [{}], "resources": []}]}},
        {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"state": {"terminated": {"exitCode": "x"}}}]}},
        {"metadata": {"name": "p", "creationTimestamp": 7, "labels": {"a": 1}}, "status": {"conditions": [3]}},
    ],
)
def test_wrong_types_read_as_missing(tree: Any) -> None:
    pod = decode.pod(tree, HERE)
    assert pod.phase == "Unknown" and pod.labels == {} and pod.created is None


@pytest.mark.parametrize("tree", [None, [], {}, {"metadata": {}}, {"metadata": {"name": ""}}])
def test_what_has_no_name_is_no_object(tree: Any) -> None:
    with pytest.raises(ValueError, match="no Kubernetes object"):
        decode.pod(tree, HERE)


def test_both_event_groups_are_one_shape() -> None:
    core = decode.event(
        {
            "metadata": {"namespace": "jobs", "creationTimestamp": "2026-11-23T09:00:00Z"},
            "involvedObject": {"kind": "Pod", "namespace": "jobs", "name": "p", "fieldPath": "spec.containers{x}"},
            "reason": "FailedScheduling",
            "message": "0/1 nodes are available: 1 Insufficient memory.",
            "firstTimestamp": None,
            "lastTimestamp": None,
            "count": None,
            "eventTime": "2026-11-23T09:00:05.5Z",
            "series": {"count": 7, "lastObservedTime": "2026-11-23T09:10:00Z"},
            "type": "Warning",
            "source": {},
            "reportingComponent": "default-scheduler",
        },
        HERE,
    )
    new = decode.event(
        {
            "metadata": {"namespace": "jobs"},
            "regarding": {"kind": "Pod", "namespace": "jobs", "name": "p"},
            "reason": "FailedScheduling",
            "note": "0/1 nodes are available: 1 Insufficient memory.",
            "deprecatedCount": 7,
            "deprecatedFirstTimestamp": "2026-11-23T09:00:05.5Z",
            "deprecatedLastTimestamp": "2026-11-23T09:10:00Z",
            "type": "Warning",
            "deprecatedSource": {"component": "default-scheduler"},
        },
        HERE,
    )
    for event in (core, new):
        assert event.about == "Pod/jobs/p" and event.count == 7 and event.reporter == "default-scheduler"
        assert event.message.startswith("0/1 nodes") and event.last is not None and event.first is not None
        assert event.last - event.first == 594.5


def test_deletion_is_dated_by_the_request_not_by_the_end_of_the_grace_period() -> None:
    tree = spark_pod()
    tree["metadata"] |= {"deletionTimestamp": "2026-11-23T09:56:38Z", "deletionGracePeriodSeconds": 30}
    pod = decode.pod(tree, HERE)
    assert pod.deleted is not None and pod.created is not None
    assert pod.deleted - pod.created == 31


def test_events_of_nodes_have_the_key_of_the_node() -> None:
    event = decode.event(
        {"metadata": {"namespace": "default"}, "involvedObject": {"kind": "Node", "name": "n1"}, "reason": "x"}, HERE
    )
    assert event.about == decode.node({"metadata": {"name": "n1"}}, HERE).key


def test_a_node_in_numbers() -> None:
    node = decode.node(
        {
            "metadata": {"name": "n1"},
            "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
            "status": {
                "capacity": {"nvidia.com/gpu": "4", "memory": "24Gi", "odd": "??"},
                "conditions": [{"type": "Ready", "status": "False", "reason": "KubeletNotReady"}],
                "nodeInfo": {"kubeletVersion": "v1.37.2"},
            },
        },
        HERE,
    )
    assert node.capacity == {"nvidia.com/gpu": 4.0, "memory": 24 * 2**30} and node.unschedulable
    ready = node.condition("Ready")
    assert ready is not None and ready.status == "False"


def test_a_workload_is_redacted_and_names_its_managers() -> None:
    app = decode.workload(
        {
            "apiVersion": "sparkoperator.k8s.io/v1beta2",
            "kind": "SparkApplication",
            "metadata": {"name": "etl", "namespace": "jobs", "generation": 2, "managedFields": [{"manager": "argocd"}]},
            "spec": {"sparkConf": {"spark.hadoop.fs.s3a.secret.key": "hunter2", "spark.executor.memory": "2g"}},
            "status": {"applicationState": {"state": "RUNNING"}},
        },
        HERE,
    )
    assert app.managers == ("argocd",) and app.generation == 2
    assert app.spec["sparkConf"] == {"spark.hadoop.fs.s3a.secret.key": MARK, "spark.executor.memory": "2g"}
    secret = decode.workload({"kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "aHVudGVyMg=="}}, HERE)
    assert secret.spec["data"] == {"k": MARK}


def test_the_raw_type_drops_the_bulk_and_reads_the_same() -> None:
    tree = spark_pod()
    raw = msgspec.json.decode(msgspec.json.encode(tree), type=decode.ObjectTree)
    assert raw["metadata"]["managedFields"] == [{"manager": "kubelet"}]
    assert decode.pod(raw, HERE) == decode.pod(tree, HERE)
