"""No sentence about what could not be read ends in front of a reason that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from console.advice.model import AdviceReport
from console.base.clock import WallClock
from console.base.errors import ForbiddenError
from console.base.text import joined
from console.cli.advise import text_of
from console.facts.model import SourceState
from console.sources.cluster import advice
from console.wire.reader import ListPage


class Lists:
    """Answers lists by namespace: how many objects, whether there are more; None refuses."""

    def __init__(self, **of: tuple[int, bool] | None) -> None:
        self.of = of

    async def groups(self) -> dict[str, tuple[str, ...]]:
        return {}

    async def pages(self, path: str) -> AsyncIterator[ListPage]:
        space = path.split("/namespaces/")[1].split("/")[0] if "/namespaces/" in path else ""
        held = self.of.get(space)
        if held is None:
            raise ForbiddenError("pods is forbidden")
        items = ",".join(f'{{"metadata":{{"name":"o{n}","namespace":"{space}"}}}}' for n in range(held[0]))
        yield ListPage(f'{{"items":[{items}]}}'.encode(), "more" if held[1] else "")


def state_of(monkeypatch: pytest.MonkeyPatch, *spaces: str, **of: tuple[int, bool] | None) -> tuple[str, str]:
    monkeypatch.setattr(advice, "MAX_OBJECTS", 2)
    reader: Any = Lists(**of)

    async def read() -> SourceState:
        async with asyncio.timeout(30):
            end = asyncio.get_running_loop().time() + 20
            found = await advice._one_by_one(reader, "roles", spaces, WallClock(), "list roles", end)
            return found[2]

    state = asyncio.run(read())
    return state.state, state.detail


def test_what_was_read_in_part_says_of_which_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_of(monkeypatch, "a", a=(2, True)) == ("partial", "the first 2 only of a")
    assert state_of(monkeypatch, "a", "b", a=(2, True), b=None) == ("partial", "the first 2 only of a; not b")
    assert state_of(monkeypatch, "a", "b", a=(1, False), b=None) == ("partial", "only namespace a; not b")
    assert state_of(monkeypatch, "a", a=None) == ("forbidden", "pods is forbidden")


@pytest.mark.parametrize("state", ["forbidden", "partial", "unreachable", "login needed"])
def test_a_source_without_a_reason_ends_its_sentence(state: Any) -> None:
    report = AdviceReport(0.0, (), (), (SourceState("roles", state),), (), ())
    assert text_of(report).splitlines()[-1] == f"cannot read roles: {state}"


def test_parts_that_say_nothing_leave_no_mark() -> None:
    assert joined("a", "", "b") == "a: b" and joined("a", "", sep=", ") == "a" and joined("", "") == ""
