"""A scenario: one incident to learn from and to prove a runbook with, its world and its variants, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from console.base.errors import UsageError, did_you_mean

Object = dict[str, Any]
FROM_THE_START = -86400.0
"""`at` of what has been so since before the world began."""
OPERATORS = ("kubeflow", "apache", "connect")
OUTCOMES = ("resolved", "mitigated", "handed_over", "not_applicable", "unresolved")


class StageDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a program; sizes in bytes, times in seconds."""

    name: str
    tasks: int
    seconds: float
    heap: int = 150 * 2**20
    python: int = 0
    native: int = 0
    ramp: float = 30.0
    shuffle: bool = True
    input: int = 0
    write: int = 0
    result: int = 2048
    spares_jvm: bool = False
    tail: float = 0.0
    driver: Mapping[str, Any] | None = None


class NodeDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A node. `dcgm` says which names the exporter of its GPUs uses: legacy, renamed; none where there is none."""

    name: str
    cpu: int = 16
    memory: str = "64Gi"
    labels: dict[str, str] = {}
    gpus: int = 0
    gpu_model: str = "NVIDIA H100 80GB HBM3"
    dcgm: str = "legacy"


class AppDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A Spark application that exists when the world begins.

    `scheduled_by` names the schedule that made it. One that has been `running` for seconds stays up; `operator` says
    who runs it: kubeflow, apache, or connect for the Connect server's own executors. Its program `lingers` for seconds
    after its last job.
    """

    name: str
    spec: Object
    stages: tuple[StageDoc, ...]
    scheduled_by: str = ""
    schedule: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    manager: str = "kubectl-client-side-apply"
    app_name: str = ""
    running: float = 0.0
    lingers: float = 0.0
    operator: str = "kubeflow"


class FleetDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A recurring job of the fleet; `failures` is the share of its runs that failed in the past."""

    name: str
    schedule: str
    failures: float = 0.0
    tasks: int = 12
    seconds: float = 4.0


class FaultDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Something that changes in the world at a time.

    `at` is in seconds from the session's nominal begin, negative before it; a time before the world's own beginning
    (`-1d`) means from its start. It is written out (`{kind: drain, target: node-041, options: {every: 45s}}`), or
    short, its verb first (`{drain: node-041, every: 45s}`); `short` says which, for errors that point at a key.
    """

    at: float = FROM_THE_START
    kind: str
    target: str = ""
    options: Object = {}
    short: bool = False


class RuleDoc(msgspec.Struct, frozen=True, kw_only=True):
    """An alerting rule of the simulated Prometheus."""

    alert: str
    expr: str
    hold: float = 0.0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class PageDoc(msgspec.Struct, frozen=True, kw_only=True):
    """The alert that pages: the rule by name, and labels that pick one of its series."""

    alert: str
    labels: dict[str, str] = {}


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What really is the matter: incident class (`I01`…) or empty, the causal chain, and what is not wrong."""

    incident: str = ""
    cause: str = ""
    chain: tuple[str, ...] = ()
    not_wrong: tuple[str, ...] = ()


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A write that belongs to a good solution: resource (`sparkapplications.sparkoperator.k8s.io`), object, fields."""

    resource: str
    name: str = "*"
    verbs: tuple[str, ...] = ("PATCH",)
    fields: tuple[str, ...] = ()


class Harm(msgspec.Struct, frozen=True, kw_only=True):
    """An action that makes it worse, and what it does."""

    action: str
    consequence: str


class RecoveryCriteria(msgspec.Struct, frozen=True, kw_only=True):
    """When the incident is over: each PromQL condition has a result, for `hold` seconds, within `within` seconds."""

    conditions: tuple[str, ...] = ()
    states: dict[str, str] = {}
    hold: float = 0.0
    within: float = 5400.0


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """A hint, what it costs in points, and after how many seconds it may be asked for."""

    text: str
    cost: int = 1
    after: float = 0.0


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """How a walk of the runbook must end here.

    Attributes:
        outcomes: one of them; `end` the step that it ends with.
        path: steps that are walked, in this order; others may lie between them.
        writes: how many changes reach the cluster; None leaves that open.
        findings: codes that must be found before the walk begins; none: nothing may be found, unless `others` may.
        others: findings that belong to the world and not to what is broken in it.
        within: wall seconds within which the findings must show.
    """

    outcomes: tuple[str, ...]
    end: str = ""
    path: tuple[str, ...] = ()
    writes: int | None = None
    findings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    within: float = 30.0


