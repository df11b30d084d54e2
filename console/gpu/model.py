"""GPUs as one inventory: nodes, what they offer, each GPU or MIG instance, who holds it and what it does.

A state is what is known, in one word: `busy`, `idle` (held and not used), `held` (whether it works is not known),
`free`, `faulty`, `lost` (the node has it and does not offer it), `unknown`. A figure that is not known is None; one
that the hardware or the exporter does not support is named in `unsupported`, which is neither zero nor unknown.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

GpuState = Literal["busy", "idle", "held", "free", "faulty", "lost", "unknown"]
STATES: tuple[GpuState, ...] = ("busy", "idle", "held", "free", "faulty", "lost", "unknown")
MetricsState = Literal["dcgm", "none", "unknown", "partial"]
ExporterState = Literal["series", "blind", "down", "none", "unknown"]


class Holder(Struct, frozen=True):
    """Who holds a GPU. `app` is the key of a SparkApp, `member` its executor id or `driver`; both `` if it is none's.

    `source` says how it is known: `dcgm` (the exporter names the pod), `requests` (by what pods of the node ask for).
    """

    namespace: str
    pod: str
    app: str = ""
    member: str = ""
    source: Literal["dcgm", "requests"] = "dcgm"

    @property
    def name(self) -> str:
        return self.app or f"{self.namespace}/{self.pod}"


class GpuRequest(Struct, frozen=True):
    """What one pod asks of a node: `count` of `resource`."""

    holder: Holder
    resource: str
    count: float


class Xid(Struct, frozen=True):
    """An XID of a GPU.

    Attributes:
        since: when it came, as far as it is known.
        bound: `since` is only the latest time at which it was there already: it may be older.
        latched: known from the gauge of the last XID, which stays until the driver is loaded again.
        source: the series, or where the kernel's line was read.
    """

    number: int
    since: float | None = None
    bound: bool = False
    latched: bool = False
    source: str = ""


class Slice(Struct, frozen=True):
    """A MIG instance."""

    id: str
    profile: str
    state: GpuState
    utilisation: float | None = None
    memory_used: float | None = None
    memory_total: float | None = None
    holder: Holder | None = None
    idle_since: float | None = None
    idle_bound: bool = False
    covered: float | None = None


class Gpu(Struct, frozen=True):
    """One physical GPU.

    Attributes:
        id: its UUID, else `node/index`; `` for one that only the node's capacity tells of.
        utilisation: 0-1 now.
        memory_used, memory_total: bytes. temperature, memory_temperature: °C. power: watts.
        idle_since: since when it does no work; `idle_bound`: at least since then, what was before is not known.
        covered: share of the time since then for which there is data, 0-1.
        thermal, power_capped: share of the last ten minutes in which heat or power slowed it down, 0-1;
            `throttle_unsure`: the unit of an older counter is not certain.
        hot_for: the lowest temperature of the last five minutes.
        faults: what of its hardware is wrong, in words.
        unsupported: figures that it or its exporter does not give, by name.
        series: one of its series, to look at again.
    """

    id: str
    node: str
    state: GpuState
    index: str = ""
    model: str = ""
    pci: str = ""
    holder: Holder | None = None
    utilisation: float | None = None
    memory_used: float | None = None
    memory_total: float | None = None
    temperature: float | None = None
    memory_temperature: float | None = None
    hot_for: float | None = None
    slowdown: float | None = None
    power: float | None = None
    thermal: float | None = None
    power_capped: float | None = None
    throttle_unsure: bool = False
    idle_since: float | None = None
    idle_bound: bool = False
    covered: float | None = None
    xids: tuple[Xid, ...] = ()
    ecc_double: float | None = None
    remap_pending: bool | None = None
    remap_failed: bool | None = None
    remap_uncorrectable: float | None = None
    faults: tuple[str, ...] = ()
    slices: tuple[Slice, ...] = ()
    unsupported: tuple[str, ...] = ()
    at: float | None = None
    series: str = ""

    @property
    def cells(self) -> tuple[Gpu | Slice, ...]:
        """What can be held: its MIG instances, else itself. A broken GPU is one cell."""
        return self.slices if self.slices and self.state not in ("faulty", "lost") else (self,)


class ExtendedResource(Struct, frozen=True):
    """An extended resource of a node. `requested` is at least so much where the fleet is not `complete`."""

    name: str
    capacity: float
    allocatable: float
    requested: float = 0.0


class GpuNode(Struct, frozen=True):
    """A node with GPUs.

    Attributes:
        known: whether the cluster has a node of this name; else an exporter only says so.
        exporter: `series` (it says something of GPUs), `blind` (it is up and does not), `down`, `none`, `unknown`.
        labelled: whether the exporter names the pods that hold GPUs.
        labels: those of GPU feature discovery and of the GPU operator.
    """

    name: str
    gpus: tuple[Gpu, ...] = ()
    resources: tuple[ExtendedResource, ...] = ()
    claims: tuple[GpuRequest, ...] = ()
    known: bool = True
    exporter: ExporterState = "unknown"
    exporter_target: str = ""
    labelled: bool | None = None
    plugin_devices: float | None = None
    operator: dict[str, float] = {}
    labels: dict[str, str] = {}
    cordoned: bool = False

    @property
    def lost(self) -> float:
        """GPUs of the capacity that are not allocatable."""
        return sum(max(0.0, r.capacity - r.allocatable) for r in self.resources)


class Waste(Struct, frozen=True):
    """GPUs that one holder keeps from others without using them. `seconds` are GPU seconds, at least."""

    holder: Holder
    gpus: tuple[str, ...]
    nodes: tuple[str, ...]
    since: float
    bound: bool
    seconds: float
    covered: float


class StackPart(Struct, frozen=True):
    """A part of the GPU stack that runs as a DaemonSet or Deployment."""

    name: str
    ready: int
    wanted: int


class Fleet(Struct, frozen=True):
    """All GPUs of a cluster at `at`.

    Attributes:
        metrics: `dcgm`, `none` (Prometheus answers and has no series of GPUs), `unknown` (nobody was asked, or nobody
            answers), `partial`.
        generation: of the names that the exporters use.
        complete: whether the requests of all pods are known, not only those of Spark.
        measured: when the figures were read.
        notes: what cannot be known here, and why.
    """

    at: float = 0.0
    nodes: tuple[GpuNode, ...] = ()
    metrics: MetricsState = "unknown"
    generation: str = ""
    complete: bool = False
    measured: float | None = None
    parts: tuple[StackPart, ...] = ()
    operator: dict[str, float] = {}
    """What the GPU operator says of itself: `reconciliation_status`."""
    waste: tuple[Waste, ...] = ()
    blind: tuple[str, ...] = ()
    """Targets of exporters that say nothing of any GPU and belong to no node that is known."""
    notes: tuple[str, ...] = ()

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        return tuple(gpu for node in self.nodes for gpu in node.gpus)

    @property
    def counts(self) -> dict[GpuState, int]:
        """Cells (GPUs, or MIG instances of those that are divided) by state."""
        out: dict[GpuState, int] = dict.fromkeys(STATES, 0)
        for gpu in self.gpus:
            for cell in gpu.cells:
                out[cell.state] += 1
        return out

    def resources(self) -> tuple[ExtendedResource, ...]:
        """The sums of all nodes, by resource."""
        out: dict[str, ExtendedResource] = {}
        for r in (r for node in self.nodes for r in node.resources):
            old = out.get(r.name, ExtendedResource(r.name, 0.0, 0.0))
            out[r.name] = ExtendedResource(
                r.name, old.capacity + r.capacity, old.allocatable + r.allocatable, old.requested + r.requested
            )
        return tuple(out[name] for name in sorted(out))

    def node(self, name: str) -> GpuNode | None:
        return next((node for node in self.nodes if node.name == name), None)

    def of(self, app: str) -> tuple[Gpu, ...]:
        """The GPUs that an application holds, whole or in part."""
        return tuple(
            gpu for gpu in self.gpus if any(cell.holder is not None and cell.holder.app == app for cell in gpu.cells)
        )
