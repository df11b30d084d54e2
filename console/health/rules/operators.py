"""Submission and webhooks (I17), stuck states (I18), the operator (I19), schedules (I20), start latency (I21)."""

from __future__ import annotations

import re

from msgspec.structs import replace

from console.base.clock import parse_time
from console.base.units import human_duration
from console.health import deaths, logs
from console.health.case import Case, World
from console.health.evidence import excerpt, of_event, of_hit, of_pod, of_sample, of_workload
from console.health.facts import Event, Pod, Sample, Workload
from console.health.logs import Hit
from console.health.model import Evidence, Finding
from console.health.rule import Answer, Rule, WorldRule, finding
from console.health.wordings import WORDINGS

STUCK = 300.0
"""Seconds in a state that should last seconds, after which it is stuck."""
LATE = 300.0
BACKLOG = 50.0
SLOW_START = 120.0
_TRANSIENT = ("SUBMITTED", "PENDING_RERUN", "INVALIDATING", "SUSPENDING", "RESUMING", "FAILING", "SUCCEEDING", "NEW")
_APACHE_TRANSIENT = ("Submitted", "ScheduledToRestart", "DriverRequested", "DriverStarted")
_TIMED_OUT = ("DriverStartTimedOut", "ExecutorsStartTimedOut", "DriverReadyTimedOut", "SchedulingFailure")
_HOOK = re.compile(
    r"failed calling webhook \\?\"([^\"\\]+)|admission webhook \\?\"([^\"\\]+)\\?\" denied the request:? ?(.{0,160})"
)

_TIMEOUT = re.compile(r"[?&]timeout=\w+")


def submission_failed(case: Case) -> Answer:
    """spark-submit failed, or an admission webhook refused or did not answer."""
    hooks = case.hits("webhook", roles=("driver", "submit", "operator", "other"))
    events = [
        e
        for e in case.events
        if e.type == "Warning" and ("webhook" in e.message or e.reason == "SparkApplicationSubmissionFailed")
    ]
    failed = case.app.state.upper() == "SUBMISSION_FAILED" or any(
        word in case.app.message for word in WORDINGS["submit-failed"]
    )
    main_class = _unloadable(case, "driver", "submit")
    message = case.app.message
    if not hooks and not events and not failed and "webhook" not in message:
        if main_class and not any("SparkConnectServer" in h.text for h in main_class):
            return _no_class(case)
        return "the application was submitted"
    if any(f.class_ == "I16" for f in case.so_far):
        return "the submission was refused by quota or RBAC: that is I16"
    text = " ".join([message, *(h.record.body for h in hooks[:5]), *(e.message for e in events)])
    found = _HOOK.search(text)
    if found is not None and found.group(2):
        why = f"webhook {found.group(2)} denied it: {found.group(3)}".strip()
    elif found is not None or "webhook" in text:
        name = found.group(1) if found is not None else ""
        reason = _unreached(text)
        why = f"webhook {name} fails: {reason}".replace("  ", " ")
    else:
        why = _first_error(message) or "see the operator's message"
    cr = case.group.cr if case.group is not None else None
    proof: list[Evidence] = (
        [of_workload(cr, f"state {case.app.state}: {_essence(message)}")] if cr is not None and message else []
    )
    return [
        finding(
            case,
            "submission-failed",
            "I17",
            "critical",
            "high" if "webhook" in text or "Exception" in text else "medium",
            f"submission failed: {why}",
            detail=_essence(message)[:240],
            evidence=[*proof, *[_told(e) for e in events[-2:]], *[of_hit(h) for h in hooks[:2]]],
            ruled_out=[("I18", "the operator gave up: the state is final, not stuck")] if failed else [],
            questions=[]
            if "webhook" in text or "Exception" in text
            else ["the operator's log around this time: the output of spark-submit (quota, rights, image, arguments)"],
            data={"why": why},
        )
    ]


def _no_class(case: Case) -> list[Finding]:
    hits = _unloadable(case, "driver", "submit")
    return [
        finding(
            case,
            "main-class-missing",
            None,
            "critical",
            "high",
            "the main class is not in the image or the jar",
            evidence=[of_hit(h) for h in hits[:2]],
        )
    ]


