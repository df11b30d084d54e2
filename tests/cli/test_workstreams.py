"""`console workstreams …` as scripts and people call it: on the seed, on an index of another style, in a repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run

DATA = Path(__file__).parents[1] / "data" / "workstreams"
SEED, HARBOUR = DATA / "index.md", DATA / "harbour.md"
WEEK = 7 * 86400


def call(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, Any]:
    """Exit code and document of one call."""
    code = run(["workstreams", *argv, "-o", "json"])
    out = capsys.readouterr().out
    document = json.loads(out)
    assert document["apiVersion"]
    return code, document


def test_summary_of_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    code, counts = call(capsys, "summary", str(SEED))
    del counts["apiVersion"]
    assert code == 0
    assert counts == {
        "features": 28, "rows": 157, "rows_unread": 0, "workstreams": 170, "completed": 109, "not_completed": 61,
        "ready": 32, "blocked": 29, "contradictions": 24,
    }  # fmt: skip


def test_lint_exits_one_and_counts_what_summary_counts(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = call(capsys, "lint", str(SEED))
    errors = [item for item in found["items"] if item["severity"] == "error"]
    assert code == 1
    assert len(errors) == len({(item["code"], item["line"]) for item in errors}) == 24
    assert all(
        set(item) >= {"code", "severity", "message", "line", "feature", "workstream", "declared", "derived"}
        for item in found["items"]
    )


def test_lists_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    _, ready = call(capsys, "list", str(SEED), "--ready")
    _, blocked = call(capsys, "list", str(SEED), "--blocked")
    assert (len(ready["items"]), len(blocked["items"])) == (32, 29)
    assert set(ready["items"][0]) == {"feature", "id"}


class TestAnotherStyle:
    """Headings underlined, keys without stars, ids with dots, columns in another order, no outer pipes."""

    def test_summary(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, counts = call(capsys, "summary", str(HARBOUR))
        assert code == 0
        assert [counts[k] for k in ("features", "rows", "rows_unread", "workstreams")] == [3, 11, 1, 11]
        assert [counts[k] for k in ("completed", "not_completed", "ready", "blocked", "contradictions")] == [
            3, 8, 3, 5, 3,
        ]  # fmt: skip

    def test_keys_without_stars_are_what_a_feature_declares(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, found = call(capsys, "features", str(HARBOUR))
        ingest, storage, _ = found["items"]
        assert (ingest["declared_status"], ingest["declared_total"]) == ("in progress", "5")
        assert (storage["declared_status"], storage["derived_status"]) == ("Completed", "in progress")

    def test_what_can_begin_and_what_waits(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, ready = call(capsys, "list", str(HARBOUR), "--ready")
        _, blocked = call(capsys, "list", str(HARBOUR), "--blocked")
        assert [item["id"] for item in ready["items"]] == ["ING.3", "STO.2", "RPT-03"]
        assert [item["id"] for item in blocked["items"]] == ["ING.4", "ING.5", "STO.3", "RPT-01", "RPT-02"]

    def test_contradictions_stand_at_their_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, found = call(capsys, "lint", str(HARBOUR))
        assert code == 1
        assert [(item["code"], item["line"], item["severity"]) for item in found["items"]] == [
            ("status-vs-rows", 20, "error"),
            ("dependency-unknown", 27, "error"),
            ("status-word", 41, "warning"),
            ("row-unread", 42, "error"),
        ]

    def test_graph(self, capsys: pytest.CaptureFixture[str]) -> None:
        _, path = call(capsys, "path", str(HARBOUR), "--weight", "loc")
        assert [item["id"] for item in path["items"]] == ["ING.3", "ING.4", "RPT-01"] and path["loc"] == 200
        _, waves = call(capsys, "waves", str(HARBOUR))
        assert [len(step) for step in waves["waves"]] == [3, 2, 1]
        assert [item["id"] for item in waves["never"]] == ["STO.3", "RPT-02"]
        _, unlocked = call(capsys, "unlocks", "STO.2", str(HARBOUR))
        assert unlocked["now"] == []  # STO.3 waits for OPS.9 too, which nobody knows

    def test_reports(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["workstreams", "roadmap", str(HARBOUR)]) == 0
        first = capsys.readouterr().out
        assert run(["workstreams", "roadmap", str(HARBOUR)]) == 0
        assert capsys.readouterr().out == first and "Berth" not in first.split("\n")[0]
        assert run(["workstreams", "metrics", str(HARBOUR), "-o", "prometheus"]) == 0
        assert "3\n" in capsys.readouterr().out

    def test_completing_one_changes_its_cell_alone(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "PLAN.md"
        shutil.copy(HARBOUR, file)
        code, done = call(capsys, "complete", "ING.3", str(file), "--yes")
        assert code == 0 and done["written"] is True
        before, after = HARBOUR.read_text().splitlines(), file.read_text().splitlines()
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert changed == [
            ("Open | ING.3 | Late telegrams | 200 LOC | ING.2", "Completed | ING.3 | Late telegrams | 200 LOC | ING.2")
        ]
        _, counts = call(capsys, "summary", str(file))
        assert (counts["completed"], counts["ready"]) == (4, 4)


class TestCompleting:
    def test_an_unanswered_question_is_no(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "INDEX.md"
        shutil.copy(HARBOUR, file)
        monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: PTH123, SIM115
        assert run(["workstreams", "complete", "ING.3", str(file)]) == 4
        assert "+Completed | ING.3" in capsys.readouterr().out
        assert file.read_bytes() == HARBOUR.read_bytes()

    def test_an_equal_id_must_be_named_with_its_feature(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "INDEX.md"
        file.write_text(
            "## Feature F11: One\n\n| ID | Name | Status |\n|--|--|--|\n| WS-1 | a | open |\n\n"
            "## Feature F12: Two\n\n| ID | Name | Status |\n|--|--|--|\n| WS-1 | b | open |\n"
        )
        assert run(["workstreams", "complete", "WS-1", str(file), "--yes"]) == 2
        assert "F11/WS-1, F12/WS-1" in capsys.readouterr().err
        code, _ = call(capsys, "complete", "F11/WS-1", str(file), "--yes")
        assert code == 0
        assert "| WS-1 | a | completed |" in file.read_text() and "| WS-1 | b | open |" in file.read_text()

    def test_its_file_moves_with_it(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        repository = plan(tmp_path)
        folder = repository / "docs" / "workstreams"
        code, done = call(capsys, "complete", "WS-001-02", str(folder / "INDEX.md"), "--yes")
        assert code == 0 and len(done["changes"]) == 2
        moved = folder / "completed" / "WS-001-02.md"
        assert "status: completed" in moved.read_text() and not (folder / "backlog" / "WS-001-02.md").exists()


def git(repository: Path, *argv: str, at: int = 1_790_000_000) -> None:
    """One git command, at a fixed time."""
    moment = f"{at} +0000"
    subprocess.run(
        [
            "git",
            "-C",
            str(repository),
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "commit.gpgsign=false",
            *argv,
        ],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment, "HOME": str(repository)},
    )


INDEX = """## Feature F01: One

