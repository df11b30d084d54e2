"""The operator itself: not available, killed, backlogged, without a leader (I19)."""

from __future__ import annotations

from console.apps.evidence import excerpt, of_pod, of_sample, of_workload
from console.facts.evidence import Evidence
from console.facts.model import Pod, Sample, Workload
from console.findings.case import ClusterView
from console.findings.figures.operators import OperatorFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.operators.stuck import STUCK

BACKLOG = 50.0
_MEANWHILE = "running jobs go on; nothing is submitted, retried or cleaned up"


def operator_down(world: ClusterView) -> Answer:
    """The Spark operator itself: not available, killed, backlogged, without a leader."""
    deployments = [d for d in world.workloads.get("Deployment", []) if _is_operator(d.name, d.labels)]
    out = [found for one in deployments if (found := _unavailable(world, one)) is not None]
    if not out:
        out.extend(_operator_pods(world))
    out.extend(_operator_metrics(world))
    out.extend(_operator_logs(world))
    return out or "the operator is available and keeps up, as far as it is seen"


def _unavailable(world: ClusterView, deployment: Workload) -> Finding | None:
    """An operator that is scaled to zero, or of which no replica is available."""
    wanted = deployment.spec.get("replicas", 1)
    available = deployment.status.get("availableReplicas", 0)
    if wanted == 0:
        return finding(
            None,
            "operator-down",
            "I19",
            "critical",
            "high",
            f"operator {deployment.name} is scaled to zero",
            subject=deployment.key,
            since=deployment.changed,  # at the latest: nobody wrote to it since
            evidence=[of_workload(deployment, "spec.replicas 0")],
            detail=_MEANWHILE,
            data=OperatorFigures(),
        )
    if not isinstance(wanted, int) or wanted < 0 or available != 0 or deployment.gone:
        return None
    prefix = deployment.name + "-"
    pods = [p for p in world.operators if p.namespace == deployment.namespace and p.name.startswith(prefix)]
    return _operator_finding(deployment, pods)


def _is_operator(name: str, labels: dict[str, str]) -> bool:
    if "webhook" in name:
        return "spark" in name
    words = (name, labels.get("app.kubernetes.io/name", ""), labels.get("app", ""))
    return any("spark-operator" in w or "spark-kubernetes-operator" in w for w in words)


def _operator_finding(deployment: Workload, pods: list[Pod]) -> Finding:
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
        detail=_MEANWHILE,
        evidence=[
            of_workload(deployment, f"availableReplicas 0 of {deployment.spec.get('replicas', 1)}"),
            *[of_pod(p, f"{p.phase}, restarts {sum(c.restarts for c in p.containers)}") for p in pods[:2]],
        ],
        questions=["why: its previous log, its memory limit, its rights, the version of the CRDs"],
        data=OperatorFigures(why=why),
    )


def _operator_pods(world: ClusterView) -> list[Finding]:
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
                        detail=_MEANWHILE,
                        evidence=[of_pod(pod, f"{container.waiting_reason}, restarts {container.restarts}")],
                        data=OperatorFigures(),
                    )
                )
                break
    return out


def _operator_metrics(world: ClusterView) -> list[Finding]:
    gone = [s for s in _of_spark(world, "kube_deployment_status_replicas_available", "deployment") if s.value == 0]
    deep = [s for s in _of_spark(world, "workqueue_depth", "name") if s.value > BACKLOG]
    slow = [s for s in _of_spark(world, "workqueue_longest_running_processor_seconds", "name") if s.value > STUCK]
    proof = [of_sample(s) for s in (*gone[:1], *deep[:2], *slow[:1])]
    questions = ["API throttling (429), leader election, memory: the operator's log"]
    if gone:
        labels = gone[0].labels
        return [
            finding(
                None,
                "operator-down",
                "I19",
                "critical",
                "high",
                "operator has no available replica",
                subject=f"Deployment/{labels.get('namespace', '')}/{labels.get('deployment', '')}",
                evidence=proof,
                questions=questions,
                data=OperatorFigures(),
            )
        ]
    if not deep and not slow:
        return []
    return [
        finding(
            None,
            "operator-backlog",
            "I19",
            "warning",
            "medium",
            "operator is behind: its queue grows or a reconcile hangs",
            subject="Component//spark-operator",
            evidence=proof,
            questions=questions,
        )
    ]


def _of_spark(world: ClusterView, series: str, label: str) -> list[Sample]:
    """Samples of a series whose label names an operator of Spark."""
    word = "spark-operator" if label == "deployment" else "spark"
    return [s for s in world.samples.get(series, []) if word in s.labels.get(label, "")]


def _operator_logs(world: ClusterView) -> list[Finding]:
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
                        data=OperatorFigures(),
                    )
                )
                break
    return out


RULES = [
    WorldRule("operator-down", "I19", operator_down),
]
