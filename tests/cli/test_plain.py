"""A walk line by line: what is typed, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from click.testing import CliRunner

from console.actions.effects import Effect
from console.base.errors import UsageError
from console.cli.incident import group
from console.cli.plain import Narrator, PlainPerson, shown
from console.cli.runbook import _begin, exit_of_undo, undo_it, walk_document
from console.operate.journal import Journal
from console.operate.person import STOP_CHOICES, Question, Reply
from console.runbook.editing import Editable
from console.runbook.inputs import InputMissing, InputRefused, MissingInput
from console.runbook.model import Input
from console.runbook.walk import (
    Applied,
    ApprovalAsked,
    ChangeRefused,
    Entered,
    Intent,
    LookedBack,
    Offered,
    Started,
    WalkEnded,
    fold,
)

EDIT = Editable("overhead", "memoryOverhead", "jvm_size", "2g", "1100m", "8g")


def person(monkeypatch: pytest.MonkeyPatch, *lines: str) -> tuple[PlainPerson, list[str]]:
    """Somebody who types `lines`, and the prompts that they saw."""
    rest: Iterator[str] = iter(lines)
    labels: list[str] = []

    def read(self: PlainPerson, label: str) -> str | None:
        labels.append(label)
        return next(rest, None)

    monkeypatch.setattr(PlainPerson, "_read", read)
    return PlainPerson(), labels


def confirm(expect: str = "", editable: Editable | None = None) -> Question:
    return Question(
        "w1", "raise", "confirm", "Raise it", "Change it?", expect=expect, cluster="prod", editable=editable
    )


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (("y",), "yes"), (("YES",), "yes"), (("n",), "no"), (("",), "no"), (("u", "y"), "yes"),
        (("u", "yy", "yrs", "y"), "no"),
    ],
)  # fmt: skip
def test_what_is_neither_yes_nor_no_is_asked_again_and_three_times_is_no(
    lines: tuple[str, ...], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone, _ = person(monkeypatch, *lines)
    reply = someone._ask(confirm())
    assert reply is not None and reply.value == value


def test_a_typo_in_a_text_to_type_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    someone, labels = person(monkeypatch, "spark/etl-order")
    assert someone._ask(confirm("spark/etl-orders")) == Reply("yes", someone.name, "spark/etl-order")
    assert labels == ["type spark/etl-orders to apply on prod, n or an empty line is No: "]
    someone, _ = person(monkeypatch)
    assert someone._ask(confirm("spark/etl-orders")) is None, "the end of the input is no answer"


def test_the_proposed_value_is_set_otherwise_with_e(monkeypatch: pytest.MonkeyPatch) -> None:
    someone, labels = person(monkeypatch, "e", "3g")
    assert someone._ask(confirm(editable=EDIT)) == Reply("edit", someone.name, "3g")
    assert "e to set memoryOverhead otherwise (2g; 1100m to 8g)" in labels[0]


class Lacking:
    """What `_begin` needs of a live session: it lacks the input `size`, and takes no `huge`."""

    def __init__(self) -> None:
        self.given: list[dict[str, str]] = []

    def begin(self, name: str, *, given: dict[str, str], **more: Any) -> Future[str]:
        self.given.append(dict(given))
        future: Future[str] = Future()
        if "size" not in given:
            future.set_exception(InputMissing(name, MissingInput("size", "Size", "jvm_size", "no source")))
        elif given["size"] == "huge":
            future.set_exception(InputRefused(name, Input("size", "jvm_size"), "'huge' is no size"))
        else:
            future.set_result("w1")
        return future


def test_a_person_is_asked_for_the_inputs_that_a_walk_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    someone, labels = person(monkeypatch, "huge", "2g")
    live: Any = Lacking()
    assert _begin(live, "small", "", None, {}, someone) == "w1"
    assert live.given == [{}, {"size": "huge"}, {"size": "2g"}] and labels == ["Size (jvm_size): "] * 2


def test_without_a_person_the_missing_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    someone, _ = person(monkeypatch)
    with pytest.raises(UsageError, match="needs the input 'size'") as caught:
        _begin(Lacking(), "small", "", None, {}, someone)  # type: ignore[arg-type]
    assert caught.value.hint is not None and "--input size=" in caught.value.hint


def test_a_walk_is_handed_over_from_the_command_line_and_listed_as_waiting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Journal().append(
        "w1", Started(1.0, "w1", "small", "1.0.0", "0" * 64, "", {}, {}, {"server": "s"}, "a/b", "ada", "console")
    )
    run = CliRunner().invoke
    said = run(group, ["hand-over", "latest", "--to", "grace: lunch"], standalone_mode=False)
    assert said.return_value == 0 and "console runbook --resume w1" in said.output
    assert "handed over, waits" in run(group, ["list"], standalone_mode=False).output
    assert "grace: lunch" in run(group, ["show", "w1"], standalone_mode=False).output
    document = run(group, ["list", "-o", "json"], standalone_mode=False).output
    assert '"text": "grace: lunch"' in document and '"status": "handed over"' in document


async def test_who_waits_for_a_second_person_is_told_how_they_approve_and_types_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    someone, labels = person(monkeypatch, "yes")
    shows = ("they run: console approve 1a",)
    asked = Question("w", "s", "approval", "Waits for a second person", "Stop?", STOP_CHOICES, shows)
    assert await someone.answer(asked) is None and labels == [], "what is typed next is for the next question"
    said = capsys.readouterr().err
    assert "they run: console approve 1a" in said and "Ctrl-C leaves the walk" in said


def test_a_walk_with_scripted_answers_says_that_it_waits_for_a_second_person(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun = Started(1.0, "w", "spark-oom", "1", "", "", {}, {}, {}, "jobs/etl", "ada", "console")
    walk = fold([begun, Entered(2.0, "raise"), ApprovalAsked(3.0, "raise", "w/1", "1a2b3c4d5e6f77", "there", 60.0)])
    narrator = Narrator()
    narrator.last(walk)
    narrator.last(walk)
    assert capsys.readouterr().err.count("waits for a second person: console approve 1a2b3c4d5e6f\n") == 1


class Undoing:
    """What `undo_it` needs of a live session: a walk with one change, that is undone with the answer."""

    def __init__(self, answer: str) -> None:
        self.walk, self.answer = fold(undone_story()[:5]), answer
        self.asked: list[tuple[str, str]] = []

    def subscribe(self, _: Any) -> None: ...

    def undoable(self, walk: str, change: str) -> Future[tuple[str, str]]:
        return _done(("w1", "w1/1"))

    def undo(self, walk: str, change: str, person: Any) -> Future[Any]:
        self.asked.append((walk, change))
        return _done(fold(undone_story()[: 9 if self.answer == "yes" else 6] + self._no()))

    def _no(self) -> list[Any]:
        return [] if self.answer == "yes" else [ChangeRefused(6.0, "raise", "w1/1.undo", "person", "ada said no")]


def undone_story() -> list[Any]:
    made = Effect("w1/1", "raise", "Raise it", "patch")
    back = Effect("w1/1.undo", "raise", "Undo: Raise it", "patch", inverse_of="w1/1")
    return [
        Started(0.0, "w1", "oom", "1", "", "", {}, {}, {}, "jobs/etl", "ada", "console"),
        Entered(1.0, "raise"),
        Intent(2.0, "raise", made, rollback=back),
        Applied(3.0, "raise", "w1/1", True, "applied", goto="x"),
        WalkEnded(4.0, "resolved", "it runs"),
        Offered(5.0, "", "w1/1", "yes", "ada"),
        Intent(6.0, "raise", back),
        Applied(7.0, "raise", "w1/1.undo", True, "applied to jobs/etl"),
        LookedBack(8.0, "raise", "w1/1.undo", "yes", "memory is 2g again", ("on-call: diagnose it again",)),
    ]


def _done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 4)])
def test_a_change_is_undone_from_the_command_line_and_its_exit_code_says_whether(
    answer: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    live = Undoing(answer)
    ended, change = undo_it(Shown(live), "latest", "", None)  # type: ignore[arg-type]
    assert live.asked == [("w1", "w1/1")] and exit_of_undo(ended, change) == code
    said = capsys.readouterr().err
    assert "runbook oom 1 on jobs/etl" in said and "step 1: raise" not in said, "what it was; not all of it again"
    assert ("rolled back: applied to jobs/etl" in said) is (answer == "yes")
    document = walk_document(ended)
    assert document["still_to_do"] == (["on-call: diagnose it again"] if answer == "yes" else [])
    assert document["rollbacks"][-1]["left"] == ("memory is 2g again" if answer == "yes" else "")


class Shown:
    """A session whose situation knows the walk."""

    def __init__(self, live: Undoing) -> None:
        self._live = live
        self.subscribe, self.undoable, self.undo = live.subscribe, live.undoable, live.undo
        self.situation = self

    def walk(self, _: str) -> Any:
        return self._live.walk


def test_undo_stands_alone() -> None:
    from console.cli.main import run

    assert run(["runbook", "spark-oom", "--undo", "latest"]) == 2
    assert run(["runbook", "spark-oom", "--change", "1"]) == 2


def test_what_is_to_be_pasted_stands_between_markers_and_nothing_else_does() -> None:
    asked = Question("w1", "call", "escalate", "Call the storage team", "It is full.", paste="a\nb", due=1000.0)
    lines = list(shown(asked))
    begin = lines.index("-----BEGIN PASTE-----")
    assert lines[begin + 1 : begin + 3] == ["a\nb", "-----END PASTE-----"]
    assert "somebody must have answered by 00:16:40Z" in lines
