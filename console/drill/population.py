"""What stands in the cluster before anything happens: namespaces, nodes, platform parts, quotas, the fleet."""

from __future__ import annotations

from typing import Any

from console.drill.gpus import RESOURCE, wanted
from console.drill.ids import stamp, stamp_micro
from console.drill.objects import build
from console.drill.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    LEASES,
    LIMITRANGES,
    NAMESPACES,
    NODES,
    PODS,
    QUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
)
from console.drill.world import World

Object = dict[str, Any]
DAY = 86400.0
VERSION = "v1.37.2"


def add_namespace(world: World, name: str) -> None:
    """A namespace and what every namespace has."""
    now = world.start - 200 * DAY
    labels = {"kubernetes.io/metadata.name": name}
    body = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    world.store.create(NAMESPACES, build(NAMESPACES, name, now, world.ids, labels=labels, generation=False, body=body))
    world.store.create(
        SERVICEACCOUNTS,
        build(SERVICEACCOUNTS, "default", now, world.ids, namespace=name, generation=False),
    )
    root = {"data": {"ca.crt": "-----BEGIN CERTIFICATE-----\nMIIDrill\n-----END CERTIFICATE-----\n"}}
    world.store.create(
        CONFIGMAPS,
        build(CONFIGMAPS, "kube-root-ca.crt", now, world.ids, namespace=name, generation=False, body=root),
    )


def add_node(
    world: World,
    name: str,
    number: int,
    *,
    cpu: int,
    memory: str,
    labels: dict[str, str] | None = None,
    gpus: int = 0,
) -> None:
    """A Ready node, with GPUs that feature discovery has found where it has some."""
    now = world.start - 60 * DAY
    amounts = {"cpu": str(cpu), "memory": memory, "pods": "110", "ephemeral-storage": "203056560Ki"}
    if gpus:
        amounts[RESOURCE] = str(gpus)
    healthy = (
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    )
    conditions = [
        {
            "lastHeartbeatTime": stamp(world.start),
            "lastTransitionTime": stamp(now),
            "message": message,
            "reason": reason,
            "status": "False",
            "type": kind,
        }
        for kind, reason, message in healthy
    ]
    conditions.append(
        {
            "lastHeartbeatTime": stamp(world.start),
            "lastTransitionTime": stamp(now),
            "message": "kubelet is posting ready status",
            "reason": "KubeletReady",
            "status": "True",
            "type": "Ready",
        }
    )
    body = {
        "spec": {"podCIDR": f"10.244.{number}.0/24", "podCIDRs": [f"10.244.{number}.0/24"]},
        "status": {
            "addresses": [
                {"address": f"10.99.0.{number + 10}", "type": "InternalIP"},
                {"address": name, "type": "Hostname"},
            ],
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": conditions,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": world.ids.uid(),
                "containerRuntimeVersion": "containerd://2.4.2",
                "kernelVersion": "6.1.0-generic",
                "kubeProxyVersion": "",
                "kubeletVersion": VERSION,
                "machineID": world.ids.hex(32),
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": world.ids.uid(),
            },
        },
    }
    wanted = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        **({"nvidia.com/gpu.present": "true", "nvidia.com/gpu.count": str(gpus)} if gpus else {}),
        **(labels or {}),
    }
    world.store.create(
        NODES, build(NODES, name, now, world.ids, labels=wanted, manager="kubelet", generation=False, body=body)
    )


def add_service(
    world: World, namespace: str, name: str, selector: dict[str, str], ports: list[tuple[str, int]]
) -> None:
    """A ClusterIP service."""
    address = world.ids.cluster_ip()
    body = {
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": n, "port": p, "protocol": "TCP", "targetPort": p} for n, p in ports],
            "selector": selector,
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    }
    made = build(
        SERVICES,
        name,
        world.start - 60 * DAY,
        world.ids,
        namespace=namespace,
        labels=selector,
        manager="helm",
        generation=False,
        body=body,
    )
    world.store.create(SERVICES, made)