def _unloadable(case: Case, *roles: str) -> list[Hit]:
    """Main classes that could not be loaded; SLF4J says the same of a binding that nobody needs."""
    return [h for h in case.hits("no-main-class", roles=roles) if "SLF4J" not in h.text and "org.slf4j" not in h.text]


def _unreached(text: str) -> str:
    """Why a webhook was not asked. Every such message names the URL with its `?timeout=`, which says nothing."""
    low = _TIMEOUT.sub("", text.lower())
    if "x509" in low:
        return "its certificate is refused"
    if "no endpoints available" in low or ("service " in low and "not found" in low):
        return "its service has no endpoints"
    if "connection refused" in low or "no such host" in low or "no route to host" in low:
        return "nobody serves it"
    if "timeout" in low or "deadline" in low:
        return "it does not answer"
    return "it cannot be reached"


def _essence(message: str) -> str:
    """What matters of the output of spark-submit: from the webhook's name or the first error on."""
    found = _HOOK.search(message)
    if found is not None:
        return message[found.start() :]
    return _first_error(message) or message


def _told(event: Event) -> Evidence:
    return of_event(replace(event, message=_essence(event.message)))


def _first_error(message: str) -> str:
    for line in message.splitlines():
        if "Exception" in line or "rror" in line:
            return line.strip()[:140]
    return message.strip().splitlines()[0][:140] if message.strip() else ""


def stuck_state(case: Case) -> Answer:
    """The operator does not take the application further."""
    cr = case.group.cr if case.group is not None else None
    if cr is None or case.app.launcher not in ("kubeflow", "apache"):
        return "no operator leads this application"
    state = case.app.state
    if state in _TIMED_OUT:
        return [
            finding(
                case,
                "start-timed-out",
                "I18",
                "critical",
                "medium",
                f"the operator gave up waiting: {state}",
                detail=case.app.message,
                evidence=[of_workload(cr, f"currentStateSummary {state}: {case.app.message}")],
                questions=["why driver or executors did not come: their pods (Pending, image) and events"],
            )
        ]
    if state.upper() not in _TRANSIENT and state not in _APACHE_TRANSIENT:
        return f"state {state} is none that should pass quickly"
    since = _state_since(case, cr)
    if since is None or case.world.now - since < STUCK:
        return f"in state {state} for less than {STUCK / 60:.0f} minutes"
    driver = case.driver
    terminating = driver is not None and driver.deleted is not None and not driver.gone
    pending = driver is not None and driver.phase == "Pending" and not terminating
    if pending:
        return "the driver pod exists and is Pending: its own reason counts (I13, I14, I15)"
    proof = [of_workload(cr, f"state {state} since {human_duration(case.world.now - since)}")]
    if driver is not None:
        proof.append(of_pod(driver, f"driver pod phase {driver.phase}" + (", being deleted" if terminating else "")))
    why = "its driver pod cannot be deleted (finalizer or lost node)" if terminating else "no driver pod was made"
    if driver is not None and not terminating:
        why = (
            "the operator does not see the driver's end"
            if deaths.over(driver)
            else "the operator does not see its driver"
        )
    return [
        finding(
            case,
            "state-stuck",
            "I18",
            "critical",
            "high" if terminating or driver is None else "medium",
            f"stuck in {state} for {human_duration(case.world.now - since)}: {why}",
            since=since,
            detail=why,
            evidence=proof,
            ruled_out=[("I17", "no submission error is in the status")],
            questions=["whether the operator works: its pod, its leader lease, workqueue_depth, other applications"],
            data={"state": state, "terminating": terminating},
        )
    ]


def _state_since(case: Case, cr: Workload) -> float | None:
    history = cr.status.get("stateTransitionHistory")
    if isinstance(history, dict):
        times = [parse_time(str(v.get("lastTransitionTime", ""))) for v in history.values() if isinstance(v, dict)]
        known = [t for t in times if t is not None]
        if known:
            return max(known)
    if case.app.state.upper() in ("NEW", "") or not cr.status:
        return cr.created
    said = cr.status.get("lastSubmissionAttemptTime")
    ended = cr.status.get("terminationTime")
    times = [parse_time(t) for t in (said, ended) if isinstance(t, str)]
    driver = case.driver
    if driver is not None:
        times += [driver.deleted, deaths.ended_at(driver), driver.created]
    known = [t for t in times if t is not None]
    return max(known) if known else cr.created


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


