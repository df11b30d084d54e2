# ruff: noqa: E501  (tables and records are as wide as what prints them)
"""What people paste: one file, a pipe, descriptions, tables, several of them in one text, exports of log stores."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from console.facts.model import Facts
from console.findings.diagnose import Engine
from console.sources.folder import contents
from console.sources.folder.read import read_folder, read_stream
from tests.findings.worlds import RUNNING, raw_pod

ID = "spark-" + "b" * 32
DESCRIBED_APP = """Name:         orders
Namespace:    shop
Labels:       <none>
Annotations:  <none>
API Version:  sparkoperator.k8s.io/v1beta2
Kind:         SparkApplication
Metadata:
  Creation Timestamp:  2026-11-24T10:00:00Z
  Generation:          1
Spec:
  Driver:
    Cores:   1
    Memory:  512m
    Tolerations:
      Effect:    NoSchedule
      Key:       a
      Operator:  Exists
      Effect:    NoSchedule
      Key:       b
      Operator:  Exists
  Executor:
    Instances:  2
    Memory:     512m
  Main Class:    org.apache.spark.sql.connect.service.SparkConnectServer
  Mode:          cluster
Status:
  Application State:
    Error Message:  driver container failed with ExitCode: 137, Reason: OOMKilled
    State:          FAILED
  Driver Info:
    Pod Name:  orders-driver
  Execution Attempts:  1
  Executor State:
    orders-aad5d97af9ad3ce3-exec-1:  FAILED
Events:
  Type     Reason             Age                 From            Message
  ----     ------             ----                ----            -------
  Warning  SparkDriverFailed  90s (x3 over 3m)    spark-operator  Driver orders-driver failed with ExitCode: 137
"""
DESCRIBED_NODE = """Name:               gpu-1
Roles:              <none>
Labels:             kubernetes.io/arch=amd64
                    nvidia.com/gpu.present=true
Annotations:        node.alpha.kubernetes.io/ttl: 0
CreationTimestamp:  Mon, 23 Nov 2026 16:51:39 +0000
Taints:             dedicated=spark:NoSchedule
                    node.kubernetes.io/unschedulable:NoSchedule
Unschedulable:      true
Conditions:
  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason              Message
  ----             ------  -----------------                 ------------------                ------              -------
  MemoryPressure   False   Mon, 23 Nov 2026 17:00:00 +0000   Mon, 23 Nov 2026 16:51:39 +0000   KubeletHasSufficientMemory   kubelet has sufficient memory available
  Ready            True    Mon, 23 Nov 2026 17:00:00 +0000   Mon, 23 Nov 2026 16:51:49 +0000   KubeletReady        kubelet is posting ready status
Capacity:
  cpu:             16
  memory:          64Gi
  nvidia.com/gpu:  8
Allocatable:
  cpu:             15
  memory:          60Gi
  nvidia.com/gpu:  7
