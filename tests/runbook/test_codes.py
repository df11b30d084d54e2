"""Every code that a rule can give is known by name, so that a runbook cannot wait for one that never comes."""

from __future__ import annotations

import ast
from pathlib import Path

import console.findings
from console.runbook.catalogue.codes import classes, codes

FOLDER = Path(console.findings.__file__).parent
MAKERS = {"finding", "Rule", "WorldRule"}


def written() -> dict[str, str]:
    """Codes that stand as texts where findings and rules are made, with the file."""
    out: dict[str, str] = {}
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            told = node.args[1:2] if name == "finding" else node.args[:1] if name in MAKERS else []
            told += [k.value for k in node.keywords if k.arg == "code"]
            out.update({a.value: path.name for a in told if isinstance(a, ast.Constant) and isinstance(a.value, str)})
    return out


def test_every_code_that_is_written_somewhere_is_known() -> None:
    found = written()
    assert len(found) > 150
    assert {code: file for code, file in found.items() if code not in codes()} == {}


def test_classes_are_those_of_the_incident_catalogue() -> None:
    assert classes() == {f"I{number:02}" for number in range(1, 31)}
