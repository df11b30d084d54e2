"""Workers of a standalone master that are lost (I06), and its drivers in cluster mode that fail or wait (I14)."""

from __future__ import annotations

from console.apps import deaths
from console.apps.evidence import of_hit, of_pod, of_rest
from console.apps.standalone import MIB, Master, Worker, masters, started
from console.apps.states import over
from console.base.clock import rfc3339
from console.base.text import plural
from console.base.units import human_bytes
from console.facts.evidence import Evidence
from console.facts.model import Pod
from console.facts.rest import num, text
from console.findings.case import Case, ClusterView
from console.findings.figures.scheduling import UnplacedDriverFigures
from console.findings.figures.standalone import FailedDriverFigures, LostWorkerFigures, RemovedApplicationFigures
from console.findings.model import Finding, Severity
from console.findings.rule import Answer, Rule, WorldRule, finding

HIT_BY_LOSS = 180.0
"""Seconds after a worker's last heartbeat in which executors that drivers miss are taken for its own. A master waits
60 s for heartbeats by default; it notices at once when a connection breaks."""


def worker_lost(world: ClusterView) -> Answer:
    """Workers that their master lists as DEAD: their executors, and drivers in cluster mode, are lost with them."""
    known = masters(world.attached.shared_rest)
    if not known:
        return "no standalone master is known"
    out = [_lost(world, master, worker) for master in known for worker in master.workers if worker.state == "DEAD"]
    return out or "every worker that a standalone master lists is alive"


def _lost(world: ClusterView, master: Master, worker: Worker) -> Finding:
    alive = [w for w in master.workers if w.state == "ALIVE"]
    successor = next((w for w in alive if w.host == worker.host and _registered(w) > _registered(worker)), None)
    drivers = [key for key, row in master.drivers.items() if row.get("worker") == worker.id]
    hit = _applications(world, worker)
    questions = ["why the worker went: its pod's state, events and last log lines, and its node"]
    if drivers:
        questions.append("whether its drivers are started anew: they ran in cluster mode on it")
    return finding(
        None,
        "worker-lost",
        "I06",
        _severity(master, alive, successor, hit),
        "high",
        f"standalone worker on {worker.host} is lost" + ("; no worker is left" if not alive else ""),
        subject=f"SparkWorker/{master.namespace}/{worker.id}",
        since=worker.heartbeat,
        detail=_what_went(master, worker, alive, successor),
        evidence=_proof(world, master, worker),
        ruled_out=[
            ("I07", "the worker is missed by its master, not one executor by its driver"),
            ("I01", "a container limit ends one executor; here all of one worker went"),
        ],
        questions=questions,
        data=LostWorkerFigures(
            apps=tuple(hit),
            worker=worker.id,
            host=worker.host,
            master=master.place or master.url,
            cores=worker.cores,
            memory=worker.memory,
            alive=len(alive),
            replaced=successor is not None,
            drivers=tuple(drivers),
        ),
    )


def _severity(master: Master, alive: list[Worker], successor: Worker | None, hit: list[str]) -> Severity:
    """Critical where none is left; an information where nothing was hit, and nothing runs or another took its place."""
    if not alive:
        return "critical"
    running = any(not over(str(row.get("state"))) for row in master.apps.values())
    return "info" if not hit and (successor is not None or not running) else "warning"


def _what_went(master: Master, worker: Worker, alive: list[Worker], successor: Worker | None) -> str:
    """What went with the worker, what is left, and who waits for it."""
    free = sum(w.cores - w.cores_used for w in alive)
    words = f"{worker.cores} cores and {human_bytes(worker.memory)} went with it"
    words += f"; {plural(len(alive), 'worker')} left, {free} cores free"
    waiting = sum(1 for row in master.apps.values() if str(row.get("state")) == "WAITING")
    if successor is not None:
        return f"{words}; {successor.id} has taken its place"
    return f"{words}; {plural(waiting, 'application')} waiting for cores" if waiting else words


def _proof(world: ClusterView, master: Master, worker: Worker) -> list[Evidence]:
    hits = [h for h in world.shared_hits("worker-removed") if worker.id in h.text]
    pods = [p for p in world.facts.pods if worker.host and worker.host in (p.ip, p.name)]
    last = rfc3339(worker.heartbeat) or "unknown"
    return [
        of_rest(master.origin, f"worker {worker.id} state DEAD, last heartbeat {last}", worker.heartbeat),
        *[of_hit(h) for h in hits[:2]],
        *[of_pod(p) for p in pods if _ended(p)][:2],
    ]


