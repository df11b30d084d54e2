"""Facts → one `SparkApp` per application, whatever started it: kubeflow or Apache operator, spark-submit in cluster
mode, a Spark Connect server, a standalone master, or nothing but saved REST answers and logs.

`Assembler` keeps what it made and makes an application anew only when one of its objects is another object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from console.base.clock import parse_time
from console.health import deaths, memory
from console.health.attach import Attached, Belongings, attach
from console.health.facts import Event, Facts, Owner, Pod, Workload
from console.health.groups import SELECTOR, Group, GroupId, groups
from console.health.loose import loose_apps, master_apps
from console.health.model import Attempt, Death, Member, MemoryPlan, SparkApp
from console.health.restview import RestView, num, text

GPU_WORDS = ("nvidia.com/", "amd.com/gpu", "gpu.intel.com/")
_LANGUAGES = {"python": "Python", "r": "R", "scala": "Scala", "java": "Java"}
EventIndex = dict[str, list[Event]]
MemberCache = dict[int, tuple[Pod, Member, tuple[float, float, float], str]]
"""Identity of a living executor's pod → (the pod, what was made of it)."""


def assemble(facts: Facts) -> tuple[SparkApp, ...]:
    """Every application in the facts, sorted by key."""
    return Assembler().assemble(facts)


def index_events(events: Iterable[Event]) -> EventIndex:
    out: EventIndex = {}
    for event in events:
        out.setdefault(event.about, []).append(event)
    return out


def index_memory(facts: Facts) -> dict[tuple[str, str], float]:
    """Working set in bytes of the Spark container of each pod, where metrics have it."""
    out: dict[tuple[str, str], float] = {}
    for sample in facts.samples:
        if sample.name == "container_memory_working_set_bytes" and sample.labels.get("container"):
            key = (sample.labels.get("namespace", ""), sample.labels.get("pod", ""))
            out[key] = max(out.get(key, 0.0), sample.value)
    return out


class Assembler:
    """`assemble` with a memory: an application whose objects are the same objects (`is`) is not made again."""

    def __init__(self) -> None:
        self._made: dict[GroupId, tuple[tuple[object, ...], SparkApp]] = {}
        self._members: MemberCache = {}

    def assemble(
        self, facts: Facts, *, found: dict[GroupId, Group] | None = None, attached: Attached | None = None
    ) -> tuple[SparkApp, ...]:
        """Every application, sorted by key. `found` and `attached` spare work where the caller has them already."""
        found = groups(facts) if found is None else found
        attached = attach(facts, found) if attached is None else attached
        events, used = index_events(facts.events), index_memory(facts)
        made: dict[GroupId, tuple[tuple[object, ...], SparkApp]] = {}
        keys: set[str] = set()
        out: list[SparkApp] = []
        for gid, group in found.items():
            belongings = attached.groups[gid]
            mine = _events_of(group, events)
            sign = (
                *group.objects(),
                *mine,
                *belongings.rest,
                *(used.get((p.namespace, p.name)) for p in group.drivers),
            )
            old = self._made.get(gid)
            if old is not None and len(old[0]) == len(sign) and all(a is b for a, b in zip(old[0], sign, strict=True)):
                app = old[1]
            else:
                app = assemble_one(group, events, belongings, used, self._members)
            made[gid] = (sign, app)
            if app.key in keys:
                app = _renamed(app, f"{app.key} ({group.launcher})")
            keys.add(app.key)
            out.append(app)
        self._made = made
        if len(self._members) > 2 * len(facts.pods) + 1_000:
            alive = {id(p) for p in facts.pods}
            self._members = {k: v for k, v in self._members.items() if k in alive}
        led = {app.app_id for app in out if app.app_id}  # a Connect server on a standalone master is listed there too
        for app in (*loose_apps(attached, facts), *master_apps(attached, facts)):
            if app.key not in keys and app.app_id not in led:
                keys.add(app.key)
                out.append(app)
        out.sort(key=lambda a: a.key)
        return tuple(out)


def _renamed(app: SparkApp, key: str) -> SparkApp:
    return replace(app, key=key)


def _events_of(group: Group, events: EventIndex) -> list[Event]:
    if not events:
        return []
    out: list[Event] = []
    if group.cr is not None:
        out.extend(events.get(group.cr.key, ()))
    for pod in (*group.drivers, *group.executors):
        out.extend(events.get(f"Pod/{pod.namespace}/{pod.name}", ()))
    return out


