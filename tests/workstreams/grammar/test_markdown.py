"""Fences, comments and tables by lines: as Markdown reads them where a text is sound, and with its lines where not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from console.workstreams.build import build
from console.workstreams.grammar.encoding import split_lines
from console.workstreams.grammar.markdown import cells, masks

DATA = Path(__file__).parents[2] / "data" / "workstreams"
LIBRARY = MarkdownIt("zero").enable(["code", "fence", "heading", "table"])
LIBRARY.core.ruler.enableOnly(["normalize", "block"])
MARKS = ["```", "~~~", "````", "``` x", "text", "## h", "  ```", "    ```", "", "- a", "~~~ `", "```a`b", "```\t"]

ROWS = "## Feature A: a\n\n| ID | Status |\n|-|-|\n| A-1 | open |\n| A-2 | open |\n\n"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(MARKS), max_size=14))
def test_fences_that_are_closed_are_those_of_the_library(lines: list[str]) -> None:
    mask, dangling = masks(lines)
    if not dangling:
        tokens = LIBRARY.parse("\n".join(lines))
        fenced = {at for token in tokens if token.type == "fence" and token.map for at in range(*token.map)}
        assert {at for at, kind in enumerate(mask) if kind == "fence"} == fenced


@pytest.mark.parametrize("name", ["index.md", "harbour.md"])
def test_rows_as_wide_as_their_heading_have_the_cells_that_the_library_finds(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    lines, rows, width = split_lines(text), 0, 0
    tokens = LIBRARY.parse(text)
    for at, token in enumerate(tokens):
        if token.type == "tr_open" and token.map:
            end = next(n for n in range(at, len(tokens)) if tokens[n].type == "tr_close")
            found = tuple(inline.content for inline in tokens[at:end] if inline.type == "inline")
            own = cells(lines[token.map[0]])
            width = len(own) if tokens[at - 1].type == "thead_open" else width
            if len(own) == width:  # the library fills short rows up and cuts long ones, without a word
                assert own == found
                rows += 1
    assert (rows, name) in ((289, "index.md"), (20, "harbour.md"))


def test_a_table_in_a_comment_or_in_a_fence_declares_nothing() -> None:
    summary = "| Feature | Total |\n|-|-|\n| A | 7 |\n"
    for before, after in (("<!--\n", "-->\n"), ("~~~~\n```\n", "~~~~\n")):
        index = build(f"{ROWS}## Summary\n\n{before}{summary}{after}\n| Feature | Total |\n|-|-|\n| A | 2 |\n")
        assert [row.total.value for row in index.summary if row.total] == [2] and index.problems == ()


def test_a_drawing_ends_where_its_fence_does() -> None:
    """A fence of four is not closed by three, and a comment holds no drawing."""
    for art in ("````\nA-2 → A-1\n```\n````\n", "<!--\n```\nA-2 → A-1\n```\n-->\n"):
        index = build(f"{ROWS}### Dependency Graph\n\n{art}")
        assert [item.code for item in index.problems] == (["art-unread"] if art.startswith("`") else [])
