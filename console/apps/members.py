"""The driver and the executors of an application: from their pods, from the operator's status, from Spark's REST."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from console.apps import deaths
from console.apps.groups import Group
from console.apps.model import Death, Member
from console.base.clock import parse_time
from console.facts.model import Event, Pod
from console.facts.podnames import executor_of_name, executor_of_pod
from console.facts.rest import RestView, text

GPU_RESOURCE = re.compile(r"nvidia\.com/(gpu|gpu\.shared|mig-.+)|amd\.com/gpu|gpu\.intel\.com/.+")
"""Extended resources that are GPUs, whole, shared or MIG instances."""


def member_of(
    pod: Pod,
    role: Any,
    *,
    attempt: int = 0,
    events: Sequence[Event] = (),
    stop: float | None = None,
    app_over: bool = False,
    used: tuple[float, float | None] | None = None,
) -> Member:
    """A pod as driver or executor of an application."""
    main = pod.main
    killed = deaths.death(pod, events=events, stop=stop, app_over=app_over)
    limits = main.limits if main is not None else {}
    requests = main.requests if main is not None else {}
    waiting = ""
    if main is not None and main.state == "waiting" and not deaths.over(pod):
        waiting = main.waiting_reason
    elif pod.phase == "Pending" and main is not None and main.state == "unknown":
        scheduled = pod.condition("PodScheduled")
        waiting = scheduled.reason if scheduled is not None and scheduled.status == "False" else ""
    return Member(
        id=executor_of_pod(pod) if role == "executor" else "driver",
        role=role,
        state=_word(pod, killed),
        pod=pod.name,
        namespace=pod.namespace,
        node=pod.node,
        ready=main.ready if main is not None else False,
        created=pod.created,
        ended=deaths.ended_at(pod),
        death=killed,
        attempt=attempt,
        memory_limit=limits.get("memory"),
        memory_request=requests.get("memory"),
        cpu_request=requests.get("cpu"),
        gpus=gpus(limits) or gpus(requests),
        memory_used=used[0] if used is not None else None,
        memory_at=used[1] if used is not None else None,
        restarts=main.restarts if main is not None else 0,
        gone=pod.gone,
        waiting=waiting,
        captured=pod.origin.source == "captured",
    )


def gpus(resources: dict[str, float]) -> float:
    """GPUs of a resource list, MIG slices counted one each."""
    found: float = 0
    for name, count in resources.items():
        if "/" in name and GPU_RESOURCE.fullmatch(name):
            found += count
    return found


def _word(pod: Pod, killed: Death | None) -> str:
    if killed is not None:
        if killed.kind in ("container-oom", "python-oom"):
            return "OOMKilled"
        if killed.kind in ("evicted", "disk-limit"):
            return "Evicted"
        if killed.kind == "preempted":
            return "Preempted"
        if killed.kind in ("deleted", "drained"):
            return "Deleted"
        if killed.harmless:
            return "Succeeded"
        return "Failed"
    if pod.deleted is not None:
        return "Terminating"
    return pod.phase


def share_of(pod: Pod, member: Member) -> tuple[float, float, float]:
    """CPU, memory and GPUs that a pod asks for."""
    cpu = memory = 0.0
    for container in pod.containers:
        if container.role != "init":
            cpu += container.requests.get("cpu", 0.0)
            memory += container.requests.get("memory", 0.0)
    return cpu, memory, member.gpus


def heap_of(pod: Pod) -> str:
    """Heap of an executor as Spark gave it to the pod; empty where the pod does not say."""
    main = pod.main
    return main.env.get("SPARK_EXECUTOR_MEMORY", "") if main is not None else ""


def members_without_pod(group: Group, members: list[Member], attempt: int) -> list[Member]:
    """Executors that only the operator's status still knows."""
    states = group.cr.status.get("executorState") if group.cr is not None else None
    if not isinstance(states, dict):
        return []
    known = {m.pod for m in members}
    words = {"COMPLETED": "Succeeded", "FAILED": "Failed", "RUNNING": "Running", "PENDING": "Pending"}
    return [
        Member(
            id=executor_of_name(str(name)),
            role="executor",
            state=words.get(str(state), "Unknown"),
            pod=str(name),
            namespace=group.namespace,
            attempt=attempt,
            gone=True,
        )
        for name, state in states.items()
        if name not in known
    ]


def members_of_rest(rest: RestView, members: list[Member], attempt: int) -> list[Member]:
    """Executors that only Spark's REST still knows."""
    if not rest:
        return []
    known = {m.id for m in members}
    out: list[Member] = []
    for key, row in rest.executors.items():
        if key == "driver" or key in known:
            continue
        active = row.get("isActive") is True
        out.append(
            Member(
                id=key,
                role="executor",
                state="Running" if active else "Failed",
                node=text(row, "hostPort").rpartition(":")[0],
                created=parse_time(text(row, "addTime")),
                ended=parse_time(text(row, "removeTime")),
                attempt=attempt,
                gone=not active,
            )
        )
    return out


def running_without_pod(members: Sequence[Member]) -> int:
    """Executors that run and are known by REST only."""
    return sum(1 for m in members if m.state == "Running" and not m.pod)