def assemble_one(
    group: Group,
    events: EventIndex | None = None,
    belongings: Belongings | None = None,
    used: dict[tuple[str, str], float] | None = None,
    members_of: MemberCache | None = None,
) -> SparkApp:
    """One application from its objects."""
    events, used = events or {}, used or {}
    rest = RestView(belongings.rest if belongings is not None else ())
    conf, language = _conf(group, rest), _language(group)
    state, message = _state(group)
    drivers = group.drivers
    last = drivers[-1] if drivers else None
    runs = _runs(group)
    by_id = {run.app_id: run for run in runs}
    attempt = runs[-1].number if runs else _said_attempts(group)
    current_id = _app_id(group, last)
    cr_over = _over_by_word(state)
    members: list[Member] = []
    limit_executor: float | None = None
    env_heap = ""
    cpu = memory = gpu = 0.0
    running = 0
    for pod in group.executors:
        selector = pod.labels.get(SELECTOR, "")
        run = by_id.get(selector)
        mine = not selector or not current_id or selector == current_id
        number = run.number if run is not None else attempt
        told = events.get(f"Pod/{pod.namespace}/{pod.name}", ()) if events else ()
        over = (run is not None and run.over) or (mine and cr_over and last is None)
        measured = used.get((pod.namespace, pod.name)) if used else None
        plain = members_of is not None and not told and not over and measured is None
        kept = members_of.get(id(pod)) if plain and members_of is not None else None
        if kept is not None and kept[0] is pod and kept[1].attempt == number:
            _, member, share, heap = kept
        else:
            stop = run.stop if run is not None else None
            member = member_of(pod, "executor", attempt=number, events=told, stop=stop, app_over=over, used=measured)
            share, heap = _share(pod, member), _heap_of(pod)
            if plain and stop is None and members_of is not None:
                members_of[id(pod)] = (pod, member, share, heap)
        members.append(member)
        if limit_executor is None and member.memory_limit is not None:
            limit_executor = member.memory_limit
        env_heap = env_heap or heap
        if member.ended is None and member.death is None and not pod.gone:
            cpu, memory, gpu = cpu + share[0], memory + share[1], gpu + share[2]
            running += member.state == "Running" and mine
    driver = None
    if last is not None:
        driver = member_of(
            last,
            "driver",
            attempt=attempt,
            events=events.get(f"Pod/{last.namespace}/{last.name}", ()),
            stop=None,
            app_over=False,
            used=used.get((last.namespace, last.name)),
        )
        if driver.death is None and not last.gone:
            share = _share(last, driver)
            cpu, memory, gpu = cpu + share[0], memory + share[1], gpu + share[2]
    members.extend(_members_without_pod(group, members, attempt))
    members.extend(_members_of_rest(rest, members, attempt))
    spec = group.cr.spec if group.cr is not None else {}
    complete = group.launcher == "kubeflow" and group.cr is not None and bool(group.cr.spec)
    root = group.cr or group.deployment
    limit_driver = driver.memory_limit if driver is not None else None
    version = _version(group, rest)
    return SparkApp(
        key=group.key,
        namespace=group.namespace,
        name=group.name,
        launcher=group.launcher,
        state=state,
        message=message,
        app_id=current_id,
        spark_version=version,
        language=language,
        image=_image(group),
        driver=driver,
        executors=tuple(members),
        wanted_executors=_wanted(group, conf),
        running_executors=running or _running_by_rest(rest, members),
        attempts=_attempts(runs, events),
        attempt=attempt,
        started=_started(group),
        ended=_ended(group, driver, cr_over),
        driver_memory=_plan("driver", group, conf, spec, "", limit_driver, language, complete),
        executor_memory=_plan("executor", group, conf, spec, env_heap, limit_executor, language, complete),
        cpu_requested=round(cpu, 3),
        memory_requested=memory,
        memory_used=_sum(m.memory_used for m in (*members, *([driver] if driver else [])) if m.death is None),
        gpus_requested=gpu,
        conf=conf,
        labels=root.labels if root is not None else (last.labels if last is not None else {}),
        annotations=root.annotations if root is not None else (last.annotations if last is not None else {}),
        uid=root.uid if root is not None else (last.uid if last is not None else ""),
        generation=root.generation if root is not None else 0,
        api_version=root.api_version if root is not None else ("v1" if last is not None else ""),
        kind=_kind(group),
        owners=_owners(group),
        managers=root.managers if root is not None else (),
        writable=group.launcher == "kubeflow" and group.cr is not None and group.cr.kind == "SparkApplication",
        why_not=_why_not(group),
        tasks=_tasks(rest),
    )


