"""What NetworkPolicies let through between pods, as far as the labels of both ends are known. Pure.

Answers are True, False or None: a label that nobody knows may match. A policy that may not select a pod does not
isolate it, and one that may admit a way is not held against anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from console.base.shapes import mapping, mappings
from console.facts.model import Workload

Direction = Literal["Ingress", "Egress"]
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace."""


class Peer(Struct, frozen=True):
    """One end of a connection.

    Attributes:
        labels: those that are known.
        whole: whether it has no others.
        outside: it is no pod: only address ranges and rules without peers reach it.
        anywhere: nobody knows in which namespace it is: any that exists will do.
        ports: on one of which it listens; none where it does not matter.
        protocol: of these ports.
    """

    name: str
    namespace: str
    labels: Mapping[str, str] = {}
    whole: bool = True
    outside: bool = False
    anywhere: bool = False
    ports: tuple[int, ...] = ()
    protocol: str = "TCP"


class Refused(Struct, frozen=True):
    """A way that policies do not admit: they isolate `end` in `direction`, and none of them has a rule for it."""

    source: Peer
    target: Peer
    end: Peer
    direction: Direction
    policies: tuple[str, ...]


class Policies:
    """The NetworkPolicies of a cluster, and the labels of its namespaces where they are known.

    Args:
        spaces: namespace -> labels. `all_spaces` says whether there are no others.
    """

    def __init__(
        self, policies: Iterable[Workload], spaces: Mapping[str, Mapping[str, str]], all_spaces: bool = False
    ) -> None:
        self.policies = tuple(policies)
        self.spaces, self.all_spaces = spaces, all_spaces

    def refused(self, source: Peer, target: Peer) -> tuple[Refused, ...]:
        """The ends at which a connection is surely stopped."""
        ends: tuple[tuple[Peer, Peer, Direction], ...] = ((source, target, "Egress"), (target, source, "Ingress"))
        out = []
        for end, other, direction in ends:
            isolating = self._isolating(end, direction)
            if isolating and not any(self._admits(one, end, other, direction, target) for one in self._may(end)):
                out.append(Refused(source, target, end, direction, tuple(one.key for one in isolating)))
        return tuple(out)

    def selects_no_namespace(self) -> Iterable[tuple[Workload, Mapping[str, Any]]]:
        """Policies with a namespace selector that no namespace matches. None where not all namespaces are known."""
        for policy in self.policies if self.all_spaces else ():
            for peer in _peers(policy):
                selector = peer.get("namespaceSelector")
                if isinstance(selector, Mapping) and not any(
                    selected(selector, self._labels(name)) is not False for name in self.spaces
                ):
                    yield policy, selector

    def _isolating(self, end: Peer, direction: Direction) -> list[Workload]:
        return [
            one
            for one in self.policies
            if not end.outside
            and one.namespace == end.namespace
            and direction in _types(one)
            and selected(mapping(one.spec.get("podSelector")), end.labels, end.whole)
        ]

    def _may(self, end: Peer) -> list[Workload]:
        """Policies that select the pod or may do so."""
        return [
            one
            for one in self.policies
            if one.namespace == end.namespace
            and selected(mapping(one.spec.get("podSelector")), end.labels, end.whole) is not False
        ]

    def _admits(self, policy: Workload, end: Peer, other: Peer, direction: Direction, target: Peer) -> bool:
        """Whether a rule of the policy may admit it."""
        if direction not in _types(policy):
            return False
        peers = "from" if direction == "Ingress" else "to"
        for rule in mappings(policy.spec.get(direction.lower())):
            named = rule.get(peers)
            if _port_fits(rule.get("ports"), target) and (
                not named or any(self._is(peer, end, other) for peer in mappings(named))
            ):
                return True
        return False

    def _is(self, peer: Mapping[str, Any], end: Peer, other: Peer) -> bool:
        """Whether a peer of a rule may be the other end."""
        if isinstance(peer.get("ipBlock"), Mapping):
            return True
        if other.outside:
            return False
        wide = peer.get("namespaceSelector")
        if isinstance(wide, Mapping):
            if not self._reaches(wide, other):
                return False
        elif other.namespace != end.namespace:
            return False
        return selected(mapping(peer.get("podSelector")), other.labels, other.whole) is not False

    def _reaches(self, selector: Mapping[str, Any], other: Peer) -> bool:
        """Whether a namespace selector may select where the other end is."""
        if other.anywhere:
            return not self.all_spaces or any(
                selected(selector, self._labels(name)) is not False for name in self.spaces
            )
        return other.namespace not in self.spaces or selected(selector, self._labels(other.namespace)) is not False

    def _labels(self, namespace: str) -> Mapping[str, str]:
        return {NAMESPACE_NAME: namespace, **self.spaces.get(namespace, {})}


def selected(selector: Mapping[str, Any], labels: Mapping[str, str], whole: bool = True) -> bool | None:
    """Whether a label selector matches; None where it asks for a label that is not known."""
    answers: list[bool | None] = []
    for key, wanted in mapping(selector.get("matchLabels")).items():
        answers.append(labels[key] == wanted if key in labels else (False if whole else None))
    for rule in mappings(selector.get("matchExpressions")):
        key, values = str(rule.get("key")), rule.get("values") or ()
        if key not in labels and not whole:
            answers.append(None)
            continue
        there = key in labels
        answers.append(
            {
                "In": there and labels.get(key) in values,
                "NotIn": not there or labels[key] not in values,
                "Exists": there,
                "DoesNotExist": not there,
            }.get(str(rule.get("operator")))
        )
    return False if False in answers else None if None in answers else True


def _types(policy: Workload) -> tuple[str, ...]:
    """Directions that it isolates: what it says, else Ingress, and Egress where it has such rules."""
    said = policy.spec.get("policyTypes")
    if isinstance(said, list) and said:
        return tuple(map(str, said))
    return ("Ingress", "Egress") if policy.spec.get("egress") else ("Ingress",)


def _peers(policy: Workload) -> Iterable[Mapping[str, Any]]:
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for rule in mappings(policy.spec.get(field)):
            yield from mappings(rule.get(peers))


def _port_fits(ports: Any, target: Peer) -> bool:
    """Whether a rule may be for the port: named ports are not known, so they may."""
    if not isinstance(ports, list) or not ports or not target.ports:
        return True
    for one in mappings(ports):
        port, last = one.get("port"), one.get("endPort")
        if str(one.get("protocol") or "TCP") != target.protocol:
            continue
        if not isinstance(port, int):
            return True
        if any(port <= wanted <= (last if isinstance(last, int) else port) for wanted in target.ports):
            return True
    return False
