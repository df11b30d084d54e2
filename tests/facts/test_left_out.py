"""No limit is silent: what a bound left out is counted and named."""

from __future__ import annotations

from console.facts.leftout import LeftOut, bounded


def test_what_fits_leaves_nothing_out() -> None:
    assert bounded([1, 2], 2, source="pods", what="are read") == ([1, 2], ())


def test_what_does_not_fit_is_counted_and_the_next_ones_are_named() -> None:
    kept, left_out = bounded(
        list("abcdef"), 2, source="pods", what="servers are followed", first="the sick first", name=str
    )
    assert kept == ["a", "b"]
    assert [one.said for one in left_out] == [
        "pods: 2 of 6 servers are followed, the sick first; not c, d, e and 1 more"
    ]


def test_where_nobody_counted_it_is_said_that_these_are_not_all() -> None:
    assert (
        LeftOut("components", "pods of DaemonSet/a/b are read", 500).words == "only 500 pods of DaemonSet/a/b are read"
    )


def test_what_is_left_out_of_a_list_without_names_is_only_counted() -> None:
    kept, (left,) = bounded([1, 2, 3], 1, source="pods", what="are read")
    assert (list(kept), left.words, left.first, left.names) == ([1], "1 of 3 are read", "", ())
    assert left.blinds is False and LeftOut("pods", "are read", 1).blinds is False


def test_where_all_that_was_left_out_is_named_no_more_is_spoken_of() -> None:
    _, (left,) = bounded(list("abc"), 1, source="pods", what="are read", name=str, blinds=True)
    assert left.words == "1 of 3 are read; not b, c"
    assert left.blinds is True
    assert LeftOut("pods", "are read", 1, names=("b",)).words == "only 1 are read; not b"


def test_at_most_three_are_named() -> None:
    _, (left,) = bounded(list("abcdefgh"), 1, source="pods", what="are read", name=str)
    assert left.names == ("b", "c", "d")
    _, (left,) = bounded(list("abcdefgh"), 5, source="pods", what="are read", name=str)
    assert left.names == ("f", "g", "h")
