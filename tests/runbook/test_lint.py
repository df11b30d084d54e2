"""Lint: break one thing in a good runbook, and exactly that is what is said, at its line."""

# One mutation is one line of a table, however long.
# ruff: noqa: E501

from __future__ import annotations

import pytest

from console.runbook import schema
from console.runbook.catalogue import Catalogue
from console.runbook.lint import constants
from console.runbook.lint.problems import LintProblem
from console.runbook.lint.run import lint
from tests.runbook.longform import LONG
from tests.runbook.player import LIBRARY

TEXT, FILE = LONG.text, LONG.file


def problems(text: str, today: str = "2026-11-25") -> tuple[LintProblem, ...]:
    book = schema.load(text, FILE)
    return lint(book, scripts=LIBRARY.scripts, catalogue=LIBRARY.catalogue, today=today)


def step(id: str) -> str:
    """The text of one step."""
    begin = TEXT.index(f"  - id: {id}\n")
    end = TEXT.find("\n  - id: ", begin)
    return TEXT[begin : end + 1 if end >= 0 else len(TEXT)]


def broken(id: str, old: str, new: str) -> str:
    before = step(id)
    assert before.count(old) >= 1, (id, old)
    return TEXT.replace(before, before.replace(old, new, 1))


def without(id: str, *keys: str) -> str:
    lines = step(id).splitlines(keepends=True)
    kept = [line for line in lines if not any(line.startswith(f"    {key}:") for key in keys)]
    assert len(kept) == len(lines) - len(keys)
    return TEXT.replace("".join(lines), "".join(kept))


def test_the_shipped_library_is_clean() -> None:
    assert LIBRARY.problems == () and LIBRARY.lint(today="2026-11-25") == ()
    assert problems(TEXT) == ()


