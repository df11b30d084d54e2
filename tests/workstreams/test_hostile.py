"""Whatever the bytes are: no crash, no row lost, one entry per code and line, and the same again after printing."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console.workstreams.build import build
from console.workstreams.derived.graph import Graph
from console.workstreams.grammar.encoding import decode
from console.workstreams.grammar.markdown import cell_spans, cells, escape
from console.workstreams.grammar.write import content, render
from console.workstreams.model import DataRow, Index
from console.workstreams.reports.metrics import exposition, metrics
from console.workstreams.reports.roadmap import roadmap
from console.workstreams.reports.view import detail, features, graph_lines, rows, select
from tests.workstreams.generator import plan

SEED = (Path(__file__).parents[1] / "data" / "workstreams" / "index.md").read_text(encoding="utf-8")
LINES = SEED.split("\n")
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NASTY = [
    "|", "||", "\\|", "\\", "`", "```", "~~~", "<!--", "-->", "**", "*", "#", "## ", "### ", "---", "|---|", "\t", "\r",
    "\x00", "\x1b[31m", "\u202e", "\ufeff", "\u2028", "\x0c", "\x85", "ё", "🎯", "..", " to ", "F01", "Phase 1", "-",
    ",", "WS-001-01", "WS-1..9999999999", "WS-5..1", "completed", "(", "[", "](", "9" * 5000, "x" * 3000,
]  # fmt: skip
SMALL = "\n".join(LINES[2:50] + LINES[424:450] + LINES[838:862] + LINES[1005:1045] + LINES[1206:1244])


def sound(index: Index, text: str | None = None) -> None:
    """What holds for every index, however broken."""
    counts = index.counts()
    understood = sum(len(feature.rows) for feature in index.features)
    unread = [item for item in index.problems if item.code == "row-unread"]
    assert counts["rows"] == understood + counts["rows_unread"] == understood + len(unread)
    assert counts["ready"] + counts["blocked"] == counts["not_completed"]
    assert counts["completed"] + counts["not_completed"] == counts["workstreams"]
    places = [(item.code, item.line) for item in index.problems]
    assert len(places) == len(set(places))
    assert all(item.line and item.message for item in index.problems)
    assert counts["contradictions"] == sum(item.severity == "error" for item in index.problems)
    assert {item.line for item in unread} == {entry.line for f in index.features for entry in f.unread}
    assert len({item.key for item in index.workstreams}) == len(index.workstreams)
    if text is not None:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for feature in index.features:
            assert "Feature" in lines[feature.line - 1]
            for entry in feature.entries:
                if isinstance(entry, DataRow):
                    assert cells(lines[entry.line - 1]) == entry.cells
                else:
                    assert lines[entry.line - 1] == entry.text and entry.reason


def used(index: Index) -> None:
    """Everything that is shown from an index can be made."""
    graph = Graph(index)
    path, waves = graph.critical_path(), graph.waves()
    assert sum(map(len, waves.steps)) + len(waves.never) == len(index.ready) + len(index.blocked)
    assert len(path.numbers) == path.length
    assert all(line.text.isprintable() and len(line.text) <= 80 for line in graph_lines(index, everything=True))
    assert len(features(index)) == len(index.features)
    assert roadmap(index) == roadmap(index)
    assert metrics(index)["totals"]["features"] == len(index.features)
    assert exposition(index).isprintable() or "\n" in exposition(index)
    for row in rows(index, select(index)[:3]):
        assert detail(index, row.number).row == row


def again(index: Index) -> None:
    """Parse, print, parse gives the same; printing that gives the same text."""
    printed = render(index)
    second = build(printed)
    assert content(second) == content(index)
    assert render(second) == printed
    expected = index.counts() | {"contradictions": 0}
    assert second.counts() | {"contradictions": 0} == expected


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A part of the seed with random damage."""
    lines = SMALL.split("\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        other = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 8)):
            case 0:
                lines[at] = line[:cut]
            case 1:
                lines[at] = line[cut:]
            case 2:
                lines[at] = line[:cut] + draw(st.sampled_from(NASTY)) + line[cut:]
            case 3:
                lines[at] = lines[other]
            case 4:
                lines[at], lines[other] = lines[other], lines[at]
            case 5:
                lines.insert(at, draw(st.sampled_from(["", "---", "```", "<!--", "text", "> q", lines[other]])))
            case 6:
                lines[at] = line + "\n" + lines[other]
            case 7:
                lines[at] = line.replace("|", draw(st.sampled_from(["", "||", "\\|", " "])), draw(st.integers(1, 3)))
            case _:
                lines[at] = draw(st.text(max_size=40))
    return "\n".join(lines)


@QUICK
@given(broken())
def test_a_damaged_index(text: str) -> None:
    index = build(text)
    sound(index, text)
    used(index)
    again(index)


@QUICK
@given(st.text(alphabet=st.sampled_from("|-#*:. \n\\`~<>!FWS0123\t,()"), max_size=300))
@example("## Feature A: x\n|ID|Status|\n|-|-|\n|A-1|\\||\n")
@example("## Feature #: #\n| a\\\\|b |\n|-|\n|\\\\\\|| x\n")
@example("```\n## Feature A: x\n```\n## Feature B: y\n")
@example("0\n>\n|")
def test_noise_of_the_grammar(text: str) -> None:
    text = f"## Feature A: a\n\n| ID | Status |\n|---|---|\n| A-1 | open |\n{text}"
    index = build(text)
    sound(index, text)
    used(index)
    again(index)


@QUICK
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    sound(build(data))
    sound(build(b"## Feature A: a\n\n| ID | Status |\n|---|---|\n" + data))


@QUICK
@given(st.lists(st.text(max_size=20).map(lambda text: text.replace("\\", "/")), min_size=1, max_size=6))
def test_cells_survive_printing(values: list[str]) -> None:
    values = [" ".join(value.split()) for value in values]
    line = "| " + " | ".join(escape(value) for value in values) + " |"
    assert cells(line) == tuple(values)
    assert [line[start:end].strip() for start, end in cell_spans(line)] == [escape(value) for value in values]


@pytest.mark.parametrize("seed", range(10))
def test_the_seed_and_generated_indexes_survive_printing(seed: int) -> None:
    again(build(SEED) if seed == 0 else build(plan(seed).render()[0]))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_and_line_ends_change_no_figure(end: str, encoding: str) -> None:
    index = build(SEED.replace("\n", end).encode(encoding))
    assert index.counts() == build(SEED).counts()
    codes = [item.code for item in index.problems if item.code == "encoding"]
    assert codes == ([] if encoding.startswith("utf-8") else ["encoding"])


def test_latin_1_and_stray_bytes_are_said_with_their_line() -> None:
    text = (
        SEED.replace("Spark Master", "Spärk Mäster")
        .encode("utf-8")
        .replace("—".encode(), b"-")
        .replace("→".encode(), b">")
    )
    ascii_only = "".join(char for char in text.decode("utf-8") if ord(char) < 128 or char == "ä")
    latin = build(ascii_only.encode("latin-1"))
    assert next(row.name for row in latin.features[0].rows if row.ids == ("WS-001-02",)) == "Spärk Mäster"
    assert [(item.code, item.line) for item in latin.problems if item.code == "encoding"] == [("encoding", 13)]
    mixed = build(SEED.encode().replace(b"Spark Master", b"Sp\xe4rk Master"))
    assert [(item.code, item.line) for item in mixed.problems if item.code == "encoding"] == [("encoding", 13)]
    assert mixed.counts() == build(SEED).counts()


def test_decoding_never_fails() -> None:
    for data in (b"", b"\xff\xfe", b"\xff\xfea", b"\x00\xd8\x00\xd8", b"\xef\xbb\xbf\xff", bytes(range(256))):
        assert decode(data).text.encode("utf-8", "strict") is not None


HEAD = "## Feature A: a\n\n| ID | Name | Dependency | Status |\n|---|---|---|---|\n"


def one(row: str) -> Index:
    return build(f"{HEAD}| A-1 | first | - | open |\n{row}\n| A-3 | last | - | completed |\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("| A-2 | second | -", "3 cells, the heading has 4"),
        ("| A-2 | second | - | open", ""),
        ("| A-2 | a | b | - | open |", "5 cells, the heading has 4"),
        ("| A-2 | a \\| b | - | open |", ""),
        ("  | A-2 | a | - | open |  ", ""),
        ("A-2 | a | - | open", ""),
        ("|  | a | - | open |", "the id cell is empty"),
        ("| TBD | a | - | open |", "'TBD' is no id"),
        ("| --- | --- | --- | --- |", "'---' is no id"),
        ("| ID | Name | Dependency | Status |", "'ID' is no id"),
        ("| A-2..9999999 | a | - | open |", "more than 10000 ids"),
        ("| A-9..2 | a | - | open |", "runs backwards"),
        ("| A-2..B-4 | a | - | open |", "joins different kinds"),
        ("| A-x..y | a | - | open |", "no range"),
        ("| A-2\x1b[2J | a | - | open |", "is no id"),
        ("| " + "A" * 1_000_000 + "2 | a | - | open |", "is no id"),
        ("| A-2 | " + "n" * 1_000_000 + " | - | open |", ""),
        ("completed |", "2 cells"),
        ("no pipe at all", "1 cell,"),
        ("| **A-2** | `x` | - | **Open** |", ""),
        ("| [A-2](a-2.md) | x | - | open |", ""),
    ],
)
def test_each_row_is_understood_or_reported_with_its_reason(row: str, reason: str) -> None:
    index = one(row)
    assert index.rows == 3
    if not reason:
        assert index.rows_unread == 0 and len(index.workstreams) == 3
        assert index.workstreams[1].id == "A-2"
        return
    found = [item for item in index.problems if item.code == "row-unread"]
    if row == "completed |":
        reason = "1 cell"
    assert [(item.line, reason in item.message) for item in found] == [(6, True)]
    assert len(index.workstreams) == 2


