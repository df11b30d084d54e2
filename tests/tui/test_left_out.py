"""What a bound left out stands where the answer is read: on pages, in text and in JSON."""

from __future__ import annotations

from msgspec.structs import replace

from console.advice.model import AdviceReport
from console.board.compose import board, condensed
from console.board.model import Cluster
from console.cli.advise import document, gated, text_of
from console.cli.board.status import status_document, status_text
from console.facts.leftout import LeftOut
from console.facts.model import Facts, SourceState
from console.live.situation import Situation
from console.tui.views import advice, apps, now
from console.tui.views.leftout import left_out

BEYOND = LeftOut(
    "pods", "workloads that run Spark have their pods followed", 200, 241, "the sick first", ("a/b",), True
)
SAID = "200 of 241 workloads that run Spark have their pods followed, the sick first; not a/b and 40 more"
FACTS = Facts(at=0.0, sources=(SourceState("pods", "fresh"), SourceState("nodes", "fresh")), left_out=(BEYOND,))
SITUATION = Situation(board(FACTS, Cluster(context="c"), (), ()), phase="live")


def words(lines: object) -> str:
    return " ".join("".join(s.text for s in line.spans).strip() for line in lines)  # type: ignore[attr-defined]


def test_status_counts_the_lists_that_are_cut_short_and_says_what_is_missing() -> None:
    text = status_text(SITUATION)
    assert text.splitlines()[0].endswith("1 list cut short")
    assert f"not all  {SAID}" in text.splitlines()


def test_the_json_of_status_has_counts_and_words() -> None:
    (said,) = status_document(SITUATION)["left_out"]
    assert (said["kept"], said["of"], said["names"], said["words"]) == (200, 241, ["a/b"], BEYOND.words)


def test_a_source_of_which_sick_things_may_be_missing_is_partial() -> None:
    states = {s.name: s.state for s in SITUATION.board.sources}
    assert states == {"pods": "partial", "nodes": "fresh"}
    assert [s.state for s in condensed(SITUATION.board.sources)] == ["partial"]
    harmless = replace(FACTS, left_out=(replace(BEYOND, blinds=False),))
    assert {s.state for s in board(harmless, Cluster(), (), ()).sources} == {"fresh"}


def test_now_and_the_list_of_applications_say_it_at_eighty_columns() -> None:
    page = now.lines(SITUATION, 80)
    assert f"NOT ALL  {SAID}" in words(page)
    assert all(len("".join(s.text for s in line.spans)) <= 80 for line in page)
    table = apps.AppLines(SITUATION.board, foot=left_out(SITUATION.board.left_out, 80))
    assert f"NOT ALL  {SAID}" in words(table.line(n, 80) for n in range(1, len(table)))


def test_advice_says_of_what_there_is_none() -> None:
    report = AdviceReport(0.0, left_out=(BEYOND,))
    assert f"not all  {SAID}" in text_of(report).splitlines()
    assert document(report)["left_out"][0]["words"] == BEYOND.words
    assert gated(report, "high")
    assert f"NOT ALL  {SAID}" in words(advice.lines(report, (), "", 80, inline=False))
