"""What a Prometheus says of itself, read rarely: targets, rules, names of series, and the objects that configure it.

Six requests to Prometheus in a healthy world, a few more where something is missing; at most one to three lists of the
cluster beside those of the Prometheus operator. What cannot be read is named and nothing is concluded from it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from console.base.clock import parse_time
from console.base.errors import ConsoleError
from console.base.redact import redact, redact_labels, redact_short
from console.base.text import clean, shorten
from console.base.units import parse_duration
from console.facts.model import Sample
from console.facts.monitoring import (
    SPAN,
    CountedObjective,
    Gap,
    Loaded,
    Monitoring,
    Objects,
    Outage,
    PodLabels,
    Scrape,
)
from console.monitoring import blind
from console.runbook.catalogue import Catalogue
from console.slo.spec import SloSpec
from console.sources.prometheus.answers import ListedTarget, RuleGroup, active_targets, label_values, rule_groups
from console.sources.prometheus.client import Prometheus

T = TypeVar("T")
EVERY = 300.0
"""Seconds between two readings."""
GAP_WINDOW = 1800.0
GAP_SHARE = 0.8
"""Share of the expected scrapes below which a gap is told."""
MAX_LOOKUPS = 4
"""Selectors whose past is looked up in one reading; the others keep their turn."""
FOUND_FOR = 3600.0
"""Seconds for which a selector that matched something is not looked up again."""
_DEADLINE = 15.0
QUERIES: Mapping[str, str] = {
    "newest": "max(timestamp(up))",
    "down": "max_over_time(up[5m]) == 0 and on (job, instance) up offset 5m",
    "scrapes": "count_over_time(up[30m]) and on (job, instance) up offset 30m",
    "containers": 'count(kube_pod_container_info{container=~"spark-kubernetes-(driver|executor)"})',
    "labelled": "count(kube_pod_labels)",
    "spark": 'count(kube_pod_labels{label_spark_role!=""})',
}
LAST_UP = "max_over_time(timestamp(up == 1)[2h:1m]) and on (job, instance) (max_over_time(up[5m]) == 0)"


class ReadsObjects(Protocol):
    """What reads the objects of the Prometheus operator (`console.sources.prometheus.scrape_objects`)."""

    async def read(self) -> tuple[Objects | None, tuple[tuple[str, str], ...]]: ...


class MonitoringSource:
    """Reads one Prometheus' view of itself at most every `EVERY` seconds of the given time."""

    def __init__(
        self,
        prometheus: Prometheus,
        specs: Sequence[SloSpec],
        catalogue: Catalogue,
        objects: ReadsObjects | None = None,
    ) -> None:
        self._prometheus, self._catalogue, self._objects = prometheus, catalogue, objects
        self._held = tuple(
            CountedObjective(spec.id, spec.title, text)
            for spec in specs
            if (text := spec.total(300.0) or spec.ratio(300.0))
        )
        self._last: Monitoring | None = None
        self._found: dict[str, float] = {}
        self._empty: dict[str, float] = {}

    async def read(self, now: float) -> Monitoring | None:
        """What is known; the last reading while it is young. None where Prometheus gave nothing at all."""
        if self._last is not None and 0 <= now - self._last.at < EVERY:
            return self._last
        unread: list[tuple[str, str]] = []
        loaded = await self._rules(unread)
        identities = self._identities(loaded or ())
        batch = {**QUERIES, **{f"sel{n}": f"count({text})" for n, text in enumerate(identities)}}
        span = {"start": f"{now - SPAN:.3f}", "end": f"{now:.3f}"}
        targets, names, answers, (objects, more) = await asyncio.gather(
            self._asked("/api/v1/targets", {"state": "active"}, active_targets, "targets", unread),
            self._asked("/api/v1/label/__name__/values", span, label_values, "names of series", unread),
            self._prometheus.query(batch, at=now, deadline=_DEADLINE),
            self._read_objects(),
        )
        lost = _lost(answers.values())
        if lost and targets is None and names is None and loaded is None:
            return self._last
        if lost:
            unread.append(("queries", lost))
        samples = {name: reading.samples for name, reading in answers.items()}
        known = frozenset(names) if names is not None else None
        scrapes = tuple(_scrape(target) for target in targets) if targets is not None else None
        empty = await self._look_up(identities, samples, answers, known, span, now)
        exporters, instead, scraped = self._explain(loaded or (), known or frozenset())
        self._last = Monitoring(
            at=now,
            server=self._prometheus.label,
            targets=scrapes,
            rules=loaded,
            objectives=self._held,
            names=known,
            empty=empty,
            exporters=exporters,
            scraped=scraped,
            instead=instead,
            down=await self._outages(samples["down"], now),
            gaps=tuple(_gaps(samples["scrapes"], scrapes or ())),
            newest=_one(samples["newest"]),
            pod_labels=_pod_labels(samples),
            objects=objects,
            unread=(*unread, *more),
        )
        return self._last

    async def _rules(self, unread: list[Any]) -> tuple[Loaded, ...] | None:
        """The rules that the server has loaded; None where it gives no list."""
        groups = await self._asked("/api/v1/rules", {}, rule_groups, "rules", unread)
        return tuple(_loaded(groups)) if groups is not None else None

    async def _asked(
        self, path: str, query: dict[str, str], read: Callable[[bytes], T], what: str, unread: list[Any]
    ) -> T | None:
        try:
            return await self._prometheus.document(path, query, read, deadline=_DEADLINE)
        except ConsoleError as error:
            unread.append((what, shorten(error.message, 200)))
            return None

    async def _read_objects(self) -> tuple[Objects | None, tuple[tuple[str, str], ...]]:
        if self._objects is None:
            return None, ()
        try:
            return await self._objects.read()
        except ConsoleError as error:
            return None, (("scrape objects", shorten(error.message, 200)),)

    def _identities(self, rules: Iterable[Loaded]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for rule in rules:
            for selector in blind.selected(rule.query):
                if text := blind.identity(selector):
                    found[text] = None
        return tuple(found)

    async def _look_up(
        self,
        identities: Sequence[str],
        samples: Mapping[str, tuple[Sample, ...]],
        answers: Mapping[str, Any],
        names: frozenset[str] | None,
        span: dict[str, str],
        now: float,
    ) -> frozenset[str]:
        """Those that match nothing now and matched nothing within the span, nor did anything of their family."""
        doubtful = []
        for number, text in enumerate(identities):
            if answers[f"sel{number}"].state not in ("ok", "partial"):
                continue
            if samples[f"sel{number}"]:
                self._found[text] = now
                self._empty.pop(text, None)
            elif now - self._found.get(text, -math.inf) > FOUND_FOR:
                doubtful.append(text)
        doubtful = [text for text in doubtful if names is None or _family_seen(text, names)]
        doubtful.sort(key=lambda text: self._empty.get(text, -math.inf))
        for text in doubtful[:MAX_LOOKUPS]:
            unread: list[Any] = []
            query = {"match[]": blind.widened(text), **span}
            answer = await self._asked("/api/v1/label/__name__/values", query, label_values, text, unread)
            if answer is None:
                break
            if answer:
                self._found[text] = now
                self._empty.pop(text, None)
            else:
                self._empty[text] = now
        return frozenset(text for text in doubtful if text in self._empty)

    def _explain(
        self, rules: Iterable[Loaded], names: frozenset[str]
    ) -> tuple[dict[str, str], dict[str, str], frozenset[str]]:
        """Of the names that are missing: their exporters, what to use instead; and the exporters that are scraped."""
        read = {name for text in self._texts(rules) for s in blind.selected(text) if (name := blind.name_of(s))}
        exporters, instead = {}, {}
        for name in read - names:
            if (series := self._catalogue.find(name)) is not None:
                exporters[name] = series.source
            elif use := self._catalogue.invention(name):
                instead[name] = use
        known = self._catalogue.series
        return exporters, instead, frozenset(known[name].source for name in names if name in known)

    def _texts(self, rules: Iterable[Loaded]) -> Iterable[str]:
        yield from (rule.query for rule in rules)
        yield from (held.total for held in self._held)

    async def _outages(self, down: Iterable[Sample], now: float) -> tuple[Outage, ...]:
        keys = [key for sample in down if (key := _key(sample)) is not None]
        if not keys:
            return ()
        reading = (await self._prometheus.query({"up": LAST_UP}, at=now, deadline=_DEADLINE))["up"]
        since = {_key(sample): sample.value for sample in reading.samples}
        return tuple(Outage(job, instance, since.get((job, instance))) for job, instance in dict.fromkeys(keys))


def _lost(readings: Iterable[Any]) -> str:
    """Why a query got no answer at all, `` where each got one or was refused for itself."""
    return next((str(r.detail) for r in readings if r.state not in ("ok", "partial", "refused")), "")


def _pod_labels(samples: Mapping[str, tuple[Sample, ...]]) -> PodLabels:
    return PodLabels(*(_one(samples[name]) or 0.0 for name in ("containers", "labelled", "spark")))


def _loaded(groups: Iterable[RuleGroup]) -> Iterable[Loaded]:
    for group in groups:
        for rule in group.rules:
            yield Loaded(
                kind="recording" if rule.type == "recording" else "alerting",
                name=_word(rule.name),
                query=redact(rule.query[:8_000]),
                group=_word(group.name),
                file=_word(group.file),
                health=rule.health,
                error=shorten(clean(redact(rule.lastError)), 300),
                evaluated=_when(rule.lastEvaluation),
                interval=group.interval,
            )


def _scrape(said: ListedTarget) -> Scrape:
    try:
        interval = parse_duration(said.scrapeInterval) if said.scrapeInterval else None
    except ValueError:
        interval = None
    return Scrape(
        job=redact_short(said.labels.get("job", "")),
        instance=redact_short(said.labels.get("instance", "")),
        url=shorten(clean(redact(said.scrapeUrl)), 200),
        health=said.health,
        error=shorten(clean(redact(said.lastError)), 300),
        last=_when(said.lastScrape),
        interval=interval,
        labels=redact_labels(said.labels),
    )


def _gaps(counted: Iterable[Sample], targets: Iterable[Scrape]) -> Iterable[Gap]:
    intervals = {target.key: target.interval for target in targets if target.interval}
    for sample in counted:
        key = _key(sample)
        interval = intervals.get(key) if key is not None else None
        if key is not None and interval and sample.value < GAP_SHARE * GAP_WINDOW / interval - 1:
            yield Gap(key[0], key[1], sample.value, GAP_WINDOW / interval, GAP_WINDOW)


def _family_seen(text: str, names: frozenset[str]) -> bool:
    """Whether the metric or one of its family exists: else it is the series that are missing, not their source."""
    name = text.partition("{")[0]
    return name in names or any(blind.of_family(name, other) for other in names)


def _key(sample: Sample) -> tuple[str, str] | None:
    job, instance = sample.labels.get("job"), sample.labels.get("instance")
    return (job, instance) if job is not None and instance is not None else None


def _one(samples: Iterable[Sample]) -> float | None:
    return next((s.value for s in samples if math.isfinite(s.value)), None)


def _word(text: str) -> str:
    return shorten(clean(redact(text)), 160)


def _when(text: str) -> float | None:
    """A time; None for the zero time of something that never happened."""
    at = parse_time(text) if text else None
    return at if at is not None and at > 0 else None
