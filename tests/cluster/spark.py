"""Running real Spark: a SparkApplication through the operator on the node, or a plain PySpark application here."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import java
from tests.cluster.inventory import HERE, SPARK, require, spark_home
from tests.cluster.kube import KubeError
from tests.cluster.node import SparkNode
from tests.cluster.processes import PartFailed, Process, answers, free_port, wait_until

ENDED = ("COMPLETED", "FAILED", "SUBMISSION_FAILED", "INVALIDATING")


@dataclass
class SparkApplication:
    """A SparkApplication on the node.

    `timeline` lists (seconds since the submission, state, execution attempts) as `wait` saw them change.
    """

    kube: SparkNode
    name: str
    submitted: float
    timeline: list[tuple[float, str, int]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{self.kube.namespace}/sparkapplications/{self.name}"

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kube.get(self.path)
        return found

    def state(self) -> str:
        """The operator's state, for example RUNNING; empty before the operator has seen it."""
        status = self.read().get("status") or {}
        state: str = (status.get("applicationState") or {}).get("state") or ""
        attempts = int(status.get("executionAttempts") or 0)
        if not self.timeline or self.timeline[-1][1:] != (state, attempts):
            self.timeline.append((round(time.monotonic() - self.submitted, 1), state, attempts))
        return state

    def wait(self, *states: str, seconds: float = 300) -> str:
        """Wait until the application is in one of these states, or ended.

        Raises:
            PartFailed: it ended otherwise, or the time is over; with its events and the driver's last lines.
        """
        deadline = time.monotonic() + seconds
        while (state := self.state()) not in states:
            if state in ENDED or time.monotonic() > deadline:
                raise PartFailed(f"{self.name} is {state or 'not seen by the operator'}, not {states}\n{self.story()}")
            time.sleep(0.5)
        return state

    def pods(self, role: str = "") -> list[dict[str, Any]]:
        """Its pods: all, or those of the role `driver` or `executor`."""
        selector = f"sparkoperator.k8s.io/app-name={self.name}" + (f",spark-role={role}" if role else "")
        found: list[dict[str, Any]] = self.kube.get(
            f"/api/v1/namespaces/{self.kube.namespace}/pods", labelSelector=selector
        )["items"]
        return found

    def wait_for_executors(self, count: int, *, seconds: float = 180) -> list[dict[str, Any]]:
        """Wait until so many executors run, and answer their pods."""
        deadline = time.monotonic() + seconds
        while True:
            running = [pod for pod in self.pods("executor") if pod["status"].get("phase") == "Running"]
            if len(running) >= count:
                return running
            if time.monotonic() > deadline:
                raise PartFailed(f"{len(running)} of {count} executors of {self.name} run\n{self.story()}")
            time.sleep(0.3)

    def log(self) -> str:
        """The driver's log so far; empty where there is no driver."""
        with contextlib.suppress(KubeError):
            return self.kube.text(f"/api/v1/namespaces/{self.kube.namespace}/pods/{self.name}-driver/log")
        return ""

    def events(self) -> list[str]:
        """The events on the SparkApplication and its pods, oldest first."""
        found = self.kube.get(f"/api/v1/namespaces/{self.kube.namespace}/events")["items"]
        own = [e for e in found if self.name in e["involvedObject"]["name"] or self.name in e.get("message", "")]
        own.sort(key=lambda e: e["metadata"]["creationTimestamp"])
        return [f"{e['type']} {e['reason']} {e['involvedObject']['name']}: {e.get('message', '')}" for e in own]

    def set_overhead(self, overhead: str) -> None:
        """The cure of an executor out of memory: a merge patch of spec.executor.memoryOverhead, which restarts."""
        self.kube.merge(self.path, {"spec": {"executor": {"memoryOverhead": overhead}}})

    def delete_executor(self) -> str:
        """Take a running executor away, as a person or a node drain would. Answers the pod's name."""
        name: str = self.wait_for_executors(1)[0]["metadata"]["name"]
        self.kube.delete(f"/api/v1/namespaces/{self.kube.namespace}/pods/{name}")
        return name

    def evict_executor(self) -> str:
        """Evict a running executor through the eviction API. Answers the pod's name."""
        name: str = self.wait_for_executors(1)[0]["metadata"]["name"]
        namespace = self.kube.namespace
        metadata = {"name": name, "namespace": namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.kube.create(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)
        return name

    def delete(self, *, seconds: float = 60) -> None:
        """Remove it and wait until its pods are gone."""
        with contextlib.suppress(KubeError):
            self.kube.delete(self.path)
        deadline = time.monotonic() + seconds
        while self.pods():
            if time.monotonic() > deadline:
                raise PartFailed(f"pods of {self.name} are left after {seconds:.0f} s")
            time.sleep(0.3)

    def story(self) -> str:
        """What became of it, for the message of a failure."""
        lines = [f"    {when} s {state} attempts {attempts}" for when, state, attempts in self.timeline]
        lines += [f"    {event}" for event in self.events()[-12:]]
        lines += [f"    | {line}" for line in self.log().splitlines()[-20:]]
        return "\n".join(lines)


def submit_sparkapplication(
    kube: SparkNode,
    name: str,
    workload: str,
    *,
    overhead: str | None = None,
    restart: bool = False,
    memory: str = "512m",
    executors: int = 2,
    conf: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> SparkApplication:
    """Create a SparkApplication that runs one of `workloads.py`.

    Args:
        overhead: `spec.executor.memoryOverhead`, for example `200m`. With it, local folders are on tmpfs, so that
            shuffle files count as the container's memory (see `workloads.executor_oom`).
        restart: restartPolicy OnFailure with one retry after 3 s, else Never.
        memory: the executors' heap.
        spec: what the spec shall say otherwise, for example `{"driver": {"serviceAccount": "default"}}`.
    """
    policy: dict[str, Any] = {"type": "Never"}
    if restart:
        policy = {"type": "OnFailure", "onFailureRetries": 1, "onFailureRetryInterval": 3}
    executor: dict[str, Any] = {"instances": executors, "cores": 1, "coreRequest": "300m", "memory": memory}
    settings: dict[str, str] = {}
    if overhead is not None:
        executor["memoryOverhead"] = overhead
        settings["spark.kubernetes.local.dirs.tmpfs"] = "true"
    body: dict[str, Any] = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"name": name, "namespace": kube.namespace, "labels": dict(labels or {})},
        "spec": {
            "type": "Python",
            "pythonVersion": "3",
            "mode": "cluster",
            "image": kube.image,
            "imagePullPolicy": "IfNotPresent",
            "mainApplicationFile": "local:///opt/jobs/workloads.py",
            "arguments": [workload],
            "sparkVersion": SPARK,
            "restartPolicy": policy,
            "sparkConf": {**settings, **(conf or {})},
            "driver": {"cores": 1, "coreRequest": "300m", "memory": "512m", "serviceAccount": "spark"},
            "executor": executor,
        },
    }
    _lay_over(body["spec"], spec or {})
    application = SparkApplication(kube, name, time.monotonic())
    kube.create(application.path.rpartition("/")[0], body)
    return application


