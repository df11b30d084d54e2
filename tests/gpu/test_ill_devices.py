"""A device that somebody calls ill: which application suffers, who already acts, what a responder must not do."""

from __future__ import annotations

from typing import Any

import pytest

from console.findings.model import Finding
from tests.findings.worlds import at, driver, executor, judge, node, workload

UUID = "GPU-7540a9b3-eeb9-1214-1526-f93c9ea826a8"
SICK = [{"name": "nvidia.com/gpu", "resources": [{"resourceID": UUID, "health": "Unhealthy"}]}]
GPU = {"nvidia.com/gpu": "1"}
STATE = "dgxc.nvidia.com/nvsentinel-state"


def told(*things: Any, code: str = "device-ill") -> Finding:
    (found,) = [f for f in judge(*things) if f.code.startswith("device-")]
    assert found.code == code
    return found


def condition(kind: str, status: str, reason: str = "X") -> list[dict[str, Any]]:
    return [
        {"type": "Ready", "status": "True"},
        {"type": kind, "status": status, "reason": reason, "message": "m", "lastTransitionTime": at(60)},
    ]


def test_the_kubelet_names_the_device_and_the_application_that_holds_it() -> None:
    found = told(driver(), executor(1, devices=SICK, limits=GPU), executor(2, limits=GPU), node())
    assert found.title == f"{UUID} of node node-1 is ill: jobs/etl has pods on it" and found.severity == "critical"
    assert found.data.devices == (UUID,) and found.data.pods == ("Pod/jobs/etl-exec-1",) and found.data.acts == ""
    assert found.open_questions and "no sign of anybody who acts" in " ".join(found.open_questions)


def test_health_that_is_not_told_is_not_called_healthy_nor_ill() -> None:
    fine = [{"name": "nvidia.com/gpu", "resources": [{"resourceID": UUID, "health": "Healthy"}]}]
    for devices in ([], fine):
        assert not [
            f for f in judge(driver(), executor(1, devices=devices, limits=GPU)) if f.code.startswith("device-")
        ]


@pytest.mark.parametrize(
    ("kind", "status", "ill"),
    [
        ("SysLogsXIDError", "True", True), ("SysLogsXIDError", "False", False), ("GPUMissing", "True", True),
        ("AcceleratedHardwareReady", "False", True), ("AcceleratedHardwareReady", "True", False),
        ("KernelReady", "False", False), ("MemoryPressure", "True", False),
    ],
)  # fmt: skip
def test_each_condition_is_read_by_its_own_polarity(kind: str, status: str, ill: bool) -> None:
    found = judge(driver(), executor(1, limits=GPU), node(conditions=condition(kind, status)))
    assert any(f.code == "device-ill" for f in found) is ill


def test_an_observer_that_is_ill_says_nothing_about_the_devices() -> None:
    for kind, reason, status in (
        ("GpuDcgmConnectivityFailure", "X", "True"),
        ("AcceleratedHardwareReady", "DCGMError", "False"),
    ):
        found = told(
            driver(), executor(1, limits=GPU), node(conditions=condition(kind, status, reason)), code="device-unwatched"
        )
        assert "nothing is known" in found.title and found.severity == "warning"


def test_who_acts_already_is_named_and_what_must_be_left_to_them() -> None:
    draining = node(labels={STATE: "draining"}, conditions=condition("SysLogsXIDError", "True"))
    found = told(driver(), executor(1, limits=GPU), draining)
    assert "NVSentinel works on it (draining)" in found.data.acts and "uncordoning" in found.data.forbids
    assert "not: uncordoning" in found.detail
    upgrade = node(
        labels={"nvidia.com/gpu-driver-upgrade-state": "drain-required"}, conditions=condition("XIDErrors", "True")
    )
    assert "the GPU operator upgrades its driver" in told(driver(), upgrade).data.acts
    gone = node(labels={STATE: "remediation-failed"})
    assert "nobody acts on it any more" in (given := told(driver(), gone)).data.acts and given.data.forbids == ""


def test_a_repair_that_is_coming_is_said_with_its_time() -> None:
    soon = node(
        labels={"eks.amazonaws.com/nodegroup": "gpus"}, conditions=condition("AcceleratedHardwareReady", "False")
    )
    found = told(driver(), executor(1, limits=GPU), soon)
    assert "replaces it at 2026-11-24T10:11:00Z" in found.data.acts and found.data.forbids


def test_a_tainted_device_of_a_slice_is_joined_to_the_pod_by_its_claim() -> None:
    def of_slice(effect: str) -> Any:
        taints = [{"key": "gpu.nvidia.com/xid", "value": "79", "effect": effect}]
        spec = {
            "driver": "gpu.nvidia.com",
            "pool": {"name": "p"},
            "nodeName": "node-1",
            "devices": [{"name": "gpu-3", "taints": taints}],
        }
        return workload("ResourceSlice", "s", namespace="", spec=spec)

    results = [{"request": "r", "driver": "gpu.nvidia.com", "pool": "p", "device": "gpu-3"}]
    status = {
        "allocation": {"devices": {"results": results}},
        "reservedFor": [{"resource": "pods", "name": "etl-exec-1"}],
    }
    claim = workload("ResourceClaim", "c", status=status)
    found = told(driver(), executor(1), executor(2), of_slice("NoSchedule"), claim, node())
    assert found.data.devices == ("gpu.nvidia.com/p/gpu-3",) and found.data.pods == ("Pod/jobs/etl-exec-1",)
    assert not [f for f in judge(driver(), of_slice("None"), claim) if f.code.startswith("device-")], "only informs"
