"""Each kind of contradiction, put alone into a consistent index, adds exactly one entry of its code at its line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from console.workstreams.build import build
from console.workstreams.codes import CODES
from tests.workstreams.generator import Feature, Plan, Row, plan

Where = tuple[object, ...]
KINDS: dict[str, list[Callable[[Plan], Where]]] = {}
SEEDS = range(100)


def kind(code: str) -> Callable[[Callable[[Plan], Where]], Callable[[Plan], Where]]:
    def register(function: Callable[[Plan], Where]) -> Callable[[Plan], Where]:
        KINDS.setdefault(code, []).append(function)
        return function

    return register


def _place(made: Plan, fits: Callable[[Feature, Row], bool]) -> tuple[int, int]:
    for f, feature in enumerate(made.features):
        for r, row in enumerate(feature.rows):
            if fits(feature, row):
                return f, r
    raise AssertionError("no such row")


def _new(cell: str, status: str = "backlog") -> Row:
    return Row(cell, [cell], "One more", 100, status, [], 1)


@kind("id-duplicate")
def same_feature(made: Plan) -> Where:
    made.features[3].rows.append(_new(made.features[3].rows[0].cell))
    return ("row", 3, len(made.features[3].rows) - 1)


@kind("id-duplicate")
def other_feature(made: Plan) -> Where:
    made.features[4].rows.append(_new(made.features[0].rows[0].cell))
    return ("row", 4, len(made.features[4].rows) - 1)


@kind("feature-duplicate")
def heading_again(made: Plan) -> Where:
    made.features.append(Feature(made.features[0].id, "Again", [], ["ID", "Status"]))
    return ("heading", len(made.features) - 1)


@kind("dependency-unknown")
def unknown_id(made: Plan) -> Where:
    made.features[2].rows[1].needs.append(("WS-999-99", []))
    return ("row", 2, 1)


@kind("dependency-unknown")
def two_unknown_in_one_row(made: Plan) -> Where:
    made.features[2].rows[1].needs += [("WS-999-99", []), ("Phase 9", []), ("F99", []), ("gibberish here", [])]
    return ("row", 2, 1)


@kind("dependency-unknown")
def range_beyond_what_exists(made: Plan) -> Where:
    first = made.features[0].rows[0].cell
    made.features[2].rows[1].needs.append((f"{first}..99", []))
    return ("row", 2, 1)


@kind("dependency-ambiguous")
def id_of_two_other_features(made: Plan) -> Where:
    for f in (0, 1):
        made.features[f].rows.append(_new("WS-777-01", "completed"))
    made.features[3].rows[1].needs.append(("WS-777-01", []))
    return ("row", 3, 1)


@kind("completed-on-open")
def completed_waits_for_open(made: Plan) -> Where:
    f, r = _place(made, lambda _, row: row.completed)
    g, o = _place(made, lambda _, row: not row.completed and len(row.ids) == 1)
    made.features[f].rows[r].needs.append((made.features[g].rows[o].cell, []))
    return ("row", f, r)


@kind("cycle")
def two_wait_for_each_other(made: Plan) -> Where:
    first, second = made.features[0].rows[0], made.features[0].rows[1]
    assert any(token == first.cell for token, _ in second.needs)
    first.needs.append((second.cell, []))
    return ("row", 0, 0)


@kind("cycle")
def waits_for_itself(made: Plan) -> Where:
    made.features[4].rows[1].needs.append((made.features[4].rows[1].cell, []))
    return ("row", 4, 1)


@kind("cycle")
def waits_for_its_own_feature(made: Plan) -> Where:
    made.features[1].rows[-1].needs.append((made.features[1].id, []))
    return ("row", 1, len(made.features[1].rows) - 1)


@kind("header-vs-rows")
def wrong_total(made: Plan) -> Where:
    made.features[2].keys["Total Workstreams"] = str(len(made.features[2].ids) + 1)
    return ("key", 2, "Total Workstreams")


@kind("header-vs-rows")
def at_least_too_many(made: Plan) -> Where:
    made.features[2].keys["Total Workstreams"] = f"{len(made.features[2].ids) + 1}+"
    return ("key", 2, "Total Workstreams")


@kind("scenario-sum")
def wrong_scenarios(made: Plan) -> Where:
    made.features[1].keys["Total Scenarios"] = str(int(made.features[1].keys["Total Scenarios"]) - 1)
    return ("key", 1, "Total Scenarios")


@kind("loc-sum")
def beyond_the_tolerance(made: Plan) -> Where:
    made.features[0].keys["Estimated LOC"] = f"~{sum(row.loc for row in made.features[0].rows) * 3 // 2}"
    return ("key", 0, "Estimated LOC")


@kind("status-vs-rows")
def completed_with_open_rows(made: Plan) -> Where:
    f = next(f for f, feature in enumerate(made.features) if feature.done < len(feature.ids))
    made.features[f].keys["Status"] = "Completed"
    return ("key", f, "Status")


@kind("status-vs-rows")
def backlog_with_completed_rows(made: Plan) -> Where:
    f = next(f for f, feature in enumerate(made.features) if feature.done)
    made.features[f].keys["Status"] = "Backlog"
    return ("key", f, "Status")


@kind("status-vs-rows")
def names_an_open_row_as_completed(made: Plan) -> Where:
    f = next((f for f, feature in enumerate(made.features) if 0 < feature.done < len(feature.ids)), None)
    if f is None:
        return completed_with_open_rows(made)
    row = next(row for row in made.features[f].rows if not row.completed)
    made.features[f].keys["Status"] = f"In Progress ({row.ids[0]} completed)"
    return ("key", f, "Status")


@kind("summary-vs-rows")
def wrong_in_three_columns(made: Plan) -> Where:
    made.summary[2][1:] = ["77", "70", "3", "4"]
    return ("summary", 2)


@kind("summary-unknown")
def unknown_feature(made: Plan) -> Where:
    made.summary.insert(3, ["F99: Nothing", "1", "1", "0", "0"])
    return ("summary", 3)


@kind("summary-duplicate")
def feature_twice(made: Plan) -> Where:
    made.summary.insert(3, list(made.summary[0]))
    return ("summary", 3)


@kind("summary-unread")
def no_figure(made: Plan) -> Where:
    made.summary[1][2] = "many"
    return ("summary", 1)


@kind("summary-missing")
def left_out(made: Plan) -> Where:
    del made.summary[2]
    return ("heading", 2)


@kind("total-vs-rows")
def wrong_sum(made: Plan) -> Where:
    made.summary[-1][2] = "**1000**"
    return ("summary", len(made.summary) - 1)


@kind("claim-vs-rows")
def wrong_count(made: Plan) -> Where:
    made.claims[0] = f"**{made.features[0].id}** (99 WS)"
    return ("claim", 0)


@kind("art-vs-table")
def another_parent(made: Plan) -> Where:
    feature = made.features[0]
    names = [row.cell for row in feature.rows]
    feature.art[2] = f"{names[-1]} → {names[2]}"
    for a in range(3, len(feature.art)):
        feature.art[a] = f"{names[a - 1]} → {names[a]}" if a < len(feature.art) - 1 else f"{names[0]} → {names[a]}"
    feature.rows[-1].needs = [(names[0], [])]
    return ("art", 0, 2)


@kind("date-invalid")
def no_such_day(made: Plan) -> Where:
    made.features[3].review["Review Date"] = "2026-02-30"
    return ("review", 3, "Review Date")


@kind("date-order")
def review_after_the_footer(made: Plan) -> Where:
    made.features[3].review["Review Date"] = "2026-03-01"
    return ("review", 3, "Review Date")


@kind("date-order")
def stale_footer(made: Plan) -> Where:
    made.footer = "*Last updated: 2025-12-31*"
    return ("footer",)


@kind("date-order")
def previous_review_is_later(made: Plan) -> Where:
    made.features[0].review["Previous"] = "2026-02-11 NO"
    return ("review", 0, "Previous")


@kind("row-unread")
def cut_row(made: Plan) -> Where:
    made.features[2].rows[1].raw = f"| {made.features[2].rows[1].cell} | Work"
    return ("row", 2, 1)


@kind("row-unread")
def one_pipe_too_many(made: Plan) -> Where:
    made.features[2].rows[1].name = "this | that"
    return ("row", 2, 1)


@kind("row-unread")
def row_without_pipes(made: Plan) -> Where:
    made.features[2].rows[1].raw = "completed"
    return ("row", 2, 1)


@kind("row-unread")
def backward_range(made: Plan) -> Where:
    made.features[2].rows[1].cell = "WS-103-09..02"
    return ("row", 2, 1)


@kind("row-outside")
def blank_line_in_the_table(made: Plan) -> Where:
    made.features[2].blank_before_row = len(made.features[2].rows) - 1
    return ("row", 2, len(made.features[2].rows) - 1)


@kind("heading-unread")
def heading_without_colon(made: Plan) -> Where:
    made.features[3].heading = f"## Feature {made.features[3].id} {made.features[3].title}"
    return ("heading", 3)


@kind("heading-unread")
def heading_too_deep(made: Plan) -> Where:
    made.features[3].heading = f"### Feature {made.features[3].id}: {made.features[3].title}"
    return ("heading", 3)


@kind("heading-unread")
def heading_without_blank(made: Plan) -> Where:
    made.features[3].heading = f"##Feature {made.features[3].id}: {made.features[3].title}"
    return ("heading", 3)


@kind("table-outside")
def heading_cut_off(made: Plan) -> Where:
    made.features[3].heading = "## Feat"
    return ("table", 3)


@kind("table-outside")
def heading_between_keys_and_table(made: Plan) -> Where:
    made.features[3].extra_head = ["### Work"]
    return ("table", 3)


@kind("status-word")
def unknown_word(made: Plan) -> Where:
    made.features[5].rows[1].status = "finito"
    return ("row", 5, 1)


@kind("status-word")
def unknown_feature_status(made: Plan) -> Where:
    made.features[5].keys["Status"] = "Finito"
    return ("key", 5, "Status")


@kind("value-unread")
def total_in_words(made: Plan) -> Where:
    made.features[5].keys["Total Workstreams"] = "many"
    return ("key", 5, "Total Workstreams")


@kind("value-unread")
def footer_in_words(made: Plan) -> Where:
    made.footer = "*Last updated: yesterday*"
    return ("footer",)


@kind("key-duplicate")
def status_twice(made: Plan) -> Where:
    made.features[5].extra_head.append("**Status:** Completed")
    return ("extra", 5)


@kind("feature-empty")
def no_rows(made: Plan) -> Where:
    made.features.append(Feature("F98", "Nothing", [], ["ID", "Status"]))
    return ("heading", len(made.features) - 1)


@kind("table-ignored")
def second_table(made: Plan) -> Where:
    made.features[5].after = ["| ID | Status |", "|---|---|", "| WS-105-50 | completed |", ""]
    return ("after", 5, 0)


@kind("table-heading")
def row_of_dashes_lost(made: Plan) -> Where:
    made.features[5].dashes = False
    return ("table", 5)


@kind("fence-open")
def fence_without_end(made: Plan) -> Where:
    made.features[5].fence = "````"
    return ("fence", 5)


@kind("wave-reference")
def wave_with_unknown_id(made: Plan) -> Where:
    made.waves[1][1].append(["**WS-999-01**", f"{made.features[2].id}: z", "SMALL", "x"])
    return ("wave", made.waves[1][0], "**WS-999-01**")


@kind("wave-order")
def wave_before_what_it_needs(made: Plan) -> Where:
    second = made.features[0].rows[1]
    made.waves[0][1][0][0] = f"**{second.cell}**"
    made.waves[1][1].append([f"**{made.features[0].rows[0].cell}**", f"{made.features[0].id}: x", "SMALL", "x"])
    return ("wave", made.waves[0][0], f"**{second.cell}**")


@kind("wave-size")
def wave_with_another_size(made: Plan) -> Where:
    made.waves[0][1][0][2] = "LARGE"
    return ("wave", made.waves[0][0], made.waves[0][1][0][0])


@kind("audit-reference")
def audit_of_nothing(made: Plan) -> Where:
    made.features[0].audit[0] = "| CQ-1 | something | WS-999-01 | open |"
    return ("audit", 0, 0)


@kind("audit-status")
def audit_done_row_open(made: Plan) -> Where:
    f, r = _place(made, lambda _, row: not row.completed and len(row.ids) == 1)
    made.features[f].audit = [f"| CQ-9 | else | {made.features[f].rows[r].cell} | **done** |"]
    return ("audit", f, 0)


@kind("art-unread")
def joined_lines(made: Plan) -> Where:
    made.features[0].art[0] += " ──┐"
    return ("fence", 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_consistent_index_has_no_entry_and_the_known_counts(seed: int) -> None:
    made = plan(seed)
    index = build(made.render()[0])
    assert index.problems == ()
    assert index.counts() == made.truth()


@pytest.mark.parametrize("seed", SEEDS)
def test_each_contradiction_alone_adds_one_entry_of_its_code_at_its_line(seed: int) -> None:
    kinds = [(code, inject) for code, injects in KINDS.items() for inject in injects]
    for code, inject in kinds:
        made = plan(seed)
        where = inject(made)
        text, at = made.render()
        found = [item for item in build(text).problems if item.code == code]
        assert [item.line for item in found] == [at[where]], (inject.__name__, found)
        assert found[0].severity == CODES[code].severity


def test_every_code_is_put_to_the_test() -> None:
    elsewhere = {code for code, about in CODES.items() if about.files} | {"encoding"}
    assert set(KINDS) == set(CODES) - elsewhere


@pytest.mark.parametrize("seed", range(30))
def test_rows_that_cannot_be_read_do_not_raise_other_contradictions(seed: int) -> None:
    made = plan(seed)
    made.features[2].rows[-1].raw = "| cut"
    index = build(made.render()[0])
    assert [item.code for item in index.problems if item.severity == "error"] == ["row-unread"]
    assert index.rows == made.truth()["rows"] and index.rows_unread == 1


def test_one_entry_per_code_and_line() -> None:
    made = plan(5)
    two_unknown_in_one_row(made)
    found = [item for item in build(made.render()[0]).problems if item.code == "dependency-unknown"]
    assert len(found) == 1
    assert all(word in found[0].message for word in ("WS-999-99", "Phase 9", "F99"))


@pytest.mark.parametrize("seed", range(0, 100, 5))
def test_the_order_of_features_changes_no_derived_figure(seed: int) -> None:
    made = plan(seed)
    for inject in (wrong_total, completed_waits_for_open, cut_row, wrong_sum, other_feature):
        inject(made)
    before = build(made.render()[0])
    made.features = made.features[seed % 3 + 1 :] + made.features[: seed % 3 + 1]
    made.features[0], made.features[-1] = made.features[-1], made.features[0]
    after = build(made.render()[0])
    assert after.counts() == before.counts()
    assert Counter(item.code for item in after.problems) == Counter(item.code for item in before.problems)
    assert {after.workstreams[n].key for n in after.ready} == {before.workstreams[n].key for n in before.ready}


@pytest.mark.parametrize(
    ("declared", "fits"),
    [("12", True), ("11", False), ("12+", True), ("3+", True), ("13+", False), ("**12**", True), ("1,2", None)],
)
def test_declared_totals(declared: str, fits: bool | None) -> None:
    rows = "\n".join(f"| A-{n} | x | open |" for n in range(12))
    index = build(f"## Feature A: a\n\n**Total Workstreams:** {declared}\n\n| ID | Name | Status |\n|-|-|-|\n{rows}\n")
    codes = [item.code for item in index.problems]
    assert codes == ([] if fits else ["header-vs-rows"] if fits is False else ["value-unread"])


@pytest.mark.parametrize(
    ("declared", "row", "fits"),
    [
        ("~1000", "~1100", True),
        ("~1000", "~1101", False),
        ("~1000", "900", True),
        ("~1000", "899", False),
        ("1000", "1001", False),
        ("1000", "~1001", True),
        ("~1,000 (docs)", "~950", True),
    ],
)
def test_about_means_a_tenth(declared: str, row: str, fits: bool) -> None:
    head = f"## Feature A: a\n\n**Estimated LOC:** {declared}\n\n| ID | Scope | Status |\n|-|-|-|\n"
    text = f"{head}| A-1 | SMALL ({row} LOC) | open |\n"
    assert [item.code for item in build(text).problems] == ([] if fits else ["loc-sum"])


def test_messages_do_not_repeat_escapes() -> None:
    index = build("## Feature A: a\n\n| ID | Name | Status |\n|-|-|-|\n| \x1b[31mA-1\x1b[0m | x | open |\n")
    assert index.rows_unread == 1
    assert not re.search("[\x00-\x08\x1b]", index.problems[0].message)
