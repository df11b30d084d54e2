"""Live objects by name: absent is not forbidden, a status is no change, and what is read now is not stale."""

from __future__ import annotations

import pytest

from console.facts.model import SourceState
from console.runbook import schema, trust
from console.runbook.context.objects import LiveObject, changed_at, shown, with_objects
from console.runbook.language.link import link
from console.runbook.model import Step
from tests.runbook.test_language import HEAD, INNER, VERIFY, book, step

BOOK = book("- do: {patch: operator, merge: {spec: {replicas: 1}}}\n  then: verify\n")
STALE = [SourceState("pods", "stale"), SourceState("prometheus", "fresh")]


@pytest.mark.parametrize(("state", "known"), [("absent", {"gone": True}), ("forbidden", None), ("unreachable", None)])
def test_only_what_does_not_exist_is_gone(state: str, known: object) -> None:
    ctx = with_objects({}, BOOK, {"operator": LiveObject(state, None, "why")}, "Component//x")  # type: ignore[arg-type]
    assert ctx.get("operator") == known
    assert ctx["seen"]["operator"] == {"state": state, "because": "why"}


def test_a_status_that_was_written_is_no_change_of_the_object() -> None:
    fields = [
        {"manager": "helm", "time": "2026-11-24T10:00:00Z"},
        {"manager": "controller", "subresource": "status", "time": "2026-11-24T12:00:00Z"},
    ]
    helm = changed_at({"metadata": {"managedFields": fields[:1]}})
    assert helm is not None and changed_at({"metadata": {"managedFields": fields}}) == helm


def test_of_a_secret_the_names_of_its_keys_are_shown_and_nothing_else() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"password": "aHVudGVyMg=="},
        "stringData": {"a": "b"},
    }
    assert shown(secret) == {"kind": "Secret", "metadata": {"name": "s"}, "keys": ["password"]}


def test_a_verification_counts_only_once_something_was_changed() -> None:
    assert step(BOOK, "verify").progress == "walk.wrote"


def test_a_runbook_that_is_not_for_what_is_seen_does_not_end_the_one_that_runs_it() -> None:
    outer = schema.load(f"{HEAD}steps:\n- run: inner\n- note: And on\n{VERIFY}", "o.yaml")
    linked = link(outer, {"inner": schema.load(INNER, "inner.yaml")})
    assert step(linked, "run-inner.not-applicable").branches[0].goto == "and-on"


@pytest.mark.parametrize(
    ("until", "doubted"),
    [("components.spark_operator.state == 'healthy'", True), ("'operator-down' not in found", True),
     ("operator.status.availableReplicas >= 1", False)],
)  # fmt: skip
def test_stale_facts_are_doubted_and_objects_that_are_read_now_are_not(until: str, doubted: bool) -> None:
    one = Step(id="v", kind="verify", title="v", until=until, progress="walk.wrote")
    assert (trust.doubt(one, STALE) is not None) is doubted


def test_what_ports_answer_stands_beside_the_objects_by_its_name_and_has_no_fields_of_one() -> None:
    asks = schema.load(
        f"{HEAD}probes: {{up: {{of: operator, port: 1}}, gone: {{of: operator, port: 2}}}}\nsteps:\n"
        "- check: Up?\n  that: up.open and gone.open\n  then: handed over\n"
        f"- do: {{patch: operator, merge: {{spec: {{replicas: 1}}}}}}\n{VERIFY}",
        "o.yaml",
    )
    known = {
        "up": LiveObject("found", {"open": True, "because": None}),
        "gone": LiveObject("forbidden", None, "no"),
        "operator": LiveObject("found", {"kind": "Deployment", "metadata": {"name": "x"}}),
    }
    ctx = with_objects({}, asks, known, "Component//x")
    assert ctx["up"] == {"open": True} and "gone" not in ctx
    assert ctx["operator"]["gone"] is False, "what stands behind a probe is read too"
    fields = {"metadata": {"managedFields": [{"manager": "helm", "time": "2026-11-24T10:00:00Z"}]}}
    ctx = with_objects({}, asks, {**known, "object": LiveObject("found", {"kind": "Job", **fields})}, "Job/a/b")
    assert ctx["created"]["object"] == 0.0, "when it was made is not told, and is no reason to fail"
    assert "" not in ctx, "a Job has no name beside `object`"
    assert ctx["seen"]["gone"] == {"state": "forbidden", "because": "no"}