"""
PODS = """NAME                                    READY   STATUS      RESTARTS      AGE     IP             NODE       NOMINATED NODE   READINESS GATES
orders-driver                           0/1     Completed   0             3m25s   10.244.0.212   node-042   <none>           <none>
clicks-cfd0858bec12405f-exec-1          0/1     OOMKilled   2 (30s ago)   20s     10.244.0.239   node-041   <none>           <none>
clicks-driver                           1/1     Running     0             26s     10.244.0.238   node-041   <none>           <none>
late-driver                             0/1     Pending     0             26s     <none>         <none>     <none>           <none>
spark-operator-controller-7d9f-x2x      1/1     Running     0             9d      10.244.0.9     node-041   <none>           <none>
"""
EVENTS = """LAST SEEN   TYPE      REASON             OBJECT                    SUBOBJECT   SOURCE                                 MESSAGE                                                FIRST SEEN   COUNT   NAME
19s         Warning   FailedScheduling   pod/late-driver                       default-scheduler, default-scheduler   0/3 nodes are available: 3 Insufficient cpu.           26s          4       late-driver.17a
3s          Normal    Pulled             pod/clicks-driver                     kubelet, node-041                      Successfully pulled image "a" in 2s                    3s           1       clicks-driver.17b
"""


def put(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def piped(text: str) -> Facts:
    return read_stream(io.BytesIO(text.encode()))


def codes(facts: Facts) -> set[str]:
    return {f.code for f in Engine().judge(facts).findings}


def test_one_file_and_a_pipe_are_read_as_a_folder_with_one_file(tmp_path: Path) -> None:
    path = put(tmp_path, "x/describe.txt", DESCRIBED_APP)
    for facts in (read_folder(path), read_folder(path.parent), piped(DESCRIBED_APP)):
        assert codes(facts) == {"driver-oom-container"}


def test_a_described_application_is_what_the_api_would_have_given() -> None:
    (app,) = piped(DESCRIBED_APP).spark
    assert (app.kind, app.namespace, app.name, app.generation) == ("SparkApplication", "shop", "orders", 1)
    assert app.status["applicationState"]["state"] == "FAILED" and app.status["executionAttempts"] == 1
    assert app.status["executorState"] == {"orders-aad5d97af9ad3ce3-exec-1": "FAILED"}
    assert [t["key"] for t in app.spec["driver"]["tolerations"]] == ["a", "b"]
    (event,) = piped(DESCRIBED_APP).events
    assert (event.about, event.count) == ("SparkApplication/shop/orders", 3)


def test_a_described_node_has_its_conditions_taints_and_gpus() -> None:
    (node,) = piped(DESCRIBED_NODE).nodes
    assert node.unschedulable and node.labels["nvidia.com/gpu.present"] == "true"
    assert [t["key"] for t in node.taints] == ["dedicated", "node.kubernetes.io/unschedulable"]
    assert (node.capacity["nvidia.com/gpu"], node.allocatable["nvidia.com/gpu"]) == (8, 7)
    ready = node.condition("Ready")
    assert ready is not None and (ready.status, ready.reason) == ("True", "KubeletReady")


def test_a_completed_driver_in_a_table_is_no_failure() -> None:
    facts = piped(PODS)
    assert {p.name: p.phase for p in facts.pods} == {
        "orders-driver": "Succeeded",
        "clicks-cfd0858bec12405f-exec-1": "Failed",
        "clicks-driver": "Running",
        "late-driver": "Pending",
        "spark-operator-controller-7d9f-x2x": "Running",
    }
    found = {f.code: f.subject for f in Engine().judge(facts).findings}
    assert "driver-failed" not in found and any(code.startswith("executor-oom") for code in found)


def test_several_answers_in_one_text_are_each_read_for_what_they_are() -> None:
    said = (
        "Here is what I see:\n\n```\n$ kubectl get pods -o wide\n" + PODS + "\n$ kubectl get events -o wide\n" + EVENTS
        + "```\nme@host:~$ kubectl describe sparkapplication orders\n" + DESCRIBED_APP
        + "$ kubectl get cm\nNAME   DATA   AGE\nkube-root-ca.crt   1   9d\n"
    )  # fmt: skip
    facts = piped(said)
    assert len(facts.pods) == 5 and len(facts.events) == 3 and len(facts.spark) == 1
    (failed,) = [e for e in facts.events if e.reason == "FailedScheduling"]
    assert failed.message == "0/3 nodes are available: 3 Insufficient cpu." and failed.count == 4
    assert [why for _, why in facts.unread] == [
        "of no kind of evidence that is known" if why.startswith("of no") else why for _, why in facts.unread
    ]
    assert any("a table of NAME, DATA, AGE" in why for _, why in facts.unread), "what is not judged is listed"


def test_a_dump_to_the_screen_holds_objects_and_logs() -> None:
    pods = {"kind": "PodList", "apiVersion": "v1", "items": [raw_pod("etl-driver", "driver", state=RUNNING)]}
    log = "26/11/24 10:00:00 ERROR TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: \nThe executor with id 1 exited with exit code 52(JVM OOM).\n"
    mark = "container spark-kubernetes-driver of pod jobs/etl-driver ===="
    facts = piped(json.dumps(pods, indent=4) + f"\n==== START logs for {mark}\n{log}==== END logs for {mark}\n")
    assert [p.name for p in facts.pods] == ["etl-driver"] and [log.subject for log in facts.logs] == [
        "Pod/jobs/etl-driver"
    ]
    assert "executor-oom-heap" in codes(facts) and not facts.unread


YAML_APP = """apiVersion: {api}
kind: SparkApplication
metadata: {{name: conn, namespace: shop, creationTimestamp: "2026-11-24T10:00:00Z"}}
spec: {{mainClass: {main}, sparkVersion: 4.1.0}}
status:
  applicationState:
    state: FAILED
    errorMessage: |
      failed to run spark-submit: 26/11/24 10:00:00 ERROR SparkContext: Error initializing SparkContext.
      Exception in thread "main" java.io.IOException: no
        at org.apache.spark.scheduler.DAGScheduler: x(DAGScheduler.scala:1)
