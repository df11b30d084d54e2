"""Real Prometheus, Alertmanager and kube-state-metrics on loopback; each starts in less than a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.cluster.inventory import PARTS, codename, parts_root, require
from tests.cluster.processes import PartFailed, Process, answers, free_port, wait_until


class _Server:
    """A process with an HTTP interface at `url`."""

    process: Process
    url: str

    def get(self, path: str, **params: str) -> Any:
        """Decode the JSON answer to a GET. Raises requests.HTTPError for statuses from 400 on."""
        answer = _session().get(self.url + path, params=params, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any = None) -> requests.Response:
        answer = _session().post(self.url + path, json=body, timeout=20)
        answer.raise_for_status()
        return answer

    def stop(self) -> None:
        self.process.stop()

    def _start(self, name: str, command: Sequence[str | Path], folder: Path, ready: str) -> None:
        self.process = Process(name, command, folder / "logs", cwd=folder)
        try:
            wait_until(f"{name} is ready", lambda: answers(self.url + ready), seconds=30, processes=[self.process])
        except PartFailed:
            self.process.stop()
            raise


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


class Prometheus(_Server):
    """A Prometheus server.

    Args:
        folder: its data, its logs, and the configuration, so that relative names in it mean files in there.
        config: the configuration as a mapping or YAML text. Debian's build knows no `kubernetes_sd_configs`.
        enter: what to put before the command, for example `SparkNode.enter`; then `url` needs a forward.

    Raises:
        PartFailed: promtool refuses the configuration, or the server does not start.
    """

    def __init__(self, folder: Path, config: dict[str, Any] | str, *, enter: Sequence[str] = ()) -> None:
        tools = require("prometheus", "promtool")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.promtool = tools["promtool"]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        path = folder / "prometheus.yml"
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        check = Process("promtool", [self.promtool, "check", "config", path], folder / "logs", cwd=folder)
        if check.wait(30):
            raise PartFailed(f"promtool refuses the configuration:\n{check.tail(30)}")
        command: list[str | Path] = [
            *enter,
            tools["prometheus"],
            f"--config.file={path}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            # An alert that fires before the Alertmanager was discovered, 5 s after the start, is not lost for a minute.
            "--rules.alert.resend-delay=1s",
        ]
        if enter:
            self.process = Process("prometheus", command, folder / "logs", cwd=folder)
        else:
            self._start("prometheus", command, folder, "/-/ready")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The vector that an instant query gives now."""
        answer = self.get("/api/v1/query", query=expression)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def await_series(self, expression: str, *, seconds: float = 30) -> list[dict[str, Any]]:
        """Ask until the answer is not empty.

        Raises:
            PartFailed: it stays empty; the message lists the health of the scrape targets.
        """
        deadline = time.monotonic() + seconds
        while not (found := self.query(expression)):
            if time.monotonic() > deadline:
                targets = self.get("/api/v1/targets", state="active")["data"]["activeTargets"]
                health = [f"{t['scrapeUrl']} {t['health']} {t['lastError']}" for t in targets]
                raise PartFailed(f"no series for {expression!r} after {seconds:.0f} s; targets: {health}")
            time.sleep(0.2)
        return found

    def reload(self, config: dict[str, Any] | None = None) -> None:
        """Write a new configuration, where one is given, and let the server read it."""
        if config is not None:
            (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.post("/-/reload")


class Alertmanager(_Server):
    """An Alertmanager without gossip.

    Debian's build reads its default templates below /usr/share/prometheus. Where the package is only unpacked, the
    process sees them there through an overlay in a mount namespace of its own, which needs root.
    """

    def __init__(self, folder: Path, config: dict[str, Any] | str | None = None) -> None:
        binary = require("prometheus-alertmanager")["prometheus-alertmanager"]
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        quiet = {"route": {"receiver": "none", "group_wait": "1s"}, "receivers": [{"name": "none"}]}
        path = folder / "alertmanager.yml"
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config or quiet))
        command: list[str | Path] = [
            binary,
            f"--config.file={path}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        unpacked = parts_root() / f"monitoring-{codename()}" / "usr" / "share"
        if binary == PARTS["prometheus-alertmanager"].built and not Path("/usr/share/prometheus").exists():
            overlay = f"mount -t overlay overlay -o lowerdir={unpacked}:/usr/share /usr/share"
            command = ["unshare", "--mount", "--", "sh", "-c", f'{overlay} && exec "$@"', "sh", *command]
        self._start("alertmanager", command, folder, "/-/ready")


class KubeStateMetrics(_Server):
    """kube-state-metrics for some kinds and namespaces of a cluster; its metrics are at `url` + /metrics.

    `labels` is its allow list of labels, as `pods=[spark-role]`.
    """

    def __init__(
        self, folder: Path, kubeconfig: Path, *, resources: str = "pods,nodes", namespaces: str = "", labels: str = ""
    ) -> None:
        binary = require("kube-state-metrics")["kube-state-metrics"]
        self.port, telemetry = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command: list[str | Path] = [
            binary,
            f"--kubeconfig={kubeconfig}",
            "--host=127.0.0.1",
            f"--port={self.port}",
            "--telemetry-host=127.0.0.1",
            f"--telemetry-port={telemetry}",
            f"--resources={resources}",
            *([f"--namespaces={namespaces}"] if namespaces else []),
            *([f"--metric-labels-allowlist={labels}"] if labels else []),
        ]
        self._start("kube-state-metrics", command, folder, "/healthz")
