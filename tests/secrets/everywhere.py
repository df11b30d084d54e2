"""One text through every way in (saved files, objects, REST, event log, metrics, alerts, kept evidence) and out again
(text, JSON, the journal, the timeline, crash files). `shown` gives what could be read of it, by the name of the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from console.base.clock import WallClock
from console.base.jsontext import encode_json
from console.base.redact import MARK, redact
from console.cli.main import run
from console.facts.evidence import Evidence
from console.facts.model import Facts, Log, Origin
from console.facts.notjudged import not_judged
from console.operate.journal import Journal
from console.runbook.walk import Answered, AnyEvent, Applied, Judged, Noted
from console.sources.cluster.captured import EvidenceFolder
from console.sources.cluster.kinds import ALL, decoder_of
from console.sources.folder.read import read_folder
from console.sources.prometheus.alertmanager import Alertmanager, read_payload
from console.sources.prometheus.readings import Exchange, hear, reading_of
from console.sources.spark.rest import SparkRest
from console.timeline.record import WalkRecord
from console.timeline.timeline import document, markdown
from tests.findings import worlds as w
from tests.fuzz.edges import AT, THIRD, _Response, _Server, victims
from tests.operate.test_journal import started
from tests.secrets.forms import Form

TIME = "26/11/24 10:05:00 ERROR"


def log_of(text: str) -> str:
    """The log of a driver whose last words hold the text."""
    return (
        "26/11/24 10:00:01 INFO SparkContext: Running Spark version 4.1.1\n"
        "26/11/24 10:00:02 INFO SparkContext: Submitted application: etl\n"
        f"{text}\n"
        f"{TIME} ApplicationMaster: User class threw exception: \n"
        f"java.lang.IllegalStateException: {text}\n"
        "\tat com.example.Etl.main(Etl.java:7)\n"
        f'Exception in thread "main" org.apache.spark.SparkException: Job aborted: {text}\n'
        f"py4j.protocol.Py4JJavaError: An error occurred while calling o1.run: {text}\n"
        f"{TIME} SparkContext: Caused by: java.lang.OutOfMemoryError: Java heap space {text}\n"
    )


def objects(text: str) -> dict[str, list[Any]]:
    """Objects that carry the text wherever somebody can write one."""
    pod = w.raw_pod(
        "third-driver", "driver", state=w.ended(1, "Error"), phase="Failed", app_id=THIRD, reason="Evicted",
        message=text,
        args=["driver", text, "--conf", f"spark.x={text}"],
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}],
    )  # fmt: skip
    pod["metadata"]["annotations"] = {"note": text, "checksum/config": text}
    pod["spec"]["containers"][0]["env"] = [{"name": "SPARK_CONF_TEXT", "value": text}, {"name": "OTHER", "value": text}]
    pod["spec"]["tolerations"] = [{"key": "a", "operator": "Equal", "value": text}]
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] = text
    pod["status"]["containerStatuses"][0]["lastState"] = {"waiting": {"reason": "X", "message": text}}
    application = json.loads(json.dumps(victims()["sparkapplications"][0]))
    application["metadata"]["annotations"] = {"note": text}
    application["spec"] |= {"arguments": [text], "sparkConf": {"spark.note": text}, "hadoopConf": {"note": text}}
    application["spec"]["driver"]["javaOptions"] = text
    application["status"]["applicationState"]["errorMessage"] = text
    server = json.loads(json.dumps(victims()["deployments"][0]))
    server["spec"]["template"]["spec"]["containers"][0]["args"] = [text]
    server["status"]["conditions"][0]["message"] = text
    event = json.loads(json.dumps(victims()["events"][0])) | {"message": text}
    node = json.loads(json.dumps(victims()["nodes"][0]))
    node["status"]["conditions"][0] |= {"message": text, "reason": text}
    node["spec"]["taints"][0]["value"] = text
    return {
        "pods": [pod],
        "sparkapplications": [application],
        "deployments": [server],
        "events": [event],
        "nodes": [node],
    }


def rest_of(text: str) -> dict[str, Any]:
    """Answers of a driver's REST API that carry the text."""
    app = {"id": THIRD, "name": text, "attempts": [{"startTimeEpoch": 1, "endTimeEpoch": -1, "sparkUser": text}]}
    stage = {"stageId": 3, "attemptId": 0, "status": "FAILED", "executorRunTime": 5, "numTasks": 4, "numFailedTasks": 1,
             "name": text, "details": text, "failureReason": text}  # fmt: skip
    return {
        "/applications": [app],
        f"/{THIRD}": app,
        "/allexecutors": [{"id": "1", "hostPort": "h:1", "isActive": False, "removeReason": text, "totalCores": 1}],
        "/jobs": [{"jobId": 1, "name": text, "description": text, "status": "FAILED", "stageIds": [3]}],
        "/stages": [stage],
        "/environment": {"sparkProperties": [["spark.note", text]], "systemProperties": [["sun.java.command", text]]},
        "/sql": [{"id": 1, "status": "FAILED", "description": text, "planDescription": text, "errorMessage": text}],
        "/version": {"spark": "4.1.1"},
    }