"""


@pytest.mark.parametrize("api", ["sparkoperator.k8s.io/v1beta2", "spark.apache.org/v1"])
@pytest.mark.parametrize("main", ["org.apache.spark.sql.connect.service.SparkConnectServer", "com.shop.Main"])
def test_a_manifest_is_a_manifest_whatever_words_stand_in_it(api: str, main: str) -> None:
    facts = piped(YAML_APP.format(api=api, main=main))
    assert [(a.kind, a.name) for a in facts.spark] == [("SparkApplication", "conn")] and not facts.logs


def test_events_of_executors_count_beside_the_driver_that_replaced_them() -> None:
    labels = {"sparkoperator.k8s.io/app-name": "etl"}
    pods = {"kind": "PodList", "items": [raw_pod("etl-driver", "driver", state=RUNNING, labels=labels)]}
    event = {
        "kind": "Event",
        "metadata": {"name": "x", "namespace": "jobs"},
        "involvedObject": {"kind": "SparkApplication", "namespace": "jobs", "name": "etl", "uid": "cr"},
        "reason": "SparkExecutorFailed",
        "type": "Warning",
        "message": "Executor etl-aa-exec-5 failed with ExitCode: 137, Reason: OOMKilled",
        "lastTimestamp": "2026-11-24T10:05:00Z",
    }
    facts = piped(json.dumps({"kind": "List", "items": [*pods["items"], event]}))
    assert "executor-oom-container" in codes(facts)


def test_a_log_of_one_line_counts_under_any_name_of_a_log(tmp_path: Path) -> None:
    words = "standard_init_linux.go:228: exec user process caused: exec format error\n"
    put(tmp_path, "deps-driver.log", words)
    put(tmp_path, "README.md", "what I saw\n")
    facts = read_folder(tmp_path)
    assert [log.text for log in facts.logs] == [words]
    assert facts.unread == (("README.md", "of no kind of evidence that is known"),)
    assert [log.text for log in piped(words).logs] == [words], "whoever names one file means it"


LINES = [
    "26/11/24 10:00:01 ERROR Executor: Exception in task 0.0",
    "java.lang.IllegalStateException: no",
    "\tat a.B.c(B.java:7)",
]
WRAPPED: dict[str, list[str]] = {
    "colours": [f"\x1b[31m{one}\x1b[0m" for one in LINES],
    "colours as letters": [f"\\u001b[31m{one}\\u001b[0m" for one in LINES],
    "--timestamps": [f"2026-11-24T10:00:01.{n}23456789Z {one}" for n, one in enumerate(LINES)],
    "container runtime": [f"2026-11-24T10:00:01.{n}23456789Z stderr F {one}" for n, one in enumerate(LINES)],
    "--prefix --timestamps": [f"[pod/a-driver/c] 2026-11-24T10:00:01.{n}23456789Z {one}" for n, one in enumerate(LINES)],
    "stern": ["+ a-driver \u203a spark-kubernetes-driver", *(f"\x1b[35ma-driver\x1b[0m \x1b[36mspark-kubernetes-driver\x1b[0m {one}" for one in LINES)],
    "stern of all namespaces": [f"shop a-driver spark-kubernetes-driver {one}" for one in LINES],
    "kubetail": [f"[a-driver] {one}" for one in LINES],
    "Fluent Bit": [json.dumps({"date": n, "log": one + "\n", "kubernetes": {"pod_name": "a-driver"}}) for n, one in enumerate(LINES)],
    "Vector": [json.dumps({"timestamp": f"2026-11-24T10:00:0{n}Z", "message": one, "kubernetes": {"pod_name": "a-driver"}}) for n, one in enumerate(LINES)],
    "stern in JSON": [json.dumps({"message": one, "podName": "a-driver", "containerName": "c"}) for one in LINES],
    "logcli": [json.dumps({"labels": {"pod": "a-driver"}, "line": one, "timestamp": f"2026-11-24T10:00:0{n}Z"}) for n, one in enumerate(LINES)],
    "Cloud Logging": [json.dumps([{"textPayload": one, "timestamp": f"2026-11-24T10:00:0{n}Z", "resource": {"labels": {"pod_name": "a-driver"}}} for n, one in enumerate(LINES)])],
    "Loki": [json.dumps({"status": "success", "data": {"resultType": "streams", "result": [{"stream": {"pod": "a-driver"}, "values": [[f"179601000{n}000000000", one] for n, one in reversed(list(enumerate(LINES)))]}]}})],
    "CloudWatch": [json.dumps({"events": [{"timestamp": 1_796_010_000_000 + n, "message": one, "logStreamName": "kube.var.log.containers.a-driver_shop_c-1.log"} for n, one in enumerate(LINES)]}, indent=2)],
    "CloudWatch around Fluent Bit": [json.dumps({"events": [{"timestamp": 1_796_010_000_000 + n, "message": json.dumps({"log": one, "stream": "stderr"})} for n, one in enumerate(LINES)]})],
    "Elasticsearch": [json.dumps({"hits": {"hits": [{"_source": {"message": one, "@timestamp": f"2026-11-24T10:00:0{n}Z", "kubernetes": {"pod": {"name": "a-driver"}}}} for n, one in enumerate(LINES)]}})],
}  # fmt: skip


@pytest.mark.parametrize("form", WRAPPED)
def test_a_log_is_read_as_its_process_wrote_it_whatever_carried_it(form: str) -> None:
    facts = piped("\n".join(WRAPPED[form]) + "\n")
    (log,) = facts.logs
    assert log.text.splitlines() == LINES, form


def test_times_that_only_kubectl_knows_are_kept() -> None:
    facts = piped("2026-11-24T10:00:01.5Z panic: no\n2026-11-24T10:00:01.6Z goroutine 1 [running]:\n")
    assert facts.logs[0].text.startswith("2026-11-24T10:00:01.5Z panic")


@pytest.mark.parametrize("spaced", [True, False])
def test_an_event_log_is_known_with_spaces_and_by_the_names_of_databricks(tmp_path: Path, spaced: bool) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    events: list[dict[str, Any]] = [
        {"Event": "SparkListenerApplicationStart", "App ID": ID, "App Name": "etl", "Timestamp": 1_796_010_000_000},
        {"Event": "SparkListenerJobStart", "Job ID": 0, "Submission Time": 1_796_010_001_000, "Stage IDs": []},
        {"Event": "SparkListenerJobEnd", "Job ID": 0, "Completion Time": 1_796_010_002_000, "Job Result": {"Result": "JobSucceeded"}},
        {"Event": "SparkListenerApplicationEnd", "Timestamp": 1_796_010_003_000},
    ]  # fmt: skip
    lines = [json.dumps(one, separators=separators) + "\n" for one in events]
    put(tmp_path, "eventlog", "".join(lines[2:]))
    put(tmp_path, "eventlog-2026-11-24--10-00.gz", gzip.compress("".join(lines[:2]).encode()))
    facts = read_folder(tmp_path)
    assert {doc.app_id for doc in facts.rest} == {ID} and not facts.unread


def test_an_archive_is_read_as_the_folder_it_was_made_of(tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (("../../etc/describe.txt", DESCRIBED_APP), ("b/pods.txt", PODS)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    facts = read_folder(path)
    assert len(facts.pods) == 5 and len(facts.spark) == 1 and not facts.unread


def test_an_archive_larger_than_one_text_is_read_member_by_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MAX_TEXT", 4_096)
    path = tmp_path / "must-gather.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for number in range(20):
            info = tarfile.TarInfo(f"a/{number}.txt")
            info.size = len(DESCRIBED_NODE)
            archive.addfile(info, io.BytesIO(DESCRIBED_NODE.replace("gpu-1", f"gpu-{number}").encode()))
    assert len(read_folder(path).nodes) == 20


def test_an_endless_archive_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_TEXT", 2**16)
    monkeypatch.setattr(contents, "MAX_UNPACKED", 2**20)
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("zeros.log")
        info.size = 2**24
        archive.addfile(info, io.BytesIO(bytes(2**24)))
    assert any("more than 1 MiB" in why for _, why in read_folder(path).unread)


def test_a_list_that_lost_its_kind_is_a_list() -> None:
    facts = piped(json.dumps({"items": [raw_pod("etl-driver", "driver", state=RUNNING)]}))
    assert [p.name for p in facts.pods] == ["etl-driver"]


def test_commands_with_options_in_front_part_a_paste_and_name_the_pod_of_a_log() -> None:
    facts = piped(
        "$ kubectl -n shop logs -c spark-kubernetes-driver orders-driver --tail 3 | cat\n"
        "26/11/24 10:00:00 INFO SparkContext: Running Spark version 3.5.1\n"
        "$ kubectl -n shop get pods\n"
        "NAME            READY   STATUS    RESTARTS   AGE\n"
        "orders-driver   1/1     Running   0          41m\n"
        "orders-exec-1   0/1     Evicted   0          40m\n"
    )
    assert [p.name for p in facts.pods] == ["orders-driver", "orders-exec-1"]
    assert [log.subject for log in facts.logs] == ["Pod//orders-driver"]


def test_a_log_that_is_asked_for_by_a_selection_names_no_pod() -> None:
    text = "$ kubectl logs -l spark-role=driver --tail=2\n26/11/24 10:00:00 INFO SparkContext: Running Spark version 3.5.1\n"
    assert "spark-role" not in piped(text).logs[0].subject


SCHEDULE = """Name:         nightly
Namespace:    shop
API Version:  sparkoperator.k8s.io/v1beta2
Kind:         ScheduledSparkApplication
Metadata:
  Creation Timestamp:  2026-11-21T04:45:00Z
