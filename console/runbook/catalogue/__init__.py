"""What really exists: series of real exporters with their labels, and the fields of objects that a change may write.

The two YAML files beside this module are the data; `sources.runbooks` reads them, `read` makes them a `Catalogue`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.base import decode
from console.base.document import parse
from console.base.errors import did_you_mean, nearest
from console.base.shapes import is_number

MetricType = Literal["gauge", "counter", "histogram", "summary", "timer"]
_OPTIONAL = ("exported_",)


class _MetricGroup(Struct, frozen=True, forbid_unknown_fields=True):
    type: MetricType
    names: list[str]
    labels: list[str] = []


class _Exporter(Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    series: list[_MetricGroup]
    note: str = ""


class _Servlet(Struct, frozen=True, forbid_unknown_fields=True):
    prefix: str
    labels: list[str]
    suffixes: dict[str, list[str]]
    stems: dict[str, list[str]]


class _Invented(Struct, frozen=True, forbid_unknown_fields=True):
    names: list[str]
    use: str


class _Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    target_labels: list[str]
    servlet: _Servlet
    exporters: list[_Exporter]
    invented: list[_Invented]


class MetricSeries(Struct, frozen=True):
    """One series name. `labels` are its own; those of scraping come on top."""

    name: str
    type: MetricType
    labels: tuple[str, ...]
    source: str
    note: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Series by name, patterns of the servlet's names, invented names with what to use, and the kinds of objects;
    names of alerts, objectives and components, where those who read it know them."""

    series: dict[str, MetricSeries] = field(default_factory=dict)
    target_labels: frozenset[str] = frozenset()
    servlet: tuple[tuple[re.Pattern[str], str, MetricSeries], ...] = ()
    invented: tuple[tuple[re.Pattern[str], str], ...] = ()
    kinds: dict[str, Any] = field(default_factory=dict)
    alerts: frozenset[str] = frozenset()
    objectives: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()

    def find(self, name: str) -> MetricSeries | None:
        """The series of this name, or None."""
        found = self.series.get(name)
        if found is not None or not name.startswith("metrics_"):
            return found
        return next((s for pattern, _, s in self.servlet if pattern.fullmatch(name)), None)

    def matching(self, regex: str) -> tuple[MetricSeries, ...]:
        """The series whose whole name fits a `{__name__=~…}`; of servlet names one example each is tried."""
        pattern = re.compile(regex)
        out = [s for name, s in self.series.items() if pattern.fullmatch(name)]
        out += [s for _, example, s in self.servlet if pattern.fullmatch(example)]
        return tuple(out)

    def invention(self, name: str) -> str | None:
        """What to use instead of a name that nothing exports, or None when it is not known as invented."""
        return next((use for pattern, use in self.invented if pattern.fullmatch(name)), None)

    def near(self, name: str) -> str | None:
        """The known series most like `name`."""
        return nearest(name, self.series)

    def has_label(self, series: MetricSeries, label: str) -> bool:
        """Whether a series can have this label after scraping."""
        if label in self.target_labels or label in series.labels or label == "__name__":
            return True
        return any(own.endswith("*") and label.startswith(own[:-1]) for own in series.labels)

    def kind(self, api_version: str, kind: str) -> Any:
        """The field tree of an object kind, or None."""
        return self.kinds.get(f"{api_version} {kind}")

    def below(self, tree: Any) -> Any:
        """The fields that a tree means: `spec of KIND` repeats another object's."""
        if isinstance(tree, str) and tree.startswith("spec of "):
            return self.kinds[tree.removeprefix("spec of ")]["spec"]
        return tree

    def wrong_field(self, api_version: str, kind: str, path: tuple[str, ...], value: Any) -> str | None:
        """What is wrong with writing `value` at `path`, in words, or None. Unknown kinds are not judged here.

        `value` is `...` where only the path is to be judged.
        """
        tree = self.kind(api_version, kind)
        if tree is None:
            return None
        if path[:1] == ("metadata",):
            return _metadata(path)
        if path in ((), ("apiVersion",), ("kind",)):
            return None
        for depth, part in enumerate(path):
            tree = self.below(tree)
            if isinstance(tree, list):
                if not (part.isdigit() or part == "-"):
                    return f"{'.'.join(path[:depth])} is a list: {part!r} must be a position, like 0"
                tree = tree[0]
                continue
            if tree in ("any", "list"):
                return None
            if tree == "map":
                return None if depth == len(path) - 1 and _is(value, "string") else f"{part!r} must be text"
            if not isinstance(tree, dict):
                return f"{'.'.join(path[:depth])} is a {tree} and has no field {part!r}"
            if part not in tree:
                where = ".".join(path[:depth]) or kind
                return f"{where} has no field {part!r}; {did_you_mean(part, tree)}"
            tree = tree[part]
        return self._unlike(".".join(path), self.below(tree), value)

    def _unlike(self, where: str, tree: Any, value: Any) -> str | None:
        """What is wrong with a whole value that is set where `tree` says what may stand."""
        if isinstance(tree, list) and isinstance(value, list):
            found = (self._unlike(f"{where}[{i}]", self.below(tree[0]), one) for i, one in enumerate(value))
            return next((words for words in found if words), None)
        if isinstance(tree, dict) and isinstance(value, dict):
            for key, inner in value.items():
                if key not in tree:
                    return f"{where} has no field {key!r}; {did_you_mean(key, tree)}"
                if words := self._unlike(f"{where}.{key}", self.below(tree[key]), inner):
                    return words
            return None
        if isinstance(tree, dict | list) or _is(value, tree) or (isinstance(value, str) and "{{" in value):
            return None
        return f"{where} must be {_a(tree)}, not {_said(value)}"


