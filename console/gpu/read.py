"""Samples of DCGM, kube-state-metrics and the GPU operator → what was said of each GPU and each MIG instance.

Samples come as answers to `gpu_asks`, or plainly named from saved evidence; then a series may have many points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from console.facts.model import Sample
from console.facts.series import MARK, NOTE
from console.gpu.asks import BUSY_ABOVE, CLAIMS, NAMED, NOW, PAST, STAT, STEP
from console.gpu.names import NAMES, THROTTLES, USE, DcgmSeries, unsupported, violation_share

PodKey = tuple[str, str]
"""(namespace, name)."""
Who = tuple[str, str, str]
"""(UUID, or host and index where there is none; index; MIG instance or ``)."""
_EXPORTER = re.compile(r"dcgm|(?:gpu|nvidia)[a-z-]*exporter", re.IGNORECASE)
_OPERATOR = "gpu_operator_"
OLD_UTIL = "DCGM_FI_DEV_GPU_UTIL"
"""The older utilisation, whose scale its name does not prove."""
MIN_POINTS = 5


@dataclass
class Past:
    """How busy something was: times in epoch seconds, `count` grid points with data, `most` the highest value."""

    busy: float | None = None
    first: float | None = None
    count: float | None = None
    most: float | None = None
    step: float = STEP
    at: float | None = None


@dataclass
class Entity:
    """What was said of one GPU or MIG instance. `values` and `names` are by field, units are those of `gpu_names`."""

    uuid: str = ""
    index: str = ""
    slice: str = ""
    profile: str = ""
    model: str = ""
    pci: str = ""
    hosts: set[str] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)
    instances: set[str] = field(default_factory=set)
    values: dict[str, float] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)
    unsupported: set[str] = field(default_factory=set)
    exported: dict[str, PodKey] = field(default_factory=dict)
    """ExporterTarget → pod in the label `exported_pod`: the holder."""
    plain: dict[str, PodKey] = field(default_factory=dict)
    """ExporterTarget → pod in the label `pod`: the holder, or an exporter of an unusual name."""
    counted: dict[int, Sample] = field(default_factory=dict)
    """XID → its counter (total, or the number in a window)."""
    xid_since: dict[int, float] = field(default_factory=dict)
    xid_first: float | None = None
    """When the gauge of the last XID was first seen at all."""
    counted_since: dict[int, float] = field(default_factory=dict)
    throttled: dict[str, tuple[float, bool]] = field(default_factory=dict)
    hot_for: float | None = None
    past: Past = field(default_factory=Past)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    at: float | None = None

    @property
    def where(self) -> str:
        return next(iter(sorted(self.nodes)), "") or next(iter(sorted(self.hosts)), "")


@dataclass
class ExporterTarget:
    """A scrape target of an exporter."""

    instance: str
    job: str = ""
    node: str = ""
    pod: str = ""
    up: float | None = None


@dataclass
class Told:
    """Everything that metrics say about GPUs. `asked` holds the keys of the questions that were answered."""

    entities: dict[Who, Entity] = field(default_factory=dict)
    claims: list[tuple[str, PodKey, str, float]] = field(default_factory=list)
    """(node, pod, resource, count) of kube-state-metrics."""
    targets: dict[str, ExporterTarget] = field(default_factory=dict)
    operator: dict[str, dict[str, float]] = field(default_factory=dict)
    """Node (`` for the operator itself) → series → value."""
    pods_counted: bool = False
    alive: bool = False
    """Whether the server has fresh samples of anything: without, no series means nothing."""
    asked: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)
    """Question → why its answer is not whole."""
    names: set[str] = field(default_factory=set)
    rescaled: set[str] = field(default_factory=set)
    """Instances whose older utilisation is a ratio, not percent."""
    doubtful: set[str] = field(default_factory=set)
    """Instances of whose older utilisation the scale is not known."""
    at: float | None = None


def read(samples: Iterable[Sample]) -> Told:
    """What `samples` say of GPUs; all others are passed over."""
    told = Told()
    for sample in samples:
        labels = sample.labels
        ask = labels.get(MARK)
        if ask is not None and ask not in (NOW, PAST, CLAIMS):
            continue
        if ask is not None:
            told.asked.add(ask)
            if NOTE in labels:
                told.notes[ask] = labels[NOTE]
            if not math.isfinite(sample.value) and len(labels) <= 2:
                continue
        stat = labels.get(STAT)
        if stat is not None:
            _stat(told, stat, sample)
        elif sample.name in NAMES:
            _exported(told, sample)
        elif sample.name.startswith(_OPERATOR):
            _operated(told, sample)
    _scales(told)
    for entity in told.entities.values():
        if entity.points:
            _remember(entity)
    return told


def _entity(told: Told, labels: dict[str, str]) -> Entity:
    host = labels.get("Hostname") or labels.get("hostname") or ""
    index = labels.get("gpu", "")
    uuid = labels.get("UUID", "")
    place = host or labels.get("node") or labels.get("instance", "")
    who = (uuid or f"{place}/{index}", "" if uuid else index, labels.get("GPU_I_ID", ""))
    entity = told.entities.get(who)
    if entity is None:
        entity = told.entities[who] = Entity(uuid=uuid, slice=labels.get("GPU_I_ID", ""))
    entity.index = entity.index or index
    if host:
        entity.hosts.add(host)
    return entity


def _exported(told: Told, sample: Sample) -> None:
    series = NAMES[sample.name]
    entity = _entity(told, sample.labels)
    told.names.add(sample.name)
    _place(entity, sample.labels)
    _named_pod(entity, sample.labels)
    if sample.at is not None:
        entity.at = max(entity.at or sample.at, sample.at)
        told.at = max(told.at or sample.at, sample.at)
    if unsupported(sample.value):
        entity.unsupported.add(series.field)
    elif series.field in ("xid_total", "xid_count"):
        number = sample.labels.get("xid", "")
        if number.isdigit() and sample.value > 0:
            entity.counted[int(number)] = sample
    else:
        _value(entity, series, sample)


def _place(entity: Entity, labels: dict[str, str]) -> None:
    """What it is and where it is scraped."""
    entity.model = entity.model or labels.get("modelName", "")
    entity.pci = entity.pci or labels.get("pci_bus_id", "")
    entity.profile = entity.profile or labels.get("GPU_I_PROFILE", "")
    if node := labels.get("node"):
        entity.nodes.add(node)
    if instance := labels.get("instance"):
        entity.instances.add(instance)


def _named_pod(entity: Entity, labels: dict[str, str]) -> None:
    """The pod that its labels name, unless that is an exporter."""
    instance = labels.get("instance", "")
    if pod := labels.get("exported_pod"):
        entity.exported[instance] = (labels.get("exported_namespace", ""), pod)
    elif (pod := labels.get("pod")) and not _EXPORTER.search(pod) and not _EXPORTER.search(labels.get("container", "")):
        entity.plain[instance] = (labels.get("namespace", ""), pod)


def _value(entity: Entity, series: DcgmSeries, sample: Sample) -> None:
    """The newest value of a field, by the first name of it that has one."""
    if series.field in USE and sample.at is not None:
        entity.points.setdefault(series.field, []).append((sample.at, sample.value))
    old = entity.samples.get(series.field)
    if old is None or (old.name == sample.name and (old.at or 0.0) <= (sample.at or 0.0)):
        entity.values[series.field], entity.names[series.field] = sample.value * series.factor, sample.name
        entity.samples[series.field] = sample


def _stat(told: Told, stat: str, sample: Sample) -> None:
    labels, value = sample.labels, sample.value
    if stat == "claim":
        pod = (labels.get("namespace", ""), labels.get("pod", ""))
        told.claims.append((labels.get("node", ""), pod, labels.get("resource", ""), value))
    elif stat == "up":
        instance = labels.get("instance", "")
        target = told.targets.setdefault(instance, ExporterTarget(instance))
        target.job, target.up = labels.get("job", ""), value
        target.node, target.pod = labels.get("node", target.node), labels.get("pod", target.pod)
    elif stat == "alive":
        told.alive = True
    elif stat == "ksm":
        told.pods_counted = True
    elif stat == "operator":
        _operated(told, sample)
    elif stat in ("busy", "first", "count", "most"):
        past = _entity(told, labels).past
        setattr(past, stat, value)
        past.at = sample.at
    elif stat == "hot":
        _entity(told, labels).hot_for = value
    elif stat == "throttled" and labels.get(NAMED, "") in THROTTLES:
        name = labels[NAMED]
        share, sure = violation_share(name, value)
        _entity(told, labels).throttled[THROTTLES[name].field] = (share, sure)
    elif stat in ("xid", "xid-total") and labels.get("xid", "").isdigit():
        entity, number = _entity(told, labels), int(labels["xid"])
        if stat == "xid":
            entity.xid_since[number] = value
        else:  # one row per value of the counter: the latest beginning is the last error
            entity.counted_since[number] = max(value, entity.counted_since.get(number, value))
    elif stat == "xid-first":
        _entity(told, labels).xid_first = value


def _operated(told: Told, sample: Sample) -> None:
    node = sample.labels.get("node", "")
    if sample.name == f"{_OPERATOR}reconciliation_status":
        node = ""
    told.operator.setdefault(node, {})[sample.name.removeprefix(_OPERATOR)] = sample.value


def _scales(told: Told) -> None:
    """Percent are whole numbers: a fraction says that a collector made them a ratio. Where all that was ever seen is 0
    and 1, nothing tells 1 % from 100 %."""
    old = [e for e in told.entities.values() if e.names.get("util") == OLD_UTIL]
    seen: dict[str, list[float]] = {}
    for entity in old:
        for instance in entity.instances or {""}:
            seen.setdefault(instance, []).extend(_ever_seen(entity))
    for instance, values in seen.items():
        if any(0 < v < 1 for v in values) and max(values) <= 1:
            told.rescaled.add(instance)
        elif max(values) == 1:
            told.doubtful.add(instance)
    for entity in old:
        mine = entity.instances or {""}
        if mine & told.rescaled:
            entity.values["util"] = entity.samples["util"].value
        elif mine & told.doubtful and entity.samples["util"].value == 1:
            del entity.values["util"]


def _ever_seen(entity: Entity) -> list[float]:
    """Values of its utilisation, as the exporter gave them."""
    seen = [value for _, value in entity.points.get("util", ())]
    if entity.past.most is not None:
        seen.append(entity.past.most)
    return seen or [entity.samples["util"].value]


def _remember(entity: Entity) -> None:
    """The past from the points of saved evidence, where no query told it."""
    if entity.past.first is not None:
        return
    points = max(entity.points.values(), key=len)
    name = next(f for f, found in entity.points.items() if found is points)
    if len(points) < MIN_POINTS:
        return
    points.sort()
    scale = NAMES[entity.names[name]].factor
    steps = sorted(b[0] - a[0] for a, b in pairwise(points) if b[0] > a[0])
    if not steps:
        return
    busy = [at for at, value in points if value * scale > BUSY_ABOVE]
    entity.past = Past(
        max(busy, default=None), points[0][0], float(len(points)), None, steps[len(steps) // 2], points[-1][0]
    )


def holders(told: Told, claimed: frozenset[PodKey], complete: bool) -> tuple[dict[int, PodKey], set[str]]:
    """(entity by identity → the pod that holds it, targets that name holders).

    Without `honor_labels` the holder is in `exported_pod`, and `pod` is the exporter itself. With it, or where the
    target has no such labels, `pod` is the holder, and on a GPU that nobody holds it may be the exporter again.

    Args:
        claimed: pods that are known to ask for GPUs.
        complete: whether those are all.
    """
    of: dict[str, list[Entity]] = {}
    for entity in told.entities.values():
        for instance in entity.instances or {""}:
            of.setdefault(instance, []).append(entity)
    out: dict[int, PodKey] = {}
    naming: set[str] = set()
    for instance, mine in of.items():
        exported = {id(e): e.exported[instance] for e in mine if instance in e.exported}
        found = exported or _plainly_named(instance, mine, claimed, complete)
        if found:
            naming.add(instance)
            out.update(found)
    return out, naming


def _plainly_named(instance: str, mine: list[Entity], claimed: frozenset[PodKey], complete: bool) -> dict[int, PodKey]:
    """Holders by the label `pod` of one target: pods that ask for GPUs; any, where others may ask too and the label
    is seen to differ from GPU to GPU."""
    named = {e.plain[instance] for e in mine if instance in e.plain}
    wanted = named & claimed
    differs = len(named) > 1 or len(mine) == 1 or any(instance not in e.plain for e in mine)
    if not complete and (wanted or differs):
        wanted = named
    return {id(e): e.plain[instance] for e in mine if e.plain.get(instance) in wanted}
