"""How objectives are asked: few queries, long windows rarely, culprits isolated, lost servers told from empty ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import promql_parser

from console.board.model import Board, Cluster
from console.cli.board.status import slo_row
from console.cli.output import plain
from console.cli.slo import slo_page, slo_table
from console.components.signals import asks
from console.facts.model import Origin, Sample
from console.facts.series import MARK, NOTE, Ask
from console.gpu import asks as gpu_asks
from console.live.situation import Situation
from console.settings.presets import load_library
from console.slo.asks import plan, selectors
from console.slo.found import QUERY, AlertRule
from console.slo.spec import Contributors, Events, Sli, Slices, SloSpec
from console.sources.prometheus.joined import batches
from console.sources.prometheus.objectives import SloSource, without
from console.tui.views.slo import lines

NOW = 1_800_000_000.0
DAY = 86400.0


def spec(id: str = "jobs", bad: str = "sum(increase(bad[{window}]))", **over: Any) -> SloSpec:
    sli = Sli(events=Events(total="sum(increase(total[{window}]))", bad=bad))
    fields = {"id": id, "title": id.title(), "objective": 99.0, "sli": sli, **over}
    return SloSpec(**fields)


@dataclass
class Reading:
    samples: tuple[Sample, ...] = ()
    state: str = "ok"
    detail: str = ""


@dataclass
class Server:
    """Answers each key with the number in `values` for its middle part; refuses queries with the word `poison`."""

    values: Mapping[str, float] = field(default_factory=dict)
    state: str = "ok"
    detail: str = ""
    lost: tuple[str, ...] = ()
    recorded: tuple[Sample, ...] = ()
    seen: list[str] = field(default_factory=list)

    async def query(
        self, batch: Mapping[str, str], *, at: float | None = None, deadline: float = 15.0
    ) -> dict[str, Reading]:
        return {key: self.answer(key, expr) for key, expr in batch.items()}

    async def rules(self) -> tuple[AlertRule, ...]:
        return ()

    def answer(self, key: str, expr: str) -> Reading:
        self.seen.append(expr)
        what = key.split("|")[1]
        if self.state not in ("ok", "partial") or what in self.lost:
            return Reading(state=self.state if self.state != "ok" else "unreachable", detail=self.detail)
        if "poison" in expr:
            return Reading(state="refused", detail="many-to-many matching")
        if expr == QUERY:
            return Reading(self.recorded, self.state, self.detail)
        if what not in self.values:
            return Reading((), self.state, self.detail)
        sample = Sample("", {}, self.values[what], NOW, Origin("prometheus", expr))
        return Reading((sample,), self.state, self.detail)


GOOD = {"bad": 1.0, "total": 1000.0, "newest": NOW - 10, "since": NOW - 40 * DAY, "present": 720.0}


async def test_every_query_is_promql_and_asked_once() -> None:
    server = Server(GOOD)
    by = Contributors(bad="increase(bad[{window}])", by=("namespace",))
    slices = spec("up", sli=Sli(slices=Slices(good="min(up) > bool 0")))
    await SloSource([spec(contributors=by), slices], server).read(NOW)
    assert len(server.seen) == len(set(server.seen))
    for query in server.seen:
        promql_parser.parse(query)


async def test_long_windows_are_asked_every_five_minutes_only() -> None:
    server = Server(GOOD)
    source = SloSource([spec()], server)
    first = await source.read(NOW)
    assert any("[30d]" in query for query in server.seen)
    server.seen.clear()
    second = await source.read(NOW + 60)
    assert server.seen and not any("[30d]" in query for query in server.seen)
    assert second[0].budget_left == first[0].budget_left == 0.9
    server.seen.clear()
    await source.read(NOW + 301)
    assert any("[30d]" in query for query in server.seen)


async def test_the_status_carries_counts_coverage_and_series() -> None:
    (status,) = await SloSource([spec()], Server({**GOOD, "since": NOW - 15 * DAY, "present": 359.0})).read(NOW)
    assert (status.state, status.bad, status.total) == ("good", 1, 1000)
    assert status.covered == 0.5
    assert status.measured_at == NOW - 10
    assert status.source == "Prometheus: total"
    week = status.burn(3 * DAY)
    assert week is not None and week.covered == 1.0


async def test_a_refused_expression_is_found_and_does_not_hurt_the_others() -> None:
    server = Server(GOOD)
    source = SloSource([spec("one"), spec("two", bad="sum(increase(poison[{window}]))"), spec("three")], server)
    one, two, three = await source.read(NOW)
    assert (one.state, three.state) == ("good", "good")
    assert (two.state, two.reason) == ("no data", "Prometheus refuses: many-to-many matching")
    server.seen.clear()
    await source.read(NOW + 30)
    assert not any("poison" in query for query in server.seen)


async def test_what_is_no_promql_is_not_sent() -> None:
    server = Server(GOOD)
    one, two = await SloSource([spec("one", bad="sum(increase(bad[{window}])"), spec("two")], server).read(NOW)
    assert one.state == "no data" and one.reason.startswith("this is no PromQL")
    assert two.state == "good"


async def test_a_lost_server_leaves_the_last_figures_and_then_no_verdict() -> None:
    server = Server(GOOD)
    source = SloSource([spec()], server)
    await source.read(NOW)
    server.state, server.detail = "unreachable", "connection refused"
    (soon,) = await source.read(NOW + 200)
    assert soon.state == "good"
    assert "late" in soon.reason and "connection refused" in soon.reason
    (later,) = await source.read(NOW + 1200)
    assert (later.state, later.budget_left) == ("no data", 0.9)


async def test_a_server_that_never_answered() -> None:
    (status,) = await SloSource([spec()], Server(state="unreachable", detail="no route")).read(NOW)
    assert (status.state, status.reason) == ("no data", "Prometheus unreachable: no route")


async def test_a_partial_answer_is_shown_as_partial() -> None:
    (status,) = await SloSource([spec()], Server(GOOD, state="partial", detail="a store is missing")).read(NOW)
    assert (status.state, status.reason, status.partial) == ("good", "partial: a store is missing", True)
    assert "good, partial" in slo_page(status, NOW)
    board = Board(NOW, Cluster(), "OK", slos=(status,))
    assert "good, partial" in slo_table(board) and "partial: a store is missing" in slo_table(board)
    assert slo_row(status)[2] == "good, partial"
    assert plain(status)["partial"] is True


async def test_a_refusal_stands_beside_its_objective_in_every_view() -> None:
    broken = spec("two", bad="sum(increase(poison[{window}]))")
    (status,) = await SloSource([broken], Server(GOOD)).read(NOW)
    words = "Prometheus refuses: many-to-many matching"
    board = Board(NOW, Cluster(), "OK", slos=(status,))
    assert words in slo_page(status, NOW) and words in slo_table(board)
    assert plain(status)["reason"] == words
    shown = "\n".join(line.text for line in lines(Situation(board, "live"), 160))
    assert words in shown


def test_one_refresh_of_objectives_components_and_gpus_travels_in_at_most_twelve_requests() -> None:
    library = load_library()
    asked = [ask for one in library.preset("core-gpu-iceberg").specs() for ask in plan(one).asks]
    asked += [*asks(library.components.values()), *gpu_asks.asks(), Ask("existing", QUERY)]
    unique = {ask.expr: ask for ask in asked}
    groups = batches([(str(n), expr) for n, expr in enumerate(unique)])
    assert len(unique) > 150 and len(groups) <= 12


async def test_series_that_nobody_exports_are_named() -> None:
    (status,) = await SloSource([spec()], Server({})).read(NOW)
    assert (status.state, status.reason) == ("no data", "no series total")


async def test_counters_that_have_counted_nothing_yet_are_series_without_events() -> None:
    (status,) = await SloSource([spec()], Server({"bad": 0.0, "total": 0.0})).read(NOW)
    assert (status.state, status.reason) == ("no data", "no events in 30d")


async def test_series_that_stopped_are_told_from_series_that_never_were() -> None:
    stopped = {"bad": 1.0, "total": 1000.0, "since": NOW - 10 * DAY, "last": NOW - 7200}
    (status,) = await SloSource([spec()], Server(stopped)).read(NOW)
    assert (status.state, status.reason) == ("no data", "the newest sample is 2h old")


async def test_a_total_without_a_series_of_bad_events_is_no_data() -> None:
    (status,) = await SloSource([spec()], Server({k: v for k, v in GOOD.items() if k != "bad"})).read(NOW)
    assert (status.state, status.reason) == ("no data", "the total is counted, but nothing gives the bad events")


def test_without_prometheus_every_objective_says_why() -> None:
    (status,) = without([spec()], "no Prometheus is known here", NOW)
    assert (status.state, status.reason) == ("no data", "no Prometheus is known here")


def test_the_selectors_behind_an_expression() -> None:
    text = 'sum by (a) (increase(x{a="b",c=~"d.+"}[5m])) + sum(y offset 5m) or max_over_time((z > bool 0)[5m:1m])'
    assert selectors([text, None, "sum(y)"]) == ('x{a="b", c=~"d.+"}', "y", "z")


async def test_other_questions_are_asked_beside_and_marked() -> None:
    beside = (Ask("component|health", "min(minio)"), Ask("component|lines", "sum(loki)"), Ask("component|x", "poison"))
    source = SloSource([spec()], Server({**GOOD, "health": 1.0}), beside)
    await source.read(NOW)
    first, second = source.samples
    assert (first.labels[MARK], first.value) == ("component|health", 1.0)
    assert second.labels[MARK] == "component|lines" and math.isnan(second.value)


async def test_an_answer_that_did_not_come_in_time_makes_the_rest_partial() -> None:
    (status,) = await SloSource([spec()], Server(GOOD, detail="no time left", lost=("newest",))).read(NOW)
    assert (status.state, status.reason) == ("good", "partial: Prometheus unreachable: no time left")


def recorded(id: str, ratio: float) -> tuple[Sample, ...]:
    labels = {"sloth_id": id, "sloth_slo": id}
    here = Origin("prometheus", "test")
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    return (
        Sample("slo:objective:ratio", labels, 0.99, NOW, here),
        *(Sample(f"slo:sli_error:ratio_rate{w}", {**labels, "sloth_window": w}, ratio, NOW, here) for w in windows),
    )


async def test_what_is_recorded_already_is_read_and_not_computed_again() -> None:
    server = Server(GOOD, recorded=recorded("spark-jobs", 0.004))
    source = SloSource([spec(recorded=("spark-jobs",))], server)
    await source.read(NOW)
    server.seen.clear()
    (status,) = await source.read(NOW + 30)
    assert not any("increase" in query for query in server.seen)
    hour = status.burn(3600)
    assert hour is not None and hour.rate == 0.4
    assert (status.bad, status.total, status.budget_left) == (1, 1000, 0.9)
    assert "90% left" in status.arithmetic and "60% left" in status.arithmetic


async def test_other_recorded_objectives_stand_beside_our_own() -> None:
    server = Server(GOOD, recorded=recorded("shop-checkout", 0.5))
    own, other = await SloSource([spec()], server).read(NOW)
    assert (own.id, other.id, other.state) == ("jobs", "shop-checkout", "exhausted")


async def test_where_nothing_is_recorded_it_is_looked_for_rarely() -> None:
    server = Server(GOOD)
    source = SloSource([spec()], server)
    await source.read(NOW)
    await source.read(NOW + 30)
    assert server.seen.count(QUERY) == 1
    await source.read(NOW + 301)
    assert server.seen.count(QUERY) == 2


async def test_of_a_lost_server_the_last_answer_to_a_kept_ask_stays_and_says_so() -> None:
    server = Server(GOOD | {"gpus": 3.0})
    kept, plain = Ask("beside|gpus|0", "count(gpus)", kept=True), Ask("beside|total|0", "count(parts)")
    source = SloSource([spec()], server, (kept, plain))
    await source.read(NOW)
    assert {s.labels[MARK]: s.value for s in source.samples} == {kept.key: 3.0, plain.key: 1000.0}
    server.state, server.detail = "unreachable", "connection refused"
    await source.read(NOW + 60)
    notes = [s.labels[NOTE] for s in source.samples if NOTE in s.labels]
    assert [s.value for s in source.samples if NOTE not in s.labels] == [3.0]
    assert notes == ["Prometheus unreachable: connection refused"]


async def test_an_ask_without_an_answer_is_not_taken_for_one_without_series() -> None:
    ask = Ask("beside|gpus|0", "count(gpus)")
    source = SloSource([spec()], Server(GOOD, lost=("gpus",)), (ask,))
    await source.read(NOW)
    assert source.samples == ()
    empty = SloSource([spec()], Server(GOOD), (ask,))
    await empty.read(NOW)
    assert [math.isnan(s.value) for s in empty.samples] == [True]


async def test_a_partial_answer_carries_why() -> None:
    source = SloSource(
        [spec()],
        Server(GOOD | {"gpus": 3.0}, state="partial", detail="a store is missing"),
        (Ask("beside|gpus|0", "count(gpus)"),),
    )
    await source.read(NOW)
    assert [s.labels[NOTE] for s in source.samples if NOTE in s.labels] == ["a store is missing"]
