"""What is cut off with a number in the code is either only looked at, or says what was left out.

Names of bounds are decided in `test_limits`; here stand those that have none. A list that people read is cut with
`listed` ("a, b and 4 more"), a text with `shorten` (an ellipsis): both say that there was more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2] / "console"
ASIDE = ("drill", "workstreams")
SMALL = 20
"""Fewer are examples, such as three places that are quoted as evidence."""

LOOKED_AT = "only the beginning is looked at, to see what it is or to find a word; nothing of it is shown"
BOUNDED = "the record keeps its beginning; the place that is named beside it has the whole"
NAME = "an id or a file's name of a fixed length"
FILTERED = "candidates of a field in which the person types on"
SAID = "the line below says that there is more"
NUMBER = "a number or a quantity is never longer"

DECIDED = {
    "apps/attach.py": LOOKED_AT,
    "apps/evidence.py": LOOKED_AT,
    "base/secretvalues.py": LOOKED_AT,
    "base/units.py": NUMBER,
    "cli/workstreams/common.py": LOOKED_AT,
    "facts/chain.py": LOOKED_AT,
    "facts/lognames.py": LOOKED_AT,
    "facts/logs.py": BOUNDED,
    "facts/operatorlogs.py": BOUNDED,
    "findings/against/measured.py": NAME,
    "findings/ends.py": LOOKED_AT,
    "findings/restlog.py": LOOKED_AT,
    "findings/rules/storage/object_store.py": LOOKED_AT,
    "operate/approvals/request.py": NAME,
    "operate/locks.py": NAME,
    "runbook/filters.py": NUMBER,
    "runbook/match.py": LOOKED_AT,
    "runbook/authors/importing/book.py": NAME,
    "runbook/context/podsums.py": NUMBER,
    "runbook/types.py": NUMBER,
    "sources/cluster/discovery.py": LOOKED_AT,
    "sources/cluster/fields.py": NUMBER,
    "sources/folder/collected.py": LOOKED_AT,
    "sources/folder/contents.py": LOOKED_AT,
    "sources/folder/described.py": LOOKED_AT,
    "sources/folder/exposition.py": LOOKED_AT,
    "sources/folder/harvest.py": LOOKED_AT,
    "sources/folder/jsontext.py": LOOKED_AT,
    "sources/folder/recognize.py": LOOKED_AT,
    "sources/folder/rest.py": LOOKED_AT,
    "sources/folder/sections.py": LOOKED_AT,
    "sources/folder/shipped.py": LOOKED_AT,
    "sources/folder/text.py": LOOKED_AT,
    "sources/prometheus/alertmanager.py": LOOKED_AT,
    "sources/prometheus/monitoring.py": LOOKED_AT,
    "sources/prometheus/readings.py": BOUNDED,
    "sources/spark/eventrows.py": BOUNDED,
    "sources/spark/rest.py": BOUNDED,
    "tui/pages/command.py": FILTERED,
    "wire/connection.py": NAME,
    "wire/errors.py": BOUNDED,
    "wire/reader.py": LOOKED_AT,
}
"""Modules that cut with a bare number, and why nobody misses what they cut off."""


def bare(tree: ast.AST) -> Iterator[ast.Subscript]:
    """Slices from the beginning to a number that stands in the code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.lower is None:
            upper = node.slice.upper
            if isinstance(upper, ast.Constant) and isinstance(upper.value, int):
                yield node


def size(node: ast.Subscript) -> int:
    assert isinstance(node.slice, ast.Slice) and isinstance(node.slice.upper, ast.Constant)
    return int(node.slice.upper.value)  # type: ignore[arg-type]


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(HOUSE.rglob("*.py")):
        room = path.relative_to(HOUSE)
        if room.parts[0] not in ASIDE:
            yield str(room), ast.parse(path.read_text())


def test_whoever_cuts_with_a_bare_number_has_a_reason() -> None:
    assert {room for room, tree in modules() if any(size(s) >= SMALL for s in bare(tree))} == set(DECIDED)


def test_a_list_that_people_read_says_how_many_more_there_are() -> None:
    """`", ".join(names[:5])` looks like all of them."""
    silent = []
    for room, tree in modules():
        for call in ast.walk(tree):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "join"
                and _sets_apart(call.func.value)
            ):
                parts = [part for argument in call.args for part in _joined(argument)]
                silent += [f"{room}: {ast.unparse(call)}" for part in parts if part in set(bare(part))]
    assert [one for one in silent if not one.startswith(tuple(QUOTED))] == []


def _sets_apart(between: ast.expr) -> bool:
    """Whether it stands between parts of a list that people read, and not of a path or a name."""
    return isinstance(between, ast.Constant) and between.value in (", ", "; ", " and ", " or ", " → ")


def _joined(argument: ast.expr) -> list[ast.expr]:
    """What is joined: a list itself, or what a comprehension runs over."""
    return (
        [g.iter for g in argument.generators] if isinstance(argument, ast.GeneratorExp | ast.ListComp) else [argument]
    )


QUOTED = {
    "apps/evidence.py": "labels of a sample that is quoted as evidence; its query has them all",
    "base/errors.py": "the valid choices, with `…` where there are more",
    "live/doctor/checks.py": "the hint beside the problems, which are counted",
    "timing/words.py": "what the tasks did most; shares that add up to less than all",
}
"""Modules that join a part of a list, and why that misleads nobody."""
