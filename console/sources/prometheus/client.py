"""Prometheus through `prometheus-api-client`, over our own connections: by URL or by the API server's service proxy.

That client drops warnings, has no overall deadline and mounts a retrying adapter of its own. So: our adapter is mounted
afterwards and sends every request once, a response hook keeps what the answer says about itself, and time is counted
from the beginning of the whole batch. An answer is ok, partial, refused, or it says why nothing came.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded, ReachError
from console.base.redact import redact_labels
from console.base.text import shorten
from console.base.units import human_duration
from console.facts.model import Alert, Origin, Sample, SourceState, SourceStateWord
from console.slo.found import AlertRule
from console.sources.prometheus.answers import rule_groups
from console.sources.prometheus.joined import batches, halves, join
from console.sources.prometheus.readings import (
    Exchange,
    RangeReading,
    RangeSeries,
    Reading,
    ReadingState,
    hear,
    ranges_of,
    reading_of,
    refuses,
    taken_apart,
)
from console.wire.endpoint import Endpoint
from console.wire.errors import refusal
from console.wire.pool import Pool

T = TypeVar("T")
MAX_ANSWER = 32 * 2**20
FRESH, LATE = 150.0, 300.0
"""Seconds of age of the newest sample up to which metrics are fresh, and late."""
AGE = "min(time() - timestamp(up))"
_CULPRIT = 300.0
_AT_ONCE = 4
_BASE = "http://prometheus"


class Prometheus:
    """One Prometheus, or anything that speaks its query API (Thanos, VictoriaMetrics, Mimir)."""

    def __init__(self, endpoint: Endpoint, clock: Clock, *, timeout: float = 10.0, pool: Pool | None = None) -> None:
        self.label = endpoint.label
        self._endpoint, self._clock, self._timeout = endpoint, clock, timeout
        self._pool = pool or Pool(_AT_ONCE, "console-prometheus")
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._culprits: dict[str, float] = {}
        self._age: float | None = None
        self._aged = False
        self._state = SourceState("prometheus", "loading", self.label)
        self.requests = 0
        self.splits = 0
        """Those of `requests` that only looked for the culprit of a refused batch."""

    async def query(
        self, batch: Mapping[str, str], *, at: float | None = None, deadline: float = 15.0
    ) -> Mapping[str, Reading]:
        """Answers to several instant queries, by name, in as few requests as the server allows.

        Args:
            batch: name → PromQL that gives a vector or a scalar. Short ones are joined into one request.
            at: time of evaluation; None means the server's now.
            deadline: seconds for everything. What has no answer by then is `unreachable`.
        """
        end = time.monotonic() + deadline
        now = time.monotonic()
        self._culprits = {expr: until for expr, until in self._culprits.items() if until > now}
        safe = {str(index): name for index, name in enumerate(batch)}
        queries = [(index, batch[name]) for index, name in safe.items()]
        groups = batches(queries, frozenset(self._culprits))
        found: dict[str, Reading] = {}
        await asyncio.gather(*(self._group(group, at, end, found) for group in groups))
        readings = {name: found[index] for index, name in safe.items()}
        self._note(readings.values())
        return readings

    async def _group(
        self, group: list[tuple[str, str]], at: float | None, end: float, found: dict[str, Reading]
    ) -> None:
        text = join(group)
        params: dict[str, Any] = {} if at is None else {"time": f"{at:.3f}"}

        def ask(client: Any, timeout: float) -> Any:
            return client.custom_query(text, params={**params, "timeout": _seconds(timeout)})

        raw, problem = await self._ask(ask, end)
        if problem is None and refuses(raw) and len(group) > 1:
            parts = halves(group)
            self.splits += len(parts)
            await asyncio.gather(*(self._group(half, at, end, found) for half in parts))
            return
        if problem is None and refuses(raw):
            self._culprits[group[0][1]] = time.monotonic() + _CULPRIT
        reading = reading_of(text, raw, problem, self._clock.now())
        found.update({group[0][0]: reading} if len(group) == 1 else taken_apart(reading, group))

    async def query_range(
        self, promql: str, start: float, end: float, step: float, *, deadline: float = 15.0
    ) -> RangeReading:
        """A range of a query: from `start` to `end` (epoch seconds) every `step` seconds."""
        from datetime import UTC, datetime

        begin, until = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)

        def ask(client: Any, timeout: float) -> Any:
            limits = {"timeout": _seconds(timeout)}
            return client.custom_query_range(promql, begin, until, f"{step:g}", params=limits)

        raw, problem = await self._ask(ask, time.monotonic() + deadline)
        return ranges_of(promql, raw, problem)

    async def alerts(self, *, deadline: float = 10.0) -> tuple[Alert, ...]:
        """Firing and pending alerts, from the series ALERTS.

        Raises:
            ReachError: they cannot be read now (LoginNeeded, ForbiddenError likewise).
            ConsoleError: the server refuses the query.
        """
        answers = await self.query({"alerts": "ALERTS", "since": "ALERTS_FOR_STATE"}, deadline=deadline)
        firing, since = answers["alerts"], answers["since"]
        if firing.state not in ("ok", "partial"):
            raise _error(firing)
        began = {_identity(s): s.value for s in since.samples}
        out = []
        for sample in firing.samples:
            labels = dict(sample.labels)
            state = labels.pop("alertstate", "firing")
            name = labels.get("alertname", "")
            origin = Origin("prometheus", f'ALERTS{{alertname="{name}"}}', sample.at)
            out.append(Alert(name, labels, origin, state, since=began.get(_identity(sample))))
        return tuple(out)

    async def annotated(self, alerts: Sequence[Alert], *, deadline: float = 10.0) -> tuple[Alert, ...]:
        """Alerts with the annotations that their rules give them; as they are where the rules cannot be read."""
        try:
            answer = await self._endpoint.get("/api/v1/rules", {"type": "alert"}, timeout=deadline, limit=MAX_ANSWER)
            listed = [one for group in rule_groups(answer.body) for rule in group.rules for one in rule.alerts]
        except (ConsoleError, msgspec.DecodeError):
            return tuple(alerts)
        known = {frozenset(one.labels.items()): redact_labels(one.annotations) for one in listed}
        return tuple(
            replace(alert, annotations=known.get(frozenset(alert.labels.items()), alert.annotations))
            for alert in alerts
        )

    async def rules(self, *, deadline: float = 10.0) -> tuple[AlertRule, ...]:
        """The alerting rules of the server.

        Raises:
            ReachError: they cannot be read now (LoginNeeded, ForbiddenError likewise).
            ApiError: the server has no such list.
        """
        answer = await self._endpoint.get("/api/v1/rules", {"type": "alert"}, timeout=deadline, limit=MAX_ANSWER)
        try:
            groups = rule_groups(answer.body)
        except msgspec.DecodeError:
            raise refusal(answer.status, f"{self.label} gives no list of its rules (HTTP {answer.status})") from None
        return tuple(
            AlertRule(rule.name, rule.query, rule.labels, rule.duration) for group in groups for rule in group.rules
        )

    async def document(
        self, path: str, query: Mapping[str, str], read: Callable[[bytes], T], *, deadline: float = 10.0
    ) -> T:
        """One answer of another part of the API (`/api/v1/targets`, `/api/v1/rules`), as `read` decodes it.

        Raises:
            ReachError: it cannot be read now (LoginNeeded, ForbiddenError likewise).
            ApiError: the server has no such part.
        """
        self.requests += 1
        answer = await self._endpoint.get(path, dict(query), timeout=deadline, limit=MAX_ANSWER)
        try:
            return read(answer.body)
        except msgspec.DecodeError:
            raise refusal(answer.status, f"{self.label} gives no {path} (HTTP {answer.status})") from None

    async def check(self, *, deadline: float = 10.0) -> SourceState:
        """Ask how old the newest sample is, and give the state that follows."""
        reading = (await self.query({"age": AGE}, deadline=deadline))["age"]
        self._aged = reading.state in ("ok", "partial")
        self._age = min((s.value for s in reading.samples if math.isfinite(s.value)), default=None)
        self._note([reading])
        return self._state

    def state(self) -> SourceState:
        """How far metrics can be trusted, as of the last answers."""
        return self._state

    async def close(self) -> None:
        """Give up threads and sockets."""
        self._pool.close()
        await self._endpoint.close()

    async def _ask(self, ask: Any, end: float) -> tuple[Exchange, ConsoleError | None]:
        """One request by the client. Gives what was answered, or why nothing was."""
        from console.wire.bridge import BridgeAdapter, run_blocking

        async with self._gate:
            left = min(self._timeout, end - time.monotonic())
            if left <= 0:
                return Exchange(), ReachError(f"{self.label} has no time left to answer")
            until = time.monotonic() + left
            adapter = BridgeAdapter(self._endpoint, _BASE, lambda: until - time.monotonic(), limit=MAX_ANSWER)
            raw = Exchange()
            self.requests += 1
            try:
                await run_blocking(self._pool, lambda: _blocking(ask, adapter, raw, left), left, self.label)
            except ConsoleError as error:
                return raw, error
        return raw, None

    def _note(self, readings: Any) -> None:
        readings = list(readings)
        if not readings:
            return
        now = self._clock.now()
        answered = [r for r in readings if r.state in ("ok", "partial", "refused")]
        word: SourceStateWord
        detail, hint = self.label, ""
        if not answered:
            worst = readings[0]
            word = worst.state if worst.state in ("unreachable", "forbidden", "login needed") else "unreachable"
            if word == "unreachable" and self._state.last is not None:
                word = "stale"
            detail = worst.detail
        elif any(r.state == "partial" for r in answered):
            word = "partial"
            detail = next(r.detail for r in answered if r.state == "partial")
        elif self._aged and (self._age is None or self._age > LATE):
            word = "stale"
            age = "no target answers" if self._age is None else f"newest sample {human_duration(self._age)} old"
            detail = f"{self.label}: {age}"
        elif self._age is not None and self._age > FRESH:
            word, detail = "late", f"{self.label}: newest sample {human_duration(self._age)} old"
        else:
            word = "fresh"
        since = self._state.since if self._state.state == word else now
        last = now if answered else self._state.last
        self._state = SourceState("prometheus", word, detail, hint, since, last)


def _blocking(ask: Any, adapter: Any, raw: Exchange, timeout: float) -> None:
    """In a thread: what `prometheus-api-client` does, with our adapter under it."""
    import requests
    from prometheus_api_client.exceptions import PrometheusApiClientException
    from prometheus_api_client.prometheus_connect import PrometheusConnect

    from console.wire.bridge import bridged

    session = requests.Session()
    session.hooks["response"].append(lambda response, *_args, **_more: hear(response, raw))
    client = PrometheusConnect(url=_BASE, session=session)
    bridged(session, adapter)
    try:
        raw.result = ask(client, timeout)
    except PrometheusApiClientException:
        return
    except (ValueError, KeyError, TypeError):  # what the client does with an answer that is not Prometheus'
        raw.broken = True


def _identity(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in sample.labels.items() if k != "alertstate"))


def _seconds(timeout: float) -> str:
    return f"{max(1, math.ceil(timeout))}s"


def _error(reading: Reading) -> ConsoleError:
    if reading.state == "login needed":
        return LoginNeeded(reading.detail)
    if reading.state == "forbidden":
        return ForbiddenError(reading.detail)
    kind = ConsoleError if reading.state == "refused" else ReachError
    return kind(f"the query {shorten(reading.query, 80)} has no answer: {reading.detail}")


__all__ = ["AGE", "Prometheus", "RangeReading", "RangeSeries", "Reading", "ReadingState"]
