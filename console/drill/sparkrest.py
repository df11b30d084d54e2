"""Spark's REST: the UI of each running driver, and the History Server for what ended. Shapes of 4.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from console.drill.ids import spark_stamp
from console.drill.resources import PODS
from console.drill.sparkstats import EXPOSED, RunStats
from console.drill.sparkview import Missing, RunView

if TYPE_CHECKING:
    from console.drill.controllers.spark import Run
    from console.drill.kube.proxy import Backend
    from console.drill.world import World

Object = dict[str, Any]
NEVER = "1969-12-31T23:59:59.999GMT"


PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h3>{title}</h3></body></html>"


class SparkRest:
    """All Spark user interfaces of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def backend(self, plural: str, namespace: str, name: str, port: int) -> Backend | None:
        """What listens there, or None."""
        if plural == "services" and (name, port) == ("spark-history-server", 18080):
            return self._history
        if plural == "pods":
            pod = self.world.store.get(PODS, namespace, name)
            if pod is None:
                return None
            labels = pod["metadata"].get("labels") or {}
            if labels.get("app") == "spark-history-server" and port == 18080:
                return self._history
            run = self.world.spark.run_of(pod)
            drives = run is not None and run.driver["metadata"]["uid"] == pod["metadata"]["uid"]
            if port == 4040 and drives and run and run.started and run.ended is None:

                async def answer(path: str, request: web.Request) -> web.StreamResponse:
                    return self.driver(run, path, request)

                return answer
        return None

    # -- driver UI ------------------------------------------------------------------------------------------------

    def driver(self, run: Run, path: str, request: web.Request) -> web.Response:
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
        runs = [run for run in self.world.spark.runs if run.started is not None and run.ended is not None]
        return self._api(runs, path, dict(request.query))

    def _api(self, runs: list[Run], path: str, query: dict[str, str]) -> web.Response:
        parts = [part for part in path.removeprefix("/api/v1").split("/") if part]
        try:
            return web.Response(
                body=msgspec.json.format(msgspec.json.encode(self._answer(runs, parts, query)), indent=2),
                content_type="application/json",
            )
        except Missing as error:
            return web.Response(status=404, text=str(error), content_type="text/plain")

    def _answer(self, runs: list[Run], parts: list[str], query: dict[str, str]) -> Any:
        if parts == ["version"]:
            return {"spark": "4.1.4"}
        if not parts or parts[0] != "applications":
            raise Missing("HTTP 404 Not Found")
        if len(parts) == 1:
            return self._applications(runs, query)
        run = next((r for r in runs if r.app_id == parts[1]), None)
        if run is None:
            raise Missing(f"no such app: {parts[1]}")
        if len(parts) == 2:
            return self.application(run)
        view = RunView(run, self.world.heap.now)
        rest = parts[2:]
        if rest == ["jobs"]:
            return view.jobs(query)
        if rest[0] == "jobs" and len(rest) == 2:
            return view.one(view.jobs({}), "jobId", rest[1], "job")
        if rest == ["stages"]:
            return view.stages(query)
        if rest[0] == "stages" and len(rest) >= 2:
            return self._stage(view, rest, query)
        if rest == ["executors"]:
            return [e for e in view.executors() if e["isActive"]]
        if rest == ["allexecutors"]:
            return view.executors()
        if rest == ["environment"]:
            return view.environment()
        if rest in (["sql"], ["storage", "rdd"], ["allmiscellaneousprocess"]):
            return []
        raise Missing("HTTP 404 Not Found")

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
        raise Missing("HTTP 404 Not Found")

    def _applications(self, runs: list[Run], query: dict[str, str]) -> list[Object]:
        out = [self.application(run) for run in reversed(runs)]
        wanted = query.get("status")
        if wanted:
            out = [a for a in out if a["attempts"][0]["completed"] is (wanted == "completed")]
        return out[: int(query["limit"])] if query.get("limit") else out

    def application(self, run: Run) -> Object:
        """One application. One that was killed from outside stays incomplete for ever, as its event log does."""
        started = run.started or 0.0
        clean = run.ended is not None and run.exit_code != 137
        ended = run.ended if clean and run.ended is not None else None
        last = ended or started
        until = ended if ended is not None else self.world.heap.now if run.ended is None else started
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

    def exposition(self, run: Run) -> str:
        """`/metrics/executors/prometheus`: no HELP, no TYPE, living executors only."""
        stats, now = RunStats(run), self.world.heap.now
        version = run.spec.get("sparkVersion", "4.1.4")
        lines = [f'spark_info{{version="{version}", revision="45b9b176e6e27f530a86ac5421b03865b7ea6287"}} 1.0']
        for executor in ["driver", *map(str, run.executors)]:
            labels = f'application_id="{run.app_id}", application_name="{run.name}", executor_id="{executor}"'
            for name in EXPOSED:
                value = stats.reader(name, executor)(now)
                if value is not None:
                    lines.append(f"{name}{{{labels}}} {int(value) if value == int(value) else value}")
        return "\n".join(lines) + "\n"
