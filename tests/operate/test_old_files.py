"""What version 0.1.0 left on disk still opens: its journal, the timelines that it exported, its runbooks.

`tests/data/old/journal` and `runbooks` were written by that version and are never written again: a journal of three
walks (one that mended an application; one with every action, a crash and a rollback; one left at its question), the
timeline of each as Markdown and as JSON, and two runbooks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from console.base.document import parse
from console.operate.journal import Journal
from console.operate.person import Scripted
from console.runbook import schema
from console.runbook.walk import decode, encode, fold
from console.sources.files.runbooks import Library
from console.timeline.record import WalkRecord
from console.timeline.timeline import document, markdown
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.conftest import Simulated
from tests.operate.objects import NEW, create, running, spark_path
from tests.operate.tower import desk

OLD = Path(__file__).parents[1] / "data" / "old" / "journal"
RUNBOOKS = OLD.parent / "runbooks"
WALKS = {
    "mended": "w-20261124-104207-3f9a",
    "changed": "w-20261125-104207-aa01",
    "left": "w-20261126-104207-bb02",
}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    shutil.copy(OLD / "journal.db", tmp_path / "journal.db")
    return Journal(tmp_path / "journal.db")


def test_every_walk_of_an_old_journal_is_whole_and_folds(journal: Journal) -> None:
    assert {head.walk for head in journal.walks()} == set(WALKS.values())
    assert all(journal.verify(walk).ok for walk in WALKS.values())
    changed = fold(journal.read(WALKS["changed"]))
    assert [effect.action for effect in changed.writes] == ["delete", "script", "patch"]
    assert changed.writes[2].inverse_of == changed.writes[1].id and list(changed.rollbacks) == [changed.writes[1].id]
    assert (changed.status, changed.outcome, changed.intents) == ("ended", "unresolved", 3)
    left = fold(journal.read(WALKS["left"]))
    assert (left.status, left.current) == ("waiting", "raise")


def kept(old: Any, new: Any) -> bool:
    """Whether everything of `old` stands in `new` as it was; what `new` has besides says nothing."""
    if isinstance(old, dict):
        more = set(new) - set(old) if isinstance(new, dict) else {""}
        return not any(new[key] for key in more) and all(key in new and kept(old[key], new[key]) for key in old)
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(kept, old, new))
    return bool(old == new)


def test_records_are_written_as_they_were(journal: Journal) -> None:
    """An older Console reads what this one writes of the same walk: nothing is renamed or left out."""
    for walk in WALKS.values():
        for _, _, _, payload in journal._records(walk):
            assert kept(json.loads(payload), json.loads(encode(decode(payload))))


@pytest.mark.parametrize("name", WALKS)
def test_its_timeline_reads_as_it_was_exported(journal: Journal, name: str) -> None:
    record = WalkRecord.read(journal, WALKS[name])
    parts: Any = (record.walk, record.events, record.chain, record.hashes)
    assert markdown(*parts) == (OLD / f"{name}.md").read_text()
    assert kept(json.loads((OLD / f"{name}.json").read_text()), json.loads(json.dumps(document(*parts))))


async def test_a_walk_that_was_left_goes_on(simulated: Simulated, journal: Journal, tmp_path: Path) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "left-alone"}}
    simulated.kube.create("/api/v1/namespaces", space)
    create(simulated.kube, "left-alone")
    running(simulated.kube, "left-alone")
    connection = await Connection.open(ContextRef(kubeconfig=str(simulated.kube.kubeconfig)))
    at = desk(connection, "left-alone", tmp_path, journal=journal)
    await at.resume(WALKS["left"], Scripted.parse(parse("{by: ada, answers: {raise: true}}", "answers")), bind=True)
    walk = await at.wait(WALKS["left"])
    await connection.close()
    assert (walk.outcome, walk.path[-3:]) == ("resolved", ("raise", "recovers", "resolved"))
    obj = simulated.kube.get(spark_path("left-alone", "etl-orders"))
    assert obj["spec"]["executor"]["memoryOverhead"] == NEW
    assert journal.verify(WALKS["left"]).ok


def test_an_old_runbook_loads_and_has_no_problem() -> None:
    library = Library.read([RUNBOOKS])
    assert {"every-kind", "spark-oom"} <= set(library.runbooks)
    assert [p for p in library.lint(today="2026-12-01") if p.code != "id-twice"] == []
    book = library.runbooks["every-kind"]
    assert {step.kind for step in book.steps} >= {
        "note",
        "check",
        "ask",
        "change",
        "script",
        "verify",
        "wait",
        "manual",
    }


def test_the_copy_that_a_walk_has_stored_is_still_its_runbook(journal: Journal) -> None:
    walk = fold(journal.read(WALKS["left"]))
    assert hashlib.sha256(walk.text.encode()).hexdigest() == walk.hash
    assert schema.load(walk.text, "stored").id == "small"
