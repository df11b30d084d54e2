"""Changes that are chosen by a word, scripts in the short form, and proofs that count only meanwhile."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from console.base.errors import DocumentError
from console.runbook import schema, steps
from console.runbook.authors import checklist
from console.runbook.language.expanded import text
from console.runbook.lint.problems import LintProblem
from console.runbook.lint.run import lint
from console.runbook.model import Runbook
from tests.runbook.boards import KEY, app, board, driver, executor, finding
from tests.runbook.player import LIBRARY, Player

SIZE = "{{ finding.data.proposal.value|jvm_size }}"
FILE = f"""\
apiVersion: console/v1
kind: Runbook
id: memory
title: Memory ran out
owner: platform on-call
reviewed: 2026-11-20
what: Gives it room.
when_not_to_use: Its owner works on it.
about: app
match: {{findings: [executor-oom-heap, executor-oom-overhead, driver-result-size]}}
inputs: {{app: {{type: spark_app, from: [selection.app]}}}}
steps:
- id: larger
  check: Is nothing larger allowed?
  that: finding.data.proposal.field == 'cores'
  then: fewer
- id: give
  do:
    patch: app
    by: finding.data.proposal.field
    merge:
      heap: {{spec: {{executor: {{memory: "{SIZE}"}}}}}}
      overhead: {{spec: {{executor: {{memoryOverhead: "{SIZE}"}}}}}}
  title: Give the executors room
  loses: the present attempt
  then: verify
- id: fewer
  do:
    script: lower-executor-cores
    on: app
    with: {{app: "{{{{ app.key }}}}", divide_by: 2}}
  title: Run fewer tasks at once
verify:
  that: after.oom_deaths == 0
  while: after.new_driver
  for: 1m
  within: 10m
