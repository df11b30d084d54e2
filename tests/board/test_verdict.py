"""The one verdict: OK is said only where everything was read and shows nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from console.board.compose import board
from console.board.model import Board, Cluster
from console.board.verdict import untrusted
from console.cli.board.status import status_document, status_text
from console.cli.output import exit_for
from console.components.model import Component
from console.facts.model import Alert, Facts, Origin, SourceState, SourceStateWord
from console.findings.model import Finding
from console.findings.unjudged import CODE as UNJUDGED
from console.live.situation import Situation
from console.slo.model import SloStatus
from console.tui.views import frame, now
from tests.runbook.boards import app

AT = 1000.0
GOOD = SloStatus("jobs", "Jobs succeed", 0.99, 86400.0, "good", budget_left=0.9)
FIRES = Alert(
    "SparkExecutorOOMKilled", {"app": "etl-orders", "namespace": "spark-jobs"}, Origin("prometheus", "ALERTS")
)
TROUBLE = Finding("c", "I01", "warning", "Pod/a/b", AT, "high", "executors die")


@dataclass
class World:
    findings: tuple[Finding, ...] = ()
    slos: tuple[SloStatus, ...] = (GOOD,)
    components: tuple[Component, ...] = ()
    alerts: tuple[Alert, ...] = ()
    lost: tuple[str, ...] = ()
    sources: dict[str, Any] = field(default_factory=dict)

    @property
    def board(self) -> Board:
        states: dict[str, SourceStateWord] = {"pods": "fresh", "prometheus": "fresh", **self.sources}
        sources = tuple(SourceState(name, word) for name, word in states.items())
        facts = Facts(AT, sources=sources)
        return board(
            facts, Cluster(), (app(),), self.findings, (), self.slos, self.components, self.alerts, lost=self.lost
        )

    @property
    def said(self) -> tuple[str, str]:
        return self.board.verdict, self.board.because


def test_everything_read_and_nothing_wrong_is_ok() -> None:
    assert World().said == ("OK", "")
    assert World(findings=(replace(TROUBLE, severity="info"),)).said == ("OK", "")


def test_where_console_failed_at_something_nothing_is_said_to_be_well() -> None:
    failed = Finding(UNJUDGED, None, "info", "Pod/a/b", AT, "high", "Console could not judge Pod/a/b")
    assert World(findings=(failed,)).said == ("UNKNOWN", "Console could not judge Pod/a/b")
    assert World(findings=(failed, TROUBLE)).said == ("DEGRADED", "executors die"), (
        "what is known to be wrong comes first"
    )


@pytest.mark.parametrize("silenced", [False, True])
def test_a_firing_alert_about_a_spark_workload_is_never_ok(silenced: bool) -> None:
    shown = Situation(World(alerts=(replace(FIRES, silenced=silenced),)).board, phase="live")
    assert (shown.board.verdict, shown.board.because) == ("DEGRADED", "the alert SparkExecutorOOMKilled fires")
    page = "\n".join(line.text for line in now.lines(shown, 120))
    assert "nothing is wrong" not in page
    assert "no finding, and none explains it yet: the alert SparkExecutorOOMKilled fires" in page
    assert "0 findings · 1 alert firing" in status_text(shown) and "1 alert firing" in frame.verdict(shown, 120).text
    assert status_document(shown)["because"] == shown.board.because and exit_for(shown.board) == 1


def test_an_alert_of_something_else_or_one_that_is_pending_is_no_reason() -> None:
    other = Alert("NginxDown", {"namespace": "web", "pod": "nginx-1"}, FIRES.origin)
    assert World(alerts=(other, replace(FIRES, state="pending"))).said == ("OK", "")


@pytest.mark.parametrize("state", ["late", "stale", "partial", "forbidden", "login needed", "unreachable"])
@pytest.mark.parametrize("name", ["pods", "nodes", "events", "prometheus", "alertmanager", "standalone"])
def test_a_source_that_is_not_fresh_is_never_ok_and_is_named(name: str, state: str) -> None:
    shown = World(sources={name: state}).board
    assert (shown.verdict, shown.because) == ("UNKNOWN", f"{name} {state}")
    assert shown.summary.startswith(f"{name} {state} · "), "where a narrow screen does not cut it off"


def test_what_was_not_read_yet_is_loading() -> None:
    assert World(sources={"logs": "loading"}).said == ("LOADING", "logs loading")
    assert World(sources={"prometheus": "loading"}, slos=()).said == ("LOADING", "prometheus loading")
    assert World(sources={"logs": "loading", "pods": "stale"}).said == ("UNKNOWN", "pods stale")


def test_unknown_objectives_are_never_ok_where_there_is_a_prometheus() -> None:
    blind = replace(GOOD, state="no data")
    assert World(slos=(blind,)).said == ("UNKNOWN", "no objective has data")
    assert World(slos=()).said == ("UNKNOWN", "no objective has data")
    assert World(slos=(GOOD, blind)).said == ("OK", "")
    assert World(slos=(GOOD, blind), lost=("Jobs succeed",)).said == ("UNKNOWN", "Jobs succeed has no data any more")


def test_a_page_without_a_finding_says_what_is_not_known() -> None:
    shown = Situation(World(sources={"logs": "loading"}).board, phase="live")
    page = "\n".join(line.text for line in now.lines(shown, 120))
    assert "no finding, and not everything is known: logs loading" in page


def test_without_any_prometheus_that_is_said_and_is_no_reason_for_doubt() -> None:
    shown = World(sources={"prometheus": "absent"}, slos=(replace(GOOD, state="no data"),)).board
    assert shown.verdict == "OK" and "1 without data" in shown.summary


def test_what_is_wrong_goes_before_what_is_unknown() -> None:
    burning = replace(GOOD, state="burning", severity="page")
    assert World(slos=(burning,), findings=(TROUBLE,)).said == ("BURNING", "Jobs succeed is burning")
    assert World(findings=(TROUBLE,), sources={"nodes": "stale"}).said == ("DEGRADED", "executors die")
    down = Component("op", "Operator", "down", "", expected=True)
    assert World(components=(down,)).said == ("DEGRADED", "Operator is down")


def test_an_old_board_is_not_ok_any_more() -> None:
    old = untrusted(World().board, "the server does not answer")
    assert (old.verdict, old.because) == ("UNKNOWN", "the server does not answer")
    sick = World(findings=(TROUBLE,)).board
    assert untrusted(sick, "x") is sick
