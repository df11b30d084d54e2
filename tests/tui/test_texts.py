"""Logs, events and YAML: which one it is, how it is read, and whether something was found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from console.apps.progress import ProgressSample
from console.base.text import shorten
from console.facts.model import Event, Log, Origin
from console.live.situation import Focus, FocusOn
from console.live.trends import MemoryTrend
from console.tui.lines import fit_middle, spark
from console.tui.views import app as app_view
from console.tui.views import texts as views
from console.tui.views.texts import PagerView
from tests.tui.scenes import GI, KEY, NOW, Scene, app, situation
from tests.tui.test_pages import press, settled, shown, text

LINES = tuple(f"26/11/30 INFO Task: line {n} of stage 12" for n in range(200))
OOMS = (30, 90, 150)
LOG = "\n".join(f"ERROR java.lang.OutOfMemoryError {n}" if n in OOMS else one for n, one in enumerate(LINES))
MESSAGE = "0/14 nodes are available: " + "3 Insufficient memory, " * 12 + "the end of the message"


class Texts(Scene):
    """A source with a log of a named container, an event and an object."""

    def __init__(self, log: str = LOG) -> None:
        super().__init__(situation())
        self.log = log

    def focus(self, on: FocusOn) -> None:
        self.asked.append(("focus", on))
        if self._focus is not None and on.app:
            self._focus(self.seen(on))

    def seen(self, on: FocusOn) -> Focus:
        origin = Origin("log", on.pod)
        log = Log(f"Pod/{on.pod}", self.log, origin, container="spark-kubernetes-driver") if on.pod else None
        event = Event(
            "spark-prod", origin, "Warning", "FailedScheduling", MESSAGE, "Pod", "etl-orders-driver", last=NOW
        )
        manifest = {"kind": "SparkApplication", "spec": {f"key{n}": f"value-{n}" for n in range(80)}}
        return Focus(on, state="ready", log=log, events=(event,), manifest=manifest if on.manifest else {})

    def grow(self, more: str) -> None:
        """More lines came."""
        self.log += more
        assert self._focus is not None
        on = next(value for what, value in reversed(self.asked) if what == "focus" and value.pod)
        self._focus(self.seen(on))


async def logs(pilot: Any) -> None:
    await press(pilot, "2", "enter", "4")


async def test_a_log_names_its_pod_its_container_and_how_it_is_read() -> None:
    async with shown(Texts()) as pilot:
        await logs(pilot)
        top = "\n".join(text(pilot)[2:5])
        assert "etl-orders-driver · container spark-kubernetes-driver · present run" in top
        assert "f following" in top and "w wrap off" in top and "p previous run" in top and "/ search" in top
        assert "p previous run" in text(pilot)[-1]
        await press(pilot, "p")
        assert "previous run" in text(pilot)[3] and "p present run" in text(pilot)[4]


async def test_a_log_is_followed_until_one_moves_and_then_stands_still() -> None:
    scene = Texts()
    async with shown(scene) as pilot:
        await logs(pilot)
        scene.grow("\nINFO just came")
        await settled(pilot)
        assert any("just came" in line for line in text(pilot))
        await press(pilot, "k", "k")
        assert "stands still" in text(pilot)[4]
        scene.grow("\nINFO came later")
        await settled(pilot)
        assert not any("came later" in line for line in text(pilot))
        await press(pilot, "f")
        assert any("came later" in line for line in text(pilot)) and "following" in text(pilot)[4]


async def test_a_search_goes_to_its_hits_in_order_and_round_the_end() -> None:
    async with shown(Texts()) as pilot:
        await logs(pilot)
        await press(pilot, "slash", *"outofmemory", "enter")
        seen = []
        for key in ("", "n", "n", "N"):
            await press(pilot, *([key] if key else []))
            line = next(line for line in text(pilot) if "'outofmemory'" in line)
            seen.append(line.split("'outofmemory' ")[1][:6])
        assert seen == ["1 of 3", "2 of 3", "3 of 3", "2 of 3"]
        assert any("OutOfMemoryError 90" in line for line in text(pilot))


async def test_nothing_found_is_said_in_words() -> None:
    async with shown(Texts()) as pilot:
        await logs(pilot)
        await press(pilot, "slash", *"no such", "enter")
        assert "'no such': nothing found" in text(pilot)[4]
        assert text(pilot)[-1].strip() == "nothing found: no line of 200 holds 'no such'"
        await press(pilot, "escape", "ampersand", *"absent", "enter")
        assert any("no line of 200 fits 'absent'" in line for line in text(pilot))


async def test_a_log_that_is_narrowed_says_so_and_how_many_lines_fit() -> None:
    async with shown(Texts()) as pilot:
        await logs(pilot)
        await press(pilot, "ampersand", *"error", "enter")
        assert "& 'error' 3 of 200" in text(pilot)[4]
        assert sum("OutOfMemoryError" in line for line in text(pilot)) == 3
        await press(pilot, "escape")
        assert "& all" in text(pilot)[4]


async def test_long_lines_are_wrapped_where_one_asks_for_it() -> None:
    async with shown(Texts("x" * 70 + " " + "y" * 70 + " the end")) as pilot:
        await logs(pilot)
        assert not any("the end" in line for line in text(pilot))
        await press(pilot, "w")
        assert any("the end" in line for line in text(pilot)) and "wrap on" in text(pilot)[4]


async def test_an_event_is_shown_with_its_whole_message_on_enter() -> None:
    async with shown(Texts()) as pilot:
        await press(pilot, "2", "enter", "3")
        assert any("0/14 nodes" in line and "…" in line and "of the message" in line for line in text(pilot)), (
            "both ends"
        )
        await press(pilot, "G", "enter")
        assert MESSAGE in " ".join(" ".join(text(pilot)[2:]).split())


async def test_yaml_is_searched_and_copied_by_the_line_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr("console.tui.screen.copy_sequence", lambda text, environ: copied.append(text) or "")
    async with shown(Texts()) as pilot:
        await press(pilot, "2", "enter", "y", "slash", *"value-77", "enter", "c", "C")
        assert any("key77: value-77" in line for line in text(pilot))
        assert copied[0] == "key77: value-77"
        assert copied[1].startswith("kind: SparkApplication\nspec:\n  key0: value-0\n") and "key79" in copied[1]


def test_a_name_is_cut_in_its_middle() -> None:
    assert fit_middle("etl-orders-7f9c-exec-12", 16) == "etl-ord…-exec-12"
    first, second = ("invoices-1795979100000000000", "invoices-1795979400000000000")
    assert (fit_middle(first, 18), fit_middle(second, 18)) == ("invoices-17959791…", "invoices-17959794…")
    assert shorten(f"{first}-driver", 26, middle=True) == "invoices-17959791…-driver"
    assert fit_middle(first, 28) == first, "what fits is shown whole"
    assert fit_middle("short", 8) == "short   " and len(fit_middle("x" * 30, 9)) == 9


async def test_names_that_differ_at_their_end_are_told_apart_in_a_table() -> None:
    import msgspec

    from tests.tui.scenes import KEY

    names = [f"a-very-long-name-of-a-nightly-job-that-goes-on-and-on-{n}" for n in ("alpha", "omega")]
    apps = tuple(msgspec.structs.replace(app(0), name=n, key=f"spark-prod/{n}") for n in names)
    board = msgspec.structs.replace(situation().board, apps=apps, findings=())
    async with shown(Scene(situation(board=board))) as pilot:
        await press(pilot, "2")
        screen = "\n".join(text(pilot))
        assert "-alpha" in screen and "-omega" in screen and KEY not in screen


def test_a_curve_shows_gaps_as_gaps_and_its_height_against_what_is_given() -> None:
    assert spark((0.0, None, 4.0), 8) == "▁ █"
    assert spark((2.0, 4.0), 8, top=8.0) == "▃▅" and spark((), 8) == ""
    assert len(spark(tuple(float(n) for n in range(100)), 10)) == 10
    assert spark((0.0, 0.0), 8) == "▁▁"


async def test_the_application_page_shows_tasks_with_their_rate_and_memory_against_its_limit() -> None:
    class Moving(Scene):
        def focus(self, on: FocusOn) -> None:
            assert self._focus is not None
            samples = tuple((NOW - 60 + n, 3e9 + n * 1e7) for n in range(60))
            self._focus(Focus(on, state="ready", memory=MemoryTrend("ready", samples, 4.0 * GI, 20, 20)))

    begun = situation()
    sick = msgspec.structs.replace(begun.board.apps[0], tasks={"completed": 188, "total": 400, "failed": 6})
    board = msgspec.structs.replace(begun.board, apps=(sick, *begun.board.apps[1:]))
    samples = tuple(ProgressSample(NOW - 100 + 10 * n, " None", 100 + 8 * n, 400) for n in range(11))
    scene = Moving(situation(board=board, history={KEY: samples}))
    async with shown(scene, (100, 30)) as pilot:
        await press(pilot, "2", "enter")
        tasks = next(line for line in text(pilot) if line.startswith(" tasks"))
        seen = next(line for line in text(pilot) if line.startswith(" seen"))
        assert "188 of 400" in tasks and "6 failed" in tasks and "48 a minute" in tasks and "█" in tasks
        assert "highest 3.3Gi of 4Gi in 30m" in seen and "▆" in seen


async def test_memory_that_is_not_known_says_why() -> None:
    class Blind(Scene):
        def focus(self, on: FocusOn) -> None:
            assert self._focus is not None
            self._focus(Focus(on, state="ready", memory=MemoryTrend("no data", detail="no Prometheus is known here")))

    async with shown(Blind(situation())) as pilot:
        await press(pilot, "2", "enter")
        assert any("memory no data: no Prometheus is known here" in line for line in text(pilot))


async def test_a_log_of_another_pod_is_never_shown_as_this_ones() -> None:
    scene = Texts()
    async with shown(scene) as pilot:
        await logs(pilot)
        assert scene._focus is not None
        scene._focus(
            Focus(FocusOn(app=KEY, pod="spark-prod/other"), state="ready", log=scene.seen(FocusOn(pod="x")).log)
        )
        await settled(pilot)
        assert not any("stage 12" in line for line in text(pilot)) and "loading" in text(pilot)[5]


def test_events_that_are_counted_together_show_at_eighty_columns_how_many_and_in_what_they_differ() -> None:
    told = "(combined from similar events): Executor etl-orders-be7ccfceb26071c5-exec-{} failed with ExitCode: {}"
    events = tuple(
        Event(
            "jobs", Origin("kubernetes", "x"), "Warning", "SparkExecutorFailed", told.format(n, code),
            kind="Pod", name="etl", count=12, last=NOW,
        )
        for n, code in ((1, 137), (2, 143))
    )  # fmt: skip
    rows = [made.text for made in app_view.events(situation().board, Focus(FocusOn(), events=events), 80)]
    assert all("×12 Executor" in row and "combined" not in row for row in rows[1:])
    assert rows[1].rstrip().endswith("ExitCode: 137") and rows[2].rstrip().endswith("ExitCode: 143")


def test_lines_that_are_wrapped_stay_as_far_to_the_right_as_they_were() -> None:
    value = "a-value-of-many-words " * 8
    manifest = {"spec": {"driver": {"cores": 1, "note": value}}}
    shown_lines = views.manifest(Focus(FocusOn(), state="ready", manifest=manifest), PagerView(wrapped=True), 60).lines
    told = [line.text for line in shown_lines]
    assert told[:3] == [" spec:", "   driver:", "     cores: 1"]
    assert len(told) > 5 and all(line.startswith("     ") and len(line) <= 60 for line in told[3:])
    assert value.split() == " ".join(told[3:]).replace("note:", "").replace("'", "").split()
