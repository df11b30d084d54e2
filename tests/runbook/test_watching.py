"""A verification says what it waits for, in figures: never only `not yet`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from console.actions.effects import Effect
from console.apps.progress import ProgressSample, rate, rates
from console.cli.board.apps import app_document, app_text
from console.cli.output import verification
from console.cli.plain import Narrator
from console.facts.model import SourceState
from console.live.history import EVERY, Histories
from console.live.situation import Focus, FocusOn, Situation
from console.runbook.model import Runbook
from console.runbook.walk import Applied, Entered, HoldBegan, HoldBroke, Intent, Resumed, Started, Walk, fold
from console.runbook.watching import WatchedFigure, Watching, document, since_change, watching, words
from console.tui.views import trends
from console.tui.views import verify as verify_view
from tests.runbook.boards import KEY, NOW, app, board, driver, executor, oom_death, slo
from tests.runbook.longform import LONG

OOM: Runbook = LONG
CHANGED = NOW - 600


def walked(step: str, *events: Any) -> Walk:
    """A walk that changed the application ten minutes ago and verifies it since."""
    effect = Effect("w/1", "raise-executor-overhead", "Raise it", "patch")
    inputs = {"app": KEY, "hold": "10m", "deadline": "45m", "slo_deadline": "2h"}
    return fold(
        [
            Started(NOW - 900, "w", OOM.id, "1.0.0", OOM.hash, OOM.text, inputs, {}, {}, KEY, "ada", "console"),
            Entered(NOW - 700, "raise-executor-overhead"),
            Intent(CHANGED, "raise-executor-overhead", effect),
            Applied(CHANGED, "raise-executor-overhead", "w/1", True, goto=step),
            Entered(NOW - 590, step),
            *events,
        ]
    )


def again(*executors: Any, **more: Any) -> Any:
    """The application with a driver that is younger than the change."""
    fields = {"driver": driver(NOW - 500), "executors": executors, "wanted_executors": 4, **more}
    return app(**fields)


SAMPLES = tuple(ProgressSample(NOW - 300 + 30 * n, "d", completed=100 + 6 * n, total=400) for n in range(11))


def seen(walk: Walk, one: Any, samples: Any = SAMPLES, **more: Any) -> Watching:
    found = watching(board(apps=(one,), **more), walk, OOM, samples)
    assert found is not None
    return found


def figure(watched: Watching, name: str) -> WatchedFigure:
    return next(f for f in watched.figures if f.name == name)


def test_executors_tasks_and_deaths_stand_beside_not_yet() -> None:
    one = again(
        executor(1, created=NOW - 400),
        executor(2, created=NOW - 400, state="Failed", death=oom_death(NOW - 60)),
        executor(3, created=NOW - 2000),
        tasks={"completed": 160, "failed": 1, "total": 400},
    )
    watched = seen(walked("executors-recover", HoldBroke(NOW - 100, "executors-recover", "not yet")), one)
    assert figure(watched, "executors") == WatchedFigure("executors", "not yet", "1 of 4", 0.25)
    assert figure(watched, "tasks").words == "160 completed of 400 known so far, 12 a minute, 20m to go of those"
    assert (
        figure(watched, "deaths").words
        == "1 since the change: 1 OOMKilled at the container's limit (1 of before still run)"
    )
    assert (watched.standing, watched.held, watched.hold) == ("not yet", None, 600)
    assert watched.until == NOW - 590 + 45 * 60 and watched.left == watched.until - NOW
    assert watched.waits_for.startswith("executors 1 of 4")


def test_more_completed_than_were_counted_once_is_no_share_of_them() -> None:
    one = again(executor(1, created=NOW - 400), tasks={"completed": 160, "failed": 0, "total": 170})
    before = tuple(replace(sample, total=150) for sample in SAMPLES)
    shown = figure(seen(walked("executors-recover"), one, before), "tasks")
    assert (shown.words, shown.share) == ("160 completed, 12 a minute", None)


def test_a_hold_says_how_long_it_has_held_of_how_long_and_when_it_may_be_over() -> None:
    one = again(*(executor(n, created=NOW - 400) for n in range(4)), tasks={"completed": 160})
    walk = walked("executors-recover", HoldBegan(NOW - 240, "executors-recover", "holds", 100.0))
    watched = seen(walk, one)
    assert (watched.standing, watched.held, watched.hold) == ("good", 240, 600)
    assert watched.estimate.endswith("if it stays so")
    assert words(watched).startswith("true for 4m of 10m · driver new, since the change · executors 4 of 4 · tasks 160")
    assert "judged at" in words(watched) and "at the latest, in 35m" in words(watched)


def test_nothing_is_true_yet_while_no_task_has_completed_since_it_holds() -> None:
    one = again(*(executor(n, created=NOW - 400) for n in range(4)), tasks={"completed": 0})
    watched = seen(walked("executors-recover", HoldBegan(NOW - 35, "executors-recover", "holds", 0.0)), one, ())
    assert (watched.standing, watched.held, watched.proved) == ("not yet", 35, False)
    assert words(watched).startswith("true for 35s of 10m, not proved: nothing more has completed since")
    assert document(watched)["proved"] is False
    risen = again(*(executor(n, created=NOW - 400) for n in range(4)), tasks={"completed": 1})
    assert seen(walked("executors-recover", HoldBegan(NOW - 35, "executors-recover", "holds", 0.0)), risen, ()).proved


def test_what_is_true_no_longer_is_not_called_true_until_the_next_look() -> None:
    walk = walked("executors-recover", HoldBegan(NOW - 35, "executors-recover", "holds", 0.0))
    fewer = again(executor(1, created=NOW - 400), tasks={"completed": 9})
    died = again(
        *(executor(n, created=NOW - 400) for n in range(4)),
        executor(9, created=NOW - 400, state="Failed", death=oom_death(NOW - 5)),
        tasks={"completed": 9},
    )
    for one in (fewer, died):
        assert (seen(walk, one, ()).held, seen(walk, one, ()).standing) == (None, "not yet")


def test_while_the_sources_are_stale_the_hold_stands_still_and_no_figure_is_good() -> None:
    walk = walked("executors-recover", HoldBegan(NOW - 300, "executors-recover", "", 100.0))
    sources = (SourceState("pods", "stale", last=NOW - 120), SourceState("prometheus", "fresh"))
    watched = seen(walk, again(*(executor(n, created=NOW - 400) for n in range(4))), sources=sources)
    assert watched.standing == "unknown" and {f.standing for f in watched.figures} == {"unknown"}
    assert watched.held == 180 and watched.paused.startswith("pods stale, known until ") and watched.estimate == ""
    assert words(watched).startswith("paused at 3m of 10m: pods stale")
    assert document(watched)["paused"] == watched.paused
    (head, *_) = verify_view.lines(watched, SAMPLES, 80)
    assert head.text.startswith(" PAUSED at 3m of 10m: pods stale, known until ")


def test_no_deaths_are_no_good_news_while_nobody_runs_who_could_die() -> None:
    watched = seen(walked("executors-recover"), again(), ())
    assert figure(watched, "deaths") == WatchedFigure(
        "deaths", "unknown", "0 since the change, but no new executor runs"
    )
    alive = seen(walked("executors-recover"), again(executor(1, created=NOW - 400)), ())
    assert figure(alive, "deaths").standing == "good"
    done = seen(walked("executors-recover"), again(state="COMPLETED"), ())
    assert figure(done, "deaths").standing == "good"


def test_the_page_of_the_application_shows_deaths_and_burn_since_the_change_as_the_verification_does() -> None:
    died = executor(1, created=NOW - 400, death=oom_death(NOW - 100))
    one = again(died, executor(2, created=NOW - 400))
    walk = walked("executors-recover", HoldBroke(NOW - 100, "executors-recover", "not yet"))
    situation = Situation(board(apps=(one,), slos=(slo(0.4, 21.1),), at=NOW), walks=(walk,))
    found = since_change(situation.board, (walk,), KEY)
    assert found is not None and found.at == CHANGED
    assert found.figures[0] == figure(seen(walk, one), "deaths")
    assert found.words[1] == "burn 5m 0.40 now, below 1 is wanted (job-success)"
    page = "\n".join(line.text for line in trends.lines(situation, one, Focus(FocusOn()), 80))
    assert "since   the change 10m ago (w)" in page
    assert "✗ deaths    1 since the change: 1 OOMKilled at the container's limit" in page
    assert "✓ burn 5m   0.40 now, below 1 is wanted" in page and "· burn 1h   21.1 now" in page
    assert "deaths 1 since the change: 1 OOMKilled at the container's limit" in app_text(situation, one)
    assert app_document(situation, one)["since_change"]["walk"] == "w"
    assert since_change(situation.board, (walk,), "other/app") is None


def test_a_deadline_that_was_put_off_by_taking_the_walk_up_says_so() -> None:
    walk = walked("executors-recover", Resumed(NOW - 60, "bob"))
    watched = seen(walk, again(), ())
    assert (watched.until, watched.moved_from) == (NOW - 60 + 45 * 60, NOW - 590 + 45 * 60)
    assert ", put off from " in watched.ends and "when it was taken up" in words(watched)
    assert "put off" not in seen(walked("executors-recover"), again(), ()).ends


def test_what_is_not_known_is_unknown_and_never_zero() -> None:
    watched = seen(walked("executors-recover"), again(wanted_executors=None, tasks={}), ())
    assert figure(watched, "executors").standing == "unknown" and "not known" in figure(watched, "executors").words
    assert (figure(watched, "tasks").standing, figure(watched, "tasks").words) == (
        "unknown", "no data of the new driver yet",
    )  # fmt: skip
    assert watched.standing == "unknown"


def test_the_burn_stands_against_its_target_with_the_time_by_which_its_window_forgets() -> None:
    walk = walked("slo-recovers", HoldBroke(NOW - 100, "slo-recovers", "not yet"))
    watched = seen(walk, again(), slos=(slo(0.4, 21.1),))
    assert figure(watched, "burn 5m") == WatchedFigure(
        "burn 5m", "good", "0.40 now, below 1 is wanted (job-success)"
    )  # fmt: skip
    assert figure(watched, "burn 1h").standing == "not yet" and "21.1 now" in figure(watched, "burn 1h").words
    assert "the 1h window has forgotten what failed before the change" in watched.estimate
    unknown = seen(walk, again(), slos=(slo(None, None),))
    assert {f.standing for f in unknown.figures} == {"unknown"}


def test_only_a_verification_that_runs_is_watched() -> None:
    assert watching(board(apps=(app(),)), walked("objectives"), OOM) is None
    assert watching(board(apps=(app(),)), walked("executors-recover"), None) is None


def test_scripts_and_the_plain_walk_get_the_same_figures(capsys: Any) -> None:
    one = again(executor(1, created=NOW - 400), tasks={"completed": 160})
    walk = walked("executors-recover", HoldBroke(NOW - 100, "executors-recover", "not yet"))
    at = board(apps=(one,))
    situation = Situation(at, phase="live", walks=(walk,), history={KEY: SAMPLES})
    told = verification(situation, walk)
    assert told is not None and told == document(seen(walk, one))
    assert told["figures"][1] == {"name": "executors", "standing": "not yet", "words": "1 of 4", "share": 0.25}
    narrator = Narrator()
    narrator.follow("w")
    for seconds in (0, 5, 30, 70):
        narrator(replace(situation, board=replace(at, at=NOW + seconds)))
    said = [line for line in capsys.readouterr().err.splitlines() if "executors 1 of 4" in line]
    assert len(said) == 2, "at once, and again after a minute"


def test_a_rate_counts_one_driver_and_needs_two_moments() -> None:
    assert rate(SAMPLES) == 0.2 and rate(SAMPLES[:1]) is None and rate(()) is None
    other = ProgressSample(NOW + 30, "another", completed=3)
    assert rate((*SAMPLES, other)) is None, "a new driver counts anew"
    assert rates((*SAMPLES, other)) == () and len(rates(SAMPLES)) == 10
    assert rate((*SAMPLES, replace(other, driver="d", completed=None))) == 0.2


def test_histories_keep_what_is_looked_at_and_forget_the_rest() -> None:
    histories = Histories()
    for number in range(3):
        kept = histories.note(board(apps=(app(),), at=NOW + EVERY * number), {KEY, "", "spark-jobs/unknown"})
    assert [s.completed for s in kept[KEY]] == [100, 100, 100]
    assert len(histories.note(board(apps=(app(),), at=NOW + EVERY * 2 + 1), {KEY})[KEY]) == 3, "not that often"
    assert histories.note(board(apps=(app(),), at=NOW), set()) == {}


def test_the_time_to_go_is_counted_down_and_says_when_it_was_too_short() -> None:
    one = again(*(executor(n, created=NOW - 400) for n in range(4)), tasks={"completed": 492})
    walk = walked("executors-recover")
    moved = [ProgressSample(NOW - at, "d", done, 504) for at, done in ((60, 432), (30, 492), (10, 492))]

    def tasks(at: float) -> str:
        watched = watching(board(apps=(one,), at=at), walk, OOM, moved)
        assert watched is not None
        return next(figure.words for figure in watched.figures if figure.name == "tasks")

    assert tasks(NOW - 30) == "492 completed of 504 known so far, 72 a minute, 10s to go of those"
    assert tasks(NOW - 26) == "492 completed of 504 known so far, 72 a minute, 6s to go of those"
    assert (
        tasks(NOW + 10) == "492 completed of 504 known so far, 72 a minute, none for 40s, longer than their rate says"
    )


def test_an_application_that_completed_is_not_said_to_lack_executors_or_figures() -> None:
    over = again(state="COMPLETED", driver=None, tasks={}, ended=NOW - 5)
    watched = seen(walked("executors-recover"), over, ())
    assert [figure.name for figure in watched.figures if not figure.name.startswith("burn")] == ["completed", "deaths"]
    assert "executors" not in words(watched) and "no data" not in words(watched)


def test_executors_of_the_driver_of_before_are_no_executors_of_the_change() -> None:
    old = again(*(executor(n, created=NOW - 400) for n in range(4)), driver=driver(CHANGED - 500), tasks={})
    watched = seen(walked("executors-recover"), old, ())
    assert figure(watched, "executors") == WatchedFigure("executors", "not yet", "4 of 4, but of the driver of before")
    assert "at the earliest" not in watched.estimate
    assert words(watched).startswith("not yet (then it has to stay true for 10m) · driver not new yet")
