"""Signs on a node: which of its conditions say that a device is ill, and who already works on it.

Only signs that the software itself leaves are read. Conditions have no common polarity: some are True when all is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from console.facts.model import Condition

SENTINEL = "dgxc.nvidia.com/nvsentinel-state"
SENTINEL_ACTS = ("quarantined", "draining", "drain-succeeded", "remediating")
SENTINEL_GAVE_UP = ("drain-failed", "remediation-failed")
_EXTERNAL = "nvsentinel.dgxc.nvidia.com/managed"
_UPGRADE = "nvidia.com/gpu-driver-upgrade-state"
_UPGRADE_RESTS = ("", "upgrade-required", "upgrade-done", "upgrade-failed")
_DEPLOY, _MIG = "nvidia.com/gpu.deploy.", "nvidia.com/mig.config.state"
_TAINTS = {
    "ToBeDeletedByClusterAutoscaler": "the cluster autoscaler is deleting it",
    "karpenter.sh/disrupted": "Karpenter is taking it away",
    "cloud.google.com/impending-node-termination": "Google is ending it",
}
REPAIR_AFTER = 600.0
"""Seconds after which EKS and Karpenter replace a node whose accelerated hardware is not ready, where repair is on."""

Meaning = Literal["ill", "unwatched", ""]
_TRUE_IS_ILL = frozenset(
    {
        "GpuPcieWatch", "GpuMemWatch", "GpuNvlinkWatch", "GpuSmWatch", "GpuInforomWatch", "GpuThermalWatch",
        "GpuPowerWatch", "GpuDriverWatch", "GpuPmuWatch", "GpuMcuWatch", "GpuThermalMarginWatch", "SysLogsXIDError",
        "SysLogsNICDriverError", "InfiniBandStateCheck", "EthernetDegradationCheck", "GPUMissing",
        "NVLinkStatusInactive", "XIDErrors", "IBLinkFlapping", "GPUClockThrottling", "UnhealthyNvidiaDevicePlugin",
    }
)  # fmt: skip
"""Of NVSentinel, and of node problem detectors as AKS has them."""
_OBSERVERS = frozenset({"GpuDcgmConnectivityFailure", "GpuDcgmUnresponsive"})
_FALSE_IS_ILL = "AcceleratedHardwareReady"
"""Of the node monitoring agent of EKS."""
_OBSERVER_REASONS = frozenset({"DCGMError"})


def meaning(condition: Condition) -> Meaning:
    """Whether a condition says that a device of the node is ill, or only that nobody watches it any more."""
    if condition.type in _OBSERVERS:
        return "unwatched" if condition.status == "True" else ""
    if condition.type == _FALSE_IS_ILL and condition.status == "False":
        return "unwatched" if condition.reason in _OBSERVER_REASONS else "ill"
    return "ill" if condition.type in _TRUE_IS_ILL and condition.status == "True" else ""


def acting(labels: Mapping[str, str], taints: Iterable[Any]) -> Iterator[str]:
    """Sentences that say who works on a node just now, and when they are done."""
    state = labels.get(SENTINEL, "")
    if state in SENTINEL_ACTS:
        yield f"NVSentinel works on it ({state}): a change cancels that; finish the Spark work on it instead"
    elif labels.get(_EXTERNAL) == "false":
        yield f"an external remediation has it ({_EXTERNAL}=false)"
    state = labels.get(_UPGRADE, "")
    if state not in _UPGRADE_RESTS:
        yield f"the GPU operator upgrades its driver ({state}); done when {_UPGRADE} is upgrade-done"
    paused = sorted(key for key, value in labels.items() if key.startswith(_DEPLOY) and value.startswith("paused-for-"))
    if paused:
        yield f"the GPU operator has paused its parts for a change ({paused[0]}={labels[paused[0]]})"
    if labels.get(_MIG) in ("pending", "rebooting"):
        yield f"the MIG manager changes its GPUs ({_MIG}={labels[_MIG]})"
    for taint in taints:
        if isinstance(taint, dict) and (who := _TAINTS.get(str(taint.get("key")))):
            yield f"{who} (taint {taint.get('key')})"


def gave_up(labels: Mapping[str, str]) -> str:
    """What NVSentinel gave up, so that nobody acts any more; `` where it did not."""
    state = labels.get(SENTINEL, "")
    return f"NVSentinel gave up ({state}): nobody acts on it any more" if state in SENTINEL_GAVE_UP else ""


def repair_due(conditions: Iterable[Condition]) -> float | None:
    """When EKS or Karpenter replaces the node, where repair is on there; None where nothing calls for it."""
    found = (c for c in conditions if c.type == _FALSE_IS_ILL and c.status == "False" and meaning(c) == "ill")
    return next((c.since + REPAIR_AFTER for c in found if c.since is not None), None)
