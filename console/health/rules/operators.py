"""The operator itself: not available, killed, backlogged, without a leader (I19)."""

from __future__ import annotations

from console.health.case import World
from console.health.evidence import excerpt, of_pod, of_sample, of_workload
from console.health.facts import Pod, Workload
from console.health.model import Evidence, Finding
from console.health.rule import Answer, WorldRule, finding
from console.health.rules.operators_stuck import STUCK

BACKLOG = 50.0


def operator_down(world: World) -> Answer:
    """The Spark operator itself: not available, killed, backlogged, without a leader."""
    out: list[Finding] = []
    for deployment in world.workloads.get("Deployment", []):
        if not _is_operator(deployment.name, deployment.labels):
            continue
        wanted = deployment.spec.get("replicas", 1)
        available = deployment.status.get("availableReplicas", 0)
        if isinstance(wanted, int) and wanted > 0 and available == 0 and not deployment.gone:
            mine = [
                p
                for p in world.operators
                if p.namespace == deployment.namespace and p.name.startswith(deployment.name + "-")
            ]
            out.append(_operator_finding(world, deployment, mine))
        elif wanted == 0:
            out.append(
                finding(
                    None,
                    "operator-down",
                    "I19",
                    "critical",
                    "high",
                    f"operator {deployment.name} is scaled to zero",
                    subject=deployment.key,
                    evidence=[of_workload(deployment, "spec.replicas 0")],
                    detail="running jobs go on; nothing is submitted, retried or cleaned up",
                )
            )
    if not out:
        out.extend(_operator_pods(world))
    out.extend(_operator_metrics(world))
    out.extend(_operator_logs(world))
    return out or "the operator is available and keeps up, as far as it is seen"


def _is_operator(name: str, labels: dict[str, str]) -> bool:
    if "webhook" in name:
        return "spark" in name
    words = (name, labels.get("app.kubernetes.io/name", ""), labels.get("app", ""))
    return any("spark-operator" in w or "spark-kubernetes-operator" in w for w in words)


def _operator_finding(world: World, deployment: Workload, pods: list[Pod]) -> Finding:
    why = "none of its pods is available"
    for pod in pods:
        for container in pod.containers:
            end = container.terminated or container.last_terminated
            if container.state == "waiting" and container.waiting_reason:
                why = container.waiting_reason
            if end is not None and end.reason == "OOMKilled":
                why = "OOMKilled"
    return finding(
        None,
        "operator-down",
        "I19",
        "critical",
        "high",
        f"operator {deployment.name} is not available: {why}",
        subject=deployment.key,
        detail="running jobs go on; nothing is submitted, retried or cleaned up",
        evidence=[
            of_workload(deployment, f"availableReplicas 0 of {deployment.spec.get('replicas', 1)}"),
            *[of_pod(p, f"{p.phase}, restarts {sum(c.restarts for c in p.containers)}") for p in pods[:2]],
        ],
        questions=["why: its previous log, its memory limit, its rights, the version of the CRDs"],
        data={"why": why},
    )


def _operator_pods(world: World) -> list[Finding]:
    out = []
    for pod in world.operators:
        if not _is_operator(pod.name, pod.labels) or "spark-role" in pod.labels or pod.gone:
            continue
        for container in pod.containers:
            if container.state == "waiting" and container.waiting_reason in (
                "CrashLoopBackOff",
                "ImagePullBackOff",
                "ErrImagePull",
            ):
                out.append(
                    finding(
                        None,
                        "operator-down",
                        "I19",
                        "critical",
                        "high",
                        f"operator pod {pod.name}: {container.waiting_reason}",
                        subject=pod.key,
                        detail="running jobs go on; nothing is submitted, retried or cleaned up",
                        evidence=[of_pod(pod, f"{container.waiting_reason}, restarts {container.restarts}")],
                    )
                )
                break
    return out


def _operator_metrics(world: World) -> list[Finding]:
    deep = [
        s for s in world.samples.get("workqueue_depth", []) if "spark" in s.labels.get("name", "") and s.value > BACKLOG
    ]
    slow = [
        s
        for s in world.samples.get("workqueue_longest_running_processor_seconds", [])
        if "spark" in s.labels.get("name", "") and s.value > STUCK
    ]
    gone = [
        s
        for s in world.samples.get("kube_deployment_status_replicas_available", [])
        if "spark-operator" in s.labels.get("deployment", "") and s.value == 0
    ]
    if not deep and not slow and not gone:
        return []
    down = bool(gone)
    return [
        finding(
            None,
            "operator-down" if down else "operator-backlog",
            "I19",
            "critical" if down else "warning",
            "high" if down else "medium",
            "operator has no available replica" if down else "operator is behind: its queue grows or a reconcile hangs",
            subject=f"Deployment/{gone[0].labels.get('namespace', '')}/{gone[0].labels.get('deployment', '')}"
            if down
            else "Component//spark-operator",
            evidence=[of_sample(s) for s in (*gone[:1], *deep[:2], *slow[:1])],
            questions=["API throttling (429), leader election, memory: the operator's log"],
        )
    ]


def _operator_logs(world: World) -> list[Finding]:
    out = []
    for text in world.shared:
        if text.log.role != "operator":
            continue
        for needle, why in (
            ("leader election lost", "it lost its leader lease"),
            ("problem running manager", "its manager ended"),
        ):
            if needle in text.text:
                index = text.line_of(text.text.rfind(needle))
                line = text.line(index)
                out.append(
                    finding(
                        None,
                        "operator-down",
                        "I19",
                        "critical",
                        "medium",
                        f"the operator stopped: {why}",
                        subject="Component//spark-operator",
                        evidence=[Evidence("log", f"{text.log.origin.locator}:{index + 1}", excerpt(line))],
                        questions=[
                            "whether it runs again: its pod's restarts, who holds its Lease, newer lines of its log"
                        ],
                    )
                )
                break
    return out


RULES = [
    WorldRule("operator-down", "I19", operator_down),
]
