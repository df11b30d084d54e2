"""Pulling images, with the failures and the waiting of a real kubelet and containerd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.drill.control.podstatus import PodWriter
from console.drill.state.cluster import ClusterState
from console.drill.state.resources import NODES, SECRETS, SERVICEACCOUNTS

Object = dict[str, Any]
FIRST_BACKOFF, LAST_BACKOFF = 10.0, 300.0
"""Seconds between two attempts: after the first, and at most; doubled each time between."""
SYNC = 12.0
"""Seconds after which the kubelet looks at a pod again."""
SIZE = 814_000_000
DOCKER = "kubernetes.io/dockerconfigjson"


class ImagePulls:
    """Sees to it that a pod's node has its images."""

    def __init__(self, cluster: ClusterState, writer: PodWriter) -> None:
        self.cluster, self.writer = cluster, writer
        self._pulled: dict[str, set[str]] = {}
        """uid → images that were pulled for that pod: what `imagePullPolicy: Always` asks for each time."""

    def fetch(self, meta: Object, then: Callable[[], None]) -> None:
        """Get all images of a pod, one after the other, then go on. At once where its node has all of them."""
        pod = self.writer.live(meta)
        if pod is None:
            return
        missing = next((c for c in pod["spec"]["containers"] if not self._there(pod, c)), None)
        if missing is None:
            for container in pod["spec"]["containers"]:
                if not self._always(container):
                    text = f'Container image "{container["image"]}" already present on machine'
                    self.writer.event(
                        pod, "Normal", "Pulled", f"{text} and can be accessed by the pod", container["name"]
                    )
                self.writer.event(pod, "Normal", "Created", "Container created", container["name"])
            self._pulled.pop(meta["uid"], None)
            then()
        elif missing.get("imagePullPolicy") == "Never":
            self._never(pod, missing)
        else:
            self._pull(meta, missing, 0, then)

    def _always(self, container: Object) -> bool:
        return bool(container.get("imagePullPolicy") == "Always")

    def _there(self, pod: Object, container: Object) -> bool:
        image = container["image"]
        if self._always(container):
            return image in self._pulled.get(pod["metadata"]["uid"], ())
        return self.cluster.images.present(pod["spec"]["nodeName"], image)

    def _never(self, pod: Object, container: Object) -> None:
        text = f'Container image "{container["image"]}" is not present with pull policy of Never'
        self.writer.event(pod, "Warning", "ErrImageNeverPull", text, container["name"])
        self.writer.event(pod, "Warning", "Failed", "Error: ErrImageNeverPull", container["name"])
        self.writer.waiting(pod["metadata"], container["name"], "ErrImageNeverPull", text)

    def _pull(self, meta: Object, container: Object, attempt: int, then: Callable[[], None]) -> None:
        pod = self.writer.live(meta)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        name, image = container["name"], container["image"]
        self.writer.event(pod, "Normal", "Pulling", f'Pulling image "{image}"', name)
        node = self.cluster.store.get(NODES, "", pod["spec"]["nodeName"]) or {}
        architecture = ((node.get("status") or {}).get("nodeInfo") or {}).get("architecture", "amd64")
        refusal = self.cluster.images.refusal(image, architecture, secret=self._may(pod))
        if refusal:
            self.cluster.heap.after(1.0, lambda: self._failed(meta, container, attempt, refusal, then))
        else:
            self.cluster.heap.after(4.0, lambda: self._done(meta, container, then))

    def _may(self, pod: Object) -> bool:
        """Whether the pod or its account brings a pull secret that is there."""
        space, spec = pod["metadata"]["namespace"], pod["spec"]
        account = self.cluster.store.get(SERVICEACCOUNTS, space, str(spec.get("serviceAccountName", "default"))) or {}
        named = [*(spec.get("imagePullSecrets") or ()), *(account.get("imagePullSecrets") or ())]
        found = [self.cluster.store.get(SECRETS, space, str(one.get("name"))) for one in named]
        return any(secret is not None and secret.get("type") == DOCKER for secret in found)

    def _done(self, meta: Object, container: Object, then: Callable[[], None]) -> None:
        pod = self.writer.live(meta)
        if pod is None:
            return
        image = container["image"]
        text = f'Successfully pulled image "{image}" in 3.917s (3.917s including waiting). Image size: {SIZE} bytes.'
        self.writer.event(pod, "Normal", "Pulled", text, container["name"])
        self.cluster.images.pulled(pod["spec"]["nodeName"], image)
        self._pulled.setdefault(meta["uid"], set()).add(image)
        self.fetch(meta, then)

    def _failed(self, meta: Object, container: Object, attempt: int, refusal: str, then: Callable[[], None]) -> None:
        pod = self.writer.live(meta)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        name, image = container["name"], container["image"]
        self.writer.event(pod, "Warning", "Failed", f'Failed to pull image "{image}": {refusal}', name)
        self.writer.event(pod, "Warning", "Failed", "Error: ErrImagePull", name)
        self.writer.waiting(meta, name, "ErrImagePull", refusal)
        wait = min(FIRST_BACKOFF * 2**attempt, LAST_BACKOFF)
        again = self.cluster.heap.now + max(wait, SYNC)
        self.cluster.heap.after(SYNC / 2, lambda: self._backed_off(meta, container, refusal, again))
        self.cluster.heap.at(again, lambda: self._pull(meta, container, attempt + 1, then))

    def _backed_off(self, meta: Object, container: Object, refusal: str, until: float) -> None:
        """Say that it waits, and again every time that the kubelet looks at the pod before the next attempt."""
        pod = self.writer.live(meta)
        if pod is None or "deletionTimestamp" in pod["metadata"] or self.cluster.heap.now >= until:
            return
        name, image = container["name"], container["image"]
        text = f'Back-off pulling image "{image}"'
        self.writer.event(pod, "Normal", "BackOff", text, name)
        self.writer.event(pod, "Warning", "Failed", "Error: ImagePullBackOff", name)
        self.writer.waiting(meta, name, "ImagePullBackOff", f"{text}: ErrImagePull: {refusal}")
        self.cluster.heap.after(SYNC, lambda: self._backed_off(meta, container, refusal, until))
