"""GPUs that are gone (I30): not allocatable, refused at admission, not seen by the plugin; and blind exporters."""

from __future__ import annotations

from console.apps.evidence import of_event, of_node, of_pod, of_sample, of_workload
from console.apps.members import GPU_RESOURCE, gpus
from console.base.text import shorten
from console.facts.evidence import Evidence
from console.facts.model import Node, Pod, Sample
from console.findings.case import ClusterView
from console.findings.figures.gpu import GpuExporter, GpuGone, GpuNodes
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.gpu.hardware import gives_up
from console.gpu.model import GpuNode

_DEVICES = "gpu_operator_node_device_plugin_devices_total"
_UPGRADES = ("upgrade-failed", "drain-required", "pod-restart-required")


def gone(world: ClusterView) -> Answer:
    """GPUs that a node no longer offers, pods that the device plugin refused."""
    out = [f for node in world.facts.nodes for f in _of_node(world, node)]
    out += [_unoffered(s) for s in world.samples.get(_DEVICES, []) if s.value == 0 and _unknown(world, s)]
    out += [_refused(pod) for pod in world.troubled if _refuses_gpu(pod)]
    if not world.facts.nodes:
        return out or "not seen: no node was read"
    return out or "every node offers all its GPUs"


def _of_node(world: ClusterView, node: Node) -> list[Finding]:
    out: list[Finding] = []
    explained = _explained(world, node.name)
    for resource, have in node.capacity.items():
        if not GPU_RESOURCE.fullmatch(resource):
            continue
        lost = have - node.allocatable.get(resource, 0.0)
        if lost > explained:
            out.append(_gone(world, node, f"{lost:.0f} of {have:.0f} {resource} are not allocatable", resource))
    if node.labels.get("nvidia.com/mig.config.state") == "failed":
        out.append(_gone(world, node, "MIG reconfiguration failed", "mig"))
    upgrade = node.labels.get("nvidia.com/gpu-driver-upgrade-state", "")
    if upgrade in _UPGRADES:
        out.append(_gone(world, node, f"driver upgrade state {upgrade}", "driver"))
    offers = any(GPU_RESOURCE.fullmatch(name) and amount > 0 for name, amount in node.capacity.items())
    seen = world.gpus.fleet.node(node.name)
    if node.labels.get("nvidia.com/gpu.present") == "true" and not offers:
        out.append(_gone(world, node, "the node has GPUs but offers none (device plugin)", "nvidia.com/gpu"))
    elif not out and seen is not None and seen.plugin_devices == 0:
        out.append(_gone(world, node, "the device plugin offers no GPU", "nvidia.com/gpu", _plugin(seen)))
    return out[:1] if len(out) > 1 and all(f.subject == out[0].subject for f in out) else out


def _unknown(world: ClusterView, sample: Sample) -> bool:
    return sample.labels.get("node", "") not in world.nodes


def _unoffered(sample: Sample) -> Finding:
    """A node of which only the GPU operator's metric is known."""
    name = sample.labels.get("node") or sample.labels.get("instance", "")
    return finding(
        None,
        "gpu-gone",
        "I30",
        "critical",
        "medium",
        f"node {name}: the device plugin offers no GPU",
        subject=f"Node//{name}",
        evidence=[of_sample(sample)],
        questions=["the node itself: its capacity and allocatable GPUs, the device plugin's pod and its log"],
        data=GpuGone(nodes=(name,)),
    )


def _explained(world: ClusterView, node: str) -> int:
    """GPUs of a node that the device plugin gave up for an error that has a finding of its own."""
    known = world.gpus.fleet.node(node)
    broken = sum(g.state == "faulty" and gives_up(g) for g in known.gpus) if known is not None else 0
    if broken:
        return broken
    return len({k.pci for k in world.gpus.kernel if k.node == node})


def _plugin(node: GpuNode) -> list[Evidence]:
    return [Evidence("prometheus", _DEVICES, f'{_DEVICES}{{node="{node.name}"}} 0')]


def _gone(world: ClusterView, node: Node, what: str, resource: str, more: list[Evidence] | None = None) -> Finding:
    events = [e for e in world.events.get(node.key, []) if e.type == "Warning"]
    return finding(
        None,
        "gpu-gone",
        "I30",
        "critical",
        "high",
        f"node {node.name}: {what}",
        subject=node.key,
        detail="the device plugin marks a GPU unhealthy after an XID and does not take it back before it restarts",
        evidence=[of_node(node, what), *(more or ()), *[of_event(e) for e in events[-2:]]],
        questions=["an XID in the kernel log (I28), a driver upgrade, a MIG change, or the device plugin itself"],
        data=GpuGone(nodes=(node.name,), resource=resource),
    )


