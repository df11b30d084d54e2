"""The memory runbook on evidence that was recorded from real Spark: the right branch, and nothing written unasked."""

from __future__ import annotations

from dataclasses import replace as changed_player
from functools import cache

import pytest
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.board.model import Board, Cluster
from console.findings.diagnose import diagnose
from console.sources.folder.read import read_folder
from tests.findings.corpus import RECORDINGS, Recording
from tests.runbook.player import LIBRARY, Player

BOOK = LIBRARY.runbooks["spark-oom"]
WRITES = frozenset(s.id for s in BOOK.steps if s.writes)
NOTHING = {"filled": "unsure", "how": "none"}
"""The answers of somebody who wants no change."""
ALL = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda r: r.folder)
OOMS = pytest.mark.parametrize("recording", [r for r in RECORDINGS if r.family == "oom"], ids=lambda r: r.folder)
OTHERS = pytest.mark.parametrize(
    "recording", [r for r in RECORDINGS if r.family == "look-alike"], ids=lambda r: r.folder
)


@cache
def board_of(folder: str) -> Board:
    recording = next(r for r in RECORDINGS if r.folder == folder)
    facts = read_folder(recording.path)
    apps = assemble(facts)
    found = diagnose(facts, apps)
    return Board(facts.at, Cluster(kind="saved"), "DEGRADED", apps=apps, findings=found, nodes=facts.nodes)


def walked(recording: Recording) -> list[Player]:
    """The runbook on every application of a recording."""
    board = board_of(recording.folder)
    players = [
        Player(BOOK, lambda now, changed: board, NOTHING, refuse=WRITES, app=app.key, now=board.at)
        for app in board.apps
    ]
    for player in players:
        player.play()
    return players


@ALL
def test_every_recording_comes_to_an_end_that_says_why(recording: Recording) -> None:
    for player in walked(recording):
        walk = player.walk
        assert walk.outcome in ("not_applicable", "handed_over") and not walk.writes
        said = [walk.because, *(s.words for s in walk.steps), *(e.excerpt for s in walk.steps for e in s.evidence)]
        assert all(said) and not any("cannot be said" in words for words in said)


@OOMS
def test_an_oom_is_named_by_its_kind_with_its_evidence(recording: Recording) -> None:
    titles = {f.title for f in board_of(recording.folder).findings if f.code == recording.expected[0][1]}
    walks = [p.walk for p in walked(recording)]
    named = [s for w in walks if (s := w.state("applies")) is not None and s.words in titles]
    quoted = [s for w in walks if (s := w.state("fixed")) is not None]
    finished = [w for w in walks if (s := w.state("other")) is not None and "it has completed" in s.words]
    assert named or finished
    assert all(s.status == "pass" for s in named)
    assert quoted or finished
    assert all(s.evidence for s in quoted)


@OTHERS
def test_a_look_alike_never_comes_near_a_write(recording: Recording) -> None:
    for player in walked(recording):
        assert player.walk.path[-1] in ("not-applicable", "handed-over"), player.walk.path
        assert not {"fixed", "how", "filled", "keep-size"} & {*player.walk.path}, player.walk.path
        assert player.effects == []


def test_the_real_story_is_asked_about_and_gets_room_enough() -> None:
    """etl-orders as recorded: 512m and 200m, local directories in memory; its next attempt ran with 1200m."""
    saved = board_of("kubernetes-1.37/etl-orders")
    (app,) = saved.apps
    assert app.writable and app.state == "COMPLETED"
    board = replace(saved, apps=(replace(app, state="RUNNING"),))
    player = Player(BOOK, lambda now, changed: board, NOTHING, app=app.key, now=board.at)
    assert player.play().path[6:] == ("fixed", "python", "filled", "owner", "handed-over")
    again = changed_player(player, answers={"filled": "overhead"}, refuse=WRITES, events=[], effects=[], now=board.at)
    again.play()
    assert [e.patch for e in again.effects] == [{"spec": {"executor": {"memoryOverhead": "1200m"}}}]
