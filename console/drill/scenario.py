"""Scenario files: one incident to learn from and to prove a runbook with. Read strictly, with lines in every error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from console.base.document import Document, parse
from console.base.errors import DocumentError, UsageError, did_you_mean
from console.base.paths import library
from console.base.units import parse_duration, parse_jvm_size
from console.drill import cron
from console.drill.promql import engine as promql

Object = dict[str, Any]
API_VERSION = "console.drill/v1"
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
    driver: Mapping[str, Any] | None = None


class NodeDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A node."""

    name: str
    cpu: int = 16
    memory: str = "64Gi"
    labels: dict[str, str] = {}


class AppDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A Spark application that exists when the world begins.

    `scheduled_by` names the schedule that made it. One that has been `running` for seconds stays up; `operator` says
    who runs it: kubeflow, apache, or connect for the Connect server's own executors.
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
    operator: str = "kubeflow"


class FleetDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A recurring job of the fleet; `failures` is the share of its runs that failed in the past."""

    name: str
    schedule: str
    failures: float = 0.0
    tasks: int = 12
    seconds: float = 4.0


class FaultDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Something that changes in the world at a time (seconds from the session's begin; negative = before it)."""

    at: float
    kind: str
    target: str = ""
    options: Object = {}


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


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
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
    """How a walk of the runbook must end here."""

    outcomes: tuple[str, ...]
    writes: int | None = None
    findings: tuple[str, ...] = ()


class Opens(msgspec.Struct, frozen=True, kw_only=True):
    """What must be to see when the drill opens: it begins at the first such moment after the warm-up.

    Attributes:
        app: the application.
        state: its state.
        executors_lost: at least so many executors that its current driver has lost.
        failed_tasks: at least so many failed tasks in its current run.
    """

    app: str
    state: str = ""
    executors_lost: int = 0
    failed_tasks: int = 0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of the incident. `specs` is merged into the specs of applications before the world begins."""

    name: str
    title: str
    opens: Opens | None = None
    specs: dict[str, Object] = {}
    faults: tuple[FaultDoc, ...] = ()
    page: PageDoc | None = None
    truth: Truth = Truth()
    accepted: tuple[Accepted, ...] = ()
    harmful: tuple[Harm, ...] = ()
    recovery: Recovery = Recovery()
    hints: tuple[Hint, ...] = ()
    answers: Object = {}
    inputs: Object = {}
    expect: Expect


class WorldDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What the world holds before anything happens."""

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


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario file."""

    name: str
    title: str
    runbook: str
    world: WorldDoc
    cases: dict[str, Case]
    summary: str = ""
    difficulty: int = 1
    minutes: int = 15
    skills: tuple[str, ...] = ()
    seed: int = 1
    warmup: float = 840.0
    speed: float = 10.0
    file: str = ""

    def case(self, name: str) -> Case:
        """One case.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.cases:
            raise UsageError(f"drill {self.name} has no case {name!r}", hint=did_you_mean(name, self.cases))
        return self.cases[name]


_SIZES = {"heap", "python", "native", "input", "write", "result"}
_SECONDS = {"running", "at", "hold", "within", "after", "warmup", "ramp", "seconds", "scrape"}
FAULTS: dict[str, tuple[str, ...]] = {
    "workload": ("stage", "heap", "python", "native", "ramp", "driver", "result", "sparesJvm"),
    "conf": ("set",),
    "node-pressure": ("condition", "until", "nodes", "every"),
    "drain": ("nodes", "every", "until"),
    "deny": ("verbs", "groups", "resources", "namespaces", "users"),
}


def drills_dir() -> Path:
    """Where the shipped scenarios lie."""
    return library("runbooks") / "drills"


def names(folder: Path | None = None) -> list[str]:
    """Names of the scenarios in a folder."""
    return sorted(path.stem for path in (folder or drills_dir()).glob("*.yaml"))