Spec:
  Concurrency Policy:  Forbid
  Schedule:            @every 1h
Status:
  Last Run:        2026-11-25T04:47:45Z
  Last Run Name:   nightly-1
  Next Run:        2026-11-25T05:47:45Z
  Schedule State:  Scheduled
"""


def test_the_date_in_a_paste_is_the_time_of_what_was_saved() -> None:
    assert piped("$ date -u\nWed Nov 25 11:16:03 UTC 2026\n").at == 1795605363.0
    facts = piped(SCHEDULE + "$ date -u; kubectl -n shop get pods\nWed Nov 25 11:16:03 UTC 2026\nNo resources found\n")
    assert facts.at == 1795605363.0
    assert "schedule-missed" in codes(facts) and "schedule-missed" not in codes(piped(SCHEDULE))


@pytest.mark.parametrize(
    "line", ["Wed Nov 25 11:16:03 CET 2026", "Wed Nov 99 11:16:03 UTC 2026", "Wed Abc 25 11:16:03 UTC 2026"]
)
def test_a_date_of_an_unknown_zone_or_of_no_calendar_is_no_time(line: str) -> None:
    assert piped(f"$ date\n{line}\n").at == 0.0


def test_events_without_a_namespace_belong_to_the_only_one_that_was_saved(tmp_path: Path) -> None:
    put(tmp_path, "pod.json", json.dumps(raw_pod("etl-driver", "driver", state=RUNNING)))
    table = "LAST SEEN   TYPE      REASON    OBJECT           MESSAGE\n5m   Warning   Failed   pod/etl-driver   refused\n1m   Warning   NodeNotReady   node/n1   lost\n"
    put(tmp_path, "events.txt", table)
    assert {e.about for e in read_folder(tmp_path).events} == {"Pod/jobs/etl-driver", "Node//n1"}
    other = raw_pod("b-driver", "driver", state=RUNNING)
    other["metadata"]["namespace"] = "other"
    put(tmp_path, "other.json", json.dumps(other))
    assert "Pod//etl-driver" in {e.about for e in read_folder(tmp_path).events}, "it may be of either"


def test_what_an_entrypoint_prints_before_any_logger_is_a_log_under_any_name(tmp_path: Path) -> None:
    printed = "+ exec /usr/bin/tini -s -- driver-py --class x\nNon-spark-on-k8s command provided, proceeding in pass-through mode...\n"
    (tmp_path / "pasted.txt").write_text(printed)
    assert [log.text for log in read_folder(tmp_path).logs] == [printed]
