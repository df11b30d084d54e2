"""GPUs: faults of the application on them (I27), broken ones (I28), throttled or idle (I29), gone (I30).

Only what pods, nodes, events, logs and plainly named metrics show; a latched XID gauge without a time is no proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from console.health.apps import gpus
from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_node, of_pod, of_sample
from console.health.facts import Node, Sample
from console.health.model import Evidence, Finding, Severity
from console.health.rule import Answer, Rule, WorldRule, finding, severity_of

HOT, IDLE = 85.0, 0.05
_XID = re.compile(r"NVRM: Xid \(PCI:([\w:.]+)\)?:? ?(\d+)")
APPLICATION_XIDS = frozenset({13, 31, 32, 43, 45, 68, 69, 94})
RESET_XIDS = {
    46: "GPU stopped processing",
    48: "double-bit ECC error",
    54: "auxiliary power missing",
    62: "micro-controller halt",
    64: "row remap failed",
    74: "NVLink error",
    79: "fallen off the bus",
    95: "uncontained memory error",
    109: "context-switch timeout",
    110: "security fault",
    119: "GSP RPC timeout",
    120: "GSP error",
    136: "link training failed",
    140: "unrecovered ECC error",
    143: "GPU initialisation failed",
    155: "NVLink error",
    156: "resource retirement",
    158: "fatal timeout",
    167: "PCIe fatal timeout",
    171: "DRAM error",
    172: "SRAM error",
}
_GPU_NAMES = ("nvidia.com/", "amd.com/gpu", "gpu.intel.com/")


def application_fault(case: Case) -> Answer:
    """GPU out of memory in RAPIDS, or a fatal CUDA error (exit code 20): mostly software."""
    oom = case.hits("gpu-oom", roles=("executor", "driver"))
    fatal = case.hits("cuda-fatal", roles=("executor", "driver"))
    dead = [v for v in case.victims if v.kind == "cuda"]
    if not oom and not fatal and not dead:
        return "no GPU out of memory, no fatal CUDA error, no exit code 20"
    code = "gpu-fatal" if fatal or dead else "gpu-oom"
    title = (
        "fatal CUDA error in an executor"
        if code == "gpu-fatal"
        else "GPU out of memory: a batch could not be split further"
    )
    return [
        finding(
            case,
            code,
            "I27",
            severity_of(case),
            "high" if oom or fatal else "medium",
            title + (f" (exit code 20 in {len(dead)} executors)" if dead else ""),
            detail="the executor stops itself after a fatal CUDA error"
            if code == "gpu-fatal"
            else "too many tasks share the GPU, or its batches are too large",
            evidence=[*[of_hit(h) for h in (*oom[:2], *fatal[:2])], *(e for v in dead[-2:] for e in v.evidence)],
            ruled_out=[("I01", "the GPU's memory ran out, not the container's")]
            if code == "gpu-oom"
            else [("I01", "no container was OOMKilled")],
            questions=["job or GPU: does it follow the job to other GPUs (software), or the GPU to other jobs (I28)?"],
            data={"nodes": sorted({v.node for v in dead if v.node})},
        )
    ]


def _xid_of(world: World) -> list[tuple[int, str, Evidence]]:
    """(XID, node or UUID, evidence) of kernel logs, events and counters."""
    out: list[tuple[int, str, Evidence]] = []
    from console.health import logs
    from console.health.wordings import WORDINGS

    texts = [logs.Text(log) for log in world.facts.logs if "NVRM: Xid" in log.text]
    for hit in logs.find(texts, "xid", WORDINGS["xid"]):
        found = _XID.search(hit.text)
        if found is not None:
            out.append((int(found.group(2)), found.group(1), of_hit(hit)))
    for event in world.facts.events:
        told = _XID.search(event.message)
        if told is None and "xid" in event.message.lower() and event.kind == "Node":
            spoken = re.search(r"(?i)xid[ =:]*(\d+)", event.message)
            if spoken is not None:
                out.append((int(spoken.group(1)), event.name, of_event(event)))
        elif told is not None:
            out.append((int(told.group(2)), event.name, of_event(event)))
    for name in ("DCGM_EXP_XID_ERRORS_TOTAL", "DCGM_EXP_XID_ERRORS_COUNT"):
        for sample in world.samples.get(name, []):
            number = sample.labels.get("xid", "")
            if number.isdigit() and sample.value > 0:
                out.append((int(number), _gpu(sample), of_sample(sample)))
    return out


def _gpu(sample: Sample) -> str:
    labels = sample.labels
    if labels.get("UUID"):
        return labels["UUID"]
    host = labels.get("hostname") or labels.get("Hostname") or labels.get("instance", "")
    return f"{host} gpu {labels['gpu']}" if "gpu" in labels and host else host


def hardware(world: World) -> Answer:
    """GPU hardware: XIDs that ask for a reset or a reboot, ECC, row remapping."""
    found = _xid_of(world)
    bad = [(x, g, e) for x, g, e in found if x in RESET_XIDS]
    soft = [(x, g, e) for x, g, e in found if x in APPLICATION_XIDS]
    latched = [
        (int(s.value), _gpu(s), s)
        for name in ("DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR")
        for s in world.samples.get(name, [])
        if 0 < s.value < 1000
    ]
    remap = [
        s
        for name in ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "DCGM_FI_DEV_ROW_REMAP_FAILED")
        for s in world.samples.get(name, [])
        if 0 < s.value < 9e18
    ]
    ecc = [s for s in world.samples.get("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", []) if 0 < s.value < 9e18]
    out: list[Finding] = []
    for xid, gpu, proof in _unique_xids(bad):
        out.append(_hardware_finding(f"XID {xid} ({RESET_XIDS[xid]})", gpu, [proof], "high", xid))
    known = {g for _, g, _ in bad}
    for xid, gpu, sample in latched:
        if xid in RESET_XIDS and gpu not in known:
            out.append(
                _hardware_finding(
                    f"XID {xid} ({RESET_XIDS[xid]})", gpu, [of_sample(sample)], "medium", xid, latched=True
                )
            )
    for sample in remap:
        out.append(_hardware_finding("row remapping failed", _gpu(sample), [of_sample(sample)], "high", 0))
    for sample in ecc:
        out.append(_hardware_finding("double-bit ECC errors", _gpu(sample), [of_sample(sample)], "high", 48))
    for xid, gpu, proof in _unique_xids(soft):
        if xid in (13, 31, 43, 94) and not any(f.class_ == "I28" for f in out):
            out.append(
                finding(
                    None,
                    "gpu-xid-application",
                    "I27",
                    "warning",
                    "medium",
                    f"XID {xid} on {gpu}: usually a fault of the application",
                    subject=f"GPU//{gpu}",
                    evidence=[proof],
                    questions=["whether it comes back with another job on the same GPU: then it is hardware (I28)"],
                    data={"xid": xid, "gpu": gpu},
                )
            )
    return out or "no XID, ECC or row remap error of hardware is known"


def _unique_xids(items: Iterable[tuple[int, str, Evidence]]) -> list[tuple[int, str, Evidence]]:
    seen: dict[tuple[int, str], Evidence] = {}
    for xid, gpu, proof in items:
        seen.setdefault((xid, gpu), proof)
    return [(x, g, e) for (x, g), e in seen.items()]


def _hardware_finding(
    what: str, gpu: str, proof: list[Evidence], confidence: str, xid: int, *, latched: bool = False
) -> Finding:
    sure = "high" if confidence == "high" else "medium"
    return finding(
        None,
        "gpu-hardware",
        "I28",
        "critical",
        sure,  # type: ignore[arg-type]
        f"GPU fault on {gpu}: {what}",
        subject=f"GPU//{gpu}",
        detail="the gauge holds the last XID until the driver is reloaded: when it happened is not known"
        if latched
        else what,
        evidence=proof,
        ruled_out=[("I27", "this XID is one of hardware: it asks for a reset or a reboot")],
        questions=["the time in the node's kernel log (NVRM: Xid)"] if latched else [],
        data={"xid": xid, "gpu": gpu},
    )


def throttled_or_idle(world: World) -> Answer:
    """GPUs that are too hot, or held and not used."""
    out: list[Finding] = []
    for name in ("DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMP_CELSIUS"):
        hot = [s for s in world.samples.get(name, []) if HOT < s.value < 200]
        if hot:
            worst = max(hot, key=lambda s: s.value)
            level: Severity = "critical" if worst.value > 90 else "warning"
            out.append(
                finding(
                    None,
                    "gpu-hot",
                    "I29",
                    level,
                    "high" if len(hot) > 1 else "medium",
                    f"{len({_gpu(s) for s in hot})} GPUs above {HOT:.0f} °C (up to {worst.value:.0f})",
                    subject=f"GPU//{_gpu(worst)}",
                    evidence=[of_sample(s) for s in hot[:3]],
                    questions=["several GPUs of one node or rack: cooling; one: the card"],
                )
            )
    idle: dict[str, list[Sample]] = {}
    for name in ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"):
        for sample in world.samples.get(name, []):
            if sample.labels.get("exported_pod") or (
                sample.labels.get("pod") and "exported_pod" not in sample.labels and "container" in sample.labels
            ):
                idle.setdefault(_gpu(sample), []).append(sample)
    for gpu, series in idle.items():
        times = [s.at for s in series if s.at is not None]
        long = len(series) >= 5 and max(times, default=0) - min(times, default=0) >= 1800
        if long and all(s.value < IDLE for s in series):
            pod = series[-1].labels.get("exported_pod") or series[-1].labels.get("pod", "")
            out.append(
                finding(
                    None,
                    "gpu-idle",
                    "I29",
                    "warning",
                    "medium",
                    f"GPU {gpu} is held by {pod} and idle for half an hour",
                    subject=f"GPU//{gpu}",
                    evidence=[of_sample(series[-1])],
                    questions=[
                        "whether the plan runs on the GPU at all: `cannot run on GPU because` in the driver's log"
                    ],
                    data={"pod": pod},
                )
            )
    return out or "no GPU is hot, and none is known to be held and idle"


def gone(world: World) -> Answer:
    """GPUs that the node no longer offers, pods that the device plugin refused."""
    out: list[Finding] = []
    for node in world.facts.nodes:
        for resource, have in node.capacity.items():
            if resource.startswith(_GPU_NAMES) and have > node.allocatable.get(resource, 0.0):
                lost = have - node.allocatable.get(resource, 0.0)
                out.append(
                    _gone_finding(world, node, f"{lost:.0f} of {have:.0f} {resource} are not allocatable", resource)
                )
        if (state := node.labels.get("nvidia.com/mig.config.state")) == "failed":
            out.append(_gone_finding(world, node, f"MIG reconfiguration {state}", "mig"))
        upgrade = node.labels.get("nvidia.com/gpu-driver-upgrade-state", "")
        if upgrade in ("upgrade-failed", "drain-required", "pod-restart-required"):
            out.append(_gone_finding(world, node, f"driver upgrade state {upgrade}", "driver"))
        if node.labels.get("nvidia.com/gpu.present") == "true" and not any(
            k.startswith("nvidia.com/") and v > 0 for k, v in node.capacity.items()
        ):
            out.append(
                _gone_finding(world, node, "the node has GPUs but offers none (device plugin)", "nvidia.com/gpu")
            )
    for pod in world.troubled:
        if pod.reason == "UnexpectedAdmissionError" and (
            "gpu" in pod.message.lower() or "nvidia" in pod.message.lower() or _asks(pod)
        ):
            out.append(
                finding(
                    None,
                    "gpu-gone",
                    "I30",
                    "critical",
                    "high",
                    f"{pod.name} was refused its GPU: {pod.message[:110]}",
                    subject=pod.key,
                    evidence=[of_pod(pod)],
                    ruled_out=[("I15", "the pod was placed; the node could not give the GPU")],
                    questions=[
                        "an unhealthy device after an XID (I28), a driver upgrade, or the device plugin: the "
                        "node's GPU pods and kernel log"
                    ],
                    data={"nodes": [pod.node]},
                )
            )
    for sample in world.samples.get("gpu_operator_node_device_plugin_devices_total", []):
        if sample.value == 0:
            name = sample.labels.get("node", sample.labels.get("instance", ""))
            out.append(
                finding(
                    None,
                    "gpu-gone",
                    "I30",
                    "critical",
                    "high",
                    f"node {name}: the device plugin offers no GPU",
                    subject=f"Node//{name}",
                    evidence=[of_sample(sample)],
                    data={"nodes": [name]},
                )
            )
    return out or "every node offers all its GPUs"


def _asks(pod: object) -> bool:
    from console.health.facts import Pod

    assert isinstance(pod, Pod)
    main = pod.main
    return main is not None and gpus(main.limits) > 0


def _gone_finding(world: World, node: Node, what: str, resource: str) -> Finding:
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
        evidence=[of_node(node, what), *[of_event(e) for e in events[-2:]]],
        questions=["an XID in the kernel log (I28), a driver upgrade, a MIG change, or the device plugin itself"],
        data={"nodes": [node.name], "resource": resource},
    )


def absent(case: Case) -> Answer:
    """Executors that see no GPU although the pod has one."""
    hits = case.hits("gpu-absent", roles=("executor", "driver"))
    if not hits:
        return "no executor says that its GPU is missing"
    mismatch = any("version mismatch" in h.text for h in hits)
    return [
        finding(
            case,
            "gpu-not-usable",
            "I30",
            severity_of(case),
            "high",
            "driver and library of the GPU do not fit: the node needs a reboot"
            if mismatch
            else "executors see no usable GPU",
            evidence=[of_hit(h) for h in hits[:3]],
            questions=["the node: driver upgrade, container toolkit, device plugin"],
            data={"nodes": sorted({p.node for p in case.executors if p.node})[:10]},
        )
    ]


RULES = [
    WorldRule("gpu-hardware", "I28", hardware),
    WorldRule("gpu-hot", "I29", throttled_or_idle),
    WorldRule("gpu-gone", "I30", gone),
    Rule("gpu-oom", "I27", application_fault, after=("gpu-hardware",)),
    Rule("gpu-not-usable", "I30", absent, after=("gpu-gone", "gpu-hardware")),
]
