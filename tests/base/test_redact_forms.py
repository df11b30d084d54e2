"""Every form of a secret is found, and no text that only speaks of secrets is touched."""

from __future__ import annotations

import pytest

from console.base.redact import MARK, LineRedactor, redact, redact_value
from tests.secrets.forms import Form, harmless, planted


def test_the_lists_are_long() -> None:
    assert len(planted()) >= 200 and len(harmless()) >= 200


@pytest.mark.parametrize("form", planted(), ids=lambda form: f"line {form.line}")
def test_a_secret_goes_in_every_form(form: Form) -> None:
    shown = redact(form.text)
    assert not form.leaks(shown) and MARK in shown
    assert redact(shown) == shown, "redacting twice is redacting once"
    assert shown.count("\n") == form.text.count("\n"), "lines stay lines"
    assert len(shown) >= len(form.text) - sum(map(len, form.secrets)) - 24, "much more than the secret is gone"


@pytest.mark.parametrize("form", planted(), ids=lambda form: f"line {form.line}")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("26/11/29 10:00:00 ERROR Worker: ", ""),
        ("caused by: (", ")"),
        ("first line\n", "\nlast line"),
        ("2026-11-29T10:00:00.098Z stderr F ", ""),
    ],
)
def test_a_secret_goes_in_the_middle_of_a_log(form: Form, before: str, after: str) -> None:
    if "\n" in form.text and "\n" not in before:
        pytest.skip("its lines belong together")
    shown = redact(before + form.text + after)
    assert not form.leaks(shown)
    assert redact(shown) == shown


@pytest.mark.parametrize("form", planted(), ids=lambda form: f"line {form.line}")
def test_a_secret_goes_from_lines_that_come_one_by_one(form: Form) -> None:
    lines = LineRedactor()
    assert not form.leaks("\n".join(lines.line(line) for line in form.text.split("\n")))


@pytest.mark.parametrize("text", harmless())
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert redact(text) == text
    assert redact_value({"message": text}) == {"message": text}
    assert redact(" ".join(text.split())) == " ".join(text.split()), "as an excerpt has it, on one line"
    for before, after in (("26/11/29 10:00:00 WARN X: ", ""), ("a: ", ""), ("one\n", "\ntwo"), ("", " (attempt 3)")):
        if "\n" not in text or "\n" in before:
            assert redact(before + text + after) == before + text + after


@pytest.mark.parametrize("said", ["option password 'must be set'", 'missing password "user" was given alone'])
@pytest.mark.parametrize("before", ["", "spark.x=", "note=a ", "user x "])
def test_a_sentence_about_a_password_is_none_behind_the_value_of_another_key(before: str, said: str) -> None:
    assert redact(before + said) == before + said


@pytest.mark.parametrize("value", ["must be 7", "Must Be Set", "two words", "user"])
def test_what_is_quoted_as_a_password_there_is_one_unless_it_is_a_sentence(value: str) -> None:
    assert value not in redact(f'bind cn=admin,dc=acme password "{value}"')


def test_a_sentence_beside_another_one_is_no_pair_of_a_key_and_its_value() -> None:
    said = ["The provided token has expired. Which of them was the token?", "An error occurred (ExpiredToken)"]
    assert redact_value(said) == said and redact_value({"open_questions": said}) == {"open_questions": said}
    assert redact_value(["spark.app.token", "An error occurred"])[1] == MARK
