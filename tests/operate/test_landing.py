"""Whether a change arrived is asked patiently, and what cannot be asked is never a no."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import STAMP, AllowedCall
from console.base.errors import ForbiddenError, ReachError
from console.operate import landing
from console.runbook.walk import Intent
from console.wire.errors import ApiError, NotFoundError
from console.wire.reviews import ApiResource
from tests.operate.objects import API, OLD, raise_overhead, spark_application

OBJECT = spark_application("spark-jobs", uid="u-1", generation=3)
ARRIVED = spark_application("spark-jobs", uid="u-1", generation=4, annotations={STAMP: "w-1/1"})
INTENT = Intent(1.0, "raise", raise_overhead(OBJECT), {"/spec/executor/memoryOverhead": OLD}, 3)


class Server:
    """Answers each look with the next of `answers`, the last one for ever; an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.looks = list(answers), 0

    async def resource(self, api_version: str, kind: str) -> ApiResource:
        assert (api_version, kind) == (API, "SparkApplication")
        return ApiResource("sparkapplications", "SparkApplication", True)

    async def object(self, path: str) -> dict[str, Any]:
        assert path == f"/apis/{API}/namespaces/spark-jobs/sparkapplications/etl-orders"
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between the looks; nobody really waits."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("console.operate.landing.asyncio.sleep", sleep)
    return waited


async def ask(server: Server, other: str = "") -> tuple[str, str]:
    async def other_cluster() -> str:
        return other

    return await landing.asked(server, INTENT, other_cluster)  # type: ignore[arg-type]


async def test_the_stamp_on_the_object_is_proof(pauses: list[float]) -> None:
    server = Server(ARRIVED)
    assert await ask(server) == ("yes", "spark-jobs/etl-orders carries the stamp w-1/1")
    assert (server.looks, pauses) == (1, [])


async def test_a_no_is_believed_when_it_was_said_twice_a_second_apart(pauses: list[float]) -> None:
    server = Server(OBJECT)
    assert (await ask(server))[0] == "no"
    assert (server.looks, pauses) == (2, [1.0])
    assert (await ask(Server(OBJECT, ARRIVED)))[0] == "yes"


async def test_values_that_are_as_they_were_prove_nothing_once_the_object_moved_on(pauses: list[float]) -> None:
    """It may have arrived and been put back by somebody since."""
    moved = spark_application("spark-jobs", uid="u-1", generation=5)
    answer, because = await ask(Server(moved))
    assert (answer, "was changed since" in because) == ("unknown", True)


async def test_another_cluster_is_not_asked_at_all(pauses: list[float]) -> None:
    server = Server(ARRIVED)
    assert await ask(server, "this is not the cluster of the walk") == (
        "unknown",
        "this is not the cluster of the walk",
    )
    assert server.looks == 0


async def test_a_server_that_comes_back_is_asked_again(pauses: list[float]) -> None:
    server = Server(ReachError("down"), ReachError("down"), ARRIVED)
    assert (await ask(server))[0] == "yes"
    assert pauses == [0.5, 1.0]


async def test_a_server_that_stays_away_leaves_it_unknown_after_a_quarter_of_a_minute(pauses: list[float]) -> None:
    server = Server(ReachError("down"))
    assert await ask(server) == ("unknown", "it cannot be looked at: down")
    assert (server.looks, pauses) == (6, [0.5, 1.0, 2.0, 4.0, 8.0])


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (ForbiddenError("no rights"), "it may not be looked at: no rights"),
        (ApiError("boom", status=418), "it cannot be looked at: boom"),
    ],
)
async def test_a_server_that_answers_no_is_not_asked_again(error: Exception, because: str, pauses: list[float]) -> None:
    server = Server(error)
    assert await ask(server) == ("unknown", because)
    assert (server.looks, pauses) == (1, [])


async def test_what_is_gone_is_judged_by_its_verb(pauses: list[float]) -> None:
    gone = Server(NotFoundError("not found", status=404))
    assert await ask(gone) == ("unknown", "spark-jobs/etl-orders does not exist any more, so it carries no stamp")


async def test_a_script_that_declares_no_call_leaves_no_trace() -> None:
    script = Intent(1.0, "run", raise_overhead(OBJECT, action="script", target=None), {}, 0)
    found = await landing.landed(Server(OBJECT), script)  # type: ignore[arg-type]
    assert found == ("unknown", "a script that sends nothing leaves no trace that could be looked for")


async def test_a_script_without_a_target_is_asked_of_what_it_may_write() -> None:
    call = AllowedCall(("patch",), INTENT.effect.target)  # type: ignore[arg-type]
    script = Intent(1.0, "run", raise_overhead(OBJECT, action="script", target=None, calls=(call,)), {}, 0)
    server = Server(ARRIVED)
    answer, because = await landing.landed(server, script)  # type: ignore[arg-type]
    assert (answer, server.looks) == ("yes", 1) and because.endswith("carries the stamp w-1/1")


async def test_a_script_that_writes_its_target_is_asked_of_the_target(pauses: list[float]) -> None:
    script = replace(INTENT, effect=replace(INTENT.effect, action="script"))
    server = Server(ARRIVED)
    answer, because = await landing.landed(server, script)  # type: ignore[arg-type]
    assert (answer, server.looks) == ("yes", 1) and because


@pytest.mark.parametrize(("left", "begins"), [("2 processes were left, and were ended", True), ("", False)])
async def test_what_was_left_of_a_script_is_ended_and_said_before_anything_is_believed(
    left: str, begins: bool, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ended(effect: str) -> str:
        assert effect == INTENT.effect.id and server.looks == 0
        return left

    async def same_cluster() -> str:
        return ""

    monkeypatch.setattr("console.operate.landing.runs.ended", ended)
    server = Server(ARRIVED)
    script = replace(INTENT, effect=replace(INTENT.effect, action="script"))
    answer, because = await landing.asked(server, script, same_cluster)  # type: ignore[arg-type]
    assert answer == "yes" and because.startswith(f"{left}; ") == begins and because[0] != ";"


async def test_of_a_change_that_was_only_sent_no_processes_are_looked_for(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ended(effect: str) -> str:
        raise AssertionError("it ran nothing that could be left")

    monkeypatch.setattr("console.operate.landing.runs.ended", ended)
    assert (await ask(Server(ARRIVED)))[0] == "yes"
