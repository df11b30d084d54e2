import pytest

from console.base.redact import redact
from console.base.text import clean, seen


def test_terminal_escapes_and_control_characters_do_not_reach_a_terminal() -> None:
    assert clean("a\x1b[31mred\x1b[0m\x07\x9b1mb") == "ared\ufffdb"
    assert clean("\x1b]0;title\x07x\x1b]8;;http://evil\x1b\\y") == "xy"
    assert clean("one\r\ntwo\tthree") == "one two three"
    assert clean("one\r\ntwo", lines=True) == "one\ntwo"


def test_direction_overrides_and_zero_width_characters_are_removed() -> None:
    assert clean("gnp.\u202etxt\u200b") == "gnp.txt"


@pytest.mark.parametrize("begin", ["\x1b]0;", "\x1bP", "\x1bX", "\x1b^", "\x1b_"])
def test_an_escape_that_never_ends_hides_no_other_line(begin: str) -> None:
    text = f"before\nmine {begin}hidden\njava.lang.OutOfMemoryError: Java heap space\npassword=hunter22"
    assert clean(text, lines=True).splitlines() == [
        "before", "mine ", "java.lang.OutOfMemoryError: Java heap space", "password=hunter22",
    ]  # fmt: skip
    assert seen(text).count("\n") == 3
    assert redact(text).splitlines()[2:] == ["java.lang.OutOfMemoryError: Java heap space", "password=[redacted]"]