"""


def book(old: str = "", new: str = "") -> Runbook:
    assert old in FILE
    return schema.load(FILE.replace(old, new) if old else FILE, "memory.yaml")


def problems(old: str = "", new: str = "") -> tuple[LintProblem, ...]:
    return lint(book(old, new), scripts=LIBRARY.scripts, catalogue=LIBRARY.catalogue, today="2026-11-25")


def played(code: str, runbook: Runbook | None = None, *, answered: bool = True, **more: Any) -> Player:
    def world(now: float, changed: float | None) -> Any:
        if changed is None or not answered:
            return board(finding(code), slos=(), at=now)
        new = app(driver=driver(changed + 10), executors=(executor(1, created=changed + 20),))
        return board(finding(code), apps=(new,), slos=(), at=now)

    player = Player(runbook or book(), world, **more)
    player.play()
    return player


@pytest.mark.parametrize(
    ("code", "word", "patch"),
    [
        ("executor-oom-heap", "heap", {"spec": {"executor": {"memory": "5888m"}}}),
        ("executor-oom-overhead", "overhead", {"spec": {"executor": {"memoryOverhead": "2304m"}}}),
    ],
)
def test_the_word_chooses_the_patch_and_one_proof_follows(code: str, word: str, patch: dict[str, Any]) -> None:
    player = played(code)
    assert player.walk.path == (
        "applies", "larger", "give", f"give-{word}", "verify", "resolved",
    )  # fmt: skip
    assert [effect.patch for effect in player.effects] == [patch]
    assert player.effects[0].title == "Give the executors room" and player.effects[0].loses == "the present attempt"


def test_a_no_to_the_chosen_change_changes_nothing() -> None:
    player = played("executor-oom-heap", refuse=frozenset({"give-heap"}))
    assert player.walk.path[-1] == "declined" and not player.walk.writes


def test_a_word_that_stands_nowhere_is_handed_over() -> None:
    player = played("driver-result-size")
    assert player.walk.path == ("applies", "larger", "give", "handed-over") and not player.effects
    state = player.walk.state("give")
    assert state is not None and state.words == "it is none of heap, overhead"


def test_a_word_that_cannot_be_told_is_handed_over() -> None:
    player = played("executor-oom-heap", book("by: finding.data.proposal.field", "by: finding.data.never.field"))
    assert player.walk.path == ("applies", "larger", "give", "handed-over") and not player.effects
    assert player.walk.state("give").status == "unknown"  # type: ignore[union-attr]


def test_a_choice_that_is_not_due_is_skipped_as_a_whole() -> None:
    player = played("executor-oom-heap", book("  title: Give the", "  when: now < 0\n  title: Give the"))
    assert player.walk.path[:4] == ("applies", "larger", "give", "fewer")


def test_a_change_that_is_not_due_leads_where_it_says() -> None:
    player = played(
        "executor-oom-heap", book("  title: Give the", "  when: now < 0\n  else: observed\n  title: Give the")
    )
    assert player.walk.path == ("applies", "larger", "give", "observed")


def test_a_script_that_may_be_due_is_not_run_where_that_cannot_be_told() -> None:
    due = FILE.replace("  title: Run fewer", "  when: finding.data.never > 1\n  title: Run fewer")
    player = played("executor-oom-heap", schema.load(due.replace("== 'cores'", "== 'heap'"), "memory.yaml"))
    assert player.walk.path[-2:] == ("fewer", "handed-over") and not player.effects


def test_each_patch_is_linted_where_it_is_written() -> None:
    (wrong,) = problems("memoryOverhead:", "memoryOverhed:")
    assert (wrong.code, wrong.line) == ("unknown-field", 23)
    assert "memoryOverhead" in wrong.hint
    (size,) = problems(f'memory: "{SIZE}"', "memory: 3200")
    assert (size.code, size.line) == ("no-jvm-size", 22)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    by: finding.data.proposal.field\n", "    by: [heap]\n", 20, "what chooses the patch is an expression"),
        ("    merge:\n      heap: {", "    merge:\n      heap: 1\n      other: {", 21, "a patch for each word"),
        ("      heap: {", "      He ap: {", 22, "'He ap' is no word"),
        ("    on: app\n", "", 28, "an object `on` that it changes"),
        ("    on: app\n", "    on: ap\n", 30, "there is no object 'ap'"),
        ("    with: {", "    wth: {", 31, "unknown key 'wth'"),
        ("divide_by: 2}", "divide_by: [2]}", 31, "has a name and a value each"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        book(old, new)
    assert (caught.value.line, words in str(caught.value)) == (line, True), str(caught.value)


def test_a_script_takes_the_types_that_it_declares() -> None:
    runbook = book()
    player = Player(runbook, lambda now, changed: board(finding("executor-oom-heap")))
    player.start()
    step = runbook.step("fewer")
    assert step is not None and step.writes
    effect = steps.effect(runbook, player.walk, step, player.ctx(), LIBRARY.scripts, LIBRARY.catalogue)
    assert effect.argv[2:] == ("--app", KEY, "--divide-by", "2")
    assert effect.touched == ("/spec/executor/cores", "/spec/executor/instances")
    assert effect.calls and effect.calls[0].verbs == ("patch",) and effect.calls[0].target == effect.target
    odd = replace(step, arguments=tuple(replace(a, value="two") for a in step.arguments))
    with pytest.raises(Exception, match="two"):
        steps.effect(runbook, player.walk, odd, player.ctx(), LIBRARY.scripts, LIBRARY.catalogue)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("divide_by: 2", "devide_by: 2", "unknown-argument", 31),
        (", divide_by: 2", "", "argument-missing", 31),
        ("script: lower-executor-cores", "script: lower-cores", "unknown-script", 29),
        ("divide_by: 2", "divide_by: ~/.kube/config", "persons-file", 31),
    ],
)
def test_a_script_is_linted_against_what_it_declares(old: str, new: str, code: str, line: int) -> None:
    assert (code, line) in {(one.code, one.line) for one in problems(old, new)}


def test_what_is_seen_while_it_does_not_count_proves_nothing() -> None:
    """Nobody has died, but no new driver has come: that is unknown, neither good nor bad."""
    walk = played("executor-oom-heap", answered=False).walk
    assert walk.path[-1] == "unclear" and walk.outcome == "unresolved"


def test_it_passes_lint_and_is_what_its_long_form_says() -> None:
    assert problems() == ()
    again = schema.load(text(book()), "long.yaml")
    plain = [{**msgspec.to_builtins(step), "at": (), "line": 0} for step in book().steps]
    assert plain == [{**msgspec.to_builtins(step), "at": (), "line": 0} for step in again.steps]


def test_it_reads_as_one_step_of_the_checklist() -> None:
    said = checklist.text(checklist.checklist(book()))
    (first,) = [line for line in said.split("\n") if "Give the executors room" in line]
    assert first.strip() == "3. CHANGE: Give the executors room"
    assert "What the finding's proposal.field says chooses what it sets:" in said
    assert "- heap: spec.executor.memory to <finding.data.proposal.value>" in said
    assert "- overhead: spec.executor.memoryOverhead to <finding.data.proposal.value>" in said
    assert "4. CHANGE by a script: Run fewer tasks at once" in said