def event_log_of(text: str) -> str:
    """An event log that carries the text."""
    info = {"Stage ID": 3, "Stage Attempt ID": 0, "Stage Name": text, "Number of Tasks": 1, "Details": text,
            "Failure Reason": text}  # fmt: skip
    reason = {"Reason": "ExceptionFailure", "Class Name": "x.Y", "Description": text}
    task = {"Task ID": 1, "Index": 0, "Attempt": 0, "Launch Time": 1, "Finish Time": 2, "Executor ID": "1",
            "Host": text, "Failed": True}  # fmt: skip
    events: list[AnyEvent] = [
        {"Event": "SparkListenerLogStart", "Spark Version": "4.1.1"},
        {"Event": "SparkListenerApplicationStart", "App Name": text, "App ID": THIRD, "Timestamp": 1, "User": text},
        {"Event": "SparkListenerEnvironmentUpdate", "Spark Properties": {"spark.note": text}},
        {"Event": "SparkListenerJobStart", "Job ID": 1, "Submission Time": 1, "Stage Infos": [info], "Stage IDs": [3]},
        {"Event": "SparkListenerStageCompleted", "Stage Info": info},
        {"Event": "SparkListenerTaskEnd", "Stage ID": 3, "Stage Attempt ID": 0, "Task End Reason": reason,
         "Task Info": task, "Task Metrics": {}},
        {"Event": "SparkListenerExecutorRemoved", "Executor ID": "1", "Timestamp": 3, "Removed Reason": text},
        {"Event": "SparkListenerJobEnd", "Job ID": 1, "Completion Time": 4,
         "Job Result": {"Result": "JobFailed", "Exception": {"Message": text}}},
        {"Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", "executionId": 1, "time": 1,
         "description": text, "details": text, "physicalPlanDescription": text,
         "sparkPlanInfo": {"nodeName": text, "simpleString": text, "children": [], "metrics": []}},
        {"Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd", "executionId": 1, "time": 2,
         "errorMessage": text},
    ]  # fmt: skip
    return "\n".join(json.dumps(event) for event in events)


def labels(text: str) -> dict[str, str]:
    return {"alertname": "X", "namespace": "away", "pod": "third-driver", "note": text}


def alerts_of(text: str) -> list[dict[str, Any]]:
    alert = {"labels": labels(text), "annotations": {"summary": text, "description": text}, "startsAt": w.at(10)}
    return [{**alert, "endsAt": w.at(9_000), "status": {"state": "active"}}]


def write_folder(root: Path, text: str) -> None:
    """Saved evidence that carries the text in a file of every kind."""
    made = objects(text)
    for kind in ("pods", "sparkapplications", "deployments", "nodes"):
        listed = {"apiVersion": "v1", "kind": f"{made[kind][0].get('kind', 'Pod')}List", "items": made[kind]}
        (root / f"{kind}.json").write_text(json.dumps(listed))
    events = {"apiVersion": "v1", "kind": "EventList", "items": made["events"]}
    (root / "events.json").write_text(json.dumps(events))
    (root / "log-third-driver.txt").write_text(log_of(text))
    for path, answer in rest_of(text).items():
        (root / f"rest{path.replace('/', '-')}.json").write_text(json.dumps(answer))
    (root / "eventlog").write_text(event_log_of(text))
    (root / "alerts.json").write_text(json.dumps(alerts_of(text)))
    vector = {"resultType": "vector", "result": [{"metric": labels(text), "value": [AT, "1"]}]}
    (root / "query.json").write_text(json.dumps({"status": "success", "data": vector}))
    if "\n" not in text:
        (root / "describe.txt").write_text(
            f"Name: d-driver\nNamespace: away\nAnnotations: note: {text}\nStatus: Failed\nMessage: {text}\n"
            f"Containers:\n  main:\n    Args:\n      {text}\n    Environment:\n      SPARK_NOTE: {text}\n"
            f"Events:\n  Warning  Failed  5s  kubelet  {text}\n"
        )


def facts_of(text: str) -> Facts:
    """What is read of a folder that carries the text."""
    with tempfile.TemporaryDirectory(prefix="console-secrets") as name:
        write_folder(Path(name), text)
        return read_folder(Path(name))


