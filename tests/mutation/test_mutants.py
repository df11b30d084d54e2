"""The changes themselves: what is changed, what is left alone, and how one takes the place of a function."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from tests.mutation import explained as explanations
from tests.mutation.concerns import CONCERNS
from tests.mutation.mutants import Mutant, mutant, read, sites
from tests.mutation.placing import exchange

GUARD = '''"""A guard."""

LIMIT = 3


class Refusal(Exception):
    """A no."""


def allowed(count: int, *, most: int = LIMIT) -> bool:
    """Whether so many are allowed."""
    assert count is not None
    if count > most:
        raise Refusal("there are too many")
    note(count)
    return True


def note(count: int) -> None:
    seen.append(count)


seen: list[int] = []
'''


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mutant]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "guard", raising=False)
    Path("guard.py").write_text(GUARD)
    source = read("guard.py")
    return [found for site in sites(source) if (found := mutant(source, site)) is not None]


def test_conditions_are_turned_round_and_what_acts_or_refuses_is_left_out(guard: list[Mutant]) -> None:
    changes = {one.change for one in guard}
    assert "if count > most: => if not (count > most):" in changes
    assert "if count > most: => if count >= most:" in changes
    assert 'raise Refusal("there are too many") => pass' in changes
    assert "note(count) => pass" in changes
    assert "return True => return False" in changes
    assert "LIMIT = 3 => LIMIT = 4" in changes


def test_what_only_words_or_types_would_notice_is_left_alone(guard: list[Mutant]) -> None:
    assert not [one for one in guard if "assert" in one.change or "XXthere" in one.change or "guard." in one.change]


def test_a_mutant_knows_where_it_is_and_what_is_evaluated_once(guard: list[Mutant]) -> None:
    places = {(one.line, one.function) for one in guard}
    assert (3, "") in places, "a constant"
    assert (13, "allowed") in places
    assert {one.function for one in guard} == {"", "allowed", "note"}


def test_whoever_imported_the_function_has_the_mutant(guard: list[Mutant]) -> None:
    module = importlib.import_module("guard")
    allowed = module.allowed
    with pytest.raises(module.Refusal):
        allowed(4)
    silent = next(one for one in guard if one.change.endswith('many") => pass'))
    assert exchange("guard.py", silent.function, silent.source)
    assert allowed(4) is True
    assert not exchange("guard.py", "gone", silent.source)


def test_every_module_has_tests_that_exist() -> None:
    root = Path(__file__).parents[2]
    assert all((root / module).is_file() for module in CONCERNS)
    assert all((root / file).is_file() for files in CONCERNS.values() for file in files)


def test_each_survivor_is_explained_once_and_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(key.partition(" ")[0] in CONCERNS for key in explanations.explained())
    file = tmp_path / "explained.txt"
    monkeypatch.setattr(explanations, "FILE", file)
    for text, wrong in (("a.py f: x => y\n", "its reason"), ("a.py f: x => y # so\n" * 2, "twice")):
        file.write_text(text)
        with pytest.raises(ValueError, match=wrong):
            explanations.explained()
