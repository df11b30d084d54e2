"""The rooms of the house: who may import whom, and what a cheap command may load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def loaded_by(*argv: str) -> set[str]:
    """Top-level modules in `sys.modules` after `console ARGV` ran in a fresh interpreter."""
    code = (
        "import sys, json, io, contextlib\n"
        "from console.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    run({list(argv)!r})\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(out.stdout))


def test_the_rooms_import_only_what_lies_below_them() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    out = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert out.returncode == 0, out.stdout + out.stderr


@pytest.mark.parametrize("argv", [("--help",), ("--version",), ("runbooks", "--help"), ("drill", "--help")])
def test_help_loads_neither_the_terminal_ui_nor_a_cluster_client(argv: tuple[str, ...]) -> None:
    heavy = {"textual", "kubernetes", "aiohttp", "requests", "promql_parser", "jinja2"}
    assert not heavy & loaded_by(*argv)


@pytest.mark.parametrize(
    "argv",
    [
        ("runbooks", "list", "-o", "json"),
        ("diagnose", "nowhere", "-o", "json"),
        ("advise", "nowhere/", "-o", "json"),
        ("info", "-o", "json"),
    ],
)
def test_json_answers_load_no_terminal_ui(argv: tuple[str, ...]) -> None:
    assert "textual" not in loaded_by(*argv)
