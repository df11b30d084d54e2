"""Individual workstream files in all their styles join the index by id, and are compared with their row and folder."""

from __future__ import annotations

import pytest

from console.workstreams.build import build
from console.workstreams.model import Index, IndexProblem, WorkFile

INDEX = """## Feature F02: Guides

| ID | Name | Dependency | Status |
|----|------|------------|--------|
| WS-011-01 | Skeleton | - | completed |
| WS-011-02 | Guides | WS-011-01 | backlog |
| WS-TESTING-001 | Storage | - | backlog |

## Feature F11: Images

| ID | Name | Dependency | Status |
|----|------|------------|--------|
| WS-011-01 | Spark images | - | completed |
| WS-033-04..06 | Builds | - | open |
"""

FRONT = """---
ws_id: {ws_id}
feature: {feature}
status: {status}
size: MEDIUM
project_id: 00
github_issue: null
assignee: null
depends_on:
  - 00-011-01
---

## WS-011-02: Guides in English

### 🎯 Goal

- [x] AC1: written
- [ ] AC2: read
"""


def files(*found: tuple[str, str]) -> Index:
    return build(INDEX, files=[(path, text.encode()) for path, text in found])


def only(index: Index) -> WorkFile:
    assert index.files is not None and len(index.files) == 1
    return index.files[0]


def front(ws_id: str = "011-02", feature: str = "F02", status: str = "backlog") -> str:
    return FRONT.format(ws_id=ws_id, feature=feature, status=status)


def about(index: Index, *codes: str) -> list[IndexProblem]:
    return [item for item in index.problems if item.code in codes]


@pytest.mark.parametrize("ws_id", ["011-02", "00-011-02", "WS-011-02", "WS-00-011-02", '"011-02"', "011-02  # later"])
def test_front_matter_joins_in_every_spelling_of_the_id(ws_id: str) -> None:
    index = files(("backlog/WS-011-02.md", front(ws_id)))
    item = only(index)
    assert item.number is not None and index.workstreams[item.number].key == "F02/WS-011-02"
    assert (item.style, item.feature, item.size, item.folder) == ("front matter", "F02", "MEDIUM", "backlog")
    assert item.status is not None and item.status.text == "backlog" and item.status_line == 4
    assert item.depends_on == ("00-011-01",)
    assert (item.open_criteria, item.done_criteria, item.id_line) == (1, 1, 2)
    assert item.title == "Guides in English"


@pytest.mark.parametrize(
    ("path", "text", "status", "style"),
    [
        ("backlog/x.md", "# WS-011-02\n\n## Summary\n\nWords.\n\n## DoD\n\n- [ ] one\n", None, "plain"),
        ("backlog/x.md", "## WS-011-02: Guides\n\n> **Status:** In Progress\n", "In Progress", "quoted"),
        ("backlog/x.md", "# 00-011-02 - Guides\n\nStatus: ✅ COMPLETED\n", "✅ COMPLETED", "plain"),
        ("backlog/00-011-02-guides.md", "# Путеводитель\n\n**Status:** READY\n", "READY", "plain"),
        ("backlog/WS-011-02-guides-en.md", "Nothing but words.\n", None, "plain"),
        ("backlog/ws.md", "\ufeff## WS-011-02 — Guides\r\n\r\nStatus: EXECUTING\r\n", "EXECUTING", "plain"),
    ],
)
def test_other_styles(path: str, text: str, status: str | None, style: str) -> None:
    index = files((path, text))
    item = only(index)
    assert item.number is not None and index.workstreams[item.number].id == "WS-011-02"
    assert (item.status.text if item.status else None) == status
    assert item.style == style and item.unread == ""


