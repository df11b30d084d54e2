"""Reading a scenario strictly: plain data to its structs, then what the shape alone does not say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from console.base.document import Document
from console.base.errors import did_you_mean
from console.base.units import parse_duration, parse_jvm_size
from console.drill.prometheus.promql import engine as promql
from console.drill.scenario.faults import faults
from console.drill.scenario.faults.base import Wrong
from console.drill.scenario.model import DCGM, MODES, OPERATORS, OUTCOMES, FaultDoc, Scenario, ScenarioCase, WorldDoc
from console.drill.scenario.references import problem, problem_of
from console.drill.state import cron

Object = dict[str, Any]
API_VERSION = "console.drill/v1"
Path = tuple[str | int, ...]
"""Keys and places in lists, from the top of the document."""
_INNER = {(FaultDoc, "short"), (Scenario, "file"), (Scenario, "worlds")}
"""Fields that no file writes."""
_SIZES = {"heap", "python", "native", "input", "write", "result"}
_SECONDS = frozenset(
    ("every", "running", "at", "hold", "within", "after", "warmup", "ramp", "seconds", "scrape", "tail", "lingers")
)


class ScenarioReader:
    """Plain data to structs, with the place of each mistake."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def struct(self, kind: type[Any], data: Any, path: Path) -> Any:
        if not isinstance(data, dict):
            raise self.document.error(path, f"expected a mapping, got {_kind(data)}")
        if kind is FaultDoc and "kind" not in data:
            data = self._written_out(data, path)
        known = {f.name: f for f in msgspec.structs.fields(kind)}
        spelled = {_spelling(name): name for name in known if (kind, name) not in _INNER}
        values: Object = {}
        for key, value in data.items():
            field = spelled.get(key) or (key if (kind, key) in _INNER else None)
            if field is None:
                raise self.document.unknown_key(path, key, list(spelled))
            values[field] = self.value(known[field].type, field, value, (*path, key))
        for name, field_info in known.items():
            if field_info.required and name not in values:
                raise self.document.error(path, f"{_spelling(name)!r} is missing here")
        return kind(**values)

    def _written_out(self, data: Object, path: Path) -> Object:
        """`{drain: node-041, every: 45s, at: -20m}` as a fault is written out: kind, target, options."""
        known = faults()
        verbs = [key for key in data if key in known]
        if len(verbs) != 1:
            text = (
                f"one verb is wanted here, got {' and '.join(map(repr, verbs))}" if verbs else "no verb is named here"
            )
            near = did_you_mean(next((str(k) for k in data if k != "at"), ""), known)
            raise self.document.error(path, text, hint=near or f"one of {', '.join(sorted(known))}")
        (verb,) = verbs
        options = {key: value for key, value in data.items() if key not in (verb, "at")}
        target = data[verb]
        if isinstance(target, dict):
            said = {"object": target} if known[verb].on == "manifest" else target
            options, target = {**options, **said}, ""
        at = {"at": data["at"]} if "at" in data else {}
        return {**at, "kind": verb, "target": target or "", "options": options, "short": True}

    def value(self, kind: Any, name: str, value: Any, path: Path) -> Any:
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

    def scalar(self, kind: Any, name: str, value: Any, path: Path) -> Any:
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


class ScenarioChecker:
    """What the shape alone does not say."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self.document, self.scenario = document, scenario

    def run(self) -> None:
        self._world(self.scenario.world)
        for name, case in self.scenario.cases.items():
            self._case(name, case)

    def _world(self, world: WorldDoc) -> None:
        for index, job in enumerate(world.fleet):
            self._cron(job.schedule, ("world", "fleet", index, "schedule"))
        for index, node in enumerate(world.nodes):
            self._known(node.dcgm, DCGM, ("world", "nodes", index, "dcgm"), "no such generation")
        for index, app in enumerate(world.apps):
            if app.schedule:
                self._cron(app.schedule, ("world", "apps", index, "schedule"))
            self._known(app.operator, OPERATORS, ("world", "apps", index, "operator"), "no such operator")
            if app.operator != "kubeflow" and not app.running:
                message = "only an application of the kubeflow operator can start in the drill"
                raise self.document.error(("world", "apps", index), message)
        for index, rule in enumerate(world.rules):
            self._promql(rule.expr, ("world", "rules", index, "expr"))
        for index, manifest in enumerate(world.objects):
            wrong = problem_of(manifest)
            if wrong:
                raise self.document.error(("world", "objects", index), wrong)

    def _case(self, name: str, case: ScenarioCase) -> None:
        at: Path = ("cases", name)
        world = self.scenario.world_of(case).world
        if case.world:
            self._world(world)
        self._known(case.mode, MODES, (*at, "mode"), f"there is no mode {case.mode!r}")
        apps = [app.name for app in world.apps]
        for key, listed in (("faults", case.faults), ("break", case.break_)):
            for index, fault in enumerate(listed):
                self._fault(fault, world, (*at, key, index))
        if case.opens:
            self._in_world(case.opens.app, apps, (*at, "opens", "app"))
        if case.earlier:
            self._in_world(case.earlier.app, apps, (*at, "earlier", "app"))
        for app in case.specs:
            self._in_world(app, apps, (*at, "specs", app))
        if case.page:
            alerts = [rule.alert for rule in world.rules]
            message = f"no rule is named {case.page.alert!r}"
            self._known(case.page.alert, alerts, (*at, "page", "alert"), message)
        for index, expr in enumerate(case.recovery.conditions):
            self._promql(expr, (*at, "recovery", "conditions", index))
        for index, outcome in enumerate(case.expect.outcomes):
            message = f"there is no outcome {outcome!r}"
            self._known(outcome, OUTCOMES, (*at, "expect", "outcomes", index), message)

    def _fault(self, fault: FaultDoc, world: WorldDoc, here: Path) -> None:
        known = faults()
        self._known(fault.kind, known, (*here, "kind"), f"there is no fault {fault.kind!r}")
        kind = known[fault.kind]
        told: Path = here if fault.short else (*here, "options")
        target = (*here, fault.kind) if fault.short else (*here, "target")
        for key in fault.options:
            if key not in kind.options:
                raise self.document.unknown_key(told, key, kind.options)
        if kind.on == "app":
            self._in_world(fault.target, [app.name for app in world.apps], target)
        elif kind.on == "object":
            wrong_target = problem(fault.target)
            if wrong_target:
                raise self.document.error(target, wrong_target)
        elif kind.on == "manifest":
            wrong_manifest = problem_of(fault.options.get("object") or {})
            if wrong_manifest:
                raise self.document.error(target, wrong_manifest)
            return
        elif kind.on in ("node", "gpu node"):
            nodes = {node.name: node for node in world.nodes if node.gpus or kind.on == "node"}
            self._in_world(fault.target, list(nodes), target)
            self._right(kind.wrong(fault, nodes[fault.target]), told)
        self._right(kind.lacking(fault), told)

    def _right(self, wrong: Wrong | None, told: Path) -> None:
        if wrong is not None:
            key, message = wrong
            raise self.document.error((*told, key) if key else told, message)

    def _in_world(self, name: str, names: list[str], path: Path) -> None:
        self._known(name, names, path, f"{name!r} is not in this world")

    def _known(self, word: str, known: Collection[str], path: Path, message: str) -> None:
        if word not in known:
            raise self.document.error(path, message, hint=did_you_mean(word, known))

    def _cron(self, text: str, path: Path) -> None:
        try:
            cron.schedule(text)
        except ValueError as error:
            raise self.document.error(path, str(error)) from None

    def _promql(self, text: str, path: Path) -> None:
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