def test_what_stands_in_an_unread_row_is_neither_unknown_nor_completed() -> None:
    text = f"{HEAD}| A-1 | cut\n| A-2 | x | A-1 | open |\n\n"
    text += "## Feature B: b\n\n| ID | Dependency | Status |\n|-|-|-|\n| B-1 | A | open |\n"
    index = build(text)
    assert [item.code for item in index.problems] == ["row-unread"]
    assert not index.ready and len(index.blocked) == 2


def test_headings_and_tables_in_fences_and_comments_are_no_features() -> None:
    fenced = "```\n## Feature X: x\n\n| ID | Status |\n|-|-|\n| X-1 | open |\n```\n"
    comment = "<!--\n## Feature Y: y\n-->\n"
    index = build(f"{fenced}{comment}{HEAD}| A-1 | a | - | open |\n")
    assert [feature.id for feature in index.features] == ["A"] and index.problems == ()


def test_a_lost_fence_costs_no_feature() -> None:
    at = LINES.index("```")
    index = build("\n".join(LINES[:at] + LINES[at + 1 :]))
    assert index.counts()["features"] == 28 and index.counts()["workstreams"] == 170
    assert any(item.code == "fence-open" for item in index.problems)


@pytest.mark.parametrize(
    "make",
    [
        lambda: "## Feature A: a\n" * 10_000,
        lambda: HEAD + "| A-1 | a | - | open |\n" * 20_000,
        lambda: HEAD + "".join(f"| A-{n}..{n + 9000} | a | - | open |\n" for n in range(0, 200_000, 9001)),
        lambda: HEAD + "".join(f"| A-{n} | a | A-1..9999 | open |\n" for n in range(3000)),
        lambda: HEAD + "".join(f"| A-{n} | a | A | open |\n" for n in range(5000)),
        lambda: HEAD + "".join(f"| A-{n} | a | A-{n + 1} | open |\n" for n in range(5000)),
        lambda: HEAD + "".join(f"| A-{n} | a | B-{n} | open |\n" for n in range(5000)),
        lambda: HEAD + "| A-1 | a | " + ", ".join(f"Z-{n}" for n in range(50_000)) + " | open |\n",
        lambda: HEAD + "| A-1 | " + "\\|" * 500_000 + " | - | open |\n",
        lambda: "<!--\n" * 20_000,
        lambda: "|" * 1_000_000,
        lambda: "#" * 1_000_000 + "\n" + "**" * 500_000 + "\n" + "(" * 500_000,
        lambda: HEAD + "\n### Dependency Graph\n\n```\n" + "A-1 → " * 20_000 + "\n```\n",
        lambda: HEAD + "\n### Dependency Graph\n\n```\n" + "A-1 → A-2\n" * 20_000 + "```\n",
        lambda: HEAD.replace("ID", "ID" * 200_000),
        lambda: f"## Feature A: {'Phase 1 ' * 100_000}\n",
    ],
)  # fmt: skip
def test_nothing_takes_long(make: object) -> None:
    text = make()  # type: ignore[operator]
    start = time.process_time()
    sound(build(text))
    assert time.process_time() - start < 60, "what grows with the square takes minutes"


def test_random_cuts_of_the_whole_seed() -> None:
    chance = random.Random(7)
    for _ in range(25):
        at = chance.randrange(len(SEED))
        text = SEED[:at] if chance.random() < 0.5 else SEED[:at] + SEED[at + chance.randrange(2000) :]
        sound(build(text), text)
