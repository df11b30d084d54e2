import pytest

from console.base.units import (
    human_bytes,
    human_duration,
    jvm_size_text,
    parse_duration,
    parse_jvm_size,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("512Mi", 512 * 2**20), ("1500m", 1.5), ("2Gi", 2**31), ("1e3", 1000), ("100k", 1e5), (".5", 0.5), (3, 3)],
)
def test_kubernetes_quantities_are_numbers_of_their_base_unit(text: str | int, value: float) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "12Zi", "1.2.3", "five", "1 Gi", "1100mm"])
def test_what_is_no_quantity_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|suffix"):
        parse_quantity(text)


def test_jvm_sizes_are_binary_and_a_bare_overhead_is_mebibytes() -> None:
    assert parse_jvm_size("512m") == 512 * 2**20
    assert parse_jvm_size("2G") == 2**31
    assert parse_jvm_size("384", default_unit="m") == 384 * 2**20
    with pytest.raises(ValueError, match="JVM size"):
        parse_jvm_size("1.5g")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("250ms", 0.25), ("5 min", 300), (7, 7)])
def test_durations_are_seconds(text: str | int, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10x", "1h and more"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_sizes_and_ages_are_said_in_one_short_word_and_the_unknown_is_a_question_mark() -> None:
    assert [human_bytes(n) for n in (None, 0, 2**30, 1.9 * 2**30, 896 * 2**20)] == ["?", "0B", "1Gi", "1.9Gi", "896Mi"]
    assert [human_duration(n) for n in (None, 42, 840, 7500, 90000)] == ["?", "42s", "14m", "2h05m", "1d"]
    assert [jvm_size_text(n) for n in (1200 * 2**20, 2**31)] == ["1200m", "2g"]
