"""Answers: from a file or from a screen. What is not said is No."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef
from console.base.errors import DocumentError, RefusedError, UsageError
from console.facts.evidence import Evidence
from console.operate import asking
from console.operate.person import Question, QuestionKind, Queue, Reply, Scripted
from console.runbook.model import Choice
from console.runbook.walk import Applied, Entered, Intent, Started, Verified, fold
from console.sources.files.runbooks import Library
from tests.runbook.boards import KEY, NOW, app, board, driver, executor, oom_death


def question(step: str = "which", kind: QuestionKind = "ask", expect: str = "") -> Question:
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


async def test_a_step_of_a_block_is_answered_for_each_member_or_for_one(tmp_path: Path) -> None:
    person = written(tmp_path, "answers: {which: [a, b], free@1: go}\n")
    person.check({"which", "free"})
    asked = [await person.answer(question(step)) for step in ("which@0", "which@1", "free@0", "free@1")]
    assert asked == [Reply("a", "answers file"), Reply("b", "answers file"), None, Reply("go", "answers file")]
    with pytest.raises(DocumentError, match="no step 'fre@1'"):
        written(tmp_path, "answers: {fre@1: go}\n").check({"which", "free"})


async def test_notes_wait_for_a_reader_unless_the_file_says_that_they_are_read(tmp_path: Path) -> None:
    note = question("note", "note")
    assert await written(tmp_path, "answers: {}\n").answer(note) is None
    reader = written(tmp_path, "notes: yes\n")
    assert await reader.answer(note) == Reply("yes", "answers file")
    assert await reader.answer(question("which", "ask")) is None
    assert await reader.answer(question("fetch", "manual")) is None


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
    assert await person.answer(question(kind="rules")) is None
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


async def test_a_question_that_was_read_anew_takes_either_answer_while_its_choices_are_the_same() -> None:
    seen: list[Question | None] = []
    queue = Queue("ada", seen.append)
    first = replace(question(), choices=(Choice("heap", "the heap"),), shows=("read 3m ago",))
    anew = replace(first, shows=("read 4m ago",))
    waiting = asyncio.create_task(queue.answer(first))
    while queue.question is None:
        await asyncio.sleep(0)
    queue.reread(anew)
    assert queue.question is anew and seen == [first, anew]
    assert queue.reply(Reply("heap", "ada"), first) is True
    assert await waiting == Reply("heap", "ada")
    queue.reread(anew)
    assert queue.question is None, "nothing is asked any more"


async def test_an_answer_to_choices_that_have_changed_meanwhile_is_dropped() -> None:
    queue = Queue("ada")
    first = replace(question(), choices=(Choice("heap", "raise it to 3g"),))
    other = replace(question(), choices=(Choice("heap", "raise it to 5g"),))
    waiting = asyncio.create_task(queue.answer(first))
    while queue.question is None:
        await asyncio.sleep(0)
    queue.reread(other)
    assert queue.reply(Reply("heap", "ada"), first) is False
    assert queue.reply(Reply("heap", "ada"), other) is True
    assert await waiting == Reply("heap", "ada")


async def test_an_open_question_shows_what_is_seen_now_and_not_what_was_seen_when_it_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "REREAD", 0.0)
    queue = Queue("ada")
    shown: list[Question | None] = []
    texts = iter(["peak 1.6Gi, read 3m ago", "peak 1.6Gi, read 3m ago", "peak 2.7Gi, read 5s ago"])
    read_at = 0.0

    async def read() -> Question:
        nonlocal read_at
        read_at += 1
        text = next(texts, "peak 2.7Gi, read 5s ago")
        if text.startswith("peak 2.7"):
            asyncio.get_running_loop().call_soon(queue.reply, Reply("heap", "ada"))
        return replace(question(), shows=(text,), asked=read_at, read_at=read_at)

    reply = await asking.Published(queue, shown.append).answer(await read(), read)
    assert reply == Reply("heap", "ada")
    assert [q.shows[0] if q is not None else None for q in shown] == [
        "peak 1.6Gi, read 3m ago",
        "peak 2.7Gi, read 5s ago",
        None,
    ]
    assert [q.asked for q in shown if q is not None] == [1.0, 1.0], "it waits since it was asked first"


def test_a_rollback_is_decided_by_what_died_what_is_wrong_what_changes_back_and_what_restarts() -> None:
    target = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")
    made = Effect("w/1", "raise", "Raise it", "patch", target, "merge", {"spec": {"executor": {"memory": "4g"}}},
                  touched=("/spec/executor/memory",), restarts="the whole application")  # fmt: skip
    back = replace(made, id="w/1.undo", inverse_of="w/1", patch={"spec": {"executor": {"memory": None}}})
    walk = fold(
        [
            Started(NOW - 900, "w", "b", "1", "", "", {}, {}, {}, KEY, "ada", "console"),
            Entered(NOW - 700, "raise"),
            Intent(NOW - 600, "raise", made, rollback=back),
            Applied(NOW - 600, "raise", "w/1", True, goto="check"),
            Entered(NOW - 590, "check"),
            Verified(NOW - 100, "check", "ineffective", "it failed again", "not-fixed",
                     (Evidence("runbook", "b/check", "executors 0 of 6", NOW),)),
        ]
    )  # fmt: skip
    dead = executor(1, created=NOW - 400, state="Failed", death=oom_death(NOW - 60))
    one = app(driver=driver(NOW - 500), executors=(dead,))
    asked = asking.of_rollback(walk, "check", made, back, board(apps=(one,)), now=NOW, seen=("executors 2 of 6",))
    assert asked.text == "The change did not help (ineffective: it failed again at 11:05:00Z). Roll it back?"
    assert asked.read_at == NOW
    assert asked.shows[:2] == ("executors 2 of 6", "deaths since the change: 1 OOMKilled at the container's limit")
    assert asked.shows[-2:] == (
        "changes back spec.executor.memory: 4g → absent", "restarts the whole application",
    )  # fmt: skip
    unseen = asking.of_rollback(walk, "check", made, back, board(apps=()), now=NOW)
    assert "deaths since the change: not known" in unseen.shows
    calm = asking.of_rollback(walk, "check", made, back, board(apps=(replace(one, executors=()),)), now=NOW)
    assert "deaths since the change: none seen" in calm.shows


def test_a_question_says_what_else_is_seen_that_its_runbook_is_about() -> None:
    book = Library.read(()).runbooks["spark-oom"]
    first = {"code": "executor-oom-container", "key": "a", "title": "3 executors OOMKilled"}
    heap = {"code": "executor-oom-heap", "key": "b", "title": "13 executors ran out of memory in the JVM"}
    other = {"code": "image-pull", "key": "c", "title": "an image is missing"}
    ctx = {"finding": first, "findings": [first, heap, other]}
    assert asking.beside(book, ctx) == ("also seen now: 13 executors ran out of memory in the JVM",)
    assert asking.beside(book, {}) == ()


async def test_only_a_drill_has_the_name_typed_for_it(tmp_path: Path) -> None:
    person = written(tmp_path, "answers: {evict: typed}\n")
    asked = question("evict@1", "confirm", expect="spark/etl-exec-1")
    assert await person.answer(asked) == Reply("no", "answers file", "typed")
    person.types = True
    assert await person.answer(asked) == Reply("yes", "answers file", "spark/etl-exec-1")
    assert await person.answer(question("other", "confirm", expect="spark/x")) == Reply("no", "answers file", "")
