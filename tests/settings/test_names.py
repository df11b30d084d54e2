"""Files whose names are no UTF-8: what is wrong in them is printed, as text and as JSON."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.base.jsontext import decode_json
from console.cli.main import run


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file of such a name, with a folder of presets that holds one."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.yaml")).write_text("title: X\nbad: 1\n")
    file = tmp_path / os.fsdecode(b"se\xf1or") / "config.yaml"
    file.parent.mkdir()
    file.write_text(f"preset_paths: [{tmp_path}]\n")
    monkeypatch.setenv("CONSOLE_CONFIG", str(file))
    return file


def test_a_preset_is_named_in_its_problem(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["preset", "list", "-o", "json"])
    told = decode_json(capsys.readouterr().out)
    assert any("caf\ufffd.yaml:2:1: unknown key 'bad'" in problem for problem in told["problems"])
    run(["preset", "list"])
    assert "caf\ufffd.yaml:2:1" in "".join(capsys.readouterr())


@pytest.mark.parametrize("output", ["table", "json"])
def test_a_config_file_is_shown(config: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    assert run(["config", "show", "-o", output]) == 0
    assert run(["config", "path"]) == 0
    assert "se\ufffdor/config.yaml" in capsys.readouterr().out
