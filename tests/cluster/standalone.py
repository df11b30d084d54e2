"""A standalone master and its workers as processes on loopback, out of the PySpark package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.cluster import java
from tests.cluster.processes import PartFailed, Process, answers, free_port, wait_until
from tests.cluster.spark import PySpark

_OPTIONS = "-Dspark.ui.reverseProxy=true -Dspark.worker.timeout=60"


class Standalone:
    """A running master with `workers` workers of two cores and 1 GiB each.

    Attributes:
        url: `spark://127.0.0.1:PORT`, to submit to.
        page: `http://127.0.0.1:PORT`, with `/json/`; UIs of drivers are behind its proxy.
        workers: their processes, by the port of their page.
    """

    def __init__(self, spark: PySpark, folder: Path, *, workers: int = 2) -> None:
        self._spark, self._folder = spark, folder
        port, ui = free_port(), free_port()
        self.url, self.page = f"spark://127.0.0.1:{port}", f"http://127.0.0.1:{ui}"
        self.workers: dict[int, Process] = {}
        self._master = self._daemon("master", "master.Master", "--port", str(port), "--webui-port", str(ui))
        try:
            wait_until(
                "the master serves", lambda: answers(f"{self.page}/json/"), seconds=120, processes=[self._master]
            )
            for number in range(workers):
                name, place = f"worker-{number}", str(folder / f"work-{number}")
                ui = free_port()
                size = ("--cores", "2", "--memory", "1g", "--work-dir", place)
                self.workers[ui] = self._daemon(name, "worker.Worker", "--webui-port", str(ui), *size, self.url)
            self.wait("its workers", lambda page: len(page["workers"]) == workers)
        except PartFailed:
            self.stop()
            raise

    def _daemon(self, name: str, what: str, *arguments: str) -> Process:
        command = [self._spark.spark_home / "bin" / "spark-class", f"org.apache.spark.deploy.{what}"]
        environment = {
            "SPARK_HOME": str(self._spark.spark_home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            **java.environment(_OPTIONS),
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        return Process(
            name, [*command, "--host", "127.0.0.1", *arguments], self._folder / "logs", environment=environment
        )

    def json(self) -> dict[str, Any]:
        """The master's page."""
        page: dict[str, Any] = requests.get(f"{self.page}/json/", timeout=10).json()
        return page

    def wait(self, what: str, holds: Callable[[dict[str, Any]], bool], *, seconds: float = 120) -> dict[str, Any]:
        """The master's page, once it is as awaited."""
        everyone = [self._master, *self.workers.values()]
        wait_until(what, lambda: holds(self.json()), seconds=seconds, processes=everyone, every=0.2)
        return self.json()

    def kill(self, worker: dict[str, Any]) -> None:
        """Kill -9 of a worker that the master lists; its executors end with it."""
        self.workers.pop(int(worker["webuiaddress"].rpartition(":")[2])).kill()

    def stop(self) -> None:
        for process in (*self.workers.values(), self._master):
            process.stop()
