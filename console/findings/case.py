"""What a rule looks at: `Case`, one application with everything that belongs to it, and `ClusterView`, all of them.

Everything is found on demand and kept: a healthy application costs a rule almost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from console.apps.attach import ANONYMOUS, Belongings
from console.apps.attempts import attempt_of
from console.apps.groups import Group, identical
from console.apps.model import SparkApp
from console.apps.states import FAILED, SUCCEEDED
from console.facts.indexes import EventIndex, own_events
from console.facts.logs import Hit, Text
from console.facts.model import Event, Log, Pod, RestDocument, Sample
from console.facts.rest import RestView
from console.findings.applogs import AppLogs
from console.findings.joined import JoinedFacts
from console.findings.lost.changes import AppChanges, came_too_late, with_its_driver
from console.findings.lost.losses import Loss, losses
from console.findings.lost.victims import Victim, victims
from console.findings.model import Finding
from console.findings.restlog import rest_log
from console.findings.stop import Stop
from console.findings.surroundings import Surroundings

_FAILED_END = re.compile(r"stopping with exitCode [1-9]|Job \d+ failed: (?!.*cancelled)")


class ClusterView(JoinedFacts):
    """What a rule over all applications looks at."""

    def case_of(self, key: str) -> Case | None:
        """The case of the application with this key."""
        home = self._home_of.get(key)
        return self.case_at(home) if home is not None else None

    @cached_property
    def cases(self) -> list[Case]:
        """One case per application, in the order of `apps`."""
        return [self.case_at(home) for home in self.homes]

    def case_at(self, home: Home) -> Case:
        """The case of an application, made once."""
        known = self._cases.get(home.app.key)
        if known is None or known.app is not home.app:
            known = self._cases[home.app.key] = Case(home.app, home.group, home.belongings, self)
        return known

    @cached_property
    def homes(self) -> list[Home]:
        """Where each application's facts are, in the order of `apps`."""
        named: dict[tuple[str, str, str], list[Group]] = {}
        for one in self.groups.values():
            named.setdefault((one.namespace, one.name, one.launcher), []).append(one)
        out: list[Home] = []
        for app in self.apps:
            same = named.get((app.namespace, app.name, app.launcher), [])
            group = next((g for g in same if app.app_id in g.app_ids), same[-1] if same else None)
            if group is not None:
                belongings = self.attached.groups[group.id]
            else:
                belongings = self.attached.loose.get(app.app_id) or Belongings()
                if not app.namespace and not belongings.logs and not belongings.rest and not app.app_id:
                    belongings = self.attached.loose.get(ANONYMOUS, belongings)
            out.append(Home(app, group, belongings))
        return out

    @cached_property
    def _home_of(self) -> dict[str, Home]:
        return {home.app.key: home for home in self.homes}

    @cached_property
    def _cases(self) -> dict[str, Case]:
        return {}


class Home(NamedTuple):
    """An application with its objects and with what else belongs to it."""

    app: SparkApp
    group: Group | None
    belongings: Belongings

    def same(self, other: Home) -> bool:
        """Whether both hold the very same objects and facts."""
        one, two = self.belongings, other.belongings
        return (
            self.app is other.app
            and self.group is other.group
            and identical(one.logs, two.logs)
            and identical(one.rest, two.rest)
        )

    def events(self, index: EventIndex) -> list[Event]:
        """Events of its object and pods, in order of time; none of a former object of the same name."""
        if not index:
            return []
        app, group = self.app, self.group
        key = f"{app.kind}/{app.namespace}/{app.name}" if app.kind else ""
        uid, pods = (group.object_uid, group.pod_keys) if group is not None else (app.uid, ())
        return own_events(index, key, uid, pods)


