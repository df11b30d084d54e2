"""What Prometheus and Alertmanager say: objectives, alerts and single queries, each with its state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.base.errors import ConsoleError
from console.health.facts import Alert, Facts, Pod, Sample, SourceState
from console.health.model import Component, SloStatus
from console.live.plan import Plan
from console.operate.world import Queried

if TYPE_CHECKING:
    from console.health.components.find import Found
    from console.health.components.match import Conformance, Detection
    from console.health.components.spec import Definition, Preset
    from console.health.model import Board
    from console.health.monitoring.model import Monitoring
    from console.runbook.catalogue import Catalogue
    from console.settings.load import Settings
    from console.sources.alertmanager import Alertmanager
    from console.sources.monitoring import MonitoringSource
    from console.sources.prometheus import Prometheus
    from console.sources.slo import SloSource
    from console.wire.endpoint import Endpoint
    from console.wire.reader import Reader

DEFAULT_PRESET = "core-baseline"
LOOK_AGAIN = 60.0
"""Seconds of the clock after which a Prometheus that was not found is looked for again."""


class Metrics:
    """Finds Prometheus (given, configured, else discovered) and measures when asked. A lost server never raises."""

    def __init__(self, plan: Plan, settings: Settings, reader: Reader, catalogue: Catalogue | None = None) -> None:
        from console.settings.presets import load_library

        self._plan, self._settings, self._reader, self._catalogue = plan, settings, reader, catalogue
        library = load_library(settings.folders("preset_paths"))
        self._preset: Preset = library.preset(plan.preset or settings.preset or DEFAULT_PRESET)
        self._presets: tuple[Preset, ...] = tuple(library.presets.values())
        self._definitions: tuple[Definition, ...] = tuple(library.components.values())
        self._specs = self._preset.specs()
        self._prometheus: Prometheus | None = None
        self._alertmanager: Alertmanager | None = None
        self._slo_source: SloSource | None = None
        self._monitoring_source: MonitoringSource | None = None
        self._looked: float | None = None
        self._measured: float | None = None
        self._endpoints: list[Endpoint] = []
        self._absent = SourceState("prometheus", "loading")
        self._alerts_state: SourceState | None = None
        self.asked = False
        self.samples: tuple[Sample, ...] = ()
        self.alerts: tuple[Alert, ...] = ()
        self.slos: tuple[SloStatus, ...] = ()
        self.monitoring: Monitoring | None = None

    def sources(self) -> tuple[SourceState, ...]:
        """Prometheus' state, and Alertmanager's where there is one."""
        states = [self._prometheus.state() if self._prometheus is not None else self._absent]
        return (*states, self._alerts_state) if self._alerts_state is not None else tuple(states)

    def components(self, facts: Facts) -> tuple[Component, ...]:
        """The systems of the preset, judged by `facts`."""
        from console.health.components.judge import judge

        return judge(facts, self._definitions, self._preset)

    def found(self, facts: Facts) -> tuple[Found, ...]:
        """What was found of each component, whatever the preset expects."""
        from console.health.components.find import find

        return tuple(find(facts, self._definitions).values())

    def pods_of(self, component: str, facts: Facts) -> tuple[Pod, ...]:
        """The pods of one component, whatever the preset expects."""
        from console.health.components.find import find

        chosen = [d for d in self._definitions if d.id == component]
        found = find(facts, chosen).get(component)
        return found.pods if found is not None else ()

    def conformance(self, board: Board) -> Conformance:
        """How far what runs keeps to the preset."""
        from console.health.components.match import conformance

        return conformance(self._preset, board.components, self._definitions, board.slos)

    def detection(self, board: Board) -> Detection:
        """Which presets fit what runs."""
        from console.health.components.match import detect

        return detect((c.id for c in board.components if c.state != "absent"), self._presets)

    async def measure(self) -> bool:
        """Ask once. True: something may have changed."""
        from console.health.components.signals import asks
        from console.health.gpu import asks as gpu_asks
        from console.sources.slo import SloSource, without

        now = self._plan.clock.now()
        await self.find()
        if self._prometheus is None:
            self.slos = without(self._specs, self._absent.detail or "no Prometheus is known here", now)
            self.alerts = await self._from_alertmanager()
        else:
            if self._slo_source is None:
                self._slo_source = SloSource(
                    self._specs, self._prometheus, (*asks(self._definitions), *gpu_asks.asks())
                )
            self.slos, self.monitoring = await asyncio.gather(self._slo_source.read(now), self.survey())
            self.samples = self._slo_source.samples
            self.alerts = merged(await self._firing(), await self._from_alertmanager())
        self.asked, self._measured = True, now
        return True

    async def survey(self) -> Monitoring | None:
        """What Prometheus says of itself, read every few minutes; None where there is none."""
        if self._prometheus is None:
            return None
        if self._monitoring_source is None:
            from console.sources.monitoring import MonitoringSource
            from console.sources.runbooks import read_catalogue
            from console.sources.scrape_objects import ScrapeObjects

            self._monitoring_source = MonitoringSource(
                self._prometheus, self._specs, self._catalogue or read_catalogue(), ScrapeObjects(self._reader)
            )
        return await self._monitoring_source.read(self._plan.clock.now())

    def age(self) -> float:
        """Seconds of the clock since the last measurement; endless before the first."""
        return float("inf") if self._measured is None else self._plan.clock.now() - self._measured

    async def find(self) -> bool:
        """Whether there is a Prometheus; looks for one where none is known yet."""
        if self._prometheus is None:
            await self._find(self._plan.clock.now())
        return self._prometheus is not None

    async def query(self, expr: str) -> Queried:
        """One instant query, now."""
        if self._prometheus is None:
            return Queried(None, self._absent.detail or "no Prometheus is known here")
        reading = (await self._prometheus.query({"query": expr}, at=self._plan.clock.now()))["query"]
        if reading.state in ("ok", "partial"):
            return Queried(reading.samples, reading.detail)
        return Queried(None, reading.detail or reading.state)

    async def close(self) -> None:
        if self._prometheus is not None:
            await self._prometheus.close()
        for endpoint in self._endpoints:
            await endpoint.close()

    async def _firing(self) -> tuple[Alert, ...]:
        assert self._prometheus is not None
        try:
            return await self._prometheus.alerts()
        except ConsoleError:
            return self.alerts

    async def _from_alertmanager(self) -> tuple[Alert, ...]:
        if self._alertmanager is None:
            return ()
        try:
            found = await self._alertmanager.alerts()
        except ConsoleError as error:
            self._alerts_state = SourceState("alertmanager", "unreachable", detail=error.message)
            return ()
        self._alerts_state = SourceState("alertmanager", "fresh", last=self._plan.clock.now())
        return found

    async def _find(self, now: float) -> None:
        if self._looked is not None and now - self._looked < LOOK_AGAIN:
            return
        self._looked = now
        from console.live.endpoints import endpoint_of
        from console.sources.alertmanager import Alertmanager
        from console.sources.discovery import first_prometheus
        from console.sources.prometheus import Prometheus

        manager = endpoint_of(self._settings.alertmanager, self._reader, self._plan.alertmanager)
        if manager is not None and self._alertmanager is None:
            self._alertmanager = Alertmanager(manager)
            self._endpoints.append(manager)
        endpoint = endpoint_of(self._settings.prometheus, self._reader, self._plan.prometheus)
        if endpoint is None:
            try:
                found, why = await first_prometheus(self._reader, self._settings.namespaces)
            except ConsoleError as error:
                self._absent = SourceState("prometheus", "unreachable", detail=error.message, since=now)
                return
            if found is None:
                self._absent = SourceState("prometheus", "absent", detail=why, since=now)
                return
            endpoint = found.endpoint(self._reader)
        self._prometheus = Prometheus(endpoint, self._plan.clock)
        self._endpoints.append(endpoint)


def merged(first: Sequence[Alert], second: Sequence[Alert]) -> tuple[Alert, ...]:
    """Alerts of Prometheus with what Alertmanager adds: silences, annotations, and alerts that only it knows."""
    out = {_fingerprint(alert): alert for alert in first}
    for alert in second:
        out[_fingerprint(alert)] = alert
    return tuple(sorted(out.values(), key=lambda a: (a.silenced, a.name)))


def _fingerprint(alert: Alert) -> tuple[str, tuple[tuple[str, str], ...]]:
    labels = {k: v for k, v in alert.labels.items() if k not in ("alertname", "alertstate", "__name__")}
    return (alert.name, tuple(sorted(labels.items())))