def member_of(
    pod: Pod,
    role: Any,
    *,
    attempt: int = 0,
    events: Sequence[Event] = (),
    stop: float | None = None,
    app_over: bool = False,
    used: float | None = None,
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
        id=pod.labels.get("spark-exec-id", "") or pod.name.rpartition("-exec-")[2] if role == "executor" else "driver",
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
        memory_used=used,
        restarts=main.restarts if main is not None else 0,
        gone=pod.gone,
        waiting=waiting,
        captured=pod.origin.source == "captured",
    )


def gpus(resources: dict[str, float]) -> float:
    """GPUs of a resource list, MIG slices counted one each."""
    return sum(v for k, v in resources.items() if k.startswith(GPU_WORDS))


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
        if killed.kind in ("normal", "decommissioned"):
            return "Succeeded"
        return "Failed"
    if pod.deleted is not None:
        return "Terminating"
    return pod.phase


def _share(pod: Pod, member: Member) -> tuple[float, float, float]:
    """CPU, memory and GPUs that a pod asks for."""
    asked = [c.requests for c in pod.containers if c.role != "init"]
    return sum(r.get("cpu", 0.0) for r in asked), sum(r.get("memory", 0.0) for r in asked), member.gpus


def _heap_of(pod: Pod) -> str:
    main = pod.main
    return main.env.get("SPARK_EXECUTOR_MEMORY", "") if main is not None else ""


