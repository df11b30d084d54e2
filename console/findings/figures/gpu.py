"""Figures of findings about GPUs. Sizes are bytes, durations seconds, shares 0-1."""

from __future__ import annotations

from collections.abc import Set
from typing import ClassVar

from console.findings.figures.base import Figures


class GpuNodes(Figures, frozen=True, kw_only=True):
    """Only where it happened: GPU errors of an application, GPUs that nobody measures."""

    CODES: ClassVar = ("gpu-oom", "gpu-fatal", "gpu-not-usable", "gpu-unmonitored")

    nodes: tuple[str, ...]


class GpuError(Figures, frozen=True, kw_only=True):
    """An error that one GPU reported.

    Attributes:
        xid: number of the XID.
        gpu: its UUID, else `node/index` or `node/pci`.
        pods: those that hold it, as far as they are known.
        action: what ends it: restart-app, reset, drain, reboot, hardware, nvlink, escalate, unknown, …
    """

    CODES: ClassVar = ("gpu-hardware", "gpu-xid", "gpu-xid-application")

    xid: int
    gpu: str
    nodes: tuple[str, ...]
    pods: tuple[str, ...]
    action: str


class GpuRowRemap(Figures, frozen=True, kw_only=True):
    """A memory row that is replaced when the GPU is reset. `gpu` and `action` are as in `GpuError`."""

    CODES: ClassVar = ("gpu-row-remap",)

    gpu: str
    nodes: tuple[str, ...]
    action: str


class DeviceFigures(Figures, frozen=True, kw_only=True):
    """Devices of a node that somebody calls ill, or that nobody watches any more.

    Attributes:
        devices: their ids; empty where only the node is named.
        told_by: who says so: `kubelet`, names of conditions, `driver` (a taint of a ResourceSlice), `nvsentinel`.
        acts: who works on it already; `` where nobody is seen to.
        forbids: what must not be done; `` where nothing.
    """

    CODES: ClassVar = ("device-ill", "device-unwatched")

    nodes: tuple[str, ...]
    devices: tuple[str, ...]
    told_by: tuple[str, ...]
    acts: str
    forbids: str


class GpuGone(Figures, frozen=True, kw_only=True):
    """GPUs that a node has and does not offer.

    Attributes:
        resource: the extended resource, `mig` or `driver`; empty where only a pod or a metric tells of it.
    """

    CODES: ClassVar = ("gpu-gone",)

    nodes: tuple[str, ...]
    resource: str = ""


class GpuExporter(Figures, frozen=True, kw_only=True):
    """An exporter that says nothing. `target` is its `host:port`, empty where none is scraped."""

    CODES: ClassVar = ("gpu-exporter-blind",)

    nodes: tuple[str, ...]
    target: str


class GpuSlowed(Figures, frozen=True, kw_only=True):
    """GPUs of one node that heat or the power limit slows down: their ids, and the pods that hold them."""

    CODES: ClassVar = ("gpu-hot", "gpu-power-capped")

    nodes: tuple[str, ...]
    gpus: tuple[str, ...]
    pods: tuple[str, ...]


class GpuIdle(Figures, frozen=True, kw_only=True):
    """GPUs that one holder keeps without using them.

    Attributes:
        gpus: their ids, one for each GPU or MIG instance.
        seconds: GPU seconds so far, at least.
        pod: the first of `pods`, in order of node and number.
    """

    CODES: ClassVar = ("gpu-idle",)

    pods: tuple[str, ...]
    gpus: tuple[str, ...]
    nodes: tuple[str, ...]
    seconds: int
    pod: str


class GpuWithoutPlugin(Figures, frozen=True, kw_only=True):
    """GPUs reserved for SQL that runs on the CPU.

    Attributes:
        count: GPUs that the application asks for.
        reason: why the plugin does not work, in words.
        gpus, seconds, pod: as in `GpuIdle`, where they are known to be idle.
    """

    CODES: ClassVar = ("gpu-no-rapids",)

    count: float
    reason: str
    gpus: tuple[str, ...] = ()
    seconds: int | None = None
    pod: str = ""


def is_about(figures: Figures, node: str, gpus: Set[str]) -> bool:
    """Whether figures speak of a node, or of one of its `gpus`."""
    return node in figures.nodes or (isinstance(figures, GpuError | GpuRowRemap) and figures.gpu in gpus)


def names_gpu(figures: Figures, gpu: str) -> bool:
    """Whether figures name this very GPU."""
    if isinstance(figures, GpuError | GpuRowRemap):
        return figures.gpu == gpu
    return isinstance(figures, GpuSlowed | GpuIdle | GpuWithoutPlugin) and gpu in figures.gpus
