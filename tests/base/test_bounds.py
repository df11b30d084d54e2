"""Whatever stands where a number, a time, a text or a document is due: it is read within bounds, or refused.

Every parser of `console.base` is asked with anything that its caller may hold. Nothing but its own refusal may come
out, and what it gives can be added up, shown and encoded.
"""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from console.base.clock import LAST, parse_epoch, parse_time, rfc3339
from console.base.decode import Duration, Size, check
from console.base.document import MAX_BYTES, MAX_NODES, parse, parse_all
from console.base.errors import DocumentError, UsageError
from console.base.jsontext import decode_json, elements, encode_json
from console.base.text import clean, utf8
from console.base.units import (
    MOST,
    MOST_SECONDS,
    human_bytes,
    human_duration,
    parse_count,
    parse_duration,
    parse_jvm_size,
    parse_number,
    parse_quantity,
)

quick = examples(max_examples=150, deadline=None)
HUGE = "9" * 400
UNITS = st.sampled_from(
    ["", "Ki", "Mi", "Gi", "Ei", "k", "m", "g", "t", "pb", "E", "n", "s", "ms", "h", "d", "y", "e9"]
)
DIGITS = st.one_of(
    st.integers(min_value=-(10**30), max_value=10**30).map(str),
    st.sampled_from(
        [HUGE, "0" * 400 + "1", "1e400", "1e-400", "1e999999999", "nan", "-inf", "inf", "0x10", "1_000", ""]
    ),
    st.floats().map(str),
    st.text(max_size=8),
)
TEXTS = st.one_of(st.builds(lambda n, u: f"{n}{u}", DIGITS, UNITS), st.text(max_size=80))
NUMBERS = st.one_of(st.integers(), st.floats(), st.just(10**400), st.just(-(10**400)), st.booleans())
ANYTHING = st.one_of(TEXTS, NUMBERS, st.none(), st.just([]), st.just({}))


@quick
@given(st.one_of(TEXTS, NUMBERS))
@example("9223372036854775296")
def test_a_quantity_is_within_what_kubernetes_holds_or_none(value: Any) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= parse_quantity(value) <= 2.0**63, "the largest are rounded to the power of two above them"


@quick
@given(st.one_of(TEXTS, st.integers()))
def test_a_jvm_size_is_within_a_long_or_none(value: Any) -> None:
    with contextlib.suppress(ValueError):
        size = parse_jvm_size(value, "m")
        assert 0 <= size <= MOST and isinstance(size, int)


@quick
@given(st.one_of(TEXTS, NUMBERS))
def test_a_duration_is_within_three_centuries_or_none(value: Any) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= parse_duration(value) <= MOST_SECONDS


@quick
@given(ANYTHING)
def test_a_number_is_finite_and_a_count_is_whole(value: Any) -> None:
    number, count = parse_number(value), parse_count(value)
    assert number is None or (math.isfinite(number) and abs(number) <= MOST)
    assert count is None or (isinstance(count, int) and 0 <= count <= MOST)


@quick
@given(
    st.one_of(ANYTHING, st.datetimes().map(str), st.datetimes(timezones=st.timezones()).map(lambda t: t.isoformat()))
)
def test_a_time_can_always_be_shown(value: Any) -> None:
    for seconds in (parse_time(value), parse_epoch(value), parse_epoch(value, per_second=1000)):
        assert seconds is None or (0 < seconds <= LAST and rfc3339(seconds) is not None)


@quick
@given(st.one_of(NUMBERS.filter(lambda n: not isinstance(n, bool)), st.none()))
def test_whatever_is_shown_is_a_short_word(value: Any) -> None:
    assert all(len(word) < 24 for word in (human_bytes(value), human_duration(value), rfc3339(value) or "?"))


@pytest.mark.parametrize(
    "value",
    [HUGE, HUGE + "g", HUGE + "Mi", "1e400", "1e19", "-1", "-1Gi", "9Ei", "NaN", "inf", 10**400, float("inf"), 1e19],
)
def test_numbers_out_of_any_sensible_range_are_no_quantities(value: Any) -> None:
    with pytest.raises(ValueError, match="no Kubernetes quantity") as caught:
        parse_quantity(value)
    assert len(str(caught.value)) < 120


def test_the_largest_quantities_are_read() -> None:
    assert parse_quantity("7Ei") == 7 * 2**60
    assert parse_quantity(str(MOST)) == 2.0**63
    assert parse_quantity("1e-9") == 1e-9


