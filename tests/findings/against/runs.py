# ruff: noqa: E501  (objects are as wide as what prints them)
"""Two runs of one application as a cluster has them: what differs in each run does, and one thing is planted."""

from __future__ import annotations

import copy
import random
from typing import Any

from console.apps.assemble import assemble
from console.facts.model import Facts, Origin, RestDocument
from console.findings.against.compare import Comparison, compared
from console.findings.against.run import Picture, picture
from console.findings.case import ClusterView
from console.findings.diagnose import diagnose
from console.sources.cluster import decode
from tests.findings.worlds import HERE, NS, at, ended, facts, line, log, raw_pod

Spec = dict[str, Any]


def base() -> Spec:
    """What a run is made of; a planted change alters one entry of it."""
    return {
        "image": "registry.local/etl:7", "digest": "a" * 64, "spark": "4.1.4", "java": "17.0.9", "user": "etl", "priority": "batch",
        "conf": {"spark.executor.memory": "4g", "spark.sql.shuffle.partitions": "200", "spark.sql.adaptive.enabled": "true",
                 "spark.shuffle.service.enabled": "false", "spark.hadoop.fs.s3a.endpoint": "s3.local", "spark.local.dir": "/scratch"},
        "spec": {"executor": {"instances": 4, "memory": "4g", "cores": 2}, "driver": {"memory": "2g"}, "deps": {"packages": ["a:b:1"]}},
        "arguments": ["--day", "2026-11-23", "--mode", "full"], "env": {"PYSPARK_PYTHON": "/usr/bin/python3"},
        "labels": {"node.kubernetes.io/instance-type": "m7i.2xlarge", "karpenter.sh/capacity-type": "on-demand",
                   "topology.kubernetes.io/zone": "eu-1a", "kubernetes.io/arch": "amd64"},
        "memory": "5Gi", "rows": 1_000_000.0, "files": "120", "plan": ["Scan parquet", "SortMergeJoin", "Exchange", "Exchange"],
        "operator": "spark-operator:2.4.0", "jar": "hadoop-aws-3.4.1.jar", "sidecar": "mesh:1", "objects": {}, "gone": (),
    }  # fmt: skip


OBJECTS = ("ConfigMap/etl-settings", "Secret/etl-s3", "ResourceQuota/team", "NetworkPolicy/egress", "LimitRange/sizes")


