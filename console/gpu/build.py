"""Facts and applications → `Fleet`: every GPU with its node, its holder and its state; and what cannot be known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.apps import deaths
from console.apps.members import GPU_RESOURCE
from console.apps.model import SparkApp
from console.facts.model import Facts, Node
from console.gpu.asks import BUSY_ABOVE, NOW
from console.gpu.cells import flag, idle_of, memory_of, state_of, use_of, worst_state
from console.gpu.claims import (
    gpus_asked,
    gpus_from_requests,
    members_of,
    only_holder,
    physical_count,
    spelled_in_metrics,
    with_lost,
    with_silent,
)
from console.gpu.faults import Kernel, errors, faults_of
from console.gpu.model import (
    ExporterState,
    ExtendedResource,
    Fleet,
    Gpu,
    GpuNode,
    GpuRequest,
    GpuState,
    Holder,
    MetricsState,
    Slice,
)
from console.gpu.names import generation_of
from console.gpu.read import Entity, ExporterTarget, Told, holders, read
from console.gpu.summary import STALE_AFTER, noted, parts_of, waste_of

_SILENT = ("blind", "down")
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
    return _FleetBuilder(facts, apps, told, nodes, kernel).build()


def _has_gpus(node: Node) -> bool:
    return (
        any(GPU_RESOURCE.fullmatch(name) and amount > 0 for name, amount in node.capacity.items())
        or node.labels.get("nvidia.com/gpu.present") == "true"
    )


def _metrics(told: Told) -> MetricsState:
    if any(entity.samples for entity in told.entities.values()):
        return "partial" if told.notes else "dcgm"
    return "none" if NOW in told.asked and NOW not in told.notes and told.alive else "unknown"


class _FleetBuilder:
    def __init__(
        self, facts: Facts, apps: Sequence[SparkApp], told: Told, nodes: dict[str, Node], kernel: Sequence[Kernel]
    ) -> None:
        self.facts, self.told, self.nodes, self.kernel = facts, told, nodes, kernel
        self.now = facts.at
        self.members = members_of(apps)
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
            parts=parts_of(self.facts.workloads),
            operator=self.told.operator.get("", {}),
            waste=waste_of(nodes, self.now),
            blind=blind,
        )
        return Inventory(noted(fleet, self.told), self.told, self.entities, self.parts, tuple(self.kernel))

    # who asks for GPUs

    def _holder(self, pod: tuple[str, str], source: str) -> Holder:
        app, member = self.members.get(pod, ("", ""))
        return Holder(pod[0], pod[1], app, member, source)  # type: ignore[arg-type]

    def _claims(self) -> dict[str, list[GpuRequest]]:
        out: dict[str, list[GpuRequest]] = {}
        if self.complete:
            spelled = {spelled_in_metrics(name): name for node in self.nodes.values() for name in node.capacity}
            for node, who, resource, count in self.told.claims:
                if node:
                    name = spelled.get(resource, resource)
                    out.setdefault(node, []).append(GpuRequest(self._holder(who, "requests"), name, count))
            return out
        for pod in self.facts.pods:
            if pod.node and not pod.gone and (asked := gpus_asked(pod)) and not deaths.over(pod):
                holder = self._holder((pod.namespace, pod.name), "requests")
                out.setdefault(pod.node, []).extend(GpuRequest(holder, name, n) for name, n in asked.items())
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
        instances = {i for _, found in mine for e in found for i in e.instances}
        labelled = bool(instances & self.naming) or (None if mine else False)
        resources = _resources(node, claims)
        target = self._target(name, instances)
        operator = self.told.operator.get(name, {})
        exporter = self._exporter(target, spoken=bool(mine))
        return with_lost(
            GpuNode(
                name=name,
                gpus=tuple(self._gpus(name, mine, resources, claims, labelled, seen=exporter not in _SILENT)),
                resources=resources,
                claims=claims,
                known=node is not None,
                exporter=exporter,
                exporter_target=target.instance if target is not None else min(instances, default=""),
                labelled=labelled,
                plugin_devices=operator.get("node_device_plugin_devices_total"),
                operator=operator,
                labels={k: v for k, v in (node.labels if node else {}).items() if k.startswith(_LABELS)},
                cordoned=node.unschedulable if node else False,
            )
        )

    def _gpus(
        self,
        name: str,
        mine: list[tuple[str, list[Entity]]],
        resources: tuple[ExtendedResource, ...],
        claims: tuple[GpuRequest, ...],
        labelled: bool | None,
        *,
        seen: bool,
    ) -> list[Gpu]:
        """Those that exporters speak of and those that the machine has besides; without exporters, what it offers.

        Where an exporter fell silent (not `seen`), nobody looks at the cards: what nobody asked for is not known to be
        free.
        """
        node = self.nodes.get(name)
        physical = physical_count(node, {r.name: r.capacity for r in resources})
        gpus = [self._gpu(id_, name, found, claims, labelled) for id_, found in mine]
        gpus.sort(key=lambda g: (_natural(g.index), g.id))
        gpus = with_silent(gpus, physical)
        if not gpus:
            return gpus_from_requests(name, node, resources, claims, physical, self.complete and seen)
        return gpus + [Gpu(f"{name}/?{n}", name, "lost") for n in range(max(0, physical - len(gpus)))]

    def _exporter(self, target: ExporterTarget | None, *, spoken: bool) -> ExporterState:
        if spoken:
            return "series"
        if not self.told.alive:
            return "unknown"
        return "none" if target is None else "blind" if target.up else "down"

    def _target(self, node: str, instances: set[str]) -> ExporterTarget | None:
        for target in self.told.targets.values():
            if target.instance in instances or (target.node and target.node == node):
                return target
        return None

    # one GPU

    def _gpu(
        self, id_: str, node: str, found: list[Entity], claims: tuple[GpuRequest, ...], labelled: bool | None
    ) -> Gpu:
        parts = sorted((e for e in found if e.slice), key=lambda e: _natural(e.slice))
        own = next((e for e in found if not e.slice), None) or parts[0]
        self.entities[id_], self.parts[id_] = own, found
        holder, free = (None, False) if parts else self._held(own, node, claims, labelled)
        xids = errors(found, self.now, [k for k in self.kernel if k.about(node, own.pci, len(self.gpus_told))])
        works = not self._stale(own) and any(u is not None and u > BUSY_ABOVE for u in map(use_of, found))
        faults = faults_of(own, xids, works)
        use, since, bound, covered = self._activity(own)
        slices = tuple(self._slice(e) for e in parts)
        if faults:
            state: GpuState = "faulty"
        elif slices:
            state = worst_state([s.state for s in slices])
        else:
            state = state_of(holder, free, use, since, own.at or self.now)
        value = own.values.get
        used, total = memory_of(own)
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
            remap_pending=flag(value("remap_pending")),
            remap_failed=flag(value("remap_failed")),
            remap_uncorrectable=value("remap_uncorrectable"),
            faults=faults,
            slices=slices,
            unsupported=tuple(sorted(own.unsupported - set(own.values))),
            at=own.at,
            series=next((s.name for s in own.samples.values()), ""),
        )

    def _held(
        self, own: Entity, node: str, claims: tuple[GpuRequest, ...], labelled: bool | None
    ) -> tuple[Holder | None, bool]:
        """(who holds a GPU that is not divided, whether it is known that nobody does)."""
        holder = self._holder_of(own)
        if holder is not None:
            return holder, False
        if labelled is True or (self.complete and not claims):
            return None, True
        return only_holder(claims, self.nodes.get(node)), False

    def _activity(self, entity: Entity) -> tuple[float | None, float | None, bool, float | None]:
        """(utilisation, idle since, whether that is a bound, share with data); old figures tell nothing of it."""
        if self._stale(entity):
            return None, None, False, None
        return use_of(entity), *idle_of(entity, self.told)

    def _holder_of(self, entity: Entity) -> Holder | None:
        pod = self.held.get(id(entity))
        return self._holder(pod, "dcgm") if pod is not None else None

    def _stale(self, entity: Entity) -> bool:
        return entity.at is not None and self.now - entity.at > STALE_AFTER

    def _slice(self, entity: Entity) -> Slice:
        holder = self._holder_of(entity)
        use, since, bound, covered = self._activity(entity)
        named = bool(entity.instances & self.naming)
        state = state_of(holder, holder is None and named, use, since, entity.at or self.now)
        used, total = memory_of(entity)
        return Slice(entity.slice, entity.profile, state, use, used, total, holder, since, bound, covered)


def _resources(node: Node | None, claims: tuple[GpuRequest, ...]) -> tuple[ExtendedResource, ...]:
    """What a node offers of GPUs, by name."""
    if node is None:
        return ()
    return tuple(
        ExtendedResource(
            name, have, node.allocatable.get(name, 0.0), sum(c.count for c in claims if c.resource == name)
        )
        for name, have in sorted(node.capacity.items())
        if GPU_RESOURCE.fullmatch(name) and have > 0
    )


def _natural(text: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part)
