"""A folder of saved evidence: known by content, whatever is missing, cut off, compressed or hostile."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.apps.assemble import assemble
from console.base.errors import UsageError
from console.facts.model import Facts
from console.findings.diagnose import diagnose
from console.sources.folder import contents as folder_bytes
from console.sources.folder.read import read_folder
from tests.findings.corpus import ROOT
from tests.findings.worlds import at, ended, raw_pod


def put(folder: Path, name: str, data: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def codes(facts: Facts) -> list[str]:
    return [f.code for f in diagnose(facts, assemble(facts))]


OOM = raw_pod("etl-exec-1", state=ended(137, "OOMKilled"), phase="Failed")
DRIVER = raw_pod("etl-driver", "driver", state={"running": {}}, args=["local:///x.py"])
HEAP_LOG = (
    "26/11/24 10:00:00 INFO SparkContext: Running Spark version 4.1.4\n"
    "26/11/24 10:01:00 ERROR TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: \n"
    "The executor with id 1 exited with exit code 52(JVM OOM).\n"
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a", {"kind": "PodList", "apiVersion": "v1", "items": [OOM, DRIVER]}),
        ("a", {"kind": "List", "apiVersion": "v1", "items": [OOM, DRIVER]}),
        ("a", [OOM, DRIVER]),
        ("a", json.dumps(OOM) + "\n" + json.dumps(DRIVER)),
        ("a", json.dumps(OOM, indent=2) + json.dumps(DRIVER, indent=2)),
        ("a", json.dumps({"type": "ADDED", "object": DRIVER}) + json.dumps({"type": "MODIFIED", "object": OOM})),
        ("a", json.dumps({"t": 4.0, "pod": DRIVER}) + "\n" + json.dumps({"t": 5.0, "pod": OOM}) + "\n"),
        ("a", {"kind": "Table", "rows": [{"cells": [], "object": OOM}, {"cells": [], "object": DRIVER}]}),
        ("a.yaml", yaml.safe_dump_all([OOM, DRIVER])),
        ("a", gzip.compress(json.dumps([OOM, DRIVER]).encode())),
        ("a", zstandard.ZstdCompressor().compress(json.dumps([OOM, DRIVER]).encode())),
        ("a", "\ufeff" + json.dumps([OOM, DRIVER])),
        ("a", json.dumps([OOM, DRIVER]).encode("utf-16")),
    ],
    ids=[
        "list",
        "mixed list",
        "array",
        "lines",
        "concatenated",
        "watch",
        "timeline",
        "table",
        "yaml",
        "gzip",
        "zstd",
        "bom",
        "utf-16",
    ],
)
def test_pods_in_every_shape(tmp_path: Path, name: str, data: Any) -> None:
    put(tmp_path, name, data)
    facts = read_folder(tmp_path)
    assert {p.name for p in facts.pods} == {"etl-exec-1", "etl-driver"} and facts.unread == ()
    assert codes(facts) == ["executor-oom-container"]


def test_archives_are_opened(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        body = json.dumps([OOM, DRIVER]).encode()
        info = tarfile.TarInfo("deep/pods.json")
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
    put(tmp_path, "evidence.tgz", buffer.getvalue())
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as zipped:
        zipped.writestr("driver", HEAP_LOG)
    facts = read_folder(tmp_path)
    assert len(facts.pods) == 2 and facts.logs[0].origin.locator == "logs.zip!driver"


def test_a_state_that_was_seen_is_not_lost_to_a_later_object(tmp_path: Path) -> None:
    """1.20 overwrites a terminated container with ContainerCreating when the pod is deleted."""
    late = raw_pod("etl-exec-1", state={"waiting": {"reason": "ContainerCreating"}}, phase="Failed", deleted=310)
    put(tmp_path, "1.json", OOM)
    put(tmp_path, "2.json", late)
    (pod,) = read_folder(tmp_path).pods
    assert pod.main is not None and pod.main.terminated is not None and pod.main.terminated.reason == "OOMKilled"
    assert pod.deleted is not None


def test_two_pods_of_one_name_are_two_attempts(tmp_path: Path) -> None:
    first = raw_pod("etl-driver", "driver", state=ended(1), phase="Failed", uid="one")
    second = raw_pod("etl-driver", "driver", state={"running": {}}, uid="two", created=400)
    put(tmp_path, "a.json", [first, second])
    facts = read_folder(tmp_path)
    assert [p.uid for p in facts.pods] == ["one", "two"]


def test_a_pod_that_a_later_list_does_not_hold_is_gone(tmp_path: Path) -> None:
    running = raw_pod("etl-exec-1", state={"running": {}})
    running["metadata"]["resourceVersion"] = "10"
    DRIVER["metadata"]["resourceVersion"] = "20"
    put(tmp_path, "mid.json", {"kind": "PodList", "metadata": {"resourceVersion": "11"}, "items": [running, DRIVER]})
    put(tmp_path, "end.json", {"kind": "PodList", "metadata": {"resourceVersion": "21"}, "items": [DRIVER]})
    assert {p.name: p.gone for p in read_folder(tmp_path).pods} == {"etl-exec-1": True, "etl-driver": False}


def test_describe_and_tables_of_kubectl(tmp_path: Path) -> None:
    describe = (
        "Name:             etl-exec-1\nNamespace:        jobs\nNode:             node-1/10.0.0.1\n"
        "Labels:           spark-app-selector=spark-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n                  "
        "spark-role=executor\n"
        "Status:           Failed\nIP:               10.0.0.2\nControlled By:  Pod/etl-driver\nContainers:\n"
        "  spark-kubernetes-executor:\n    Image:         r/spark:4.1.4\n    State:          Terminated\n"
        "      Reason:       OOMKilled\n      Exit Code:    137\n      Started:      Tue, 24 Nov 2026 10:00:10 +0000\n"
        "      Finished:     Tue, 24 Nov 2026 10:05:00 +0000\n    Ready:          False\n    Restart Count:  0\n"
        "    Limits:\n      memory:  896Mi\n    Environment:\n      SPARK_EXECUTOR_MEMORY:  512m\n"
        "      DB_PASSWORD:            hunter2\nConditions:\n  Type    Status\n  Ready   False \n"
        "Events:\n  Type     Reason  Age  From     Message\n  ----     ------  ---- ----     -------\n"
        "  Warning  BackOff  5s (x3 over 9s)  kubelet  Back-off restarting failed container\n"
    )
    put(tmp_path, "describe.txt", describe)
    facts = read_folder(tmp_path)
    (pod,) = facts.pods
    assert pod.main is not None and pod.main.limits == {"memory": 896 * 2**20} and pod.node == "node-1"
    assert "hunter2" not in repr(facts.pods)
    assert facts.events[0].count == 3 and codes(facts) == ["executor-oom-container"]
    put(
        tmp_path,
        "pods.txt",
        "NAME         READY   STATUS      RESTARTS   AGE\netl-exec-2   0/1     OOMKilled   0          5m\n",
    )
    put(
        tmp_path,
        "events.txt",
        "LAST SEEN   TYPE      REASON             OBJECT            MESSAGE\n5m          Warning   "
        "FailedScheduling   pod/etl-exec-3    0/1 nodes are available\n",
    )
    more = read_folder(tmp_path)
    assert {p.name for p in more.pods} == {"etl-exec-1", "etl-exec-2"}
    assert any(e.about == "Pod/jobs/etl-exec-3" for e in more.events)


def test_an_object_tells_more_than_a_description(tmp_path: Path) -> None:
    put(tmp_path, "pods.json", [OOM, DRIVER])
    put(
        tmp_path,
        "pods.txt",
        "NAMESPACE   NAME         READY   STATUS    RESTARTS   AGE\njobs        etl-exec-1   1/1     Running   0   "
        "       5m\n",
    )
    facts = read_folder(tmp_path)
    assert len(facts.pods) == 2 and codes(facts) == ["executor-oom-container"]


def test_the_log_of_spark_submit_tells_how_its_driver_ended(tmp_path: Path) -> None:
    source = ROOT / "kubernetes-1.20" / "driver-oomkilled" / "submit.log"
    put(tmp_path, "x", source.read_bytes())
    facts = read_folder(tmp_path)
    assert codes(facts) == ["driver-oom-container"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(400), "binary"),
        (b"LZ4Block\x00\x00\x00", "lz4"),
        (b"\x82SNAPPY\x00\x00\x00", "snappy"),
        (b"\xfd7zXZ\x00\x00", "xz"),
        (b"<!DOCTYPE html><html><title>Spark Jobs</title></html>", "HTML"),
        (b'{"kind":"Status","status":"Failure","code":403,"message":"pods is forbidden"}', "403"),
        (b"unable to retrieve container logs for containerd://abc", "removed from the node"),
        (b'{"meta": {"scenario": "executor-oom"}, "files": []}', "no kind"),
        (b"# A readme\n\nSome words about something.\n", "no kind"),
        (b'{"a": ', "cut off"),
        (b"a: &a [1]\nkind: *a\napiVersion: v1\n" + b"", "no kind"),
        (b"apiVersion: v1\nkind: &k Pod\nother: *k\n", "aliases"),
        (b"PK\x03\x04garbage", "archive"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    put(tmp_path, "x", data)
    facts = read_folder(tmp_path)
    assert [reason in why for _, why in facts.unread] == [True], facts.unread
    assert codes(facts) == []


def test_a_cut_list_keeps_its_whole_items(tmp_path: Path) -> None:
    text = json.dumps({"kind": "PodList", "items": [OOM, DRIVER]})
    put(tmp_path, "pods.json", text[: text.index('"etl-driver"')])
    facts = read_folder(tmp_path)
    assert [p.name for p in facts.pods] == ["etl-exec-1"]
    assert "cut off after 1 items" in facts.unread[0][1]


def test_an_object_that_was_cut_off_tells_what_stands_before_the_cut(tmp_path: Path) -> None:
    whole = json.dumps(OOM, indent=2)
    put(tmp_path, "pod.json", whole[: whole.index("terminated") + 150])
    facts = read_folder(tmp_path)
    assert [p.name for p in facts.pods] == ["etl-exec-1"] and "cut off" in facts.unread[0][1]
    put(tmp_path, "pod.json", whole[: whole.index('"status"')])
    facts = read_folder(tmp_path)
    assert not facts.pods and "cut off before its status" in facts.unread[0][1]


def test_a_damaged_yaml_list_keeps_its_sound_items(tmp_path: Path) -> None:
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [OOM, DRIVER]}, sort_keys=False)
    put(tmp_path, "pods.yaml", text.replace("name: spark-kubernetes-driver", "name: x\n\t: ["))
    facts = read_folder(tmp_path)
    assert [p.name for p in facts.pods] == ["etl-exec-1"] and "1 items of it were read" in facts.unread[0][1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_wide_text_is_read_with_and_without_its_mark(tmp_path: Path, encoding: str) -> None:
    put(tmp_path, "driver.log", HEAP_LOG.encode(encoding))
    assert codes(read_folder(tmp_path)) == ["executor-oom-heap"]


def test_a_refusal_of_kubectl_is_no_evidence(tmp_path: Path) -> None:
    put(tmp_path, "pods.json", "Error from server (Forbidden): pods is forbidden")
    facts = read_folder(tmp_path)
    assert codes(facts) == [] and facts.unread == (
        ("pods.json", "kubectl was refused: Error from server (Forbidden): pods is forbidden"),
    )


def test_pods_that_only_events_tell_of_are_judged_beside_others(tmp_path: Path) -> None:
    """An evicted executor that is gone counts; one that once waited and is gone does not."""
    put(tmp_path, "pods.json", DRIVER)
    about = {"kind": "Pod", "namespace": "jobs"}
    told = [("etl-exec-7", "Evicted", "Evicted pod: Forceful Termination"), ("etl-exec-8", "FailedScheduling", "0/9")]
    for number, (name, reason, message) in enumerate(told):
        one = {"metadata": {"name": f"e{number}", "namespace": "jobs"}, "involvedObject": {**about, "name": name}}
        put(tmp_path, f"e{number}.json", {**one, "reason": reason, "message": message, "type": "Warning"})
    assert codes(read_folder(tmp_path)) == ["executor-evicted"]


def test_bad_lines_among_good_ones_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "x.jsonl", "\n".join([json.dumps({"pod": OOM}), '{"pod": {"meta', json.dumps({"pod": DRIVER})]))
    facts = read_folder(tmp_path)
    assert len(facts.pods) == 2 and "1 damaged" in facts.unread[0][1]


def test_links_out_of_the_folder_and_devices_are_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path, "secret.log", HEAP_LOG)
    inside = tmp_path / "evidence"
    inside.mkdir()
    (inside / "link.log").symlink_to(outside)
    (inside / "loop").symlink_to(inside / "loop")
    (inside / "etc").symlink_to("/etc")
    os.mkfifo(inside / "pipe")
    put(inside, "good.log", HEAP_LOG)
    (inside / "also.log").symlink_to(inside / "good.log")
    facts = read_folder(inside)
    assert {log.origin.locator for log in facts.logs} == {"good.log", "also.log"}
    assert {name for name, _ in facts.unread} == {"link.log", "loop", "pipe"}


def test_a_gigantic_log_is_read_at_its_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("MAX_TEXT", 40_000), ("HEAD", 8_000), ("TAIL", 16_000)):
        monkeypatch.setattr(folder_bytes, name, size)
    filler = "26/11/24 10:00:30 INFO TaskSetManager: Finished task 0.0 in stage 0.0 (TID 1) in 5 ms\n" * 4_000
    put(tmp_path, "driver.log", HEAP_LOG.splitlines()[0] + "\n" + filler + HEAP_LOG)
    facts = read_folder(tmp_path)
    assert len(facts.logs[0].text) < 30_000 and facts.logs[0].truncated
    assert codes(facts) == ["executor-oom-heap"] and "only the first" in facts.unread[0][1]


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_bytes, "MAX_TEXT", 2**20)
    put(tmp_path, "bomb.gz", gzip.compress(b"a" * 50_000_000))
    facts = read_folder(tmp_path)
    assert any("only the first" in why for _, why in facts.unread)


def test_a_damaged_gzip_gives_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress((HEAP_LOG + "x" * 200_000).encode(), compresslevel=0)
    put(tmp_path, "driver.log.gz", packed[:1_000])
    facts = read_folder(tmp_path)
    assert codes(facts) == ["executor-oom-heap"] and "cut off" in facts.unread[0][1]


def test_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_folder(tmp_path / "nothing-here")


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    facts = read_folder(tmp_path)
    assert facts.pods == () and {s.state for s in facts.sources} == {"absent"}


def test_rest_answers_by_shape_and_by_folder(tmp_path: Path) -> None:
    application = {
        "id": "app-20261124100000-0001",
        "name": "load",
        "attempts": [{"completed": False, "endTimeEpoch": -1}],
    }
    put(tmp_path, "a/one.json", application)
    put(
        tmp_path,
        "a/two.json",
        [{"id": "1", "isActive": False, "totalCores": 1, "removeReason": "Command exited with code 52"}],
    )
    put(tmp_path, "a/allexecutors.json", [])
    put(tmp_path, "b/three.json", [{"id": "9", "isActive": True, "totalCores": 1}])
    facts = read_folder(tmp_path)
    assert {(d.path, d.app_id) for d in facts.rest} == {
        ("", "app-20261124100000-0001"),
        ("executors", "app-20261124100000-0001"),
        ("allexecutors", "app-20261124100000-0001"),
        ("executors", ""),
    }
    assert codes(facts) == ["executor-oom-heap"]


def test_metrics_alerts_and_queries(tmp_path: Path) -> None:
    put(
        tmp_path,
        "m.prom",
        '# TYPE x gauge\nDCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1"} 95\nbad{unsupported="1"} 9.3e18\n',
    )
    vector = {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {"__name__": "up"}, "value": [1, "1"]}]},
    }
    put(tmp_path, "q.json", vector)
    put(
        tmp_path,
        "alerts.json",
        [{"labels": {"alertname": "SparkOOM"}, "startsAt": at(0), "status": {"state": "suppressed"}}],
    )
    put(tmp_path, "hook.json", {"receiver": "r", "alerts": [{"labels": {"alertname": "Hook"}, "status": "firing"}]})
    facts = read_folder(tmp_path)
    assert {s.name for s in facts.samples} == {"DCGM_FI_DEV_GPU_TEMP", "up"}
    assert {(a.name, a.silenced) for a in facts.alerts} == {("SparkOOM", True), ("Hook", False)}


def test_an_event_log_plain_rolled_and_compressed(tmp_path: Path) -> None:
    def event(name: str, **body: Any) -> str:
        return json.dumps({"Event": name, **body}).replace('{"Event": ', '{"Event":')

    first = [
        event("SparkListenerLogStart", **{"Spark Version": "4.1.4"}),
        event(
            "SparkListenerApplicationStart", **{"App Name": "load", "App ID": "app-20261124100000-0001", "Timestamp": 1}
        ),
        event(
            "SparkListenerExecutorAdded",
            **{"Executor ID": "1", "Timestamp": 2, "Executor Info": {"Host": "h", "Total Cores": 2}},
        ),
    ]
    second = [
        event(
            "SparkListenerExecutorRemoved",
            **{"Executor ID": "1", "Timestamp": 9, "Removed Reason": "Command exited with code 52"},
        ),
        event("SparkListenerApplicationEnd", Timestamp=10),
    ]
    folder = "eventlog_v2_app-20261124100000-0001"
    pack = zstandard.ZstdCompressor()
    put(tmp_path, f"{folder}/events_2_app-20261124100000-0001.zstd", pack.compress("\n".join(second).encode()))
    put(tmp_path, f"{folder}/events_1_app-20261124100000-0001.zstd", pack.compress("\n".join(first).encode()))
    facts = read_folder(tmp_path)
    (app,) = assemble(facts)
    assert (app.app_id, app.name, app.spark_version) == ("app-20261124100000-0001", "load", "4.1.4")
    assert codes(facts) == ["executor-oom-heap"]


def test_secrets_in_objects_and_logs_do_not_reach_findings(tmp_path: Path) -> None:
    key = "AKIAABCDEFGHIJKLMNOP"
    text = (
        HEAP_LOG
        + f"26/11/24 10:01:01 WARN S3AFileSystem: fs.s3a.secret.key=hunter2 {key}: Error Code: AccessDenied on s3a://lake\n"
    )
    put(tmp_path, "driver.log", text)
    facts = read_folder(tmp_path)
    shown = repr(diagnose(facts, assemble(facts)))
    assert "hunter2" not in shown and key not in shown and "I22" in shown


HOSTILE = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "kind",
                        "metadata",
                        "spec",
                        "status",
                        "items",
                        "name",
                        "type",
                        "object",
                        "id",
                        "attempts",
                        "labels",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=25,
    ).map(lambda v: json.dumps(v).encode()),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(HOSTILE, min_size=1, max_size=3))
def test_no_input_crashes_it(tmp_path_factory: pytest.TempPathFactory, files: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("x")
    for index, data in enumerate(files):
        (folder / f"{index}").write_bytes(data)
    facts = read_folder(folder)
    for finding in diagnose(facts, assemble(facts)):
        assert finding.confidence != "high"
