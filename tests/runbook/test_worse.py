"""What got worse since a walk began: said only of what it may have done, and never of noise."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from console.actions.effects import Effect
from console.board.model import Board, Cluster
from console.runbook import schema
from console.runbook.afterwards.worse import worse
from console.runbook.model import Runbook, RunbookMatch
from console.runbook.walk import Started, Walk, fold
from console.slo.model import Burn, SloStatus

BOOK = schema.load("apiVersion: console/v1\nkind: Runbook\nid: x\ntitle: X\nabout: node\nsteps:\n"
                   "- end: handed over\n  text: over\n", "x.yaml")  # fmt: skip
OURS = msgspec.structs.replace(BOOK, match=RunbookMatch(slos=("jobs",)))


def slo(id: str = "jobs", state: str = "burning", **rates: float | None) -> SloStatus:
    burns = tuple(Burn(float(name[1:]), None, rate) for name, rate in rates.items())
    return SloStatus(id, f"{id}\x1b[31m", 99.0, 86400.0, cast(Any, state), burns=burns)


def walk(before: dict[str, Any], *, changed: bool = True) -> Walk:
    begun = fold([Started(1.0, "w-1", "x", "1", "h", "", {}, {}, {}, "", "ada", "t", slo=before)])
    return msgspec.structs.replace(begun, writes=(Effect("w-1/1", "s", "", "patch"),) if changed else ())


def said(before: dict[str, Any], *now: SloStatus, book: Runbook = OURS, changed: bool = True) -> str:
    return worse(walk(before, changed=changed), Board(2.0, Cluster(), "UNKNOWN", slos=now), book)


def was(state: str = "burning", **rates: float | None) -> dict[str, Any]:
    return {"jobs": {"state": state, "burn": {name[1:]: rate for name, rate in rates.items()}}}


def test_a_rate_that_rose_is_said_with_both_figures() -> None:
    assert (
        said(was(w300=2.0, w3600=9.0), slo(w3600=1.0, w300=6.0)) == "jobs burns 6.00 over 5m, 2.00 when this walk began"
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (was(w300=2.0), slo(w300=2.5)), (was(w300=0.1), slo(w300=1.0)), (was(w300=None), slo(w300=9.0)),
        (was(w300=2.0), slo(w300=None)), (was(w600=2.0), slo(w300=9.0)),
        (was(w300=5.0, w3600=1.0), slo(w300=1.0, w3600=9.0)),
        ({}, slo(w300=9.0)), ({"jobs": None}, slo(w300=9.0)), ({"jobs": {"state": "burning"}}, slo(w300=9.0)),
    ],
)  # fmt: skip
def test_noise_and_what_nobody_measured_are_nothing_worse(before: dict[str, Any], now: SloStatus) -> None:
    assert said(before, now) == ""


def test_an_objective_that_was_good_and_burns_counts_whosever_it_is() -> None:
    assert said(was("good"), slo(), book=BOOK) == "jobs is burning and was good when this walk began"
    assert said(was("good"), slo(state="exhausted"), book=BOOK).startswith("jobs is exhausted")
    assert said(was("burning", w300=2.0), slo("other", w300=9.0), slo(w300=2.0)) == ""
    assert said(was("no data"), slo(), book=BOOK) == "" and said(was("good"), slo(state="no data"), book=BOOK) == ""


def test_what_grew_before_its_first_change_no_change_of_it_has_done() -> None:
    assert said(was(w300=2.0), slo(w300=9.0), changed=False) == ""
