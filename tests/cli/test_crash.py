"""What a command says of a fault of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli import main


def test_a_fault_is_one_line_and_its_place_lies_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("password=hunter2hunter2 \x1b[31m")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(main, "_build", broken)
    assert main.run(["status"]) == 1
    said = capsys.readouterr().err
    (file,) = tmp_path.rglob("crashes/crash-*.txt")
    assert said.startswith("console: internal error: ZeroDivisionError") and str(file) in said
    assert "Traceback" not in said and "hunter2" not in said and "\x1b" not in said
    kept = file.read_text()
    assert "broken" in kept and "hunter2" not in kept and oct(file.stat().st_mode)[-3:] == "600"