def _sum(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _conf(group: Group, rest: RestView) -> dict[str, str]:
    out: dict[str, str] = {}
    if group.cr is not None:
        spec = group.cr.spec
        for key in ("sparkConf", "hadoopConf"):
            part = spec.get(key)
            if isinstance(part, dict):
                prefix = "spark.hadoop." if key == "hadoopConf" else ""
                out.update({f"{prefix}{k}" if not k.startswith(prefix) else k: str(v) for k, v in part.items()})
        dynamic = spec.get("dynamicAllocation")
        if isinstance(dynamic, dict) and dynamic.get("enabled") is True:
            out.setdefault("spark.dynamicAllocation.enabled", "true")
    out.update(rest.conf)
    return out


def _language(group: Group) -> str:
    if group.cr is not None:
        kind = group.cr.spec.get("type")
        if isinstance(kind, str) and kind.lower() in _LANGUAGES:
            return _LANGUAGES[kind.lower()]
        if group.cr.spec.get("pyFiles"):
            return "Python"
    for pod in reversed(group.drivers):
        main = pod.main
        args = main.args if main is not None else ()
        if any(a == "org.apache.spark.deploy.PythonRunner" or a.endswith(".py") for a in args):
            return "Python"
        if any(a == "org.apache.spark.deploy.RRunner" or a.endswith((".R", ".r")) for a in args):
            return "R"
        if any(a.endswith(".jar") for a in args):
            return "Scala"
    return ""


def _state(group: Group) -> tuple[str, str]:
    cr = group.cr
    if cr is not None and group.launcher == "kubeflow":
        state = cr.status.get("applicationState")
        if isinstance(state, dict):
            return str(state.get("state") or "NEW"), str(state.get("errorMessage") or "")
        return "NEW", ""
    if cr is not None and group.launcher == "apache":
        current = cr.status.get("currentState")
        if isinstance(current, dict):
            return str(current.get("currentStateSummary") or "Submitted"), str(current.get("message") or "")
        return "Submitted", ""
    if cr is not None and isinstance(cr.status.get("state"), str):
        return str(cr.status["state"] or "New"), ""
    last = group.drivers[-1] if group.drivers else None
    if last is None:
        return "UNKNOWN", "the driver is not among the facts"
    if group.launcher == "connect":
        main = last.main
        return ("Ready" if main is not None and main.ready else "NotReady"), last.message
    end = deaths.ending(last)[1]
    if deaths.over(last):
        code = end.exit_code if end is not None else None
        if last.phase == "Succeeded" or code == 0:
            return "COMPLETED", ""
        if end is None and last.gone:
            return "TERMINATED", "the driver pod was deleted"
        return "FAILED", last.message or (f"driver exit code {code}" if code is not None else "")
    return ("PENDING" if last.phase == "Pending" else "RUNNING"), ""


def _over_by_word(state: str) -> bool:
    return state.upper() in ("COMPLETED", "FAILED", "SUBMISSION_FAILED", "SUCCEEDED", "TERMINATED", "RESOURCERELEASED")


def _app_id(group: Group, last: Pod | None) -> str:
    if last is not None and (selector := last.labels.get(SELECTOR)):
        return selector
    cr_id = group.cr.status.get("sparkApplicationId") if group.cr is not None else None
    if isinstance(cr_id, str) and cr_id:
        return cr_id
    newest = max(group.executors, key=lambda p: p.created or 0.0, default=None)
    if newest is not None and (selector := newest.labels.get(SELECTOR)):
        return selector
    return min(group.app_ids, default="")


def _said_attempts(group: Group) -> int:
    said = group.cr.status.get("executionAttempts") if group.cr is not None else None
    return said if isinstance(said, int) else 0


@dataclass(frozen=True)
class _Run:
    """One attempt: the pods that share an application id."""

    app_id: str
    number: int
    driver: Pod | None
    first: float | None
    stop: float | None
    over: bool


def _runs(group: Group) -> list[_Run]:
    """The attempts in order. A driver without an application id is an attempt of its own."""
    seen: dict[str, tuple[Pod | None, float]] = {}
    for index, pod in enumerate(group.drivers):
        seen[pod.labels.get(SELECTOR, "") or f"#{index}"] = (pod, pod.created or 0.0)
    for pod in group.executors:
        selector = pod.labels.get(SELECTOR, "")
        if selector:
            old = seen.get(selector)
            if old is None or (old[0] is None and (pod.created or 0.0) < old[1]):
                seen[selector] = (None, pod.created or 0.0)
    if not seen:
        return []
    ordered = sorted(seen.items(), key=lambda item: (item[1][1], item[0]))
    said = group.cr.status.get("executionAttempts") if group.cr is not None else None
    count = max(said if isinstance(said, int) else 0, len(ordered))
    first = count - len(ordered) + 1
    out: list[_Run] = []
    for index, (app_id, (driver, created)) in enumerate(ordered):
        last = index == len(ordered) - 1
        stop = None
        over = not last
        if driver is not None:
            over = over or deaths.over(driver) or driver.deleted is not None
            stop = min((t for t in (driver.deleted, deaths.ended_at(driver)) if t is not None), default=None)
        app_id = "" if app_id.startswith("#") else app_id
        out.append(_Run(app_id, first + index, driver, created or None, stop, over))
    return out


def _attempts(runs: list[_Run], events: EventIndex) -> tuple[Attempt, ...]:
    out: list[Attempt] = []
    for run in runs:
        pod = run.driver
        killed = None
        state, started, ended = ("Unknown" if run.over else "Running"), run.first, None
        if pod is not None:
            killed = deaths.death(pod, events=events.get(f"Pod/{pod.namespace}/{pod.name}", ()))
            state, ended = pod.phase, deaths.ended_at(pod)
            started = pod.started or pod.created
            if killed is not None:
                state = "Succeeded" if killed.kind == "normal" else "Failed"
        out.append(Attempt(run.number, state, app_id=run.app_id, started=started, ended=ended, death=killed))
    return tuple(out)


def _members_without_pod(group: Group, members: list[Member], attempt: int) -> list[Member]:
    """Executors that only the operator's status still knows."""
    states = group.cr.status.get("executorState") if group.cr is not None else None
    if not isinstance(states, dict):
        return []
    known = {m.pod for m in members}
    words = {"COMPLETED": "Succeeded", "FAILED": "Failed", "RUNNING": "Running", "PENDING": "Pending"}
    return [
        Member(
            id=str(name).rpartition("-exec-")[2],
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


def _members_of_rest(rest: RestView, members: list[Member], attempt: int) -> list[Member]:
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


def _running_by_rest(rest: RestView, members: list[Member]) -> int:
    return sum(1 for m in members if m.state == "Running" and not m.pod) if rest else 0


def _wanted(group: Group, conf: dict[str, str]) -> int | None:
    if conf.get("spark.dynamicAllocation.enabled", "").lower() == "true":
        return None
    executor = group.cr.spec.get("executor") if group.cr is not None else None
    if isinstance(executor, dict) and isinstance(executor.get("instances"), int):
        return int(executor["instances"])
    try:
        return int(conf["spark.executor.instances"])
    except (KeyError, ValueError):
        return 1 if group.launcher == "kubeflow" and group.cr is not None else None


def _version(group: Group, rest: RestView) -> str:
    if group.cr is not None and isinstance(group.cr.spec.get("sparkVersion"), str):
        return str(group.cr.spec["sparkVersion"])
    for pod in (*reversed(group.drivers), *group.executors[:1]):
        if version := pod.labels.get("spark-version"):
            return version
    return next((v for a in rest.attempts if (v := text(a, "appSparkVersion"))), "")


def _image(group: Group) -> str:
    for pod in (*reversed(group.drivers), *group.executors[:1]):
        main = pod.main
        if main is not None and main.image:
            return main.image
    image = group.cr.spec.get("image") if group.cr is not None else None
    return image if isinstance(image, str) else ""


def _started(group: Group) -> float | None:
    starts = [p.created for p in group.drivers if p.created] or [p.created for p in group.executors if p.created]
    if starts:
        return min(starts) if not group.drivers else starts[-1]
    said = group.cr.status.get("lastSubmissionAttemptTime") if group.cr is not None else None
    return parse_time(said) if isinstance(said, str) else (group.cr.created if group.cr is not None else None)


def _ended(group: Group, driver: Member | None, cr_over: bool) -> float | None:
    """From the driver first: `terminationTime` keeps the first attempt's time during and after the second."""
    if driver is not None:
        return driver.ended
    said = group.cr.status.get("terminationTime") if group.cr is not None and cr_over else None
    return parse_time(said) if isinstance(said, str) else None


def _plan(
    role: Any,
    group: Group,
    conf: dict[str, str],
    spec: dict[str, Any],
    env_heap: str,
    limit: float | None,
    language: str,
    complete: bool,
) -> MemoryPlan | None:
    part = spec.get(role)
    return memory.plan(
        role,
        conf=conf,
        spec=part if isinstance(part, dict) and group.launcher == "kubeflow" else None,
        factor=spec.get("memoryOverheadFactor"),
        env_heap=env_heap,
        limit=limit,
        language=language,
        complete=complete,
    )


def _kind(group: Group) -> str:
    if group.cr is not None:
        return group.cr.kind
    if group.launcher in ("kubeflow", "apache"):
        return "SparkApplication"
    if group.launcher == "connect":
        return group.deployment.kind if group.deployment is not None else "Deployment"
    return ""


def _why_not(group: Group) -> str:
    if group.launcher == "kubeflow":
        return "" if group.cr is not None else "the SparkApplication object could not be read"
    return {
        "apache": "applications of the Apache operator are read only",
        "submit": "started by spark-submit: there is no object whose change would outlive this run",
        "connect": "Spark Connect servers are read only",
        "standalone": "applications of a standalone master are read only",
    }.get(group.launcher, "nothing is known that could be changed")


def _owners(group: Group) -> tuple[Owner, ...]:
    """What stands above the application: who would write it again."""
    root: Workload | Pod | None = group.cr or group.deployment or (group.drivers[-1] if group.drivers else None)
    if root is None:
        return ()
    out = [o for o in root.owners if o.kind not in ("ReplicaSet",)]
    out.extend(declared_owners(root.namespace, root.labels, root.annotations))
    return tuple(out)


def declared_owners(namespace: str, labels: dict[str, str], annotations: dict[str, str]) -> list[Owner]:
    """Owners that labels and annotations name: Argo CD, Flux, Helm, Airflow, a ScheduledSparkApplication."""
    out: list[Owner] = []

    def add(kind: str, name: str, api: str = "") -> None:
        if name:
            out.append(Owner(api_version=api, kind=kind, name=name))

    add(
        "ScheduledSparkApplication",
        labels.get("sparkoperator.k8s.io/scheduled-app-name", ""),
        "sparkoperator.k8s.io/v1beta2",
    )
    argo = annotations.get("argocd.argoproj.io/tracking-id", "").split(":", 1)[0]
    add("Argo CD Application", argo or labels.get("argocd.argoproj.io/instance", ""), "argoproj.io")
    add("Flux Kustomization", labels.get("kustomize.toolkit.fluxcd.io/name", ""), "kustomize.toolkit.fluxcd.io")
    add("Flux HelmRelease", labels.get("helm.toolkit.fluxcd.io/name", ""), "helm.toolkit.fluxcd.io")
    dag = labels.get("dag_id") or annotations.get("dag_id") or labels.get("airflow-dag-id", "")
    add("Airflow DAG", dag or "")
    release = annotations.get("meta.helm.sh/release-name", "")
    if not release and labels.get("app.kubernetes.io/managed-by") == "Helm":
        release = labels.get("app.kubernetes.io/instance", "")
    add("Helm release", release)
    return out


def _tasks(rest: RestView) -> dict[str, int]:
    workers = [row for key, row in rest.executors.items() if key != "driver"]
    if not workers:
        return {}
    return {
        word: int(sum(num(row, field) for row in workers))
        for word, field in (
            ("active", "activeTasks"),
            ("completed", "completedTasks"),
            ("failed", "failedTasks"),
            ("total", "totalTasks"),
        )
    }
