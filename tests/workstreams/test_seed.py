"""The seed index: figures that can be defended line by line, compared with a second reading of the definitions."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from console.workstreams.build import build
from console.workstreams.model import Index
from console.workstreams.reports.view import find, graph_of
from tests.workstreams.reference import counts

SEED = Path(__file__).parents[1] / "data" / "workstreams" / "index.md"


@pytest.fixture(scope="module")
def index() -> Index:
    return build(SEED.read_bytes(), file="INDEX.md")


def test_counts(index: Index) -> None:
    assert index.counts() == {
        "features": 28,
        "rows": 157,  # 153 with a plain WS id, three WS-TESTING, one range
        "rows_unread": 0,
        "workstreams": 170,  # the range WS-018-04..17 stands for 14
        "completed": 109,  # 106 completed, 1 closed, 2 bold
        "not_completed": 61,
        "ready": 32,
        "blocked": 29,
        "contradictions": 24,
    }


def test_a_second_reading_of_the_definitions_gives_the_same(index: Index) -> None:
    expected = counts(SEED.read_text(encoding="utf-8"))
    assert {name: index.counts()[name] for name in expected} == expected


def test_entries_of_lint_by_code(index: Index) -> None:
    assert Counter(item.code for item in index.problems) == {
        "status-vs-rows": 3,
        "loc-sum": 6,
        "art-vs-table": 3,
        "id-duplicate": 5,
        "completed-on-open": 1,
        "dependency-ambiguous": 1,
        "scenario-sum": 1,
        "header-vs-rows": 1,
        "summary-vs-rows": 2,
        "total-vs-rows": 1,
        "wave-order": 1,
        "wave-size": 1,
        "art-unread": 11,
    }


@pytest.mark.parametrize(
    ("line", "code", "declared", "derived"),
    [
        (6, "status-vs-rows", "In Progress (WS executing/reviewed; some backlog remains)", "completed"),
        (37, "art-vs-table", "WS-001-08", "WS-001-07"),
        (463, "completed-on-open", "completed", "waits for F04/WS-020-12"),
        (464, "dependency-ambiguous", "WS-012-01", None),
        (588, "id-duplicate", "F11/WS-011-01", "F02/WS-011-01"),
        (688, "scenario-sum", "48", "52"),
        (870, "header-vs-rows", "9", "12"),
        (871, "loc-sum", "~2000", "~3850"),
        (1232, "summary-vs-rows", "completed 2, backlog 15+", "completed 3, backlog 14"),
        (1240, "total-vs-rows", "completed 87, backlog 101+", "completed 109, backlog 61"),
    ],
)
def test_contradictions_stand_at_their_line(
    index: Index, line: int, code: str, declared: str, derived: str | None
) -> None:
    found = [item for item in index.problems if item.line == line and item.code == code]
    assert [(item.declared, item.derived) for item in found] == [(declared, derived)]


def test_at_least_and_about_are_no_contradictions(index: Index) -> None:
    lines = {item.line for item in index.problems if item.severity == "error"}
    text = SEED.read_text(encoding="utf-8").split("\n")
    for fits in (
        "**Total Workstreams:** 1+",
        "**Total Workstreams:** 17+",
        "**Estimated LOC:** ~7500 (charts + docs + tests)",
    ):
        assert text.index(fits) + 1 not in lines


def test_every_value_keeps_its_line(index: Index) -> None:
    text = SEED.read_text(encoding="utf-8").split("\n")
    for feature in index.features:
        assert text[feature.line - 1].startswith(f"## Feature {feature.id}:")
        assert all(text[key.line - 1] == f"**{key.name}:** {key.value}" for key in feature.keys)
        assert all(row.ids[0] in text[row.line - 1] for row in feature.rows)
    assert all(item.label in text[item.line - 1] for item in index.summary)
    assert all(entry.id in text[entry.line - 1] for wave in index.waves for entry in wave.items)
    assert all(audit.audit in text[audit.line - 1] for audit in index.audits)


def test_everything_else_is_read_too(index: Index) -> None:
    assert [len(wave.items) for wave in index.waves] == [4, 4, 4, 5]
    assert len(index.summary) == 29 and index.summary[-1].feature == ""
    assert len(index.audits) == 36
    assert len(index.claims) == 5
    assert index.updated is not None and index.updated.value == "2026-02-13"
    reviews = {review.feature: review.key("Verdict").value for review in index.reviews}  # type: ignore[union-attr]
    assert reviews["F25"] == "✅ APPROVED (WS-025-01..10)" and len(reviews) == 7
    f25 = next(feature for feature in index.features if feature.id == "F25")
    assert f25.beads == ("spark_k8s-ju2",) and f25.rows[0].bead == "spark_k8s-r6h"
    assert f25.columns[-1] == "Bead"
    f28 = next(feature for feature in index.features if feature.id == "F28")
    assert f28.rows[0].scope is not None
    assert (f28.rows[0].scope.size, str(f28.rows[0].scope.loc), f28.rows[0].scope.note) == ("LARGE", "~400", "refactor")


def test_critical_path_and_waves(index: Index) -> None:
    graph = graph_of(index)
    path = graph.critical_path()
    names = ["WS-020-01", "WS-020-05", "WS-020-06", "WS-020-09", "WS-020-14", "WS-020-15", "WS-020-16"]
    assert [index.workstreams[n].id for n in path.numbers] == names
    by_loc = graph.critical_path(loc=True)
    assert by_loc.weight == 545 + 595 + 360 + 150 + 300 + 700 + 400
    assert index.workstreams[by_loc.numbers[-1]].id == "WS-020-23"
    waves = graph.waves()
    assert tuple(len(step) for step in waves.steps) == (32, 14, 3, 2, 5, 2, 3)
    assert waves.steps[0] == index.ready and not waves.never


@pytest.mark.parametrize("seed", range(20))
def test_readiness_agrees_with_the_second_reading_after_random_changes(seed: int) -> None:
    """Statuses and dependencies are shuffled; the form stays sound."""
    chance = random.Random(seed)
    lines = SEED.read_text(encoding="utf-8").split("\n")
    words = [
        "completed",
        "**Completed**",
        "closed",
        "CLOSED (x)",
        "backlog",
        "open",
        "in progress",
        "done",
        "complete",
        "",
    ]
    tokens = [
        "-",
        "None",
        "Independent",
        "F06",
        "F01",
        "F99",
        "Phase 1",
        "Phase 5",
        "Phase 77",
        "WS-012-01",
        "WS-020-01",
    ]
    tokens += ["WS-006-01..03", "WS-001-01 to WS-001-04", "WS-999-01", "WS-018-05", "WS-011-02", "WS-030-02..09"]
    for at, line in enumerate(lines):
        cells = line.split("|")
        if line.startswith("| WS-0") and len(cells) == 7 and chance.random() < 0.3:
            cells[5] = f" {chance.choice([*words, ''])} "
            cells[4] = f" {', '.join(chance.sample(tokens, chance.randint(1, 3)))} "
            lines[at] = "|".join(cells)
    text = "\n".join(lines)
    found = build(text)
    expected = counts(text)
    assert {name: found.counts()[name] for name in expected} == expected
    assert found.rows_unread == 0


def test_names(index: Index) -> None:
    assert len(find(index, "WS-011-01")) == 2
    assert [index.workstreams[n].key for n in find(index, "f11/ws-011-01")] == ["F11/WS-011-01"]
    assert find(index, "F11/WS-999-01") == ()