def world(spec: Spec, seed: int, *, began: float, symptom: str = "") -> Facts:
    """One run. Ids, addresses, names, times and order are those of `seed`."""
    rng = random.Random(seed)
    tag, app_id = f"{rng.getrandbits(64):016x}", f"spark-{rng.getrandbits(128):032x}"
    name = f"etl-{1_790_000_000_000_000_000 + seed}"
    conf = {
        **spec["conf"], "spark.app.id": app_id, "spark.driver.port": str(rng.randint(30_000, 60_000)), "spark.app.startTime": str(1_790_000_000_000 + seed),
        "spark.driver.host": f"{name}-svc.jobs.svc", "spark.kubernetes.executor.podNamePrefix": f"{name}-{tag}",
    }  # fmt: skip
    items = list(conf.items())
    rng.shuffle(items)
    labels = {"sparkoperator.k8s.io/app-name": name, "sparkoperator.k8s.io/submission-id": tag}
    cr = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication",
        "metadata": {"name": name, "namespace": NS, "uid": f"uid-{seed}", "creationTimestamp": at(began),
                     "labels": {"sparkoperator.k8s.io/scheduled-app-name": "etl"}},
        "spec": {**spec["spec"], "image": spec["image"], "sparkVersion": spec["spark"], "sparkConf": spec["conf"],
                 "arguments": [a.replace("2026-11-23", f"2026-11-{10 + seed % 18}") for a in spec["arguments"]]},
        "status": {"applicationState": {"state": "FAILED" if symptom else "COMPLETED"}, "sparkApplicationId": app_id,
                   "terminationTime": at(began + 500)},
    }  # fmt: skip
    dead = {"oom": ended(137, "OOMKilled", began + 300)}.get(symptom)
    pods = [
        _pod(
            spec,
            f"{name}-driver",
            "driver",
            app_id,
            labels,
            began,
            ended(1 if symptom else 0, "Error" if symptom else "Completed", began + 500),
            rng,
        )
    ]
    pods += [
        _pod(
            spec,
            f"{name}-{tag}-exec-{n}",
            "executor",
            app_id,
            labels,
            began,
            dead or ended(0, "Completed", began + 490),
            rng,
            n,
        )
        for n in (1, 2)
    ]
    if symptom == "pull":
        pods[1]["status"] |= {
            "phase": "Pending",
            "containerStatuses": [
                {
                    "name": "spark-kubernetes-executor",
                    "state": {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}},
                }
            ],
        }
    if symptom == "pending":
        pods[1]["spec"]["nodeName"] = ""
        pods[1]["status"] |= {
            "phase": "Pending",
            "containerStatuses": [],
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/3 nodes are available: 3 Insufficient memory.",
                    "lastTransitionTime": at(began),
                }
            ],
        }
    node = {
        "metadata": {"name": "n1", "labels": {**spec["labels"], "nvidia.com/gfd.timestamp": str(seed)}},
        "status": {"nodeInfo": {"kubeletVersion": "v1.33.1"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    operator = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "spark-operator-controller", "namespace": "spark-operator"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": spec["operator"]}]}}},
    }
    things: list[Any] = [decode.pod(p, HERE) for p in pods]
    things += [decode.node(node, HERE), decode.workload(cr, HERE), decode.workload(operator, HERE)]
    things += [_object(key, spec["objects"].get(key)) for key in OBJECTS if key not in spec["gone"]]
    things += [
        RestDocument(path, data, Origin("spark-rest", path), app_id)
        for path, data in _rest(spec, items, app_id, symptom, rng).items()
    ]
    if words := LOGS.get(symptom):
        things.append(log(line(words, "ERROR", began + 400), "driver", f"Pod/{NS}/{name}-driver"))
    return facts(*things, now=began + 600)


LOGS = {
    "class": "ApplicationMaster: Exception in thread \"main\" java.lang.NoSuchMethodError: 'void org.example.Codec.encode(int)'",
    "denied": "SparkContext: java.nio.file.AccessDeniedException: s3a://lake/x: getFileStatus: Access Denied (Service: S3, Status Code: 403)",
    "network": "HiveConf: java.net.UnknownHostException: metastore.data.svc: Name or service not known",
    "disk": "Executor: java.io.IOException: No space left on device",
    "fetch": "DAGScheduler: FetchFailed(BlockManagerId(3, 10.1.2.3, 7079), shuffleId=1) org.apache.spark.shuffle.FetchFailedException: Connection refused",
}


def _pod(
    spec: Spec,
    name: str,
    role: str,
    app_id: str,
    labels: Any,
    began: float,
    state: Any,
    rng: random.Random,
    number: int = 1,
) -> Any:
    made = raw_pod(
        name, role, number=number, app_id=app_id, labels=labels, created=began, state=state, node="n1", image=spec["image"], version=spec["spark"],
        phase="Failed" if (state["terminated"]["exitCode"] or 0) else "Succeeded", limits={"memory": spec["memory"]}, ip=f"10.0.{rng.randint(0, 255)}.{rng.randint(1, 255)}",
        others=[{"name": "mesh", "image": spec["sidecar"]}],
    )  # fmt: skip
    made["spec"] |= {"serviceAccountName": spec["user"], "priorityClassName": spec["priority"]}
    made["spec"]["containers"][0]["env"] += [
        {"name": k, "value": v}
        for k, v in {**spec["env"], "SPARK_DRIVER_POD_IP": f"10.1.1.{rng.randint(1, 200)}"}.items()
    ]
    for status in made["status"]["containerStatuses"]:
        status["imageID"] = f"registry.local/etl@sha256:{spec['digest']}"
    return made


def _object(key: str, written: float | None) -> Any:
    kind, name = key.split("/")
    meta = {
        "name": name,
        "namespace": NS,
        "creationTimestamp": at(-90_000),
        "managedFields": [{"manager": "helm", "time": at(-80_000 if written is None else written)}],
    }
    return decode.workload({"apiVersion": "v1", "kind": kind, "metadata": meta}, HERE)


def _rest(spec: Spec, conf: list[Any], app_id: str, symptom: str, rng: random.Random) -> dict[str, Any]:
    done = "FAILED" if symptom else "COMPLETED"
    stages = [
        {"stageId": n, "attemptId": 0, "status": "COMPLETE", "name": f"count at job.py:{n}", "numTasks": 10, "inputBytes": int(spec["rows"] * 80 * (1 + rng.random() / 10)),
         "inputRecords": int(spec["rows"]), "submissionTime": "2026-11-24T10:00:01.000GMT", "completionTime": "2026-11-24T10:01:01.000GMT", "numCompleteTasks": 10}
        for n in range(1 if symptom else 3)
    ]  # fmt: skip
    metrics = [{"name": "number of files read", "value": spec["files"]}]
    nodes = [
        {"nodeId": n, "nodeName": f"{word}" if n else f"{word} db.t", "metrics": metrics if not n else []}
        for n, word in enumerate(spec["plan"])
    ]
    queries = [
        {"id": 0, "status": "COMPLETED", "description": "first query", "nodes": nodes},
        {"id": 1, "status": done, "description": "second", "nodes": []},
    ]
    runtime = {"javaVersion": spec["java"], "scalaVersion": "2.13.16"}
    return {
        "": {"id": app_id, "name": "etl", "attempts": [{"completed": True, "sparkUser": "etl"}]}, "stages": stages, "sql": queries,
        "environment": {"sparkProperties": conf, "runtime": runtime, "hadoopProperties": [["fs.s3a.retry.limit", "7"]],
                        "classpathEntries": [[f"/opt/spark/jars/{spec['jar']}", "System Classpath"]]},
    }  # fmt: skip


def seen(made: Facts) -> tuple[Picture, Any]:
    """The picture of the one application, and what is found about it."""
    apps = assemble(made)
    view = ClusterView(made, apps)
    case = next(c for c in view.cases if c.app.name.startswith("etl"))
    return picture(case), diagnose(made, apps)


def against(planted: Any, symptom: str, seed: int, *, others: int = 0) -> Comparison:
    """A failed run with a planted change, compared with the good run before it."""
    bad = base()
    planted(bad)
    good, _ = seen(world(base(), seed, began=0))
    more = [seen(world(base(), seed + 500 + n, began=-3_000 * (n + 1)))[0] for n in range(others)]
    failed, findings = seen(world(bad, seed + 1_000, began=3_600, symptom=symptom))
    return compared(failed, good, findings, more)


def setting(*path: str, to: Any) -> Any:
    """A change that sets one entry."""

    def plant(spec: Spec) -> None:
        inner = spec
        for key in path[:-1]:
            inner[key] = copy.deepcopy(inner[key])
            inner = inner[key]
        inner[path[-1]] = to

    return plant
