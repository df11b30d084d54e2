"""What Prometheus and Alertmanager say: objectives, alerts and single queries, each with its state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from console.base.errors import ConsoleError
from console.components.model import Component
from console.facts.culprits import Aside
from console.facts.leftout import LeftOut
from console.facts.model import Alert, Facts, Pod, Sample, SourceState
from console.facts.notjudged import Isolation, NotJudged
from console.live.plan import Plan
from console.operate.world import Queried
from console.slo.model import SloStatus

if TYPE_CHECKING:
    from console.board.model import Board
    from console.components.find import ComponentObjects
    from console.components.match import Conformance, Detection
    from console.components.spec import Definition, Preset
    from console.facts.monitoring import Monitoring
    from console.runbook.catalogue import Catalogue
    from console.settings.load import Settings
    from console.sources.prometheus.alertmanager import Alertmanager
    from console.sources.prometheus.client import Prometheus
    from console.sources.prometheus.monitoring import MonitoringSource
    from console.sources.prometheus.objectives import SloSource
    from console.sources.prometheus.readings import RangeReading
    from console.wire.endpoint import Endpoint
    from console.wire.reader import Reader

DEFAULT_PRESET = "spark-jobs"
"""In use where none is asked for: it expects nothing, and holds jobs to their objectives."""
LOOK_AGAIN = 60.0
"""Seconds of the clock after which a Prometheus that was not found is looked for again."""


class Metrics:
    """Finds Prometheus (given, configured, else discovered) and measures when asked. A lost server never raises."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        reader: Reader,
        catalogue: Catalogue | None = None,
        burnt: dict[str, dict[str, float]] | None = None,
    ) -> None:
        from console.settings.presets import load_library

        self._plan, self._settings, self._reader, self._catalogue = plan, settings, reader, catalogue
        library = load_library(settings.folders("preset_paths"))
        self._burnt = burnt
        self._preset: Preset = library.preset(plan.preset or settings.preset or DEFAULT_PRESET)
        self._presets: tuple[Preset, ...] = tuple(library.presets.values())
        self._definitions: tuple[Definition, ...] = tuple(library.components.values())
        self._specs = self._preset.specs()
        self._prometheus: Prometheus | None = None
        self._alertmanager: Alertmanager | None = None
        self._slo_source: SloSource | None = None
        self._monitoring_source: MonitoringSource | None = None
        self._aside = Aside()
        self._marks: frozenset[str] = frozenset()
        self._looked: float | None = None
        self._measured: float | None = None
        self._endpoints: list[Endpoint] = []
        self._absent = SourceState("prometheus", "loading")
        self._alerts_state: SourceState | None = None
        self._managed: tuple[Alert, ...] = ()
        self.asked = False
        self.samples: tuple[Sample, ...] = ()
        self.alerts: tuple[Alert, ...] = ()
        self.slos: tuple[SloStatus, ...] = ()
        self.monitoring: Monitoring | None = None

    def sources(self) -> tuple[SourceState, ...]:
        """Prometheus' state, and Alertmanager's where there is one."""
        state = self._prometheus.state() if self._prometheus is not None else self._absent
        if not self.asked and state.state == "fresh":
            state = replace(state, state="loading")
        states = [state]
        return (*states, self._alerts_state) if self._alerts_state is not None else tuple(states)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What bounds left out of alerts and of what scrapes the cluster."""
        objects = self.monitoring.objects if self.monitoring is not None else None
        alerts = self._alertmanager.left_out if self._alertmanager is not None else ()
        return (*alerts, *(objects.left_out if objects is not None else ()))

    @property
    def not_judged(self) -> tuple[NotJudged, ...]:
        """Objectives that could not be judged."""
        return tuple(self._slo_source.failed.failed) if self._slo_source is not None else ()

    def components(self, facts: Facts, failed: Isolation) -> tuple[Component, ...]:
        """The systems of the preset, judged by `facts`.

        Args:
            failed: takes components and objects that cannot be judged; the others are.
        """
        from console.components.find import marks
        from console.components.judge import judge

        def judged(facts: Facts) -> tuple[tuple[Component, ...], Isolation]:
            of_components = Isolation()
            return judge(facts, self._definitions, self._preset, failed=of_components), of_components

        components, of_components = self._aside.work(judged, facts, failed, "finding components")
        self._marks = self._aside.work(lambda sound: marks(sound, self._presets), facts, failed, "marks of presets")
        failed.keep(*of_components.failed)
        return components

    def found(self, facts: Facts) -> tuple[ComponentObjects, ...]:
        """What was found of each component, whatever the preset expects."""
        return tuple(self._find_in(facts, self._definitions).values())

    def pods_of(self, component: str, facts: Facts) -> tuple[Pod, ...]:
        """The pods of one component, whatever the preset expects."""
        found = self._find_in(facts, [d for d in self._definitions if d.id == component]).get(component)
        return found.pods if found is not None else ()

    def _find_in(self, facts: Facts, definitions: Sequence[Definition]) -> dict[str, ComponentObjects]:
        """Components by their ids; objects that cannot be looked through are said where components are judged."""
        from console.components.find import find

        return self._aside.work(lambda sound: find(sound, definitions), facts, Isolation(), "finding components")

    def conformance(self, board: Board) -> Conformance:
        """How far what runs keeps to the preset."""
        from console.components.match import conformance

        return conformance(self._preset, board.components, self._definitions, board.slos)

    def detection(self, board: Board) -> Detection:
        """Which presets fit what runs."""
        from console.components.match import detect

        return detect((c.id for c in board.components if c.state != "absent"), self._presets, self._marks)

    async def measure(self) -> bool:
        """Ask once. True: something may have changed."""
        from console.components.signals import asks
        from console.gpu import asks as gpu_asks
        from console.slo.hysteresis import alarmed
        from console.sources.prometheus.objectives import SloSource, without

        now = self._plan.clock.now()
        await self.find()
        if self._prometheus is None:
            self.slos = without(self._specs, self._absent.detail or "no Prometheus is known here", now)
            self.alerts = await self._from_alertmanager()
        else:
            if self._slo_source is None:
                burnt = {} if self._burnt is None else self._burnt
                fired = await self._firing()
                for spec in self._specs:
                    if signs := alarmed(spec, fired, now):
                        burnt.setdefault(spec.id, signs)
                self._slo_source = SloSource(
                    self._specs, self._prometheus, (*asks(self._definitions), *gpu_asks.asks()), burnt
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
            from console.sources.files.runbooks import read_catalogue
            from console.sources.prometheus.monitoring import MonitoringSource
            from console.sources.prometheus.scrape_objects import ScrapeObjects

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

    async def query_range(self, expr: str, start: float, end: float, step: float) -> RangeReading | None:
        """One query over a time; None where no Prometheus is known."""
        if self._prometheus is None:
            return None
        return await self._prometheus.query_range(expr, start, end, step)

    async def close(self) -> None:
        if self._prometheus is not None:
            await self._prometheus.close()
        for endpoint in self._endpoints:
            await endpoint.close()

    async def _firing(self) -> tuple[Alert, ...]:
        assert self._prometheus is not None
        try:
            alerts = await self._prometheus.alerts()
            if alerts and self._alertmanager is None:  # which would tell their annotations, and so their runbooks
                return await self._prometheus.annotated(alerts)
            return alerts
        except ConsoleError:
            return self.alerts

    async def _from_alertmanager(self) -> tuple[Alert, ...]:
        if self._alertmanager is None:
            return ()
        try:
            found = await self._alertmanager.alerts()
        except ConsoleError as error:
            self._alerts_state = SourceState("alertmanager", "unreachable", detail=error.message)
            return self._managed
        self._alerts_state = SourceState("alertmanager", "fresh", last=self._plan.clock.now())
        self._managed = found
        return found

    async def _find(self, now: float) -> None:
        if self._looked is not None and now - self._looked < LOOK_AGAIN:
            return
        self._looked = now
        from console.live.endpoints import endpoint_of
        from console.sources.cluster.discovery import first_prometheus
        from console.sources.prometheus.alertmanager import Alertmanager
        from console.sources.prometheus.client import Prometheus

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
    out = {alert.key: alert for alert in first}
    for alert in second:
        out[alert.key] = alert
    return tuple(sorted(out.values(), key=lambda a: (a.silenced, a.name)))