def driver_ended(case: Case) -> Answer:
    """A driver in cluster mode that its master lists as FAILED or ERROR, or that waits for a worker with room."""
    for master in masters(case.world.shared_rest):
        row = master.drivers.get(case.app.key.rpartition("/")[2])
        if row is None or master.namespace != case.app.namespace:
            continue
        state, told = text(row, "state").upper(), f"driver {text(row, 'id')} of {text(row, 'mainclass') or 'a class'}"
        proof = of_rest(master.origin, f"{told} state {state}, {text(row, 'worker') or 'no worker'}", started(row))
        if state in ("FAILED", "ERROR"):
            why = "it ended with an error" if state == "FAILED" else "the worker could not start it"
            log = f"its stderr on {text(row, 'worker') or 'its worker'}: work/{text(row, 'id')}/stderr"
            return [
                finding(
                    case,
                    "standalone-driver-failed",
                    None,
                    "critical",
                    "medium",
                    f"driver of {case.app.name} is {state}: {why} before its application registered",
                    evidence=[proof],
                    questions=[log],
                    data=FailedDriverFigures(driver=text(row, "id"), worker=text(row, "worker"), state=state),
                )
            ]
        if state == "SUBMITTED" and not text(row, "worker").startswith("worker-"):
            alive = [w for w in master.workers if w.state == "ALIVE"]
            room = max((w.memory - w.memory_used for w in alive), default=0.0)
            cores = max((w.cores - w.cores_used for w in alive), default=0)
            return [
                finding(
                    case,
                    "unschedulable",
                    "I14",
                    "critical",
                    "medium",
                    f"driver of {case.app.name} waits for a worker with {num(row, 'cores'):.0f} cores and "
                    f"{human_bytes(num(row, 'memory') * MIB)}",
                    detail=f"the largest room on {plural(len(alive), 'worker')}: {cores} cores, {human_bytes(room)}",
                    evidence=[proof],
                    questions=["whether a worker will get room: what runs there, and how long still"],
                    data=UnplacedDriverFigures(driver=text(row, "id"), alive=len(alive)),
                )
            ]
    return "no driver of a standalone master failed or waits"


def given_up(case: Case) -> Answer:
    """An application that its master lists as FAILED: it removes one whose executors fail again and again."""
    for master in masters(case.world.shared_rest):
        row = master.apps.get(case.app.app_id)
        if row is None or text(row, "state").upper() != "FAILED":
            continue
        if case.so_far:
            return f"what failed is told already: {case.so_far[0].code}"
        hits = [h for h in case.world.shared_hits("master-gave-up") if case.app.app_id in h.text]
        lost = [w for w in master.workers if w.state == "DEAD" and _with(case.app.ended, w)]
        seen = [of_rest(master.origin, f"application {case.app.app_id} state FAILED", case.app.ended)]
        seen += [of_rest(master.origin, f"worker {w.id} state DEAD", w.heartbeat) for w in lost[:2]]
        return [
            finding(
                case,
                "standalone-app-failed",
                "I06" if lost else None,
                "critical",
                "medium",
                "its master gave the application up"
                + (f" as the worker on {lost[0].host} went away" if lost else ": its executors failed again and again"),
                detail=hits[-1].text if hits else "a master removes an application after ten failed executors in a row",
                evidence=[*[of_hit(h) for h in hits[-1:]], *seen],
                questions=["why its executors ended: the driver's log, and stderr of each on its worker"],
                data=RemovedApplicationFigures(workers=tuple(w.id for w in lost)),
            )
        ]
    return "no standalone master lists it as FAILED"


def _with(ended: float | None, worker: Worker) -> bool:
    """Whether something ended as a worker went away."""
    return ended is not None and worker.heartbeat is not None and -60 <= ended - worker.heartbeat <= HIT_BY_LOSS


def _applications(world: ClusterView, worker: Worker) -> list[str]:
    """Keys of the applications whose drivers say that executors went with a worker, around that time."""
    out = []
    for home in world.homes:
        if home.app.launcher not in ("standalone", "connect"):
            continue
        case = world.case_at(home)
        if case.app.state == "FAILED" and _with(case.app.ended, worker):
            out.append(case.app.key)
            continue
        lost = [v for v in case.victims if v.kind == "node-lost"]
        near = [
            v for v in lost if v.at is None or worker.heartbeat is None or -60 <= v.at - worker.heartbeat <= HIT_BY_LOSS
        ]
        if near:
            out.append(case.app.key)
    return out


def _registered(worker: Worker) -> str:
    """When it registered, as its id says it: `worker-20261123083354-host-port`."""
    return worker.id.split("-")[1] if worker.id.count("-") >= 2 else ""


def _ended(pod: Pod) -> bool:
    return deaths.over(pod) or pod.deleted is not None or any(c.last_terminated is not None for c in pod.containers)


RULES = [
    WorldRule("worker-lost", "I06", worker_lost),
    Rule("standalone-driver-failed", None, driver_ended, after=("worker-lost",)),
    Rule("standalone-app-failed", "I06", given_up, after=("worker-lost",), last=True),
]