def _live(text: str) -> Iterator[tuple[str, str]]:
    for name, items in objects(text).items():
        kind = next(k for k in ALL if k.name == name)
        body = json.dumps({"metadata": {"resourceVersion": "1"}, "items": items}).encode()
        _, found = decoder_of(kind, kind.api_version("v1")).page(body, AT)
        assert found
        yield f"watched {name}", _text(found)
    answers = {path: json.dumps(answer).encode() for path, answer in rest_of(text).items()}
    rest = SparkRest(_Server(answers), WallClock(), pod="third-driver")
    for read in (rest.application(THIRD, deep=True), rest.timed(THIRD), rest.about(), rest.applications()):
        yield "REST", _text(asyncio.run(read))
    server = Alertmanager(_Server({"/alerts": json.dumps(alerts_of(text)).encode(), "/silences": b"[]"}))
    yield "Alertmanager", _text(asyncio.run(server.alerts()))
    yield "alert payload", _text(read_payload(json.dumps({"alerts": alerts_of(text)}), "x"))
    vector = {"resultType": "vector", "result": [{"metric": labels(text), "value": [AT, "1"]}]}
    raw = Exchange()
    hear(_Response(json.dumps({"status": "success", "data": vector}).encode()), raw)
    raw.result = vector["result"]
    yield "Prometheus", _text(reading_of("up", raw, None, AT).samples)


def _text(value: Any) -> str:
    """JSON without escapes, so that what stands in it stands in the text."""
    return json.dumps(json.loads(encode_json(value)), ensure_ascii=False).replace("\\n", "\n").replace('\\"', '"')


def _kept(text: str, root: Path) -> Iterator[tuple[str, str]]:
    folder = EvidenceFolder(root / "evidence" / "cluster")
    made = objects(text)
    log = Log("Pod/away/third-driver", redact(log_of(text)), Origin("log", "x"), role="driver")
    place = folder.save(made["pods"][0], made["events"], (log,), AT)
    for file in place.iterdir():
        yield f"kept {file.name}", _text(json.loads(file.read_text())) if file.suffix == ".json" else file.read_text()
    yield "kept, read again", _text(folder.load(AT + 1))


def _walked(text: str, root: Path) -> Iterator[tuple[str, str]]:
    journal = Journal(root / "journal.db")
    evidence = (Evidence("log", "x", text, AT),)
    events: list[AnyEvent] = [
        started(),
        Judged(at=101, step="s", status="pass", because=text, goto="", evidence=evidence, output={"said": text}),
        Answered(at=102, step="s", value=text, by="ada", goto=""),
        Applied(at=103, step="s", effect="w-1/1", ok=False, message=text, output=text),
        Noted(at=104, text=text, by="ada"),
    ]
    for event in events:
        journal.append("w-1", event)
    yield "journal", _unescaped(journal.path.read_bytes().decode("latin-1"))
    record = WalkRecord.read(journal, "w-1")
    parts = record.walk, record.events, record.chain, record.hashes
    yield "timeline", markdown(*parts)
    yield "timeline as JSON", _text(document(*parts))


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace('\\"', '"')


def _commands(root: Path, text: str) -> Iterator[tuple[str, str]]:
    folder = root / "saved"
    folder.mkdir()
    write_folder(folder, text)
    for argv in (
        ["diagnose", str(folder)],
        ["diagnose", str(folder), "--explain"],
        ["diagnose", str(folder), "-o", "json"],
        ["advise", str(folder)],
        ["advise", str(folder), "-o", "json"],
    ):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run(argv)
        assert "internal error" not in err.getvalue(), err.getvalue()
        said = out.getvalue()
        if argv[-1] == "json":
            said = _text(json.loads(said))
        yield " ".join(argv[:1] + argv[2:]), said + err.getvalue()


def shown(text: str, *, commands: bool = True) -> dict[str, str]:
    """What can be read of the text behind every way in and out."""
    out: dict[str, str] = {"folder": _text(facts_of(text))}
    out |= dict(_live(text))
    error = ValueError(text)
    out["crash file"] = _text(not_judged("Pod/x/y", "reading", error))
    with tempfile.TemporaryDirectory(prefix="console-secrets") as name:
        root = Path(name)
        out |= dict(_kept(text, root))
        out |= dict(_walked(text, root))
        if commands:
            before = {key: os.environ.get(key) for key in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
            os.environ.update({key: str(root / key) for key in before})
            try:
                out |= dict(_commands(root, text))
            finally:
                for key, value in before.items():
                    os.environ.pop(key) if value is None else os.environ.update({key: value})
    return out


def leaks(form: Form, *, commands: bool = True) -> list[str]:
    """Where the secrets of a form can still be read. Words that stand there without it are no secrets."""
    usual = "\n".join(_usual().values())
    found = []
    for way, said in shown(form.text, commands=commands).items():
        found += [f"{way}: {part}" for part in form.leaks(said) if part not in usual]
    return found


@cache
def _usual() -> dict[str, str]:
    return shown("nothing to see")


def touched(text: str, *, commands: bool = True) -> list[str]:
    """Where a harmless text was taken for a secret. Values of variables that are not Spark's own are never kept."""
    ways = shown(text, commands=commands)
    return [way for way, said in ways.items() if way != "kept pod.json" and MARK in said and MARK not in text]
