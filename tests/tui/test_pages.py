"""What a person sees and presses. Pages run in Textual's own driver, at the sizes that people have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from console.actions.effects import Consequence, Effect, ObjectRef, Preview
from console.causes.model import Incident
from console.live.plan import Opening
from console.operate.person import Question
from console.runbook.model import Choice
from console.runbook.walk import Entered, Started, fold
from console.tui import pane
from console.tui.app import ConsoleApp
from console.tui.lines import Line
from console.tui.pages.walk import WalkPage
from console.tui.palette import Palette
from console.tui.views import frame
from tests.tui.scenes import KEY, NOW, OOM, Scene, shared, situation


@asynccontextmanager
async def shown(scene: Scene, size: tuple[int, int] = (80, 24), depth: Any = "ansi") -> AsyncIterator[Any]:
    app = ConsoleApp(scene, {}, palette=Palette(depth), actor="sre")
    async with app.run_test(size=size) as pilot:
        while app.hub.situation is not scene.situation or not text(pilot)[1]:
            await pilot.pause(0.01)
        await settled(pilot)
        yield pilot


async def settled(pilot: Any) -> None:
    """Wait until nothing is painted any more."""
    before: list[str] = []
    same = 0
    for _ in range(200):
        await pilot.pause(0.01)
        now = text(pilot)
        same = same + 1 if now == before else 0
        if same == 3:
            return
        before = now


def text(pilot: Any) -> list[str]:
    """The screen as lines of text."""
    screen = pilot.app.main
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
async def test_the_first_screen_says_what_burns_where_and_which_runbook_fits(size: tuple[int, int]) -> None:
    async with shown(Scene(situation()), size) as pilot:
        lines = text(pilot)
        assert len(lines) == size[1]
        assert "PROD" in lines[0]
        assert lines[1].startswith(" BURNING")
        screen = "\n".join(lines)
        assert "job success" in screen
        assert "no data: target spark-connect-41 has no endpoints" in screen
        row = next(line for line in lines if line.startswith(" CRIT"))
        assert "etl-orders" in row and "14m" in row and "spark-oom" in row
        assert "SparkPodOOMKilled firing 12m" in screen
        assert lines[-1].startswith(" enter open")


async def test_a_title_takes_the_room_that_short_places_leave() -> None:
    title = "13 executors OOMKilled at their limit"
    finding = msgspec.structs.replace(OOM, title=title)
    board = msgspec.structs.replace(situation().board, findings=(finding,))
    async with shown(Scene(situation(board=board))) as pilot:
        assert any(title in line and "etl-orders" in line for line in text(pilot))


async def test_a_title_that_is_cut_short_stands_whole_below_the_row_under_the_cursor() -> None:
    title = "Hive Metastore is down: CrashLoopBackOff in rel-hive-metastore-7f9c4-abcde after 14 restarts"
    board = msgspec.structs.replace(situation().board, findings=(msgspec.structs.replace(OOM, title=title),))
    async with shown(Scene(situation(board=board))) as pilot:
        lines = text(pilot)
        at = next(i for i, line in enumerate(lines) if line.startswith(" CRIT"))
        assert "…" in lines[at] and f"{lines[at + 1].strip()} {lines[at + 2].strip()}" == title
    async with shown(Scene(situation(board=board)), (200, 50)) as pilot:
        assert sum("after 14 restarts" in line for line in text(pilot)) == 1, "where it fits it is said once"


async def test_the_worst_finding_says_which_key_to_press() -> None:
    async with shown(Scene(situation())) as pilot:
        assert any(line.startswith("      r  walks runbook spark-oom") for line in text(pilot))


async def test_what_does_not_fit_ends_in_an_ellipsis_or_goes_on_below() -> None:
    question = "whether heap or overhead filled the container: " + "compare the peaks of both " * 20
    finding = msgspec.structs.replace(OOM, open_questions=(question,))
    board = msgspec.structs.replace(situation().board, findings=(finding,))
    async with shown(Scene(situation(board=board))) as pilot:
        lines = text(pilot)
        first = next(i for i, line in enumerate(lines) if "? whether heap" in line)
        assert lines[first + 3].endswith("…")
    async with shown(Scene(situation(board=board)), (24, 24)) as pilot:
        assert any(line.startswith(" BURNING") and line.endswith("…") for line in text(pilot))


async def test_the_foot_says_how_many_lines_follow_below() -> None:
    async with shown(Scene(situation(apps=40))) as pilot:
        await press(pilot, "2")
        assert text(pilot)[-1].endswith("↓ 21 more")
        await press(pilot, "G")
        assert "more" not in text(pilot)[-1]


async def test_the_palette_begins_with_the_pages() -> None:
    async with shown(Scene(situation())) as pilot:
        await press(pilot, "colon")
        assert text(pilot)[2].split() == ["page", "1", "now"]


async def test_what_many_applications_share_is_one_row_that_unfolds() -> None:
    async with shown(Scene(shared(12))) as pilot:
        screen = text(pilot)
        rows = [line for line in screen if line.startswith((" CRIT", " WARN"))]
        assert len(rows) == 2, "one for the node, one for the application with trouble of its own"
        assert "node-112 does not answer" in rows[0] and "node node-112" in rows[0] and "5m" in rows[0]
        assert any("for" in line and "12 of 12 had executors on node-112" in line for line in screen)
        assert any("against" in line and "2 applications on node-112 are well" in line for line in screen)
        await press(pilot, "enter")
        assert sum("executors lost" in line for line in text(pilot)) > 5
        await press(pilot, "enter", "e")
        screen = text(pilot)
        assert "one cause" in screen[0] and any("against" in line for line in screen)


async def test_a_consequence_is_helped_by_the_runbook_of_its_cause() -> None:
    gave_up = msgspec.structs.replace(OOM, code="max-executor-failures", class_=None, causes=(OOM.key,))
    incident = Incident(OOM.key, "t", (OOM.key, gave_up.key), "critical", shared="this application only")
    board = msgspec.structs.replace(situation().board, findings=(OOM, gave_up), incidents=(incident,))
    scene = Scene(situation(board=board))
    async with shown(scene) as pilot:
        await press(pilot, "j", "r")
        assert pilot.app.main.page.name != "now" or any(what == "begin" for what, _ in scene.asked)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
async def test_freshness_is_never_cut_off_from_what_it_is_the_freshness_of(width: int) -> None:
    async with shown(Scene(situation()), (width, 24)) as pilot:
        top = text(pilot)[0]
        assert ("prometheus late" in top) == ("late" in top) and ("fresh" in top) <= ("cluster fresh" in top)


async def test_another_panel_begins_at_its_first_line_and_a_log_at_its_last() -> None:
    log = "".join(f"INFO line {n}\n" for n in range(200))
    async with shown(Scene(situation(), log)) as pilot:
        await press(pilot, "2", "enter", "G", "2")
        assert any("executors killed at their container limit" in line for line in text(pilot))
        await press(pilot, "4")
        assert any("INFO line 199" in line for line in text(pilot))
        await press(pilot, "5")
        assert any("no configuration is known" in line for line in text(pilot))


async def test_nothing_that_a_cluster_says_is_markup_or_an_escape() -> None:
    hostile = msgspec.structs.replace(OOM, title="[red]x[/red]\x1b[2J[link=http://evil]y", detail="\x1b]0;owned\x07z")
    board = msgspec.structs.replace(situation().board, findings=(hostile,))
    async with shown(Scene(situation(board=board))) as pilot:
        screen = "\n".join(text(pilot))
        assert "[red]x[/red][link=http://" in screen
        assert "\x1b" not in screen and "owned" not in screen


async def test_the_cursor_stays_on_its_application_when_others_come_and_go() -> None:
    scene = Scene(situation())
    async with shown(scene) as pilot:
        await press(pilot, "2", "j", "j", "j")
        page = pilot.app.main.page
        assert page.selected == "spark-prod/job-00002"
        apps = scene.situation.board.apps
        board = msgspec.structs.replace(scene.situation.board, apps=(apps[0], *apps[2:]))
        scene.show(situation(board=board))
        await settled(pilot)
        assert page.selected == "spark-prod/job-00002"


async def test_a_filter_narrows_while_one_types_and_escape_clears_it() -> None:
    async with shown(Scene(situation())) as pilot:
        await press(pilot, "2", "slash", "0", "0", "7")
        assert sum("job-" in line for line in text(pilot)) == 1
        await press(pilot, "escape")
        assert sum("job-" in line for line in text(pilot)) > 10


async def test_a_key_that_does_nothing_now_says_why() -> None:
    async with shown(Scene(situation())) as pilot:
        await press(pilot, "2", "j", "r")
        assert text(pilot)[-1].strip() == "r: no runbook fits this application"


async def test_the_palette_goes_to_an_application_by_a_part_of_its_name() -> None:
    async with shown(Scene(situation())) as pilot:
        await press(pilot, "colon", *"etl-or", "enter")
        assert "etl-orders" in text(pilot)[0]
        assert any("OOMKilled" in line and "137" in line for line in text(pilot))


async def test_help_lists_every_key_of_the_page_below_and_why_some_are_off() -> None:
    async with shown(Scene(situation()), (100, 60)) as pilot:
        await press(pilot, "2", "j", "question_mark")
        screen = "\n".join(text(pilot))
        for key in pilot.app.main.go.root("apps").keys:
            assert key.tip in screen
        assert "not now: no runbook fits this application" in screen


async def test_a_key_that_the_page_uses_itself_is_not_also_offered_as_the_way_elsewhere() -> None:
    async with shown(Scene(situation()), (160, 40)) as pilot:
        await press(pilot, "2", "enter")
        screen = text(pilot)
        assert any("1 executors" in line for line in screen[:-1]) and "1 now" not in screen[-1]
        await press(pilot, "question_mark")
        assert not any("Now: what is burning" in line for line in text(pilot))


async def test_at_eighty_columns_all_panels_of_an_application_are_named_whole_and_its_runbook_is_offered() -> None:
    async with shown(Scene(situation())) as pilot:
        await press(pilot, "2", "enter")
        screen = text(pilot)
        tabs = next(line for line in screen if "2 evidence" in line)
        assert tabs.rstrip("─ ").endswith("7 why not  8 times") and "r runbook" in screen[-1]


async def test_on_a_small_screen_only_the_first_panel_of_an_application_has_its_summary() -> None:
    async with shown(Scene(situation()), (80, 24)) as pilot:
        await press(pilot, "2", "enter")
        assert any(line.startswith(" owner ") for line in text(pilot))
        await press(pilot, "2")
        assert text(pilot)[3].startswith("─ 1 executors") and text(pilot)[2].startswith(" RUNNING")
    async with shown(Scene(situation()), (80, 50)) as pilot:
        await press(pilot, "2", "enter", "2")
        assert any(line.startswith(" owner ") for line in text(pilot))


def test_a_verdict_that_does_not_fit_leaves_out_whole_parts_and_says_so() -> None:
    summary = "1 of 3 SLOs burning · 2 findings · 6 apps live, 6 ended · 20 Spark pods"
    made = situation(board=msgspec.structs.replace(situation().board, summary=summary))
    for width in range(40, 100):
        told = frame.verdict(made, width).text
        assert len(told) <= width, told
        whole = told.removeprefix(" BURNING  ").removesuffix(" …")
        assert summary.startswith(whole) and summary[len(whole) :][:2] in ("", " ·"), told
        assert told.endswith("…") is (whole != summary)


async def test_a_page_never_cuts_a_word_off_without_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a page shows at 80 columns either fits, or ends in an ellipsis."""
    cut_off: list[str] = []
    whole = pane.cut

    def noted(line: Line, width: int) -> Line:
        made = whole(line, width)
        if made.text != line.text and not made.text.rstrip().endswith("…") and line.text.strip(" ─"):
            cut_off.append(line.text)
        return made

    monkeypatch.setattr(pane, "cut", noted)
    async with shown(Scene(situation())) as pilot:
        for key in ("1", "2", "enter", "2", "3", "5", "6", "7", "escape", "3", "4", "5", "6", "7", "8"):
            await press(pilot, key)
    assert cut_off == []


