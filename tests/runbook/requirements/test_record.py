"""What a safe engine must have, B26 to B38: the journal, resuming, verification, rollback, lint, tests, figures.

Two are left out. B36: reading and writing Markdown belongs to the tools of authors, whose tests try it. B37: Console
schedules nothing, so that no runbook, read-only or not, runs without a person.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from console.actions.effects import STAMP, Preview
from console.actions.pins import Pin
from console.base.errors import UsageError
from console.drill.scenario.files import load as scenario
from console.operate import applying, binding, undone
from console.operate.ahead.preview import PlannedChange
from console.operate.journal import Journal
from console.operate.kubernetes import ObjectAddress
from console.operate.scripts.process import run
from console.runbook import steps
from console.runbook.afterwards.recurrence import followed
from console.runbook.lint.run import lint
from console.runbook.walk import (
    AnyEvent,
    Applied,
    ChangeRefused,
    Entered,
    Intent,
    Landed,
    LookedBack,
    Offered,
    Resumed,
    Started,
    Verified,
    Walk,
    decode,
    fold,
)
from console.timeline.stats import figures
from console.timeline.timeline import document, markdown
from console.wire.reviews import ApiResource
from tests.operate.test_guards import way
from tests.runbook.boards import board
from tests.runbook.player import LIBRARY
from tests.runbook.requirements.test_authoring import RAISE, VERIFY, small
from tests.runbook.requirements.test_safety import APP, OBJ, PATCH, UNDO, sent
from tests.runbook.test_recurrence import events as resolved_walk
from tests.runbook.test_recurrence import spark_app
from tests.runbook.test_verify import Watch
from tests.timeline.story import WALK, written

BOOK = small(VERIFY + "steps:\n" + RAISE)
CHANGE, PROOF = (next(s.id for s in BOOK.steps if s.kind == kind) for kind in ("change", "verify"))


async def test_b26_the_intent_is_on_the_disk_before_the_change_leaves_and_a_record_cannot_be_altered(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.append(
        "w-1", Started(1.0, "w-1", "small", "1", BOOK.hash, BOOK.text, {"a": 1}, {"a": "alert"}, {}, "", "a", "t")
    )

    class Sends:
        seen: tuple[str, ...] = ()
        manager = "console"

        async def patch(self, path: str, body: Any, kind: str, *, dry_run: bool = False) -> dict[str, Any]:
            other = sqlite3.connect(tmp_path / "journal.db")  # what another process would find now
            rows = other.execute("SELECT kind, CAST(payload AS BLOB) FROM records WHERE walk = 'w-1' ORDER BY seq")
            self.seen = tuple(kind for kind, payload in rows if decode(payload))
            return {"metadata": {"generation": 2}}

        async def event(self, *args: Any, **more: Any) -> None:
            return None

    def emit(event: AnyEvent) -> None:
        journal.append("w-1", event)

    writer = Sends()
    gate = way(None, [], emit=emit)
    object.__setattr__(gate, "writer", writer)
    planned = PlannedChange(Preview(PATCH, (), True), PATCH, Pin("u-1", 1), OBJ, UNDO)
    at = ObjectAddress(APP, ApiResource("sparkapplications", "SparkApplication", True), "/x")
    await applying.change(planned, gate, at)
    assert writer.seen == ("started", "intent")
    assert [type(e).__name__ for e in journal.read("w-1")] == ["Started", "Intent", "Applied"]
    first = journal.read("w-1")[0]
    assert isinstance(first, Started) and (first.inputs, first.origins, first.text) == (
        {"a": 1},
        {"a": "alert"},
        BOOK.text,
    )
    assert journal.verify("w-1").ok
    db = sqlite3.connect(tmp_path / "journal.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute("UPDATE records SET at = 0")
    db.execute("DROP TRIGGER records_stay")
    db.execute("UPDATE records SET payload = ? WHERE seq = 2", (b"{}",))
    db.commit()
    assert not journal.verify("w-1").ok and journal.verify("w-1").broken == 2


def test_b27_a_change_without_a_result_is_asked_about_and_a_runbook_that_changed_is_shown() -> None:
    walk = sent(Resumed(9.0, "grace"))
    todo = steps.todo(BOOK, walk)
    assert isinstance(todo, steps.Landing) and todo.answer == "", "the cluster is asked, nothing is sent"
    landed = sent(Resumed(9.0, "g"), Landed(10.0, CHANGE, "w-1/1", "yes"))
    assert isinstance(steps.todo(BOOK, landed), steps.Landing)
    unknown = sent(Resumed(9.0, "g"), Landed(10.0, CHANGE, "w-1/1", "unknown"))
    assert steps.todo(BOOK, unknown) == steps.Landing(cast(Any, unknown.in_doubt), "unknown"), "a person is asked"
    gone = sent(Resumed(9.0, "g"), Landed(10.0, CHANGE, "w-1/1", "no"))
    assert isinstance(steps.todo(BOOK, gone), steps.MakeChange), "it is offered again, through the whole gate"
    kept = replace(walk, text=BOOK.text, hash=BOOK.hash)
    library = cast(Any, SimpleNamespace(runbooks={"small": small(VERIFY + "steps:\n" + RAISE.replace("1g", "2g"))}))
    with pytest.raises(UsageError, match="another text"):
        binding.bound(kept, library, bind=False)
    assert binding.bound(kept, library, bind=True).hash == BOOK.hash
    assert any("2g" in line and line.startswith("+") for line in binding.drift(kept, library))


async def test_b28_output_is_bounded_keeps_its_ends_and_holds_no_control_codes() -> None:
    code = "print('first\\x1b[31m'); print('x' * 3_000_000); print('last')"
    ended = await run(("python", "-c", code), timeout=60, env={})
    assert ended.output.startswith("first") and ended.output.endswith("last\n") and "left out" in ended.output
    assert "\x1b" not in ended.output and len(ended.output) < 1_000_000


def test_b29_a_walk_is_exported_as_markdown_and_as_json(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    written(journal)
    events, chain, hashes = journal.read(WALK), journal.verify(WALK), journal.hashes(WALK)
    page = markdown(fold(events), events, chain, hashes)
    assert "memoryOverhead" in page and "ada confirmed" in page and chain.head[:12] in page
    tree = json.loads(json.dumps(document(fold(events), events, chain, hashes)))
    assert (
        tree["journal"]["whole"] and len(tree["events"]) == len(events) and tree["writes"][0]["confirmed_by"] == "ada"
    )


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [
        ([{"running": True, "ooms": 0, "tasks": n} for n in range(12)], "effective"),
        ([{"running": True, "ooms": 2, "tasks": 1}], "ineffective"),
        ([{"running": True, "ooms": 0, "tasks": 1, "gone": True}], "worse"),
        ([{}] * 31, "unknown"),
    ],
)
def test_b30_a_verification_holds_and_has_four_verdicts(looks: list[dict[str, Any]], verdict: str) -> None:
    watch = Watch()
    for data in looks:
        if watch.verdict() is None:
            watch.look(**data)
    assert (watch.verdict() or ("none",))[0] == verdict


def two_changes(*more: AnyEvent) -> Walk:
    """Two changes before one verification, which says that it got worse."""
    first, second = (replace(PATCH, id=f"w-1/{n}", step=CHANGE, title=f"change {n}") for n in (1, 2))
    events: list[AnyEvent] = [
        Started(1.0, "w-1", "small", "1", "", "", {}, {}, {}, "", "ada", "t"), Entered(2.0, CHANGE),
    ]  # fmt: skip
    for effect in (first, second):
        back = replace(effect, id=f"{effect.id}.undo", inverse_of=effect.id)
        events += [Intent(3.0, CHANGE, effect, {}, 1, back), Applied(4.0, CHANGE, effect.id, True, goto=PROOF)]
    verified = Verified(6.0, PROOF, "worse", "it is worse", "not-fixed")
    return fold([*events, Entered(5.0, PROOF), verified, *more])


def test_b31_rollbacks_are_asked_about_in_reverse_order_and_one_that_fails_stops_no_other() -> None:
    offer = steps.todo(BOOK, two_changes())
    assert isinstance(offer, steps.Offer) and offer.effect.id == "w-1/2"
    yes = Offered(7.0, PROOF, "w-1/2", "yes", "ada")
    undo = steps.todo(BOOK, two_changes(yes))
    assert isinstance(undo, steps.Undo) and undo.rollback.inverse_of == "w-1/2"
    back = undo.rollback
    for ended in (
        [ChangeRefused(8.0, PROOF, back.id, "server", "no")],
        [Intent(8.0, PROOF, back, {}, 2), Applied(9.0, PROOF, back.id, False, "it failed")],
        [
            Intent(8.0, PROOF, back, {}, 2),
            Applied(9.0, PROOF, back.id, True),
            LookedBack(9.5, PROOF, back.id, "yes", "so"),
        ],
    ):
        walk = two_changes(yes, *ended)
        following = steps.todo(BOOK, walk)
        assert isinstance(following, steps.Offer) and following.effect.id == "w-1/1", ended
        assert len(walk.undos) == 1 and walk.outputs[PROOF]["verdict"] == "worse", "reported beside the verdict"
        both = two_changes(yes, *ended, Offered(10.0, PROOF, "w-1/1", "no", "ada"))
        assert steps.todo(BOOK, both) == steps.Enter("not-fixed")


async def test_b32_a_change_that_somebody_reverted_is_noticed_and_who_is_said() -> None:
    walk = fold(resolved_walk())
    assert followed(walk, board(), (spark_app("1200m"),)) is None
    found = followed(walk, board(), (spark_app("200m"),))
    assert found is not None and found.kind == "recurred" and found.target is not None
    fields: dict[str, Any] = {"f:spec": {"f:executor": {"f:memoryOverhead": {}}}}

    class Reader:
        async def resource(self, api_version: str, kind: str) -> ApiResource:
            return ApiResource("sparkapplications", kind, True)

        async def object(self, path: str) -> dict[str, Any]:
            entries = [("console-oncall", "2026-01-01T00:00:00Z"), ("kubectl-edit", "2026-01-02T00:00:00Z"),
                       ("argocd-controller", "2026-01-03T00:00:00Z")]  # fmt: skip
            managed = [{"manager": m, "operation": "Update", "time": t, "fieldsV1": fields} for m, t in entries]
            return {"metadata": {"managedFields": managed, "annotations": {STAMP: "w/1"}}}

    who = await undone.by_whom(cast(Any, Reader()), found.target, found.pointer)
    assert who == "Argo CD (argocd-controller) wrote it at 2026-01-03T00:00:00Z"


def test_b33_lint_knows_the_field() -> None:
    bad = small(VERIFY + "steps:\n- check: How many?\n  query: count(kube_pod_inf)\n  that: query.value > 3\n"
                "  then: handed over\n" + RAISE.replace("memoryOverhead", "memoryOverhed"))  # fmt: skip
    found = {p.code: p for p in lint(bad, scripts={}, catalogue=LIBRARY.catalogue)}
    assert "kube_pod_info" in found["unknown-metric"].hint and found["unknown-metric"].line == 10
    assert "memoryOverhead" in found["unknown-field"].hint


@pytest.mark.parametrize("name", sorted(id for id, book in LIBRARY.runbooks.items() if book.writes))
def test_b34_each_runbook_that_changes_something_is_tried_on_its_fault_and_on_a_healthy_world(name: str) -> None:
    cases = scenario(name).cases
    assert len(cases) >= 3, "the fault, the healthy world, a look-alike"
    assert any("healthy" in case or "calm" in case for case in cases)
    assert all(case.expect is not None for case in cases.values())


def test_b35_the_file_that_ci_plays_is_the_drill_that_people_do() -> None:
    from console.cli.engine.proving import chosen

    (played,) = list(chosen(["spark-oom"]))
    assert played.file == scenario("spark-oom").file and played.cases.keys() == scenario("spark-oom").cases.keys()


def test_b38_the_engine_tells_how_its_runbooks_did() -> None:
    events = resolved_walk()
    (one,) = figures([(fold(events), events)])
    assert (one.runbook, one.runs, one.outcomes, one.changed) == ("spark-oom", 1, {"resolved": 1}, 1)
    assert one.first_action is not None and one.took is not None and one.last_good is not None


def test_what_is_left_out_is_said_and_nothing_of_it_that_may_not_be() -> None:
    here = Path(__file__).parent
    text = "".join(path.read_text() for path in here.glob("test_*.py"))
    missing = {number for number in range(1, 39) if f"def test_b{number:02}_" not in text}
    assert missing == {36, 37}
