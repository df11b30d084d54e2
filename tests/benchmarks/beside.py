"""What it costs to read all that stands beside Spark: `python -m tests.benchmarks.beside [--namespaces N]`.

A real API server holds a platform in each of N namespaces: ten servers with their Services, endpoints and policies,
Jobs, CronJobs, dashboards, and the ConfigMaps that Spark makes for 50 applications; once without the custom resources
of KEDA, External Secrets, Sealed Secrets and OpenShift, and once with ten of each. Told are the seconds to the first
applications, to all kinds, and to what is read beside components; then requests and bytes (as they are decoded) of each
kind by which components are found.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import concurrent.futures
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

from console.base.clock import WallClock
from console.sources.cluster import source as sources
from console.sources.cluster.beside import BesideComponents
from console.sources.cluster.kinds import ALL, PARTS, SPARK
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.benchmarks.__main__ import say
from tests.cluster.controlplane import KubeApi
from tests.cluster.inventory import PartMissing
from tests.cluster.processes import PartFailed, wait_until
from tests.cluster.shared import using
from tests.components.manifests import CRDS, collection, crd

SERVERS, OWN_MAPS, JOBS, OBJECTS = 10, 50, 20, 10
TOLD = {kind.plural for kind in PARTS} | {"services", "endpointslices", "networkpolicies", "jobs", "namespaces"}
PANELS = '{"title": "Jobs", "panels": [' + ", ".join(['{"type": "graph", "targets": []}'] * 800) + "]}"
CONF = {"spark.properties": "".join(f"spark.some.property.of.a.run.{n}=value-{n}\n" for n in range(100))}


def _objects(space: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that one namespace holds, beside custom resources."""

    def of(group: str, plural: str) -> str:
        return f"/{'apis' if '/' in group else 'api'}/{group}/namespaces/{space}/{plural}"

    for n in range(SERVERS):
        name, labels = f"rel-{n}-spark-41-connect", {"app": "spark-connect", "run": str(n)}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "spark:4.1.0"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        yield of("apps/v1", "deployments"), {"metadata": {"name": name, "labels": labels}, "spec": spec}
        yield (
            of("v1", "services"),
            {"metadata": {"name": name}, "spec": {"selector": labels, "ports": [{"port": 15002}]}},
        )
        behind = {"addressType": "IPv4", "endpoints": [{"addresses": [f"10.0.0.{n + 1}"]}], "ports": []}
        slice_ = {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}}
        yield of("discovery.k8s.io/v1", "endpointslices"), {"metadata": slice_, **behind}
        policy = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"], "ingress": [{}]}
        yield of("networking.k8s.io/v1", "networkpolicies"), {"metadata": {"name": name}, "spec": policy}
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "spark:4.1.0"}]}
    for n in range(JOBS):
        job = {"spec": {"template": {"spec": pod}}}
        yield of("batch/v1", "jobs"), {"metadata": {"name": f"init-{n}"}, **job}
        if n < SERVERS:
            cron = {"schedule": "0 * * * *", "jobTemplate": job}
            yield of("batch/v1", "cronjobs"), {"metadata": {"name": f"backup-{n}"}, "spec": cron}
            label = {"helm.sh/chart": "spark"} if n % 2 else {"grafana_dashboard": "1"}
            meta = {"name": f"dashboard-{n}", "labels": label}
            yield of("v1", "configmaps"), {"metadata": meta, "data": {"overview.json": PANELS}}
    for n in range(OWN_MAPS):
        yield of("v1", "configmaps"), {"metadata": {"name": f"spark-drv-{n:016x}-conf-map"}, "data": CONF}


def fill(kube: KubeApi, namespaces: int) -> list[str]:
    spaces = [kube.new_namespace("beside") for _ in range(namespaces)]
    made = [one for space in spaces for one in _objects(space)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: kube.create(*one), made))
    return spaces


