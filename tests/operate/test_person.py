"""Answers: from a file or from a screen. What is not said is No."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from console.base.errors import DocumentError, RefusedError, UsageError
from console.operate.person import Kind, Question, Queue, Reply, Scripted


def question(step: str = "which", kind: Kind = "ask", expect: str = "") -> Question:
    return Question(walk="w-1", step=step, kind=kind, title="t", text="?", expect=expect)


def written(tmp_path: Path, text: str) -> Scripted:
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    return Scripted.read(path, production=False)


async def test_each_step_gets_its_answer(tmp_path: Path) -> None:
    person = written(tmp_path, "by: nightly\nanswers: {which: overhead, note: true, again: [a, b]}\n")
    assert await person.answer(question()) == Reply("overhead", "nightly")
    assert await person.answer(question("note", "note")) == Reply("yes", "nightly")
    assert await person.answer(question("unknown")) is None
    assert [await person.answer(question("again")) for _ in range(3)] == [
        Reply("a", "nightly"),
        Reply("b", "nightly"),
        None,
    ]


async def test_a_change_is_no_unless_the_file_says_yes(tmp_path: Path) -> None:
    silent = written(tmp_path, "answers: {}\n")
    assert (await silent.answer(question("raise", "confirm"))) == Reply("no", "answers file")
    assert (await written(tmp_path, "confirm: yes\n").answer(question("raise", "confirm"))) == Reply(
        "yes", "answers file"
    )
    own = written(tmp_path, "confirm: yes\nanswers: {raise: no}\n")
    assert (await own.answer(question("raise", "confirm"))) == Reply("no", "answers file")


async def test_a_typed_confirmation_needs_the_very_text_for_the_very_step(tmp_path: Path) -> None:
    asked = question("kill", "confirm", expect="spark-jobs/etl")
    assert (await written(tmp_path, "confirm: yes\n").answer(asked)) == Reply("no", "answers file")
    assert (await written(tmp_path, "answers: {kill: yes}\n").answer(asked)) == Reply("no", "answers file", "True")
    right = written(tmp_path, "answers: {kill: spark-jobs/etl}\n")
    assert (await right.answer(asked)) == Reply("yes", "answers file", "spark-jobs/etl")


async def test_the_rest_has_careful_defaults(tmp_path: Path) -> None:
    person = written(tmp_path, "")
    assert await person.answer(question(kind="rollback")) == Reply("no", "answers file")
    assert await person.answer(question(kind="landed")) == Reply("stop", "answers file")
    assert await person.answer(question(kind="second")) is None
    assert await written(tmp_path, '{"rollback": "yes", "landed": "look"}').answer(question(kind="rollback")) == Reply(
        "yes", "answers file"
    )


def test_production_takes_no_answers_from_files(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("confirm: yes\n")
    with pytest.raises(RefusedError, match="marked production"):
        Scripted.read(path, production=True)


def test_a_wrong_file_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        written(tmp_path, "answers: {}\nconfrm: yes\n")
    assert (caught.value.line, caught.value.key, caught.value.hint) == (2, "confrm", "did you mean 'confirm'?")
    with pytest.raises(DocumentError):
        written(tmp_path, "confirm: maybe\n")
    with pytest.raises(UsageError, match="cannot read"):
        Scripted.read(tmp_path / "none.yaml", production=False)


def test_an_answer_for_a_step_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    person = written(tmp_path, "answers: {wich: overhead}\n")
    with pytest.raises(DocumentError, match="no step 'wich'") as caught:
        person.check({"which", "raise"})
    assert caught.value.hint == "did you mean 'which'?"


async def test_a_screen_answers_from_its_own_thread() -> None:
    seen: list[Question | None] = []
    queue = Queue("ada", seen.append)
    waiting = asyncio.create_task(queue.answer(question()))
    while queue.question is None:
        await asyncio.sleep(0)
    asked = queue.question
    threading.Thread(target=queue.reply, args=(Reply("heap", "ada"), asked)).start()
    assert await waiting == Reply("heap", "ada")
    assert seen == [asked, None]
    assert queue.reply(Reply("late", "ada")) is False


async def test_an_answer_to_an_earlier_question_is_dropped() -> None:
    queue = Queue("ada")
    waiting = asyncio.create_task(queue.answer(question()))
    while queue.question is None:
        await asyncio.sleep(0)
    assert queue.reply(Reply("yes", "ada"), question("earlier", "confirm")) is False
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert queue.question is None
