"""Which runbook belongs to what is wrong: the most specific first, ties shown."""

from __future__ import annotations

from msgspec.structs import replace

from console.runbook.match import rank
from console.runbook.model import AlertMatch, Runbook, RunbookMatch
from tests.runbook.boards import KEY, alert, board, finding, slo


def book(id: str, **match: object) -> Runbook:
    return Runbook(id, "1.0.0", id.title(), f"{id}.yaml", "", "", match=RunbookMatch(**match))  # type: ignore[arg-type]


def test_an_alert_with_more_labels_wins_and_a_wrong_label_excludes() -> None:
    books = [
        book("plain", alerts=(AlertMatch("SparkPodOOMKilled"),)),
        book("exact", alerts=(AlertMatch("SparkPodOOMKilled", {"namespace": "spark-jobs", "pod": "~.+-exec-[0-9]+"}),)),
        book("other", alerts=(AlertMatch("SparkPodOOMKilled", {"namespace": "elsewhere"}),)),
        book("regex", alerts=(AlertMatch("SparkPodOOMKilled", {"namespace": "~spark"}),)),
    ]
    found = rank(books, board(), alert=alert())
    assert [(m.runbook, m.score, m.alert, m.app) for m in found] == [
        ("exact", 115, "SparkPodOOMKilled", KEY),
        ("plain", 100, "SparkPodOOMKilled", KEY),
    ]
    assert found[0].because == "alert SparkPodOOMKilled namespace=spark-jobs pod=~.+-exec-[0-9]+"


def test_the_link_in_an_alert_names_its_runbook() -> None:
    linked = replace(alert("Anything"), annotations={"runbook_url": "https://runbooks.example/spark/spark-oom.md"})
    (found,) = rank([book("spark-oom"), book("other")], board(), alert=linked)
    assert (found.runbook, found.score) == ("spark-oom", 90)


def test_a_code_is_more_specific_than_a_class_and_both_than_an_slo() -> None:
    books = [
        book("by-slo", slos=("job-success",)),
        book("by-class", classes=("I01",)),
        book("by-code", findings=("executor-oom-container",)),
    ]
    found = rank(books, board(replace(finding(), runbooks=("by-name",))))
    assert [(m.runbook, bool(m.finding), m.slo) for m in found] == [
        ("by-code", True, ""),
        ("by-class", True, ""),
        ("by-slo", False, "job-success"),
    ]
    assert rank([book("by-name")], board(replace(finding(), runbooks=("by-name",))))[0].score == 50


def test_an_slo_that_is_good_leads_nowhere() -> None:
    assert rank([book("by-slo", slos=("job-success",))], board(slos=(slo(0.1, 0.1),))) == ()
    assert rank([book("by-slo", slos=("job-success",))], board(slos=(slo(None, None),))) == ()


def test_ties_are_shown_not_decided() -> None:
    books = [book("b", findings=("executor-oom-container",)), book("a", findings=("executor-oom-container",))]
    found = rank(books, board(finding()))
    assert [(m.runbook, m.tied) for m in found] == [("a", True), ("b", True)]
    assert rank(list(reversed(books)), board(finding())) == found


def test_only_what_belongs_to_the_application() -> None:
    other = replace(finding(), app="spark-jobs/x", subject="SparkApplication/spark-jobs/x")
    books = [book("a", findings=("executor-oom-container",), slos=("job-success",))]
    assert [m.app for m in rank(books, board(other, finding()))] == ["spark-jobs/x", KEY, ""]
    assert [m.app for m in rank(books, board(other, finding()), app=KEY)] == [KEY]


def test_a_hostile_pattern_matches_nothing() -> None:
    assert rank([book("a", alerts=(AlertMatch("SparkPodOOMKilled", {"pod": "~("}),))], board(), alert=alert()) == ()
