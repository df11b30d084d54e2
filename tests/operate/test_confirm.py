"""How a change must be confirmed: by its risk, by whether it can be taken back, by where it is made and how often."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence, Preview
from console.operate.confirm import agreed, mistyped, once_more, question, tier
from console.operate.person import Question, Reply
from console.operate.policy import ChangeRules
from console.runbook.editing import Editable
from tests.operate.objects import raise_overhead, spark_application

OBJECT = spark_application("spark-jobs", uid="u-1")
NAME = "spark-jobs/etl-orders"


def confirmed(rules: dict[str, Any] | None = None, objects: int = 1, **effect: Any) -> tuple[str, str]:
    return tier(raise_overhead(OBJECT, **effect), ChangeRules(mode="write", **(rules or {})), objects=objects)


def test_what_can_be_taken_back_needs_a_look_and_a_yes() -> None:
    assert confirmed() == ("diff", "")


@pytest.mark.parametrize(
    "why",
    [
        {"risk": "high"},
        {"reversible": False},
        {"rules": {"production": True}},
        {"rules": {"production_namespaces": ("spark-jobs",)}},
        {"objects": 2},
    ],
    ids=["high risk", "cannot be undone", "production", "a production namespace", "several objects"],
)
def test_the_name_is_typed_where_a_slip_would_cost_more(why: dict[str, Any]) -> None:
    assert confirmed(**why) == ("typed", NAME)


def test_a_rollback_needs_no_more_than_what_it_takes_back() -> None:
    assert confirmed(reversible=False, inverse_of="w-1/1") == ("diff", "")
    assert confirmed(reversible=False, inverse_of="w-1/1", risk="high") == ("typed", NAME)


SCRIPT = {
    "action": "script",
    "target": None,
    "argv": ("bash", "/lib/scripts/clean-up.sh", "--all"),
    "reversible": False,
}


@pytest.mark.parametrize(
    ("effect", "typed"),
    [({}, NAME), (SCRIPT, "clean-up"), ({**SCRIPT, "argv": ("bash", "/x/a.sh")}, "a"),
     ({**SCRIPT, "argv": ("drain",)}, "raise")],
)  # fmt: skip
def test_what_is_typed_is_the_name_of_the_object_or_of_the_script(effect: dict[str, Any], typed: str) -> None:
    assert confirmed({"production": True}, **effect) == ("typed", typed)


def test_a_script_without_a_target_is_in_no_namespace() -> None:
    script = {**SCRIPT, "reversible": True}
    assert confirmed({"production_namespaces": ("spark-jobs",)}, **script) == ("diff", "")
    assert tier(raise_overhead(OBJECT, **script), ChangeRules(mode="write")) == ("diff", ""), "it is one change"


PREVIEW = Preview(
    effect=raise_overhead(OBJECT, title="Raise\x1b[31m it"),
    diff=("-a", "+b"),
    accepted=True,
    consequences=(Consequence("restart", "warning", "submits the job from the start"),),
    tier="typed",
    expect=NAME,
    cluster="eu-1",
)


def test_the_question_shows_what_would_happen_and_where() -> None:
    asked = question(PREVIEW, walk="w-1", now=9.0)
    assert asked == Question(
        walk="w-1",
        step="raise",
        kind="confirm",
        title="Raise it",
        text=f"Change SparkApplication {NAME}?",
        shows=("submits the job from the start",),
        preview=PREVIEW,
        expect=NAME,
        cluster="eu-1",
        asked=9.0,
        read_at=9.0,
    )
    assert question(PREVIEW, walk="w-1", now=9.0, reason="it changed").reason == "it changed"
    script = replace(PREVIEW, effect=raise_overhead(OBJECT, **SCRIPT))
    assert question(script, walk="w-1", now=9.0).text.endswith("the script?")


def test_production_is_confirmed_at_a_terminal_only() -> None:
    piped = Reply("yes", "ada", NAME)
    assert agreed(piped, PREVIEW) == ""
    assert "at a terminal" in agreed(piped, PREVIEW, terminal=True)
    assert agreed(Reply("yes", "ada", NAME, terminal=True), PREVIEW, terminal=True) == ""
    assert question(PREVIEW, walk="w-1", now=9.0, terminal=True).terminal


@pytest.mark.parametrize(
    ("reply", "expect", "again"),
    [
        (Reply("yes", "ada", "spark-jobs/etl"), NAME, True),
        (Reply("yes", "ada"), NAME, True),
        (Reply("yes", "ada", NAME), NAME, False),
        (Reply("no", "ada", "spark-jobs/etl"), NAME, False),
        (None, NAME, False),
        (Reply("yes", "ada", "whatever"), "", False),
    ],
)
def test_only_a_yes_with_another_text_is_asked_for_again(reply: Reply | None, expect: str, again: bool) -> None:
    preview = Preview(raise_overhead(OBJECT), (), True, expect=expect)
    assert mistyped(reply, preview) is again


def test_what_was_typed_is_said_in_short_with_the_tries_that_are_left() -> None:
    preview = Preview(raise_overhead(OBJECT), (), True, expect=NAME)
    said = once_more(Reply("yes", "ada", "x\x1b[31m" + "y" * 100), preview, 2)
    typed = said.partition(" is not ")[0]
    assert len(typed) == 62 and typed.startswith("'x") and "\x1b" not in said
    assert said.endswith(f" is not {NAME!r}: nothing was changed, 2 more tries")
    assert once_more(None, preview, 1) == f"'' is not {NAME!r}: nothing was changed, 1 more try"


def test_the_question_offers_the_value_that_may_be_set_otherwise() -> None:
    editable = Editable("overhead", "Overhead", "jvm_size", "2g")
    assert question(PREVIEW, walk="w-1", now=9.0, editable=editable).editable == editable
    assert question(PREVIEW, walk="w-1", now=9.0).editable is None
