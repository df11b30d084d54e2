"""What a rule looks at: `Case`, one application with everything that belongs to it, and `World`, all of them.

Everything is found on demand and kept: a healthy application costs a rule almost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from console.health import deaths, logs
from console.health.attach import ANONYMOUS, Attached, Belongings, attach
from console.health.facts import Event, Facts, Log, Node, Pod, RestDocument, Sample, Workload
from console.health.gpu.build import Inventory, inventory
from console.health.gpu.faults import kernel_lines
from console.health.groups import SELECTOR, Group, GroupId, groups
from console.health.indexes import EventIndex, index_events
from console.health.logs import Hit, Text
from console.health.losses import Loss, losses
from console.health.model import Finding, Member, SparkApp
from console.health.restview import RestView
from console.health.victims import Victim, victims
from console.health.wordings import USUAL, WORDINGS

_FAILED_END = re.compile(r"stopping with exitCode [1-9]|Job \d+ failed: (?!.*cancelled)")


class World:
    """All facts with the joins that several rules need."""

    def __init__(self, facts: Facts, apps: Sequence[SparkApp]) -> None:
        self.facts, self.apps = facts, tuple(apps)
        self.now = facts.at

    @cached_property
    def groups(self) -> dict[GroupId, Group]:
        return groups(self.facts)

    @cached_property
    def attached(self) -> Attached:
        return attach(self.facts, self.groups)

    @cached_property
    def events(self) -> EventIndex:
        return index_events(self.facts.events)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {n.name: n for n in self.facts.nodes}

    @cached_property
    def troubled(self) -> list[Pod]:
        """Pods with a reason of their own (Evicted, NodeLost, UnexpectedAdmissionError, …)."""
        return [p for p in self.facts.pods if p.reason]

    @cached_property
    def pending(self) -> list[Pod]:
        """Pods that have not started."""
        return [p for p in self.facts.pods if p.phase == "Pending"]

    @cached_property
    def operators(self) -> list[Pod]:
        """Pods of Spark operators."""
        return [p for p in self.facts.pods if "spark-role" not in p.labels and "operator" in p.name]

    def on_node(self, name: str) -> list[Pod]:
        """Living Spark pods of a node."""
        return [
            p
            for p in self.facts.pods
            if p.node == name and ("spark-role" in p.labels or "spark-app-selector" in p.labels) and not deaths.over(p)
        ]

    @cached_property
    def samples(self) -> dict[str, list[Sample]]:
        out: dict[str, list[Sample]] = {}
        for sample in self.facts.samples:
            out.setdefault(sample.name, []).append(sample)
        return out

    @cached_property
    def gpus(self) -> Inventory:
        """GPUs, who holds them and what is wrong with them."""
        return inventory(self.facts, self.apps, kernel_lines(self.facts))

    @cached_property
    def workloads(self) -> dict[str, list[Workload]]:
        out: dict[str, list[Workload]] = {}
        for workload in self.facts.workloads:
            out.setdefault(workload.kind, []).append(workload)
        return out

    @cached_property
    def shared(self) -> list[Text]:
        """Logs of no single application."""
        return [Text(log) for log in self.attached.shared_logs]

    def shared_hits(self, wording: str) -> list[Hit]:
        return logs.find(self.shared, wording, WORDINGS[wording])

    @cached_property
    def case_of(self) -> dict[str, Case]:
        """Key of an application → its case."""
        return {case.app.key: case for case in self.cases}

    @cached_property
    def cases(self) -> list[Case]:
        """One case per application, in the order of `apps`."""
        by_key = {(g.namespace, g.name, g.launcher): g for g in self.groups.values()}
        out: list[Case] = []
        for app in self.apps:
            group = by_key.get((app.namespace, app.name, app.launcher))
            if group is not None:
                belongings = self.attached.groups[group.id]
            else:
                belongings = self.attached.loose.get(app.app_id) or Belongings()
                if not app.namespace and not belongings.logs and not belongings.rest and not app.app_id:
                    belongings = self.attached.loose.get(ANONYMOUS, belongings)
            out.append(Case(app, group, belongings, self))
        return out


class Case:
    """One application: its objects, events, logs, REST answers and metrics."""

    def __init__(self, app: SparkApp, group: Group | None, belongings: Belongings, world: World) -> None:
        self.app, self.group, self.world = app, group, world
        self.belongings = belongings
        self.so_far: list[Finding] = []
        self._hits: dict[str, list[Hit]] = {}

    # objects --------------------------------------------------------------------------------------------------------

    @property
    def drivers(self) -> list[Pod]:
        return self.group.drivers if self.group is not None else []

    @property
    def executors(self) -> list[Pod]:
        return self.group.executors if self.group is not None else []

    @property
    def driver(self) -> Pod | None:
        return self.drivers[-1] if self.drivers else None

    @cached_property
    def pods(self) -> list[Pod]:
        return [*self.drivers, *self.executors]

    @property
    def calm(self) -> bool:
        """Whether there is nothing that a rule could hold against: every pod runs, nothing was read but its objects."""
        if self.belongings.logs or self.belongings.rest or self.world.samples or self.app.message:
            return False
        if self.app.state.upper() not in ("RUNNING", "RUNNINGHEALTHY") or self.app.launcher == "connect":
            return False
        for pod in self.pods:
            if pod.phase != "Running" or pod.deleted is not None or pod.gone or pod.reason or len(pod.containers) != 1:
                return False
            one = pod.containers[0]
            if one.state != "running" or one.restarts:
                return False
        return not any(e.type == "Warning" for e in self.events)

    @cached_property
    def member_of(self) -> dict[str, Member]:
        """Pod name → member; of one name the newest."""
        return {m.pod: m for m in self.app.executors if m.pod}

    @property
    def subject(self) -> str:
        """The object that stands for the application: its CR, Deployment or driver pod."""
        app = self.app
        if app.kind:
            return f"{app.kind}/{app.namespace}/{app.name}"
        if self.driver is not None:
            return self.driver.key
        if self.executors:
            owner = next((o for o in self.executors[0].owners if o.kind == "Pod"), None)
            name = owner.name if owner is not None else f"{app.name}-driver"
            return f"Pod/{app.namespace}/{name}"
        return f"SparkApp/{app.namespace}/{app.name}"

    @property
    def driver_subject(self) -> str:
        return self.driver.key if self.driver is not None else self.subject

    def attempt_of(self, pod: Pod) -> tuple[int, str, bool]:
        """(number, application id, whether that is the present attempt) of the attempt a pod belongs to."""
        selector = pod.labels.get(SELECTOR, "")
        found = next((a for a in self.app.attempts if a.app_id and a.app_id == selector), None)
        number = found.number if found is not None else self.app.attempt
        return number, selector, number == self.app.attempt

    @property
    def over(self) -> bool:
        return not self.app.live

    @property
    def succeeded(self) -> bool:
        """Whether the application is known to have ended well."""
        if self.app.state.upper() in ("COMPLETED", "SUCCEEDED"):
            return True
        return self.app.state.upper() == "FINISHED" and not self.job_failed

    @cached_property
    def looping(self) -> bool:
        """Whether it dies again and again: two attempts failed, a third is under way, or a server restarts in place."""
        if self.succeeded:
            return False
        if self.app.attempt >= 3 and self.group is not None and self.group.cr is not None:
            return True
        if sum(1 for a in self.app.attempts if a.death is not None and a.death.kind != "normal") >= 2:
            return True
        main = self.driver.main if self.driver is not None else None
        return main is not None and main.restarts >= 2

    @property
    def failed(self) -> bool:
        """Whether the driver or the operator says that the application failed."""
        driver = self.app.driver
        if self.app.state.upper() in ("FAILED", "SUBMISSION_FAILED", "FAILING", "PENDING_RERUN"):
            return True
        return driver is not None and driver.death is not None and driver.death.kind != "normal"

    @cached_property
    def job_failed(self) -> bool:
        """Whether a job failed of itself. A cancelled job is FAILED in REST and none of that."""
        if self.hits("aborting", roles=("driver",)) or self._broke_off():
            return True
        if any(_FAILED_END.search(h.text) for h in self.hits("stopping", "job-failed", roles=("driver",))):
            return True
        for row in self.rest.stages.values():
            reason = str(row.get("failureReason") or "")
            if reason and "cancel" not in reason and "was shut down" not in reason and "FetchFailed" not in reason:
                return True
        return False

    def _broke_off(self) -> bool:
        """Whether the main program ended with a trace of its own, after which no task was started."""
        traces = [h for h in self.hits("traceback", "main-exception", roles=("driver",)) if not h.record.logger]
        if not traces:
            return False
        last = max(traces, key=lambda h: h.line)
        worked = self.hits("task-started", "stage-submitted", roles=("driver",))
        return not any(h.log is last.log and h.line > last.line for h in worked)

    # events ---------------------------------------------------------------------------------------------------------

    def events_of(self, about: str) -> list[Event]:
        return self.world.events.get(about, [])

    @cached_property
    def events(self) -> list[Event]:
        """Events of the application's object and pods, in order of time; none of a former object of the same name."""
        if not self.world.events:
            return []
        out: list[Event] = []
        if self.app.kind:
            about = self.events_of(f"{self.app.kind}/{self.app.namespace}/{self.app.name}")
            out.extend(e for e in about if not e.uid or not self.app.uid or e.uid == self.app.uid)
        for pod in self.pods:
            out.extend(self.events_of(pod.key))
        seen: set[int] = set()
        unique = [e for e in out if id(e) not in seen and not seen.add(id(e))]  # type: ignore[func-returns-value]
        unique.sort(key=lambda e: e.last or 0.0)
        return unique

    # logs -----------------------------------------------------------------------------------------------------------

    @cached_property
    def texts(self) -> list[Text]:
        own = [Text(log) for log in self.belongings.logs]
        if self.app.launcher in ("standalone", "unknown") and self.app.app_id:
            own.extend(t for t in self.world.shared if t.log.role in ("master", "worker") and self.app.app_id in t.text)
        return own

    def hits(self, *wordings: str, roles: Iterable[str] = ()) -> list[Hit]:
        """Places in this application's logs, in order of time. `roles` limits whose logs."""
        if not self.texts:
            return []
        out: list[Hit] = []
        for wording in wordings:
            if wording not in self._hits:
                self._hits[wording] = logs.find(self.texts, wording, WORDINGS[wording], usual=wording in USUAL)
            out.extend(self._hits[wording])
        wanted = set(roles)
        found = [h for h in out if not wanted or h.log.role in wanted]
        if len(wordings) > 1:
            found.sort(key=lambda h: (h.at or 0.0, h.log.origin.locator, h.line))
        return found

    def role_logs(self, role: str) -> list[Log]:
        return [log for log in self.belongings.logs if log.role == role]

    def texts_of(self, role: str) -> list[Text]:
        return [t for t in self.texts if t.log.role == role]

    @cached_property
    def victims(self) -> list[Victim]:
        """Executors that did not end normally, from everything that speaks of them."""
        return victims(self)

    @cached_property
    def losses(self) -> list[Loss]:
        """Executors that the driver says it lost, with the reason it gives."""
        return losses(self)

    @cached_property
    def stopped_at(self) -> float | None:
        """When the driver began to stop: from its log, else from its pod."""
        found = [h.at for h in self.hits("stopping", roles=("driver",)) if h.at is not None]
        if found:
            return min(found)
        driver = self.driver
        if driver is not None and deaths.over(driver):
            return deaths.ended_at(driver)
        return None

    # REST, metrics --------------------------------------------------------------------------------------------------

    @cached_property
    def rest(self) -> RestView:
        return RestView(self.belongings.rest)

    def rest_docs(self, path: str) -> list[RestDocument]:
        return self.rest.of(path)

    def samples(self, name: str) -> list[Sample]:
        """Samples of a series that belong to this application: by its id, or by its pods."""
        found = self.world.samples.get(name, [])
        if not found:
            return []
        ids = set(self.group.app_ids) if self.group is not None else {self.app.app_id}
        pods = {(p.namespace, p.name) for p in self.pods}
        out = []
        for sample in found:
            labels = sample.labels
            key = (
                labels.get("exported_namespace") or labels.get("namespace", ""),
                labels.get("exported_pod") or labels.get("pod", ""),
            )
            if labels.get("application_id") in ids or key in pods:
                out.append(sample)
        return out