MUTATIONS: list[tuple[str, str, str, str]] = [
    # ways
    ("decide-without-else", "has no else", without("objectives", "else").replace("      goto: slo-recovers\n      because: \"{{ recovery.words }}\"\n", ""), "steps"),
    ("undefined-step", "there is no step 'raise-overhead'", broken("heap-or-overhead", "goto: raise-executor-overhead", "goto: raise-overhead"), "choices[0].goto"),
    ("undefined-step", "there is no step 'nowhere'", broken("python-memory", "on_unknown: heap-or-overhead", "on_unknown: nowhere"), "on_unknown"),
    ("undefined-step", "there is no step 'nowhere'", broken("one-or-many", "    else:\n      goto: node-pressure", "    else:\n      goto: nowhere"), "else.goto"),
    ("unreachable-step", "no way leads to step 'one-partition'", broken("what-helps", "goto: one-partition", "goto: heap-fix"), "steps"),
    ("verdict-without-way", "on_worse", without("slo-recovers", "on_worse"), "steps"),
    ("no-way-after-no", "leads nowhere when the answer is No", without("raise-driver-heap", "on_refused"), "steps"),
    ("no-way-on", "leads nowhere when it is done", TEXT + "\n  - {id: tail, kind: note, title: Tail, text: Tail}\n", "steps"),
    # writes
    ("write-without-verify", "nothing verifies it", without("raise-driver-heap", "verify"), "steps"),
    ("verify-is-none", "is a end, not a verify step", broken("raise-driver-heap", "verify: driver-recovers", "verify: resolved"), "verify"),
    ("vacuous-verify", "as soon as nothing happens", without("driver-recovers", "progress", "rises"), "steps"),
    ("write-without-rollback", "does not say why", without("raise-executor-heap", "rollback"), "steps"),
    ("rollback-impossible", "no fields to capture", TEXT.replace(step("lower-executor-cores"), step("lower-executor-cores").replace(
        '    target:\n      apiVersion: sparkoperator.k8s.io/v1beta2\n      kind: SparkApplication\n      namespace: "{{ app.namespace }}"\n      name: "{{ app.name }}"\n', "")), "rollback"),
    ("no-leads-to-write", "straight to the write", broken("raise-executor-heap", "on_refused: declined", "on_refused: raise-executor-overhead"), "on_refused"),
    ("unknown-leads-to-write", "straight to the write", broken("python-memory", "on_unknown: heap-or-overhead", "on_unknown: raise-executor-heap"), "on_unknown"),
    # consent
    ("one-answer", "has one answer", broken("driver-heap", "      - {value: none, label: Change nothing and hand over, goto: advise}\n", ""), "choices"),
    ("answer-twice", "stands here twice", broken("driver-heap", "{value: none,", "{value: heap,"), "choices[1]"),
    ("yes-by-default", "says yes for the person", TEXT.replace("  hold:\n    type: duration", "  confirm_all:\n    type: bool\n    default: true\n  hold:\n    type: duration").replace("{{ recovery.words }}", "{{ recovery.words }}{{ inputs.confirm_all }}", 1), "inputs.confirm_all.default"),
    # templates
    ("template", "there is no filter 'jvmsize'", broken("raise-executor-heap", "new_heap|jvm_size }}\"\n    target", "new_heap|jvmsize }}\"\n    target"), "title"),
    ("template", "unexpected", broken("executors-recover", "until: after.oom_deaths == 0", "until: after.oom_deaths == 0 and"), "until"),
    ("template", "'**' is not allowed", TEXT.replace("(finding.data.total) * 2", "(finding.data.total) ** 2"), "values.most_room"),
    ("unknown-name", "there is no 'ap' in templates", broken("raise-executor-heap", "{{ app.name }}", "{{ ap.name }}"), "target.name"),
    ("unknown-name", "app.executor_memory has no 'heep'", broken("heap-fix", "{{ finding.data.heap|bytes }}", "{{ app.executor_memory.heep|bytes }}"), "shows[0]"),
    ("unknown-name", "after has no 'ooms'", broken("executors-recover", "until: after.oom_deaths == 0", "until: after.ooms == 0"), "until"),
    ("unknown-name", "inputs has no 'holds'", broken("executors-recover", "{{ inputs.hold }}", "{{ inputs.holds }}"), "hold"),
    ("unknown-name", "steps has no 'look_alikes'", broken("killed", "steps.look_alike.because", "steps.look_alikes.because"), "text"),
    ("unknown-name", "steps.look_alike has no 'verdict'", broken("killed", "steps.look_alike.because", "steps.look_alike.verdict"), "text"),
    ("unknown-name", "values has no 'new_heep'", broken("raise-driver-heap", "memory: \"{{ values.new_heap", "memory: \"{{ values.new_heep"), "patch.spec.driver.memory"),
    ("unknown-name", "values has no 'plus_share'", TEXT.replace("  room: finding", "  room: values.plus_share + finding"), "values.room"),
    ("unknown-name", "there is no 'query'", broken("heap-or-overhead", "heap peak {{", "{{ query.value }} heap peak {{"), "shows[1]"),
    ("unknown-name", "each item has no 'nme'", broken("node-pressure", "nodes|where('name', 'in'", "nodes|where('nme', 'in'"), "branches[1].when"),
    ("output-maybe-missing", "not every way to step 'declined' has passed 'heap-fix'", broken("declined", "nothing was changed", "{{ steps.heap_fix.answer }}"), "text"),
    ("input-maybe-missing", "'overhead' is not required", broken("declined", "nothing was changed", "{{ inputs.overhead }}"), "text"),
    # world
    ("unknown-metric", "no known exporter has a series 'metrics_executor_ProcessTreePythonRSS_bytes'", broken("python-memory", "ProcessTreePythonRSSMemory_bytes", "ProcessTreePythonRSS_bytes"), "query"),
    ("invented-metric", "no exporter has a series 'spark_executor_memory_bytes'", broken("python-memory", "metrics_executor_ProcessTreePythonRSSMemory_bytes", "spark_executor_memory_bytes"), "query"),
    ("unknown-label", "has no label 'app_id'", broken("python-memory", "{application_id=", "{app_id="), "query"),
    ("promql-syntax", "this is no PromQL", broken("python-memory", "max(max_over_time(", "max(max_over_time((")  , "query"),
    ("query-with-blocks", "no {% … %}", broken("python-memory", "max(max_over_time(", "{% if true %}max(max_over_time(").replace("[1h]))\n", "[1h])){% endif %}\n"), "query"),
    ("unknown-field", "spec.executor has no field 'memoryOverhed'", broken("raise-executor-overhead", "memoryOverhead: \"{{", "memoryOverhed: \"{{"), "patch.spec.executor.memoryOverhed"),
    ("no-jvm-size", "3200 is no size of a JVM", broken("raise-executor-overhead", "memoryOverhead: \"{{ values.new_overhead|jvm_size }}\"", "memoryOverhead: 3200"), "patch.spec.executor.memoryOverhead"),
    ("unknown-field", "spec.executor has no field 'core'", broken("lower-executor-cores", "/spec/executor/cores,", "/spec/executor/core,"), "touches[0]"),
    ("unknown-kind", "nothing is known about the fields", broken("raise-executor-heap", "kind: SparkApplication", "kind: SparkApp"), "target.kind"),
    ("unknown-script", "there is no script 'lower-cores'", broken("lower-executor-cores", "script: lower-executor-cores", "script: lower-cores"), "script"),
    ("unknown-argument", "has no argument 'devide_by'", broken("lower-executor-cores", "divide_by:", "divide_by: {type: int, value: \"2\"}\n      devide_by:"), "arguments.devide_by"),
    ("argument-missing", "needs the argument 'divide_by'", broken("lower-executor-cores", "      divide_by: {type: int, value: \"2\"}\n", ""), "arguments"),
    ("argument-type", "is of type int, not float", broken("lower-executor-cores", "type: int", "type: float"), "arguments.divide_by.type"),
    ("argument-flag", "stands after --app", broken("lower-executor-cores", "value: \"{{ app.key }}\"}", "value: \"{{ app.key }}\", flag: --ap}"), "arguments.app.flag"),
    ("script-effect", "is declared as write", broken("lower-executor-cores", "effect: write", "effect: read"), "effect"),
    ("script-calls", "does not declare to delete SparkApplication", broken("lower-executor-cores", "verbs: [patch]", "verbs: [patch, delete]"), "calls[0].verbs"),
    ("script-calls", "does not declare to patch status of SparkApplication", broken("lower-executor-cores", "      - verbs: [patch]\n", "      - {verbs: [patch], apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, name: x, subresource: status}\n      - verbs: [patch]\n"), "calls[0].verbs"),
    ("target-without-call", "may send nothing to its target", broken("lower-executor-cores", "        name: \"{{ app.name }}\"\n    timeout", "        name: other\n    timeout"), "target"),
    ("persons-file", "a person's files (~/)", broken("lower-executor-cores", "value: \"2\"}", "value: \"~/.kube/config\"}"), "arguments.divide_by"),
    ("persons-file", "(kubeconfig)", broken("lower-executor-cores", "value: \"2\"}", "value: \"/etc/spark/admin.kubeconfig\"}"), "arguments.divide_by"),
    # identity
    ("review-missing", "when this was last reviewed", TEXT.replace("reviewed: 2026-11-24\n", ""), ""),
    ("review-stale", "over a year ago", TEXT.replace("reviewed: 2026-11-24", "reviewed: 2025-01-01"), "reviewed"),
    ("not-described", "'owner' is empty", TEXT.replace("owner: platform on-call\n", ""), ""),
    ("bad-default", "the default is wrong", TEXT.replace("default: 45m", "default: soon"), "inputs.deadline.default"),
    ("bad-pattern", "is no regular expression", TEXT.replace("{name: DriverOOM}", "{name: DriverOOM, labels: {pod: '~('}}"), "match.alerts[3].labels.pod"),
    ("bad-pattern", "is no regular expression", TEXT.replace("    title: Application\n", "    title: Application\n    pattern: '['\n"), "inputs.app.pattern"),
    ("unused-input", "no step reads input 'deadlines'", TEXT.replace("  slo_deadline:\n", "  deadlines: {type: duration, default: 1m}\n  slo_deadline:\n"), "inputs.deadlines"),
]  # fmt: skip


