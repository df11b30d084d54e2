"""Every edge, as a function that takes one broken input. `EDGES`: name → function."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from msgspec.structs import replace

from console.base.clock import WallClock
from console.base.errors import ConsoleError, UsageError
from console.base.jsontext import encode_json
from console.facts.model import Facts, Origin
from console.facts.notjudged import NotJudged
from console.settings.load import load as load_settings
from console.settings.presets import load_library
from console.sources.cluster.captured import EvidenceFolder
from console.sources.cluster.kinds import ALL, EVENTS, NODES, PODS, Kind, decoder_of
from console.sources.cluster.reflector import Reflector
from console.sources.files.runbooks import Library
from console.sources.folder.exposition import samples as exposition
from console.sources.folder.read import read_folder
from console.sources.prometheus.alertmanager import Alertmanager, read_payload
from console.sources.prometheus.answers import active_targets, label_values, rule_groups
from console.sources.prometheus.readings import Exchange, hear, ranges_of, reading_of
from console.sources.spark.eventdocs import documents as event_documents
from console.sources.spark.eventlog import EventLog
from console.sources.spark.rest import SparkRest
from console.wire.http import HttpAnswer
from console.workstreams.build import build
from tests.findings import worlds as w
from tests.fuzz import hostile, judged
from tests.fuzz.values import mutated, text_of, torn
from tests.wire.peer import recorded

HERE = judged.DATA
THIRD = f"spark-{3:032x}"
AT = w.T0 + 400


# what is broken


@cache
def victims() -> dict[str, list[Any]]:
    """Good objects by kind, of a third application in a namespace of its own."""
    pod = w.raw_pod(
        "third-driver", "driver", state=w.ended(1, "Error"), phase="Failed", app_id=THIRD, restarts=2,
        last=w.ended(137, "OOMKilled"), volumes=[{"name": "x", "emptyDir": {"sizeLimit": "1Gi"}}], node="node-9",
        args=["driver", "--conf", "spark.executor.instances=2", "--conf", "spark.executor.memory=1g"],
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}],
    )  # fmt: skip
    pod["spec"]["tolerations"] = [{"key": "a", "operator": "Exists", "tolerationSeconds": 30}]
    pod["spec"]["securityContext"] = {"runAsUser": 185, "fsGroup": 185}
    executor = w.raw_pod("third-exec-1", state=w.ended(137, "OOMKilled"), phase="Failed", app_id=THIRD, node="node-9")
    watched = [json.loads(line)["object"] for line in recorded("kubernetes/executor-oom.watch.jsonl").splitlines()]
    app = w.raw_app() if hasattr(w, "raw_app") else {}
    spec = {
        "type": "Python", "mode": "cluster", "sparkVersion": "4.1.4", "image": "spark:4", "mainApplicationFile": "x.py",
        "sparkConf": {"spark.executor.memory": "2g", "spark.dynamicAllocation.maxExecutors": "20"},
        "driver": {"cores": 1, "memory": "1g", "coreRequest": "500m"}, "restartPolicy": {"type": "OnFailure",
        "onFailureRetries": 3}, "executor": {"cores": 2, "instances": 4, "memory": "4g", "memoryOverhead": "512m"},
    }  # fmt: skip
    status = {
        "applicationState": {"state": "FAILED", "errorMessage": "driver failed"}, "executionAttempts": 2,
        "sparkApplicationId": THIRD, "submissionAttempts": 1, "terminationTime": w.at(200),
        "lastSubmissionAttemptTime": w.at(10), "driverInfo": {"podName": "third-driver"},
        "executorState": {"third-exec-1": "FAILED"},
    }  # fmt: skip
    meta = {"name": "third", "namespace": "away", "uid": "uid-third", "generation": 2, "creationTimestamp": w.at(0)}
    app = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": meta, "spec": spec}
    container = {"name": "spark-operator", "image": "spark-operator:2", "ports": [{"containerPort": 15002}]}
    selector = {"matchLabels": {"app.kubernetes.io/name": "spark-operator"}}
    server = {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {**meta, "name": "spark-operator", "uid": "uid-op", "labels": dict(selector["matchLabels"])},
        "spec": {"replicas": 2, "selector": selector, "template": {"spec": {"containers": [container]}}},
        "status": {"replicas": 2, "readyReplicas": 1, "conditions": [{"type": "Progressing", "status": "False"}]},
    }  # fmt: skip
    quota = {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {**meta, "name": "q", "uid": "uid-q"},
        "spec": {"hard": {"requests.memory": "10Gi"}},
        "status": {"hard": {"requests.memory": "10Gi"}, "used": {"requests.memory": "9Gi"}},
    }  # fmt: skip
    node = {
        "kind": "Node", "metadata": {"name": "node-9", "uid": "uid-n", "labels": {"nvidia.com/gpu.present": "true"}},
        "spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]},
        "status": {"capacity": {"memory": "64Gi", "nvidia.com/gpu": "4"}, "allocatable": {"memory": "60Gi",
        "nvidia.com/gpu": "4"}, "conditions": [{"type": "Ready", "status": "False"}]},
    }  # fmt: skip
    event = {
        "metadata": {"name": "e", "namespace": "away", "creationTimestamp": w.at(50)}, "reason": "FailedScheduling",
        "message": "0/3 nodes are available: 3 Insufficient memory.", "type": "Warning", "count": 4,
        "involvedObject": {"kind": "Pod", "namespace": "away", "name": "third-driver", "uid": "u"},
        "lastTimestamp": w.at(60), "series": {"count": 3, "lastObservedTime": w.at(70)},
    }  # fmt: skip
    for one in (pod, executor, *watched):
        one["metadata"] |= {"namespace": "away"}
    return {
        "pods": [pod, executor, watched[-1]],
        "sparkapplications": [{**app, "status": status}],
        "deployments": [server],
        "resourcequotas": [quota],
        "nodes": [node],
        "events": [event],
    }


def object_of(rng: random.Random) -> tuple[Kind, Any, Any]:
    """(kind, a good object, the same broken)."""
    name = rng.choice(("pods", "pods", "pods", "sparkapplications", "deployments", "resourcequotas", "nodes", "events"))
    kind = next(k for k in ALL if k.name == name)
    good = rng.choice(victims()[name])
    return kind, good, mutated(good, rng)


def facts_with(kind: Kind, items: list[Any]) -> Facts:
    """The healthy facts with those of one kind added, as the picture holds them."""
    base = judged.healthy()
    facts = [item for item in items if not isinstance(item, NotJudged)]
    field = {PODS.name: "pods", NODES.name: "nodes", EVENTS.name: "events"}.get(
        kind.name, "spark" if kind.name.startswith("spark") else "workloads"
    )
    failed = tuple(item for item in items if isinstance(item, NotJudged))
    return replace(base, **{field: (*getattr(base, field), *facts), "not_judged": failed})


# the edges


def cluster_list(rng: random.Random) -> Facts:
    """A page of a list with one broken object among good ones: the good ones are read."""
    kind, good, bad = object_of(rng)
    meta = {"name": "sound", "namespace": "away", "uid": "uid-sound", "creationTimestamp": w.at(0)}
    sound = {**good, "metadata": {**good["metadata"], **meta}}
    items = [bad, sound]
    rng.shuffle(items)
    body = text_of({"metadata": {"resourceVersion": "10"}, "items": items})
    version, found = decoder_of(kind, kind.api_version("v1")).page(body, AT)
    assert version == "10"
    assert any(key == "uid-sound" and not isinstance(fact, NotJudged) for key, fact in found), "a good one is missing"
    return facts_with(kind, [fact for _, fact in found if getattr(fact, "name", "") != "sound"])


class _Deaf:
    def changed_by(self, reflector: Any) -> None: ...
    def heard(self, reflector: Any) -> None: ...
    def removed(self, *_: Any) -> None: ...
    def noticed(self, *_: Any) -> None: ...


def cluster_watch(rng: random.Random) -> Facts:
    """A broken object comes by a watch."""
    kind, good, bad = object_of(rng)
    api_version = kind.api_version("v1")
    reflector = Reflector(None, kind, api_version, decoder_of(kind, api_version), _Deaf(), WallClock())  # type: ignore[arg-type]
    word = rng.choice(("ADDED", "MODIFIED", "DELETED", "BOOKMARK"))
    lines = [text_of({"type": "ADDED", "object": good}), text_of({"type": word, "object": bad})]
    lines += [torn(lines[1], rng)] if rng.random() < 0.3 else []
    for line in lines:
        try:
            reflector._take_line(line)
        except (msgspec.DecodeError, RecursionError, UnicodeError):  # it names no object: the watch is begun anew
            assert line is not lines[0]
    return facts_with(kind, [*reflector.items.values(), *reflector.failed.values()])


def folder(rng: random.Random) -> Facts:
    """A folder of evidence with a broken object in a list, or a broken file beside good ones."""
    with tempfile.TemporaryDirectory(prefix="console-fuzz") as name:
        root = Path(name)
        pods = {"apiVersion": "v1", "kind": "PodList", "items": judged.PODS}
        (root / "pods.json").write_text(json.dumps(pods))
        kind, _, bad = object_of(rng)
        saved: Any = {"apiVersion": "v1", "kind": f"{kind.kind}List", "items": [bad]}
        data = text_of(saved if rng.random() < 0.5 else bad)
        if rng.random() < 0.5:
            file = rng.choice(_files())
            data = file.read_bytes()[:200_000]
            tree = _tree(data)
            data = text_of(mutated(tree, rng)) if tree is not None and rng.random() < 0.7 else torn(data, rng)
        elif rng.random() < 0.3:
            data = torn(data, rng)
        (root / "broken.json").write_bytes(data)
        facts = read_folder(root)
    keys = {(p["metadata"]["namespace"], p["metadata"]["name"]) for p in judged.PODS}
    assert keys <= {(p.namespace, p.name) for p in facts.pods}, "good pods were not read"
    base = judged.healthy()
    mine = tuple(p for p in facts.pods if (p.namespace, p.name) not in keys)
    own = {f"Pod/{namespace}/{name}" for namespace, name in keys}
    return replace(
        base,
        pods=(*base.pods, *mine),
        spark=facts.spark,
        workloads=facts.workloads,
        nodes=(*base.nodes, *(n for n in facts.nodes if n.name != "node-1")),
        events=tuple(e for e in facts.events if e.about not in own and e.kind != "Node"),
        not_judged=facts.not_judged,
    )


@cache
def _files() -> list[Path]:
    found = [p for p in (HERE / "evidence").rglob("*") if p.is_file() and p.stat().st_size < 100_000]
    return sorted(found)[::7]


def _tree(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@cache
def _events() -> tuple[str, ...]:
    file = HERE / "slow" / "gc-bad" / "eventlog.zstd"
    with file.open("rb") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True).read().decode()
    lines = text.splitlines()
    kinds = {line[:60].split('"')[3]: line for line in lines if len(line) < 20_000}
    return tuple(dict.fromkeys((*kinds.values(), *lines[:20])))


def event_log(rng: random.Random) -> Facts:
    """An event log with broken lines."""
    lines = list(_events())
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(lines))
        tree = _tree(lines[place].encode())
        broken = text_of(mutated(tree, rng)) if tree is not None and rng.random() < 0.8 else torn(b"{}", rng)
        lines[place] = broken.decode("utf-8", "replace")
    log = EventLog("away/eventlog")
    log.feed("\n".join(lines))
    documents = tuple(replace(d, app_id=THIRD) for d in event_documents(log))
    assert log.trouble() is not None
    return replace(judged.healthy(), rest=documents)


class _Server:
    """An endpoint that answers by path."""

    label = "http://peer"

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers

    async def get(self, path: str, query: Any = None, **options: Any) -> HttpAnswer:
        body = next((b for end, b in self.answers.items() if path.partition("?")[0].endswith(end)), None)
        headers = {"content-type": "application/json"}
        return HttpAnswer(200 if body is not None else 404, headers, body or b"{}")

    async def close(self) -> None: ...


def spark_rest(rng: random.Random) -> Facts:
    """The REST API of a driver, one of whose answers is broken."""
    apps = json.loads(recorded("spark/applications.json"))
    apps[0]["id"] = THIRD
    stage = {
        "stageId": 3, "attemptId": 0, "status": "COMPLETE", "executorRunTime": 5, "numTasks": 4, "numFailedTasks": 1,
        "submissionTime": "2026-11-24T10:00:00.000GMT", "memoryBytesSpilled": 10, "name": "x",
    }  # fmt: skip
    sql = {"id": 1, "status": "COMPLETED", "duration": 50, "nodes": [{"nodeId": 0, "metrics": []}], "edges": []}
    trees = {
        "/applications": apps,
        f"/{THIRD}": apps[0],
        "/allexecutors": json.loads(recorded("spark/allexecutors.json")),
        "/jobs": json.loads(recorded("spark/jobs.json")),
        "/stages": [stage],
        "/taskSummary": json.loads(recorded("spark/taskSummary.json")),
        "/environment": {"runtime": {}, "sparkProperties": [["spark.executor.memory", "1g"]]},
        "/sql": [sql],
    }
    broken = rng.choice(sorted(trees))
    answers = {path: text_of(tree) for path, tree in trees.items()}
    answers[broken] = text_of(mutated(trees[broken], rng))
    if rng.random() < 0.1:
        answers[broken] = torn(answers[broken], rng)
    rest = SparkRest(_Server(answers), WallClock(), pod="third-driver")
    reads = (rest.application(THIRD, deep=True), rest.timed(THIRD), rest.shallow(THIRD), rest.about())
    found = [asyncio.run(read) for read in reads]
    documents = [replace(d, app_id=THIRD) for read in found for d in read.documents]
    return replace(judged.healthy(), rest=tuple(documents))


class _Response:
    def __init__(self, body: bytes) -> None:
        self.status_code, self.content, self.text = 200, body, body.decode("utf-8", "replace")


def prometheus(rng: random.Random) -> Facts:
    """Answers of Prometheus: vectors, ranges, rules, targets, names."""
    names = ("container_memory_working_set_bytes", "kube_pod_status_phase", "DCGM_FI_DEV_GPU_UTIL",
             "metrics_executor_totalGCTime_seconds_total")  # fmt: skip
    labels: dict[str, Any] = {"namespace": "away", "pod": "third-exec-1", "application_id": THIRD, "gpu": "0"}
    labels |= {"Hostname": "node-9", "container": "x", "UUID": "GPU-1", "executor_id": "1"}
    result: list[Any] = [{"metric": {**labels, "__name__": name}, "value": [AT, "1.5"]} for name in names]
    tree = {"status": "success", "data": {"resultType": "vector", "result": result}}
    body = text_of(mutated(tree, rng))
    raw = Exchange()
    hear(_Response(torn(body, rng) if rng.random() < 0.1 else body), raw)
    data = raw.said.data if raw.said is not None else None
    raw.result = data.get("result") if isinstance(data, dict) else None
    reading = reading_of("up", raw, None, AT)
    ranges_of("up", raw, None)
    rule = {"type": "alerting", "name": "A", "query": "up", "labels": {"a": "b"}, "duration": 60, "health": "ok"}
    groups = {"status": "success", "data": {"groups": [{"name": "g", "rules": [rule, mutated(rule, rng)]}]}}
    try:
        found = [one.name for one_group in rule_groups(text_of(groups)) for one in one_group.rules]
    except msgspec.DecodeError:  # a text that is no JSON
        found = ["A"]
    assert found[:1] == ["A"], "the sound rule was not read"
    for read in (rule_groups, active_targets, label_values):
        try:
            read(body)
        except ValueError:
            continue
    base = judged.healthy()
    return replace(base, samples=(*base.samples, *reading.samples))


def metrics_text(rng: random.Random) -> Facts:
    """A page of metrics in the text format."""
    lines = [
        "# HELP x y", "# TYPE x gauge",
        *(f'kube_pod_status_phase{{namespace="away",pod="{n}",phase="Failed"}} 1 {int(AT * 1000)}' for n in "abc"),
        'metrics_executor_totalGCTime_seconds_total{application_id="x",executor_id="1"} 3.5', "up 1",
    ]  # fmt: skip
    place = rng.randrange(len(lines))
    value = rng.choice(("1e400", "9" * 400, "NaN", "-Inf", "0x1", "", "²", "1 " + "9" * 400, "1 -1", '{a="' * 400))
    lines[place] = rng.choice((lines[place].rpartition(" ")[0] + " " + value, value, "{" * 3_000, 'x{a="' + "\\" * 9))
    text = torn("\n".join(lines).encode(), rng).decode("utf-8", "replace") if rng.random() < 0.2 else "\n".join(lines)
    base = judged.healthy()
    return replace(base, samples=(*base.samples, *exposition(text, Origin("prometheus", "x"))))


def alertmanager(rng: random.Random) -> Facts:
    """Alerts and silences of Alertmanager, and an alert that is pasted."""
    alerts, silences = (json.loads(recorded(f"alertmanager/{name}.json")) for name in ("alerts", "silences"))
    answers = {
        "/alerts": text_of([alerts[0], mutated(alerts[0], rng)]),
        "/silences": text_of([silences[0], mutated(silences[0], rng)]),
    }
    server = Alertmanager(_Server(answers))
    found = asyncio.run(server.alerts())
    assert found and asyncio.run(server.silences()) is not None
    body = torn(text_of(mutated(alerts, rng)), rng) if rng.random() < 0.3 else text_of(mutated(alerts, rng))
    for text in (body.decode("utf-8", "replace"), answers["/alerts"].decode()):
        try:
            read_payload(text, "x")
        except UsageError as error:
            str(error).encode()
    return replace(judged.healthy(), alerts=found)


def standalone(rng: random.Random) -> Facts:
    """Pages of standalone masters and workers."""
    name = rng.choice(sorted(p.name for p in (HERE / "standalone").glob("*.json")))
    what = name.partition("-")[0]
    body = text_of(mutated(json.loads((HERE / "standalone" / name).read_text()), rng))
    rest = SparkRest(_Server({"/json/": torn(body, rng) if rng.random() < 0.1 else body}), WallClock())
    read = asyncio.run(rest.master() if what == "master" else rest.worker())
    return replace(judged.healthy(), rest=tuple(replace(d, pod="away/master-0") for d in read.documents))


def kept(rng: random.Random) -> Facts:
    """Evidence that an earlier session kept, of which one file is broken."""
    with tempfile.TemporaryDirectory(prefix="console-fuzz") as name:
        evidence = EvidenceFolder(Path(name) / "evidence" / "cluster")
        for tree in judged.PODS:
            evidence.save(tree, [], (), AT)
        good = victims()["pods"][0]
        place = evidence.save(good, victims()["events"], (), AT)
        file = place / rng.choice(("pod.json", "pod.json", "events.json"))
        data = text_of(mutated(json.loads(file.read_bytes()), rng))
        file.write_bytes(torn(data, rng) if rng.random() < 0.2 else data)
        loaded = evidence.load(AT + 1)
        again = evidence.load(AT + 2)
        shutil.rmtree(name, ignore_errors=True)
        Path(name).mkdir()
    assert {p.name for p in loaded.pods} >= {p["metadata"]["name"] for p in judged.PODS}
    assert again.unread == (), "what cannot be read is said once"
    own = {p["metadata"]["name"] for p in judged.PODS}
    mine = tuple(p for p in loaded.pods if p.name not in own)
    base = judged.healthy()
    return replace(base, pods=(*base.pods, *mine), events=loaded.events, not_judged=loaded.failed)


def documents(rng: random.Random) -> None:
    """A runbook, a preset or a config file that is broken: said with its place, never raised as anything else."""
    root = Path(__file__).parents[2]
    what, file = rng.choice(
        [
            ("runbooks", root / "runbooks" / "spark-oom.yaml"),
            ("presets", root / "presets" / "core-gpu.yaml"),
            ("config", HERE / "old" / "config.yaml"),
        ]
    )
    text = file.read_text() if file.is_file() else "context: x\nmode: read-only\n"
    lines = text.splitlines()
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(lines))
        key = lines[place].partition(":")[0]
        lines[place] = rng.choice(
            (f"{key}: {'9' * 400}", f"{key}: {'[' * 300}", f"{key}: .nan", f"{key}: *a", f"{key}: &a [*a]", key,
             f"{key}: 1e400", "\t" + lines[place], f"{key}: !!python/object:os.system x", f'{key}: "\\uD800"', "",
             f"{key}: 2026-02-30", f"{key}: \x00", f"{key}: 0x{'f' * 300}", f"{key}: {'a: ' * 50}", f"? {key}")
        )  # fmt: skip
    data = "\n".join(lines).encode("utf-8", "replace")
    data = torn(data, rng) if rng.random() < 0.2 else data
    with tempfile.TemporaryDirectory(prefix="console-fuzz") as name:
        broken = Path(name) / f"{file.stem}.yaml"
        broken.write_bytes(data)
        try:
            if what == "runbooks":
                library = Library.read((Path(name),))
                assert "spark-oom" in library.runbooks or library.problems
                library.lint(only=("spark-oom",))
            elif what == "presets":
                load_library((Path(name),))
            else:
                load_settings(broken, {})
        except ConsoleError as error:
            str(error).encode()


def workstreams(rng: random.Random) -> None:
    """An index of workstreams, and a file beside it."""
    text = (HERE / "workstreams" / "index.md").read_text()
    lines = text.splitlines()
    start = rng.randrange(len(lines) - 40)
    lines = lines[start : start + 40]
    for _ in range(rng.randint(1, 5)):
        place = rng.randrange(len(lines))
        lines[place] = rng.choice(
            ("| " * 500, "9" * 5_000, "\x1b[31m", "---\na: " + "9" * 400, "```", "<!--", "| WS-9..9999999999 | x |",
             lines[place] * 30, lines[place][::-1], "\ufeff", "**" * 300)
        )  # fmt: skip
    data = "\n".join(lines).encode("utf-8", "replace")
    data = torn(data, rng) if rng.random() < 0.3 else data
    index = build(data, file="index.md", files=[("WS-1.md", torn(data, rng)), ("WS-2.md", b"---\nid: 9" + b"9" * 400)])
    encode_json(index.counts())


_ALL = (
    cluster_list, cluster_watch, folder, event_log, spark_rest, prometheus, metrics_text, alertmanager, standalone,
    kept, documents, workstreams, hostile.logs, hostile.commands, hostile.templates,
)  # fmt: skip
EDGES: dict[str, Callable[[random.Random], Facts | None]] = {edge.__name__: edge for edge in _ALL}
