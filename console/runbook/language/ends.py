"""Ends that need not be written: their outcome, and what they say from what happened."""

from __future__ import annotations

from typing import NamedTuple

from console.runbook.model import Outcome


class BuiltInEnd(NamedTuple):
    """`text` is a template; `walk.happened` says in words what was found and changed."""

    title: str
    outcome: Outcome
    text: str


ENDS: dict[str, BuiltInEnd] = {
    "resolved": BuiltInEnd("Resolved", "resolved", "{{ walk.happened }}"),
    "mitigated": BuiltInEnd("Mitigated", "mitigated", "{{ walk.happened }} The cause is not removed."),
    "passed": BuiltInEnd("Passed", "resolved", "Everything that was asked for was seen. {{ walk.happened }}"),
    "observed": BuiltInEnd("Observed", "resolved", "It came right while it was watched. {{ walk.happened }}"),
    "handed-over": BuiltInEnd("Handed over", "handed_over", "{{ walk.happened }} Somebody else has to go on."),
    "not-applicable": BuiltInEnd(
        "Not applicable",
        "not_applicable",
        "This runbook is not for what is seen now: {{ walk.last }}. {{ walk.happened }}",
    ),
    "declined": BuiltInEnd(
        "Change refused", "handed_over", "The change was refused: {{ walk.last }}. {{ walk.happened }}"
    ),
    "not-applied": BuiltInEnd("Not applied", "unresolved", "The change could not be made: {{ walk.last }}."),
    "not-fixed": BuiltInEnd("Not fixed", "unresolved", "It did not help: {{ walk.last }}. {{ walk.happened }}"),
    "unclear": BuiltInEnd(
        "Unclear", "unresolved", "Whether it helped cannot be told: {{ walk.last }}. {{ walk.happened }}"
    ),
}

OBJECTIVES = ("objectives", "objectives-recover")
RETURN = "return"
"""Where the last step of `finally` leads: to the end that the walk was at."""
FINALLY = "finally-"
"""How the ids of steps of `finally` begin."""
ITS_END = "its end"
"""What may stand as `then` of a `run` step: the end of the other runbook is that of the walk."""
RESERVED = (*ENDS, "verify", "next", "applies", RETURN, "its-end", *OBJECTIVES)
"""Names that mean something to every runbook, so that no step may have them."""


def end_of(words: str) -> str:
    """The id of a built-in end as it is written (`handed over`), `` where it is none."""
    id = words.strip().lower().replace(" ", "-").replace("_", "-")
    return id if id in ENDS else ""
