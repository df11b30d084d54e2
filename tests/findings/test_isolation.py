"""What fails at one application, object or rule is said of that subject, and everything else is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps import assemble as assembling
from console.facts.culprits import KINDS
from console.facts.model import Alert, Facts
from console.facts.notjudged import MOST, Isolation, not_judged
from console.findings import diagnose as module
from console.findings.case import Case, ClusterView
from console.findings.diagnose import Engine, explain
from console.findings.model import Finding
from console.findings.rule import Rule, WorldRule
from console.findings.rules import all_rules
from tests.findings import worlds as w
from tests.findings.changes import fresh, troubles
from tests.findings.worlds import driver, executor, node, sample

SICK = executor(1, w.ended(137, "OOMKilled", 300), "Failed")
OTHER = f"spark-{1:032x}"
FACTS = w.facts(
    driver(),
    SICK,
    driver(name="other-driver", app_id=OTHER),
    executor(2, w.ended(137, "OOMKilled", 300), "Failed", app_id=OTHER, owner="other-driver"),
    node("node-1"),
    sample("container_memory_working_set_bytes", 1e8, 500, namespace=w.NS, pod="etl-exec-1", container="x"),
)


def fails_at(name: str) -> Callable[[Case], Any]:
    def check(case: Case) -> Any:
        if case.app.name == name:
            raise OverflowError("cannot convert float infinity to integer")
        return "nothing"

    return check


@pytest.fixture
def with_rules(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    mine, over_all = all_rules()

    def add(*rules: Rule | WorldRule) -> None:
        first = tuple(r for r in rules if isinstance(r, Rule))
        more = tuple(r for r in rules if isinstance(r, WorldRule))
        monkeypatch.setattr(module, "all_rules", lambda: ((*first, *mine), (*more, *over_all)))

    return add


def of_console(findings: tuple[Finding, ...]) -> list[Finding]:
    return [f for f in findings if f.code == "not-judged"]


def others(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(f for f in findings if f.code != "not-judged")


def test_a_rule_that_fails_at_one_application_is_said_of_that_one_alone(with_rules: Callable[..., None]) -> None:
    sound = Engine().judge(FACTS)
    name = sound.apps[0].name
    with_rules(Rule("broken", None, fails_at(name)), Rule("broken-too", None, fails_at(name)))
    said = Engine().judge(FACTS)
    assert (said.apps, others(said.findings)) == (sound.apps, sound.findings)
    (one,) = of_console(said.findings)
    assert (one.app, one.class_, one.severity) == (sound.apps[0].key, None, "warning")
    assert "rule broken failed with OverflowError: cannot convert" in one.detail and "rule broken-too" in one.detail
    assert {e.locator for e in one.evidence} == {f.reference for f in said.not_judged}
    assert "test_isolation.py" in said.not_judged[0].trace


def test_what_failed_is_remembered_as_long_as_nothing_changed_that_was_judged(with_rules: Callable[..., None]) -> None:
    engine = Engine()
    with_rules(Rule("broken", None, fails_at(engine.judge(FACTS).apps[0].name)))
    engine = Engine()
    for facts in (FACTS, replace(FACTS), replace(FACTS, nodes=())):
        said = engine.judge(facts)
        assert (said.apps, said.findings) == fresh(facts)
        assert len(of_console(said.findings)) == 1


def test_a_rule_that_failed_is_explained(with_rules: Callable[..., None]) -> None:
    apps = Engine().judge(FACTS).apps
    with_rules(Rule("broken", None, fails_at(apps[0].name)))
    tried = [trial for trial in explain(FACTS, apps) if trial.rule == "broken"]
    assert [trial.because for trial in tried] == ["not judged: OverflowError", "nothing"]


def test_a_rule_over_all_is_judged_without_the_object_that_it_fails_at(with_rules: Callable[..., None]) -> None:
    seen: list[int] = []

    def check(view: ClusterView) -> Any:
        if any(p.name == SICK.name for p in view.facts.pods):
            raise ValueError("bad pod")
        seen.append(len(view.facts.pods))
        return "nothing"

    sound = Engine().judge(FACTS)
    with_rules(WorldRule("broken", None, check))
    engine = Engine()
    said = engine.judge(FACTS)
    assert (said.apps, others(said.findings)) == (sound.apps, sound.findings)
    (one,) = of_console(said.findings)
    assert (one.subject, one.severity, seen[-1]) == (SICK.key, "info", len(FACTS.pods) - 1)
    seen.clear()
    engine.judge(replace(FACTS, at=FACTS.at + 1))
    assert seen == [len(FACTS.pods) - 1], "the object is remembered, not looked for again"
    assert of_console(engine.judge(replace(FACTS, pods=FACTS.pods[2:])).findings) == []


def test_a_rule_over_all_that_always_fails_is_said_of_everything(with_rules: Callable[..., None]) -> None:
    def check(view: ClusterView) -> Any:
        raise ValueError("broken")

    sound = Engine().judge(FACTS)
    with_rules(WorldRule("broken", None, check))
    said = Engine().judge(FACTS)
    assert others(said.findings) == sound.findings
    assert [f.subject for f in of_console(said.findings)] == ["everything"]


def test_an_application_that_cannot_be_put_together_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Engine().judge(FACTS)
    make = assembling._assembled

    def broken(group: Any, *rest: Any) -> Any:
        if group.key == sound.apps[0].key:
            raise RecursionError("too deep")
        return make(group, *rest)

    monkeypatch.setattr(assembling, "_assembled", broken)
    said = Engine().judge(FACTS)
    assert said.apps == sound.apps[1:]
    assert [f for f in said.findings if f.app == sound.apps[1].key] == [
        f for f in sound.findings if f.app == sound.apps[1].key
    ]
    (one,) = of_console(said.findings)
    assert (one.app, one.severity) == (sound.apps[0].key, "warning")


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_that_breaks_what_is_judged_over_all_is_set_aside(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is read over all facts at once: here the fleet of GPUs fails at the last fact of each kind."""
    page = w.rest("stages", [])
    facts = replace(troubles(), alerts=(Alert("Down", {}, w.HERE),), rest=(*troubles().rest, page))
    bad = getattr(facts, kind)[-1]
    make = ClusterView.gpus.func  # type: ignore[attr-defined]

    def gpus(view: ClusterView) -> Any:
        if any(fact is bad for fact in getattr(view.facts, kind)):
            raise KeyError("oops")
        return make(view)

    monkeypatch.setattr(ClusterView, "gpus", property(gpus))
    said = Engine().judge(facts)
    without = replace(facts, **{kind: tuple(f for f in getattr(facts, kind) if f is not bad)})
    assert said.apps == fresh(without)[0]
    assert len(of_console(said.findings)) >= 1
    assert len(said.apps) > 3


def test_what_was_not_read_is_a_finding_too() -> None:
    failed = not_judged("ConfigMap/jobs/x", "reading configmaps", OverflowError("password=hunter2 \x1b[31m"))
    said = Engine().judge(replace(FACTS, not_judged=(failed,)))
    (one,) = of_console(said.findings)
    assert (one.subject, one.severity, one.app) == ("ConfigMap/jobs/x", "info", "")
    assert "hunter2" not in one.detail + failed.trace and "\x1b" not in one.detail + failed.trace
    assert said.not_judged == (failed,)


def test_the_same_fault_at_many_subjects_has_one_crash_file() -> None:
    failed = Isolation()
    for number in range(MOST + 10):
        failed.run(lambda n=number: 1 // (n - n), 0, subject=f"Pod/jobs/{number}", part="x")  # type: ignore[misc]
    *kept, rest = failed.failed
    assert len(kept) == MOST and len({one.reference for one in kept}) == 1
    assert rest.subject == f"more than {MOST} subjects", "that there are more is said"
    assert all("/work" not in one.trace and "/home" not in one.trace for one in failed.failed)


def test_no_facts_are_judged_as_before() -> None:
    assert Engine().judge(Facts(at=0.0)).not_judged == ()
