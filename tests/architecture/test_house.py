"""The house as a whole: no circles, rooms and functions of a size, one name for one thing, a picture that is true."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from radon.complexity import cc_visit

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "console"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES, MOST_MODULES, MOST_COMPLEX = 400, 25, 20
REASON = "# complex:"
"""Begins the comment, on the line before a function above the limit, that says why it is one."""


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports under TYPE_CHECKING and inside functions count: a circle is a parameter that is too big."""
    graph = grimp.build_graph("console", cache_dir=None)
    order = TopologicalSorter({m: graph.find_modules_directly_imported_by(m) for m in graph.modules})
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_a_module_is_a_room_not_a_hall() -> None:
    long = {str(path.relative_to(ROOT)): n for path in MODULES if (n := path.read_text().count("\n")) > MOST_LINES}
    assert long == {}


def test_a_folder_holds_no_more_than_one_can_look_through() -> None:
    count: dict[str, int] = defaultdict(int)
    for path in MODULES:
        count[str(path.parent.relative_to(ROOT))] += 1
    assert {folder: n for folder, n in count.items() if n > MOST_MODULES} == {}


def test_a_function_above_the_limit_says_why() -> None:
    found = []
    for path in MODULES:
        text = path.read_text()
        lines = text.split("\n")
        for block in cc_visit(text):
            for one in [block, *getattr(block, "methods", ())]:
                before = lines[one.lineno - 2] if one.lineno > 1 else ""
                if one.letter != "C" and one.complexity > MOST_COMPLEX and REASON not in before:
                    found.append(f"{path.relative_to(ROOT)}:{one.lineno} {one.fullname} {one.complexity}")
    assert found == []


def test_a_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_an_alias_means_one_thing_everywhere_and_is_no_class() -> None:
    classes: set[str] = set()
    meanings: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        tree = ast.parse(path.read_text())
        classes |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        for name, meaning in _aliases(tree):
            meanings[name].add(meaning)
    assert [name for name, found in meanings.items() if name in classes or len(found) > 1] == []


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of types that a module gives (`Row = Mapping[str, Any]`), each with what it stands for."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and not name.isupper():
                yield name, ast.unparse(node.value)


def test_the_picture_of_the_house_is_the_house() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.house", "--check"], cwd=ROOT, timeout=60)
    assert done.returncode == 0, "run: python -m tools.house"