def add_deployment(
    world: World,
    namespace: str,
    name: str,
    image: str,
    *,
    labels: dict[str, str],
    container: str = "",
    ports: list[tuple[str, int]] | None = None,
    memory: str = "512Mi",
    limit: str = "",
    replicas: int = 1,
    args: list[str] | None = None,
) -> None:
    """A Deployment that has been up for weeks, with its ReplicaSet and running pods."""
    now = world.start - 30 * DAY
    template: Object = {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [
                {
                    "name": container or name,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    **({"args": args} if args else {}),
                    "ports": [{"containerPort": p, "name": n, "protocol": "TCP"} for n, p in ports or ()],
                    "resources": {"limits": {"memory": limit or memory}, "requests": {"cpu": "250m", "memory": memory}},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ]
        },
    }
    body = {
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": replicas,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template,
        }
    }
    revision = {"deployment.kubernetes.io/revision": "1"}
    labelled = {**labels, "app.kubernetes.io/managed-by": "Helm"}
    made = build(
        DEPLOYMENTS,
        name,
        now,
        world.ids,
        namespace=namespace,
        labels=labelled,
        annotations=revision,
        manager="helm",
        body=body,
    )
    deployment = world.store.create(DEPLOYMENTS, made)
    replicaset = world.deployments.replicaset(deployment)
    for _ in range(replicas):
        add_running_pod(world, world.deployments.pod(deployment, replicaset), now + 20)
    world.deployments.reconcile(namespace, name)


def add_running_pod(world: World, pod: Object, since: float) -> Object:
    """A pod that has been running since long ago, as it was stored."""
    nodes = world.store.all(NODES)
    if world.gpus.cards:  # cards are for those who ask for them
        count = wanted(pod)
        fitting = [n for n in nodes if (world.scheduler.free(n).get(RESOURCE, 0.0) >= count if count else not _has(n))]
        nodes = fitting or nodes
    node = max(nodes, key=lambda n: (world.scheduler.free(n).get("memory", 0.0), n["metadata"]["name"]))
    ip, host = world.ids.pod_ip(), world.node_address(node["metadata"]["name"])
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
                "imageID": f"sha256:{world.image_digest(c['image'])}",
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
    track = world.tracks.of(meta["uid"])
    if track is not None:
        track.began(since)
    return stored


def _has(node: Object) -> bool:
    return RESOURCE in node["status"]["capacity"]


def add_quota(world: World, namespace: str, name: str, hard: dict[str, str]) -> None:
    """A ResourceQuota."""
    body = {"spec": {"hard": hard}, "status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
    made = build(QUOTAS, name, world.start - 60 * DAY, world.ids, namespace=namespace, generation=False, body=body)
    world.store.create(QUOTAS, made)


def add_limits(world: World, namespace: str, name: str, most: dict[str, str]) -> None:
    """A LimitRange with a maximum per container."""
    body = {"spec": {"limits": [{"type": "Container", "max": most}]}}
    made = build(LIMITRANGES, name, world.start - 60 * DAY, world.ids, namespace=namespace, generation=False, body=body)
    world.store.create(LIMITRANGES, made)


def add_lease(world: World, namespace: str, name: str, holder: str) -> None:
    """A leader election lease."""
    body = {
        "spec": {
            "acquireTime": stamp_micro(world.start - 30 * DAY),
            "holderIdentity": holder,
            "leaseDurationSeconds": 15,
            "leaseTransitions": 1,
            "renewTime": stamp_micro(world.start),
        }
    }
    made = build(
        LEASES,
        name,
        world.start - 60 * DAY,
        world.ids,
        namespace=namespace,
        manager="operator",
        generation=False,
        body=body,
    )
    world.store.create(LEASES, made)


def add_secret(world: World, namespace: str, name: str, data: dict[str, str]) -> None:
    """An Opaque secret; values are base64."""
    made = build(
        SECRETS,
        name,
        world.start - 60 * DAY,
        world.ids,
        namespace=namespace,
        generation=False,
        body={"data": data, "type": "Opaque"},
    )
    world.store.create(SECRETS, made)
