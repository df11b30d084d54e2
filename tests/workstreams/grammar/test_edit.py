"""Completing a workstream changes as little as possible, whatever the bytes are."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.workstreams.build import build
from console.workstreams.grammar.edit import EditError, complete_in_file, complete_in_index, completed_word, diff
from console.workstreams.grammar.encoding import split_lines
from console.workstreams.reports.view import find

SEED = (Path(__file__).parents[2] / "data" / "workstreams" / "index.md").read_bytes()


def complete(data: bytes, name: str, *, summary: bool = False) -> bytes:
    index = build(data)
    [number] = find(index, name)
    return complete_in_index(index, number, data, path="INDEX.md", summary=summary).after


def changed(before: bytes, after: bytes, encoding: str = "utf-8") -> list[tuple[str, str]]:
    old, new = (split_lines(data.decode(encoding)) for data in (before, after))
    assert len(old) == len(new)
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


def test_one_cell_of_one_line() -> None:
    old = "| WS-020-01 | Create spark-base chart | MEDIUM (~545 LOC) | - | backlog |"
    assert changed(SEED, complete(SEED, "WS-020-01")) == [(old, old.replace("backlog", "completed"))]


def test_equal_ids_are_told_apart() -> None:
    row = b"| WS-011-01 | Spark 3.5 images (8) + tests | LARGE (~1200 LOC) | F10 | "
    data = SEED.replace(row + b"completed |", row + b"backlog |")
    assert complete(data, "F11/WS-011-01") == SEED


def test_the_figures_follow() -> None:
    before, after = build(SEED), build(complete(SEED, "WS-020-01"))
    assert after.completed == before.completed + 1
    assert {"F04/WS-020-02", "F04/WS-020-05", "F04/WS-020-10"} <= {after.workstreams[n].key for n in after.ready}


def test_with_summary_one_moves_from_open_to_completed() -> None:
    lines = changed(SEED, complete(SEED, "WS-016-01", summary=True))
    assert [new for _, new in lines[1:]] == [
        "| F16: Observability Stack | 6 | 1 | 0 | 5 |",
        "| **TOTAL** | **138+** | **88** | **0** | **100+** |",
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("WS-018-04", ["WS-018-04 | completed", "WS-018-05..17 | open"]),
        ("WS-018-05", ["WS-018-04 | open", "WS-018-05 | completed", "WS-018-06..17 | open"]),
        ("WS-018-10", ["WS-018-04..09 | open", "WS-018-10 | completed", "WS-018-11..17 | open"]),
        ("WS-018-17", ["WS-018-04..16 | open", "WS-018-17 | completed"]),
    ],
)
def test_a_range_is_split_around_it(name: str, rows: list[str]) -> None:
    after = complete(SEED, name)
    text = after.decode()
    found = [line.split(" | ") for line in text.split("\n") if "SLO, Scaling, Runbooks" in line]
    assert [f"{cells[0][2:]} | {cells[2][:-2]}" for cells in found] == rows
    index = build(after)
    assert len(index.workstreams) == 170 and index.completed == 110


@pytest.mark.parametrize("below", [True, False])
def test_with_summary_the_figures_of_a_split_range_are_found(below: bool) -> None:
    """One row becomes three; the summary stands two lines further down, or stays above."""
    rows = b"## Feature A: a\n\n| ID | Status |\n|-|-|\n| A-01..05 | open |\n\n"
    sums = (
        b"## Summary\n\n| Feature | Total | Completed | Open |\n|-|-|-|-|\n| A | 5 | 0 | 5 |\n| TOTAL | 5 | 0 | 5 |\n\n"
    )
    after = complete(rows + sums if below else sums + rows, "A-03", summary=True)
    assert build(after).problems == ()
    assert after.count(b"| 5 | 1 | 4 |\n") == 2


def test_the_summary_is_the_one_that_was_read() -> None:
    """A further heading of that name, below another, has a table of other columns."""
    rows = b"## Feature A: a\n\n| ID | Status |\n|-|-|\n| A-1 | open |\n\n"
    other = b"## Notes\n\n### Summary of last year\n\n| Completed | Feature | Open |\n|-|-|-|\n| 7 | A | 1 |\n\n"
    sums = b"## Summary\n\n| Feature | Total | Completed | Open |\n|-|-|-|-|\n"
    after = complete(rows + other + sums + b"| A | 1 | 0 | 1 |\n", "A-1", summary=True)
    assert after.endswith(other + sums + b"| A | 1 | 1 | 0 |\n")


def test_the_loc_of_a_range_stay_with_the_rest() -> None:
    head = b"## Feature A: a\n\n**Estimated LOC:** ~300\n\n| ID | Scope | Status |\n|-|-|-|\n"
    after = complete(head + b"| A-01 to A-03 | SMALL (~300 LOC) | open |\n", "A-01")
    assert after.endswith(b"| A-01 | SMALL | completed |\n| A-02 to A-03 | SMALL (~300 LOC) | open |\n")
    assert not [p for p in build(after).problems if p.code == "loc-sum"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_encoding_and_line_ends_stay(end: str, encoding: str) -> None:
    text = SEED.decode().replace("\n", end)
    data = text.encode(encoding)
    old = f"MEDIUM (~545 LOC) | - | backlog |{end}"
    assert complete(data, "WS-020-01") == text.replace(old, old.replace("backlog", "completed")).encode(encoding)
    split = complete(data, "WS-018-05").decode(encoding)
    assert split.count(end) == text.count(end) + 2 and build(split).completed == 110


def test_stray_bytes_stay() -> None:
    data = SEED.replace(b"Spark Master", b"Sp\xe4rk Master")
    assert complete(data, "WS-020-01").count(b"Sp\xe4rk Master") == data.count(b"Sp\xe4rk Master")
    latin = b"## Feature A: \xe4\n\n| ID | Status |\n|-|-|\n| A-1 | open |\n"
    assert complete(latin, "A-1") == latin.replace(b"open", b"completed")


def test_an_encoding_that_does_not_survive_is_refused() -> None:
    data = "## Feature A: a\n\n| ID | Status |\n|-|-|\n| A-1 | open |\n".encode("utf-16") + b"\x00\xd8"
    with pytest.raises(EditError, match="broken"):
        complete(data, "A-1")


def test_a_row_that_is_not_there_any_more_is_refused() -> None:
    index = build(SEED)
    with pytest.raises(EditError, match="not the row"):
        complete_in_index(index, find(index, "WS-020-01")[0], b"\n" + SEED, path="INDEX.md")
    cut = SEED[: SEED.index(b"| **TOTAL**")]
    with pytest.raises(EditError, match="not the summary of"):
        complete_in_index(index, find(index, "WS-020-01")[0], cut, path="INDEX.md", summary=True)


def test_rows_that_declare_it_again_are_completed_too() -> None:
    data = b"## Feature A: a\n\n| ID | Status |\n|-|-|\n| A-1 | open |\n| A-1 | completed |\n| A-1 | Backlog |\n"
    after = complete(data, "A-1")
    assert after.count(b"ompleted |") == 3 and build(after).completed == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("backlog", "completed"),
        ("**backlog**", "**completed**"),
        ("Backlog (redesigned)", "Completed (redesigned)"),
        ("OPEN", "COMPLETED"),
        ("in progress", "completed"),
        ("In Progress, blocked by x", "Completed, blocked by x"),
        ("finito", "completed"),
        ("", "completed"),
        ("some unknown words", "completed"),
    ],
)
def test_words(old: str, new: str) -> None:
    assert completed_word(old) == new


def test_blanks_that_align_a_column_are_used() -> None:
    data = b"## Feature A: a\n\n|ID |Status      |\n|---|------------|\n|A-1|open        |\n|A-2|backlog     |\n"
    after = complete(data, "A-1")
    assert after == data.replace(b"|open        |", b"|completed   |")


FRONT = b"---\nws_id: 016-01\nstatus: backlog\n---\n\n## WS-016-01: Metrics\n\n- status: backlog\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (FRONT, FRONT.replace(b"status: backlog\n---", b"status: completed\n---")),
        (b"# WS-016-01\r\n\r\n> **Status:** In Progress\r\n", b"# WS-016-01\r\n\r\n> **Status:** Completed\r\n"),
        (b"# WS-016-01\n\nStatus: READY\n", b"# WS-016-01\n\nStatus: DONE\n"),
    ],
)
def test_the_status_in_its_file(content: bytes, expected: bytes) -> None:
    index = build(SEED, files=[("backlog/x.md", content)])
    assert index.files is not None
    change = complete_in_file(index.files[0], content, path="backlog/x.md")
    assert change is not None and change.after == expected
    again = build(SEED, files=[("backlog/x.md", expected)])
    assert again.files is not None and complete_in_file(again.files[0], expected, path="backlog/x.md") is None


def test_the_difference_names_a_move() -> None:
    index = build(SEED, files=[("backlog/x.md", FRONT)])
    assert index.files is not None
    change = complete_in_file(index.files[0], FRONT, path="backlog/x.md", moved_to="completed/x.md")
    assert change is not None
    assert diff(change).split("\n")[:4] == [
        "rename from backlog/x.md",
        "rename to completed/x.md",
        "--- a/backlog/x.md",
        "+++ b/completed/x.md",
    ]