_REFUSED_APP = re.compile(r"(?i)failed to (?:submit|run spark-submit)")
_NAMED = re.compile(r'"name": ?"([\w.-]+)", ?"namespace": ?"([\w.-]+)"')
_NAMED_BACK = re.compile(r'"namespace": ?"([\w.-]+)", ?"name": ?"([\w.-]+)"|SparkApplication ([\w.-]+)/([\w.-]+)')
_LIMITS = ("exceeded quota", "failed quota", "is forbidden: User", "violates PodSecurity")


def refused_submissions(world: World) -> Answer:
    """Submissions that fail by the operator's log, of applications that nothing else speaks of."""
    known = {(a.namespace, a.name) for a in world.apps}
    found: dict[tuple[str, str], tuple[str, Evidence]] = {}
    for hit in logs.find(
        [t for t in world.shared if t.log.role == "operator"], "submit-failed", WORDINGS["submit-failed"]
    ):
        one, back = _NAMED.search(hit.text), _NAMED_BACK.search(hit.text)
        if one is not None:
            key = (one.group(2), one.group(1))
        elif back is not None:
            key = (back.group(1) or back.group(3), back.group(2) or back.group(4))
        else:
            key = ("", "")
        if key not in known and (key[1] or _REFUSED_APP.search(hit.text)):
            found[key] = (hit.text, of_hit(hit))
    out = []
    for (namespace, name), (text, proof) in found.items():
        limited = any(word in text for word in _LIMITS)
        why = _first_error(text.partition("failed to run spark-submit")[2].strip(" :") or text)
        out.append(
            finding(
                None,
                "submission-refused",
                "I16" if limited else "I17",
                "critical",
                "medium",
                f"submission of {name or 'an application'} failed: {why}",
                subject=f"SparkApplication/{namespace}/{name or 'unknown'}",
                evidence=[proof],
                questions=["the application's status and events: whether a later submission succeeded"],
                data={"why": why},
            )
        )
    return out or "no operator's log tells of a submission that failed"


def schedules(world: World) -> Answer:
    """Scheduled applications whose run is overdue or refused."""
    out: list[Finding] = []
    for cr in world.facts.spark:
        if cr.kind != "ScheduledSparkApplication" or cr.gone:
            continue
        state = str(cr.status.get("scheduleState") or "")
        due = cr.status.get("nextRun")
        at = parse_time(due) if isinstance(due, str) else None
        suspended = cr.spec.get("suspend") is True
        late = at is not None and world.now - at > LATE and not suspended
        broken = state not in ("", "Scheduled", "New", "Validating")
        if not late and not broken:
            continue
        last = str(cr.status.get("lastRunName") or "")
        running = next((a for a in world.apps if a.namespace == cr.namespace and a.name == last and a.live), None)
        policy = str(cr.spec.get("concurrencyPolicy") or "Allow")
        if broken:
            why = f"schedule state {state}: {cr.status.get('reason') or 'no reason given'}"
        elif running is not None and policy == "Forbid":
            why = f"the previous run {last} is still {running.state} and concurrencyPolicy is Forbid"
        else:
            why = "the operator did not start it"
        out.append(
            finding(
                None,
                "schedule-missed",
                "I20",
                "critical" if late else "warning",
                "high" if broken or running is not None else "medium",
                f"scheduled run of {cr.name} missed: {why}",
                subject=cr.key,
                since=at,
                evidence=[
                    of_workload(
                        cr, f"nextRun {due}, lastRunName {last}, scheduleState {state}, concurrencyPolicy {policy}"
                    )
                ],
                questions=[]
                if running is not None or broken
                else ["whether the operator works, and the time zone of the schedule"],
                data={"lastRun": last, "policy": policy},
            )
        )
    return out or "no schedule is overdue"


