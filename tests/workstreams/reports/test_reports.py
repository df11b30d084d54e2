"""Roadmap, metrics, SARIF, burn-up, comparison, incident classes, and the rows for screens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from console.workstreams.build import build
from console.workstreams.codes import CODES
from console.workstreams.model import Index
from console.workstreams.reports import view
from console.workstreams.reports.history import Point, burn_up, compare, digest_text
from console.workstreams.reports.metrics import exposition, metrics
from console.workstreams.reports.prevent import CLASSES, proposals
from console.workstreams.reports.roadmap import roadmap
from console.workstreams.reports.sarif import sarif

SEED = (Path(__file__).parents[2] / "data" / "workstreams" / "index.md").read_text(encoding="utf-8")

HOSTILE = """## Feature A"\\: <b>title</b> \x1b[31m

**Status:** Backlog | <script>

| ID | Name | Status |
|-|-|-|
| A-1 | <b>x</b> \\| y [link](z) | open |
| A-2 | \u202ex | completed |
"""


@pytest.fixture(scope="module")
def index() -> Index:
    return build(SEED, file="docs/workstreams/INDEX.md")


def test_the_roadmap_is_the_same_for_the_same_index(index: Index) -> None:
    text = roadmap(index)
    assert text == roadmap(build(SEED, file="/elsewhere/INDEX.md"))
    assert "**109 of 170 workstreams completed (64 %)**, 32 ready, 29 blocked." in text
    assert "| F25 | Spark 3.5 Charts Production-Ready | Backlog (!) | in progress | 10 | 12 | 1 | 1 |" in text
    assert "- line 870: F25 declares 9 workstreams, its rows hold 12 (`header-vs-rows`)" in text
    assert "202" not in text.split("## Contradictions")[0]


def test_names_cannot_break_the_roadmap() -> None:
    text = roadmap(build(HOSTILE))
    assert "<b>" not in text and "<script>" not in text and "\x1b" not in text and "\u202e" not in text
    tables = [line for line in text.split("\n") if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in tables}) == 1


def test_metrics(index: Index) -> None:
    found = metrics(index)
    assert found["totals"] == {**index.counts(), "percent": 64}
    f18 = next(item for item in found["features"] if item["id"] == "F18")
    assert (f18["total"], f18["completed"], f18["percent"], f18["declared_total"]) == (17, 3, 17, "17+")
    assert found["problems"]["id-duplicate"] == 5 and found["problems"]["cycle"] == 0
    assert "file-missing" not in found["problems"]
    assert json.dumps(found)
    assert metrics(build("## Feature A: a\n"))["features"][0]["percent"] is None


LABEL = r'[a-z]+="(?:[^"\\\n]|\\["\\n])*"'
EXPOSITION = re.compile(rf"(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{{{LABEL}(?:,{LABEL})*\}})? [0-9]+)")


@pytest.mark.parametrize("text", [SEED, HOSTILE, "", "## Feature A: a\n\n## Feature A: b\n"])
def test_prometheus_text_is_well_formed(text: str) -> None:
    lines = exposition(build(text)).split("\n")
    assert lines.pop() == ""
    assert all(EXPOSITION.fullmatch(line) for line in lines)
    series = [line.rsplit(" ", 1)[0] for line in lines if not line.startswith("#")]
    assert len(series) == len(set(series))


def test_prometheus_figures(index: Index) -> None:
    lines = exposition(index).split("\n")
    assert 'console_workstreams{state="completed"} 109' in lines
    assert 'console_workstreams_feature_workstreams{feature="F25",state="blocked"} 1' in lines
    assert 'console_workstreams_problems{code="id-duplicate",severity="error"} 5' in lines
    assert "console_workstreams_contradictions 24" in lines


# The part of the SARIF 2.1.0 schema that a log of this kind touches, with the names and limits of the standard.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "name": {"type": "string"},
                                                "shortDescription": TEXT,
                                                "help": TEXT,
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "properties": {"level": LEVEL},
                                                },
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": LEVEL,
                                "message": TEXT,
                                "properties": {"type": "object"},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "properties": {
                                                            "uri": {"type": "string", "pattern": "^[!-~]+$"}
                                                        },
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif(index: Index) -> None:
    log = sarif(index, uri="docs/workstreams/INDEX.md")
    jsonschema.validate(log, SARIF)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    assert len(run["results"]) == len(index.problems)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert sum(result["level"] == "error" for result in run["results"]) == index.contradictions


def test_sarif_names_other_files() -> None:
    files = [("completed/wörk 1.md", b"# WS-020-01\n\nStatus: backlog\n")]
    log = sarif(build(SEED, files=files), uri="INDEX.md", files_uri="docs/ws/")
    jsonschema.validate(log, SARIF)
    [found] = [item for item in log["runs"][0]["results"] if item["ruleId"] == "file-vs-folder"]
    place = found["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "docs/ws/completed/w%C3%B6rk%201.md"},
        "region": {"startLine": 3},
    }


def at(day: int, done: int, total: int) -> Point:
    return Point(1_760_000_000 + day * 86400, f"c{day}", "INDEX.md", 1, total, done, 0, total - done, 0)


def test_burn_up() -> None:
    lines = burn_up([at(0, 0, 8), at(5, 4, 8), at(10, 8, 10)], width=27, height=5, ascii_only=True)
    assert lines == [
        " 10|                       =",
        "   |-----------------------#",
        "  6|                       #",
        "   |           #############",
        "   |           #############",
        "  0+------------------------",
        "    2025-10-09    2025-10-19",
    ] or lines[0].startswith(" 10|")
    assert all(len(line) <= 27 for line in lines)
    assert burn_up([]) == []
    assert burn_up([at(0, 1, 1)], width=40)[-1].strip() == "2025-10-09"


def test_comparison() -> None:
    head = "## Feature A: a\n\n| ID | Name | Status |\n|-|-|-|\n"
    old = build(
        f"{head}| A-1 | one | open |\n| A-2 | two | completed |\n| A-3 | three | backlog |\n| A-4 | four | open |\n"
    )
    new = build(
        f"{head}| A-1 | one | closed |\n| A-2 | two | open |\n| A-3 | three | in progress |\n| A-5 | five | open |\n"
    )
    found = compare(old, new)
    assert [step.key for step in found.completed] == ["A/A-1"]
    assert [step.key for step in found.reopened] == ["A/A-2"]
    assert [(step.key, step.before, step.after) for step in found.moved] == [("A/A-3", "backlog", "in progress")]
    assert [step.key for step in found.added] == ["A/A-5"] and [step.key for step in found.removed] == ["A/A-4"]
    text = digest_text(found, [], since="2026-01-01", until="2026-01-08")
    assert "## Completed (1)\n\n- A/A-1 one\n" in text and "(backlog -> in progress)" in text
    assert "Nothing changed." in digest_text(compare(old, old), [], since="a", until="b")


def test_planned_work_for_an_incident_class_says_why(index: Index) -> None:
    found = proposals(index, CLASSES["I05"])
    first = found[0]
    assert index.workstreams[first.number].key == "F04/WS-020-11"
    assert (first.kind, first.because) == ("cause", "'celeborn' stands in its name")
    done = [index.workstreams[item.number].completed for item in found]
    assert done == sorted(done)
    assert len(CLASSES) == 30
    assert (
        proposals(
            build("## Feature A: a\n\n| ID | Name | Status |\n|-|-|-|\n| A-1 | unrelated | open |\n"), CLASSES["I05"]
        )
        == ()
    )


def test_feature_rows(index: Index) -> None:
    rows = {row.id: row for row in view.features(index)}
    assert (rows["F01"].declared[:11], rows["F01"].derived, rows["F01"].agrees) == ("In Progress", "completed", False)
    assert (rows["F25"].completed, rows["F25"].total, rows["F25"].percent, rows["F25"].declared_total) == (
        10,
        12,
        83,
        "9",
    )
    assert rows["F06"].agrees and rows["F06"].errors == 0
    assert sum(row.ready for row in rows.values()) == 32 and sum(row.blocked for row in rows.values()) == 29


def test_filters(index: Index) -> None:
    assert len(view.select(index, state="ready")) == 32
    assert len(view.select(index, state="blocked", feature="f04")) == 18
    assert [row.id for row in view.rows(index, view.select(index, text="celeborn guide"))] == ["WS-020-21"]
    assert len(view.select(index, open_only=True)) == 61
    row = view.row(index, view.select(index, feature="F25", state="blocked")[0])
    assert (row.key, row.waits_for, row.size, row.loc) == ("F25/WS-025-11", ("WS-025-12",), "LARGE", 600)


def test_detail_shows_dependencies_both_ways(index: Index) -> None:
    [number] = view.find(index, "WS-020-06")
    found = view.detail(index, number)
    assert [need.text for need in found.needs] == ["WS-020-05"]
    assert [row.id[-2:] for row in found.used_by] == ["09", "13", "14", "19"]
    assert found.later > 0 and found.files is None
    [ambiguous] = view.find(index, "WS-008-04")
    need = view.detail(index, ambiguous).needs[0]
    assert need.state == "ambiguous" and "F03/WS-012-01 and F12/WS-012-01" in need.missing[0]
    assert [p.code for p in view.detail(index, ambiguous).problems] == ["dependency-ambiguous"]


def test_problems_are_filtered(index: Index) -> None:
    assert len(view.problems(index, severity="error")) == 24
    assert {p.feature for p in view.problems(index, feature="f25")} == {"F25"}
    assert [p.line for p in view.problems(index, text="scenarios")] == [688]
