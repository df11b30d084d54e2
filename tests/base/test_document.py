import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.base.document import parse
from console.base.errors import DocumentError, did_you_mean

TEXT = "steps:\n  - id: one\n    change:\n      target: x\n  - id: two\n"


def test_every_value_knows_its_line_and_column() -> None:
    document = parse(TEXT, "book.yaml")
    assert document.data["steps"][1] == {"id": "two"}
    assert document.mark(("steps", 0, "change", "target")) == (4, 7)
    error = document.unknown_key(("steps", 0, "change"), "target", ["targets", "patch"])
    assert str(error) == "book.yaml:4:7: unknown key 'target' [steps[0].change.target]\n  hint: did you mean 'targets'?"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "twice"),
        ("a: &x [1]\nb: *x\n", "alias"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("a: [1, 2\n", "expected"),
        ("a: \x1b[31m\n", "U\\+001B"),
        ("? {a: 1}\n: 2\n", "key"),
    ],
)
def test_documents_that_hide_something_are_refused_with_a_place(text: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as caught:
        parse(text, "bad.yaml")
    assert caught.value.place.startswith("bad.yaml")


def test_dates_stay_text_and_nothing_becomes_none() -> None:
    assert parse("reviewed: 2026-11-24\nempty:\n", "x").data == {"reviewed": "2026-11-24", "empty": None}


@given(st.text(max_size=300))
def test_no_text_escapes_as_another_error(text: str) -> None:
    with contextlib.suppress(DocumentError):
        assert parse(text, "fuzz.yaml").file == "fuzz.yaml"


def test_the_nearest_choice_is_suggested_and_else_all_are_named() -> None:
    assert did_you_mean("contxt", ["context", "mode"]) == "did you mean 'context'?"
    assert did_you_mean("zzz", ["b", "a"]) == "valid choices: a, b"