@pytest.mark.parametrize("value", [HUGE, HUGE + "g", "8192p", "-1g", str(MOST + 1), 10**400])
def test_memory_of_four_hundred_digits_is_no_jvm_size(value: Any) -> None:
    with pytest.raises(ValueError, match="no JVM size") as caught:
        parse_jvm_size(value, "m")
    assert len(str(caught.value)) < 120
    assert parse_jvm_size("8191p") == 8191 * 2**50


@pytest.mark.parametrize("value", [HUGE, HUGE + "s", "293y", "-5", "1e3", "nan", "inf", float("nan"), -1.0, 1e300])
def test_a_duration_that_no_server_can_hold_is_none(value: Any) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(value)
    assert parse_duration("292y") < MOST_SECONDS


def test_counts_and_numbers_are_themselves_or_unknown() -> None:
    assert [parse_count(v) for v in (7, 7.0, " 12 ", MOST, "0")] == [7, 7, 12, MOST, 0]
    assert [parse_count(v) for v in (MOST + 1, -1, 1.5, True, "²", "1e3", HUGE, None, float("nan"))] == [None] * 9
    assert [parse_number(v) for v in (1.5, -3, MOST)] == [1.5, -3.0, 2.0**63]
    assert [parse_number(v) for v in ("1", True, 10**400, float("inf"), float("nan"), 1e300)] == [None] * 6


def test_times_beyond_the_calendar_are_unknown() -> None:
    assert parse_time("9999-12-31T23:59:59Z") == LAST and rfc3339(LAST) == "9999-12-31T23:59:59Z"
    assert parse_time("9999-12-31T23:59:59-01:00") is None
    assert parse_time("10000-01-01T00:00:00Z") is None
    assert parse_time("0000-00-00T00:00:00Z") is None
    assert parse_epoch(1795422887123, per_second=1000) == 1795422887.123
    assert [parse_epoch(v) for v in (0, -1, LAST + 1, 1795422887123, "5", None)] == [None] * 6
    assert rfc3339(1e20) is None and rfc3339(float("nan")) is None


# Documents

SCALARS = ["1e400", ".inf", "-.Inf", ".nan", "1.0e+400", HUGE, "0b" + "1" * 90, "-" + HUGE, "1:" * 40 + "1.5", "1" * 20]


@pytest.mark.parametrize("scalar", SCALARS)
def test_numbers_of_a_document_that_json_cannot_hold_stay_text(scalar: str) -> None:
    assert parse(f"a: {scalar}", "x").data == {"a": scalar}


def test_numbers_of_sixty_four_bits_are_numbers() -> None:
    assert parse(f"[{MOST}, -{MOST}, 1.5e+10]", "x").data == [MOST, -MOST, 1.5e10]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("!!int ''", "'' is no int"),
        ("!!bool perhaps", "'perhaps' is no bool"),
        ("!!float ''", "'' is no float"),
        ("!!binary aGk=", "not allowed"),
        ("[" * 5000, "nesting"),
        ("- " * 5000, "nesting"),
        ("[" * 70 + "]" * 70, "nested too deeply"),
        ("[" + "a," * (MAX_NODES + 1) + "]", "nodes"),
        ("a: &x [&y {b: c}]\nd: [*y, *y]", "alias"),
        ("a: &x " + "y" * 100_000 + "\nb: [" + "*x," * 50 + "]", "repeat too much"),
        ("? [a]\n: b", "plain word"),
        ("a" * (MAX_BYTES + 1), "larger"),
    ],
)
def test_documents_that_would_cost_too_much_are_refused_where_they_are_read(text: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        parse(text, "x")


def test_a_document_of_too_many_nodes_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "compose", lambda *_, **__: pytest.fail("it was built"))
    with pytest.raises(DocumentError, match="nodes"):
        parse("[" + "a," * (MAX_NODES + 1) + "]", "x")


def test_keys_are_texts_whatever_they_look_like() -> None:
    text = "1: a\n1.5: b\nnull: c\ntrue: d\n2026-01-01: e\n=: f\n<<: g"
    assert list(parse(text, "x").data) == ["1", "1.5", "null", "true", "2026-01-01", "=", "<<"]