class Case:
    """One application: its objects, events, logs, REST answers and metrics."""

    def __init__(self, app: SparkApp, group: Group | None, belongings: Belongings, facts: JoinedFacts) -> None:
        self.app, self.group = app, group
        self._facts, self.world = facts, Surroundings(facts)
        self.belongings = belongings
        self.so_far: list[Finding] = []
        self.ends: Sequence[Any] | None = None
        """How its processes ended, once `console.findings.ends` looked for it."""

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
        if self.belongings.logs or self.belongings.rest or self.world.measured or self.app.message:
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
        return attempt_of(self.app, pod)

    @property
    def over(self) -> bool:
        return not self.app.live

    @property
    def succeeded(self) -> bool:
        """Whether the application is known to have ended well."""
        if self.app.state.upper() in SUCCEEDED:
            return True
        return self.app.state.upper() == "FINISHED" and not self.job_failed

    @cached_property
    def looping(self) -> bool:
        """Whether it dies again and again: two attempts failed, a third is under way, or a server restarts in place."""
        if self.succeeded:
            return False
        if (self.app.operator_attempts or 0) >= 3:
            return True
        if sum(1 for a in self.app.attempts if a.failed) >= 2:
            return True
        main = self.driver.main if self.driver is not None else None
        return main is not None and main.restarts >= 2

    @property
    def failed(self) -> bool:
        """Whether the driver or the operator says that the application failed."""
        driver = self.app.driver
        if self.app.state.upper() in FAILED | {"PENDING_RERUN"}:
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
        return self._last_query_failed()

    def _last_query_failed(self) -> bool:
        """Whether the last query ended with an error: nothing came after it."""
        last = max(self.rest.sql.items(), default=(0, {}), key=lambda pair: pair[0])[1]
        reason = str(last.get("errorMessage") or "")
        return last.get("status") == "FAILED" and bool(reason) and "cancel" not in reason

    def _broke_off(self) -> bool:
        """Whether the main program ended with a trace of its own, after which no task was started."""
        traces = [h for h in self.hits("traceback", "main-exception", roles=("driver",)) if not h.record.logger]
        if not traces:
            return False
        last = max(traces, key=lambda h: h.line)
        worked = self.hits("task-started", "stage-submitted", roles=("driver",))
        return not any(h.log is last.log and h.line > last.line for h in worked)

    # events ---------------------------------------------------------------------------------------------------------

    def events_of(self, about: str) -> Sequence[Event]:
        return self.world.events(about)

    @cached_property
    def events(self) -> list[Event]:
        """Events of the application's object and pods, in order of time; none of a former object of the same name."""
        return Home(self.app, self.group, self.belongings).events(self._facts.events)

    # logs -----------------------------------------------------------------------------------------------------------

    @cached_property
    def texts(self) -> list[Text]:
        own = [self._facts.text(log) for log in self.belongings.logs]
        if self.app.launcher in ("standalone", "unknown") and self.app.app_id:
            own.extend(t for t in self.world.shared_texts("master", "worker") if self.app.app_id in t.text)
        if self.belongings.rest and not any(log.role == "driver" for log in self.belongings.logs):
            told = rest_log(self.rest, self.driver_subject)
            own.extend([Text(told)] if told is not None else [])
        return own

    @cached_property
    def logs(self) -> AppLogs:
        return AppLogs(self.texts)

    def hits(self, *wordings: str, roles: Iterable[str] = ()) -> list[Hit]:
        """Places in this application's logs, in order of time. `roles` limits whose logs."""
        return self.logs.hits(*wordings, roles=roles)

    def role_logs(self, role: str) -> list[Log]:
        return [log for log in self.belongings.logs if log.role == role]

    def texts_of(self, role: str) -> list[Text]:
        return self.logs.of(role)

    @cached_property
    def victims(self) -> list[Victim]:
        """Executors that did not end normally, from everything that speaks of them, without `ended_by_change`, and
        without such that came when the application was at its end."""
        late = {hit.log.subject for hit in self.hits("driver-ended-already", roles=("executor",))}
        left = (one for one in self._ended if not self.changes.ended(one) and not came_too_late(one, late))
        return [one for one in left if not with_its_driver(one, self.events, self.app.attempts)]

    @cached_property
    def ended_by_change(self) -> list[Victim]:
        """Executors that a change of the application ended: they say nothing against it."""
        return [one for one in self._ended if self.changes.ended(one)]

    @cached_property
    def changes(self) -> AppChanges:
        """What was changed of the application, as the cluster tells it."""
        made = self.group.cr or self.group.deployment if self.group is not None else None
        return AppChanges(self.events, self.app.attempts, made, self.app.state)

    @cached_property
    def _ended(self) -> list[Victim]:
        stop = Stop(self.logs, self.driver, self.app.ended, has_pods=bool(self.pods))
        return victims(self.app, self.executors, self.logs, self.losses, stop)

    @cached_property
    def losses(self) -> list[Loss]:
        """Executors that the driver says it lost, with the reason it gives."""
        dead = {m.pod for m in self.app.executors if m.death is not None}
        return losses(self.logs, self.rest, self.events, dead)

    # REST, metrics --------------------------------------------------------------------------------------------------

    @cached_property
    def rest(self) -> RestView:
        return RestView(self.belongings.rest)

    def rest_docs(self, path: str) -> list[RestDocument]:
        return self.rest.of(path)

    def samples(self, name: str) -> Sequence[Sample]:
        """Samples of a series that belong to this application: by its id, or by its pods."""
        if not self.world.measured:
            return ()
        ids = frozenset(self.group.app_ids) if self.group is not None else frozenset({self.app.app_id})
        return self.world.samples(name, ids, self._pod_names)

    @cached_property
    def _pod_names(self) -> frozenset[tuple[str, str]]:
        return frozenset((p.namespace, p.name) for p in self.pods)
