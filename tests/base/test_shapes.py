"""What data of others is, by its shape."""

from __future__ import annotations

from typing import Any

import pytest

from console.base.shapes import is_number, mapping, mappings


@pytest.mark.parametrize("other", [None, "text", 7, ["a"], [("a", 1)], True])
def test_what_is_no_mapping_is_read_as_an_empty_one(other: Any) -> None:
    assert mapping(other) == {} and mapping({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("other", [None, "text", 7, {"a": {}}, (1, 2)])
def test_of_what_is_no_list_nothing_is_read(other: Any) -> None:
    assert mappings(other) == [] and mappings([{"a": 1}, "b", None, {}]) == [{"a": 1}, {}]


def test_true_and_false_count_nothing() -> None:
    assert [is_number(one) for one in (0, 1.5, float("nan"), True, False, "1", None)] == [True] * 3 + [False] * 4
