"""The same figures from a real Prometheus: what it counted in a known past, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from console.base.clock import WallClock
from console.slo.recovery import recovered
from console.slo.spec import Alerting, Contributors, Events, Pair, Sli, Slices, SloSpec
from console.sources.prometheus.client import Prometheus
from console.sources.prometheus.objectives import SloSource
from console.wire.endpoint import UrlEndpoint
from tests.slo.history import served

pytestmark = pytest.mark.parts

HOUR, DAY = 3600.0, 86400.0
PERIOD = 2 * DAY
PAIRS = (
    Pair(long=HOUR, short=300.0, severity="page", factor=14.4),
    Pair(long=6 * HOUR, short=1800.0, severity="page", factor=6.0),
)
BOTH = "sum(increase(ok_total[{window}])) + sum(increase(failed_total[{window}])) or sum(increase(ok_total[{window}]))"


class Past(NamedTuple):
    url: str
    end: float

    def source(self, *specs: SloSpec) -> SloSource:
        return SloSource(specs, self.prometheus())

    def prometheus(self) -> Prometheus:
        return Prometheus(UrlEndpoint(self.url), WallClock())


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Two days: six jobs a minute, one in a hundred fails in team a; in the last two hours one in two, in team b."""
    end = float(int(time.time()) // 60 * 60)
    start = end - 49 * HOUR

    def ticks(at: float) -> float:
        return (at - start) / 10

    def trouble(at: float) -> float:
        return max(0.0, at - (end - 2 * HOUR)) / 10

    curves = {
        "ok_total": lambda at: ticks(at) - trouble(at) / 2,
        'failed_total{team="a"}': lambda at: (ticks(at) - trouble(at)) / 100,
        'failed_total{team="b"}': lambda at: trouble(at) / 2,
        "young_total": lambda at: ticks(at) if at > end - DAY else None,
        "gone_total": lambda at: ticks(at) if at < end - 3 * HOUR else None,
        "ready": lambda at: None if at < start + HOUR else float(not end - 10 * HOUR < at <= end - 9 * HOUR),
    }
    folder = tmp_path_factory.mktemp("past")
    server = served(folder, curves, start, end, 30.0)
    yield Past(server.url, end)
    server.stop()


def spec(id: str, sli: Sli, objective: float = 99.0, by: Contributors | None = None) -> SloSpec:
    alerting = Alerting(pairs=PAIRS)
    return SloSpec(id=id, title=id, objective=objective, sli=sli, period=PERIOD, alerting=alerting, contributors=by)


JOBS = Events(total=BOTH, bad="sum(increase(failed_total[{window}])) or 0 * sum(increase(ok_total[{window}]))")


async def test_events_are_counted_as_they_happened(past: Past) -> None:
    by = Contributors(bad="increase(failed_total[{window}])", by=("team",))
    (status,) = await past.source(spec("jobs", Sli(events=JOBS), by=by)).read(past.end)
    total, bad = PERIOD / 10, (46 * HOUR / 10) / 100 + (2 * HOUR / 10) / 2
    assert status.total == pytest.approx(total, rel=0.02)
    assert status.bad == pytest.approx(bad, rel=0.02)
    assert status.budget_left == pytest.approx(1 - bad / (0.01 * total), rel=0.02)
    assert (status.state, status.severity) == ("exhausted", "page")
    hour = status.burn(HOUR)
    assert hour is not None
    assert (hour.rate, hour.total) == (pytest.approx(50, rel=0.02), pytest.approx(360, rel=0.02))
    assert [(c.name, c.bad) for c in status.contributors] == [
        ("b", pytest.approx(360, rel=0.03)),
        ("a", pytest.approx(166, rel=0.03)),
    ]
    assert recovered(status) is False
    assert status.covered == 1.0
    assert status.measured_at == past.end


async def test_before_the_trouble_the_same_objective_is_exactly_at_its_budget(past: Past) -> None:
    (status,) = await past.source(spec("jobs", Sli(events=JOBS))).read(past.end - 3 * HOUR)
    hour = status.burn(HOUR)
    assert hour is not None and hour.rate == pytest.approx(1, abs=0.02)
    assert status.state == "good"


async def test_time_slices_count_the_minutes_of_an_outage(past: Past) -> None:
    (status,) = await past.source(spec("up", Sli(slices=Slices(good="min(ready)")), 95.0)).read(past.end)
    assert status.total == pytest.approx(PERIOD / 60, abs=2)
    assert status.bad == pytest.approx(60, abs=1)
    assert status.budget_left == pytest.approx(1 - 60 / (0.05 * 2880), abs=0.02)
    assert status.state == "good"
    assert recovered(status) is True


async def test_the_covered_part_of_a_young_series(past: Past) -> None:
    events = Events(total="sum(increase(young_total[{window}]))", bad="0 * sum(increase(young_total[{window}]))")
    (status,) = await past.source(spec("young", Sli(events=events))).read(past.end)
    assert status.covered == pytest.approx(0.5, abs=0.02)
    assert status.state == "good"


async def test_series_that_stopped_and_series_that_never_were(past: Past) -> None:
    def one(name: str) -> SloSpec:
        total = f"sum(increase({name}[{{window}}]))"
        return spec(name, Sli(events=Events(total=total, bad=f"0 * {total}")))

    gone, never = await past.source(one("gone_total"), one("never_total")).read(past.end)
    assert (gone.state, never.state) == ("no data", "no data")
    assert never.reason == "no series never_total"
    assert gone.reason.startswith("the newest sample is 3h")


async def test_what_this_server_refuses_is_shown_beside_its_objective(past: Past) -> None:
    wrong = Events(
        total="sum(increase(ok_total[{window}]))", bad="sum(increase(ok_total[{window}]) * on() failed_total)"
    )
    good, bad = await past.source(spec("jobs", Sli(events=JOBS)), spec("wrong", Sli(events=wrong))).read(past.end)
    assert good.state == "exhausted"
    assert bad.state == "no data"
    assert bad.reason.startswith("Prometheus refuses:") and "many-to-many" in bad.reason


async def test_a_refresh_is_few_requests_and_little_time(past: Past) -> None:
    prometheus = past.prometheus()
    names = ("ok_total", "young_total", "gone_total")
    rows = [(f"slo-{n}", names[n % 3], n) for n in range(7)]
    source = SloSource([spec(id, Sli(events=own(name, n))) for id, name, n in rows], prometheus)
    await source.read(past.end)
    before = prometheus.requests
    await source.read(past.end + 30)
    assert source.asked == 7 * 8 + 3
    assert prometheus.requests - before <= 4


def own(name: str, n: int) -> Events:
    return Events(
        total=f"sum(increase({name}[{{window}}])) * {n + 1}", bad=f"0 * sum(increase({name}[{{window}}])) * {n + 1}"
    )
