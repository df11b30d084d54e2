"""`console runbooks coverage`: both ways, the gravest first, with waivers that have a reason and fit something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.base.document import parse
from console.base.errors import DocumentError
from console.cli.engine import coverage
from console.cli.main import run
from console.cli.options import Where
from console.runbook import schema
from console.runbook.authors import covered
from console.runbook.authors.waivers import Coverable, Waiver, read
from console.settings.presets import load_library
from console.sources.files.runbooks import Library

BOOKS = list(Library.read().runbooks.values())
ALONE = schema.load("apiVersion: console/v1\nkind: Runbook\nid: alone\ntitle: A\nsteps:\n- note: A\n", "a.yaml")
THINGS = [
    *covered.findings(),
    Coverable("alert", "SparkOperatorDown", "critical", "data-platform"),
    Coverable("alert", "Other", "warning", "storage"),
    Coverable("component", "nobodys", "critical", "platform"),
    *(Coverable("component", id, "critical", "platform") for id in sorted(load_library().components)),
    *covered.runbooks([*BOOKS, ALONE]),
]


def found(*waivers: Waiver) -> dict[tuple[str, str], str]:
    return {(g.thing.what, g.thing.name): g.waived for g in covered.gaps([*BOOKS, ALONE], THINGS, waivers)}


def test_it_goes_both_ways() -> None:
    gaps = found()
    assert ("finding", "operator-down") not in gaps and ("finding", "celeborn-no-slots") in gaps
    assert ("alert", "SparkOperatorDown") not in gaps and ("alert", "Other") in gaps
    assert ("component", "nobodys") in gaps and ("component", "grafana") not in gaps
    assert ("runbook", "alone") in gaps and ("runbook", "operator-down") not in gaps


def test_the_gravest_stand_first_and_together_with_those_of_the_same_owner() -> None:
    gaps = covered.gaps([*BOOKS, ALONE], THINGS, ())
    assert [gap.group for gap in gaps] == sorted(gap.group for gap in gaps)
    assert gaps[0].thing.severity == "critical" and gaps[-1].thing.severity == ""


def test_findings_of_the_owner_of_a_job_are_waived_as_a_kind() -> None:
    gaps = found(*coverage.waiving(None, THINGS))
    waived = {name for (what, name), because in gaps.items() if because and what == "finding"}
    owners = {one.name for one in THINGS if one.owner == "owner of the job" or one.severity == "info"}
    assert waived and waived <= owners
    assert [key for key, because in gaps.items() if key[0] == "component" and not because] == [("component", "nobodys")]


HEAD = "apiVersion: console/v1\nkind: Waivers\nwaivers:\n"


@pytest.mark.parametrize(
    ("text", "words", "line", "hint"),
    [
        ("- {names: [Other], because: ''}", "is no reason", 4, "say why"),
        ("- {names: [Other], because: n/a}", "is no reason", 4, "say why"),
        ("- {names: [Other]}", "because", 4, ""),
        ("- {what: finding, because: nobody wants it here}", "waives everything", 4, "names: ["),
        ("- names: [Othr]\n  because: it is the storage team's", "'Othr'", 4, "'Other'"),
        ("- owner: storge\n  because: it is the storage team's", "the owner 'storge'", 4, "'storage'"),
        ("- {what: alert, owner: storage, severity: critical, because: it is theirs alone}", "waives nothing", 4, ""),
        ("- {nmes: [Other], because: it is the storage team's}", "unknown key 'nmes'", 4, "'names'"),
    ],
)
def test_a_waiver_that_is_wrong_is_told_at_its_line(text: str, words: str, line: int, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(parse(f"{HEAD}{text}\n", "w.yaml"), THINGS)
    error = caught.value
    assert words in error.message and error.line == line and hint in (error.hint or "")


def test_the_command_says_what_is_open_and_why_the_rest_may_stay_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [
        one
        for one in THINGS
        if one.owner == "owner of the job" or (one.severity, one.what) == ("info", "finding") or one.what == "component"
    ]
    things = [*kinds, Coverable("alert", "Other", "warning", "storage")]
    monkeypatch.setattr(coverage, "everything", lambda *_: things)
    file = tmp_path / "w.yaml"
    file.write_text(f"{HEAD}- {{names: [nobodys], because: it is being written now}}\n")
    assert run(["runbooks", "coverage", "--waivers", str(file)]) == 1
    told = capsys.readouterr()
    assert told.out == f"WARNING · storage\n  {'alert':<10} {'Other':<36} no runbook is for this alert\n"
    assert "1 waived: it is being written now" in told.err and "1 open, " in told.err
    assert run(["runbooks", "coverage", "--waivers", str(file), "--fail-on", "critical", "-o", "json"]) == 0
    gaps: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["gaps"]
    waived = {gap["name"]: gap["waived"] for gap in gaps}
    assert waived["Other"] == "" and waived["nobodys"] == "it is being written now"
    assert run(["runbooks", "coverage", "--waivers", str(tmp_path / "none.yaml")]) == 2


def test_the_real_lists_name_severities_and_owners() -> None:
    things = coverage.everything(Where(), BOOKS)
    assert {one.what for one in things} == {"finding", "alert", "objective", "component", "runbook"}
    known = {(one.name, one.severity) for one in things}
    assert ("SparkOperatorDown", "critical") in known
