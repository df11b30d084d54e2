"""A few secrets through every way in and out; `python -m tests.secrets` takes all of them."""

from __future__ import annotations

import pytest

from tests.secrets.everywhere import leaks, touched
from tests.secrets.forms import Form, harmless, planted


@pytest.mark.parametrize("form", planted()[::24], ids=lambda form: f"line {form.line}")
def test_a_planted_secret_is_nowhere_to_be_read(form: Form) -> None:
    assert leaks(form) == []


@pytest.mark.parametrize("text", harmless()[::24])
def test_a_harmless_text_is_the_same_everywhere(text: str) -> None:
    assert touched(text) == []