def load(name_or_path: str | Path) -> Scenario:
    """A scenario by its name in the library, or by the path of its file.

    Raises:
        UsageError: there is no such scenario.
        DocumentError: the file is wrong.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = drills_dir() / f"{name_or_path}.yaml"
        if not re.fullmatch(r"[a-z0-9-]+", str(name_or_path)) or not path.is_file():
            raise UsageError(f"there is no drill {str(name_or_path)!r}", hint=did_you_mean(str(name_or_path), names()))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"the scenario cannot be read: {error}", file=str(path)) from None
    return read(text, str(path))


def read(text: str, file: str = "scenario.yaml") -> Scenario:
    """A scenario from YAML text.

    Raises:
        DocumentError: it is wrong; the error names line, column and key.
    """
    document = parse(text, file)
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), "a scenario is a mapping")
    if data.get("apiVersion") != API_VERSION:
        raise document.error(("apiVersion",), f"apiVersion must be {API_VERSION}")
    body = {k: v for k, v in data.items() if k not in ("apiVersion", "kind")}
    if data.get("kind") != "Scenario":
        raise document.error(("kind",), "kind must be Scenario")
    cases = body.get("cases")
    if not isinstance(cases, dict) or "default" not in cases:
        raise document.error(("cases",), "cases must have one named default")
    for name, case in cases.items():
        if not isinstance(case, dict):
            raise document.error(("cases", name), "a case is a mapping")
        case["name"] = name
    scenario: Scenario = _Reader(document).struct(Scenario, {**body, "file": file}, ())
    _Checker(document, scenario).run()
    return scenario


class _Reader:
    """Plain data to structs, with the place of each mistake."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def struct(self, kind: type[Any], data: Any, path: tuple[str | int, ...]) -> Any:
        if not isinstance(data, dict):
            raise self.document.error(path, f"expected a mapping, got {_kind(data)}")
        known = {f.name: f for f in msgspec.structs.fields(kind)}
        spelled = {_spelling(name): name for name in known if name not in ("name", "file") or kind is not Case}
        spelled |= {"name": "name"} if "name" in known else {}
        values: Object = {}
        for key, value in data.items():
            field = spelled.get(key) or (key if key == "file" and path == () else None)
            if field is None:
                raise self.document.unknown_key(path, key, [k for k in spelled if k != "file"])
            values[field] = self.value(known[field].type, field, value, (*path, key))
        for name, field_info in known.items():
            if field_info.required and name not in values:
                raise self.document.error(path, f"{_spelling(name)!r} is missing here")
        return kind(**values)

    def value(self, kind: Any, name: str, value: Any, path: tuple[str | int, ...]) -> Any:
        origin, args = getattr(kind, "__origin__", None), getattr(kind, "__args__", ())
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.struct(kind, value, path)
        if type(None) in args:
            inner = next(a for a in args if a is not type(None))
            return None if value is None else self.value(inner, name, value, path)
        if origin is tuple:
            if not isinstance(value, list):
                raise self.document.error(path, f"expected a list, got {_kind(value)}")
            item_kind = next(iter(args))
            return tuple(self.value(item_kind, "", item, (*path, i)) for i, item in enumerate(value))
        if origin is dict or kind is dict:
            if not isinstance(value, dict):
                raise self.document.error(path, f"expected a mapping, got {_kind(value)}")
            inner = args[-1] if args else Any
            return {k: self.value(inner, "", v, (*path, k)) for k, v in value.items()}
        return self.scalar(kind, name, value, path)

    def scalar(self, kind: Any, name: str, value: Any, path: tuple[str | int, ...]) -> Any:
        if kind is Any:
            return value
        try:
            if name in _SIZES and kind is int:
                return parse_jvm_size(str(value).removesuffix("i"))
            if name in _SECONDS and kind is float:
                text = str(value)
                return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(value)
        except ValueError as error:
            raise self.document.error(path, str(error)) from None
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if isinstance(kind, type) and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise self.document.error(path, f"expected {_word(kind)}, got {_kind(value)}")
        return value


class _Checker:
    """What the shape alone does not say."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self.document, self.scenario = document, scenario

    def run(self) -> None:
        world = self.scenario.world
        for index, job in enumerate(world.fleet):
            self._cron(job.schedule, ("world", "fleet", index, "schedule"))
        for index, app in enumerate(world.apps):
            if app.schedule:
                self._cron(app.schedule, ("world", "apps", index, "schedule"))
            if app.operator not in OPERATORS:
                here = ("world", "apps", index, "operator")
                raise self.document.error(here, "no such operator", hint=did_you_mean(app.operator, OPERATORS))
            if app.operator != "kubeflow" and not app.running:
                message = "only an application of the kubeflow operator can start in the drill"
                raise self.document.error(("world", "apps", index), message)
        for index, rule in enumerate(world.rules):
            self._promql(rule.expr, ("world", "rules", index, "expr"))
        for name, case in self.scenario.cases.items():
            self._case(name, case)

    def _case(self, name: str, case: Case) -> None:
        at = ("cases", name)
        apps = [app.name for app in self.scenario.world.apps]
        nodes = [node.name for node in self.scenario.world.nodes]
        for index, fault in enumerate(case.faults):
            here = (*at, "faults", index)
            if fault.kind not in FAULTS:
                message = f"there is no fault {fault.kind!r}"
                raise self.document.error((*here, "kind"), message, hint=did_you_mean(fault.kind, FAULTS))
            for key in fault.options:
                if key not in FAULTS[fault.kind]:
                    raise self.document.unknown_key((*here, "options"), key, FAULTS[fault.kind])
            targets = {"workload": apps, "conf": apps, "node-pressure": nodes, "drain": nodes}.get(fault.kind)
            if targets is not None and fault.target not in targets:
                message = f"{fault.target!r} is not in this world"
                raise self.document.error((*here, "target"), message, hint=did_you_mean(fault.target, targets))
        if case.opens and case.opens.app not in apps:
            message = f"{case.opens.app!r} is not in this world"
            raise self.document.error((*at, "opens", "app"), message, hint=did_you_mean(case.opens.app, apps))
        for name_of_app in case.specs:
            if name_of_app not in apps:
                message = f"{name_of_app!r} is not in this world"
                raise self.document.error((*at, "specs", name_of_app), message, hint=did_you_mean(name_of_app, apps))
        alerts = [rule.alert for rule in self.scenario.world.rules]
        if case.page and case.page.alert not in alerts:
            message = f"no rule is named {case.page.alert!r}"
            raise self.document.error((*at, "page", "alert"), message, hint=did_you_mean(case.page.alert, alerts))
        for index, expr in enumerate(case.recovery.conditions):
            self._promql(expr, (*at, "recovery", "conditions", index))
        for index, outcome in enumerate(case.expect.outcomes):
            if outcome not in OUTCOMES:
                message = f"there is no outcome {outcome!r}"
                raise self.document.error(
                    (*at, "expect", "outcomes", index), message, hint=did_you_mean(outcome, OUTCOMES)
                )

    def _cron(self, text: str, path: tuple[str | int, ...]) -> None:
        try:
            cron.parse(text)
        except ValueError as error:
            raise self.document.error(path, str(error)) from None

    def _promql(self, text: str, path: tuple[str | int, ...]) -> None:
        problem = promql.problem(text)
        if problem:
            raise self.document.error(path, problem)


def _spelling(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.title() for word in rest)


def _kind(value: Any) -> str:
    names_of = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "a truth value",
        int: "a number",
        float: "a number",
    }
    return names_of.get(type(value), "nothing")


def _word(kind: type[Any]) -> str:
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, kind.__name__)
