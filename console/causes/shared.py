"""What speaks for and against a common cause of several faults, by the kind of thing that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from console.base.text import listed
from console.causes.faults import GAP, Fault, everybody, runs_of, several, when_begun
from console.causes.peers import Peers
from console.causes.traits import is_drained, nodes_of
from console.findings.figures.storage import ObjectStoreFigures
from console.findings.model import Finding

TOGETHER = 120.0
"""Seconds within which everything must begin where nothing but the time is shared."""
KINDS = (
    "gpu",
    "claim",
    "image",
    "registry",
    "metastore",
    "service",
    "object store",
    "credentials",
    "quota",
    "right",
    "namespace",
    "webhook",
    "operator",
    "capacity",
    "drain",
    "node",
    "image content",
    "version",
    "time",
)
"""Kinds of things that faults may share, in the order in which they are tried."""


class CommonCause(Struct):
    """Faults of one cause, what speaks for that, and what against it."""

    faults: list[Fault]
    speaks_for: list[str]
    against: list[str] = []


def _target(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """One thing that all of them use and that fails in the same way: to share it is to share the cause."""
    lasting = any(t.kind == kind and t.value == value and t.lasting for fault in faults for t in fault.traits)
    out = []
    for run in [faults] if lasting else _at_one_time(faults):
        if not several(run):
            continue
        said = [f"all of them name the same {_NAMES.get(kind, kind)}: {value}"]
        against = []
        if not lasting:
            said.append(when_begun(run))
            if any(fault.since is None for fault in run):
                against.append("not all of them say when it began")
        if any(_refused_by_policy(f) for fault in run for f in fault.roots):
            against.append("whether they use the same identity is not known")
        out.append(CommonCause(run, said, against))
    return out


def _at_one_time(faults: list[Fault]) -> list[list[Fault]]:
    """Faults whose times touch. Those of no known time belong to them where all the others touch; else to none."""
    unknown = [fault for fault in faults if fault.since is None]
    runs = runs_of(faults, GAP)
    return runs if len(runs) > 1 else [[*(runs[0] if runs else ()), *unknown]]


def _refused_by_policy(one: Finding) -> bool:
    return isinstance(one.data, ObjectStoreFigures) and one.data.cause == "policy"


def _capacity(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """Waiting for the same resource at the same time. A pod that fits no node has a cause of its own."""
    fits = [fault for fault in faults if not any(peers.too_large(f) for f in fault.roots)]
    out = []
    for run in runs_of(fits, 0.0):
        if several(run):
            said = [f"they wait at the same time for the same: {value}", when_begun(run)]
            against = (
                [] if peers.facts.nodes else ["the nodes are not known: a request may be too large for any of them"]
            )
            alone = [fault for fault in faults if fault not in fits]
            if alone:
                said.append(f"left out: {len(alone)} that would fit on no node at all")
            out.append(CommonCause(run, said, against))
    return out


def _operator(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """Several applications stand still, and none of the same operator moves."""
    out = []
    for run in runs_of(faults, GAP):
        begin = min((fault.since for fault in run if fault.since is not None), default=None)
        moved = [
            a.name
            for a in peers.all
            if a.launcher == value and begin is not None and a.started is not None and a.started > begin + 60
        ]
        if len(run) >= 3 and several(run) and not moved:
            out.append(
                CommonCause(
                    run,
                    ["no application of this operator has moved since", when_begun(run)],
                    ["the operator itself shows nothing"],
                )
            )
    return out


def _node(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """Pods of several applications lost on one node, and the node stands out: it is in trouble itself, or what the same
    applications run elsewhere is well."""
    out = []
    for run in runs_of(faults, GAP):
        if not several(run):
            continue
        trouble = peers.trouble(value, run)
        codes = {f.code.partition("-")[2] for fault in run for f in fault.roots if f.app}
        apart = [a for fault in run for a in fault.apps if peers.elsewhere(a, value)]
        still = peers.unharmed(value, everybody(run))
        if not trouble and (len(codes) > 1 or not apart or len(still) >= len(run)):
            continue
        said = [*trouble, f"everything that was lost ran on {value}"]
        if apart:
            said.append(f"what {len(set(apart))} of them run on other nodes is well")
        against = [f"still well on {value}: {listed(still, 3)}"] if still else []
        out.append(CommonCause(run, [*said, when_begun(run)], against))
    return out


def drained_nodes(faults: Iterable[Fault]) -> tuple[str, ...]:
    """Nodes that something was asked to leave."""
    return tuple(sorted({n for fault in faults for f in fault.roots if is_drained(f) for n in nodes_of(f)}))


def _drain(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """Pods of several applications asked to leave their nodes, one node or one after the other; with what those nodes
    themselves are found to have."""
    asked = [fault for fault in faults if any(is_drained(f) for f in fault.roots)]
    out = []
    for run in runs_of(asked, GAP):
        nodes = drained_nodes(run)
        beside = [
            fault for fault in faults if not fault.apps and {n for f in fault.roots for n in nodes_of(f)} & {*nodes}
        ]
        run = [*run, *(fault for fault in beside if not any(fault is one for one in run))]
        if not several(run):
            continue
        said = ["Kubernetes says of what was lost that it was asked to leave its node", when_begun(run)]
        said += [text for node in nodes for text in peers.trouble(node, run)][:2]
        out.append(CommonCause(run, said))
    return out


def _content(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """The same fault in everything that has this image or version, and in nothing that has another."""
    if not several(faults):
        return []
    hit = everybody(faults)
    spared = [(a, a.image if kind == "image content" else a.spark_version) for a in peers.all if a.key not in hit]
    other = [a for a, has in spared if has not in ("", value)]
    if any(has == value and peers.well(a) for a, has in spared):
        return []
    if kind == "version" and (len(hit) < 3 or sum(peers.well(a) for a in other) < 2):
        return []
    said = [f"all {len(hit)} applications with {value} fail alike"]
    if not other:
        return [CommonCause(faults, said, ["no application with another one is known to compare with"])]
    said.append(f"{len(other)} applications with another {'version' if kind == 'version' else 'image'} do not")
    return [CommonCause(faults, said)]


def _time(kind: str, value: str, faults: list[Fault], peers: Peers) -> list[CommonCause]:
    """Nothing but the time: only where most of what lives is hit alike within two minutes."""
    out: list[CommonCause] = []
    timed = sorted((fault for fault in faults if fault.since is not None), key=lambda fault: fault.since or 0.0)
    runs: list[list[Fault]] = []
    for fault in timed:
        if not runs or (fault.since or 0.0) - (runs[-1][0].since or 0.0) > TOGETHER:
            runs.append([])
        runs[-1].append(fault)
    for run in runs:
        hit = everybody(run)
        begin = run[0].since or 0.0
        ran = [a for a in peers.all if (a.started or 0.0) <= begin and (a.ended is None or a.ended >= begin)]
        if len(hit) >= 3 and len(hit) * 2 >= len(ran):
            said = [f"{len(hit)} of {max(len(ran), len(hit))} applications were hit alike", when_begun(run)]
            out.append(CommonCause(run, said, ["no node, image or service that all of them share is known"]))
    return out


CHECKS: dict[str, Callable[[str, str, list[Fault], Peers], list[CommonCause]]] = {
    **dict.fromkeys(KINDS, _target),
    "capacity": _capacity,
    "operator": _operator,
    "drain": _drain,
    "node": _node,
    "image content": _content,
    "version": _content,
    "time": _time,
}
"""Kind → what must hold for it: (kind, value, faults that share it, peers) → the faults of that cause."""
_NAMES = {"right": "missing right", "gpu": "GPU", "namespace": "namespace", "credentials": "namespace's credentials"}