def slow_start(world: World) -> Answer:
    """Too many applications start slowly, by the operator's histogram."""
    total: dict[tuple[tuple[str, str], ...], Sample] = {}
    for sample in world.samples.get("spark_application_start_latency_seconds_histogram_count", []):
        total[_series(sample)] = sample
    out: list[Finding] = []
    for sample in world.samples.get("spark_application_start_latency_seconds_histogram_bucket", []):
        if sample.labels.get("le") not in ("120", "120.0"):
            continue
        whole = total.get(_series(sample))
        if whole is None or whole.value < 10 or (whole.at or 0) != (sample.at or 0):
            continue
        share = 1 - sample.value / whole.value
        if share > 0.1:
            out.append(
                finding(
                    None,
                    "start-latency",
                    "I21",
                    "warning",
                    "medium",
                    f"{share:.0%} of {whole.value:.0f} applications took more than {SLOW_START:.0f} s to start",
                    subject="Component//spark-operator",
                    evidence=[of_sample(sample), of_sample(whole)],
                    questions=["which phase: submit latency, Pending (I14), image pull (I13), new nodes"],
                    data={"share": share},
                )
            )
    return out or "applications start in time, or no histogram says so"


def _series(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))


def connect(case: Case) -> Answer:
    """A Spark Connect server that is not ready, could not start, or lost its sessions."""
    driver = case.driver
    hits = [h for h in _unloadable(case) if "SparkConnectServer" in h.text]
    lost = case.hits("connect-session")
    away = case.hits("connect-unreachable")
    if away and case.driver is None:
        return [
            finding(
                case,
                "connect-unreachable",
                "I26",
                "critical",
                "medium",
                "clients cannot reach the Spark Connect server (port 15002)",
                evidence=[of_hit(h) for h in away[:3]],
                questions=["the server's pod: is it there, ready, restarting? its Service and its endpoints"],
            )
        ]
    if case.app.launcher != "connect" and not hits and not lost:
        return "this is no Spark Connect server"
    proof: list[Evidence] = [of_hit(h) for h in (*hits[:2], *lost[:2])]
    if hits:
        return [
            finding(
                case,
                "connect-not-ready",
                "I26",
                "critical",
                "high",
                "Spark Connect server cannot start: its class is not in the image",
                detail="the 3.5 wheel has no Connect jar: add spark-connect with --packages or use another image",
                evidence=proof,
                ruled_out=[("I04", "it never came as far as using memory")],
            )
        ]
    if driver is not None and case.app.launcher == "connect" and not driver.gone:
        main = driver.main
        end = (main.terminated or main.last_terminated) if main is not None else None
        waited = case.world.now - (driver.created or case.world.now)
        if (
            main is not None
            and not main.ready
            and (main.restarts > 0 or waited > 240 or main.waiting_reason == "CrashLoopBackOff")
        ):
            why = main.waiting_reason or driver.phase
            words = f"not ready, restarts {main.restarts}, {why}"
            if end is not None:
                words += f", last ended with {end.exit_code} {end.reason}"
            return [
                finding(
                    case,
                    "connect-not-ready",
                    "I26",
                    "critical",
                    "high",
                    f"Spark Connect server is not ready: {why}",
                    detail="every session is out; clients must reconnect afterwards",
                    evidence=[
                        of_pod(driver, words),
                        *[of_event(e) for e in case.events_of(driver.key) if e.type == "Warning"][-2:],
                    ],
                    questions=[] if end is not None else ["the server's log: what it waits for"],
                    data={"restarts": main.restarts},
                )
            ]
    if lost:
        return [
            finding(
                case,
                "connect-session-lost",
                "I26",
                "warning",
                "medium",
                "clients of Spark Connect lost their sessions",
                detail="typical after a restart of the server: clients must reconnect",
                evidence=proof,
                questions=["whether the server restarted: its pod's restarts and last state"],
            )
        ]
    return "the Spark Connect server is ready"


RULES = [
    WorldRule("operator-down", "I19", operator_down),
    WorldRule("submission-refused", "I17", refused_submissions),
    WorldRule("schedule-missed", "I20", schedules),
    WorldRule("start-latency", "I21", slow_start),
    Rule("submission-failed", "I17", submission_failed, after=("operator-down",), last=True),
    Rule("state-stuck", "I18", stuck_state, after=("operator-down", "operator-backlog", "node-not-ready")),
    Rule("connect-not-ready", "I26", connect, after=("driver-oom-container", "driver-oom-heap")),
]