def test_a_script_that_writes_names_what_it_writes_or_can_send_nothing() -> None:
    before = step("lower-executor-cores")
    begin, target, end = (before.index(text) for text in ("    calls:\n", "    target:\n", "    timeout:"))
    assert problems(TEXT.replace(before, before[:begin] + before[end:])) == (), (
        "a target is patched, if nothing is said"
    )
    without_both = (
        before[:target] + "    irreversible: it only prints\n" + before[end:].replace("    rollback: captured\n", "")
    )
    found = problems(TEXT.replace(before, without_both))
    assert [p.code for p in found] == ["script-without-calls"]


@pytest.mark.parametrize(
    ("code", "words", "text", "key"), MUTATIONS, ids=[f"{i}-{m[0]}" for i, m in enumerate(MUTATIONS)]
)
def test_one_broken_thing_is_one_problem_at_its_place(code: str, words: str, text: str, key: str) -> None:
    assert text != TEXT
    found = problems(text)
    assert [p.code for p in found] == [code], [f"{p.code}: {p.message} [{p.key}]" for p in found]
    (problem,) = found
    assert words in problem.message and key in problem.key
    assert problem.file == FILE and (problem.line > 0)
    line = text.splitlines()[problem.line - 1]
    last = problem.key.rsplit(".", 1)[-1].rstrip("]").rsplit("[", 1)[0]
    if not problem.key.endswith("]") and last:
        assert last in line, (line, problem.key)


