"""Facts and applications → `Fleet`: every GPU with its node, its holder and its state; and what cannot be known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.health import deaths
from console.health.facts import Facts, Node
from console.health.gpu.asks import BUSY_ABOVE, NOW
from console.health.gpu.cells import flag, idle_of, memory_of, state_of, use_of, worst_state
from console.health.gpu.claims import (
    GPU_RESOURCE,
    gpus_asked,
    gpus_from_requests,
    members_of,
    only_holder,
    physical_count,
    spelled_in_metrics,
    with_lost,
    with_silent,
)
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
    Resource,
    Slice,
)
from console.health.gpu.names import generation_of
from console.health.gpu.read import Entity, Target, Told, holders, read
from console.health.gpu.summary import STALE_AFTER, noted, parts_of, waste_of
from console.health.model import SparkApp

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

    def _claims(self) -> dict[str, list[Claim]]:
        out: dict[str, list[Claim]] = {}
        if self.complete:
            spelled = {spelled_in_metrics(name): name for node in self.nodes.values() for name in node.capacity}
            for node, who, resource, count in self.told.claims:
                if node:
                    name = spelled.get(resource, resource)
                    out.setdefault(node, []).append(Claim(self._holder(who, "requests"), name, count))
            return out
        for pod in self.facts.pods:
            if pod.node and not pod.gone and (asked := gpus_asked(pod)) and not deaths.over(pod):
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
        physical = physical_count(node, capacity)
        gpus = with_silent(gpus, physical)
        if gpus:
            gpus += [Gpu(f"{name}/?{n}", name, "lost") for n in range(max(0, physical - len(gpus)))]
        else:
            gpus = gpus_from_requests(name, node, resources, claims, physical, self.complete)
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
        return with_lost(out)

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
            holder = only_holder(claims, self.nodes.get(node))
        kernel = [k for k in self.kernel if k.about(node, own.pci, len(self.gpus_told))]
        xids = errors(found, self.now, kernel)
        old = self._stale(own)
        use = None if old else use_of(own)
        works = any(u is not None and u > BUSY_ABOVE for u in map(use_of, found)) and not old
        faults = faults_of(own, xids, works)
        since, bound, covered = (None, False, None) if old else idle_of(own, self.told)
        state: GpuState = "faulty" if faults else state_of(holder, free, use, since, own.at or self.now)
        slices = tuple(self._slice(e) for e in parts)
        if slices and not faults:
            state = worst_state([s.state for s in slices])
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

    def _holder_of(self, entity: Entity) -> Holder | None:
        pod = self.held.get(id(entity))
        return self._holder(pod, "dcgm") if pod is not None else None

    def _stale(self, entity: Entity) -> bool:
        return entity.at is not None and self.now - entity.at > STALE_AFTER

    def _slice(self, entity: Entity) -> Slice:
        holder = self._holder_of(entity)
        old = self._stale(entity)
        since, bound, covered = (None, False, None) if old else idle_of(entity, self.told)
        named = bool(entity.instances & self.naming)
        use = None if old else use_of(entity)
        state = state_of(holder, holder is None and named, use, since, entity.at or self.now)
        used, total = memory_of(entity)
        return Slice(entity.slice, entity.profile, state, use, used, total, holder, since, bound, covered)


def _natural(text: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part)
