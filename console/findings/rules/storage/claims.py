"""Volume claims that stay Pending, do not mount, or fill up (I09)."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps import deaths
from console.apps.evidence import of_event, of_pod, of_sample, of_workload
from console.base.text import shorten
from console.facts.model import Event, Pod, Sample, Workload
from console.findings.case import ClusterView
from console.findings.figures.base import Figures
from console.findings.figures.storage import FillingClaimFigures, WaitingClaimFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

FULL = 0.1
"""Share of a volume or of its inodes left below which it is filling up."""


def claims(world: ClusterView) -> Answer:
    """Claims that stay Pending, do not mount, or fill up."""
    out = [*_pending(world), *_filling(world), *_unmounted(world)]
    return out or "every claim is bound, mounted and has room"


def _pending(world: ClusterView) -> list[Finding]:
    known = [c for c in world.workloads.get("PersistentVolumeClaim", []) if not c.gone]
    users = _users(world) if known else {}
    classes = {w.name for w in world.workloads.get("StorageClass", [])}
    out = []
    for claim in known:
        if claim.status.get("phase") == "Pending":
            used = users.get((claim.namespace, claim.name), [])
            found = _unbound(claim, used, world.events.get(claim.key, []), classes)
            if found is not None:
                out.append(found)
    return out


def _users(world: ClusterView) -> dict[tuple[str, str], list[str]]:
    """(namespace, name) of a claim → keys of the living pods that use it."""
    users: dict[tuple[str, str], list[str]] = {}
    for pod in world.facts.pods:
        for volume in pod.volumes:
            claim = volume.get("persistentVolumeClaim")
            if isinstance(claim, dict) and isinstance(claim.get("claimName"), str) and not deaths.over(pod):
                users.setdefault((pod.namespace, claim["claimName"]), []).append(pod.key)
    return users


def _unbound(claim: Workload, used: list[str], events: Sequence[Event], classes: set[str]) -> Finding | None:
    """A claim that waits for its volume and is used, or of which something says why it gets none. None is wrong with
    one that waits for its first consumer."""
    failed = [e for e in events if e.type == "Warning"]
    wanted = claim.spec.get("storageClassName")
    missing = isinstance(wanted, str) and bool(classes) and wanted not in classes
    if not failed and not missing and not used:
        return None
    if missing:
        why = f"storage class {wanted} does not exist"
    else:
        why = failed[-1].message if failed else "no volume was made for it"
    normal = ("healthy", "WaitForFirstConsumer is normal only while no pod uses the claim")
    return finding(
        None,
        "pvc-pending",
        "I09",
        "critical" if used else "warning",
        "high" if failed or missing else "medium",
        f"claim {claim.name} is Pending: {shorten(why, 240, middle=True)}",
        subject=claim.key,
        since=claim.created,
        evidence=[
            of_workload(claim, f"phase Pending, storageClassName {wanted}"),
            *[of_event(e) for e in failed[-2:]],
        ],
        ruled_out=[normal] if any(e.reason == "WaitForFirstConsumer" for e in events) else [],
        questions=["storage class, quota or zone: the events of the claim"],
        data=WaitingClaimFigures(pods=tuple(used), claim=claim.name),
    )


def _filling(world: ClusterView) -> list[Finding]:
    out = []
    for free_name, size_name, word in (
        ("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes", "space"),
        ("kubelet_volume_stats_inodes_free", "kubelet_volume_stats_inodes", "inodes"),
    ):
        sizes = {_claim_of(s): s.value for s in world.samples.get(size_name, [])}
        for sample in world.samples.get(free_name, []):
            size = sizes.get(_claim_of(sample))
            if size and sample.value / size < FULL:
                out.append(_almost_full(sample, size, word))
    return out


def _claim_of(sample: Sample) -> tuple[str | None, str | None]:
    return sample.labels.get("namespace"), sample.labels.get("persistentvolumeclaim")


def _almost_full(free: Sample, size: float, word: str) -> Finding:
    namespace, name = _claim_of(free)
    left = free.value / size
    return finding(
        None,
        "pvc-filling",
        "I09",
        "critical" if left < FULL / 5 else "warning",
        "high",
        f"claim {name} has {left:.0%} of its {word} left",
        subject=f"PersistentVolumeClaim/{namespace}/{name}",
        since=free.at,
        evidence=[of_sample(free)],
        data=FillingClaimFigures(claim=name, what=word, free=free.value, size=size),
    )


def _unmounted(world: ClusterView) -> list[Finding]:
    """Spark pods that wait for a volume."""
    out = []
    for pod in world.facts.pods:
        if pod.phase in ("Pending", "Unknown") and "spark-role" in pod.labels and not deaths.over(pod):
            events = world.events.get(pod.key, [])
            failed = [e for e in events if _fails_to_mount(e)]
            if failed and not any(e.reason == "Started" for e in events):
                out.append(_without_volume(pod, failed))
    return out


def _fails_to_mount(event: Event) -> bool:
    """Whether it says that a volume does not come, and not just now: the ConfigMap of a driver may be a moment late."""
    if "failed to sync" in event.message:
        return False
    if "conf-map" in event.message:
        return event.count >= _OFTEN or _lasting(event, _LATE)
    if event.reason == "FailedMount":
        return event.count >= 3 or _lasting(event)
    return event.reason == "FailedAttachVolume"


_OFTEN = 5
_LATE = 120.0
"""How often, or for how many seconds, a driver's own ConfigMap is missed until it will not come any more."""


def _lasting(event: Event, seconds: float = 60.0) -> bool:
    return event.first is not None and event.last is not None and event.last - event.first >= seconds


def _without_configmap(pod: Pod, events: list[Event]) -> Finding:
    """A driver whose ConfigMap was never made: spark-submit ended between the two."""
    return finding(
        None,
        "driver-configmap-missing",
        "I17",
        "critical",
        "high",
        f"{pod.name} waits for its own ConfigMap, which was never made: "
        + shorten(events[-1].message, 240, middle=True),
        subject=pod.key,
        detail="spark-submit makes the pod first and its ConfigMap after it; it ended in between (an operator that was "
        "throttled, killed or restarted); for the platform: delete this driver, which never started, so that it is "
        "submitted again",
        evidence=[of_pod(pod), *[of_event(e) for e in events[-2:]]],
        ruled_out=[("a late ConfigMap", "it was missed again and again, for minutes")],
        questions=["the operator's log, restarts and CPU throttling at the time of the submission"],
        data=Figures(pods=(pod.name,)),
    )


def _without_volume(pod: Pod, events: list[Event]) -> Finding:
    if any("conf-map" in e.message for e in events):
        return _without_configmap(pod, [e for e in events if "conf-map" in e.message])
    words = ("persistentvolumeclaim", "attach", "pvc-", "csi")
    claim = any("Attach" in e.reason or any(word in e.message.lower() for word in words) for e in events)
    return finding(
        None,
        "volume-not-mounted",
        "I09" if claim else None,
        "critical",
        "medium" if claim else "low",
        f"{pod.name} waits for a volume: {shorten(events[-1].message, 240, middle=True)}",
        subject=pod.key,
        evidence=[of_pod(pod), *[of_event(e) for e in events[-2:]]],
        questions=["which volume: whether its claim, Secret or ConfigMap exists, and who else holds the disk"],
        data=Figures(pods=(pod.name,)),
    )


RULES = [WorldRule("pvc-pending", "I09", claims)]
