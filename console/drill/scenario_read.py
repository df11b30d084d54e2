"""Reading a scenario strictly: plain data to its structs, then what the shape alone does not say."""

from __future__ import annotations

from typing import Any

import msgspec

from console.base.document import Document
from console.base.errors import did_you_mean
from console.base.units import parse_duration, parse_jvm_size
from console.drill import cron, gpu_faults
from console.drill.promql import engine as promql
from console.drill.scenario import DCGM, FAULTS, OPERATORS, OUTCOMES, Case, FaultDoc, Scenario

Object = dict[str, Any]
_SIZES = {"heap", "python", "native", "input", "write", "result"}
_SECONDS = {"every", "running", "at", "hold", "within", "after", "warmup", "ramp", "seconds", "scrape"}


class Reader:
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


class Checker:
    """What the shape alone does not say."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self.document, self.scenario = document, scenario

    def run(self) -> None:
        world = self.scenario.world
        for index, job in enumerate(world.fleet):
            self._cron(job.schedule, ("world", "fleet", index, "schedule"))
        for index, node in enumerate(world.nodes):
            if node.dcgm not in DCGM:
                here = ("world", "nodes", index, "dcgm")
                raise self.document.error(here, "no such generation", hint=did_you_mean(node.dcgm, DCGM))
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
            if fault.kind.startswith("gpu-"):
                with_gpus = [node.name for node in self.scenario.world.nodes if node.gpus]
                targets = apps if fault.kind == "gpu-idle" else with_gpus
            if targets is not None and fault.target not in targets:
                message = f"{fault.target!r} is not in this world"
                raise self.document.error((*here, "target"), message, hint=did_you_mean(fault.target, targets))
            if fault.kind in gpu_faults.KINDS and fault.kind not in ("gpu-idle", "gpu-blind"):
                self._gpus(fault, here)
        if case.opens and case.opens.app not in apps:
            message = f"{case.opens.app!r} is not in this world"
            raise self.document.error((*at, "opens", "app"), message, hint=did_you_mean(case.opens.app, apps))
        if case.earlier and case.earlier.app not in apps:
            message = f"{case.earlier.app!r} is not in this world"
            raise self.document.error((*at, "earlier", "app"), message, hint=did_you_mean(case.earlier.app, apps))
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

    def _gpus(self, fault: FaultDoc, here: tuple[str | int, ...]) -> None:
        node = next(n for n in self.scenario.world.nodes if n.name == fault.target)
        for key, value in fault.options.items():
            numbers = value if key == "gpus" and isinstance(value, list) else [value] if key == "gpu" else []
            if key == "gpus" and not isinstance(value, list):
                raise self.document.error((*here, "options", key), "expected a list of numbers of GPUs")
            if any(not isinstance(n, int) or not 0 <= n < node.gpus for n in numbers):
                message = f"{fault.target} has GPUs 0 to {node.gpus - 1}"
                raise self.document.error((*here, "options", key), message)
        if fault.kind == "gpu-xid" and not isinstance(fault.options.get("xid"), int):
            raise self.document.error((*here, "options"), "an XID is a number: say xid: 79")

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
