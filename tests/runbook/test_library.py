"""The library on disk and `console runbooks`: user folders first, problems with places, exit codes for scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from console.base.errors import UsageError
from console.cli.main import run
from console.sources.files.runbooks import Library

GOOD = """\
apiVersion: console/v1
kind: Runbook
id: {id}
version: 1.0.0
title: Mine
owner: me
what: x
when_not_to_use: x
reviewed: 2026-11-24
match: {{findings: [operator-down]}}
steps:
  - {{id: end, kind: end, title: E, outcome: resolved}}
"""


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / f"{name}.yaml").write_text(text)
    return path


def test_the_users_folder_goes_first_and_says_what_it_hides(tmp_path: Path) -> None:
    mine = folder(tmp_path / "mine", oom=GOOD.format(id="spark-oom"), other=GOOD.format(id="other"))
    library = Library.read([mine])
    assert library.get("spark-oom").title == "Mine" and library.files["spark-oom"] == mine / "oom.yaml"
    assert set(library.runbooks) == {"other"} | set(Library.read([]).runbooks)
    assert list(library.runbooks) == sorted(library.runbooks)
    (hidden,) = library.problems
    assert (hidden.code, hidden.severity) == ("id-twice", "warning") and str(mine / "oom.yaml") in hidden.message


def test_files_that_do_not_load_are_problems_not_crashes(tmp_path: Path) -> None:
    mine = folder(tmp_path / "mine", bad="a: [", worse=GOOD.format(id="worse").replace("title: Mine", "titel: Mine"))
    (mine / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (mine / "huge.yaml").write_text("#" * 1_100_000)
    (mine / "loop.yaml").symlink_to(mine / "loop.yaml")
    (mine / ".hidden.yaml").write_text("[")
    (mine / "drills").mkdir()
    (mine / "drills" / "x.yaml").write_text("[")
    library = Library.read([mine, tmp_path / "gone"])
    found = {Path(p.file).name: p for p in library.problems}
    assert set(found) == {"bad.yaml", "worse.yaml", "binary.yaml", "huge.yaml", "gone"}
    assert found["worse.yaml"].hint or found["worse.yaml"].message
    with pytest.raises(UsageError, match=r"runbook 'worse' does not load: .*worse\.yaml:\d+"):
        library.get("worse")
    with pytest.raises(UsageError) as caught:
        library.get("spark-om")
    assert caught.value.hint == "did you mean 'spark-oom'?"


def test_scripts_of_a_folder_are_known_and_must_exist(tmp_path: Path) -> None:
    scripts = tmp_path / "mine" / "scripts"
    text = "apiVersion: console/v1\nkind: Script\nname: x\ntitle: X\nfile: x.sh\ninterpreter: sh\neffect: read\n"
    folder(scripts, x=text)
    assert [p.code for p in Library.read([tmp_path / "mine"], shipped=False).problems] == ["script-file-missing"]
    (scripts / "x.sh").write_text("true\n")
    library = Library.read([tmp_path / "mine"])
    assert library.scripts["x"].path == str(scripts / "x.sh") and "lower-executor-cores" in library.scripts


class Ran(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command of the program here, in an empty home, from another folder."""
    for name in [n for n in os.environ if n.startswith("CONSOLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONSOLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def call(*argv: str, **env: str) -> Ran:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run(list(argv))
        return Ran(code, *capsys.readouterr())

    return call


def test_looking_at_runbooks_loads_neither_textual_nor_the_kubernetes_client() -> None:
    code = (
        "import sys; from console.cli.main import run; run(['runbooks', 'lint', '-o', 'json']);"
        "sys.exit(str([m for m in ('textual', 'kubernetes', 'aiohttp') if m in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip().splitlines()[1:] == []


def test_the_shipped_library_lints_clean_from_any_folder(console: Callable[..., Ran]) -> None:
    done = console("runbooks", "lint")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stderr


def test_lint_finds_the_users_folders_and_speaks_json(tmp_path: Path, console: Callable[..., Ran]) -> None:
    mine = folder(tmp_path / "mine", mine=GOOD.format(id="mine").replace("reviewed: 2026-11-24\n", ""))
    done = console("runbooks", "lint", "-o", "json", CONSOLE_RUNBOOK_PATHS=str(mine))
    document = json.loads(done.stdout)
    assert done.returncode == 1 and document["apiVersion"] == "console/v1"
    (problem,) = document["problems"]
    assert (problem["code"], problem["line"], problem["severity"]) == ("review-missing", 1, "error")
    assert problem["file"] == str(mine / "mine.yaml")


def test_lint_of_named_files_looks_only_at_them(tmp_path: Path, console: Callable[..., Ran]) -> None:
    mine = folder(
        tmp_path / "mine", good=GOOD.format(id="good"), bad=GOOD.format(id="bad").replace("kind: end", "kind: edn")
    )
    assert console("runbooks", "lint", str(mine / "good.yaml")).returncode == 0
    done = console("runbooks", "lint", str(mine))
    assert done.returncode == 2
    assert (
        "bad.yaml:12:15: error: 'edn' is no kind of step [steps[0].kind] (schema)\n  hint: did you mean 'end'?"
        in done.stdout
    )
    assert console("runbooks", "lint", str(tmp_path / "gone")).returncode == 2


def test_list_and_show_and_schema(console: Callable[..., Ran]) -> None:
    listed = json.loads(console("runbooks", "list", "-o", "json").stdout)
    (book,) = [r for r in listed["runbooks"] if r["id"] == "spark-oom"]
    assert book["writes"] is True and "executor-oom-container" in book["match"]["findings"] and len(book["hash"]) == 64
    page = console("runbooks", "show", "spark-oom")
    assert page.returncode == 0
    for words in ("WHEN NOT TO USE IT", "CHANGE: Raise <values.setting> to",
                  "overhead: spec.executor.memoryOverhead to", "If the answer is No: change refused",
                  "until oom_deaths afterwards is 0", "“Run half as many tasks in each executor”"):  # fmt: skip
        assert words in page.stdout
    wrong = console("runbooks", "show", "spark-om")
    assert wrong.returncode == 2 and "did you mean 'spark-oom'?" in wrong.stderr
    schema = json.loads(console("runbooks", "schema").stdout)
    assert schema["title"] == "Runbook"
    shown = json.loads(console("runbooks", "show", "spark-oom", "-o", "json").stdout)
    assert shown["runbook"]["steps"][0]["id"] == "applies"
