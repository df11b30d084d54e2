"""Namespaces in which Spark runs: what Pod Security enforces there, and whether the network is divided."""

from __future__ import annotations

from collections.abc import Iterator

from console.advice.ground import Ground
from console.advice.model import Advice, Unjudged
from console.advice.objects import PostureObject
from console.advice.rule import AdviceAnswer, GroundRule
from console.base.text import listed, plural
from console.facts.evidence import Evidence
from console.facts.model import Pod

ADMISSION = "https://kubernetes.io/docs/concepts/security/pod-security-admission/"
NETWORK = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
ENFORCE = "pod-security.kubernetes.io/enforce"


def pod_security(ground: Ground) -> AdviceAnswer:
    """The level that Pod Security admission enforces."""
    if ground.cluster is not None and ground.cluster < (1, 23):
        return
    for name in ground.spaces:
        if not ground.posture.readable("namespaces", name):
            yield from blind(ground, "namespaces", name, "which level Pod Security enforces")
            continue
        space = next((t for t in ground.posture.of("namespaces") if t.name == name), None)
        if space is None:
            continue
        level = space.labels.get(ENFORCE, "")
        if level in ("baseline", "restricted"):
            continue
        softer = {k.rpartition("/")[2]: v for k, v in sorted(space.labels.items()) if k.startswith("pod-security.")}
        said = ", ".join(f"{k}={v}" for k, v in softer.items()) or "no label of Pod Security"
        words = "enforces the level privileged" if level == "privileged" else "enforces no Pod Security level"
        yield Advice(
            "pod-security-level",
            "security",
            "medium",
            f"Namespace//{name}",
            f"namespace {name} {words}",
            "whoever may create pods here (every Spark driver may) can make privileged ones that own their node, "
            "unless another policy engine forbids it",
            f"label it {ENFORCE}=baseline (restricted where the pods are ready for it)",
            "Kubernetes 1.25 and later (1.23 and 1.24 as beta)",
            ADMISSION,
            ENFORCE,
            (Evidence("kubernetes", f"/api/v1/namespaces/{name}", f"labels: {said}"),),
            namespace=name,
        )


def isolation(ground: Ground) -> AdviceAnswer:
    """Spark pods that no network policy selects."""
    for name in ground.spaces:
        if not ground.posture.readable("networkpolicies", name):
            yield from blind(ground, "networkpolicies", name, "whether its network is divided")
            continue
        pods = ground.pods(name)
        policies = ground.posture.of("networkpolicies", name)
        for way in ("Ingress", "Egress"):
            bare = [p for p in pods if not any(_divides(policy, p, way) for policy in policies)]
            if bare:
                yield _open(name, way, bare, len(pods), policies)


def _divides(policy: PostureObject, pod: Pod, way: str) -> bool:
    """Whether `policy` restricts `way` for `pod`: it selects the pod and does not allow everything."""
    spec = policy.spec
    if spec is None or (spec.podSelector is not None and not spec.podSelector.selects(pod.labels)):
        return False
    types = spec.policyTypes or (["Ingress", "Egress"] if spec.egress else ["Ingress"])
    rules = spec.ingress if way == "Ingress" else spec.egress
    return way in types and not any(not rule for rule in rules or ())


def _open(name: str, way: str, bare: list[Pod], total: int, policies: tuple[PostureObject, ...]) -> Advice:
    who = "every pod of the cluster may reach" if way == "Ingress" else "nothing limits what can be reached from"
    risk = (
        "drivers and executors take unauthenticated connections on their RPC and UI ports unless "
        "spark.authenticate and ACLs are set"
        if way == "Ingress"
        else "code in a job can send data anywhere and ask the cloud's metadata service for credentials"
    )
    there = listed((p.name for p in policies), 5) or "none"
    return Advice(
        f"no-{way.lower()}-policy",
        "security",
        "medium" if way == "Ingress" else "low",
        f"Namespace//{name}",
        f"{who} {len(bare)} of {plural(total, 'Spark pod')} in {name}",
        f"no NetworkPolicy selects them for {way.lower()}: {risk}",
        "add a policy that denies by default and allow driver, executors, History Server and scrapers"
        if way == "Ingress"
        else "add a policy that allows DNS, the API server, the namespace itself and the stores that jobs need",
        "Kubernetes 1.8 and later, where the network plugin enforces policies",
        NETWORK,
        way,
        (
            Evidence(
                "kubernetes", f"/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies", f"policies: {there}"
            ),
            Evidence("kubernetes", bare[0].origin.locator, f"labels: {_labels(bare[0])}"),
        ),
        namespace=name,
    )


def _labels(pod: Pod) -> str:
    """What policies select Spark's pods by; their other labels change from run to run."""
    named = [k for k in ("app", "app.kubernetes.io/component", "spark-role", "spark-app-name") if k in pod.labels]
    return ", ".join(f"{k}={pod.labels[k]}" for k in named) or "no labels"


def blind(ground: Ground, plural_: str, namespace: str, what: str) -> Iterator[Unjudged]:
    """Say that something cannot be judged because it was not, or may not be, read. Never that it is fine."""
    state = ground.posture.states.get(plural_)
    if state is None:
        return
    because = {
        "absent": f"{plural_}: {state.detail}",
        "forbidden": f"{plural_} may not be read: {state.detail}",
    }.get(state.state, f"{plural_} of {namespace or 'the cluster'} could not be read: {state.detail}")
    yield Unjudged("security", what, because, state.hint)


RULES = [
    GroundRule("pod-security-level", "security", pod_security),
    GroundRule("network-policy", "security", isolation),
]
