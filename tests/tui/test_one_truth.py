"""What stands in two places is said the same in both: pages beside each other, and pages beside commands."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from console.apps.model import Death, MemoryPlan
from console.board.model import Board, Cluster
from console.causes.model import Incident
from console.cli.board.apps import _no_app, app_text
from console.cli.board.status import slo_row, status_text
from console.cli.gpu import page as gpu_page
from console.cli.output import finding_json
from console.cli.slo import slo_table
from console.facts.model import SourceState, SourceStateWord
from console.findings.rule import Trial
from console.live.shown import alerts_unknown, apps_named, no_app_because, no_gpu_because
from console.live.situation import Focus, FocusOn, Situation
from console.tui.lines import Line
from console.tui.views import app as app_view
from console.tui.views import frame, now
from console.tui.views import gpu as gpu_view
from console.tui.views import slo as slo_view
from console.tui.views.apps import empty
from console.tui.words import state_role
from tests.tui.scenes import GI, NOW, OOM, sick_app, situation


def with_budget(left: float, state: str) -> Situation:
    board = situation().board
    return situation(board=replace(board, slos=(replace(board.slos[0], budget_left=left, state=state),)))


def bars(lines: list[Line]) -> set[str]:
    return {span.role for line in lines for span in line.spans if "█" in span.text and line.key.startswith("slo:")}


CONSEQUENCE = replace(OOM, code="max-executor-failures", title="the driver gave up", class_=None, runbooks=())


def with_a_consequence() -> Situation:
    """A finding that a runbook of the library fits although its rule names none, and what follows from it."""
    cause = replace(OOM, runbooks=())
    incident = Incident(OOM.key, "t", (OOM.key, CONSEQUENCE.key), "critical", shared="this application only")
    return situation(board=replace(situation().board, findings=(cause, CONSEQUENCE), incidents=(incident,)))


def row_of(lines: list[str], title: str) -> str:
    return next(line for line in lines if title in line)


def test_a_finding_and_what_follows_from_it_have_the_runbook_that_fits_on_every_face() -> None:
    shown = with_a_consequence()
    page = [line.text for line in now.lines(shown, 160)]
    status = status_text(shown).splitlines()
    for finding in shown.board.findings:
        assert row_of(page, finding.title).rstrip().endswith("spark-oom")
        assert row_of(status, finding.title).rstrip().endswith("spark-oom")
        assert finding_json(shown, finding)["runbooks"] == ["spark-oom"]
        evidence = [line.text for line in app_view.evidence(shown, (finding,), 120)]
        assert any("runbook spark-oom" in line for line in evidence)
    assert app_text(shown, sick_app()).count("runbook: spark-oom") == 2


def test_a_name_that_two_namespaces_have_is_never_guessed() -> None:
    app = sick_app()
    other = replace(app, key="spark-dev/etl-orders", namespace="spark-dev")
    board = replace(situation().board, apps=(app, other))
    assert [a.key for a in apps_named(board, "etl-orders")] == [app.key, other.key]
    assert apps_named(board, "spark-dev/etl-orders") == (other,)


def test_members_stand_in_one_order_and_have_one_age_on_every_face() -> None:
    shown, app = situation(), sick_app()
    page = [line.text.split() for line in app_view.members(shown.board, app, 160)][1:]
    text = app_text(shown, app).split("\n\n")[1].splitlines()[1:]
    assert [words[0].removeprefix("exec-") for words in page] == [line.split()[0] for line in text]
    assert ["OOMKilled" in line for line in text] == [False, *[True] * 6, *[False] * 14], "after the driver, the dead"
    dead = next(line for line in text if "OOMKilled" in line)
    assert dead.split()[2] == "1m" and "1m" in page[1], "since it died, not since it was made"


@pytest.mark.parametrize("word", ["COMPLETED", "FAILED", "SUBMISSION_FAILED", "SUCCEEDED", "TERMINATED", "FINISHED",
                                  "KILLED", "ERROR"])  # fmt: skip
def test_an_application_that_is_not_live_does_not_look_like_one_that_runs(word: str) -> None:
    assert not replace(sick_app(), state=word).live
    assert state_role(word) != state_role("RUNNING")


def test_the_parts_of_a_container_add_up_to_its_size_on_every_face() -> None:
    plan = MemoryPlan(2 * GI, GI, off_heap=GI, pyspark=GI, total=5 * GI, source="pod limit")
    shown, app = situation(), replace(sick_app(), executor_memory=plan)
    words = "5Gi = heap 2Gi + overhead 1Gi + off-heap 1Gi + pyspark 1Gi"
    assert words in app_text(shown, app)
    assert words in "\n".join(line.text for line in app_view.head(shown, app, 120))


def blind(name: str, state: SourceStateWord, *, optional: bool = False) -> Board:
    sources = (SourceState(name, state, detail="by RBAC", optional=optional),)
    return Board(NOW, Cluster(), "UNKNOWN", sources=sources)


@pytest.mark.parametrize("state", ["forbidden", "stale", "partial", "unreachable"])
def test_a_source_that_has_not_shown_everything_is_named_by_every_face_that_shows_nothing(
    state: SourceStateWord,
) -> None:
    pods = Situation(blind("pods", state), phase="live")
    for text in ("\n".join(line.text for line in empty(pods, "", 120)), _no_app(pods.board)):
        assert f"no application can be seen: pods {state} (by RBAC)" in text.replace("Spark ", "")
    nodes = blind("nodes", state)
    assert gpu_view.lines(nodes, "", 120)[0].text.strip() == f"GPUs unknown: nodes are {state} (by RBAC)"
    assert gpu_page(nodes, nodes.gpus, (), ()) == f"GPUs unknown: nodes are {state} (by RBAC)"
    assert alerts_unknown(blind("prometheus", state)) == f"alerts unknown: Prometheus is {state} (by RBAC)"
    assert alerts_unknown(blind("prometheus", state)) in status_text(Situation(blind("prometheus", state)))


def test_what_was_read_is_not_called_unknown() -> None:
    for state in ("fresh", "late"):
        assert not no_app_because(blind("pods", state)) and not no_gpu_because(blind("nodes", state))
        assert not alerts_unknown(blind("prometheus", state))
    assert not no_app_because(blind("configmaps", "forbidden")), "it shows no application"


def test_a_picture_that_is_old_is_called_so_by_every_face() -> None:
    lost = situation(phase="lost", trouble="the cluster does not answer: i/o timeout; what is shown is old")
    assert frame.verdict(lost, 200).text.split() == f"LOST {lost.trouble}".split()
    assert f"LOST  {lost.trouble}" in status_text(lost).splitlines()
    assert "LOST" not in status_text(situation())


def test_a_kind_that_few_components_need_is_no_reason_to_doubt_on_any_face() -> None:
    board = replace(blind("routes", "forbidden", optional=True), verdict="OK")
    page = "\n".join(line.text for line in now.lines(Situation(board, phase="live"), 120))
    assert "nothing is wrong that can be seen from here" in page


def test_a_budget_has_one_colour_on_every_page() -> None:
    for left, state, role in ((0.69, "burning", "bar-crit"), (0.69, "good", "bar"), (0.3, "good", "bar-warn")):
        shown = with_budget(left, state)
        assert bars(now.lines(shown, 120)) == {role}
        assert bars(slo_view.lines(shown, 120)) == {role}


def test_an_objective_has_one_state_one_target_and_one_forecast_on_every_face() -> None:
    board = situation().board
    spent = replace(board.slos[0], objective=0.9995, budget_left=-0.1, exhausted_in=0.0, state="exhausted")
    shown = situation(board=replace(board, slos=(spent,)))
    texts = [
        "\n".join(line.text for line in now.lines(shown, 160)),
        "\n".join(line.text for line in slo_view.lines(shown, 160)),
        slo_table(shown.board),
    ]
    assert all("99.95%" in text and "spent" in text for text in texts)
    assert slo_row(spent)[1:3] == ("99.95%", "exhausted (page)")


HELD = "burn 13.9 over 1h and 2.10 over 5m now: leaves BURNING once the 5m burn was below 14.4 (page) for 5m, 2m so far"


@pytest.mark.parametrize("width", [80, 160])
def test_an_objective_that_is_held_to_be_burning_says_why_below_its_row(width: int) -> None:
    board = situation().board
    shown = situation(board=replace(board, slos=(replace(board.slos[0], held=True, reason=HELD), *board.slos[1:])))
    page = [line.text for line in now.lines(shown, width)]
    place = page.index(row_of(page, "job success"))
    assert " ".join(" ".join(page[place + 1 : place + 3]).split()).startswith(HELD)
    assert f"job success: {HELD}" in status_text(shown).splitlines()


def test_an_objective_whose_figures_say_that_it_burns_takes_one_row() -> None:
    page = [line.text for line in now.lines(situation(), 80)]
    assert "connect available" in page[page.index(row_of(page, "job success")) + 1]


def test_the_driver_has_one_age_on_its_page() -> None:
    app = sick_app()
    assert app.driver is not None
    ended = Death("user-error", "exit code 1", 1, "Error", NOW - 7)
    driver = replace(app.driver, state="Failed", created=NOW - 600, ended=NOW - 7, death=ended)
    shown = replace(app, driver=driver)
    board = situation().board
    head = [line.text for line in app_view.head(situation(), shown, 100)]
    assert "Failed  7s" in row_of(head, "etl-orders-driver")
    assert " 7s " in row_of([line.text for line in app_view.members(board, shown, 100)], " driver ")


def test_rules_are_named_in_words_and_not_at_all_where_their_reasons_need_the_room() -> None:
    trial = Trial("executor-oom-heap", "I02", "Pod/a", False, "no OutOfMemoryError is in its log")
    focus = Focus(FocusOn(), state="ready", trials=(trial,))
    assert "executor oom heap" in app_view.trials(focus, "", 120)[1].text
    narrow = app_view.trials(focus, "", 80)[1].text
    assert "oom heap" not in narrow and trial.because in narrow
