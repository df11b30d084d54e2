"""Claims (I09), object stores (I22, I23), the Hive metastore (I24), event logs and the History Server (I25)."""

from __future__ import annotations

import re

from console.health import deaths
from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_pod, of_rest, of_sample, of_workload
from console.health.facts import Event
from console.health.logs import Hit
from console.health.model import Confidence, Evidence, Finding, Severity
from console.health.rule import Answer, Rule, WorldRule, finding, severity_of

FULL = 0.1
"""Share of a volume or of its inodes left below which it is filling up."""
_DENIED = (
    (("RequestTimeTooSkewed",), "clock", "the clock of the node is wrong: signatures are refused"),
    (("ExpiredToken", "The provided token has expired"), "expired", "the credentials have expired"),
    (
        (
            "NoAuthWithAWSException",
            "NoAwsCredentialsException",
            "No AWS Credentials",
            "Unable to load credentials",
            "Unable to load AWS credentials",
        ),
        "none",
        "there are no credentials",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "failed to authenticate"),
        "identity",
        "the access key is unknown or wrong",
    ),
    (
        ("AccessDenied", "Status Code: 403", "does not have storage", "AuthorizationPermissionMismatch"),
        "policy",
        "the identity lacks the right (bucket policy, KMS key)",
    ),
)
_BUCKET = re.compile(r"(?:s3a?|gs|abfss?|wasbs?)://[\w.@-]+(?:/[\w./=-]{0,80})?")
_S3 = re.compile(r"s3a?://|hadoop\.fs\.s3a|services\.s3\.|Service: (?:Amazon )?S3")
_THRIFT = re.compile(r"thrift://([\w.-]+:\d+)")
_DROPPED = re.compile(r"Dropping event from queue (\w+)|Dropped (\d+) events from (\w+) since")


def object_store_denied(case: Case) -> Answer:
    """The object store refuses: identity, expiry, rights, clock."""
    hits = [h for h in case.hits("s3-denied", roles=("driver", "executor", "submit", "other")) if _store(h)]
    stages = _stages(case, ("AccessDenied", "Status Code: 403", "NoAuthWithAWS", "ExpiredToken"))
    if not hits and not stages:
        return "no object store refused access"
    body = " ".join(h.record.body[:2_000] for h in hits[:20]) + " ".join(e.excerpt for e in stages)
    word, why = next(
        ((w, y) for words, w, y in _DENIED if any(k in body for k in words)), ("policy", "access is denied")
    )
    bucket = _BUCKET.search(body)
    return [
        finding(
            case,
            "object-store-denied",
            "I22",
            severity_of(case),
            "high" if any(_S3.search(h.record.body + h.text) for h in hits) else "medium",
            f"object store denies access: {why}",
            detail=bucket.group(0) if bucket else why,
            evidence=[*[of_hit(h) for h in _spread(hits)], *stages[:1]],
            ruled_out=[
                ("I23", "the answer is 403, not 503: it is no throttling"),
                ("user code", "the store refused the identity"),
            ],
            questions=["one job or all: all at once is a rotated secret, one is a policy"],
            data={"cause": word, "bucket": bucket.group(0) if bucket else ""},
        )
    ]


def _store(hit: Hit) -> bool:
    """An `AccessDeniedException` of a local file is not an object store's."""
    body = hit.record.body + hit.text
    if "AccessDeniedException" in hit.text and not re.search(
        r"s3|gs://|abfs|wasb|amazonaws|storage", body, re.IGNORECASE
    ):
        return False
    return hit.record.level != "INFO"


def _spread(hits: list[Hit]) -> list[Hit]:
    return [*hits[:2], *hits[-1:]] if len(hits) > 2 else hits


def _stages(case: Case, words: tuple[str, ...]) -> list[Evidence]:
    out = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if any(w in reason for w in words):
            out.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    return out


