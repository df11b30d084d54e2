"""Modes and policy: what is refused, by which rule, and what is exempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef
from console.operate.journal import JournalledChange
from console.operate.policy import (
    POLICY,
    ChangeRules,
    Denial,
    Occasion,
    mode,
    needs_second,
    policy,
    second_person,
)
from console.settings.load import load
from console.settings.model import Dates, Freeze

APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")
PATCH = Effect("w-1/1", "raise", "Raise it", "patch", APP, "merge", {"spec": {}}, reversible=True)
DELETE = Effect("w-1/2", "kill", "Kill it", "delete", replace(APP, kind="Pod"), reason="a pod does not come back")
UNDO = replace(PATCH, id="w-1/1.undo", reversible=False, inverse_of="w-1/1")
NOON = 1795521600.0
NOW = Occasion(NOON, "w-1", frozenset(), (), "", "")
WRITE = ChangeRules(mode="write")


def said(found: Denial | None) -> str:
    return "" if found is None else f"{found.by}: {found.because}"


def test_read_only_is_what_a_context_is_until_its_config_grants_more(tmp_path: object) -> None:
    rules = ChangeRules.of(load(env={}, context="somewhere"))
    assert rules.mode == "read-only"
    assert said(mode(PATCH, rules)).startswith("mode: this context is read-only")


def test_rules_are_those_of_the_config_each_of_them(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "contexts: {live: {mode: guarded}}\n"
        "production: {contexts: [live], namespaces: [spark-prod]}\n"
        "policy:\n"
        "  deny: [Node]\n  max_targets: 3\n  cooldown: 1m\n  second_person: always\n"
        "  max_runs_per_hour: 2\n  stop_when_worse: false\n"
        "  approvals: {namespace: approvals, wait: 10m}\n"
        "  freeze: {dates: [{name: close, from: 2026-11-24T00:00:00Z, until: 2026-11-25T00:00:00Z}]}\n"
    )
    rules = ChangeRules.of(load(config, {}, context="live"), patience=5.0)
    assert rules == ChangeRules(
        mode="guarded",
        production=True,
        production_namespaces=("spark-prod",),
        deny=("Node",),
        max_targets=3,
        cooldown=60.0,
        second_person="always",
        approvals="approvals",
        approval_wait=600.0,
        freeze=rules.freeze,
        patience=5.0,
        max_runs=2,
        stop_when_worse=False,
        granted_in=f"contexts.live.mode in {config}",
    )
    assert [dates.name for dates in rules.freeze.dates] == ["close"]


def test_what_no_config_says_is_careful_and_the_same_without_settings() -> None:
    assert replace(ChangeRules.of(load(env={})), granted_in=ChangeRules().granted_in) == ChangeRules()
    rules = ChangeRules()
    assert (rules.max_targets, rules.cooldown, rules.patience) == (10, 300.0, 900.0)
    assert (rules.max_runs, rules.stop_when_worse) == (6, True)


def test_guarded_takes_only_what_can_be_rolled_back() -> None:
    guarded = ChangeRules(mode="guarded")
    assert mode(PATCH, guarded) is None
    assert mode(UNDO, guarded) is None
    only = "mode: mode guarded allows only what can be rolled back, and this cannot"
    assert said(mode(DELETE, guarded)) == f"{only} (a pod does not come back)"
    assert said(mode(replace(DELETE, reason=""), guarded)) == only
    assert mode(DELETE, WRITE) is None


def test_the_policy_has_its_order() -> None:
    assert [name for name, _ in POLICY] == ["deny", "freeze", "max targets", "cooldown", "max runs", "second person"]


@pytest.mark.parametrize(
    ("word", "patch", "delete", "undo"),
    [
        ("never", False, False, False), ("irreversible", False, True, False), ("production", False, False, False),
        ("always", True, True, True),
    ],
)  # fmt: skip
def test_who_needs_a_second_person_needs_a_place_for_one(word: Any, patch: bool, delete: bool, undo: bool) -> None:
    rules = replace(WRITE, second_person=word)
    for effect, asked in ((PATCH, patch), (DELETE, delete), (UNDO, undo)):
        assert needs_second(effect, rules) is asked
        assert ("policy.approvals.namespace" in said(second_person(effect, rules))) is asked
        assert second_person(effect, replace(rules, approvals="there")) is None
    assert needs_second(PATCH, replace(WRITE, second_person="production", production=True))


def test_a_secret_is_never_changed() -> None:
    secret = replace(PATCH, target=ObjectRef("v1", "Secret", "spark-jobs", "s3"))
    assert "policy.deny holds 'Secret'" in said(policy(secret, WRITE, NOW))


def test_deny_by_kind_namespace_and_name() -> None:
    for pattern, refused in [
        ("SparkApplication", True),
        ("SparkApplication/spark-jobs", True),
        ("SparkApplication/spark-jobs/etl-orders", True),
        ("*/spark-jobs", True),
        ("SparkApplication/*/etl-orders", True),
        ("SparkApplication/other", False),
        ("Pod", False),
        ("SparkApplication/spark-jobs/etl-orders/x", False),
    ]:
        assert (policy(PATCH, replace(WRITE, deny=(pattern,)), NOW) is not None) is refused, pattern


def test_a_freeze_holds_changes_but_no_rollback() -> None:
    window = Dates(name="quarter end", from_="2026-11-24T00:00:00Z", until="2026-11-25T00:00:00Z", reason="closing")
    rules = replace(WRITE, freeze=Freeze(dates=(window,)))
    assert said(policy(PATCH, rules, NOW)) == (
        "policy: changes are frozen until 2026-11-25T00:00:00Z by 'quarter end': closing"
    )
    assert policy(UNDO, rules, NOW) is None
    assert policy(PATCH, rules, replace(NOW, now=NOON + 86400)) is None
    silent = replace(rules, freeze=Freeze(dates=(replace(window, reason=""),)))
    assert said(policy(PATCH, silent, NOW)).endswith("until 2026-11-25T00:00:00Z by 'quarter end'")


def test_a_step_changes_no_more_objects_than_allowed() -> None:
    touched = frozenset(f"Pod/spark-jobs/p{n}" for n in range(3))
    rules = replace(WRITE, max_targets=3)
    assert said(policy(PATCH, rules, replace(NOW, touched=touched))) == (
        "policy: this would be object 4 of the step; policy.max_targets is 3"
    )
    assert policy(PATCH, replace(rules, max_targets=4), replace(NOW, touched=touched)) is None


def test_two_walks_do_not_change_one_object_shortly_after_each_other() -> None:
    theirs = JournalledChange("w-9", NOON - 120, replace(PATCH, id="w-9/1", title="Raise the heap"), "", "")
    found = said(policy(PATCH, WRITE, replace(NOW, recent=(theirs,))))
    assert found.startswith("policy: walk w-9 changed spark-jobs/etl-orders 2m ago (Raise the heap)")
    assert "ends in 3m" in found
    for past in (300, 301):
        assert policy(PATCH, WRITE, replace(NOW, recent=(replace(theirs, at=NOON - past),))) is None
    other = replace(theirs, effect=replace(theirs.effect, target=replace(APP, name="etl-invoices")))
    script = replace(theirs, effect=replace(theirs.effect, action="script", target=None))
    assert policy(PATCH, WRITE, replace(NOW, recent=(other, script))) is None, "neither changed this object"
    assert policy(UNDO, WRITE, replace(NOW, recent=(theirs,))) is None, "a rollback is exempt"
    assert policy(PATCH, WRITE, replace(NOW, recent=(replace(theirs, walk="w-1"),))) is None, "so is the walk itself"


def walked(number: int, ago: float, **more: Any) -> JournalledChange:
    """A change that another walk of the same runbook made on the same subject, of an object that nobody looks at."""
    effect = replace(PATCH, target=replace(APP, name=f"other-{number}"))
    fields = {"runbook": "spark-oom", "subject": "spark-jobs/etl-orders", **more}
    return JournalledChange(f"w-{number}", NOON - ago, effect, **fields)


def test_a_runbook_is_walked_so_often_an_hour_on_one_subject() -> None:
    rules = replace(WRITE, max_runs=2)
    occasion = replace(NOW, walk="w-99", runbook="spark-oom", subject="spark-jobs/etl-orders")
    often = (walked(1, 3000), walked(2, 600), walked(2, 500))
    assert said(policy(PATCH, rules, replace(occasion, recent=often))) == (
        "policy: 2 walks of spark-oom changed something on spark-jobs/etl-orders within an hour; "
        "policy.max_runs_per_hour is 2, and the next may in 10m"
    )
    assert policy(PATCH, replace(rules, max_runs=3), replace(occasion, recent=often)) is None
    assert policy(UNDO, rules, replace(occasion, recent=often)) is None, "a rollback is exempt"
    for other in (
        walked(3, 3600), walked(3, 60, runbook="another"), walked(3, 60, subject="spark-jobs/other"),
        replace(walked(3, 60), walk="w-99"),
    ):  # fmt: skip
        assert policy(PATCH, rules, replace(occasion, recent=(often[0], other))) is None
    assert policy(PATCH, rules, replace(NOW, recent=often)) is None, "what is not walked has no runs"
    nameless = replace(occasion, subject="")
    assert "on this within" in said(policy(PATCH, rules, replace(nameless, recent=tuple(
        replace(one, subject="") for one in often))))  # fmt: skip


def test_production_is_a_context_or_a_namespace() -> None:
    assert ChangeRules(production=True).is_production("any")
    assert ChangeRules(production_namespaces=("spark-prod",)).is_production("spark-prod")
    assert not ChangeRules(production_namespaces=("spark-prod",)).is_production("")


def test_a_namespace_of_production_counts_in_a_context_that_is_none() -> None:
    rules = replace(WRITE, second_person="production", production_namespaces=(APP.namespace,))
    assert needs_second(PATCH, rules)
    assert not needs_second(replace(PATCH, target=replace(APP, namespace="dev")), rules)


def test_what_policy_refuses_is_said_to_be_policy() -> None:
    denied = policy(PATCH, replace(WRITE, deny=(APP.kind,)), NOW)
    lonely = policy(PATCH, replace(WRITE, second_person="always"), NOW)
    assert denied is not None and denied.by == "policy"
    assert lonely is not None and lonely.by == "policy" and "one cannot be had" in lonely.because


def test_a_context_that_is_read_only_names_itself_and_the_file_that_would_grant_more(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("contexts: {eu-west-1: {mode: read-only}, eu-west-2: {mode: guarded}}\n")
    settings = load(file, {}, context="eu-west-1", flags={})
    said = ChangeRules.of(settings).read_only
    assert said == f"this context is read-only; contexts.eu-west-1.mode in {file} grants more"
    assert ChangeRules.of(settings.at("eu-west-2")).read_only == ""
    assert "contexts.<name>.mode in " in ChangeRules.of(settings.at("")).read_only
