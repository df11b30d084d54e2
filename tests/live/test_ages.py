"""Every figure has its time: what is older than one refresh says how old it is, in the UI, in text and in JSON."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from console.apps.model import Death
from console.apps.progress import rate, sample
from console.base.clock import rfc3339
from console.cli.board.apps import app_document, app_text, trend_document
from console.cli.board.status import status_text
from console.cli.diagnose import text_of
from console.cli.gpu import page as gpu_page
from console.cli.output import finding_json
from console.facts.evidence import Evidence
from console.gpu.model import Fleet, GpuNode
from console.live.shown import aged, memory_seen, tasks
from console.live.situation import Focus, FocusOn, Situation
from console.live.trends import MemoryTrend
from console.tui.views import app as view
from console.tui.views import gpu_node, now, trends
from tests.findings import worlds as w
from tests.runbook.boards import GI, NOW, app, board, driver, executor, finding, slo

TASKS = {"completed": 188, "total": 400, "failed": 6, "active": 4}


def trend(*samples: tuple[float, float | None]) -> MemoryTrend:
    return MemoryTrend("ready", samples, 4 * GI, 2, 2)


def test_a_figure_says_its_age_only_where_it_is_older_than_a_refresh() -> None:
    here = board(at=NOW)
    assert aged(here, NOW - 59) == "" and aged(here, NOW - 180) == " (3m ago)" and aged(here, None) == ""


def test_memory_that_was_measured_last_ten_minutes_ago_is_not_memory_now() -> None:
    fresh = trend((NOW - 30, 3.0 * GI), (NOW, 2.0 * GI))
    assert memory_seen(board(at=NOW), fresh) == "2Gi now, highest 3Gi of 4Gi in 30m"
    old = trend((NOW - 600, 3.0 * GI), (NOW - 570, None), (NOW, None))
    assert memory_seen(board(at=NOW), old) == "3Gi (10m ago), highest 3Gi of 4Gi in 30m"


def test_tasks_that_were_counted_long_ago_say_so_on_the_page_and_in_the_command() -> None:
    one = app(tasks=TASKS, tasks_at=NOW - 240)
    situation = Situation(board(apps=(one,), at=NOW))
    assert tasks(situation.board, one) == "188 of 400 completed, 6 failed (4m ago)"
    shown = " ".join(span.text for line in trends.lines(situation, one, Focus(FocusOn()), 200) for span in line.spans)
    assert "(4m ago)" in shown
    assert "tasks    188 of 400 completed, 6 failed (4m ago)" in app_text(situation, one)


def test_the_command_shows_memory_over_time_as_the_page_does() -> None:
    one = app()
    situation = Situation(board(apps=(one,), at=NOW))
    seen = trend((NOW - 30, None), (NOW, 2.0 * GI))
    assert "seen     2Gi now, highest 2Gi of 4Gi in 30m" in app_text(situation, one, seen)
    document = trend_document(seen)
    assert document is not None and [s["bytes"] for s in document["samples"]] == [None, 2.0 * GI]
    assert document["samples"][1]["at"].endswith("Z") and document["limit"] == 4 * GI
    assert trend_document(None) is None


def test_the_memory_of_a_driver_that_was_measured_long_ago_says_so() -> None:
    old = driver(NOW - 900, memory_limit=2 * GI, memory_used=GI, memory_at=NOW - 300)
    one = app(driver=old)
    text = "".join(s.text for line in view.head(Situation(board(apps=(one,), at=NOW)), one, 120) for s in line.spans)
    assert "1Gi/2Gi (5m ago)" in text


def test_of_an_application_that_has_ended_no_age_is_shown_as_if_it_were_trouble() -> None:
    over = driver(NOW - 9000, memory_limit=2 * GI, death=Death("normal", "exit code 0", 0, at=NOW - 4000))
    one = app(state="COMPLETED", ended=NOW - 4000, driver=over, tasks=TASKS, tasks_at=NOW - 4000)
    situation = Situation(board(apps=(one,), at=NOW))
    blind = Focus(FocusOn(app=one.key, trends=True), memory=MemoryTrend("no data", detail="nothing of it"))
    page = "\n".join(line.text for line in (*view.head(situation, one, 120), *trends.lines(situation, one, blind, 120)))
    text = app_text(situation, one, trend((NOW - 1700, 3.0 * GI)))
    for shown in (page, text):
        assert "ago)" not in shown and "no data" not in shown and "?/" not in shown and "0/" not in shown
    assert "limit 2Gi" in page and "seen     highest 3Gi of 4Gi in the last 30m" in text


def test_the_memory_of_each_member_has_its_age() -> None:
    there = executor(1, created=NOW - 900, memory_limit=4 * GI, memory_used=3.0 * GI, memory_at=NOW - 240)
    lines = view.members(
        board(at=NOW), app(executors=(there, executor(2, created=NOW - 900, memory_limit=4 * GI))), 160
    )
    page = "\n".join(made.text for made in lines)
    assert "3Gi/4Gi (4m ago)" in page and "limit 4Gi" in page


def test_json_says_when_each_figure_was_measured() -> None:
    used = replace(w.sample("container_memory_working_set_bytes", 5e8, 560), labels=memory_of("etl-exec-1"))
    (one,) = w.apps(w.driver(), w.executor(1), used, counted(12))
    assert (one.tasks["completed"], one.tasks_at, one.memory_at) == (12, w.T0 + 590, w.T0 + 560)
    document: dict[str, Any] = app_document(Situation(board(apps=(one,), at=NOW)), one)
    assert document["tasks_at"] == w.at(590) and document["memory_at"] == w.at(560)
    assert document["executors"][0]["memory_at"] == w.at(560)


def test_objectives_that_were_measured_long_ago_say_so_on_page_one_and_in_status() -> None:
    fresh, old = (replace(slo(2.0, 2.0), measured_at=NOW - age) for age in (20, 600))
    for objective, said in ((fresh, False), (old, True)):
        situation = Situation(replace(board(at=NOW), slos=(objective,)), phase="live")
        page = "\n".join("".join(s.text for s in line.spans) for line in now.lines(situation, 80))
        assert ("objectives were measured 10m ago" in page) is said
        assert ("objectives were measured 10m ago" in status_text(situation)) is said


def test_a_rate_is_of_the_time_when_tasks_were_counted_and_not_when_they_were_shown() -> None:
    first, last = app(tasks={"completed": 100}, tasks_at=NOW - 100), app(tasks={"completed": 200}, tasks_at=NOW - 50)
    assert rate((sample(first, NOW - 90), sample(last, NOW))) == 2.0


def memory_of(pod: str) -> dict[str, str]:
    return {"namespace": w.NS, "pod": pod, "container": "spark-kubernetes-executor"}


def counted(completed: int) -> Any:
    row = {"id": "1", "activeTasks": 0, "completedTasks": completed, "failedTasks": 0, "totalTasks": completed}
    document = w.rest("allexecutors", [row])
    return replace(document, origin=replace(document.origin, at=w.T0 + 590))


def test_what_was_seen_says_how_long_ago_wherever_evidence_stands() -> None:
    seen = Evidence("kubernetes", "Pod/x", "terminated: exit code 137", NOW - 300)
    one = replace(finding(), evidence=(seen,))
    situation = Situation(board(one, at=NOW))
    page = "\n".join(made.text for made in view.evidence(situation, (one,), 120))
    assert "kubernetes · Pod/x (5m ago)" in page
    assert "terminated: exit code 137 (5m ago)" in app_text(situation, app())
    told = text_of(situation, (one,), (), (), None)
    assert "saw     Pod/x: terminated: exit code 137 (5m ago)" in told
    assert finding_json(situation, one)["evidence"][0]["at"] == rfc3339(NOW - 300)


def test_the_figures_of_gpus_say_how_long_ago_they_were_measured_on_the_page_of_a_node_too() -> None:
    fleet = Fleet(nodes=(GpuNode("gpu-01"),), measured=NOW - 240)
    here = replace(board(at=NOW), gpus=fleet)
    assert " figures were measured 4m ago" in [made.text for made in gpu_node.about(here, fleet.nodes[0], (), 80)]
    assert "figures were measured 4m ago" in gpu_page(here, fleet, (), ())
    fresh = replace(here, gpus=replace(fleet, measured=NOW - 20))
    assert "measured" not in gpu_page(fresh, fresh.gpus, (), ())
