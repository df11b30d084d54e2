from console.base.text import clean


def test_terminal_escapes_and_control_characters_do_not_reach_a_terminal() -> None:
    assert clean("a\x1b[31mred\x1b[0m\x07\x9b1mb") == "ared\ufffdb"
    assert clean("\x1b]0;title\x07x\x1b]8;;http://evil\x1b\\y") == "xy"
    assert clean("one\r\ntwo\tthree") == "one two three"
    assert clean("one\r\ntwo", lines=True) == "one\ntwo"


def test_direction_overrides_and_zero_width_characters_are_removed() -> None:
    assert clean("gnp.\u202etxt\u200b") == "gnp.txt"
