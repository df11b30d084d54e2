"""A runbook as a checklist: read aloud, without a word of template syntax."""

# A sentence stands on one line, however long it is.
# ruff: noqa: E501

from __future__ import annotations

import re

import pytest

from console.runbook import schema
from console.runbook.authors import checklist, spoken
from console.tui.views.runbooks import page
from tests.runbook.player import LIBRARY

BOOK = schema.load(
    """\
apiVersion: console/v1
kind: Runbook
id: operator-down
title: The Spark operator does not work
owner: platform on-call
reviewed: 2026-11-20
what: Brings the operator back.
when_not_to_use: Somebody works on it.
about: component spark-operator
match: {findings: [operator-down]}
objects: {operator: workload, pods: {kind: Pod, labels: {app: x}}}
steps:
- check: Can its image be pulled?
  finding: image-pull
  then: handed over
- do: {patch: operator, merge: {spec: {replicas: 1}}}
  when: operator.spec.replicas == 0
  restarts: "{{ operator.metadata.name }}"
- each: pods|where('spec.nodeName', '==', 'node-7')
  as: pod
  most: 3
  steps:
  - do: {delete: pod}
    irreversible: the pod is made again by its owner
    verify: {that: seen.pod.state == 'absent', for: 0s, within: 5m}
- ask: What now?
  choices:
  - {leave: Leave it, then: handed over}
  - {wait: Wait for a while}
- wait: until it is there
  until: operator.status.availableReplicas >= 1
  within: 10m
verify: {that: operator.status.availableReplicas >= 1, for: 2m, within: 10m}
""",
    "r.yaml",
)
LINES = checklist.text(checklist.checklist(BOOK)).split("\n")


def step(number: int) -> list[str]:
    begin = next(i for i, line in enumerate(LINES) if line.startswith(f"{number:>3}. "))
    end = next((i for i, line in enumerate(LINES[begin:], begin) if not line), len(LINES))
    return [" ".join(line.split()) for line in LINES[begin:end]]


def test_it_begins_with_what_it_is_about_and_when_not_to_use_it() -> None:
    assert LINES[0] == "The Spark operator does not work"
    assert LINES[1].startswith("About component spark-operator · owner platform on-call")
    assert "  Somebody works on it." in LINES and "  findings: operator-down" in LINES


def test_a_question_says_what_it_looks_at_and_where_each_answer_leads() -> None:
    assert step(2) == [
        "2. Can its image be pulled?",
        "Looks whether image-pull is found.",
        "→ If so: handed over",
        "→ Otherwise: step 3",
    ]


def test_a_change_says_what_it_sets_how_it_is_proved_and_how_it_is_undone() -> None:
    said = step(3)
    assert said[0] == "3. CHANGE: Patch operator"
    assert said[1:5] == [
        "Only when operator.spec.replicas is 0.",
        "On operator.",
        "Sets spec.replicas to 1",
        "It is shown first, and made only after a yes.",
    ]
    assert "Restarts: <operator.metadata.name>" in said
    assert "Undone: the former values are put back." in said
    assert "→ If the answer is No: change refused" in said
    assert any(
        line.startswith("Proved: until operator.status.availableReplicas is at least 1, for 2m") for line in said
    )


def test_a_block_says_for_what_and_how_many() -> None:
    assert step(4)[1:3] == [
        "For each of pods whose spec.nodeName is node-7, one after the other, at",
        "most 3:",
    ]
    assert "It cannot be undone: the pod is made again by its owner" in step(5)


def test_an_answer_is_quoted_and_a_wait_says_for_what() -> None:
    assert step(6)[1:] == ["→ “Leave it”: handed over", "→ “Wait for a while”: step 7"]
    assert "Until operator.status.availableReplicas is at least 1; at most 10m." in step(7)


def test_ends_stand_last() -> None:
    at = LINES.index("ENDS")
    assert {"  - Handed over", "  - Change refused (handed over)"} <= set(LINES[at:])


@pytest.mark.parametrize("book", [BOOK, *LIBRARY.runbooks.values()], ids=lambda book: book.id)
def test_no_line_is_wider_than_a_terminal_or_holds_template_syntax(book: schema.Runbook) -> None:
    lines = checklist.text(checklist.checklist(book)).split("\n")
    assert max(map(len, lines)) <= 80
    asked = [line for line in lines if "{{" in line or "{%" in line or "|where" in line]
    assert asked == []