def object_store_throttled(case: Case) -> Answer:
    """The object store slows the application down: 503 SlowDown."""
    hits = case.hits("s3-throttled", roles=("driver", "executor"))
    stages = _stages(case, ("SlowDown", "Status Code: 503", "AWSServiceThrottledException"))
    if not hits and not stages:
        return "no object store asked for fewer requests"
    body = " ".join(h.record.body[:1_000] for h in hits[:20])
    bucket = _BUCKET.search(body)
    severity: Severity = severity_of(case)
    return [
        finding(
            case,
            "object-store-throttled",
            "I23",
            severity,
            "high" if (len(hits) > 1 or stages) and _S3.search(body + str(stages)) else "medium",
            "object store throttles: 503 SlowDown",
            detail=bucket.group(0) if bucket else "too many requests for one prefix or endpoint",
            evidence=[*[of_hit(h) for h in _spread(hits)], *stages[:1]],
            ruled_out=[("I22", "the store answers 503: the identity is accepted")],
            questions=[
                "one hot prefix, a commit of many files, or a store with a node down: requests per prefix and the "
                "store's own health"
            ],
            data={"hits": len(hits), "bucket": bucket.group(0) if bucket else ""},
        )
    ]


def object_store_unreachable(case: Case) -> Answer:
    """The object store cannot be reached at all."""
    hits = case.hits("s3-unreachable", roles=("driver", "executor"))
    if not hits or case.hits("s3-throttled"):
        return "the object store could be reached"
    return [
        finding(
            case,
            "object-store-unreachable",
            "I23",
            severity_of(case),
            "low",
            "object store cannot be reached",
            evidence=[of_hit(h) for h in hits[:3]],
            questions=["network, DNS, endpoint or the store itself: reach the endpoint from the driver's node"],
            data={"bucket": found.group(0) if (found := _BUCKET.search(hits[0].record.body[:2_000])) else ""},
        )
    ]


def jar_missing(case: Case) -> Answer:
    """The image lacks the object store's connector."""
    hits = case.hits("s3-class-missing", roles=("driver", "executor", "submit"))
    if not hits:
        return "the connector of the object store is there"
    return [
        finding(
            case,
            "object-store-jar-missing",
            None,
            severity_of(case, fatal=True),
            "high",
            "the image lacks hadoop-aws: S3AFileSystem not found",
            evidence=[of_hit(h) for h in hits[:2]],
            ruled_out=[("I22", "no request was ever sent")],
        )
    ]


def metastore(case: Case) -> Answer:
    """The Hive metastore does not answer, or answers with an error."""
    hits = case.hits("metastore", roles=("driver", "other"))
    thrift = [
        h
        for h in case.hits("thrift", roles=("driver", "other"))
        if "metastore" in h.record.body.lower() or "hive" in h.record.body.lower()
    ]
    errors = [h for h in case.hits("metastore-error", roles=("driver", "other")) if "Could not connect" not in h.text]
    if not hits and not thrift and not errors:
        return "nothing says that the metastore failed"
    body = " ".join(f"{h.text} {h.record.body}" for h in (*hits[:12], *thrift[:5], *errors[:5]))
    if "Connection refused" in body:
        word, why = "refused", "connection refused: the metastore's pod or service is down"
    elif "timed out" in body.lower() or "Read timed out" in body or "Deadline exceeded" in body:
        word, why = "timeout", "it does not answer in time: its database, its pool, or a long partition listing"
    elif errors and not hits:
        word, why = "error", "it answers with an error (schema, rights, missing object)"
    else:
        word, why = "unreachable", "no URI of the metastore could be connected"
    recovered = case.succeeded and not errors
    return [
        finding(
            case,
            "metastore-down",
            "I24",
            "warning" if recovered else severity_of(case, fatal=case.group is None and bool(hits)),
            "high" if hits else "medium",
            f"Hive metastore: {why}",
            detail="the driver retried and went on" if recovered else why,
            evidence=[of_hit(h) for h in (*_spread(hits), *thrift[:1], *errors[:1])],
            ruled_out=[("user code", "the catalog failed before any table was read")],
            questions=[
                "whether the metastore answers at all: `show databases` from another client, its pod and its database"
            ],
            data={"cause": word, "address": _address(case, body)},
        )
    ]


def _address(case: Case, body: str) -> str:
    """Which metastore: `host:port` by the log, else by the configuration; `` where neither tells."""
    found = _THRIFT.search(body)
    if found is None:
        conf = case.app.conf
        uris = conf.get("spark.hadoop.hive.metastore.uris") or conf.get("spark.hive.metastore.uris") or ""
        found = _THRIFT.search(uris)
    return found.group(1) if found is not None else ""