def _lay_over(tree: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            _lay_over(tree[key], value)
        else:
            tree[key] = value


def submit_etl_orders(kube: SparkNode, name: str = "etl-orders") -> SparkApplication:
    """The incident: two executors of 512m with 200m overhead whose shuffle does not fit. 1200m cures it."""
    return submit_sparkapplication(kube, name, "executor_oom", overhead="200m", restart=True)


@dataclass(frozen=True)
class LocalApplication:
    """A PySpark application that runs here. `ui` is the driver's UI, where `/metrics/executors/prometheus` is."""

    process: Process
    ui: str


class PySpark:
    """A virtual environment with PySpark.

    Attributes:
        home: the virtual environment.
        spark_home: SPARK_HOME in it, with bin/spark-submit.
        python: its interpreter.
    """

    def __init__(self) -> None:
        self.home = require("pyspark")["pyspark"]
        self.spark_home = spark_home()
        self.python = self.home / "bin" / "python"

    def run(
        self,
        folder: Path,
        workload: str = "slow",
        *,
        master: str = "local[2]",
        script: Path = HERE / "workloads.py",
        arguments: Sequence[str] = (),
        conf: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> LocalApplication:
        """Start an application and wait until its UI serves.

        `master` may be `local-cluster[2,1,512]`, which starts real executor processes. The caller stops
        `.process`; it dies with the test in any case.
        """
        port = free_port()
        settings = {
            "spark.ui.port": str(port),
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.prometheus.enabled": "true",
            "spark.local.dir": str(folder / "local"),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            **(conf or {}),
        }
        command = [
            str(self.spark_home / "bin" / "spark-submit"),
            *("--master", master, "--driver-memory", "512m"),
            *(word for key, value in settings.items() for word in ("--conf", f"{key}={value}")),
            str(script),
            *(arguments or [workload]),
        ]
        folder.mkdir(parents=True, exist_ok=True)
        process = Process(
            f"pyspark-{workload}",
            command,
            folder / "logs",
            cwd=folder,
            environment={
                "SPARK_HOME": str(self.spark_home),
                "PYSPARK_PYTHON": str(self.python),
                "PYSPARK_DRIVER_PYTHON": str(self.python),
                "SPARK_LOCAL_IP": "127.0.0.1",
                **java.environment(),
                **(environment or {}),
            },
        )
        ui = f"http://127.0.0.1:{port}"
        try:
            wait_until(
                f"the UI of {workload} serves",
                lambda: answers(f"{ui}/api/v1/applications"),
                seconds=120,
                processes=[process],
                every=0.2,
            )
        except PartFailed:
            process.stop()
            raise
        return LocalApplication(process, ui)
