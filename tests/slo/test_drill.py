"""The objectives of the core on the simulated cluster: before, in and after the incident."""

from __future__ import annotations

from console.drill.session import DrillSession
from console.settings.presets import load_library
from console.slo.recovery import recovered
from console.sources.prometheus.client import Prometheus
from console.sources.prometheus.objectives import SloSource
from console.wire.endpoint import UrlEndpoint

SPECS = load_library().preset("core-baseline").specs()


async def test_the_incident_spends_the_budget_of_job_success_and_of_nothing_else() -> None:
    async with DrillSession.open("spark-oom", "default", step=True) as session:
        prometheus = Prometheus(UrlEndpoint(session.prometheus_url), session.clock)
        slos = {slo.id: slo for slo in await SloSource(SPECS, prometheus).read(session.now)}
        await prometheus.close()
    jobs = slos["job-success"]
    hour = jobs.burn(3600)
    assert hour is not None and hour.rate is not None and hour.rate > 3
    assert jobs.bad and jobs.total and jobs.total > 1000
    assert jobs.covered == 1.0
    assert recovered(jobs) is False
    assert {slos[id].state for id in ("start-latency", "submission-success")} == {"good"}


async def test_a_healthy_world_is_good() -> None:
    async with DrillSession.open("spark-oom", "healthy", step=True) as session:
        prometheus = Prometheus(UrlEndpoint(session.prometheus_url), session.clock)
        slos = await SloSource(SPECS, prometheus).read(session.now)
        await prometheus.close()
    assert {slo.id: slo.state for slo in slos} == dict.fromkeys((spec.id for spec in SPECS), "good")
    assert all(slo.budget_left is not None and slo.budget_left > 0 for slo in slos)
