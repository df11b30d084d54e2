"""CONTRIBUTING.md is true: what each of its sections adds works in a copy of the package, and takes that many files."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCK = re.compile(r"^`(?P<path>[\w./-]+)`(?:, in `(?P<into>\w+)`)?:\n\n```\w+\n(?P<text>.*?)^```$", re.M | re.S)
FILES = {"a finding": 3, "a component": 1, "a page": 3, "an action": 2, "a fault to the simulated cluster": 2}


class Block(NamedTuple):
    """A file that a section shows; `into` names what the text is put into, `` for a file of its own."""

    path: str
    into: str
    text: str


def blocks(section: str) -> list[Block]:
    text = GUIDE.split(f"## Add {section}\n", 1)[1].split("\n## ", 1)[0]
    return [Block(m["path"], m["into"] or "", m["text"]) for m in BLOCK.finditer(text)]


def copied(folder: Path, section: str) -> Path:
    """A copy of package and tests, with the files of a section in it."""
    for name in ("console", "presets", "runbooks", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    (folder / "tests" / "data").symlink_to(ROOT / "tests" / "data")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for block in blocks(section):
        path = folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if block.into:
            begun = re.compile(rf"^{block.into}\b.*[{{\[(]\n", re.M)
            assert len(begun.findall(path.read_text())) == 1
            path.write_text(begun.sub(lambda found, more=block.text: found[0] + more, path.read_text()))
        else:
            assert not path.exists() and not (ROOT / block.path).exists(), f"{block.path} is there already"
            path.write_text(block.text)
    return folder


def changed(folder: Path) -> list[str]:
    """Files of the copy that the repository has not, or has otherwise."""
    found = [
        p.relative_to(folder)
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix != ".pyc" and "data" not in p.relative_to(folder).parts
    ]
    return [str(p) for p in found if not (ROOT / p).is_file() or not filecmp.cmp(ROOT / p, folder / p, shallow=False)]


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-P", *argv], cwd=folder, env=env, capture_output=True, text=True, timeout=180
    )


@pytest.mark.parametrize("section", FILES)
def test_what_a_section_adds_takes_so_many_files_and_works(section: str, tmp_path: Path) -> None:
    folder = copied(tmp_path, section)
    assert changed(folder) == sorted(block.path for block in blocks(section))
    assert len(changed(folder)) == FILES[section]
    tests = [str(folder / block.path) for block in blocks(section) if block.path.startswith("tests/")]
    if tests:
        options = ("-o", "asyncio_mode=auto", "-o", "addopts=", "-p", "no:cacheprovider", "--import-mode=importlib")
        ran = run(folder, "-m", "pytest", "-q", *options, "--rootdir", str(folder), *tests)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_component_of_the_guide_is_found_and_judged(tmp_path: Path) -> None:
    folder = copied(tmp_path, "a component")
    code = (
        "from console.components.judge import judge\n"
        "from console.settings.presets import load_library\n"
        "from tests.findings.worlds import facts, workload\n"
        "labels = {'app.kubernetes.io/name': 'queue-proxy'}\n"
        "seen = facts(workload('Deployment', 'proxy', spec={'replicas': 1}, status={}, labels=labels))\n"
        "component = next(c for c in judge(seen, load_library().components.values()) if c.id == 'queue-proxy')\n"
        "print(component.state, component.reason)\n"
    )
    ran = run(folder, "-c", code)
    assert ran.stdout.startswith("down "), ran.stdout + ran.stderr


def test_every_section_of_the_guide_is_tried() -> None:
    assert re.findall(r"^## Add (.*)$", GUIDE, re.M) == list(FILES)
