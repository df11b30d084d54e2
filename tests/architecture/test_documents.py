"""README, SECURITY and the other pages are true: their YAML loads, their commands run.

Commands run in this process against the simulated cluster, whose time stands still; what a page leaves open (`APP`,
`FOLDER`) is filled in. What needs a terminal, a network or an hour is not run, and stands in `ELSEWHERE` with what
does.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cli.main import run
from console.rehearse.playing import Rehearsal
from console.runbook import schema, scripts
from console.runbook.documents import KINDS
from console.settings.load import load

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "SECURITY.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/runbooks.md",
         "docs/second-person.md", "docs/guards.md", "docs/scripts.md")  # fmt: skip
"""CONTRIBUTING.md is run by its own test."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
INLINE = re.compile(r"`((?:console|python -m|\.ci/run)(?: [^`]*)?)`")
APP = "spark-prod/etl-orders"
DATA = ROOT / "tests" / "data"

COMMANDS: dict[str, tuple[str, set[int]]] = {
    "console": ("", {0, 1}),
    "console --version": ("--version", {0}),
    "console doctor": ("doctor", {0, 1}),
    "console doctor --rbac": ("doctor --rbac", {0}),
    "console status": ("status", {0, 1}),
    "console apps NAME": (f"apps {APP}", {0, 1}),
    "console diagnose": (f"diagnose {APP}", {0, 1}),
    "console diagnose APP --explain": (f"diagnose {APP} --explain", {0, 1}),
    "console diagnose FOLDER": (f"diagnose {DATA / 'slow' / 'few-tasks-bad'}", {0, 1}),
    "console diagnose APP --slow": (f"diagnose {APP} --slow", {0, 1}),
    "console slo": ("slo", {0, 1}),
    "console slo show ID": ("slo show job-success", {0, 1}),
    "console slo rules --preset NAME": ("slo rules --preset airflow-connect-k8s", {0}),
    "console slo import": (f"slo import {DATA / 'slo' / 'sloth-spec.yaml'}", {0}),
    "console gpu": ("gpu", {0, 1}),
    "console waits": ("waits", {0, 1}),
    "console components": ("components", {0, 1}),
    "console preset detect": ("preset detect", {0, 1}),
    "console advise": ("advise", {0, 1}),
    "console advise [APP]": (f"advise {APP}", {0, 1}),
    "console workstreams summary": (f"workstreams summary {DATA / 'workstreams' / 'index.md'}", {0, 1}),
    "console config path": ("config path", {0}),
    "console runbooks lint": ("runbooks lint", {0}),
    "console runbooks show": ("runbooks show spark-oom", {0}),
    "console runbook spark-oom": ("runbook spark-oom --plain", {0, 1, 4}),
    "console runbook spark-oom --app NAMESPACE/NAME": (f"runbook spark-oom --app {APP}", {0, 1, 4}),
    "console incident timeline": ("incident timeline", {0}),
    "console runbook --resume latest": ("runbook --resume latest", {0, 1, 2, 4}),
    "console runbook --undo WALK": ("runbook --undo latest", {0, 1, 2, 4}),
    "console runbook --resume": ("runbook --resume latest", {0, 1, 2, 4}),
    "console approve": ("approve", {0}),
    "console approve DIGEST": ("approve 0123456789ab", {2}),
    "console incident kept": ("incident kept", {0}),
    "console runbooks stats": ("runbooks stats", {0}),
    "console runbooks vocabulary findings": ("runbooks vocabulary findings", {0}),
    "console runbooks vocabulary": ("runbooks vocabulary", {0}),
    "console runbooks coverage": ("runbooks coverage", {0, 1}),
    "console runbooks coverage --alerts FILE": (
        f"runbooks coverage --alerts {DATA / 'monitoring' / 'rules.yaml'}",
        {0, 1},
    ),
    "console runbooks schema": ("runbooks schema", {0}),
    "console runbooks vocabulary verbs": ("runbooks vocabulary verbs", {0}),
    "console runbooks list": ("runbooks list", {0}),
    "console runbooks show NAME": ("runbooks show quota", {0}),
    "console runbooks show image-pull": ("runbooks show image-pull", {0}),
    "console diagnose --explain": (f"diagnose {APP} --explain", {0, 1}),
    "console incident hand-over": ("incident hand-over", {0, 1, 2, 4}),
    "console incident note": ("incident note latest seen", {0, 1, 2, 4}),
    "console incident stop WALK --because TEXT": ("incident stop latest --because lunch", {0, 1, 2, 4}),
}
ELSEWHERE = {
    "console drill spark-oom": "needs a terminal: tests/tui plays it",
    "console drill … --serve": "tests/drill/test_serve.py serves one",
    "console drill spark-oom --auto": "tests/test_rehearsal.py plays every case",
    "console diagnose -": "tests/sources/folder/test_pasted_forms.py pipes",
    "console diagnose APP --against RUN": "tests/findings/against/test_command.py compares some",
    "console exam FOLDER": "tests/cli/test_exam.py sits one",
    "console exam tests/data/evidence": "tests/findings/test_diagnosis_page.py sits it",
    "console runbooks test": "tests/cli/test_proving.py plays one",
    "console runbooks test pause-scans": "tests/runbook/test_scripts_page.py plays it",
    "console runbooks test FOLDER": "tests/runbook/test_scripts_page.py plays it",
    "console runbooks new": "tests/runbook/test_authors.py writes some",
    "console runbooks new image-pull": "tests/runbook/test_authors.py writes some",
    "console runbooks import PodFlapping.md": "tests/cli/test_import.py imports some",
    "console runbooks import PAGE.md": "tests/cli/test_import.py imports some",
    "console runbooks lint runbooks/": "tests/runbook/test_library.py lints it from any folder",
    "console runbook --resume WALK --take-over TEXT": "tests/operate/test_two_people.py takes one over",
    ".ci/run": "is the check itself",
}


def pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield page, (ROOT / page).read_text()


def shown() -> dict[str, str]:
    """Command → the page that shows it. A command of a code block counts without the path to it."""
    found: dict[str, str] = {}
    for page, text in pages():
        for command in INLINE.findall(BLOCK.sub("", text)):
            found[" ".join(command.split())] = page
        for language, block in BLOCK.findall(text):
            for part in re.split(r"&&|\n", block) if language == "sh" else ():
                words = part.partition(" #")[0].strip().removeprefix(".venv/bin/")
                if words.startswith("console"):
                    found[words] = page
    return found


def load_block(text: str, folder: Path) -> str:
    """What a YAML block is; it raises where it is not what it looks like."""
    tree: Any = yaml.safe_load(text)
    if tree.get("kind") == "Script":
        scripts.load(text, "page.yaml", str(folder))
        return "script"
    if tree.get("kind") == "Role":
        assert all(rule["apiGroups"] and rule["resources"] and rule["verbs"] for rule in tree["rules"])
        return "role"
    if tree.get("kind") in KINDS:
        ends = [{"id": name, "kind": "end", "title": name, "outcome": "resolved"} for name in ("declined", "done")]
        keys = ("until", "on_effective", "on_ineffective", "on_worse", "on_unknown")
        verify = {"id": tree.get("verify", "look"), "kind": "verify", "title": "Look", **dict.fromkeys(keys, "done")}
        book = {"apiVersion": "console/v1", "kind": "Runbook", "id": "page", "version": "1.0.0", "title": "x"}
        schema.load(yaml.safe_dump({**book, "steps": [tree, verify, *ends]}), "page.yaml")
        return "step"
    (folder / "config.yaml").write_text(text)
    load(folder / "config.yaml", env={})
    return "config"


def test_every_yaml_of_the_pages_is_accepted(tmp_path: Path) -> None:
    """The examples of docs/runbooks.md and docs/drills.md are linted and played by tests of their own."""
    elsewhere = ("docs/runbooks.md", "docs/drills.md")
    mine = [text for page, text in pages() if page not in elsewhere]
    blocks = [text for page in mine for language, text in BLOCK.findall(page) if language == "yaml"]
    seen = [load_block(text, tmp_path) for text in blocks]
    assert sorted(seen) == ["config", "config", "config", "role", "role", "script", "step"]


def test_every_command_of_the_pages_is_tried_here_or_elsewhere() -> None:
    unknown = {
        command: page
        for command, page in shown().items()
        if command not in COMMANDS and command not in ELSEWHERE and not command.startswith("python -m")
    }
    assert unknown == {}


def test_every_module_that_a_page_runs_is_there() -> None:
    modules = [command.split()[2] for command in shown() if command.startswith("python -m")]
    assert len(modules) >= 6
    for module in modules:
        found = importlib.util.find_spec(module)
        assert found is not None, module
        if found.submodule_search_locations:
            assert importlib.util.find_spec(f"{module}.__main__"), f"{module} is a folder that does not run"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    folder = tmp_path_factory.mktemp("pages")
    with Rehearsal("spark-oom", step=True) as rehearsal, pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "STATE", "CACHE"):
            patch.setenv(f"CONSOLE_{name}_DIR", str(folder / name.lower()))
        patch.setenv("KUBECONFIG", str(rehearsal.session.kubeconfig))
        patch.setenv("CONSOLE_PROMETHEUS_URL", str(rehearsal.session.prometheus_url))
        yield rehearsal


def ran(argv: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and everything that a command printed, with nobody at its standard input."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO())
        code = run(argv.split())
    return code, said.getvalue() + "".join(capsys.readouterr())


@pytest.mark.xdist_group("pages")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_pages_runs(command: str, cluster: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    argv, expected = COMMANDS[command]
    if any(word in argv for word in ("--resume", "timeline", "kept")):  # it needs a walk that was begun before
        begun = ran(f"runbook spark-oom --app {APP} --plain", capsys)
        assert ran("incident list -o json", capsys)[1].count('"walk"') >= 1, begun
    code, printed = ran(argv, capsys)
    assert code in expected, printed[-2000:]
    assert "Traceback" not in printed and "internal error" not in printed
    assert printed.strip()
