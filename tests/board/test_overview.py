"""One entry per cause: nothing is lost, nothing stands twice, and what follows stands behind its cause."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.board.model import Board, Cluster
from console.board.overview import causes
from console.causes.model import Incident
from console.findings.model import Finding


def found(number: int) -> Finding:
    app = f"ns/app-{number % 3}"
    return Finding(f"code-{number}", "I01", "warning", f"SparkApplication/{app}", 100.0 + number, "high", "t", app=app)


def board(findings: tuple[Finding, ...], incidents: tuple[Incident, ...]) -> Board:
    return Board(at=200.0, cluster=Cluster(), verdict="DEGRADED", findings=findings, incidents=incidents)


@given(st.lists(st.integers(0, 3), max_size=12))
def test_every_finding_stands_exactly_once(groups: list[int]) -> None:
    findings = tuple(found(n) for n in range(len(groups)))
    incidents = tuple(
        Incident(f"i{g}", "title", tuple(f.key for f, of in zip(findings, groups, strict=True) if of == g), "warning")
        for g in sorted(set(groups) - {0})
    )
    shown = [f.key for cause in causes(board(findings, incidents)) for f in (cause.lead, *cause.rest)]
    assert sorted(shown) == sorted(f.key for f in findings)


def test_a_finding_that_is_over_is_not_shown_although_its_incident_names_it() -> None:
    one = found(0)
    (cause,) = causes(board((one,), (Incident("i", "title", (one.key, "gone@x"), "warning"),)))
    assert cause.lead is one and cause.rest == ()


def test_trouble_of_one_application_is_named_by_its_cause_and_of_many_by_what_they_share() -> None:
    alone = (found(0), found(3))
    (cause,) = causes(board(alone, (Incident(alone[0].key, "t", tuple(f.key for f in alone), "warning"),)))
    assert not cause.shared and cause.key == alone[0].key and cause.where == "ns/app-0"
    many = (found(0), found(1))
    incident = Incident("node:n1:", "n1 is gone", tuple(f.key for f in many), "warning", shared="node n1")
    (cause,) = causes(board(many, (incident,)))
    assert cause.shared and cause.key == "incident:node:n1:" and (cause.title, cause.where) == ("n1 is gone", "node n1")
    assert cause.apps == ("ns/app-0", "ns/app-1")
