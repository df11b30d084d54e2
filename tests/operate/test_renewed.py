"""What follows from a change is told as it is when somebody says yes, not as it was when they were first asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from console.actions.effects import Consequence
from console.operate import asking
from console.operate.ahead.preview import worse
from console.operate.asking import Published
from console.operate.gate import pass_gate
from console.operate.person import Question, Queue, Reply
from console.runbook.walk import Applied, Intent, Previewed
from tests.operate.conftest import YES, Cluster, Passage, Says
from tests.operate.objects import create, raise_overhead, running, spark_path


def becomes(cluster: Cluster, state: str) -> None:
    path = spark_path(cluster.namespace, "etl-orders") + "/status"
    cluster.kube.merge(path, {"status": {"applicationState": {"state": state}}})


def loss(found: tuple[Consequence, ...]) -> Consequence:
    (one,) = [c for c in found if c.topic == "loss"]
    return one


def journalled(passage: Passage) -> Consequence:
    (intent,) = [e for e in passage.events if isinstance(e, Intent)]
    return loss(intent.told)


async def test_a_loss_that_is_none_by_the_time_of_the_yes_is_journalled_as_none(
    cluster: Cluster, passage: Passage
) -> None:
    made = create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)

    async def later(question: Question) -> Reply:
        becomes(cluster, "FAILED")
        return YES

    person = Says(later)
    assert isinstance(await pass_gate(raise_overhead(made), passage.gate(person)), Applied)
    (asked,) = person.asked
    assert asked.preview is not None and loss(asked.preview.consequences).level == "warning"
    assert journalled(passage).text == "it is FAILED now: no running work is lost"


async def test_a_loss_that_was_none_when_it_was_shown_is_asked_about_once_more(
    cluster: Cluster, passage: Passage
) -> None:
    made = create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    becomes(cluster, "FAILED")

    async def later(question: Question) -> Reply:
        becomes(cluster, "RUNNING")
        return YES

    person = Says(later, YES)
    assert isinstance(await pass_gate(raise_overhead(made), passage.gate(person)), Applied)
    first, again = person.asked
    assert first.reason == ""
    assert again.reason == "more follows from it now than you saw: look at loss", (
        "how it stands is said where it is read anew"
    )
    assert again.preview is not None and "is lost" in loss(again.preview.consequences).text
    assert "2 executors is lost" in journalled(passage).text
    assert [type(e) for e in passage.events].count(Previewed) == 2


async def test_what_does_not_depend_on_the_moment_is_not_worked_out_again(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    person = Says(YES)
    await pass_gate(raise_overhead(made), passage.gate(person))
    (intent,) = [e for e in passage.events if isinstance(e, Intent)]
    preview = person.asked[0].preview
    assert preview is not None
    assert {(c.topic, c.level) for c in intent.told} == {(c.topic, c.level) for c in preview.consequences}
    kept = [c for c in preview.consequences if c.topic not in ("loss", "restart", "sink")]
    assert kept and [c for c in intent.told if c.topic not in ("loss", "restart", "sink")] == kept


async def test_an_open_confirmation_shows_the_loss_of_now(
    cluster: Cluster, passage: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "REREAD", 0.0)
    made = create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    queue, shown = Queue("ada"), list[Question | None]()

    def show(question: Question | None) -> None:
        shown.append(question)
        if question is not None and question.preview is not None:
            if loss(question.preview.consequences).level == "info":
                asyncio.get_running_loop().call_soon(queue.reply, Reply("yes", "ada"), question)
            else:
                becomes(cluster, "FAILED")

    gate = passage.gate(Published(queue, show))  # type: ignore[arg-type]
    assert isinstance(await pass_gate(raise_overhead(made), gate), Applied)
    first, anew, over = shown
    assert first is not None and anew is not None and over is None
    assert anew.read_at >= first.read_at and anew.asked == first.asked
    assert anew.preview is not None and "no running work is lost" in loss(anew.preview.consequences).text


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (("loss", "info"), ("loss", "warning"), True),
        (("loss", "unknown"), ("loss", "warning"), False),
        (("loss", "unknown"), ("loss", "stop"), True),
        (("loss", "warning"), ("loss", "warning"), False),
        (("loss", "warning"), ("loss", "info"), False),
        (("loss", "info"), ("loss", "unknown"), False),
        (("nodes", "warning"), ("nodes", "stop"), True),
        (("loss", "warning"), ("nodes", "warning"), True),
    ],
)
def test_only_what_weighs_more_than_what_was_shown_is_asked_about(
    was: tuple[str, str], now: tuple[str, str], said: bool
) -> None:
    made: Callable[[tuple[str, str]], Consequence] = lambda one: Consequence(*one, text="the text of it")  # type: ignore[arg-type]  # noqa: E731
    assert bool(worse((made(was),), (made(now),))) is said


async def test_a_yes_to_what_weighed_less_is_dropped_when_the_question_was_read_anew() -> None:
    from msgspec.structs import replace

    from tests.operate.test_confirm import PREVIEW

    calm = replace(PREVIEW, consequences=(Consequence("loss", "info", "nothing is lost"),))
    grave = replace(PREVIEW, consequences=(Consequence("loss", "warning", "an hour is lost"),))
    later = replace(PREVIEW, consequences=(Consequence("loss", "warning", "two hours are lost"),))
    questions = [Question("w", "raise", "confirm", "Raise it", "Change it?", preview=p) for p in (calm, grave, later)]
    queue = Queue("ada")
    waiting = asyncio.create_task(queue.answer(questions[0]))
    while queue.question is None:
        await asyncio.sleep(0)
    queue.reread(questions[1])
    assert queue.reply(Reply("yes", "ada"), questions[0]) is False
    queue.reread(questions[2])
    assert queue.reply(Reply("yes", "ada"), questions[1]) is True, "the same, a moment later"
    assert await waiting == Reply("yes", "ada")
