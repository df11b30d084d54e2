"""A new verb is one file in `actions/`: in a copy of the package that has one more, runbooks may use it at once."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VERB = Path(__file__).with_name("dismiss.py")


def differing(one: Path, other: Path) -> list[str]:
    """Files below `other` that `one` has not, or has otherwise."""
    found = [p.relative_to(other) for p in sorted(other.rglob("*")) if p.is_file() and p.suffix != ".pyc"]
    return [str(p) for p in found if not (one / p).is_file() or not filecmp.cmp(one / p, other / p, shallow=False)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's package, with the verb in it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "console", folder / "console", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("runbooks", "presets"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copy(VERB, folder / "console" / "actions")
    return folder


@pytest.fixture(scope="module")
def told(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of it, by `tests/actions/stranger.py`."""
    env = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    walked = tmp_path_factory.mktemp("walked")
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "tests.actions.stranger", str(walked)],
        cwd=walked,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_one_file_is_all_that_it_takes(copy: Path, told: dict[str, Any]) -> None:
    assert told["package"] == str(copy / "console" / "__init__.py")
    assert differing(ROOT / "console", copy / "console") == ["actions/dismiss.py"]


def test_lint_knows_its_keys_and_what_it_cannot_do(told: dict[str, Any]) -> None:
    assert told["lint"] == []
    assert told["lint of a foreign key"] == ["patch-of-dismiss"]
    assert told["lint of an empty key"] == ["empty-label"]
    assert told["lint of a rollback"] == ["rollback-impossible"]


def test_the_gate_asks_for_its_right_and_shows_it(told: dict[str, Any]) -> None:
    assert told["right"].startswith("you may not create pods/eviction in namespace")
    assert told["preview"].endswith("/NAME") and told["accepted"] is True
    assert told["tier"] == "typed"


def test_its_request_is_tried_and_then_sent_once(told: dict[str, Any]) -> None:
    posts = [(method, path.rpartition("/pods/")[2], dry) for method, path, dry in told["writes"]]
    assert posts == [("POST", "NAME/eviction", True)] * 2 + [("POST", "NAME/eviction", False)]


def test_the_timeline_says_it_in_its_words(told: dict[str, Any]) -> None:
    about, done = told["timeline"]
    assert about.startswith("about to dismiss Pod ") and done.endswith("NAME is being dismissed")
    assert told["outcome"] == "resolved"
