"""What stands in the cluster before anything happens: nodes, platform, rights and quotas, from their manifests."""

from __future__ import annotations

from typing import Any

from console.drill.control.gpus import RESOURCE, wanted
from console.drill.scenario.crds import add_crds
from console.drill.scenario.manifests import complete, manifests
from console.drill.scenario.model import NodeDoc, Scenario
from console.drill.state.ids import Ids, stamp, stamp_micro
from console.drill.state.objects import image_digest
from console.drill.state.resources import NODES, PODS
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
DAY = 86400.0
SPARK_IMAGE = "registry.local/spark:4.1.4"
SPACES = ("default", "kube-system", "spark-operator", "monitoring")


def populate(world: SimulatedWorld, scenario: Scenario) -> None:
    """Put in what every world has, in the sizes of the scenario."""
    doc, start = scenario.world, world.start
    for name in dict.fromkeys((*SPACES, doc.namespace)):
        add(world, "namespace", {"name": name})
    for number, node in enumerate(doc.nodes, start=1):
        _add_node(world, number, node)
    add_crds(world.cluster)
    here = {"namespace": doc.namespace}
    lease = {"acquired": stamp_micro(start - 30 * DAY), "renewed": stamp_micro(start)}
    add(world, "platform", {**here, **lease, "spark_image": SPARK_IMAGE})
    if doc.quota:
        add(world, "quota", {**here, "hard": doc.quota, "used": dict.fromkeys(doc.quota, "0")})
    if doc.limits:
        add(world, "limits", {**here, "most": doc.limits})
    # Identifiers of their own, so that the rest of the world does not depend on these objects.
    add(world, "rights", here, Ids(scenario.seed ^ 0x5EC))
    add(world, "secrets", here)


def add(world: SimulatedWorld, name: str, values: Object, ids: Ids | None = None) -> None:
    """Store the objects of a file of manifests, Deployments with the pods that they have had for weeks."""
    ids = ids or world.ids
    for manifest in manifests(name, values):
        fill = {"Deployment": _fill_deployment, "Service": _fill_service}.get(manifest["kind"])
        if fill is not None:
            fill(manifest, ids)
        resource, made = complete(manifest, world.start, ids)
        stored = world.store.create(resource, made)
        if manifest["kind"] == "Deployment":
            _run(world, stored)


def _fill_deployment(manifest: Object, _ids: Ids) -> None:
    """What the API server adds to a Deployment."""
    spec = manifest["spec"]
    pod = spec["template"]["spec"]
    pod["containers"] = [
        {
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            **container,
            "ports": [{**port, "protocol": "TCP"} for port in container["ports"]],
        }
        for container in pod["containers"]
    ]
    manifest["spec"] = {
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        **spec,
    }


def _fill_service(manifest: Object, ids: Ids) -> None:
    """What the API server adds to a Service, the address first of all."""
    spec, address = manifest["spec"], ids.cluster_ip()
    manifest["spec"] = {
        "clusterIP": address,
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
        "type": "ClusterIP",
        **spec,
        "ports": [{**port, "protocol": "TCP", "targetPort": port["port"]} for port in spec["ports"]],
    }
    manifest["status"] = {"loadBalancer": {}}


def _run(world: SimulatedWorld, deployment: Object) -> None:
    """Give a Deployment its ReplicaSet and the pods that have been running since it was made."""
    since = world.start - 30 * DAY + 20
    replicaset = world.deployments.replicaset(deployment)
    for _ in range(deployment["spec"]["replicas"]):
        add_running_pod(world, world.deployments.pod(deployment, replicaset), since)
    meta = deployment["metadata"]
    world.deployments.reconcile(meta["namespace"], meta["name"])


def _add_node(world: SimulatedWorld, number: int, node: NodeDoc) -> None:
    """A Ready node, with GPUs that feature discovery has found where it has some."""
    amounts = {"cpu": str(node.cpu), "memory": node.memory, "pods": "110", "ephemeral-storage": "203056560Ki"}
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
    }
    if node.gpus:
        amounts[RESOURCE] = str(node.gpus)
        labels |= {"nvidia.com/gpu.present": "true", "nvidia.com/gpu.count": str(node.gpus)}
    values = {
        "name": node.name,
        "number": number,
        "host": number + 10,
        "labels": {**labels, **node.labels},
        "amounts": amounts,
        "seen": stamp(world.start),
        "joined": stamp(world.start - 60 * DAY),
        "boot": world.ids.uid(),
        "machine": world.ids.hex(32),
        "system": world.ids.uid(),
    }
    add(world, "node", values)
    if node.gpus:
        world.gpus.add(node.name, node.gpus, node.gpu_model, node.dcgm)


def add_running_pod(world: SimulatedWorld, pod: Object, since: float) -> Object:
    """A pod that has been running since long ago, as it was stored."""
    nodes = world.store.all(NODES)
    if world.gpus.cards:  # cards are for those who ask for them
        count = wanted(pod)
        fitting = [n for n in nodes if (world.scheduler.free(n).get(RESOURCE, 0.0) >= count if count else not _has(n))]
        nodes = fitting or nodes
    node = max(nodes, key=lambda n: (world.scheduler.free(n).get("memory", 0.0), n["metadata"]["name"]))
    ip, host = world.ids.pod_ip(), world.cluster.node_address(node["metadata"]["name"])
    started = {"lastProbeTime": None, "lastTransitionTime": stamp(since), "observedGeneration": 1, "status": "True"}
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    status = {
        "phase": "Running",
        "qosClass": "Burstable",
        "conditions": [{**started, "type": kind} for kind in kinds],
        "containerStatuses": [
            {
                "containerID": f"containerd://{world.ids.hex(64)}",
                "image": c["image"],
                "imageID": f"sha256:{image_digest(c['image'])}",
                "lastState": {},
                "name": c["name"],
                "ready": True,
                "resources": c.get("resources", {}),
                "restartCount": 0,
                "started": True,
                "state": {"running": {"startedAt": stamp(since + 2)}},
            }
            for c in pod["spec"]["containers"]
        ],
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "observedGeneration": 1,
        "startTime": stamp(since),
    }
    meta = {**pod["metadata"], "creationTimestamp": stamp(since)}
    spec = {**pod["spec"], "nodeName": node["metadata"]["name"]}
    stored = world.store.create(PODS, {**pod, "metadata": meta, "spec": spec, "status": status})
    track = world.cluster.tracks.of(meta["uid"])
    if track is not None:
        track.began(since)
    return stored


def _has(node: Object) -> bool:
    return RESOURCE in node["status"]["capacity"]
