"""docs/runbooks.md: every example in it is a runbook, or a part of one, that loads and passes lint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.runbook import schema
from console.runbook.language.ends import ENDS
from console.runbook.language.shapes import SHORT
from console.runbook.lint.run import lint
from tests.runbook.player import LIBRARY

TEXT = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
HEAD = {
    "apiVersion": "console/v1",
    "kind": "Runbook",
    "id": "example",
    "title": "An example",
    "owner": "me",
    "reviewed": "2026-11-20",
    "what": "It is an example.",
    "when_not_to_use": "Always.",
    "about": "cluster",
    "match": "{findings: [operator-down]}",
}


def whole(example: str) -> str:
    """The example with the keys of a head that it leaves out."""
    missing = [f"{key}: {value}" for key, value in HEAD.items() if not re.search(rf"^{key}:", example, re.MULTILINE)]
    return "\n".join([*missing, example])


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_passes_lint(example: str) -> None:
    book = schema.load(whole(example), "docs/runbooks.md")
    found = lint(book, scripts=LIBRARY.scripts, catalogue=LIBRARY.catalogue, today="2026-11-25")
    assert [f"{p.line} {p.message} ({p.hint})" for p in found] == []


def test_every_verb_has_a_section_and_every_end_is_named() -> None:
    assert set(SHORT) == set(re.findall(r"^### (\w+):", TEXT, re.MULTILINE))
    flat = " ".join(TEXT.split())
    assert [end for end in ENDS if f"`{end.replace('-', ' ')}`" not in flat] == []


def test_it_is_read_in_one_sitting() -> None:
    assert len(TEXT.splitlines()) <= 400


def test_every_expression_of_the_table_is_one() -> None:
    rows = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", TEXT.split("## Expressions")[1], re.MULTILINE)
    assert len(rows) >= 9
    for row in rows:
        schema.load(whole(f'values: {{it: "{row.replace(chr(92) + "|", "|")}"}}\nsteps:\n- note: x\n'), "x.yaml")