async def test_a_log_is_shown_redacted_and_its_errors_keep_their_words() -> None:
    log = "INFO start\nERROR Executor: java.lang.OutOfMemoryError: Java heap space\ntoken=abcdef123456\n"
    async with shown(Scene(situation(), log)) as pilot:
        await press(pilot, "2", "enter", "4")
        screen = "\n".join(text(pilot))
        assert "Java heap space" in screen
        assert "abcdef123456" not in screen and "[redacted]" in screen


def asked(kind: str, *, expect: str = "", preview: Preview | None = None, choices: tuple[Choice, ...] = ()) -> Scene:
    """A walk that waits for an answer."""
    started = Started(NOW - 60, "w1", "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "sre", "console")
    walk = fold([started, Entered(NOW - 50, "raise-overhead")])
    question = Question(
        "w1", "raise-overhead", kind, "raise memoryOverhead", "Apply it?", choices, preview=preview, expect=expect,
        cluster="spark-prod/eu-west-1",
    )  # fmt: skip
    return Scene(situation(walks=(walk,), questions={"w1": question}))


EFFECT = Effect(
    "w1/1", "raise-overhead", "raise memoryOverhead", "patch",
    target=ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-prod", "etl-orders"), reversible=True,
)  # fmt: skip
PREVIEW = Preview(
    EFFECT,
    ("  spec:", "    executor:", "-     memoryOverhead: 1100m", "+     memoryOverhead: 2g"),
    accepted=True,
    consequences=(Consequence("next run", "warning", "the next run brings 1100m back"),),
    rollback_at=NOW,
)


async def test_a_change_is_shown_whole_before_it_is_asked_for() -> None:
    async with shown(asked("confirm", preview=PREVIEW)) as pilot:
        await press(pilot, "enter")
        screen = "\n".join(text(pilot))
        assert "-     memoryOverhead: 1100m" in screen and "+     memoryOverhead: 2g" in screen
        assert "server dry run: accepted" in screen
        assert "the next run brings 1100m back" in screen
        assert "rollback    ready" in screen


async def test_enter_is_never_a_yes_and_y_is() -> None:
    scene = asked("confirm", preview=PREVIEW)
    async with shown(scene) as pilot:
        await press(pilot, "enter", "enter")
        assert not [value for what, value in scene.asked if what == "reply"]
        await press(pilot, "escape", "y")
        (reply,) = [value for what, value in scene.asked if what == "reply"]
        assert (reply.value, reply.by, reply.typed) == ("yes", "sre", "")


async def test_production_wants_the_object_typed_and_escape_is_no_answer() -> None:
    scene = asked("confirm", preview=PREVIEW, expect=KEY)
    async with shown(scene) as pilot:
        await press(pilot, "enter", "y", *"spark-prod")
        await press(pilot, "slash", *"etl-orders", "enter")
        (reply,) = [value for what, value in scene.asked if what == "reply"]
        assert (reply.value, reply.typed) == ("yes", KEY)


async def test_digits_answer_a_question() -> None:
    scene = asked("ask", choices=(Choice("heap", "the heap"), Choice("overhead", "outside the heap")))
    async with shown(scene) as pilot:
        await press(pilot, "enter")
        assert any("1 the heap" in line for line in text(pilot))
        assert text(pilot)[-1].startswith(" 1-2 answer")
        await press(pilot, "2")
        (reply,) = [value for what, value in scene.asked if what == "reply"]
        assert reply.value == "overhead"


async def test_a_drill_with_an_open_walk_asks_before_it_ends_and_a_cluster_that_stays_does_not() -> None:
    scene = asked("ask")
    board = scene.situation.board
    simulated = msgspec.structs.replace(board.cluster, kind="simulated")
    drill = msgspec.structs.replace(board, cluster=simulated)
    async with shown(Scene(msgspec.structs.replace(scene.situation, board=drill))) as pilot:
        await press(pilot, "q")
        assert "the drill ends with Console" in " ".join(text(pilot)) and pilot.app.is_running
        await press(pilot, "escape")
        assert "the drill ends" not in " ".join(text(pilot)) and pilot.app.is_running
        await press(pilot, "q", "enter")
        assert not pilot.app.is_running
    async with shown(Scene(msgspec.structs.replace(scene.situation, board=drill, walks=()))) as pilot:
        await press(pilot, "q")
        assert not pilot.app.is_running
    async with shown(scene) as pilot:
        await press(pilot, "q")
        assert not pilot.app.is_running


async def test_a_walk_that_was_left_is_not_called_running_and_offers_to_go_on() -> None:
    scene = asked("ask")
    left = situation(walks=scene.situation.walks)
    async with shown(Scene(left)) as pilot:
        assert any("WALK" in line and "waits, nobody is on it" in line for line in text(pilot))
        await press(pilot, "6", "enter")
        screen = text(pilot)
        assert any("nobody is on it, so it waits: a takes it up, x ends it" in line for line in screen)
        assert not any("running" in line for line in screen) and "a resume" in screen[-1]
    others = situation(walks=scene.situation.walks, elsewhere={"w1": "grace (process 7)"})
    async with shown(Scene(others)) as pilot:
        await press(pilot, "6", "enter")
        screen = text(pilot)
        assert any("grace (process 7) is on it: it is answered there" in line for line in screen)
        assert "a resume" not in screen[-1]
        await press(pilot, "a")
        assert any("grace (process 7) is on it" in line for line in text(pilot)[-2:])
    here = situation(walks=scene.situation.walks, here=frozenset({"w1"}))
    async with shown(Scene(here), (100, 30)) as pilot:
        await press(pilot, "6", "enter")
        assert any("running" in line for line in text(pilot)) and "a resume" not in text(pilot)[-1]


async def test_a_cluster_that_does_not_answer_is_said_whole_and_nothing_is_called_well() -> None:
    trouble = "https://10.0.0.1:6443 cannot be reached: Connection refused"
    board = msgspec.structs.replace(situation().board, findings=(), slos=(), alerts=())
    lost = situation(board=board, phase="failed", trouble=trouble, hint="it is down, or a VPN is missing")
    async with shown(Scene(lost)) as pilot:
        screen = " ".join(" ".join(text(pilot)[2:]).split())
        assert trouble in screen and "(it is down, or a VPN is missing)" in screen
        assert "SLO unknown" in screen and "console doctor" in screen and "reading" not in screen


async def test_a_question_without_choices_offers_enter() -> None:
    async with shown(asked("note")) as pilot:
        await press(pilot, "enter")
        assert text(pilot)[-1].startswith(" enter answer")


async def test_what_is_said_beside_a_choice_goes_below_it_where_it_is_long() -> None:
    hint = "helps both, and needs at least two cores in each executor to be of use"
    async with shown(
        asked("ask", choices=(Choice("half", "half as many tasks", hint=hint), Choice("no", "none")))
    ) as pilot:
        await press(pilot, "enter")
        screen = text(pilot)
        assert " ".join(" ".join(screen).split()).count(hint) == 1
        await press(pilot, "2")
        ((_, reply),) = [(what, value) for what, value in pilot.app.hub.source.asked if what == "reply"]
        assert reply.value == "no"


async def test_without_colour_no_colour_is_sent() -> None:
    async with shown(Scene(situation()), depth="mono") as pilot:
        strips = pilot.app.main._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        named = {style.color.name for style in styles if style.color is not None}
        assert named <= {"default"}


async def test_a_walk_that_was_cut_off_is_gone_on_with_where_that_was_asked_for() -> None:
    scene = Scene(situation())
    app = ConsoleApp(scene, {}, palette=Palette("ansi"), first=Opening("", resume="latest", stored=True))
    async with app.run_test(size=(80, 24)) as pilot:
        while app.main.page.name != "walk":
            await pilot.pause(0.01)
        assert [value for what, value in scene.asked if what == "resume"] == [("latest", True)]


async def test_a_runbook_that_changed_since_is_gone_on_with_only_when_stored_is_typed() -> None:
    scene = asked("confirm")
    (walk,) = scene.situation.walks
    scene = Scene(situation(walks=(walk,)))
    scene.drifted = ("- old", "+ new")
    async with shown(scene) as pilot:
        pilot.app.main.push(WalkPage(pilot.app.hub, "w1"))
        await press(pilot, "a", "enter")
        assert not [value for what, value in scene.asked if what == "resume"]
        await press(pilot, "a", *"stored", "enter")
        assert [value for what, value in scene.asked if what == "resume"] == [("w1", True)]


async def test_the_cursor_that_nobody_moved_goes_to_the_first_finding_when_the_one_below_it_is_told_otherwise() -> None:
    now = situation()
    (found,) = now.board.findings
    other = msgspec.structs.replace(found, code="executor-oom-overhead")
    slos = (*now.board.slos, *(msgspec.structs.replace(now.board.slos[0], id=f"more-{n}") for n in range(3)))
    scene = Scene(now)
    async with shown(scene, (80, 30)) as pilot:
        assert pilot.app.main.page.selected == found.key
        scene.show(msgspec.structs.replace(now, board=msgspec.structs.replace(now.board, findings=(other,), slos=slos)))
        await settled(pilot)
        assert pilot.app.main.page.selected == other.key, "and not to what stands at its line now"
