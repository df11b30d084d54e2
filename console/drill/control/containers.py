"""Containers after their start: whether their process lives, what probes say, and how often they are begun anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.drill.control.podstatus import PodWriter
from console.drill.control.programs import process_end
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.resources import NODES

Object = dict[str, Any]
FIRST_BACKOFF, LAST_BACKOFF = 10.0, 300.0
AT_ONCE = 1.0
"""Seconds after which a container that ended for the first time is begun again."""
RESET = 600.0
"""Seconds of running after which its past ends are forgotten."""


class ContainerLives:
    """What becomes of the containers of pods that are kept running.

    Args:
        end: ends the main container of a pod that is not begun again.
    """

    def __init__(self, cluster: ClusterState, writer: PodWriter, end: Callable[[Object, int, str], None]) -> None:
        self.cluster, self.writer, self._end = cluster, writer, end
        self._ends: dict[tuple[str, str], list[float]] = {}

    def started(self, meta: Object) -> None:
        """All containers of a pod have just been started."""
        pod = self.writer.live(meta)
        if pod is None:
            return
        for container in pod["spec"]["containers"]:
            self._began(pod, container)

    def unready(self, pod: Object) -> set[str]:
        """Containers that are not ready as long as their probe has not succeeded."""
        return {c["name"] for c in pod["spec"]["containers"] if c.get("readinessProbe") or c.get("startupProbe")}

    def _began(self, pod: Object, container: Object) -> None:
        heap, meta, name = self.cluster.heap, pod["metadata"], container["name"]
        begun = heap.now
        node = self.cluster.store.get(NODES, "", pod["spec"].get("nodeName", "")) or {}
        architecture = ((node.get("status") or {}).get("nodeInfo") or {}).get("architecture", "amd64")
        end = process_end(self.cluster.images.of(container["image"]), container, architecture)
        if end is not None:
            if end.says:
                self.cluster.logs.of(meta["uid"]).raw(heap.now + 0.2, end.says)
            heap.after(end.after, lambda: self._ended(meta, container, end.code, end.reason))
            return
        for kind in ("readinessProbe", "livenessProbe"):
            probe = container.get(kind)
            if probe:
                wait = max(1.0, float(probe.get("initialDelaySeconds", 0)))
                heap.after(wait, lambda kind=kind: self._probe(meta, name, kind, begun, 0))  # type: ignore[misc]

    # -- ends -----------------------------------------------------------------------------------------------------

    def _ended(self, meta: Object, container: Object, code: int, reason: str) -> None:
        pod, name = self.writer.live(meta), container["name"]
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        status = next(c for c in pod["status"]["containerStatuses"] if c["name"] == name)
        if "running" not in status["state"]:
            return
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Never" or (policy == "OnFailure" and not code):
            self._end(meta, code, reason)
            return
        now = self.cluster.heap.now
        terminated = {
            "containerID": status.get("containerID", ""),
            "exitCode": code,
            "finishedAt": stamp(now),
            "reason": reason,
            "startedAt": status["state"]["running"]["startedAt"],
        }
        changed = {name: {"ready": False, "started": False, "state": {"terminated": terminated}}}
        self.writer.put(pod, self.writer.containers(pod, changed))
        self.cluster.logs.of(meta["uid"]).ended(now)
        past = [t for t in self._ends.get((meta["uid"], name), []) if now - t < RESET]
        self._ends[meta["uid"], name] = [*past, now]
        if not past:
            self.cluster.heap.after(AT_ONCE, lambda: self._again(meta, container))
            return
        wait = min(FIRST_BACKOFF * 2 ** (len(past) - 1), LAST_BACKOFF)
        self.cluster.heap.after(1.5, lambda: self._backed_off(meta, name, wait))
        self.cluster.heap.after(wait + 1.5, lambda: self._again(meta, container))

    def _backed_off(self, meta: Object, name: str, wait: float) -> None:
        pod = self.writer.live(meta)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        status = next(c for c in pod["status"]["containerStatuses"] if c["name"] == name)
        whole = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        text = f"back-off {_go(wait)} restarting failed container={name} pod={whole}"
        state = {"waiting": {"message": text, "reason": "CrashLoopBackOff"}}
        last = status["state"] if "terminated" in status["state"] else status["lastState"]
        self.writer.put(pod, self.writer.containers(pod, {name: {"state": state, "lastState": last}}))
        said = f"Back-off restarting failed container {name} in pod {whole}"
        self.writer.event(pod, "Warning", "BackOff", said, name)

    def _again(self, meta: Object, container: Object) -> None:
        pod, name = self.writer.live(meta), container["name"]
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        status = next(c for c in pod["status"]["containerStatuses"] if c["name"] == name)
        if "running" in status["state"]:
            return
        last = status["state"] if "terminated" in status["state"] else status["lastState"]
        text = f'Container image "{container["image"]}" already present on machine and can be accessed by the pod'
        self.writer.event(pod, "Normal", "Pulled", text, name)
        self.writer.event(pod, "Normal", "Created", "Container created", name)
        self.writer.event(pod, "Normal", "Started", "Container started", name)
        changed = {
            "containerID": f"containerd://{self.cluster.ids.hex(64)}",
            "lastState": last,
            "ready": name not in self.unready(pod),
            "restartCount": status["restartCount"] + 1,
            "started": True,
            "state": {"running": {"startedAt": stamp(self.cluster.heap.now)}},
        }
        pod = self.writer.put(pod, self.writer.containers(pod, {name: changed}))
        self._began(pod, container)

    # -- probes ---------------------------------------------------------------------------------------------------

    def _probe(self, meta: Object, name: str, kind: str, begun: float, failed: int) -> None:
        """Ask a container, and plan the next time. `begun` tells this life of the container from others."""
        pod = self.writer.live(meta)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        status = next(c for c in pod["status"]["containerStatuses"] if c["name"] == name)
        if status["state"].get("running", {}).get("startedAt") != stamp(begun):
            return
        container = next(c for c in pod["spec"]["containers"] if c["name"] == name)
        probe = container[kind]
        failure = self._failure(pod, container, probe)
        failed = failed + 1 if failure else 0
        if failure:
            word = "Readiness" if kind == "readinessProbe" else "Liveness"
            self.writer.event(pod, "Warning", "Unhealthy", f"{word} probe failed: {failure}", name)
        least = int(probe.get("failureThreshold", 3))
        if kind == "readinessProbe":
            ready = not failure if failed == 0 or failed >= least else status["ready"]
            if ready != status["ready"]:
                self.writer.put(pod, self.writer.containers(pod, {name: {"ready": ready}}))
        elif failed >= least:
            text = f"Container {name} failed liveness probe, will be restarted"
            self.writer.event(pod, "Normal", "Killing", text, name)
            self.cluster.heap.after(1.0, lambda: self._ended(meta, container, 143, "Error"))
            return
        period = float(probe.get("periodSeconds", 10))
        self.cluster.heap.after(period, lambda: self._probe(meta, name, kind, begun, failed))

    def _failure(self, pod: Object, container: Object, probe: Object) -> str:
        """What is wrong with the answer of a probe; empty: it is good."""
        http = probe.get("httpGet")
        port = (http or probe.get("tcpSocket") or probe.get("grpc") or {}).get("port")
        if port is None:
            return ""
        declared = {p.get("name"): int(p["containerPort"]) for p in container.get("ports", ())}
        number = declared.get(port, 0) if isinstance(port, str) and not port.isdigit() else int(port)
        listens = self.cluster.images.of(container["image"]).listens or tuple(declared.values())
        if number in listens:
            return ""
        refused = f"dial tcp {pod['status'].get('podIP', '')}:{number}: connect: connection refused"
        if http is None:
            return refused
        scheme = str(http.get("scheme", "HTTP")).lower()
        return f'Get "{scheme}://{pod["status"].get("podIP", "")}:{number}{http.get("path", "/")}": {refused}'


def _go(seconds: float) -> str:
    """A duration as Go prints it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