def _refuses_gpu(pod: Pod) -> bool:
    if pod.reason != "UnexpectedAdmissionError":
        return False
    words = pod.message.lower()
    return "gpu" in words or "nvidia" in words or (pod.main is not None and gpus(pod.main.limits) > 0)


def _refused(pod: Pod) -> Finding:
    return finding(
        None,
        "gpu-gone",
        "I30",
        "critical",
        "high",
        f"{pod.name} was refused its GPU: {shorten(pod.message, 240, middle=True)}",
        subject=pod.key,
        evidence=[of_pod(pod)],
        ruled_out=[("I15", "the pod was placed; the node could not give the GPU")],
        questions=[
            "an unhealthy device after an XID (I28), a driver upgrade, or the device plugin: the node's GPU pods and "
            "kernel log"
        ],
        data=GpuGone(nodes=(pod.node,)),
    )


def blind(world: ClusterView) -> Answer:
    """Exporters that are up and say nothing, exporters that are down, nodes whose GPUs nobody exports."""
    fleet = world.gpus.fleet
    if fleet.metrics == "unknown" or not (fleet.nodes or fleet.blind):
        return "nobody could be asked, or there are no GPUs"
    if fleet.metrics == "none" and not fleet.blind and all(n.exporter in ("none", "unknown") for n in fleet.nodes):
        return [_unmonitored(world)]
    out: list[Finding] = []
    for node in fleet.nodes:
        if node.exporter == "blind":
            out.append(_blind(world, f"Node//{node.name}", node.exporter_target, f"node {node.name}", node))
        elif node.exporter == "down":
            words = f"the DCGM exporter of node {node.name} does not answer"
            out.append(_silent(world, node, words, f'up{{instance="{node.exporter_target}"}} 0'))
        elif node.exporter == "none" and not fleet.blind and fleet.metrics != "none":
            words = f"no DCGM exporter is scraped on node {node.name}"
            out.append(_silent(world, node, words, f"no target of a DCGM exporter for {node.name}"))
    out += [_blind(world, f"Target//{target}", target, target, None) for target in fleet.blind]
    return out or "every node with GPUs has an exporter that speaks of them"


def _blind(world: ClusterView, subject: str, target: str, where: str, node: GpuNode | None) -> Finding:
    return finding(
        None,
        "gpu-exporter-blind",
        "I30",
        "warning",
        "high",
        f"the DCGM exporter of {where} is up and exports nothing about any GPU",
        subject=subject,
        detail="XIDs, temperatures and idle GPUs there are not seen by anybody",
        evidence=[
            Evidence("prometheus", f'up{{instance="{target}"}}', f"{target} is up, and no DCGM series comes from it"),
            *_daemons(world),
        ],
        ruled_out=[("down", "the target answers its scrapes")],
        questions=["the host engine (nv-hostengine) behind the exporter, its counter list, or renamed metrics"],
        data=GpuExporter(nodes=(node.name,) if node is not None else (), target=target),
    )


def _silent(world: ClusterView, node: GpuNode, words: str, seen: str) -> Finding:
    return finding(
        None,
        "gpu-exporter-blind",
        "I30",
        "warning",
        "medium",
        words,
        subject=f"Node//{node.name}",
        detail="XIDs, temperatures and idle GPUs there are not seen by anybody",
        evidence=[Evidence("prometheus", "up", seen), *_daemons(world)],
        questions=["whether the exporter's pod runs on this node, and whether Prometheus selects it"],
        data=GpuExporter(nodes=(node.name,), target=node.exporter_target),
    )


def _unmonitored(world: ClusterView) -> Finding:
    fleet = world.gpus.fleet
    return finding(
        None,
        "gpu-unmonitored",
        "I30",
        "info",
        "high",
        f"no DCGM exporter is scraped: how {sum(len(n.gpus) for n in fleet.nodes)} GPUs do is not known",
        subject="Monitoring//dcgm-exporter",
        detail="only capacity, allocatable and requests are known; errors, heat and idle GPUs are not",
        evidence=[
            Evidence("prometheus", "DCGM_FI_DEV_GPU_UTIL", "no series of DCGM in either spelling"),
            *_daemons(world),
        ],
        questions=["whether an exporter runs that Prometheus does not select"],
        data=GpuNodes(nodes=tuple(n.name for n in fleet.nodes)),
    )


def _daemons(world: ClusterView) -> list[Evidence]:
    return [
        of_workload(
            w, f"{w.name}: {w.status.get('numberReady', 0)} of {w.status.get('desiredNumberScheduled', 0)} ready"
        )
        for w in world.workloads.get("DaemonSet", [])
        if "dcgm" in w.name
    ][:1]


RULES = [WorldRule("gpu-gone", "I30", gone), WorldRule("gpu-exporter-blind", "I30", blind)]