def listener_drops(case: Case) -> Answer:
    """The driver drops listener events: UI, REST and event log are wrong from then on."""
    hits = case.hits("listener-drop", "listener-dropped", roles=("driver",))
    series = [
        s
        for name, found in case.world.samples.items()
        if "LiveListenerBus_queue_" in name and name.endswith("numDroppedEvents_Count")
        for s in found
        if s.value > 0
        and (not case.app.app_id or case.app.app_id.replace("-", "_") in name or len(case.world.apps) == 1)
    ]
    if not hits and not series:
        return "no listener event was dropped"
    queues = sorted({m.group(1) or m.group(3) for h in hits if (m := _DROPPED.search(h.record.body))} - {None})
    return [
        finding(
            case,
            "listener-drops",
            "I25",
            "warning",
            "high",
            f"listener events were dropped ({', '.join(q for q in queues if q) or 'see metric'}): REST, UI and "
            f"event log are incomplete",
            subject=case.driver_subject,
            detail="the job itself is not affected; numbers of UI and REST are wrong from here on",
            evidence=[*[of_hit(h) for h in hits[:3]], *[of_sample(s) for s in series[:2]]],
            data={"queues": queues},
        )
    ]


def history_server(case: Case) -> Answer:
    """Event logs that cannot be written or read."""
    full = [h for h in case.hits("disk-full", roles=("driver",)) if of_event_log(h)]
    hits = [*case.hits("history-error"), *full]
    if not hits:
        return "event logs can be written and read"
    questions = [
        "whether the directory exists and may be written by this identity; whether the History Server reads "
        "rolling logs"
    ]
    if full:
        questions.insert(0, "which volume spark.eventLog.dir lies on: a claim that is full is I09")
    return [
        finding(
            case,
            "event-log-broken",
            "I25",
            "warning" if not case.failed else "critical",
            "medium",
            "event logs cannot be written: no space left" if full else "event logs cannot be written or read",
            evidence=[of_hit(h) for h in hits[:3]],
            questions=questions,
        )
    ]


def of_event_log(hit: Hit) -> bool:
    """Whether it was the event log that could not be written."""
    return "EventLoggingListener" in hit.record.body or "EventLogFileWriter" in hit.record.body


def history_pods(world: World) -> Answer:
    """The History Server's own pods: killed, crashing, not started."""
    out: list[Finding] = []
    for pod in world.facts.pods:
        if "spark-role" in pod.labels or pod.gone:
            continue
        names = (pod.name, pod.labels.get("app.kubernetes.io/name", ""), pod.labels.get("app", ""))
        if not any("history-server" in n or "historyserver" in n for n in names):
            continue
        main = pod.main
        end = (main.terminated or main.last_terminated) if main is not None else None
        crashing = main is not None and (main.waiting_reason == "CrashLoopBackOff" or main.restarts >= 3)
        if main is None or not (crashing or (end is not None and end.reason == "OOMKilled")):
            continue
        how = f"exit code {end.exit_code} {end.reason}" if end is not None else main.waiting_reason
        out.append(
            finding(
                None,
                "history-server-down",
                "I25",
                "warning",
                "medium",
                f"History Server {pod.name} does not stay up: {how}",
                subject=pod.key,
                evidence=[of_pod(pod, f"{main.waiting_reason or pod.phase}, restarts {main.restarts}, last {how}")],
                questions=["its log; spark.history.store.path and the memory of its heap, where it was OOMKilled"],
                data={"pods": [pod.key]},
            )
        )
    return out or "no pod of a History Server crashes, as far as it is seen"


def claims(world: World) -> Answer:
    """Claims that stay Pending, do not mount, or fill up."""
    out: list[Finding] = []
    users: dict[tuple[str, str], list[str]] = {}
    for pod in world.facts.pods if world.workloads.get("PersistentVolumeClaim") else ():
        for volume in pod.volumes:
            claim = volume.get("persistentVolumeClaim")
            if isinstance(claim, dict) and isinstance(claim.get("claimName"), str) and not deaths.over(pod):
                users.setdefault((pod.namespace, claim["claimName"]), []).append(pod.key)
    classes = {w.name: w for w in world.workloads.get("StorageClass", [])}
    for claim in world.workloads.get("PersistentVolumeClaim", []):
        if claim.status.get("phase") != "Pending" or claim.gone:
            continue
        used = users.get((claim.namespace, claim.name), [])
        events = world.events.get(claim.key, [])
        waits = [e for e in events if e.reason == "WaitForFirstConsumer"]
        failed = [e for e in events if e.type == "Warning"]
        wanted = claim.spec.get("storageClassName")
        missing = isinstance(wanted, str) and bool(classes) and wanted not in classes
        if not failed and not missing and ((waits and not used) or not used):
            continue
        why = (
            f"storage class {wanted} does not exist"
            if missing
            else (failed[-1].message if failed else "no volume was made for it")
        )
        out.append(
            finding(
                None,
                "pvc-pending",
                "I09",
                "critical" if used else "warning",
                "high" if failed or missing else "medium",
                f"claim {claim.name} is Pending: {why[:120]}",
                subject=claim.key,
                since=claim.created,
                evidence=[
                    of_workload(claim, f"phase Pending, storageClassName {wanted}"),
                    *[of_event(e) for e in failed[-2:]],
                ],
                ruled_out=[]
                if not waits
                else [("healthy", "WaitForFirstConsumer is normal only while no pod uses the claim")],
                questions=["storage class, quota or zone: the events of the claim"],
                data={"claim": claim.name, "pods": used},
            )
        )
    out.extend(_filling(world))
    out.extend(_unmounted(world))
    return out or "every claim is bound, mounted and has room"


