"""Names that a hostile hand gave come out of every writer without a character that a terminal would obey."""

from __future__ import annotations

import io
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from console.base.jsontext import json_text
from console.cli import output
from console.cli.main import run

HOSTILE = (
    "a\x1b[31mb",
    "c1 \x9b1m\x85\x90",
    "bidi \u202egnp.exe\u2066x\u2069",
    "zero\u200bwidth\u2060\ufeff",
    "tag\U000e0041\U0010fffd",
    "lone \udcff surrogate",
    "del \x7f nul \x00 bell \x07",
    "line\u2028and\u2029paragraph",
)
ROOT = Path(__file__).parents[2] / "console"


def unseen(text: str) -> list[str]:
    """Characters that are no sign and no line feed."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]


class Out(io.StringIO):
    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


@pytest.mark.parametrize("name", HOSTILE)
def test_json_shows_no_control_character_and_a_parser_reads_what_was_there(name: str) -> None:
    text = json_text({"name": name, name: [name]})
    assert unseen(text) == []
    again = json.loads(text)
    assert again["name"] == name.replace("\udcff", "\ufffd") and again["name"] in again


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_every_writer_of_commands_lets_nothing_through(
    name: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = Out(encoding), Out(encoding)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    output.print_json({"name": name})
    json.loads(out.getvalue())
    output.print_document([name])
    output.say(name)
    output.put(output.table(["NAME"], [[name]]))
    output.narrate(name)
    assert unseen(out.getvalue() + err.getvalue()) == []
    out.getvalue().encode(encoding)


def test_commands_write_through_these_writers_only() -> None:
    allowed = {"output.py", "main.py", "plain.py"}
    for file in (ROOT / "cli").rglob("*.py"):
        text = file.read_text()
        if file.name not in allowed:
            assert "stdout.write" not in text and "print(" not in text.replace("_print(", ""), file


@pytest.mark.parametrize(
    "argv", [["diagnose", "DIR", "-o", "json"], ["diagnose", "DIR"], ["advise", "DIR", "-o", "json"]]
)
def test_files_whose_names_are_no_utf8_are_named_and_end_nothing(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"saved-\xff\x9b")
    folder.mkdir()
    for name in (b"pod-\xff.json", b"log-\x1b[31m.txt", "bidi-\u202e.txt".encode(), b"c1-\xc2\x9b.json"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(
            '{"kind": "Pod", "metadata": {"name": "x"}, "\x9b'
        )
    out, err = Out(), Out()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    for key in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(key, str(tmp_path))
    code = run([str(folder) if word == "DIR" else word for word in argv])
    assert "internal error" not in err.getvalue() and code in (0, 1, 2)
    assert unseen(out.getvalue() + err.getvalue()) == []
    if argv[-1] == "json" and out.getvalue():
        document: Any = json.loads(out.getvalue())
        assert "pod-\ufffd.json" in out.getvalue() or document