| ID | Name | Status | Dependency |
|--|--|--|--|
| WS-001-01 | chart | completed | - |
| WS-001-02 | master | {two} | WS-001-01 |
| WS-001-03 | workers | backlog | WS-001-02 |
"""


def plan(folder: Path) -> Path:
    """A repository whose index lay elsewhere first, then moved; a workstream was completed and its file moved."""
    repository = folder / "repository"
    work = repository / "docs" / "workstreams"
    (work / "backlog").mkdir(parents=True)
    (work / "completed").mkdir()
    (work / "completed" / ".keep").write_text("")
    (work / "backlog" / "WS-001-02.md").write_text(
        "---\nws_id: 001-02\nstatus: backlog\n---\n\n# Master\n" + "x\n" * 20
    )
    (repository / "PLAN.md").write_text(INDEX.format(two="backlog"))
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "plan", at=1_790_000_000)
    git(repository, "mv", "PLAN.md", "docs/workstreams/INDEX.md")
    git(repository, "commit", "-qm", "move", at=1_790_000_000 + WEEK)
    return repository


class TestFileNames:
    """Names of files are bytes; JSON is UTF-8."""

    @pytest.fixture
    def index(self, tmp_path: Path) -> Path:
        work = tmp_path / "my plans"
        (work / "completed").mkdir(parents=True)
        for name in (b"WS-001-02-\xff.md", b"WS-009-09-\xff.md"):
            os.close(os.open(os.fsencode(work / "completed") + b"/" + name, os.O_CREAT))
        (work / "INDEX.md").write_text(INDEX.format(two="backlog"))
        return work / "INDEX.md"

    @pytest.mark.parametrize("argv", [["lint"], ["show", "WS-001-02"]])
    def test_names_that_are_no_utf_8_are_shown_with_a_mark(
        self, argv: list[str], index: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, document = call(capsys, *argv, str(index), "--files", str(index.parent))
        assert "WS-001-02-\ufffd.md" in json.dumps(document, ensure_ascii=False)

    def test_sarif_names_the_very_bytes(self, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["workstreams", "lint", str(index), "--files", str(index.parent), "-o", "sarif"]) == 1
        uris = {
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            for result in json.loads(capsys.readouterr().out)["runs"][0]["results"]
        }
        assert {uri.partition("/my%20plans/")[2] for uri in uris} == {"INDEX.md", "completed/WS-009-09-%FF.md"}
        assert all(uri.startswith("file:///") for uri in uris)


class TestHistory:
    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        repository = plan(tmp_path)
        work = repository / "docs" / "workstreams"
        (work / "INDEX.md").write_text(INDEX.format(two="completed"))
        git(repository, "mv", "docs/workstreams/backlog/WS-001-02.md", "docs/workstreams/completed/WS-001-02.md")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "done", at=1_790_000_000 + 2 * WEEK)
        monkeypatch.chdir(work)
        return repository

    def test_the_index_is_found_from_any_folder_of_the_repository(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, counts = call(capsys, "summary")
        assert counts["completed"] == 2

    def test_progress_over_time_follows_the_renamed_index(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, past = call(capsys, "history")
        assert [(p["path"], p["completed"], p["workstreams"]) for p in past["items"]] == [
            ("PLAN.md", 1, 3), ("docs/workstreams/INDEX.md", 1, 3), ("docs/workstreams/INDEX.md", 2, 3),
        ]  # fmt: skip
        assert run(["workstreams", "history", "--ascii"]) == 0
        assert "#" in capsys.readouterr().out

    def test_a_digest_knows_a_moved_file_from_a_new_one(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, found = call(capsys, "digest", "--since", "2026-09-28", "--files", ".")
        assert code == 0
        assert [step["key"] for step in found["completed"]] == ["F01/WS-001-02"]
        assert [(f["before"], f["id"]) for f in found["files"]] == [
            ("docs/workstreams/backlog/WS-001-02.md", "WS-001-02")
        ]

    def test_nothing_changed_since_the_last_commit(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, found = call(capsys, "digest", "--since", "2026-11-27")
        assert code == 0 and not found["completed"] and not found["added"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["summary", "nowhere.md"], "there is no file"),
        (["unlocks", "STO.33", str(HARBOUR)], "STO.3"),
        (["path", str(HARBOUR), "--feature", "STOR"], "STO"),
        (["prevents", "I99", str(HARBOUR)], "no incident class"),
        (["digest", str(HARBOUR), "--since", "soon"], "no age and no date"),
    ],
)
def test_wrong_calls_name_the_nearest(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["workstreams", *argv]) == 2
    err = capsys.readouterr().err
    assert words in err and "Traceback" not in err
