"""Reading a Prometheus about itself over the wire: few requests, rarely; a monitored world gives no finding."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from console.drill.scenario.files import load
from console.drill.scenario.model import Scenario
from console.drill.session import DrillSession
from console.facts.model import Facts
from console.facts.monitoring import Monitoring
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.live.doctor.checks import monitoring_checks
from console.settings.presets import load_library
from console.sources.files.runbooks import read_catalogue
from console.sources.prometheus import monitoring as module
from console.sources.prometheus.client import Prometheus
from console.sources.prometheus.monitoring import EVERY, MAX_LOOKUPS, MonitoringSource
from console.wire.endpoint import UrlEndpoint
from tests.monitoring.worlds import written

SPECS = load_library().preset("core-baseline").specs()
CATALOGUE = read_catalogue()
SCENARIO = load("spark-oom")


def with_rules() -> Scenario:
    """The world of the drill with the rules of the file."""
    (kind, *_) = {type(rule) for rule in SCENARIO.world.rules}
    rules = tuple(kind(alert=rule.name, expr=rule.query, hold=0.0, labels={"blind": what}) for rule, what in written())
    return msgspec.structs.replace(SCENARIO, world=msgspec.structs.replace(SCENARIO.world, rules=rules))


@asynccontextmanager
async def source(
    scenario: Scenario, case: str = "healthy"
) -> AsyncIterator[tuple[MonitoringSource, Prometheus, DrillSession]]:
    async with DrillSession.open(scenario, case, step=True) as session:
        prometheus = Prometheus(UrlEndpoint(session.prometheus_url), session.clock)
        yield MonitoringSource(prometheus, SPECS, CATALOGUE), prometheus, session
        await prometheus.close()


def found(read: Monitoring | None, at: float) -> tuple[Finding, ...]:
    return diagnose(Facts(at=at, monitoring=read), ())


async def test_a_monitored_world_gives_no_finding_whatever_happens_to_its_jobs() -> None:
    for case in ("healthy", "default"):
        async with source(SCENARIO, case) as (monitoring, _, session):
            read = await monitoring.read(session.now)
        assert read is not None and not read.unread
        assert read.rules and read.targets and read.names and read.pod_labels and read.pod_labels.spark
        assert found(read, session.now) == ()
        assert {check.standing for check in monitoring_checks(read)} == {"ok"}


async def test_it_is_read_every_five_minutes_in_a_few_requests() -> None:
    async with source(SCENARIO) as (monitoring, prometheus, session):
        first = await monitoring.read(session.now)
        asked = prometheus.requests
        assert asked <= 5
        assert await monitoring.read(session.now + EVERY - 1) is first
        assert prometheus.requests == asked
        assert await monitoring.read(session.now + EVERY) is not first
        assert prometheus.requests == 2 * asked


async def test_each_rule_of_the_file_is_judged_as_it_was_written_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOOKUPS", 20)
    async with source(with_rules()) as (monitoring, _, session):
        read = await monitoring.read(session.now)
    said: dict[str, str] = {}
    for finding in found(read, session.now):
        word = {"monitoring-series-missing": "missing", "monitoring-selector-empty": "empty"}[finding.code]
        said |= dict.fromkeys(finding.data.rules, word)
    assert {rule.name: said.get(rule.name, "no") for rule, _ in written()} == {r.name: what for r, what in written()}
    standing = {check.name: check for check in monitoring_checks(read)}
    assert standing["monitoring series"].standing == "limited"
    assert "can never fire" in standing["monitoring series"].detail
    assert standing["monitoring targets"].standing == "ok"


async def test_selectors_that_match_nothing_are_looked_up_a_few_at_a_time() -> None:
    async with source(with_rules()) as (monitoring, prometheus, session):
        first = await monitoring.read(session.now)
        asked = prometheus.requests
        second = await monitoring.read(session.now + EVERY)
        assert first is not None and second is not None
        assert len(first.empty) <= MAX_LOOKUPS < len(second.empty) <= 2 * MAX_LOOKUPS
        assert asked <= 8 + MAX_LOOKUPS


async def test_a_lost_prometheus_leaves_what_was_known_and_says_nothing_new() -> None:
    async with DrillSession.open(SCENARIO, "healthy", step=True) as session:
        prometheus = Prometheus(UrlEndpoint(session.prometheus_url), session.clock)
        monitoring = MonitoringSource(prometheus, SPECS, CATALOGUE)
        first = await monitoring.read(session.now)
    assert first is not None
    assert await monitoring.read(session.now + EVERY) is first
    await prometheus.close()


async def test_a_prometheus_that_never_answered_gives_nothing() -> None:
    async with source(SCENARIO) as (_, _, session):
        pass
    gone = Prometheus(UrlEndpoint(session.prometheus_url), session.clock)
    assert await MonitoringSource(gone, SPECS, CATALOGUE).read(session.now) is None
    await gone.close()
    assert found(None, session.now) == ()
    assert monitoring_checks(None) == []
