"""Objectives from the files of other tools: Sloth, Pyrra and OpenSLO v1, as the trees that presets hold. Pure.

What cannot be said in events or time slices is a problem with its place, never a guess. What is said differently here
than there is a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import promql_parser
from msgspec import Struct

from console.base.document import Document, Path
from console.base.errors import DocumentError, did_you_mean
from console.base.text import shorten
from console.base.units import parse_duration
from console.slo.found import pyrra_pairs

Tree = dict[str, Any]
_OPS = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}
_MONTH, _QUARTER, _YEAR = 30, 90, 365
_NAMES = ("sloth.slok.dev/v1 PrometheusServiceLevel", "pyrra.dev/v1alpha1 ServiceLevelObjective", "openslo/v1 SLO")


class Imported(Struct, frozen=True):
    """`slos`: id -> tree of an objective as a preset holds it."""

    slos: dict[str, Tree] = {}
    notes: tuple[str, ...] = ()
    problems: tuple[DocumentError, ...] = ()


class _Refused(Exception):
    def __init__(self, path: Path, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.path, self.message, self.hint = path, message, hint


def read(documents: list[Document]) -> Imported:
    """The objectives in the documents; SLI objects of OpenSLO may stand in any of them."""
    slos: dict[str, Tree] = {}
    notes: list[str] = []
    problems: list[DocumentError] = []
    indicators = {
        _text(document.data, "metadata", "name"): (document, _map(document.data, "spec"))
        for document in documents
        if _text(document.data, "kind") == "SLI"
    }
    for document in documents:
        reader = _ObjectiveReader(document, indicators, notes)
        try:
            for id, tree in reader.objectives():
                slos[_id(id)] = tree
        except _Refused as refused:
            problems.append(document.error(refused.path, refused.message, hint=refused.hint))
        problems += reader.problems
    return Imported(slos, tuple(dict.fromkeys(notes)), tuple(problems))


def _id(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _map(tree: Any, *path: str | int) -> Tree:
    found = _at(tree, *path)
    return found if isinstance(found, dict) else {}


def _text(tree: Any, *path: str | int) -> str:
    found = _at(tree, *path)
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def _at(tree: Any, *path: str | int) -> Any:
    for part in path:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


class _ObjectiveReader:
    def __init__(self, document: Document, indicators: dict[str, tuple[Document, Tree]], notes: list[str]) -> None:
        self.document, self.indicators, self.notes = document, indicators, notes
        self.problems: list[DocumentError] = []

    def objectives(self) -> Iterator[tuple[str, Tree]]:
        data = self.document.data
        version, kind = _text(data, "apiVersion"), _text(data, "kind")
        if _text(data, "version").startswith("prometheus/v1"):
            return self.each(data, (), self.sloth)
        if version.startswith("sloth.slok.dev/") and kind == "PrometheusServiceLevel":
            return self.each(_map(data, "spec"), ("spec",), self.sloth)
        if version.startswith("pyrra.dev/") and kind == "ServiceLevelObjective":
            return iter([self.pyrra()])
        if version.startswith("openslo/v1"):
            return self.openslo() if kind == "SLO" else iter(())
        words = f"{version} {kind}".strip() or _text(data, "version") or "a document without apiVersion and kind"
        hint = did_you_mean(words, _NAMES)
        raise _Refused((), f"objectives cannot be read from {words}", hint)

    def each(self, spec: Tree, at: Path, one: Callable[[Tree, Tree, Path], tuple[str, Tree]]) -> Iterator[Any]:
        slos = spec.get("slos")
        for index, slo in enumerate(slos if isinstance(slos, list) else ()):
            try:
                yield one(spec, slo if isinstance(slo, dict) else {}, (*at, "slos", index))
            except _Refused as refused:
                self.problems.append(self.document.error(refused.path, refused.message, hint=refused.hint))

    def number(self, tree: Any, path: Path, *names: str | int) -> float:
        text = _text(tree, *names)
        try:
            return float(text.rstrip("%"))
        except ValueError:
            raise _Refused((*path, *names), f"a number is needed here, found {text!r}") from None

    def seconds(self, text: str, path: Path) -> float:
        for letter, days in (("M", _MONTH), ("Q", _QUARTER), ("Y", _YEAR)):
            if text.endswith(letter) and text[:-1].isdigit():
                return int(text[:-1]) * days * 86400.0
        try:
            return parse_duration(text)
        except ValueError as error:
            raise _Refused(path, str(error)) from None

    def sloth(self, spec: Tree, slo: Tree, at: Path) -> tuple[str, Tree]:
        sli = _map(slo, "sli")
        events, raw = _map(sli, "events"), _map(sli, "raw")
        if events:
            bad = _text(events, "error_query") or _text(events, "errorQuery")
            total = _text(events, "total_query") or _text(events, "totalQuery")
            if not bad or not total:
                raise _Refused((*at, "sli", "events"), "events need an error query and a total query")
            made: Tree = {"events": {"bad": _counted(bad), "total": _counted(total)}}
        elif raw:
            errors = _text(raw, "error_ratio_query") or _text(raw, "errorRatioQuery")
            made = {"ratio": {"errors": _window(errors)}}
        else:
            hint = "write the query of the plugin as events"
            raise _Refused((*at, "sli"), "an SLI of events or a raw error ratio is needed; plugins cannot be run", hint)
        name = _text(slo, "name")
        id = f"{_text(spec, 'service')}-{name}"
        tree = self.tree(name, self.number(slo, at, "objective"), made, _text(slo, "description"), 30 * 86400.0)
        return id, {**tree, "recorded": [id]}

    def pyrra(self) -> tuple[str, Tree]:
        spec, at = _map(self.document.data, "spec"), ("spec",)
        indicator = _map(spec, "indicator")
        place = (*at, "indicator")

        def of(kind: str, part: str) -> str:
            metric = _text(indicator, kind, part, "metric")
            if not metric:
                raise _Refused((*place, kind), f"{kind} needs {part}.metric")
            return metric

        def increase(metric: str) -> str:
            return f"sum(increase({metric}[{{window}}]))"

        grouping: Any = None
        if "ratio" in indicator:
            total = increase(of("ratio", "total"))
            bad = f"{increase(of('ratio', 'errors'))} or 0 * {total}"
            made: Tree = {"events": {"bad": bad, "total": total}}
            grouping = _at(indicator, "ratio", "grouping")
        elif "latency" in indicator:
            made = {"events": {"good": increase(of("latency", "success")), "total": increase(of("latency", "total"))}}
            grouping = _at(indicator, "latency", "grouping")
        elif "bool_gauge" in indicator:
            metric = _text(indicator, "bool_gauge", "metric")
            good, total = (f"sum({f}_over_time({metric}[{{window}}]))" for f in ("sum", "count"))
            made = {"events": {"good": good, "total": total}}
            grouping = _at(indicator, "bool_gauge", "grouping")
        else:
            found = ", ".join(indicator) or "nothing"
            raise _Refused(place, f"an indicator of ratio, latency or bool_gauge is needed, found {found}")
        name = _text(self.document.data, "metadata", "name")
        if grouping:
            self.notes.append(f"{name}: its grouping is summed to one objective here")
        period = self.seconds(_text(spec, "window") or "4w", (*at, "window"))
        tree = self.tree(name, self.number(spec, at, "target"), made, _text(spec, "description"), period)
        pairs = [
            {"long": p.long, "short": p.short, "severity": p.severity, "factor": p.factor} for p in pyrra_pairs(period)
        ]
        return name, {**tree, "alerting": {"pairs": pairs}, "recorded": [name]}

    def openslo(self) -> Iterator[tuple[str, Tree]]:
        data, spec, at = self.document.data, _map(self.document.data, "spec"), ("spec",)
        name = _text(data, "metadata", "name")
        windows = spec.get("timeWindow")
        window = _map(windows, 0) if isinstance(windows, list) else _map(spec, "timeWindow")
        if window.get("isRolling") is False or "calendar" in window:
            hint = "give a rolling window, or hold the calendar month elsewhere"
            raise _Refused((*at, "timeWindow"), "a calendar window cannot be held to: budgets here are rolling", hint)
        period = self.seconds(_text(window, "duration") or "28d", (*at, "timeWindow"))
        objectives = spec.get("objectives")
        rows = [row for row in objectives if isinstance(row, dict)] if isinstance(objectives, list) else []
        if not rows:
            raise _Refused(at, "an SLO without objectives")
        for index, row in enumerate(rows):
            place: Path = (*at, "objectives", index)
            if "indicator" in row or "indicatorRef" in row or "compositeWeight" in row:
                raise _Refused(place, "composite objectives cannot be read")
            percent = "targetPercent" in row
            goal = self.number(row, place, "targetPercent" if percent else "target") * (1 if percent else 100)
            made = self.indicator(spec, row, place)
            title = _text(row, "displayName") or _text(data, "metadata", "displayName") or name
            suffix = f"-{index + 1}" if len(rows) > 1 else ""
            yield name + suffix, self.tree(title, goal, made, _text(spec, "description"), period)

    def indicator(self, spec: Tree, row: Tree, place: Path) -> Tree:
        reference = _text(spec, "indicatorRef")
        if reference:
            if reference not in self.indicators:
                hint = did_you_mean(reference, self.indicators)
                raise _Refused(("spec", "indicatorRef"), f"there is no SLI {reference!r} in these files", hint)
            sli = self.indicators[reference][1]
        else:
            sli = _map(spec, "indicator", "spec")
        method = _text(spec, "budgetingMethod") or "Occurrences"
        slice_ = self.seconds(_text(row, "timeSliceWindow") or "1m", (*place, "timeSliceWindow"))
        ratio, threshold = _map(sli, "ratioMetric"), _map(sli, "thresholdMetric")
        if threshold:
            op, query = _OPS.get(_text(row, "op")), _query(threshold)
            if op is None or not query:
                raise _Refused((*place, "op"), "a threshold needs a query, op and value", did_you_mean("", _OPS))
            good = f"({query}) {op} bool {self.number(row, place, 'value'):g}"
            return {"slices": {"good": good, "every": slice_}}
        counter = ratio.get("counter") is True
        raw = _query(_map(ratio, "raw"))
        if raw:
            errors = raw if _text(ratio, "rawType") == "failure" else f"1 - ({raw})"
            return {"ratio": {"errors": f"avg_over_time(({errors})[{{window}}:1m])"}}
        word = "bad" if "bad" in ratio else "good"
        part, total = _query(_map(ratio, word)), _query(_map(ratio, "total"))
        if not part or not total:
            raise _Refused(("spec",), "an indicator with good or bad and total of Prometheus is needed")
        if method == "Occurrences":
            return {"events": {word: self.count(part, counter), "total": self.count(total, counter)}}
        window = f"{round(slice_)}s"
        share = f"({self.count(part, counter)}) / ({self.count(total, counter)})".replace("{window}", window)
        good_share = share if word == "good" else f"1 - {share}"
        if method == "RatioTimeslices":
            return {"ratio": {"errors": f"avg_over_time((1 - ({good_share}))[{{window}}:{window}])"}}
        target = self.number(row, place, "timeSliceTarget")
        return {"slices": {"good": f"({good_share}) >= bool {target:g}", "every": slice_}}

    def count(self, query: str, counter: bool) -> str:
        """The number of events in a window: a counter is increased before it is summed, where that can be."""
        if not counter:
            return f"sum(sum_over_time(({query})[{{window}}:1m]))"
        try:
            tree = promql_parser.parse(query)
        except ValueError:
            raise _Refused(("spec",), f"{query!r} is no PromQL") from None
        if isinstance(tree, promql_parser.AggregateExpr) and str(tree.op) == "sum":
            tree = tree.expr
        if isinstance(tree, promql_parser.VectorSelector):
            return f"sum(increase({re.sub('{}$', '', tree.prettify())}[{{window}}]))"
        self.notes.append(f"{query!r} is summed before it is increased, so a restart of one series is counted wrong")
        return f"sum(increase(({query})[{{window}}:1m]))"

    def tree(self, title: str, goal: float, sli: Tree, description: str, period: float) -> Tree:
        out: Tree = {
            "title": shorten(title or "objective", 60),
            "objective": round(goal, 10),
            "period": period,
            "sli": sli,
        }
        if description.strip():
            out["description"] = description.strip()
        return out


def _query(metric: Tree) -> str:
    spec = _map(metric, "metricSource", "spec")
    return (_text(spec, "query") or _text(spec, "promql") or _text(metric, "query")).strip()


def _window(query: str) -> str:
    return re.sub(r"\{\{\s*\.window\s*\}\}", "{window}", query).strip()


def _counted(query: str) -> str:
    """A number of events from a query that may be a rate per second."""
    text = _window(query)
    return f"({text}) * {{seconds}}" if re.search(r"\bi?rate\(", text) and "increase(" not in text else text
