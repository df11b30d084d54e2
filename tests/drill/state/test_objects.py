"""Objects as they are made: each is its own."""

from __future__ import annotations

from console.drill.state.ids import Ids
from console.drill.state.objects import build
from console.drill.state.resources import SPARKAPPS


def test_what_is_added_to_the_labels_of_a_run_does_not_stand_on_what_was_made_with_them_before() -> None:
    labels, notes = {"team": "a"}, {"why": "b"}
    made = build(SPARKAPPS, "nightly", 0.0, Ids(1), namespace="jobs", labels=labels, annotations=notes)
    labels["run"] = notes["run"] = "1"
    assert (made["metadata"]["labels"], made["metadata"]["annotations"]) == ({"team": "a"}, {"why": "b"})