def test_equal_ids_are_told_apart_by_the_feature() -> None:
    index = files(("completed/a.md", front("011-01", "F11", "completed").replace("[ ]", "[x]")))
    number = only(index).number
    assert number is not None and index.workstreams[number].key == "F11/WS-011-01"
    assert not about(index, "file-unknown", "status-vs-file", "file-criteria")
    lost = files(("completed/WS-011-01.md", "# Skeleton\n"))
    assert only(lost).number is None
    assert "F02/WS-011-01, F11/WS-011-01" in about(lost, "file-unknown")[0].message
    wrong = files(("backlog/a.md", front("011-02", "F11")))
    assert "not in feature F11" in about(wrong, "file-unknown")[0].message


def test_a_feature_that_no_index_has_does_not_hinder() -> None:
    assert only(files(("backlog/a.md", front("011-02", "F13-improvements")))).number is not None


def test_testing_ids_and_ranges() -> None:
    index = files(("backlog/a.md", front("TESTING-001")), ("backlog/b.md", front("033-05", "F11")))
    assert index.files is not None
    assert [index.workstreams[f.number].key for f in index.files if f.number is not None] == [
        "F02/WS-TESTING-001",
        "F11/WS-033-05",
    ]


def test_row_file_and_folder_are_compared() -> None:
    index = files(("completed/WS-011-02.md", front(status="completed")))
    found = {(item.code, item.line, item.declared, item.derived) for item in index.problems if item.severity == "error"}
    assert ("status-vs-file", 6, "backlog", "completed") in found
    assert ("status-vs-folder", 6, "backlog", "completed") in found
    assert not about(index, "file-vs-folder")
    [criteria] = about(index, "file-criteria")
    assert (criteria.line, criteria.file, criteria.derived) == (None, "completed/WS-011-02.md", "1")


def test_a_file_against_its_own_folder() -> None:
    index = files(("backlog/WS-011-02.md", front(status="completed")))
    [item] = about(index, "file-vs-folder")
    assert (item.line, item.file, item.at, item.declared, item.derived) == (
        None,
        "backlog/WS-011-02.md",
        4,
        "completed",
        "backlog",
    )


def test_missing_unknown_and_double_files() -> None:
    index = files(
        ("backlog/a.md", front()),
        ("completed/b.md", front(status="completed")),
        ("backlog/WS-CI-01.md", "# WS-CI-01\n\n## Blocks\n"),
        ("completed/WS-CI-01.md", "# WS-CI-01\n"),
    )
    assert [(p.line, p.workstream) for p in about(index, "file-duplicate")] == [(6, "WS-011-02"), (None, "WS-CI-01")]
    assert [p.file for p in about(index, "file-unknown")] == ["backlog/WS-CI-01.md", "completed/WS-CI-01.md"]
    missing = about(index, "file-missing")
    assert [p.line for p in missing] == [5, 7, 13, 14]  # the range is one line, so it is one entry


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\nws_id: [\n---\n", "no YAML"),
        ("---\nws_id: 011-02\n", "never closed"),
        ("---\n- a\n---\n", "holds no keys"),
        ("words only\n", "names no workstream"),
        ("---\nws_id: &a 1\nx: *a\n---\n", ""),
        ("---\nstatus: {a: b}\nws_id: null\n---\n", "names no workstream"),
        (f"---\nws_id: 011-02\nstatus: 0x{'f' * 5000}\n---\n", ""),
        (f"---\nws_id: 011-02\ndepends_on: [0x{'f' * 5000}]\n---\n", ""),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    index = files(("backlog/notes.md", text))
    found = about(index, "file-unread")
    assert words in (found[0].message if found else "")
    assert not found or (found[0].line is None and found[0].file == "backlog/notes.md")


def test_without_files_nothing_is_said_about_them() -> None:
    assert build(INDEX).files is None
    assert not [item for item in build(INDEX).problems if item.code.startswith("file") or "file" in item.code]


def test_contradictions_in_other_files_count_one_per_place() -> None:
    index = files(
        ("backlog/a.md", front(status="completed")), ("backlog/b.md", front("TESTING-001", status="completed"))
    )
    assert len(about(index, "file-vs-folder")) == 2
    assert index.contradictions == sum(item.severity == "error" for item in index.problems)
