"""How far a watch is trusted, to the second: what is late is never fresh, and what was lost is never only late."""

from __future__ import annotations

import time
from typing import Any

import pytest

from console.base.clock import WallClock
from console.base.errors import ForbiddenError, LoginNeeded, ReachError
from console.sources.cluster import reflector
from console.sources.cluster.kinds import PODS, decoder_of
from console.sources.cluster.reflector import Reflector
from console.sources.cluster.watched import SILENT, Watched
from console.wire.errors import NotFoundError
from tests.fuzz.edges import _Deaf

NOW = 10_000.0
LOST = ReachError("the server does not answer")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: NOW)


def watch(age: float = 0.0, **fields: Any) -> Reflector:
    made = Reflector(None, PODS, "v1", decoder_of(PODS, "v1"), _Deaf(), WallClock())  # type: ignore[arg-type]
    made.contact, made.listed = NOW - age, True
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("age", "fields", "word"),
    [
        (0.0, {}, "fresh"),
        (reflector.QUIET, {}, "fresh"),
        (reflector.QUIET + 1, {}, "late"),
        (2 * reflector.QUIET, {}, "late"),
        (2 * reflector.QUIET + 1, {}, "stale"),
        (reflector.BOOKMARKS, {"_bookmarked": True}, "fresh"),
        (reflector.BOOKMARKS + 1, {"_bookmarked": True}, "late"),
        (2 * reflector.BOOKMARKS, {"_bookmarked": True}, "late"),
        (2 * reflector.BOOKMARKS + 1, {"_bookmarked": True}, "stale"),
        (reflector.LATE, {"problem": LOST}, "late"),
        (reflector.LATE + 1, {"problem": LOST}, "stale"),
        (reflector.LATE, {"silence": LOST}, "late"),
        (reflector.LATE + 1, {"silence": LOST}, "stale"),
        (0.0, {"problem": LOST, "listed": False}, "unreachable"),
        (0.0, {"listed": False}, "loading"),
        (0.0, {"listed": False, "silence": LOST}, "loading"),
        (0.0, {"problem": LoginNeeded("the token expired")}, "login needed"),
        (0.0, {"problem": ForbiddenError("cannot list")}, "forbidden"),
        (0.0, {"problem": NotFoundError("no such kind", status=404)}, "absent"),
    ],
)
def test_the_word_of_a_watch(age: float, fields: dict[str, Any], word: str) -> None:
    assert watch(age, **fields).word() == word


SILENCE = 2 * reflector.QUIET + 1


@pytest.mark.parametrize(
    ("one", "said", "detail"),
    [
        (watch, "partial", "1 of 2 namespaces may not be read: b"),
        (lambda: watch(reflector.QUIET + 1), "late", SILENT),
        (lambda: watch(SILENCE), "stale", SILENT),
        (lambda: watch(listed=False), "loading", "1 of 2 namespaces may not be read: b"),
        (lambda: watch(SILENCE, problem=LOST), "stale", "the server does not answer"),
    ],
)
def test_a_silent_watch_beside_a_namespace_that_may_not_be_read_is_not_only_partial(
    one: Any, said: str, detail: str
) -> None:
    refused = watch(problem=ForbiddenError("cannot list"))
    refused.namespace = "b"
    watched = Watched(PODS)
    watched.parts = {("a", ""): (one(), None), ("b", ""): (refused, None)}  # type: ignore[dict-item]
    state = watched.state(0.0)
    assert (state.state, state.detail) == (said, detail)