class Opens(msgspec.Struct, frozen=True, kw_only=True):
    """What must be to see when the drill opens: it begins at the first such moment after the warm-up.

    Attributes:
        app: the application.
        state: its state.
        executors_lost: at least so many executors that its current driver has lost.
        failed_tasks: at least so many failed tasks in its current run.
        victims: at least so many executor pods that are dead or marked for disruption and still there.
    """

    app: str
    state: str = ""
    executors_lost: int = 0
    failed_tasks: int = 0
    victims: int = 0


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of an application that had failed before the world begins: computed into its history, not played."""

    app: str
    failures: int
    every: float = 195.0


class ScenarioCase(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of the incident. `specs` is merged into the specs of applications before the world begins.

    What happens to it is written under `break` (`faults` means the same). `world` changes the world for this case
    alone, as a scenario's own `world` changes one that it takes from elsewhere. `mode` is that of the context:
    `guarded`, or `write`, where a good solution cannot be undone.
    """

    name: str
    title: str
    mode: str = "guarded"
    opens: Opens | None = None
    earlier: Earlier | None = None
    specs: dict[str, Object] = {}
    faults: tuple[FaultDoc, ...] = ()
    break_: tuple[FaultDoc, ...] = ()
    world: Object = {}
    page: PageDoc | None = None
    truth: Truth = Truth()
    accepted: tuple[Accepted, ...] = ()
    harmful: tuple[Harm, ...] = ()
    recovery: RecoveryCriteria = RecoveryCriteria()
    hints: tuple[Hint, ...] = ()
    answers: Object = {}
    inputs: Object = {}
    expect: Expect

    @property
    def breaks(self) -> tuple[FaultDoc, ...]:
        """Everything that happens to the world."""
        return (*self.faults, *self.break_)


class ImageDoc(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the world's registry has beside those that its objects name.

    Attributes:
        name: with its tag.
        architectures: for which it was built.
        listed: each of them has a manifest of its own; else the only one is pulled by any node, and may not run there.
        private: it is given to those only who bring a pull secret.
        needs: memory that its process needs to start; a container with less is killed at once.
        ends: exit code with which its process ends as soon as it has started; none: it runs on.
        says: what it writes before it ends.
        listens: ports that it listens on; none named: those that the pod declares.
    """

    name: str
    architectures: tuple[str, ...] = ("amd64", "arm64")
    listed: bool = True
    private: bool = False
    needs: str = ""
    ends: int | None = None
    says: str = ""
    listens: tuple[int, ...] = ()


class WorldDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What the world holds before anything happens.

    `objects` are manifests beside those that every world has; one of the same kind and name is merged into that.
    """

    cluster: str
    namespace: str
    nodes: tuple[NodeDoc, ...]
    apps: tuple[AppDoc, ...]
    fleet: tuple[FleetDoc, ...] = ()
    quota: dict[str, str] = {}
    limits: dict[str, str] = {}
    history_days: float = 35.0
    rules: tuple[RuleDoc, ...] = ()
    scrape: float = 15.0
    objects: tuple[Object, ...] = ()
    images: tuple[ImageDoc, ...] = ()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario file."""

    name: str
    title: str
    runbook: str
    world: WorldDoc
    cases: dict[str, ScenarioCase]
    summary: str = ""
    difficulty: int = 1
    minutes: int = 15
    skills: tuple[str, ...] = ()
    seed: int = 1
    warmup: float = 840.0
    speed: float = 10.0
    file: str = ""
    worlds: Mapping[str, WorldDoc] = {}
    """The worlds of cases that change theirs."""

    def world_of(self, case: ScenarioCase) -> Scenario:
        """This scenario with the world that a case has."""
        return msgspec.structs.replace(self, world=self.worlds.get(case.name, self.world))

    def case(self, name: str) -> ScenarioCase:
        """One case.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.cases:
            raise UsageError(f"drill {self.name} has no case {name!r}", hint=did_you_mean(name, self.cases))
        return self.cases[name]


MODES = ("guarded", "write")
DCGM = ("legacy", "renamed", "none")
