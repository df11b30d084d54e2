"""What stands in the cluster before anything happens: nodes, platform, rights and quotas, from their manifests."""

from __future__ import annotations

from typing import Any

from console.drill.control.gpus import RESOURCE, wanted
from console.drill.control.podsets import new_pod
from console.drill.scenario.crds import add_crds
from console.drill.scenario.defaults import filled_in
from console.drill.scenario.edits import merged
from console.drill.scenario.manifests import complete, filled, manifests
from console.drill.scenario.model import NodeDoc, Scenario, WorldDoc
from console.drill.state.ids import Ids, stamp, stamp_micro
from console.drill.state.objects import image_digest
from console.drill.state.resources import DEPLOYMENTS, NODES, PODS, REPLICASETS, of_kind
from console.drill.state.store import private
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
Over = dict[tuple[str, str, str], Object]
"""(kind, namespace, name) → manifest."""
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
    over = _own_objects(doc)
    add(world, "platform", {**here, **lease, "spark_image": SPARK_IMAGE}, over=over)
    if doc.quota:
        add(world, "quota", {**here, "hard": doc.quota, "used": dict.fromkeys(doc.quota, "0")}, over=over)
    if doc.limits:
        add(world, "limits", {**here, "most": doc.limits}, over=over)
    # Identifiers of their own, so that the rest of the world does not depend on these objects.
    add(world, "rights", here, Ids(scenario.seed ^ 0x5EC), over=over)
    add(world, "secrets", here, over=over)
    for manifest in over.values():
        _store(world, manifest, world.ids)


def add(world: SimulatedWorld, name: str, values: Object, ids: Ids | None = None, over: Over | None = None) -> None:
    """Store the objects of a file of manifests, workloads with the pods that they have had for weeks.

    Args:
        over: what is merged into those of them that it names; what was used is taken out.
    """
    ids = ids or world.ids
    for manifest in manifests(name, values):
        change = (over or {}).pop(_key(manifest, ""), None)
        if change is not None:
            resource = of_kind(manifest["apiVersion"], manifest["kind"])
            manifest = merged(resource, manifest, {k: v for k, v in change.items() if k not in ("apiVersion", "kind")})
        _store(world, manifest, ids)


def _store(world: SimulatedWorld, manifest: Object, ids: Ids) -> None:
    resource, made = complete(filled_in(manifest, ids), world.start, ids)
    stored = world.store.create(resource, made)
    if manifest["kind"] == "Deployment":
        _run(world, stored)
    elif manifest["kind"] in ("DaemonSet", "StatefulSet"):
        _run_set(world, stored)


def _key(manifest: Object, namespace: str) -> tuple[str, str, str]:
    meta = manifest["metadata"]
    return manifest["kind"], meta.get("namespace", namespace), meta["name"]


def _own_objects(doc: WorldDoc) -> Over:
    """The objects of a scenario's own, where one is told of twice as one."""
    out: Over = {}
    for manifest in doc.objects:
        made = filled(private(manifest), {"namespace": doc.namespace, "spark_image": SPARK_IMAGE}, strict=False)
        resource = of_kind(made["apiVersion"], made["kind"])
        if resource.namespaced:
            made["metadata"].setdefault("namespace", doc.namespace)
        else:
            made["metadata"].pop("namespace", None)
        key = _key(made, "")
        out[key] = merged(resource, out[key], made) if key in out else made
    return out


def _run(world: SimulatedWorld, deployment: Object) -> None:
    """Give a Deployment its ReplicaSet and the pods that have been running since it was made."""
    since = world.start - 30 * DAY + 20
    meta, replicas = deployment["metadata"], int(deployment["spec"].get("replicas", 1))
    replicaset = world.deployments.replicaset(deployment, replicas)
    for _ in range(replicas):
        add_running_pod(world, new_pod(world.cluster, replicaset, replicaset["spec"]["template"]), since)
    aged = {**replicaset["metadata"], "creationTimestamp": stamp(since - 20)}
    world.store.update(REPLICASETS, {**replicaset, "metadata": aged})
    world.replicasets.reconcile(meta["namespace"], replicaset["metadata"]["name"])
    world.deployments.reconcile(meta["namespace"], meta["name"])
    made = world.store.get(DEPLOYMENTS, meta["namespace"], meta["name"])
    assert made is not None
    times = {"lastTransitionTime": stamp(since + 3), "lastUpdateTime": stamp(since + 3)}
    conditions = [{**condition, **times} for condition in made["status"]["conditions"]]
    world.store.update(DEPLOYMENTS, {**made, "status": {**made["status"], "conditions": conditions}})


def _run_set(world: SimulatedWorld, found: Object) -> None:
    """Give a DaemonSet or StatefulSet the pods that have been running since it was made."""
    since, meta = world.start - 30 * DAY + 20, found["metadata"]
    if found["kind"] == "DaemonSet":
        template, _ = world.daemonsets.template(found)
        for node in world.daemonsets.nodes(found):
            add_running_pod(world, world.daemonsets.pod(found, template, node), since, node)
        world.daemonsets.reconcile(meta["namespace"], meta["name"])
        return
    template, _ = world.statefulsets.template(found)
    for index in range(int(found["spec"].get("replicas", 1))):
        add_running_pod(world, new_pod(world.cluster, found, template, f"{meta['name']}-{index}"), since)
    world.statefulsets.reconcile(meta["namespace"], meta["name"])


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


def add_running_pod(world: SimulatedWorld, pod: Object, since: float, on: str = "") -> Object:
    """A pod that has been running since long ago, as it was stored; `on` names its node."""
    nodes = [n for n in world.store.all(NODES) if not on or n["metadata"]["name"] == on]
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