SMALL = """\
apiVersion: console/v1
kind: Runbook
id: small
version: 1.0.0
title: Small
owner: me
what: x
when_not_to_use: x
reviewed: 2026-11-24
match: {findings: [driver-oom-heap]}
steps:
"""


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("never-ends", "  - {id: a, kind: note, title: A, text: A, next: b}\n  - {id: b, kind: note, title: B, text: B, next: a}\n"),
        ("spins", "  - {id: a, kind: decide, title: A, branches: [{when: app.live, goto: a}], else: {goto: end}}\n"
                  "  - {id: end, kind: end, title: E, outcome: resolved}\n"),
        ("matches-nothing", "  - {id: end, kind: end, title: E, outcome: resolved}\n"),
        ("empty-patch", "  - id: a\n    kind: change\n    title: A\n    target: {apiVersion: v1, kind: Node, name: n}\n    rollback: captured\n"
                        "    verify: v\n    on_refused: end\n"
                        "  - {id: v, kind: verify, title: V, until: app.live, progress: app.live, on_effective: end, on_ineffective: end,"
                        " on_worse: end, on_unknown: end}\n  - {id: end, kind: end, title: E, outcome: resolved}\n"),
        ("patch-of-delete", "  - id: a\n    kind: change\n    action: delete\n    title: A\n    target: {apiVersion: v1, kind: Pod, name: n}\n"
                            "    patch: {a: 1}\n    irreversible: gone\n    verify: v\n    on_refused: end\n"
                            "  - {id: v, kind: verify, title: V, until: app.live, progress: app.live, on_effective: end, on_ineffective: end,"
                            " on_worse: end, on_unknown: end}\n  - {id: end, kind: end, title: E, outcome: resolved}\n"),
        ("template", "  - {id: a, kind: note, title: A, text: \"{{ 'a'.center(10**9) }}\", next: end}\n"
                     "  - {id: end, kind: end, title: E, outcome: resolved}\n"),
        ("template", "  - {id: a, kind: decide, title: A, branches: [{when: '{{ app.live }}', goto: end}], else: {goto: end}}\n"
                     "  - {id: end, kind: end, title: E, outcome: resolved}\n"),
    ],
)  # fmt: skip
def test_small_runbooks_with_one_flaw(code: str, body: str) -> None:
    head = SMALL.replace("match: {findings: [driver-oom-heap]}\n", "") if code == "matches-nothing" else SMALL
    book = schema.load(head + body, "small.yaml")
    codes = {p.code for p in lint(book, scripts={}, catalogue=LIBRARY.catalogue)}
    assert codes == {code}


