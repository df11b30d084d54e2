"""What a safe engine must have, B1 to B15: identity, matching, inputs, and the kinds of steps."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from console.base.errors import ConsoleError, DocumentError, UsageError
from console.facts.model import Origin, Sample
from console.runbook import graph, schema, steps
from console.runbook.authors.covered import findings, gaps, runbooks
from console.runbook.authors.waivers import Coverable, Waiver
from console.runbook.context.build import build
from console.runbook.context.query import with_query
from console.runbook.inputs import no_longer, resolve
from console.runbook.language.link import link
from console.runbook.lint.run import lint
from console.runbook.match import rank
from console.runbook.model import AlertMatch, Input, Runbook, RunbookMatch
from console.runbook.steps import Finish
from console.runbook.types import convert
from console.runbook.walk import Answered, Entered, Started, Walk, fold
from tests.runbook.boards import KEY, alert, app, board, finding
from tests.runbook.player import LIBRARY

OOM = LIBRARY.runbooks["spark-oom"]
HEAD = "apiVersion: console/v1\nkind: Runbook\nid: small\ntitle: Small\nreviewed: 2026-11-20\nabout: app\n"
VERIFY = "verify: {that: app.state == 'RUNNING'}\n"
RAISE = "- do: {patch: app, merge: {spec: {executor: {memoryOverhead: 1g}}}}\n"


def small(text: str, head: str = HEAD) -> Runbook:
    return schema.load(head + text, "small.yaml")


def problems(text: str, head: str = HEAD) -> set[str]:
    found = lint(small(text, head), scripts={}, catalogue=LIBRARY.catalogue)
    return {problem.code for problem in found if problem.severity == "error"}


def begun(book: Runbook, **more: Any) -> Walk:
    return fold([Started(1.0, "w", book.id, book.version, book.hash, book.text, {}, {}, {}, KEY, "ada", "t", **more)])


def context(book: Runbook, walk: Walk | None = None) -> dict[str, Any]:
    return build(board(finding()), app=KEY, walk=walk, inputs={}, now=2.0, runbook=book)


def test_b01_a_runbook_has_an_identity_and_unknown_keys_name_the_nearest() -> None:
    assert (OOM.id, OOM.severity, OOM.tags, bool(OOM.owner)) == ("spark-oom", "critical", ("spark", "memory"), True)
    assert OOM.hash == hashlib.sha256(OOM.text.encode()).hexdigest() == begun(OOM).hash
    with pytest.raises(DocumentError) as wrong:
        small("ownr: me\nsteps:\n- escalate: me\n")
    assert (wrong.value.line, wrong.value.key) == (7, "ownr") and "owner" in str(wrong.value.hint)
    old = HEAD.replace("2026-11-20", "2024-01-01")
    found = lint(small("steps:\n- escalate: me\n", old), scripts={}, catalogue=LIBRARY.catalogue, today="2026-12-01")
    assert any("review" in problem.message for problem in found)


def test_b02_what_it_is_for_and_what_it_costs_is_told_before_it_begins() -> None:
    from console.runbook.authors.checklist import checklist

    page = "\n".join(map(str, checklist(OOM)))
    for said in (OOM.when_to_use, OOM.when_not_to_use, OOM.blast_radius, OOM.expected_duration):
        assert said and said.split()[0] in page


def test_b03_the_most_specific_runbook_comes_first_and_ties_are_shown() -> None:
    def book(id: str, **labels: str) -> Runbook:
        match = RunbookMatch(alerts=(AlertMatch("SparkPodOOMKilled", labels),))
        return Runbook(id, "1.0.0", id, f"{id}.yaml", "", "", match=match)

    found = rank([book("b"), book("exact", namespace="spark-jobs"), book("a")], board(), alert=alert())
    assert [one.runbook for one in found] == ["exact", "a", "b"] and found[1].score == found[2].score
    linked = replace(alert("Other"), annotations={"runbook_url": "https://x.example/exact.md"})
    assert [one.runbook for one in rank([book("exact"), book("b")], board(), alert=linked)] == ["exact"]


def test_b04_what_has_no_runbook_or_leads_to_none_is_listed_unless_waived() -> None:
    lonely = replace(OOM, id="lonely", match=RunbookMatch())
    things = [*findings(), *runbooks([OOM, lonely]), Coverable("alert", "Nobody")]
    found = gaps([OOM, lonely], things, [Waiver("only a test", names=["Nobody"])])
    said = {(gap.thing.what, gap.thing.name): gap.waived for gap in found}
    assert said["alert", "Nobody"] == "only a test" and said["runbook", "lonely"] == ""
    assert ("runbook", "spark-oom") not in said


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("int", "3", "x"), ("float", "1.5", "x"), ("bool", "true", "perhaps"), ("duration", "10m", "10 parsecs"),
        ("quantity", "500Mi", "lots"), ("jvm_size", "4g", "4Gi"), ("k8s_name", "etl-orders", "Etl_Orders"),
        ("namespace", "spark-jobs", "a/b"), ("promql", "up", "up{"),
    ],
)  # fmt: skip
def test_b05_inputs_have_types_and_limits(type: Any, good: str, bad: str) -> None:
    assert convert(Input("x", type), good) is not None
    with pytest.raises(ValueError, match=r"."):
        convert(Input("x", type), bad)


def test_b05_a_limit_and_a_pattern_hold() -> None:
    for item, value in ((Input("x", "int", maximum=3), "4"), (Input("x", "string", pattern="a+"), "b")):
        with pytest.raises(ValueError, match=r"above 3|does not match"):
            convert(item, value)


def test_b06_an_input_says_where_its_value_came_from_and_a_person_overrides_it() -> None:
    item = Input("app", "spark_app", sources=("selection.app", "alert.app", "finding.app"))
    book = replace(OOM, inputs=(item,), about=())
    assert resolve(book, board(finding()), app=KEY).origins == {"app": "selection"}
    assert resolve(book, board(finding()), alert=alert()).origins["app"].startswith("alert ")
    assert resolve(book, board(finding()), app="x/y", given={"app": "etl-orders"}).origins == {"app": "given"}


def test_b07_inputs_are_valid_and_the_application_is_the_same_before_each_change() -> None:
    book = replace(OOM, inputs=(Input("app", "spark_app"), Input("hold", "duration")))
    here = board(apps=(app(uid="u-1"),))
    walk = replace(begun(book, uid="u-1"), inputs={"app": KEY, "hold": "10m"})
    assert no_longer(book, walk, here) == ""
    assert "deleted and created again" in no_longer(book, walk, board(apps=(app(uid="u-2"),)))
    assert "the input app is not valid any more" in no_longer(book, replace(walk, subject=""), board(apps=()))
    assert "the input hold" in no_longer(book, replace(walk, inputs={"hold": "soon"}), here)
    named = {"operator": {"kind": "Deployment", "metadata": {"name": "c", "namespace": "s", "uid": "u-9"}}}
    text = "objects: {operator: {kind: Deployment, namespace: s, name: c}}\nsteps:\n- do: {restart: operator}\n"
    restart = small(text + "verify: {that: operator.status.availableReplicas >= 1}\n", HEAD.replace("app", "cluster"))
    (step,) = [s for s in restart.steps if s.writes]
    target = steps.effect(restart, begun(restart), step, named).target
    assert target is not None and target.uid == "u-9", "the gate sends it to no other object of this name"


def test_b08_a_person_answers_reads_works_elsewhere_and_a_wait_has_an_end() -> None:
    book = small(
        "steps:\n- note: Read this\n- ask: Which?\n  choices:\n  - {one: One}\n  - {two: Two, then: handed over}\n"
        "- manual: Turn the key\n- wait: 5m\n- wait: until it runs\n  until: app.state == 'RUNNING'\n  for: 1m\n"
        "  within: 10m\n- escalate: platform\n"
    )
    kinds = [s.kind for s in book.steps if s.kind not in ("end", "decide")]
    assert kinds[:5] == ["note", "ask", "manual", "wait", "verify"]
    until = next(s for s in book.steps if s.kind == "verify")
    assert (until.hold, until.deadline) == ("1m", "10m")
    ask = next(s for s in book.steps if s.kind == "ask")
    assert isinstance(steps.answer(book, ask, "two", "ada", 1.0), Answered)
    with pytest.raises(UsageError):
        steps.answer(book, ask, "three", "ada", 1.0)


def test_b09_what_only_reads_is_declared_and_an_argument_is_never_a_flag_or_a_shell_word() -> None:
    name = next(iter(LIBRARY.scripts))
    script = (
        f"steps:\n- id: s\n  kind: script\n  title: S\n  script: {name}\n  effect: read\n"
        "  arguments: {a: {type: string, value: '%s'}}\n  next: done\n"
        "- {id: done, kind: end, title: D, outcome: resolved, text: d}\n"
    )
    book = small(script % "$(reboot); `x`", HEAD.replace("about: app\n", ""))
    effect = steps.effect(book, begun(book), book.steps[0], {}, LIBRARY.scripts)
    assert effect.argv[-1] == "$(reboot); `x`" and not effect.writes, "one word, whatever it holds"
    flag = small(script % "-rf", HEAD.replace("about: app\n", ""))
    with pytest.raises(ConsoleError, match="looks like a flag"):
        steps.effect(flag, begun(flag), flag.steps[0], {}, LIBRARY.scripts)


@pytest.mark.parametrize(
    ("state", "expected"), [("error", "unknown"), ("none", "unknown"), ("9", "fail"), ("1", "pass")]
)
def test_b10_no_data_an_error_and_a_wrong_form_are_unknown_and_never_a_pass(state: str, expected: str) -> None:
    book = small(
        "steps:\n- check: Many?\n  query: sum(up)\n  that: query.value > 5\n  then: handed over\n  else: observed\n"
    )
    (check,) = [s for s in book.steps if s.kind == "check"]
    one = Sample("up", {}, float(state), 2.0, Origin("test", "test")) if state.isdigit() else None
    samples = (one,) if one is not None else {"error": None, "none": ()}[state]
    judged = steps.judge(book, check, with_query(context(book), samples, "down"), 3.0)
    assert (judged.status == "unknown") is (expected == "unknown")
    if expected == "unknown":
        assert judged.goto not in ("observed",) and judged.status != "pass"
    else:
        assert judged.goto == {"fail": "handed-over", "pass": "observed"}[expected]


def test_b11_a_decision_is_total_and_its_evidence_is_kept() -> None:
    half = "steps:\n- {id: a, kind: decide, title: A, branches: [{when: now > 2, goto: z}]}\n"
    end = "- {id: z, kind: end, title: Z, outcome: resolved, text: z}\n"
    assert "decide-without-else" in problems(half + end, HEAD.replace("about: app\n", ""))
    book = small("steps:\n- check: Does it run?\n  that: app.state == 'RUNNING'\n  shows: ['state {{ app.state }}']\n"
                 "  then: observed\n  else: handed over\n")  # fmt: skip
    (check,) = [s for s in book.steps if s.kind == "check"]
    judged = steps.judge(book, check, context(book), 3.0)
    assert judged.goto == "observed" and any("state RUNNING" in e.excerpt for e in judged.evidence)
    unreached = (
        "steps:\n- check: Up?\n  that: app.state == 'RUNNING'\n  then: observed\n  else: declined\n- note: Read\n"
    )
    assert "unreachable-step" in problems(unreached + "- escalate: x\n")


def test_b12_a_list_is_bounded_and_one_member_comes_after_the_other() -> None:
    text = "objects: {pods: {kind: Pod, namespace: a, labels: {x: y}}}\nsteps:\n- each: pods\n  as: pod\n  most: 2\n"
    book = small(text + "  steps:\n  - note: Look at {{ pod }}\n- escalate: x\n")
    (head,) = [s for s in book.steps if s.kind == "each"]
    too_many = steps.each(head, begun(book), {"pods": ["a", "b", "c"]}, 1.0)
    assert too_many.status == "unknown" and "at most 2" in too_many.because
    fine = steps.each(head, begun(book), {"pods": ["a", "b"]}, 1.0)
    assert fine.goto.endswith("@0") and fine.output == {"members": ["a", "b"]}
    assert steps.each(head, begun(book), {"pods": "abc"}, 1.0).status == "unknown"


def test_b13_a_change_without_proof_or_way_back_does_not_lint() -> None:
    assert "write-without-verify" in problems("steps:\n" + RAISE)
    assert problems(VERIFY + "steps:\n" + RAISE) == set()
    pods = "objects: {pods: {kind: Pod, namespace: a, labels: {x: y}}}\nsteps:\n- each: pods\n  as: pod\n  steps:\n"
    delete = "  - do: {delete: pod}\n%s    verify: {that: seen.pod.state == 'absent'}\n- escalate: x\n"
    assert problems(pods + delete % "") == {"write-without-rollback"}
    assert not problems(pods + delete % "    irreversible: its owner makes another one\n")
    book = small(VERIFY + "steps:\n" + RAISE)
    (change,) = [s for s in book.steps if s.writes]
    effect = steps.effect(book, begun(book), change, context(book))
    assert effect.id == "w/1" and effect.reversible and effect.touched == ("/spec/executor/memoryOverhead",)


def test_b14_a_runbook_runs_another_in_the_same_walk_and_a_circle_is_found() -> None:
    inner = small("inputs: {n: {type: int, default: 1}}\nsteps:\n- note: Do {{ inputs.n }}\n- escalate: x\n",
                  HEAD.replace("small", "inner"))  # fmt: skip
    outer = small("steps:\n- run: inner\n  with: {n: '2'}\n- escalate: y\n")
    books = {"small": outer, "inner": inner}
    joined = link(outer, books)
    assert [s.id for s in joined.steps if s.scope == "run-inner"] and joined.parts["run-inner"].given == {"n": "2"}
    assert any(s.scope for s in joined.steps if s.id in graph.reachable(joined))
    me = small("steps:\n- run: small\n- escalate: y\n")
    assert not any(s.scope for s in link(me, {"small": me}).steps), "a circle is not closed"


def test_b15_it_ends_in_one_of_few_ways_and_an_escalation_says_whom_and_what_to_paste() -> None:
    book = small("steps:\n- escalate: the storage team\n  because: The volume is lost\n  paste: 'app {{ app.key }}'\n")
    call = next(s for s in book.steps if s.kind == "escalate")
    said = steps.escalated(book, call, context(book), 5.0)
    assert (said.whom, said.because, said.paste) == ("the storage team", "The volume is lost", f"app {KEY}")
    assert call.next == "handed-over"
    outcomes = {s.outcome for s in book.steps if s.kind == "end"}
    assert outcomes <= {"resolved", "mitigated", "handed_over", "not_applicable", "unresolved"}
    ended = fold([Started(1.0, "w", "small", "1", "", "", {}, {}, {}, KEY, "a", "t"), Entered(2.0, "handed-over")])
    todo = steps.todo(book, ended)
    assert isinstance(todo, Finish) and todo.outcome == "handed_over"
