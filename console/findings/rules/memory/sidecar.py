"""Other containers of Spark pods: their end is not Spark's own memory, though the pod shows 137 or OOMKilled."""

from __future__ import annotations

from console.apps import deaths
from console.apps.evidence import of_pod
from console.findings.case import Case
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding


def other_container(case: Case) -> Answer:
    """Another container of a Spark pod ended badly: not Spark's own memory, though the pod shows 137 or OOMKilled."""
    out: list[Finding] = []
    for pod in case.pods:
        main = pod.main
        for container in pod.containers:
            end = container.terminated or container.last_terminated
            if container is main or end is None or container.role == "init":
                continue
            if end.reason == "OOMKilled":
                out.append(
                    finding(
                        case,
                        "sidecar-oom",
                        None,
                        "warning",
                        "high",
                        f"container {container.name} of {pod.name} OOMKilled: not Spark's own memory",
                        subject=pod.key,
                        evidence=[
                            of_pod(pod, f"container {container.name} terminated: exit code {end.exit_code}, OOMKilled")
                        ],
                        ruled_out=[("I01", "the Spark container was not the one that was killed")],
                    )
                )
            elif end.exit_code not in (0, None, 137, 143) and container.restarts >= 3 and not deaths.over(pod):
                out.append(
                    finding(
                        case,
                        "sidecar-crash",
                        None,
                        "warning",
                        "high",
                        f"container {container.name} of {pod.name} crashes again and again (exit code {end.exit_code})",
                        subject=pod.key,
                        evidence=[of_pod(pod, f"container {container.name} restarted {container.restarts} times")],
                    )
                )
    return out or "no other container of its pods was killed or crashes again and again"


RULES = [Rule("sidecar-oom", None, other_container)]