def test_a_guard_makes_a_maybe_missing_output_fine() -> None:
    for text in ("{{ steps.heap_fix.answer|default('?') }}", "{% if steps.heap_fix is defined %}{{ steps.heap_fix.answer }}{% endif %}",
                 "{{ steps['heap-fix'].answer if steps['heap-fix'].answer is defined else '' }}"):  # fmt: skip
        assert problems(broken("declined", "nothing was changed", text.replace('"', "'"))) == ()


def test_own_series_are_declared() -> None:
    text = broken("python-memory", "metrics_executor_ProcessTreePythonRSSMemory_bytes", "my_python_rss")
    assert [p.code for p in problems(text)] == ["unknown-metric"]
    assert problems(text.replace("tags: [spark, memory]", "metrics: [my_python_rss]")) == ()
    rule = broken("python-memory", "metrics_executor_ProcessTreePythonRSSMemory_bytes", "team:python_rss:max")
    assert [(p.code, p.severity) for p in problems(rule)] == [("unknown-recording-rule", "warning")]


def test_without_a_catalogue_and_scripts_lint_still_answers() -> None:
    book = schema.load(TEXT, FILE)
    codes = {p.code for p in lint(book, scripts={}, catalogue=Catalogue())}
    assert codes == {"unknown-script", "unknown-metric", "unknown-kind"}


ALWAYS = [
    "nodes|length >= 0", "0 <= nodes|length", "-1 < nodes|length", "nodes|length + 1 >= 0", "nodes|length|default(3) > -1",
    "pods|count|int >= 0", "app.restarts|abs >= 0", "not (nodes|length < 0)", "1 == 1", "app.state == app.state",
    "app.live or not app.live", "not app.live or app.live", "app.state == 'A' or app.state != 'A'",
    "'a' in found or 'a' not in found", "now > 5 or now <= 5", "app.live or true",
    "seen.operator.state in ['absent', 'unreachable', 'found', 'forbidden']", "query.state in ['ok', 'empty', 'error']",
    "query.samples|length > 0", "1 <= query.samples|length", "(nodes|length >= 0) and (pods|length >= 0)",
    "operator.status.availableReplicas >= 0", "0 <= operator.status.readyReplicas|default(0)",
]  # fmt: skip
NEVER = [
    "nodes|length < 0", "0 > nodes|length", "app.live and not app.live", "app.state == 'A' and app.state != 'A'",
    "query.samples|length == 0", "seen.o.state not in ['absent', 'unreachable', 'found', 'forbidden']",
]  # fmt: skip
ASKS = [
    "nodes|length >= 1", "1 <= nodes|length", "nodes|length == 0", "app.live or not app.gone", "query.samples|length > 1",
    "app.state == 'A' or app.state != 'B'", "seen.operator.state in ['absent', 'found']", "nodes|length - 1 >= 0",
    "'a' in found or 'b' not in found", "now - changed.operator >= 0", "0 < nodes|length",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"), [*((t, True) for t in ALWAYS), *((t, False) for t in NEVER), *((t, None) for t in ASKS)]
)
def test_what_cannot_be_otherwise_asks_nothing(text: str, holds: bool | None) -> None:
    assert constants.verdict(text) is holds
