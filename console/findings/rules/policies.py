"""NetworkPolicies that stop what Spark needs: sessions get no executors while every replica is ready.

Where executors run all the same, nothing is said: the policies are not enforced, or something else admits them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from console.base.text import clean, plural
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.model import Pod, Workload
from console.facts.objectpaths import walk
from console.facts.policies import Peer, Policies, Refused
from console.facts.references import spark_conf
from console.findings.case import ClusterView
from console.findings.figures.policies import PolicyFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

BLOCKS, NOWHERE = "network-policy-blocks", "network-policy-selects-nothing"
_DRIVER, _BLOCKS = 7078, 7079
_CONNECT, _OF = "spark-connect", "the driver of "
_RUN = "spark-app-selector"
_DNS = Peer("DNS", "", {}, whole=False, anywhere=True, ports=(53, 5353), protocol="UDP")
_SERVER = Peer("the API server", "", outside=True, ports=(443, 6443))
GIVES_UP = 420.0
"""Seconds in which an executor that cannot reach its driver ends: three tries of network timeouts, and more."""
_NOTHING = "no NetworkPolicy isolates a driver or executors, as far as policies are read"


def blocked(world: ClusterView) -> Answer:
    """Ways that drivers and executors need and that policies which isolate them do not admit."""
    policies = _policies(world)
    if not policies.policies:
        return _NOTHING
    out, proved = [], ""
    for driver, key in _drivers(world):
        refused = [one for way in _ways(driver, _executors(world, driver)) for one in policies.refused(*way)]
        running = _running(world, driver, refused)
        held = [pod for pod in running if world.facts.at - (_began(pod) or 0.0) > GIVES_UP]
        if held and any(_without_which_none_runs(one, driver) for one in refused):
            longest = human_duration(world.facts.at - min(_began(pod) or 0.0 for pod in held))
            proved = (
                f"{plural(len(held), 'executor')} of {driver.name} of {driver.namespace}: up for {longest} under the "
                "policies, so these are not enforced here, or something else admits them"
            )
        elif refused:
            out.append(_finding(key, driver, refused, len(running)))
    return out or proved or _NOTHING


def _without_which_none_runs(one: Refused, driver: Peer) -> bool:
    """Whether no executor could run for long without this way: to register with the driver, or to be made at all."""
    registers = one.target.name == driver.name and one.target.ports == (_DRIVER,)
    return registers or (one.source.name == driver.name and one.target is _SERVER)


def _running(world: ClusterView, driver: Peer, refused: list[Refused]) -> list[Pod]:
    """Executors of this driver that run and began when the policies that isolate an end were there already: older
    connections may outlive a new policy."""
    keys = {key for one in refused for key in one.policies}
    since = max((one.created or 0.0 for one in world.facts.workloads if one.key in keys), default=0.0)
    mine = [one for one in world.facts.pods if one.namespace == driver.namespace and not one.gone]
    led = {pod.labels.get(_RUN) for pod in mine if pod.labels.get("spark-role") == "driver"}
    servers = [peer.name for peer, _ in _drivers(world) if peer.namespace == driver.namespace and peer.whole]
    return [
        pod
        for pod in mine
        if pod.labels.get("spark-role") == "executor"
        and pod.phase == "Running"
        and (_began(pod) or 0.0) >= since
        and _is_of(pod, driver, pod.labels.get(_RUN) in led, servers)
    ]


def _is_of(executor: Pod, driver: Peer, led: bool, servers: list[str]) -> bool:
    """Whether it is of this driver: one with a pod of its own, or this Connect server."""
    if not driver.whole:
        return led
    owners = [owner.name for owner in executor.owners if owner.kind == "Pod"]
    if led or not owners:
        return not led and servers == [driver.name]
    made = re.compile(rf"{re.escape(driver.name.removeprefix(_OF))}-[a-z0-9]+-[a-z0-9]{{5}}")
    return any(made.fullmatch(one) for one in owners)


def _began(pod: Pod) -> float | None:
    """When its process began; a pod that was made earlier may have waited for its image."""
    return pod.main.started if pod.main is not None and pod.main.started is not None else pod.started


def nowhere(world: ClusterView) -> Answer:
    """Policies that admit namespaces by a label that no namespace has."""
    by_policy: dict[str, tuple[Workload, list[str]]] = {}
    for policy, selector in _policies(world).selects_no_namespace():
        words = ", ".join(f"{k}={v}" for k, v in selector.get("matchLabels", {}).items()) or "an expression"
        by_policy.setdefault(policy.key, (policy, []))[1].append(clean(words))
    return [
        _selects_nothing(policy, list(dict.fromkeys(words))) for policy, words in by_policy.values()
    ] or "every namespace that a policy names is there, as far as namespaces are read"


def _policies(world: ClusterView) -> Policies:
    workloads = [one for one in world.facts.workloads if not one.gone]
    spaces = {one.name: one.labels for one in workloads if one.kind == "Namespace"}
    whole = "Namespace/" in world.facts.names
    return Policies([one for one in workloads if one.kind == "NetworkPolicy"], spaces, whole)


def _drivers(world: ClusterView) -> Iterable[tuple[Peer, str]]:
    """Drivers whose executors are pods: Connect servers that do not run locally, and one for each namespace of
    applications."""
    for one in world.facts.workloads:
        labels = {str(k): str(v) for tree in walk({"spec": one.spec}, "spec.template.metadata.labels") for k, v in
                  (tree.items() if isinstance(tree, dict) else ())}  # fmt: skip
        if one.kind == "Deployment" and not one.gone and labels.get("app") == _CONNECT and _on_kubernetes(world, one):
            yield Peer(f"{_OF}{one.name}", one.namespace, labels), one.key
    spaces = dict.fromkeys(one.namespace for one in world.facts.spark if not one.gone and "Application" in one.kind)
    for space in spaces:
        yield Peer("drivers", space, {"spark-role": "driver"}, whole=False), f"Namespace//{space}"


def _on_kubernetes(world: ClusterView, server: Workload) -> bool:
    """Whether its executors are pods: a ConfigMap that it mounts says `k8s://`, or nobody knows better."""
    names = set(walk({"spec": server.spec}, "spec.template.spec.volumes.*.configMap.name"))
    masters = {
        value
        for one in world.facts.workloads
        if one.kind == "ConfigMap" and one.namespace == server.namespace and one.name in names
        for key, value in spark_conf(one)
        if key == "spark.master"
    }
    return not masters or any(master.startswith("k8s://") for master in masters)


def _executors(world: ClusterView, driver: Peer) -> Peer:
    """Executors as they are labelled: those that are there, else what Spark gives every one of them."""
    for pod in world.facts.pods:
        if pod.namespace == driver.namespace and not pod.gone and pod.labels.get("spark-role") == "executor":
            return Peer("executors", pod.namespace, pod.labels)
    known: dict[str, Any] = {"spark-role": "executor"}
    return Peer("executors", driver.namespace, known, whole=False)


def _ways(driver: Peer, executors: Peer) -> list[tuple[Peer, Peer]]:
    def at(peer: Peer, port: int) -> Peer:
        return Peer(peer.name, peer.namespace, peer.labels, peer.whole, ports=(port,))

    return [
        (executors, at(driver, _DRIVER)),
        (executors, at(driver, _BLOCKS)),
        (driver, at(executors, _BLOCKS)),
        (executors, at(executors, _BLOCKS)),
        (executors, _DNS),
        (driver, _DNS),
        (driver, _SERVER),
    ]


def _finding(subject: str, driver: Peer, refused: list[Refused], running: int) -> Finding:
    ways = list(dict.fromkeys(_way(one) for one in refused))
    policies = list(dict.fromkeys(key for one in refused for key in one.policies))
    space = refused[0].end.namespace
    none = any(_without_which_none_runs(one, driver) for one in refused)
    loses = "sessions get no executors" if none else "tasks that need it fail"
    return finding(
        None,
        BLOCKS,
        None,
        "warning",
        "medium",
        f"NetworkPolicies of {space} stop {ways[0]}: {loses}",
        subject=subject,
        detail=f"stopped: {'; '.join(ways)}. Every replica can be ready all the same. Remedy: rules for spark-role="
        f"executor both ways on {_DRIVER} and {_BLOCKS}, DNS on 53, and the address of the API server",
        evidence=[
            Evidence("kubernetes", key, f"isolates {one.end.name} ({one.direction}) and has no rule for {_way(one)}")
            for one in refused
            for key in one.policies[:1]
        ],
        questions=[
            "does the network plugin of this cluster enforce NetworkPolicies?",
            *([f"{plural(running, 'executor')} began under them: do they register with the driver?"] * bool(running)),
        ],
        data=PolicyFigures(policies=tuple(policies), ways=tuple(ways)),
    )


def _way(one: Refused) -> str:
    port = f" on {one.target.ports[0]}" if len(one.target.ports) == 1 else ""
    source, target = one.source.name, one.target.name
    return f"{source} among themselves{port}" if source == target else f"{source} to {target}{port}"


def _selects_nothing(policy: Workload, words: list[str]) -> Finding:
    return finding(
        None,
        NOWHERE,
        None,
        "warning",
        "high",
        f"NetworkPolicy {policy.namespace}/{policy.name} admits namespaces with {words[0]}, and no namespace has it",
        subject=policy.key,
        detail="The rule admits nobody. Every namespace has the label kubernetes.io/metadata.name with its own name.",
        evidence=[Evidence("kubernetes", f"{policy.key} namespaceSelector", one) for one in words],
    )


RULES = [WorldRule(BLOCKS, None, blocked), WorldRule(NOWHERE, None, nowhere)]
