"""Folders of Console's own: for their owner only, wherever they lie, and never somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.base import paths
from console.base.errors import UsageError

HINT = "CONSOLE_STATE_DIR names another folder for what is kept"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("found", [0o755, 0o750, 0o705, 0o740, 0o710, 0o777])
def test_a_folder_that_others_may_enter_is_closed_to_them(tmp_path: Path, found: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(found)
    assert paths.private_dir(folder) == folder
    assert mode(folder) == 0o700


def test_a_folder_is_made_for_its_owner_only_and_one_that_is_closed_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert mode(paths.private_dir(folder)) == 0o700
    folder.chmod(0o500)
    assert mode(paths.private_dir(folder)) == 0o500


def test_a_folder_that_everybody_shares_is_not_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    with pytest.raises(UsageError, match="is a folder that everybody shares") as caught:
        paths.private_dir(folder)
    assert caught.value.hint == HINT
    assert mode(folder) == 0o1777


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(UsageError, match="belongs to somebody else") as caught:
        paths.private_dir(tmp_path)
    assert caught.value.hint == HINT
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.private_dir(tmp_path) == tmp_path, "root may use any"


def test_ones_own_folder_is_ones_own_whoever_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.stat_result((0o40700, 0, 0, 1, 1234, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **options: found)
    monkeypatch.setattr(Path, "mkdir", lambda self, **options: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert paths.private_dir(tmp_path) == tmp_path


def test_a_path_that_is_no_folder_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match=r"file/below cannot be used: Not a directory\n") as caught:
        paths.private_dir(file / "below")
    assert caught.value.hint == HINT


@pytest.mark.parametrize(
    ("function", "variable", "xdg"),
    [
        (paths.config_dir, "CONSOLE_CONFIG_DIR", "XDG_CONFIG_HOME"),
        (paths.state_dir, "CONSOLE_STATE_DIR", "XDG_STATE_HOME"),
        (paths.cache_dir, "CONSOLE_CACHE_DIR", "XDG_CACHE_HOME"),
    ],
)
def test_each_folder_is_where_its_variable_says_else_below_the_xdg_one(
    function: object, variable: str, xdg: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(function)
    monkeypatch.setenv(xdg, str(tmp_path / "xdg"))
    monkeypatch.delenv(variable, raising=False)
    assert function() == tmp_path / "xdg" / "console-oncall"
    monkeypatch.setenv(variable, "")
    assert function() == tmp_path / "xdg" / "console-oncall"
    monkeypatch.setenv(variable, str(tmp_path / "own"))
    assert function() == tmp_path / "own"


PACKAGED = "console/_data/presets"


@pytest.mark.parametrize(
    ("project", "folder", "at"), [(True, True, "presets"), (False, True, PACKAGED), (True, False, PACKAGED)]
)
def test_the_library_of_the_source_tree_wins_where_the_package_lies_in_one(
    project: bool, folder: bool, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "console" / "base" / "paths.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    if project:
        (tmp_path / "pyproject.toml").write_text("")
    if folder:
        (tmp_path / "presets").mkdir()
    monkeypatch.setattr(paths, "__file__", str(module))
    assert paths.library("presets") == tmp_path / at


def test_only_the_home_folder_itself_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert paths.short(Path("/home/adamant/x")) == "/home/adamant/x"
    assert paths.short(Path("/home/ada/x")) == "~/x"


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_whole_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    kept: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: kept.append(os.fstat(file).st_size))
    file = tmp_path / "kept.json"
    file.write_text("old")
    file.chmod(0o644)
    paths.replace_file(file, b"new", durable=durable)
    assert (file.read_bytes(), mode(file), kept) == (b"new", 0o600, [3] if durable else [])
    paths.replace_file(file, b"open", mode=0o640)
    assert (file.read_bytes(), mode(file), len(kept)) == (b"open", 0o640, int(durable)), (
        "durable only where it is asked"
    )
    assert [one.name for one in tmp_path.iterdir()] == ["kept.json"]


def test_a_file_that_cannot_be_replaced_stays_and_nothing_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept.json"
    file.write_text("old")
    beside: list[Path] = []

    def full(self: Path, mode: int) -> None:
        beside.append(self)
        if len(beside) > 1:
            self.unlink()
        raise OSError("no space left")

    monkeypatch.setattr(Path, "chmod", full)
    for _ in range(2):
        with pytest.raises(OSError, match="no space left"):
            paths.replace_file(file, b"new")
    assert {one.parent for one in beside} == {tmp_path}, "in the same folder, so that it can take its place"
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]
