"""Reading the settings: flag over environment over context over file over default, each value with its origin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from console.base import paths
from console.base.clock import parse_time
from console.base.decode import check
from console.base.document import Document, parse
from console.base.errors import DocumentError, UsageError, did_you_mean
from console.base.redact import redact_value
from console.base.units import parse_duration
from console.settings.model import MODES, Config, Mode, Provenance, Values

Tree = dict[str, Any]

ENVIRONMENT: dict[str, str] = {
    "CONSOLE_MODE": "mode",
    "CONSOLE_PRESET": "preset",
    "CONSOLE_NAMESPACES": "namespaces",
    "CONSOLE_PROMETHEUS_URL": "prometheus.url",
    "CONSOLE_PROMETHEUS_SERVICE": "prometheus.service",
    "CONSOLE_ALERTMANAGER_URL": "alertmanager.url",
    "CONSOLE_HISTORY_SERVER_URL": "history_server.url",
    "CONSOLE_RUNBOOK_PATHS": "runbook_paths",
    "CONSOLE_PRESET_PATHS": "preset_paths",
    "CONSOLE_WORKSTREAMS_INDEX": "workstreams.index",
    "CONSOLE_HOLD": "holds.verify",
    "CONSOLE_THEME": "ui.theme",
    "CONSOLE_SHAPES": "ui.shapes",
    "CONSOLE_MOUSE": "ui.mouse",
}
"""Environment variables and the keys that they set. Lists are separated by commas, paths by the path separator."""

_WHOLE = ("prometheus", "alertmanager", "history_server")
_PATHS = ("runbook_paths", "preset_paths", "workstreams.index")
_LISTS = ("namespaces", *_PATHS[:2])


@dataclass(frozen=True)
class Settings:
    """Immutable settings for one context (`at` gives those for another).

    Attributes:
        values: what holds; `settings.mode`, `settings.prometheus` and so on are short for it.
        origins: dotted key of each leaf -> where its value comes from.
        file: the config file, whether it exists or not.
        contexts: names that the file speaks of.
    """

    values: Values
    origins: Mapping[str, Provenance]
    file: Path
    exists: bool
    context: str = ""
    contexts: tuple[str, ...] = ()
    _layers: _Layers = field(default_factory=lambda: _Layers(), repr=False, compare=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in Values.__struct_fields__:
            raise AttributeError(name)
        return getattr(self.values, name)

    @property
    def mode(self) -> Mode:
        return self.values.mode

    def at(self, context: str) -> Settings:
        """The settings that hold in this kubeconfig context."""
        return _settle(replace(self._layers, context=context))

    def origin(self, key: str) -> Provenance:
        """Where the value of a dotted key (`holds.verify`, `prometheus`) comes from."""
        if key in self.origins:
            return self.origins[key]
        parts = [origin for name, origin in self.origins.items() if name.startswith(f"{key}.")]
        return min(parts, key=lambda origin: _RANK[origin.kind], default=Provenance("default"))

    def badge(self, namespace: str = "") -> str:
        """The text badge of the context, else the production badge where context or namespace is production."""
        return self.values.badge or (self.values.production.badge if self.is_production(namespace) else "")

    def is_production(self, namespace: str = "") -> bool:
        """Whether this context, or a namespace in it, is on the production list."""
        listed = self.values.production
        return self.context in listed.contexts or (bool(namespace) and namespace in listed.namespaces)

    def folders(self, key: str) -> tuple[Path, ...]:
        """The paths under `runbook_paths` or `preset_paths`; those of the file are relative to it."""
        base = self.file.parent if self.origin(key).kind in ("file", "context") else Path.cwd()
        return tuple(base / Path(part).expanduser() for part in getattr(self.values, key))

    @property
    def workstreams_index(self) -> Path | None:
        """The index of planned work, if one is named."""
        named = self.values.workstreams.index
        if named is None:
            return None
        in_file = self.origin("workstreams.index").kind in ("file", "context")
        return (self.file.parent if in_file else Path.cwd()) / Path(named).expanduser()

    def rows(self) -> list[tuple[str, Any, Provenance]]:
        """Every leaf as (dotted key, value without secrets, origin), for `config show` and `info`."""
        tree = redact_value(msgspec.to_builtins(self.values))
        return [(key, value, self.origin(key)) for key, value in _leaves(tree)]

    def as_json(self) -> Tree:
        """One document: the values without secrets, and the origin of each."""
        return {
            "kind": "Settings",
            "file": str(self.file),
            "exists": self.exists,
            "context": self.context,
            "values": redact_value(msgspec.to_builtins(self.values)),
            "origins": {key: str(origin) for key, _, origin in self.rows()},
        }


_RANK = {"flag": 0, "env": 1, "context": 2, "file": 3, "default": 4}


@dataclass(frozen=True)
class _Layers:
    file: Path = Path()
    exists: bool = False
    tree: Tree = field(default_factory=dict)
    document: Document | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Any] = field(default_factory=dict)
    context: str = ""


def config_path(env: Mapping[str, str] | None = None) -> Path:
    """`CONSOLE_CONFIG` if set, else `config.yaml` in the config folder."""
    named = (os.environ if env is None else env).get("CONSOLE_CONFIG")
    return Path(named).expanduser() if named else paths.config_dir() / "config.yaml"


def load(
    path: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    *,
    context: str = "",
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings.

    Args:
        path: the config file; None means the usual place, where it may be absent. A named file must exist.
        env: environment variables, `os.environ` if None.
        context: kubeconfig context whose overrides apply; `Settings.at` changes it later.
        flags: dotted key -> value of a command line flag; None values are not given.

    Raises:
        DocumentError: the file is wrong, with line, column, key and nearest valid key.
        UsageError: the file cannot be read; an environment variable or a flag has a wrong value.
    """
    env = os.environ if env is None else env
    file = Path(path).expanduser() if path is not None else config_path(env)
    named = path is not None or bool(env.get("CONSOLE_CONFIG"))
    tree: Tree = {}
    document = read(file) if named or file.is_file() else None
    if document is not None:
        tree, problems = validate(document)
        if problems:
            raise problems[0]
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    return _settle(_Layers(file, document is not None, tree, document, dict(env), given, context))


