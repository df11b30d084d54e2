"""A real Kueue on a control plane of its own, with its integration of SparkApplications switched on.

Its webhooks are not installed: whoever makes an application sets `spec.suspend` and its queue as they would.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.inventory import require
from tests.cluster.kube import apply_crds
from tests.cluster.pki import Authority
from tests.cluster.processes import Process, answers, free_port, wait_until

API = "kueue.x-k8s.io/v1beta2"
GROUP = f"/apis/{API}"
_GATES = "SparkApplicationIntegration=true,VisibilityOnDemand=false"
_OWN_ETC = """set -e
made=$(mktemp -d); mount -t tmpfs etc "$made"; mkdir "$made/u" "$made/w"
mount -t overlay etc -o lowerdir=/etc,upperdir="$made/u",workdir="$made/w" /etc
mkdir -p /etc/kueue/metrics/certs; cp "$1"/* /etc/kueue/metrics/certs/
shift; exec "$@"
"""
"""Kueue looks for the certificate of its metrics in one fixed place: it gets a view of /etc of its own there."""


class Kueue:
    """One Kueue. `kube` is its administrator."""

    def __init__(self, folder: Path) -> None:
        self._tools, self._plane = require("kueue", "kueue-crds"), ControlPlane(folder / "plane")
        self.kube = KubeApi(self._plane.start())
        apply_crds(self.kube, self._tools["kueue-crds"])
        health = free_port()
        certificates = folder / "certificates"
        certificates.mkdir()
        pair = Authority(self.kube.folder / "pki").issue("kueue", hosts=("IP:127.0.0.1",))
        shutil.copy(pair.certificate, certificates / "tls.crt")
        shutil.copy(pair.key, certificates / "tls.key")
        config: dict[str, Any] = {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
            "metrics": {"bindAddress": f"127.0.0.1:{free_port()}"},
            "webhook": {"host": "127.0.0.1", "port": free_port(), "certDir": str(certificates)},
            "leaderElection": {"leaderElect": False},
            "internalCertManagement": {"enable": False},
            "integrations": {"frameworks": ["sparkoperator.k8s.io/sparkapplication"]},
        }
        (folder / "kueue.yaml").write_text(yaml.safe_dump(config))
        command = [self._tools["kueue"], "--config", folder / "kueue.yaml", "--feature-gates", _GATES]
        own = ["unshare", "--mount", "sh", "-c", _OWN_ETC, "sh", certificates, *command]
        environment = {"KUBECONFIG": str(self.kube.kubeconfig)}
        self._process = Process("kueue", own, folder / "logs", environment=environment)
        ready = f"http://127.0.0.1:{health}/readyz"
        wait_until("Kueue is ready", lambda: answers(ready), seconds=90, processes=(self._process,))
        self.make("resourceflavors", "ResourceFlavor", "plain", {})

    def stop(self) -> None:
        self._process.stop()
        self._plane.stop()

    def make(self, plural: str, kind: str, name: str, spec: dict[str, Any], space: str = "") -> None:
        """An object of Kueue."""
        where = f"{GROUP}/namespaces/{space}/{plural}" if space else f"{GROUP}/{plural}"
        meta = {"name": name, **({"namespace": space} if space else {})}
        self.kube.create(where, {"apiVersion": API, "kind": kind, "metadata": meta, "spec": spec})

    def queue(self, space: str, name: str, memory: str, **more: Any) -> None:
        """A cluster queue with so much memory, and a local queue of its name."""
        flavors = [{"name": "plain", "resources": [{"name": "memory", "nominalQuota": memory}]}]
        groups = [{"coveredResources": ["memory"], "flavors": flavors}]
        spec = {"namespaceSelector": {}, "resourceGroups": groups, **more}
        self.make("clusterqueues", "ClusterQueue", name, spec)
        self.make("localqueues", "LocalQueue", name, {"clusterQueue": name}, space)

    def application(self, space: str, name: str, queue: str, executors: int) -> None:
        """A suspended application whose driver and executors ask for 512 MiB each."""
        api = "sparkoperator.k8s.io/v1beta2"
        meta = {"name": name, "namespace": space, "labels": {"kueue.x-k8s.io/queue-name": queue}}
        spec = {
            "suspend": True, "type": "Python", "mode": "cluster", "sparkVersion": "4.1.4", "image": "spark",
            "mainApplicationFile": "local:///job.py", "driver": {"memory": "512m"},
            "executor": {"instances": executors, "memory": "512m"},
        }  # fmt: skip
        made = {"apiVersion": api, "kind": "SparkApplication", "metadata": meta, "spec": spec}
        self.kube.create(f"/apis/{api}/namespaces/{space}/sparkapplications", made)

    def waits(self, space: str, name: str) -> bool:
        """Whether there is a Workload of an application."""
        found = self.kube.get(f"{GROUP}/namespaces/{space}/workloads")["items"]
        return any(one["metadata"]["name"].startswith(f"sparkapplication-{name}-") for one in found)

    def decided(self, space: str, name: str, word: str) -> bool:
        """Whether the Workload of an application has a condition whose reason or message holds a word."""
        for one in self.kube.get(f"{GROUP}/namespaces/{space}/workloads")["items"]:
            if one["metadata"]["name"].startswith(f"sparkapplication-{name}-"):
                rows = one.get("status", {}).get("conditions", [])
                return any(word in f"{row['reason']} {row.get('message', '')}" for row in rows)
        return False