def _filling(world: World) -> list[Finding]:
    out = []
    for free_name, size_name, word in (
        ("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes", "space"),
        ("kubelet_volume_stats_inodes_free", "kubelet_volume_stats_inodes", "inodes"),
    ):
        sizes = {
            (s.labels.get("namespace"), s.labels.get("persistentvolumeclaim")): s.value
            for s in world.samples.get(size_name, [])
        }
        for sample in world.samples.get(free_name, []):
            key = (sample.labels.get("namespace"), sample.labels.get("persistentvolumeclaim"))
            size = sizes.get(key)
            if size and sample.value / size < FULL:
                out.append(
                    finding(
                        None,
                        "pvc-filling",
                        "I09",
                        "critical" if sample.value / size < FULL / 5 else "warning",
                        "high",
                        f"claim {key[1]} has {sample.value / size:.0%} of its {word} left",
                        subject=f"PersistentVolumeClaim/{key[0]}/{key[1]}",
                        since=sample.at,
                        evidence=[of_sample(sample)],
                        data={"claim": key[1], "free": sample.value, "size": size, "what": word},
                    )
                )
    return out


def _unmounted(world: World) -> list[Finding]:
    """Pods that wait for a volume. The ConfigMap of a driver that is a moment late is none of these."""
    out = []
    for pod in world.facts.pods:
        if pod.phase not in ("Pending", "Unknown") or "spark-role" not in pod.labels or deaths.over(pod):
            continue
        if any(e.reason == "Started" for e in world.events.get(pod.key, [])):
            continue
        events = [
            e
            for e in world.events.get(pod.key, [])
            if e.reason in ("FailedMount", "FailedAttachVolume")
            and (e.count >= 3 or e.reason == "FailedAttachVolume" or _lasting(e))
            and "conf-map" not in e.message
            and "failed to sync" not in e.message
        ]
        if events:
            claim = any(
                any(word in e.message.lower() for word in ("persistentvolumeclaim", "attach", "pvc-", "csi"))
                or "Attach" in e.reason
                for e in events
            )
            confidence: Confidence = "medium" if claim else "low"
            out.append(
                finding(
                    None,
                    "volume-not-mounted",
                    "I09" if claim else None,
                    "critical",
                    confidence,
                    f"{pod.name} waits for a volume: {events[-1].message[:110]}",
                    subject=pod.key,
                    evidence=[of_pod(pod), *[of_event(e) for e in events[-2:]]],
                    questions=[
                        "which volume: whether its claim, Secret or ConfigMap exists, and who else holds the disk"
                    ],
                    data={"pods": [pod.name]},
                )
            )
    return out


def _lasting(event: Event) -> bool:
    return event.first is not None and event.last is not None and event.last - event.first >= 60


RULES = [
    Rule("object-store-denied", "I22", object_store_denied),
    Rule("object-store-throttled", "I23", object_store_throttled),
    Rule("object-store-unreachable", "I23", object_store_unreachable),
    Rule("object-store-jar-missing", None, jar_missing),
    Rule("metastore-down", "I24", metastore),
    Rule("listener-drops", "I25", listener_drops),
    Rule("event-log-broken", "I25", history_server, after=("object-store-denied",)),
    WorldRule("pvc-pending", "I09", claims),
    WorldRule("history-server-down", "I25", history_pods),
]