def read(file: Path) -> Document:
    """The config file as a document.

    Raises:
        UsageError: it cannot be read.
        DocumentError: it is no YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no config file {file}", hint="console config path shows the usual place") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the config file {file} cannot be read: {error}") from None
    return parse(text, str(file))


def validate(document: Document) -> tuple[Tree, list[DocumentError]]:
    """The plain tree of what is written in a config document, and every problem in it."""
    if document.data is None:
        return {}, []
    tree, problems = check(document, Config)
    problems = [_mode_hint(problem, document) for problem in problems]
    zones = known_zones()
    for at, window in _windows(document.data):
        zone = window.get("timezone")
        if isinstance(zone, str) and zone not in zones and re.search(r"^[A-Za-z0-9_+/-]+$", zone):
            hint = did_you_mean(zone, zones)
            problems.append(document.error((*at, "timezone"), f"time zone {zone!r} is not known", hint=hint))
        for key in ("from", "until"):
            moment = window.get(key)
            if "dates" in at and isinstance(moment, str) and "T" in moment and parse_time(moment) is None:
                problems.append(document.error((*at, key), f"{moment!r} is no day of the calendar or no time of day"))
    return tree if isinstance(tree, dict) else {}, sorted(problems, key=lambda problem: (problem.line, problem.column))


def _mode_hint(problem: DocumentError, document: Document) -> DocumentError:
    if problem.key != "mode":
        return problem
    return document.error(("mode",), "a mode is granted to one context, not to all", hint="contexts.<name>.mode")


@cache
def known_zones() -> frozenset[str]:
    """Names of the time zones that this machine knows, which takes a walk through its folder of them."""
    import zoneinfo

    return frozenset(zoneinfo.available_timezones() | {"UTC"})


def _windows(data: Any) -> Iterator[tuple[tuple[str | int, ...], Tree]]:
    """Each freeze window of the document with its path, as far as it is well formed."""
    policies: list[tuple[tuple[str | int, ...], Any]] = [(("policy",), _get(data, "policy"))]
    contexts = _get(data, "contexts")
    for name, item in contexts.items() if isinstance(contexts, dict) else ():
        policies.append((("contexts", name, "policy"), _get(item, "policy")))
    for at, policy in policies:
        for kind in ("weekly", "dates"):
            windows = _get(_get(policy, "freeze"), kind)
            for index, window in enumerate(windows if isinstance(windows, list) else ()):
                if isinstance(window, dict):
                    yield (*at, "freeze", kind, index), window


def _get(tree: Any, key: str) -> Any:
    return tree.get(key) if isinstance(tree, dict) else None


def _settle(layers: _Layers) -> Settings:
    """Lay the layers over each other, the weakest first."""
    values: Tree = msgspec.to_builtins(Values())
    origins: dict[str, Provenance] = {}
    general = {key: item for key, item in layers.tree.items() if key != "contexts"}
    local = layers.tree.get("contexts", {}).get(layers.context, {})
    _lay(values, origins, general, lambda key: _in_file("file", layers, (), key))
    _lay(values, origins, local, lambda key: _in_file("context", layers, ("contexts", layers.context), key))
    granted: Mode = values["mode"]
    for name, key in ENVIRONMENT.items():
        if raw := layers.env.get(name):
            value = _from_text(key, raw)
            _lay(values, origins, _nest(key, value), lambda _, name=name: Provenance("env", name))
            _checked(values, name)
    for key, value in layers.flags.items():
        flag = "--" + key.split(".")[0].replace("_", "-")
        made = _from_text(key, value) if isinstance(value, str) else value
        _lay(values, origins, _nest(key, made), lambda _, flag=flag: Provenance("flag", flag))
        _checked(values, flag)
    result = msgspec.convert(values, Values)
    if MODES.index(result.mode) > MODES.index(granted):
        where = f"contexts.{layers.context or '<name>'}.mode"
        raise UsageError(
            f"mode {result.mode!r} is not granted here: the config allows {granted!r} at most",
            hint=f"{where} in {layers.file} grants more; flags and environment can only lower it",
        )
    return Settings(
        values=result,
        origins=origins,
        file=layers.file,
        exists=layers.exists,
        context=layers.context,
        contexts=tuple(layers.tree.get("contexts", {})),
        _layers=layers,
    )


def _in_file(kind: Any, layers: _Layers, prefix: tuple[str, ...], key: str) -> Provenance:
    """Origin of a dotted key that the config file holds below `prefix`."""
    line = layers.document.line((*prefix, *key.split("."))) if layers.document else 0
    return Provenance(kind, f"{layers.file.name}:{line}")


def _lay(values: Tree, origins: dict[str, Provenance], over: Tree, origin: Any, prefix: str = "") -> None:
    for key, item in over.items():
        dotted = f"{prefix}{key}"
        if not prefix and key in _WHOLE and isinstance(item, dict):
            for old in [name for name in origins if name.startswith(f"{dotted}.")]:
                del origins[old]
            values[key] = dict(item)
            origins.update({f"{dotted}.{name}": origin(f"{dotted}.{name}") for name in item})
        elif isinstance(item, dict) and isinstance(values.get(key), dict):
            _lay(values[key], origins, item, origin, f"{dotted}.")
        else:
            values[key] = item
            origins[dotted] = origin(dotted)


def _nest(key: str, value: Any) -> Tree:
    head, _, tail = key.partition(".")
    return {head: _nest(tail, value) if tail else value}


def _from_text(key: str, raw: str) -> Any:
    if key in _LISTS:
        return [part.strip() for part in raw.split(os.pathsep if key in _PATHS else ",") if part.strip()]
    if key.startswith("holds."):
        try:
            return parse_duration(raw)
        except ValueError as error:
            raise UsageError(str(error)) from None
    return raw


def _checked(values: Tree, name: str) -> None:
    try:
        msgspec.convert(values, Values)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}") from None


def _leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