def _metadata(path: tuple[str, ...]) -> str | None:
    if path[1:2] in (("annotations",), ("labels",)) and len(path) == 3:
        return None
    return "of metadata only labels and annotations can be changed"


def _is(value: Any, word: str) -> bool:
    if value is ... or value is None or word == "any":
        return True
    checks: dict[str, bool] = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": is_number(value),
        "boolean": isinstance(value, bool),
        "int-or-string": isinstance(value, int | str) and not isinstance(value, bool),
        "map": isinstance(value, dict) and all(isinstance(v, str) for v in value.values()),
        "list": isinstance(value, list),
        "list of strings": isinstance(value, list) and all(isinstance(v, str) for v in value),
    }
    return checks.get(word, True)


def _a(word: str) -> str:
    return {"string": "text", "integer": "a whole number", "map": "a mapping of texts"}.get(word, f"a {word}")


def _said(value: Any) -> str:
    return "text" if isinstance(value, str) else f"a {type(value).__name__}"


def read(metrics: str, kinds: str, files: tuple[str, str] = ("metrics.yaml", "kinds.yaml")) -> Catalogue:
    """The catalogue in the texts of its two files.

    Raises:
        DocumentError: file, line and column of the first problem.
    """
    doc = decode.decode(parse(metrics, files[0]), _Metrics)
    series: dict[str, MetricSeries] = {}
    for exporter in doc.exporters:
        for group in exporter.series:
            for name in group.names:
                for full, more in _parts(name, group.type):
                    labels = (*group.labels, *more)
                    series[full] = MetricSeries(full, group.type, labels, exporter.source, exporter.note)
    return Catalogue(
        series=series,
        target_labels=frozenset(doc.target_labels),
        servlet=tuple(_servlet(doc.servlet)),
        invented=tuple((_glob(name), rule.use) for rule in doc.invented for name in rule.names),
        kinds=parse(kinds, files[1]).data,
    )


def _parts(name: str, type: MetricType) -> Iterable[tuple[str, tuple[str, ...]]]:
    if type == "histogram":
        return ((f"{name}_bucket", ("le",)), (f"{name}_sum", ()), (f"{name}_count", ()))
    if type == "summary":
        return ((name, ("quantile",)), (f"{name}_sum", ()), (f"{name}_count", ()))
    return ((name, ()),)


def _servlet(doc: _Servlet) -> Iterable[tuple[re.Pattern[str], str, MetricSeries]]:
    for type, stems in doc.stems.items():
        for stem in stems:
            for suffix in doc.suffixes[type]:
                pattern = re.compile(
                    rf"{doc.prefix}[A-Za-z_][A-Za-z0-9_]*?_driver_" + _glob(stem).pattern + re.escape(suffix)
                )
                example = f"{doc.prefix}app_driver_{stem.replace('*', 'appStatus')}{suffix}"
                kind = msgspec.convert(type, MetricType)
                yield pattern, example, MetricSeries(example, kind, tuple(doc.labels), "Spark PrometheusServlet")


def _glob(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(r"\*", "[A-Za-z0-9_]+"))
