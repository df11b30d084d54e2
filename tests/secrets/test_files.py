"""What the user's own files hold is theirs: it is read and written as it is, and printed without its secrets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from console.base.redact import MARK
from console.cli.main import run
from console.tui.views import runbooks as runbook_views
from console.tui.views import workstreams as workstream_views
from console.workstreams.build import build
from tests.cli.test_workstreams import SEED
from tests.runbook.test_library import GOOD, folder

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYzQ81kLmn"
SAID = f"aws_secret_access_key={SECRET}"
INDEX = (
    f"## Feature F01: Rotate {SAID}\n\n| ID | Name | Status | Dependencies |\n|--|--|--|--|\n"
    f"| WS-001-01 | Rotate {SAID} | backlog | - |\n| WS-001-02 | Tell {SAID} | backlog | {SAID} |\n"
)


@pytest.mark.parametrize(
    "argv",
    [
        ("summary",), ("lint",), ("list",), ("features",), ("show", "WS-001-01"), ("graph",), ("path",), ("waves",),
        ("unlocks", "WS-001-01"), ("delay", "WS-001-01", "--by", "5"), ("roadmap",), ("metrics",),
        ("complete", "WS-001-01"),
    ],
)  # fmt: skip
def test_a_workstream_that_names_a_secret_is_printed_without_it(
    argv: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "INDEX.md"
    file.write_text(INDEX)
    for more in ((), ("-o", "json")):
        run(["workstreams", *argv, str(file), *more])
        said = capsys.readouterr()
        assert "Traceback" not in said.err and "No such command" not in said.err
        assert SECRET not in said.out + said.err
    assert file.read_text() == INDEX


def test_completing_it_writes_the_file_as_the_user_wrote_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "INDEX.md"
    file.write_text(INDEX)
    run(["workstreams", "complete", "WS-001-01", str(file), "--yes"])
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err and MARK in said.out
    written = file.read_text()
    assert written.count(SECRET) == INDEX.count(SECRET) and MARK not in written
    assert written != INDEX, "it was completed"


def test_the_page_of_workstreams_shows_none() -> None:
    index = build(INDEX)
    lines = [
        *workstream_views.features(index, "", 160), *workstream_views.detail(index, 1, 160),
        *workstream_views.problems(index, "", 160), *workstream_views.graph(index, None, 160),
        *workstream_views.schedule(index, 160),
    ]  # fmt: skip
    rows = workstream_views.RowLines(index, (0, 1))
    seen = "\n".join(one.text for one in [*lines, *(rows.line(n, 160) for n in range(3))])
    assert SECRET not in seen and MARK in seen


def test_a_runbook_that_names_a_secret_is_walked_as_it_is_and_shown_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.sources.files.runbooks import Library

    text = GOOD.format(id="mine").replace("title: Mine", f"title: Mine {SAID}").replace("what: x", f"what: x {SAID}")
    books = folder(tmp_path / "books", mine=text)
    config = tmp_path / "config.yaml"
    config.write_text(f"runbook_paths: [{books}]\n")
    for argv in (["show", "mine"], ["list"], ["lint"], ["show", "mine", "-o", "json"]):
        run(["runbooks", *argv, "--config", str(config)])
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        assert MARK in said.out or argv == ["lint"]
    book = Library.read((books,)).runbooks["mine"]
    assert SECRET in book.text, "the walk stores the text that was read, so that its hash is that of the file"
    seen = "\n".join(one.text for one in runbook_views.page(book, 120))
    assert SECRET not in seen and MARK in seen


def test_a_preset_that_names_a_secret_is_shown_without_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    presets = tmp_path / "presets"
    presets.mkdir()
    (presets / "mine.yaml").write_text(
        f"name: mine\ntitle: Mine token={SECRET}\ndescription: x {SAID}\nextends: [core-baseline]\n"
        f"promises: ['{SAID}']\n"
    )
    config = tmp_path / "config.yaml"
    config.write_text(f"preset_paths: [{presets}]\n")
    for argv in (["show", "mine"], ["list"], ["show", "mine", "-o", "json"]):
        run(["preset", *argv, "--config", str(config)])
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        assert MARK in said.out, said


def test_the_seed_is_printed_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "INDEX.md"
    shutil.copy(SEED, file)
    for argv in (["list"], ["features"], ["lint"], ["roadmap"]):
        run(["workstreams", *argv, str(file)])
        assert MARK not in capsys.readouterr().out