def extend(kube: KubeApi, space: str) -> None:
    """The custom resources, ten of each."""
    for group, version, kind in CRDS:
        kube.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(group, version, kind))
        served = f"/apis/{group}/{version}/{kind.lower()}s"
        wait_until(f"{kind} is served", lambda served=served: kube.serves(served), seconds=60)  # type: ignore[misc]
        for n in range(OBJECTS):
            body = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": f"one-{n}"}, "spec": {}}
            kube.create(collection(kind, space), body)


class Counted:
    """Requests and bytes of a reader, by the plural of what is asked for."""

    def __init__(self, connection: Connection) -> None:
        self.requests: collections.Counter[str] = collections.Counter()
        self.bytes: collections.Counter[str] = collections.Counter()
        get, watch = connection.reader.get, connection.reader.watch

        async def counted(path: str, *arguments: Any, **named: Any) -> bytes:
            body = await get(path, *arguments, **named)
            what = self._of(path) + (" (metadata)" if "PartialObject" in named.get("accept", "") else "")
            self.requests[what] += 1
            self.bytes[what] += len(body)
            return body

        def watched(path: str, *arguments: Any, **named: Any) -> AsyncGenerator[bytes, None]:
            self.requests[f"{self._of(path)} (watch)"] += 1
            return watch(path, *arguments, **named)

        connection.reader.get, connection.reader.watch = counted, watched  # type: ignore[method-assign, assignment]

    @staticmethod
    def _of(path: str) -> str:
        words = path.strip("/").split("/")
        rest = words[2:] if words[0] == "api" else words[3:]
        rest = rest[2:] if rest[:1] == ["namespaces"] and len(rest) > 2 else rest
        return rest[0] if rest else "discovery"


async def measured(kubeconfig: Path, spaces: list[str], title: str) -> None:
    """One start, by phases."""
    clock = WallClock()
    connection = await Connection.open(ContextRef(kubeconfig=str(kubeconfig), request_timeout=60.0))
    counted, source = Counted(connection), ClusterSource(connection, Scope(), clock)
    beside = BesideComponents(connection.reader, clock, 0.0)
    began, spent = time.perf_counter(), time.process_time()
    await source.start()
    async with asyncio.timeout(300):
        await source.synced(*(kind.name for kind in SPARK if kind in sources.ALL))
        first = time.perf_counter() - began
        await source.synced(*(kind.name for kind in sources.ALL))
        every = time.perf_counter() - began
        say(
            f"{title}: first applications, all kinds",
            f"{first:.2f} {every:.2f} s",
            f"{time.process_time() - spent:.2f} s of a core",
        )
        for turn in ("first", "again"):
            before, bytes_ = sum(counted.requests.values()), sum(counted.bytes.values())
            began, spent = time.perf_counter(), time.process_time()
            await beside.refresh(spaces)
            asked, came = sum(counted.requests.values()) - before, sum(counted.bytes.values()) - bytes_
            note = f"{asked} requests, {came / 1024:.0f} KiB, {time.process_time() - spent:.2f} s of a core"
            say(f"  beside components, {turn}", f"{time.perf_counter() - began:.2f} s", note)
    for what, number in sorted(counted.requests.items()):
        if what.split()[0] in TOLD:
            say(f"  {what}", f"{number}", f"{counted.bytes[what] / 1024:.0f} KiB")
    await source.stop()
    await beside.stop()
    await connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.beside", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--namespaces", type=int, default=20)
    arguments = parser.parse_args()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
            using("control-plane", Path(folder) / "control-plane", seconds=120) as ready,
        ):
            kube = KubeApi(ready)
            spaces = fill(kube, arguments.namespaces)
            say("filled", f"{len(spaces)} namespaces")
            sources.ALL = tuple(kind for kind in ALL if kind not in PARTS)
            asyncio.run(measured(kube.kubeconfig, spaces, "without the kinds of components"))
            sources.ALL = ALL
            asyncio.run(measured(kube.kubeconfig, spaces, "with them, no custom resource served"))
            extend(kube, spaces[0])
            asyncio.run(measured(kube.kubeconfig, spaces, "with them, custom resources served"))
    except (PartMissing, PartFailed) as missing:
        say("beside", "not measured", str(missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