FRAGMENTS = [
    *SCALARS, "a", "- ", ": ", "? ", "{", "}", "[", "]", ", ", "\n", "\n  ", "&x ", "*x", "|\n", ">-\n", "!!int ",
    "!!set ", "!!omap ", "!<y> ", "<<", "=", "'", '"', "\\ud800", "---\n", "...\n", "%YAML 1.1\n", "#", "\t", "\x00",
    "\ud800", "2026-01-01",
]  # fmt: skip


@quick
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
def test_any_document_is_a_tree_that_json_can_hold_or_a_problem_with_a_place(text: str) -> None:
    with contextlib.suppress(DocumentError):
        for document in (parse(text, "fuzz.yaml"), *parse_all(text, "fuzz.yaml")):
            assert decode_json(msgspec.json.encode(document.data)) == document.data


class Sizes(msgspec.Struct, forbid_unknown_fields=True):
    wait: Duration = 0.0
    room: Size = 0
    share: float = 0.0
    count: int = 0


@quick
@given(st.dictionaries(st.sampled_from(["wait", "room", "share", "count", "x"]), ANYTHING, max_size=4))
def test_a_document_without_problems_is_a_value_within_bounds(data: dict[str, Any]) -> None:
    tree, problems = check(parse("{}", "x").holding(data), Sizes)
    assert all(len(str(problem)) < 300 for problem in problems)
    if not problems:
        made = msgspec.convert(tree, Sizes)
        assert made.wait <= MOST_SECONDS and made.room <= MOST and math.isfinite(made.share) and abs(made.count) <= MOST


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"wait: {HUGE}s", "no duration"),
        ("wait: 300y", "no duration from 0 to 292 years"),
        ("wait: 1e30", "is not a duration"),
        ("room: 10000000T", "no Kubernetes quantity"),
        ("room: 9000000T", None),
        (f"room: {HUGE}", "no Kubernetes quantity"),
        ("share: .inf", "a number is expected"),
        ("count: 1e400", "a whole number is expected"),
        ("count: 1.5", "a whole number is expected"),
        ("count: 1.0e+18", None),
    ],
)
def test_a_number_out_of_range_is_a_problem_with_its_place(text: str, says: str | None) -> None:
    _, problems = check(parse(text, "x.yaml"), Sizes)
    assert (problems == []) if says is None else (len(problems) == 1 and says in str(problems[0]))


# JSON and names


@pytest.mark.parametrize("body", [b'"\xff"', b"[" * 100_000, b'{"a":' * 50_000, b"1e400", b"{", b'"\\ud800"', b""])
def test_whatever_is_wrong_with_json_it_fails_in_one_way(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(body)


@quick
@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_a_decode_error(body: bytes) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        decode_json(body, dict[str, int])


def test_a_file_name_that_is_no_utf8_can_be_shown_and_encoded() -> None:
    name = os.fsdecode(b"caf\xe9.yaml")
    assert utf8(name) == clean(name) == "caf\ufffd.yaml" and utf8("café") == "café"
    assert decode_json(encode_json({"files": [(name, Path(name).stem)]})) == {
        "files": [["caf\ufffd.yaml", "caf\ufffd"]]
    }
    for error in (DocumentError("no", file=name, line=3), UsageError(f"cannot read {name}", hint=name)):
        str(error).encode()
        error.message.encode()
    with pytest.raises(DocumentError, match="larger") as caught:
        parse("a" * (MAX_BYTES + 1), name)
    assert caught.value.file == name and caught.value.place == "caf\ufffd.yaml"


@quick
@given(st.text(st.characters(), max_size=40))
def test_any_text_can_be_encoded_after_it_was_cleaned(text: str) -> None:
    clean(text).encode()
    utf8(text).encode()


DEEP = "[" * 3000 + "]" * 3000


@pytest.mark.parametrize(("key", "text"), [("", "[{0}]"), ("items", '{{"kind": "List", "items": [{0}]}}')])
def test_an_element_that_cannot_be_read_hides_no_other_and_a_list_without_its_end_is_no_list(
    key: str, text: str
) -> None:
    whole = text.format(f'{{"a": 1}}, {{"deep": {DEEP}}}, {{"b": 2}}').encode()
    assert [one[:4] for one in elements(whole, key)] == [b'{"a"', b'{"de', b'{"b"']
    for end in range(1, 12):
        with pytest.raises(msgspec.DecodeError):
            elements(whole[:-end], key)
    assert len(elements(whole[:-3], key, cut_off=True)) in (2, 3)
