"""Spark's REST: the UI of each running driver, and the History Server for what ended. Shapes of 4.1."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from console.drill.spark.progress import SparkRun
from console.drill.spark.runs import Spark
from console.drill.spark.stats import EXPOSED, RunStats
from console.drill.spark.threads import threads
from console.drill.spark.view import RestNotFound, RunView
from console.drill.state.backend import Backend
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import spark_stamp
from console.drill.state.resources import PODS

Object = dict[str, Any]
NEVER = "1969-12-31T23:59:59.999GMT"


PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h3>{title}</h3></body></html>"


class RestRefused(Exception):
    """400 with a text body."""


class SparkRestServer:
    """All Spark user interfaces of a cluster."""

    def __init__(self, cluster: ClusterState, spark: Spark) -> None:
        self.cluster, self.spark = cluster, spark

    def backend(self, plural: str, namespace: str, name: str, port: int) -> Backend | None:
        """What listens there, or None."""
        if plural == "services" and (name, port) == ("spark-history-server", 18080):
            return self._history
        if plural == "pods":
            pod = self.cluster.store.get(PODS, namespace, name)
            if pod is None:
                return None
            labels = pod["metadata"].get("labels") or {}
            if labels.get("app") == "spark-history-server" and port == 18080:
                return self._history
            run = self.spark.run_of(pod)
            drives = run is not None and run.driver["metadata"]["uid"] == pod["metadata"]["uid"]
            if port == 4040 and drives and run and run.started and run.ended is None:

                async def answer(path: str, request: web.Request) -> web.StreamResponse:
                    return self.driver(run, path, request)

                return answer
        return None

    # -- driver UI ------------------------------------------------------------------------------------------------

    def driver(self, run: SparkRun, path: str, request: web.Request) -> web.Response:
        """A request to a driver's UI."""
        if path == "/metrics/executors/prometheus":
            return web.Response(text=self.exposition(run), content_type="text/plain")
        if not path.startswith("/api/v1"):
            if path.startswith("/metrics/"):
                return web.Response(status=404, text="Not Found", content_type="text/html")
            return web.Response(text=PAGE.format(title=f"{run.name} - Spark Jobs"), content_type="text/html")
        return self._api([run], path, dict(request.query))

    async def _history(self, path: str, request: web.Request) -> web.StreamResponse:
        if not path.startswith("/api/v1"):
            return web.Response(text=PAGE.format(title="History Server"), content_type="text/html")
        runs: list[SparkRun] = [run for run in self.spark.runs if run.started is not None and run.ended is not None]
        return self._api(runs, path, dict(request.query))

    def _api(self, runs: list[SparkRun], path: str, query: dict[str, str]) -> web.Response:
        parts = [part for part in path.removeprefix("/api/v1").split("/") if part]
        try:
            return web.Response(
                body=msgspec.json.format(msgspec.json.encode(self._answer(runs, parts, query)), indent=2),
                content_type="application/json",
            )
        except RestRefused as error:
            return web.Response(status=400, text=str(error), content_type="text/plain")
        except RestNotFound as error:
            return web.Response(status=404, text=str(error), content_type="text/plain")

    def _answer(self, runs: list[SparkRun], parts: list[str], query: dict[str, str]) -> Any:
        if parts == ["version"]:
            return {"spark": "4.1.4"}
        if not parts or parts[0] != "applications":
            raise RestNotFound("HTTP 404 Not Found")
        if len(parts) == 1:
            return self._applications(runs, query)
        run = next((r for r in runs if r.app_id == parts[1]), None)
        if run is None:
            raise RestNotFound(f"no such app: {parts[1]}")
        if len(parts) == 2:
            return self.application(run)
        return self._of_run(RunView(run, self.cluster.heap.now), parts[2:], query)

    def _of_run(self, view: RunView, rest: list[str], query: dict[str, str]) -> Any:
        """What lies below `applications/ID`."""
        match rest:
            case ["jobs"]:
                return view.jobs(query)
            case ["jobs", number]:
                return view.one(view.jobs({}), "jobId", number, "job")
            case ["stages"]:
                return view.stages(query)
            case ["stages", *_]:
                return self._stage(view, rest, query)
            case ["executors"]:
                return [e for e in view.executors() if e["isActive"]]
            case ["allexecutors"]:
                return view.executors()
            case ["executors", whose, "threads"]:
                return self._threads(view, whose)
            case ["environment"]:
                return view.environment()
            case ["sql"] | ["storage", "rdd"] | ["allmiscellaneousprocess"]:
                return []
        raise RestNotFound("HTTP 404 Not Found")

    def _threads(self, view: RunView, whose: str) -> list[Object]:
        """Only of a process that lives: not of those that the History Server tells of."""
        if whose != "driver" and not whose.isdigit():
            raise RestRefused("Invalid executorId: neither 'driver' nor number.")
        row = next((e for e in view.executors() if e["id"] == whose), None)
        if row is None or not row["isActive"] or view.run.ended is not None:
            raise RestNotFound("Executor does not exist.")
        return threads(view, whose)

    def _stage(self, view: RunView, rest: list[str], query: dict[str, str]) -> Any:
        stage = view.one(view.stages({}), "stageId", rest[1], "stage")
        if len(rest) == 2:
            return [stage]
        if len(rest) == 3:
            return stage
        if rest[3] == "taskSummary":
            return view.task_summary(int(rest[1]), query)
        if rest[3] == "taskList":
            return view.tasks(int(rest[1]), query)
        raise RestNotFound("HTTP 404 Not Found")

    def _applications(self, runs: list[SparkRun], query: dict[str, str]) -> list[Object]:
        out = [self.application(run) for run in reversed(runs)]
        wanted = query.get("status")
        if wanted:
            out = [a for a in out if a["attempts"][0]["completed"] is (wanted == "completed")]
        return out[: int(query["limit"])] if query.get("limit") else out

    def application(self, run: SparkRun) -> Object:
        """One application. One that was killed from outside stays incomplete for ever, as its event log does."""
        started = run.started or 0.0
        clean = run.ended is not None and run.exit_code != 137
        ended = run.ended if clean and run.ended is not None else None
        last = ended or started
        until = ended if ended is not None else self.cluster.heap.now if run.ended is None else started
        return {
            "id": run.app_id,
            "name": run.name,
            "attempts": [
                {
                    "startTime": spark_stamp(started),
                    "endTime": spark_stamp(ended) if ended else NEVER,
                    "lastUpdated": spark_stamp(last),
                    "duration": int((until - started) * 1000),
                    "sparkUser": "root",
                    "completed": ended is not None,
                    "appSparkVersion": str(run.spec.get("sparkVersion", "4.1.4")),
                    "startTimeEpoch": int(started * 1000),
                    "endTimeEpoch": int(ended * 1000) if ended else -1,
                    "lastUpdatedEpoch": int(last * 1000),
                }
            ],
        }

    def exposition(self, run: SparkRun) -> str:
        """`/metrics/executors/prometheus`: no HELP, no TYPE, living executors only."""
        stats, now = RunStats(run), self.cluster.heap.now
        version = run.spec.get("sparkVersion", "4.1.4")
        lines = [f'spark_info{{version="{version}", revision="45b9b176e6e27f530a86ac5421b03865b7ea6287"}} 1.0']
        for executor in ["driver", *map(str, run.executors)]:
            labels = f'application_id="{run.app_id}", application_name="{run.name}", executor_id="{executor}"'
            for name in EXPOSED:
                value = stats.reader(name, executor)(now)
                if value is not None:
                    lines.append(f"{name}{{{labels}}} {int(value) if value == int(value) else value}")
        return "\n".join(lines) + "\n"
