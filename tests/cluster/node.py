"""A whole real node: control plane, kubelet, containerd, the Spark image and the Spark operator.

It runs as root in network, mount and process namespaces of its own (`inside.py` is their process 1), so it adds no
address, mount or setting to this machine and can leave none: when its process 1 is gone, the kernel ends every
process in there and drops the rest. What remains is one cgroup and one folder, which are removed here, also after
a run that was killed. Loopback ports of this machine lead to the API server and to the operator's metrics.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.cluster.controlplane import KubeApi
from tests.cluster.inside import ADDRESS, API_PORT, NAMESPACE, OPERATOR_METRICS_PORT
from tests.cluster.inventory import HERE, NODE, parts_root, require
from tests.cluster.network import Forward
from tests.cluster.pki import write_kubeconfig
from tests.cluster.processes import PartFailed, Process, wait_until

_CGROUPS = Path("/sys/fs/cgroup")
_CGROUP = "/console-parts"


def obstacle() -> str | None:
    """Why this machine cannot run the node whatever is built, in one line; None where it can."""
    if sys.platform != "linux":
        return "needs Linux for the real node"
    if os.geteuid() != 0:
        return "needs root for the real node (namespaces and mounts)"
    for program in ("java", "unshare", "ip", "openssl", "setpriv"):
        if not shutil.which(program):
            return f"needs {program} on the PATH for the real node"
    return None


def _hierarchies() -> list[Path]:
    """Where cgroups are made: one folder on cgroup v2, one per controller on v1."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [path for path in sorted(_CGROUPS.iterdir()) if (path / "cgroup.procs").exists() and not path.is_symlink()]


def _make_cgroups() -> None:
    for hierarchy in _hierarchies():
        folder = hierarchy / _CGROUP.strip("/")
        folder.mkdir(exist_ok=True)
        # All pods together would weigh as much as one process beside them, so a busy machine would starve them.
        for weight, value in (("cpu.shares", "8192"), ("cpu.weight", "800")):
            if (folder / weight).exists():
                (folder / weight).write_text(value)


def _remove_cgroups() -> None:
    """Kill what still runs in the node's cgroup and remove it."""
    deadline = time.monotonic() + 10
    for hierarchy in _hierarchies():
        top = hierarchy / _CGROUP.strip("/")
        while top.exists() and time.monotonic() < deadline:
            for folder in sorted((path for path in (top, *top.rglob("*")) if path.is_dir()), reverse=True):
                with contextlib.suppress(OSError, ValueError):
                    for pid in (folder / "cgroup.procs").read_text().split():
                        os.kill(int(pid), signal.SIGKILL)
                with contextlib.suppress(OSError):
                    folder.rmdir()
            time.sleep(0.02)


class Node:
    """The supervisor's view: start, keep, stop. Only one node runs on a machine at a time; a second one waits."""

    def __init__(self, folder: Path) -> None:
        if why := obstacle():
            raise PartFailed(f"this machine {why}")
        require(*NODE)
        self.folder = folder
        self._store = parts_root() / "node-store"
        self._lock: IO[str] | None = None
        self._inside: Process | None = None
        self._forwards: list[Forward] = []

    def start(self) -> dict[str, Any]:
        """Start the node and answer what `SparkNode` is made of.

        Raises:
            PartFailed: with the last lines of the log of what did not start.
        """
        self._take_turn(seconds=1200)
        _remove_cgroups()
        _make_cgroups()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {"folder": str(self.folder), "store": str(self._store), "cgroup": _CGROUP}
        own = ("--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--propagation", "private")
        self._inside = inside = Process(
            "inside",
            ["unshare", *own, "--", sys.executable, "-m", "tests.cluster.inside", json.dumps(settings)],
            self.folder / "logs",
            cwd=HERE.parent.parent,
            keep_input_open=True,
        )
        failed = self.folder / "inside-failed.txt"
        ready = self.folder / "inside.json"
        wait_until("the node is up", lambda: ready.exists() or failed.exists(), seconds=240, processes=[inside])
        if failed.exists():
            raise PartFailed(failed.read_text())
        namespace = Path(f"/proc/{inside.pid}/ns/net")
        api = Forward((ADDRESS, API_PORT), namespace=namespace)
        metrics = Forward(("127.0.0.1", OPERATOR_METRICS_PORT), namespace=namespace)
        self._forwards = [api, metrics]
        url = f"https://127.0.0.1:{api.port}"
        users = json.loads((self.folder / "users.json").read_text())
        for user, token in users.items():
            write_kubeconfig(
                self.folder / f"{user}.kubeconfig",
                server=url,
                authority=self.folder / "pki" / "ca.crt",
                user=user,
                token=token,
                namespace=NAMESPACE,
            )
        return {
            "folder": str(self.folder),
            "url": url,
            **users,
            **json.loads(ready.read_text()),
            "operator_metrics": f"http://127.0.0.1:{metrics.port}/metrics",
            "pid": inside.pid,
        }

    def processes(self) -> Sequence[Process]:
        return [self._inside] if self._inside else []

    def stop(self) -> None:
        if self._lock is None:
            return
        for forward in self._forwards:
            forward.close()
        if self._inside:
            self._inside.close_input()
            with contextlib.suppress(PartFailed):
                self._inside.wait(10)
            self._inside.stop()
        _remove_cgroups()
        for name in ("etcd", "kubelet", "written", "cni-addresses"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def _take_turn(self, seconds: float) -> None:
        lock = (parts_root() / ".node.lock").open("a")
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PartFailed(f"another test run has used the real node for {seconds:.0f} s") from None
                time.sleep(0.5)
            else:
                self._lock = lock
                return


class SparkNode(KubeApi):
    """A running node, seen by its administrator: a `KubeApi` with a place to run Spark.

    Attributes:
        namespace: where applications run; service account `spark`.
        node: the node's name.
        image: the Spark image, already on the node, with /opt/jobs/workloads.py.
        operator_metrics: the URL of the Spark operator's metrics, on loopback.
        enter: what to put before a command so that it runs in the node's network.
    """

    def __init__(self, ready: dict[str, Any]) -> None:
        super().__init__(ready)
        self.namespace: str = ready["namespace"]
        self.node: str = ready["node"]
        self.image: str = ready["image"]
        self.operator_metrics: str = ready["operator_metrics"]
        self._network = Path(f"/proc/{ready['pid']}/ns/net")
        self.enter = ["nsenter", f"--net={self._network}", "--"]

    def forward(self, host: str, port: int) -> Forward:
        """A way from this machine's loopback to an address in the node's network, such as a pod's."""
        return Forward((host, port), namespace=self._network)
