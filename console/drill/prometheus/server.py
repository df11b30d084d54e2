"""The Prometheus HTTP API over the world's series, with the answers and errors of 2.42."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from console.drill.prometheus.metrics.scraped import ScrapeTarget
from console.drill.prometheus.metrics.world_series import WorldStorage
from console.drill.prometheus.promql.engine import Evaluator, parse, unsupported
from console.drill.prometheus.promql.model import NAME, EvalError, Labels, Matcher, ParseError
from console.drill.prometheus.promql.operators import number
from console.drill.prometheus.promql.past import PastSteps
from console.drill.prometheus.rules import INTERVAL, ActiveAlert, RuleManager
from console.drill.prometheus.times import BadData, duration, moment, parameter
from console.drill.state.ids import stamp_micro

Object = dict[str, Any]
MAX_POINTS = 11_000
_LABEL = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$")


def metric(labels: Labels) -> dict[str, str]:
    """Labels as JSON."""
    return dict(labels)


class PrometheusServer:
    """One Prometheus."""

    def __init__(self, storage: WorldStorage, rules: RuleManager, sync: Callable[[], None]) -> None:
        self.storage, self.rules, self.sync = storage, rules, sync
        self.past = PastSteps(storage.lasting, lambda: self.now)

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=8 * 2**20)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.handle(request.path, request)

        app.router.add_route("*", "/{path:.*}", handle)
        return app

    @property
    def now(self) -> int:
        """The present in ms."""
        return int(self.storage.now * 1000)

    async def handle(self, path: str, request: web.Request) -> web.Response:
        """Any request; `path` is what follows the server's root (or a proxy's)."""
        self.sync()
        if path in ("/-/healthy", "/-/ready"):
            word = "Healthy" if path.endswith("healthy") else "Ready"
            return web.Response(text=f"Prometheus Server is {word}.\n")
        if path in ("/", "/graph"):
            return web.Response(text="<!DOCTYPE html><title>Prometheus</title>", content_type="text/html")
        query = dict(request.query)
        lists: dict[str, list[str]] = {}
        pairs = list(request.query.items())
        if request.method == "POST":
            form = await request.post()
            pairs += [(k, v) for k, v in form.items() if isinstance(v, str)]
            query |= {k: v for k, v in form.items() if isinstance(v, str)}
        for key, value in pairs:
            lists.setdefault(key, []).append(value)
        handler = self._route(path, request.method)
        if handler is None:
            return web.Response(status=404, text="404 page not found\n")
        try:
            return self._ok(handler(query, lists))
        except (BadData, ParseError) as error:
            text = str(error)
            if isinstance(error, ParseError):
                text = f'invalid parameter "query": {text}'
            return self._fail(400, "bad_data", text)
        except EvalError as error:
            return self._fail(422, "execution", str(error))

    def _route(self, path: str, method: str) -> Any:
        name = path.removeprefix("/api/v1/")
        if not path.startswith("/api/v1/"):
            return None
        values = re.fullmatch(r"label/([^/]+)/values", name)
        if values:
            return lambda q, lists: self._label_values(values.group(1), q, lists)
        return {
            "query": self._query,
            "query_range": self._range,
            "series": self._series,
            "labels": self._labels,
            "alerts": self._alerts,
            "rules": self._rules,
            "targets": self._targets,
            "metadata": lambda _q, _l: self._metadata(),
            "status/buildinfo": lambda _q, _l: self._build(),
            "status/runtimeinfo": lambda _q, _l: {
                "startTime": stamp_micro(self.storage.since),
                "storageRetention": "45d",
            },
        }.get(name)

    def _ok(self, data: Any) -> web.Response:
        body = msgspec.json.encode({"status": "success", "data": data})
        return web.Response(body=body, content_type="application/json")

    def _fail(self, code: int, kind: str, text: str) -> web.Response:
        body = msgspec.json.encode({"status": "error", "errorType": kind, "error": text})
        return web.Response(body=body, status=code, content_type="application/json")

    # -- queries --------------------------------------------------------------------------------------------------

    def _parsed(self, query: dict[str, str]) -> Any:
        text = query.get("query", "")
        expr, refused = parse(text), unsupported(text)
        if refused:
            raise EvalError(refused)
        if query.get("timeout"):
            try:
                duration(query["timeout"])
            except ValueError as error:
                raise parameter("timeout", str(error)) from None
        return expr

    def _query(self, query: dict[str, str], _lists: dict[str, list[str]]) -> Object:
        try:
            when = moment(query["time"]) if query.get("time") else self.now
        except ValueError as error:
            raise parameter("time", f"Invalid time value for 'time': {error}") from None
        expr = self._parsed(query)
        value = Evaluator(self.storage, when, when, past=self.past).at(expr, when)
        stamp = when / 1000
        if isinstance(value, float):
            return {"resultType": "scalar", "result": [stamp, number(value)]}
        if isinstance(value, str):
            return {"resultType": "string", "result": [stamp, value]}
        if type(expr).__name__ in ("MatrixSelector", "SubqueryExpr"):
            rows = [
                {"metric": metric(w.labels), "values": [[t / 1000, number(v)] for t, v in w.points]}
                for w in sorted(value, key=lambda w: w.labels)
            ]
            return {"resultType": "matrix", "result": rows}
        found = [{"metric": metric(s.labels), "value": [stamp, number(s.value)]} for s in value]
        return {"resultType": "vector", "result": found}

    def _range(self, query: dict[str, str], _lists: dict[str, list[str]]) -> Object:
        times: dict[str, int] = {}
        for name in ("start", "end"):
            try:
                times[name] = moment(query.get(name, ""))
            except ValueError as error:
                raise parameter(name, str(error)) from None
        start, end = times["start"], times["end"]
        if end < start:
            raise parameter("end", "end timestamp must not be before start time")
        try:
            step = duration(query.get("step", ""))
        except ValueError as error:
            raise parameter("step", str(error)) from None
        if step <= 0:
            raise parameter(
                "step", "zero or negative query resolution step widths are not accepted. Try a positive integer"
            )
        if (end - start) // step > MAX_POINTS:
            raise BadData(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        expr = self._parsed(query)
        kind = type(expr).__name__
        if kind in ("MatrixSelector", "SubqueryExpr", "StringLiteral"):
            word = "string" if kind == "StringLiteral" else "range vector"
            raise BadData(f'invalid expression type "{word}" for range query, must be Scalar or instant Vector')
        evaluator = Evaluator(self.storage, start, end, past=self.past)
        rows: dict[Labels, list[list[Any]]] = {}
        for when in range(start, end + 1, step):
            for sample in evaluator.vector(expr, when):
                rows.setdefault(sample.labels, []).append([when / 1000, number(sample.value)])
        result = [{"metric": metric(labels), "values": rows[labels]} for labels in sorted(rows)]
        return {"resultType": "matrix", "result": result}

    # -- metadata -------------------------------------------------------------------------------------------------

    def _span(self, query: dict[str, str]) -> tuple[int, int]:
        try:
            start = moment(query["start"]) if query.get("start") else int(self.storage.since * 1000)
            end = moment(query["end"]) if query.get("end") else self.now
        except ValueError as error:
            raise parameter("start", str(error)) from None
        return start, end

    def _selected(self, lists: dict[str, list[str]], query: dict[str, str], *, needed: bool) -> list[Labels]:
        texts = lists.get("match[]", [])
        if not texts and needed:
            raise BadData("no match[] parameter provided")
        start, end = self._span(query)
        found: dict[Labels, None] = {}
        for text in texts:
            try:
                expr = parse(text)
            except ParseError as error:
                raise BadData(f'invalid parameter "match[]": {error}') from None
            for series in Evaluator(self.storage, start, end).select(expr, 0):
                found[series.labels] = None
        if not texts:
            anything = [Matcher(NAME, "=~", ".+")]
            found = {series.labels: None for series in self.storage.select(anything, start, end)}
        return sorted(found)

    def _series(self, query: dict[str, str], lists: dict[str, list[str]]) -> list[Object]:
        return [metric(labels) for labels in self._selected(lists, query, needed=True)]

    def _labels(self, query: dict[str, str], lists: dict[str, list[str]]) -> list[str]:
        return sorted({name for labels in self._selected(lists, query, needed=False) for name, _ in labels})

    def _label_values(self, name: str, query: dict[str, str], lists: dict[str, list[str]]) -> list[str]:
        if not _LABEL.match(name):
            raise BadData(f'invalid label name: "{name}"')
        if name == NAME and not lists.get("match[]"):
            return self.storage.names()
        return sorted({v for labels in self._selected(lists, query, needed=False) for k, v in labels if k == name})

    def _metadata(self) -> Object:
        """Spark's own series have no metadata, as its endpoints have no HELP and TYPE lines."""
        kinds = self.storage.cluster.operator_metrics.counters
        return {
            name: [{"type": "gauge" if "running" in name else "counter", "help": "", "unit": ""}]
            for name in sorted(kinds)
            if name.endswith("_count") and "seconds" not in name
        }

    def _build(self) -> Object:
        return {
            "version": "2.42.0",
            "revision": "drill",
            "branch": "HEAD",
            "buildUser": "console",
            "buildDate": "20260101-00:00:00",
            "goVersion": "go1.19.8",
        }

    # -- alerts and targets ---------------------------------------------------------------------------------------

    def alert_json(self, alert: ActiveAlert) -> Object:
        """An alert as `/api/v1/alerts` has it."""
        return {
            "labels": metric(alert.labels),
            "annotations": alert.annotations,
            "state": alert.state(self.storage.now),
            "activeAt": stamp_micro(alert.active_at),
            "value": scientific(alert.value),
        }

    def _alerts(self, _query: dict[str, str], _lists: dict[str, list[str]]) -> Object:
        return {"alerts": [self.alert_json(a) for a in self.rules.active(self.storage.now)]}

    def _rules(self, query: dict[str, str], _lists: dict[str, list[str]]) -> Object:
        if query.get("type") == "record":
            return {"groups": []}
        rules: list[Object] = []
        for entry in self.rules.groups():
            rule, health = entry["rule"], entry["health"]
            row: Object = {
                "state": entry["state"],
                "name": rule.alert,
                "query": rule.expr,
                "duration": rule.hold,
                "keepFiringFor": 0,
                "labels": rule.labels,
                "annotations": rule.annotations,
                "alerts": [self.alert_json(a) for a in entry["alerts"]],
                "health": health.state,
                "evaluationTime": 0.001,
                "lastEvaluation": stamp_micro(health.evaluated),
                "type": "alerting",
            }
            if health.error:
                row["lastError"] = health.error
            rules.append(row)
        group = {
            "name": "spark",
            "file": "/etc/prometheus/rules/spark.yaml",
            "rules": rules,
            "interval": INTERVAL,
            "limit": 0,
            "evaluationTime": 0.003,
            "lastEvaluation": stamp_micro(self.storage.now),
        }
        return {"groups": [group]}

    def _targets(self, _query: dict[str, str], _lists: dict[str, list[str]]) -> Object:
        return {"activeTargets": [self._target(t) for t in self.storage.targets()], "droppedTargets": []}

    def _target(self, target: ScrapeTarget) -> Object:
        url = f"http://{target.instance}{target.path}"
        last = target.last_tick(self.now) / 1000
        up = self.storage.answers(target)(last) == 1
        return {
            "discoveredLabels": {"__address__": target.instance, "__metrics_path__": target.path, "job": target.job},
            "labels": {"instance": target.instance, "job": target.job, **dict(target.extra)},
            "scrapePool": target.job,
            "scrapeUrl": url,
            "globalUrl": url,
            "lastError": "" if up else f'Get "{url}": context deadline exceeded',
            "lastScrape": stamp_micro(last),
            "lastScrapeDuration": 0.004 if up else 10.0,
            "health": "up" if up else "down",
            "scrapeInterval": f"{target.interval:g}s",
            "scrapeTimeout": "10s",
        }


def scientific(value: float) -> str:
    """A number in the form that alerts use: `1.5e+01`."""
    if math.isnan(value) or math.isinf(value):
        return number(value)
    mantissa, exponent = f"{value:.16e}".split("e")
    shortest = repr(float(mantissa)).removesuffix(".0")
    return f"{shortest}e{exponent[0]}{int(exponent[1:]):02d}"
