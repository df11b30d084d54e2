"""Facts and applications → `Fleet`: every GPU with its node, its holder and its state; and what cannot be known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from console.base.units import human_duration
from console.health import deaths
from console.health.facts import Facts, Node, Pod, Workload
from console.health.gpu.asks import BUSY_ABOVE, CLAIMS, NOW, PAST
from console.health.gpu.faults import Kernel, errors, faults_of
from console.health.gpu.model import (
    Claim,
    ExporterState,
    Fleet,
    Gpu,
    GpuNode,
    GpuState,
    Holder,
    MetricsState,
    Part,
    Resource,
    Slice,
    Waste,
)
from console.health.gpu.names import USE, generation_of
from console.health.gpu.read import Entity, Target, Told, holders, read
from console.health.model import SparkApp

GPU_RESOURCE = re.compile(r"nvidia\.com/(gpu|gpu\.shared|mig-.+)|amd\.com/gpu|gpu\.intel\.com/.+")
IDLE_AFTER = 300.0
"""Seconds without work after which a held GPU is shown as idle."""
STALE_AFTER = 900.0
"""Seconds after which figures tell nothing of the present any more."""
_STACK = re.compile(r"nvidia|dcgm|gpu-operator|gpu-feature|mig-manager", re.IGNORECASE)
_LABELS = ("nvidia.com/", "feature.node.kubernetes.io/pci-10de", "amd.com/gpu")


@dataclass
class Inventory:
    """The fleet, and what it was made from, for rules that quote it."""

    fleet: Fleet
    told: Told
    entities: dict[str, Entity] = field(default_factory=dict)
    """Id of a GPU → what was said of it."""
    parts: dict[str, list[Entity]] = field(default_factory=dict)
    """Id of a GPU → what was said of it and of its MIG instances."""
    kernel: tuple[Kernel, ...] = ()

    def lines_of(self, gpu: Gpu) -> list[Kernel]:
        """What kernels say of a GPU that an exporter knows."""
        return [k for k in self.kernel if gpu.id in self.entities and k.about(gpu.node, gpu.pci, len(self.entities))]


def inventory(facts: Facts, apps: Sequence[SparkApp], kernel: Sequence[Kernel] = ()) -> Inventory:
    """All GPUs of the cluster. Without any the fleet has no nodes."""
    told = read(facts.samples)
    nodes = {node.name: node for node in facts.nodes if _has_gpus(node)}
    if not nodes and not told.entities and not told.targets:
        return Inventory(Fleet(at=facts.at, metrics=_metrics(told), measured=told.at), told, kernel=tuple(kernel))
    return _Builder(facts, apps, told, nodes, kernel).build()


def _has_gpus(node: Node) -> bool:
    return (
        any(GPU_RESOURCE.fullmatch(name) and amount > 0 for name, amount in node.capacity.items())
        or node.labels.get("nvidia.com/gpu.present") == "true"
    )


def _metrics(told: Told) -> MetricsState:
    if any(entity.samples for entity in told.entities.values()):
        return "partial" if told.notes else "dcgm"
    return "none" if NOW in told.asked and NOW not in told.notes and told.alive else "unknown"


class _Builder:
    def __init__(
        self, facts: Facts, apps: Sequence[SparkApp], told: Told, nodes: dict[str, Node], kernel: Sequence[Kernel]
    ) -> None:
        self.facts, self.told, self.nodes, self.kernel = facts, told, nodes, kernel
        self.now = facts.at
        self.members = _members(apps)
        self.complete = told.pods_counted
        self.claims = self._claims()
        claimed = frozenset((c.holder.namespace, c.holder.pod) for claims in self.claims.values() for c in claims)
        self.held, self.naming = holders(told, claimed, self.complete)
        self.pod_nodes = {(p.namespace, p.name): p.node for p in facts.pods if p.node} if told.entities else {}
        self.pod_nodes |= {
            (c.holder.namespace, c.holder.pod): node for node, claims in self.claims.items() for c in claims
        }
        self.entities: dict[str, Entity] = {}
        self.parts: dict[str, list[Entity]] = {}
        self.gpus_told = {who for who, _, _ in told.entities}

    def build(self) -> Inventory:
        grouped = self._by_node()
        heard = {name for name, mine in grouped.items() if any(e.samples for _, found in mine for e in found)}
        names = sorted({*self.nodes, *heard}, key=_natural)
        nodes = tuple(self._node(name, grouped.get(name, [])) for name in names)
        seen = {i for e in self.told.entities.values() for i in e.instances}
        known = {node.exporter_target for node in nodes}
        blind = tuple(sorted(t for t, x in self.told.targets.items() if t not in seen and t not in known and x.up))
        stale = self.told.at is not None and self.now - self.told.at > STALE_AFTER
        fleet = Fleet(
            at=self.now,
            nodes=nodes,
            metrics="partial" if stale else _metrics(self.told),
            generation=generation_of(self.told.names) or "",
            complete=self.complete,
            measured=self.told.at,
            parts=_parts(self.facts.workloads),
            operator=self.told.operator.get("", {}),
            waste=_waste(nodes, self.now),
            blind=blind,
        )
        return Inventory(_noted(fleet, self.told), self.told, self.entities, self.parts, tuple(self.kernel))

    # who asks for GPUs

    def _holder(self, pod: tuple[str, str], source: str) -> Holder:
        app, member = self.members.get(pod, ("", ""))
        return Holder(pod[0], pod[1], app, member, source)  # type: ignore[arg-type]

    def _claims(self) -> dict[str, list[Claim]]:
        out: dict[str, list[Claim]] = {}
        if self.complete:
            spelled = {_spelling(name): name for node in self.nodes.values() for name in node.capacity}
            for node, who, resource, count in self.told.claims:
                if node:
                    name = spelled.get(resource, resource)
                    out.setdefault(node, []).append(Claim(self._holder(who, "requests"), name, count))
            return out
        for pod in self.facts.pods:
            if pod.node and not pod.gone and (asked := _asked(pod)) and not deaths.over(pod):
                holder = self._holder((pod.namespace, pod.name), "requests")
                out.setdefault(pod.node, []).extend(Claim(holder, name, n) for name, n in asked.items())
        return out

    # where things are

    def _by_node(self) -> dict[str, list[tuple[str, list[Entity]]]]:
        """Node → GPUs, each with its own entity and those of its instances."""
        gpus: dict[str, list[Entity]] = {}
        for (who, _, _), entity in self.told.entities.items():
            gpus.setdefault(who, []).append(entity)
        votes: dict[str, str] = {}
        for entity in self.told.entities.values():
            if (pod := self.held.get(id(entity))) is not None and pod in self.pod_nodes:
                votes.update(dict.fromkeys(entity.instances, self.pod_nodes[pod]))
        short = {name.partition(".")[0]: name for name in self.nodes}
        out: dict[str, list[tuple[str, list[Entity]]]] = {}
        for id_, mine in gpus.items():
            out.setdefault(self._where(mine, short, votes), []).append((id_, mine))
        return out

    def _where(self, mine: list[Entity], short: dict[str, str], votes: dict[str, str]) -> str:
        said = [*sorted({n for e in mine for n in e.nodes}), *sorted({h for e in mine for h in e.hosts})]
        for name in said:
            if name in self.nodes:
                return name
        for name in said:
            if (found := short.get(name.partition(".")[0])) is not None:
                return found
        instances = sorted({i for e in mine for i in e.instances})
        for instance in instances:
            if instance in votes:
                return votes[instance]
        return (said or instances or ["unknown node"])[0]

    # one node

    def _node(self, name: str, mine: list[tuple[str, list[Entity]]]) -> GpuNode:
        node = self.nodes.get(name)
        if not any(e.samples for _, found in mine for e in found):  # what they said once tells nothing of now
            mine = []
        claims = tuple(self.claims.get(name, ()))
        capacity = {k: v for k, v in (node.capacity if node else {}).items() if GPU_RESOURCE.fullmatch(k) and v > 0}
        offered = node.allocatable if node else {}
        resources = tuple(
            Resource(k, v, offered.get(k, 0.0), sum(c.count for c in claims if c.resource == k))
            for k, v in sorted(capacity.items())
        )
        instances = {i for _, found in mine for e in found for i in e.instances}
        naming = bool(instances & self.naming)
        labelled = True if naming else None if mine else False
        gpus = [self._gpu(id_, name, found, claims, labelled) for id_, found in mine]
        gpus.sort(key=lambda g: (_natural(g.index), g.id))
        physical = _physical(node, capacity)
        gpus = _silent(gpus, physical)
        if gpus:
            gpus += [Gpu(f"{name}/?{n}", name, "lost") for n in range(max(0, physical - len(gpus)))]
        else:
            gpus = _from_requests(name, node, resources, claims, physical, self.complete)
        target = self._target(name, instances)
        exporter: ExporterState = "series" if mine else "unknown"
        if not mine and self.told.alive:
            exporter = "none" if target is None else "blind" if target.up else "down"
        operator = self.told.operator.get(name, {})
        out = GpuNode(
            name=name,
            gpus=tuple(gpus),
            resources=resources,
            claims=claims,
            known=node is not None,
            exporter=exporter,
            exporter_target=target.instance if target is not None else next(iter(sorted(instances)), ""),
            labelled=labelled,
            plugin_devices=operator.get("node_device_plugin_devices_total"),
            operator=operator,
            labels={k: v for k, v in (node.labels if node else {}).items() if k.startswith(_LABELS)},
            cordoned=node.unschedulable if node else False,
        )
        return _lost(out)

    def _target(self, node: str, instances: set[str]) -> Target | None:
        for target in self.told.targets.values():
            if target.instance in instances or (target.node and target.node == node):
                return target
        return None

    # one GPU

    def _gpu(self, id_: str, node: str, found: list[Entity], claims: tuple[Claim, ...], labelled: bool | None) -> Gpu:
        whole = next((e for e in found if not e.slice), None)
        parts = sorted((e for e in found if e.slice), key=lambda e: _natural(e.slice))
        own = whole or parts[0]
        self.entities[id_], self.parts[id_] = own, found
        holder = self._holder_of(own) if not parts else None
        free = holder is None and (labelled is True or (self.complete and not claims))
        if holder is None and not free and not parts:
            holder = _only_claim(claims, self.nodes.get(node))
        kernel = [k for k in self.kernel if k.about(node, own.pci, len(self.gpus_told))]
        xids = errors(found, self.now, kernel)
        old = self._stale(own)
        use = None if old else _use(own)
        works = any(u is not None and u > BUSY_ABOVE for u in map(_use, found)) and not old
        faults = faults_of(own, xids, works)
        since, bound, covered = (None, False, None) if old else _idle(own, self.told)
        state: GpuState = "faulty" if faults else _state(holder, free, use, since, own.at or self.now)
        slices = tuple(self._slice(e) for e in parts)
        if slices and not faults:
            state = _worst([s.state for s in slices])
        value = own.values.get
        used, total = _memory(own)
        return Gpu(
            id=id_,
            node=node,
            state=state,
            index=own.index,
            model=own.model,
            pci=own.pci,
            holder=holder,
            utilisation=use,
            memory_used=used,
            memory_total=total,
            temperature=value("temperature"),
            memory_temperature=value("memory_temperature"),
            hot_for=own.hot_for,
            slowdown=value("slowdown"),
            power=value("power"),
            thermal=own.throttled.get("thermal", (None, True))[0],
            power_capped=own.throttled.get("power", (None, True))[0],
            throttle_unsure=not all(sure for _, sure in own.throttled.values()),
            idle_since=since,
            idle_bound=bound,
            covered=covered,
            xids=xids,
            ecc_double=value("ecc_double"),
            remap_pending=_flag(value("remap_pending")),
            remap_failed=_flag(value("remap_failed")),
            remap_uncorrectable=value("remap_uncorrectable"),
            faults=faults,
            slices=slices,
            unsupported=tuple(sorted(own.unsupported - set(own.values))),
            at=own.at,
            series=next((s.name for s in own.samples.values()), ""),
        )

    def _holder_of(self, entity: Entity) -> Holder | None:
        pod = self.held.get(id(entity))
        return self._holder(pod, "dcgm") if pod is not None else None

    def _stale(self, entity: Entity) -> bool:
        return entity.at is not None and self.now - entity.at > STALE_AFTER

    def _slice(self, entity: Entity) -> Slice:
        holder = self._holder_of(entity)
        old = self._stale(entity)
        since, bound, covered = (None, False, None) if old else _idle(entity, self.told)
        named = bool(entity.instances & self.naming)
        use = None if old else _use(entity)
        state = _state(holder, holder is None and named, use, since, entity.at or self.now)
        used, total = _memory(entity)
        return Slice(entity.slice, entity.profile, state, use, used, total, holder, since, bound, covered)


def _members(apps: Iterable[SparkApp]) -> dict[tuple[str, str], tuple[str, str]]:
    """(namespace, pod) → (application, member), of members that ask for GPUs or may hold one."""
    out: dict[tuple[str, str], tuple[str, str]] = {}
    for app in apps:
        for member in (*app.executors, *((app.driver,) if app.driver is not None else ())):
            if member.pod and member.gpus:
                out[(member.namespace or app.namespace, member.pod)] = (app.key, member.id)
    return out


def _asked(pod: Pod) -> dict[str, float]:
    out: dict[str, float] = {}
    for container in pod.containers:
        if container.role != "init":
            for name, count in {**container.requests, **container.limits}.items():
                if GPU_RESOURCE.fullmatch(name):
                    out[name] = out.get(name, 0.0) + count
    return out


def _spelling(resource: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]", "_", resource)


def _natural(text: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part)


def _flag(value: float | None) -> bool | None:
    return None if value is None else value > 0


def _use(entity: Entity) -> float | None:
    return next((entity.values[f] for f in USE if f in entity.values), None)


def _memory(entity: Entity) -> tuple[float | None, float | None]:
    used, free = entity.values.get("fb_used"), entity.values.get("fb_free")
    total = entity.values.get("fb_total")
    if total is None and used is not None and free is not None:
        total = used + free + entity.values.get("fb_reserved", 0.0)
    return used, total


def _idle(entity: Entity, told: Told) -> tuple[float | None, bool, float | None]:
    """(since when it has done nothing, whether that is only a bound, share of that time with data)."""
    past, use = entity.past, _use(entity)
    if use is None or use > BUSY_ABOVE or past.first is None or past.count is None:
        return None, False, None
    if (entity.instances or {""}) & told.doubtful and "engine" not in entity.values and past.most == 1:
        return None, False, None
    end = past.at if past.at is not None else entity.at
    if end is None:
        return None, False, None
    covered = min(1.0, past.count * past.step / max(past.step, end - past.first + past.step))
    return (past.busy, False, covered) if past.busy is not None else (past.first, True, covered)


def _state(holder: Holder | None, free: bool, use: float | None, idle_since: float | None, now: float) -> GpuState:
    if use is not None and use > BUSY_ABOVE:
        return "busy"
    if holder is not None:
        if use is None:
            return "held"
        return "idle" if idle_since is None or now - idle_since >= IDLE_AFTER else "busy"
    return "free" if free else "unknown"


def _worst(states: list[GpuState]) -> GpuState:
    order: tuple[GpuState, ...] = ("idle", "busy", "held", "unknown", "free")
    return min(states, key=order.index, default="unknown")


def _only_claim(claims: tuple[Claim, ...], node: Node | None) -> Holder | None:
    """Where one pod asks for every GPU of a node, it holds each of them."""
    if len(claims) != 1 or node is None:
        return None
    return claims[0].holder if claims[0].count >= node.capacity.get(claims[0].resource, 0.0) > 0 else None


def _physical(node: Node | None, capacity: dict[str, float]) -> int:
    """GPUs in the machine: as feature discovery counts them, else by the capacity without sharing and MIG."""
    if node is None:
        return 0
    counted = node.labels.get("nvidia.com/gpu.count", "")
    if counted.isdigit():
        return int(counted)
    divided = any(name.startswith("nvidia.com/mig-") for name in capacity)
    if divided or node.labels.get("nvidia.com/mig.strategy") == "single":
        return 0
    replicas = node.labels.get("nvidia.com/gpu.replicas", "1")
    whole = sum(capacity.values())
    return round(whole / int(replicas)) if replicas.isdigit() and int(replicas) > 0 else round(whole)


def _from_requests(
    name: str,
    node: Node | None,
    resources: tuple[Resource, ...],
    claims: tuple[Claim, ...],
    physical: int,
    complete: bool,
) -> list[Gpu]:
    """What capacity, allocatable and requests alone tell: how many are held, by whom, and how many are lost. With MIG
    or sharing a cell is what the node offers, not a card."""
    total = round(sum(r.capacity for r in resources)) or physical
    lost = round(sum(max(0.0, r.capacity - r.allocatable) for r in resources)) if resources else physical
    cells: list[Gpu] = []
    for claim in claims:
        for _ in range(round(claim.count)):
            cells.append(Gpu(f"{name}/{len(cells)}", name, "held", holder=claim.holder))
    cells = cells[:total]
    rest = total - len(cells)
    gone = min(lost, rest)
    cells += [Gpu(f"{name}/{len(cells) + n}", name, "free" if complete else "unknown") for n in range(rest - gone)]
    return cells + [Gpu(f"{name}/?{n}", name, "lost") for n in range(gone)]


def _silent(gpus: list[Gpu], physical: int) -> list[Gpu]:
    """GPUs that had series and have none now are lost, where the others still have; one that was replaced is left out,
    where the machine has no place for it."""
    speaking = [g for g in gpus if g.series]
    if not speaking or len(speaking) == len(gpus):
        return gpus
    if physical and len(speaking) >= physical:
        return speaking
    return [g if g.series else replace(g, state="lost") for g in gpus]


def _lost(node: GpuNode) -> GpuNode:
    """GPUs that are not allocatable and neither broken nor missing: where only as many are without a holder, those."""
    missing = round(node.lost) - sum(g.state in ("faulty", "lost") for g in node.gpus)
    candidates = [g.id for g in node.gpus if g.holder is None and g.state in ("free", "unknown") and not g.slices]
    if missing <= 0 or len(candidates) != missing:
        return node
    return replace(node, gpus=tuple(replace(g, state="lost") if g.id in candidates else g for g in node.gpus))


def _parts(workloads: Iterable[Workload]) -> tuple[Part, ...]:
    out = []
    for item in workloads:
        if item.kind not in ("DaemonSet", "Deployment") or not _STACK.search(item.name):
            continue
        status, spec = item.status, item.spec
        if item.kind == "DaemonSet":
            ready, wanted = status.get("numberReady", 0), status.get("desiredNumberScheduled", 0)
        else:
            ready, wanted = status.get("readyReplicas", 0), spec.get("replicas", 1)
        if isinstance(ready, int) and isinstance(wanted, int) and wanted:
            out.append(Part(item.name, ready, wanted))
    return tuple(sorted(out, key=lambda part: part.name))


def _waste(nodes: Sequence[GpuNode], now: float) -> tuple[Waste, ...]:
    """Idle GPUs by holder, the longest first."""
    grouped: dict[str, list[Gpu | Slice]] = {}
    where: dict[int, str] = {}
    holder_of: dict[str, Holder] = {}
    for node in nodes:
        for gpu in node.gpus:
            for cell in gpu.cells:
                if cell.state == "idle" and cell.holder is not None and cell.idle_since is not None:
                    grouped.setdefault(cell.holder.name, []).append(cell)
                    holder_of.setdefault(cell.holder.name, cell.holder)
                    where[id(cell)] = node.name
    out = [
        Waste(
            holder=holder_of[name],
            gpus=tuple(c.id for c in cells),
            nodes=tuple(dict.fromkeys(where[id(c)] for c in cells)),
            since=max(c.idle_since or 0.0 for c in cells),
            bound=any(c.idle_bound for c in cells),
            seconds=sum(now - (c.idle_since or now) for c in cells),
            covered=min(c.covered if c.covered is not None else 0.0 for c in cells),
        )
        for name, cells in grouped.items()
    ]
    return tuple(sorted(out, key=lambda w: -w.seconds))


def _noted(fleet: Fleet, told: Told) -> Fleet:
    notes: list[str] = []
    if fleet.metrics == "none":
        notes.append("no exporter of GPUs is scraped: how busy, hot or broken they are is not known")
    elif NOW in told.asked and not told.alive and CLAIMS in told.asked and fleet.metrics == "unknown":
        notes.append("Prometheus has no fresh sample of anything: only capacity, allocatable and requests are known")
    elif fleet.metrics == "unknown":
        notes.append("no metrics of GPUs: only capacity, allocatable and requests are known")
    if told.at is not None and fleet.at - told.at > STALE_AFTER:
        notes.append(f"the figures are {human_duration(fleet.at - told.at)} old: what the GPUs do now is not known")
    if fleet.metrics == "dcgm" and NOW in told.asked and PAST not in told.asked:
        notes.append("what GPUs did before is not known yet: neither since when one is idle, nor when an error came")
    for note in dict.fromkeys(told.notes.values()):
        notes.append(f"the figures are not whole: {note}")
    if fleet.nodes and not fleet.complete:
        notes.append("only what Spark pods ask for is known: others may hold GPUs too (kube-state-metrics would say)")
    spoken = [n for n in fleet.nodes if n.exporter == "series" and not n.labelled]
    unnamed = [n.name for n in spoken if n.claims or not fleet.complete]
    if unnamed:
        notes.append(f"the exporter names no holders on {', '.join(unnamed[:4])}: they are known per node only")
    if told.doubtful:
        notes.append("utilisation was only ever 0 or 1: whether that is a share or percent is not known")
    strangers = [n.name for n in fleet.nodes if not n.known]
    if strangers:
        notes.append(f"an exporter speaks of {', '.join(strangers[:4])}, which is no node of this cluster")
    return replace(fleet, notes=tuple(notes))
