"""The value that a change proposes, set otherwise by a person: within the limits that the runbook states."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.base.errors import UsageError
from console.runbook.context.build import build
from console.runbook.editing import edited, offered
from console.runbook.lint.run import lint
from console.runbook.model import Edit, Runbook
from console.runbook.walk import Edited, Entered, Started, fold
from console.sources.files.runbooks import Library
from tests.runbook.boards import KEY, NOW, board, finding
from tests.runbook.longform import LONG

LIBRARY = Library.read(())
OOM: Runbook = LONG
STEP = next(step for step in OOM.steps if step.id == "raise-executor-overhead")


def context(**inputs: Any) -> dict[str, Any]:
    given = {"app": KEY, **inputs}
    return build(board(finding()), app=KEY, walk=None, inputs=given, now=NOW, runbook=OOM)


def test_the_shipped_runbook_offers_its_proposal_with_limits() -> None:
    offer = offered(OOM, STEP, context())
    assert offer is not None
    assert (offer.input, offer.value, offer.limits) == ("overhead", "2304m", "1100m to 9100m")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("1g", "is below 1100m"), ("10g", "is above 9100m"), ("lots", "lots"), ("", "memoryOverhead")],
)
def test_what_is_outside_of_the_limits_is_refused_with_them(text: str, wrong: str) -> None:
    offer = offered(OOM, STEP, context())
    assert offer is not None
    with pytest.raises(UsageError, match=wrong) as caught:
        edited(OOM, STEP, offer, text)
    assert caught.value.hint == "limits: 1100m to 9100m"
    assert edited(OOM, STEP, offer, " 4g ") == "4g"


def test_nothing_is_offered_where_the_value_or_its_limits_cannot_be_told() -> None:
    assert offered(OOM, STEP, {**context(), "values": {}}) is None
    assert offered(OOM, replace(STEP, edit=None), context()) is None


def test_a_value_that_was_set_is_an_input_of_the_walk_with_who_set_it() -> None:
    started = Started(1.0, "w", OOM.id, "1", "", "", {"app": KEY}, {}, {}, KEY, "ada", "console")
    walk = fold([started, Entered(2.0, STEP.id), Edited(3.0, STEP.id, "overhead", "4g", "3200m", "ada")])
    assert walk.inputs == {"app": KEY, "overhead": "4g"} and walk.origins["overhead"] == "ada"
    assert (walk.preview, walk.status, walk.current) == (None, "running", STEP.id)
    offer = offered(OOM, STEP, context(**walk.inputs))
    assert offer is not None and offer.value == "4g"


@pytest.mark.parametrize(
    ("edit", "code"),
    [(Edit("overhaed", "2g", "1g", "4g"), "unknown-input"), (Edit("app", "2g", "1g", "4g"), "no-limits")],
)
def test_lint_knows_that_an_edit_needs_an_input_that_has_a_size(edit: Edit, code: str) -> None:
    steps = tuple(replace(step, edit=edit) if step.id == STEP.id else step for step in OOM.steps)
    found = lint(replace(OOM, steps=steps), scripts=LIBRARY.scripts, catalogue=LIBRARY.catalogue)
    assert code in {problem.code for problem in found}