def test_markdown_has_the_same_steps_as_headings_and_lists() -> None:
    said = checklist.markdown(checklist.checklist(BOOK)).split("\n")
    assert said[0] == "# The Spark operator does not work" and "## Steps" in said
    assert "3. **CHANGE: Patch operator** `#patch-operator`" in said
    assert "   - If the answer is No: change refused" in said
    assert "   - Restarts: \\<operator.metadata.name\\>" in said


def test_the_terminal_shows_the_same_words() -> None:
    shown = ["".join(span.text for span in line.spans).strip() for line in page(BOOK, 81)]
    for line in checklist.checklist(BOOK):
        if len(line.text) < 60:
            assert any(line.text in text for text in shown), line.text


def test_a_verb_with_keys_a_late_change_and_what_is_pasted_read_as_words() -> None:
    said = "\n".join(line.text for line in checklist.checklist(LIBRARY.runbooks["operator-down"]))
    assert "With to: 1" in said and "Sets to" not in said
    assert "operator was changed in the last 2d" in said
    assert "<finding.title>" in said and "(applies" not in said


SAID = {
    "operator.spec.paused|default(false)": "operator.spec.paused is true",
    "not schedule.spec.suspend": "schedule.spec.suspend is not true",
    "values.leaving != ''": "leaving is not empty",
    "'scheduling' in values.why or 'refused' in values.why": "why says “scheduling” or why says “refused”",
    "'does not state' not in finding.detail": "finding.detail does not say “does not state”",
    "not ('image-pull' in found)": "image-pull is not found",
    "seen.pod.state == 'absent' and not executors|where('status.phase', '==', 'Pending')": "pod is absent and there are no executors whose status.phase is Pending",
    "(values.going + values.staying)|length > 0": "there are going and staying",
    "elsewhere|where('code', '==', finding.code)|pick('app')|unique|length > 0": "there are the app of elsewhere whose code is finding.code",
    "values.state not in ['NEW', '']": "state is none of NEW, empty",
    "found['unschedulable'].data.reason == 'cordoned'": "unschedulable's reason is cordoned",
    "now - changed.operator <= ('2d'|seconds)": "operator was changed in the last 2d",
    "pods|where('a', '==', 1)|where('b', '!=', 2)|length < 3": "the number of pods whose a is 1 and whose b is not 2 is below 3",
    "saved.before_heap < finding.data.heap * 2": "what heap was before is below the finding's heap × 2",
}


@pytest.mark.parametrize("expression", SAID)
def test_a_condition_is_said_in_words(expression: str) -> None:
    assert spoken.words(expression) == SAID[expression]


@pytest.mark.parametrize("book", LIBRARY.runbooks.values(), ids=lambda book: book.id)
def test_no_sign_of_an_expression_is_left(book: schema.Runbook) -> None:
    """What a stranger could not read aloud: filters, comparisons, names of lists that nobody explained."""
    lines = [line.text for line in checklist.checklist(book) if line.look == "text"]
    lines = [text for text in lines if not text.startswith("Asks Prometheus")]
    assert [
        text for text in lines if re.search(r"==|!=|\|\w|\bvalues\.\w+ (is|says)|\(, \)| is not \.|none of ,", text)
    ] == []


def test_whom_to_call_and_what_to_paste_stand_apart() -> None:
    book = LIBRARY.runbooks["operator-down"]
    lines = checklist.text(checklist.checklist(book)).split("\n")
    at = next(i for i, line in enumerate(lines) if "HAND OVER: Call whoever paused the rollout" in line)
    assert [line.strip() for line in lines[at + 3 : at + 7]] == [
        "Paste:", "| <finding.title>", "| <walk.happened>", "→ Then: handed over",
    ]  # fmt: skip


def test_names_are_explained_and_what_is_undone_at_the_end_stands_under_its_own_head() -> None:
    lines = checklist.text(checklist.checklist(LIBRARY.runbooks["metastore-restore"])).split("\n")
    assert "  - metastore: the workload of component hive-metastore" in lines
    at = lines.index("BEFORE ANY END, ONCE SOMETHING WAS CHANGED")
    assert "Resume each schedule" in lines[at + 2]
    assert not any("back to the end" in line.lower() for line in lines)
