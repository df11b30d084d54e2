"""A runbook of a verb in its long form: what it needs is asked for, what the verb says by itself is not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from console.actions import verb_of, verbs
from console.runbook import schema
from console.runbook.lint.run import lint
from tests.operate.trials import TRIALS, Trial
from tests.runbook.player import LIBRARY

BY_VERB = {trial.verb: trial for trial in reversed(TRIALS)}
TARGETS = {
    "node": {"apiVersion": "v1", "kind": "Node", "name": "n"},
    "config": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "jobs", "name": "c"},
    "deployment": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "jobs", "name": "d"},
}


def codes(trial: Trial, **changes: Any) -> list[tuple[str, str]]:
    """Codes and hints of what lint says of the runbook of a trial, in which some keys of its step are others."""
    tree = yaml.safe_load(trial.book("jobs").text)
    step = {**tree["steps"][0], **changes}
    if step.get("agreed") == "grace":  # in a trial the runbook says it; a shipped one may not
        step["agreed"] = "{{ alert.name|default('') }}"
    tree["steps"][0] = {key: value for key, value in step.items() if value is not None}
    tree |= {
        "reviewed": "2026-11-24",
        "match": {"findings": ["operator-down"]},
        "what": "x",
        "when_not_to_use": "x",
        "owner": "me",
    }
    book = schema.load(yaml.safe_dump(tree), "trial.yaml")
    return [(p.code, p.hint or "") for p in lint(book, scripts={}, catalogue=LIBRARY.catalogue)]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.id)
def test_a_step_with_the_keys_of_its_verb_is_clean_and_says_its_way_back_only_where_the_verb_asks(
    trial: Trial,
) -> None:
    assert codes(trial) == []
    step = trial.book("jobs").steps[0]
    if verb_of(trial.verb).way_back == "stated":
        assert codes(trial, rollback=None, irreversible=None), "one of the two is asked for"
        return
    assert (step.rollback == "captured") is (verb_of(trial.verb).way_back == "always")
    assert bool(step.irreversible) is (verb_of(trial.verb).way_back == "never")


@pytest.mark.parametrize("verb", BY_VERB)
def test_a_key_of_another_verb_is_named(verb: str) -> None:
    key, value = ("patch", {"a": 1}) if verb != "patch" else ("to", 3)
    assert codes(BY_VERB[verb], **{key: value})[0][0] == f"{key}-of-{verb}"


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("scale", {"to": None}, "scale-to"),
    ("scale", {"to": "many"}, "scale-to"),
    ("rollback", {"to": "yesterday"}, "rollback-to"),
    ("restart", {"target": TARGETS["config"]}, "kind-of-restart"),
    ("cordon", {"target": TARGETS["deployment"]}, "kind-of-cordon"),
    ("suspend", {"target": TARGETS["deployment"]}, "kind-of-suspend"),
    ("evict", {"rollback": "captured"}, "rollback-impossible"),
    ("taint", {"key": None}, "taint-without-key"),
    ("taint", {"taint_effect": "Sometimes"}, "taint-effect"),
    ("untaint", {"key": None}, "untaint-without-key"),
    ("label", {"labels": None}, "no-labels"),
    ("label", {"labels": {"a b": "c"}}, "bad-labels"),
    ("label", {"labels": {"team": "two words"}}, "bad-labels"),
    ("annotate", {"annotations": {}}, "no-annotations"),
    ("label", {"labels": {"pod-template-hash": "h1"}}, "kept-labels"),
    ("label", {"labels": {"sparkoperator.k8s.io/app-name": None}}, "kept-labels"),
    ("annotate", {"annotations": {"deployment.kubernetes.io/revision": "3"}}, "kept-annotations"),
    ("annotate", {"annotations": {"console.oncall/effect": "w/1"}}, "kept-annotations"),
    ("restore", {"key": None}, "restore-without-key"),
    ("restore", {"source": None}, "restore-from"),
    ("restore", {"value": "both"}, "restore-from"),
    ("create", {"template": None}, "create-nothing"),
    ("create", {"template": {"kind": "Pod"}}, "create-twice"),
    ("create", {"template": {"metadata": {"name": "other"}}}, "create-twice"),
]


@pytest.mark.parametrize(("verb", "changes", "code"), WRONG)
def test_what_is_wrong_with_the_keys_is_said_with_what_is_right(verb: str, changes: dict[str, Any], code: str) -> None:
    found = dict(codes(BY_VERB[verb], **changes))
    assert code in found
    assert found[code] or code == "bad-labels"


@pytest.mark.parametrize(
    ("verb", "changes"),
    [
        ("scale", {"to": "{{ inputs.n }}"}),
        ("label", {"labels": {"app.kubernetes.io/part-of": "etl", "topology.kubernetes.io/zone": "a"}}),
        ("annotate", {"annotations": {"autoscaling.keda.sh/paused": "true", "argocd.argoproj.io/refresh": "hard"}}),
        ("label", {"target": {**TARGETS["config"], "apiVersion": "apps/v1", "kind": "DaemonSet"}}),
        ("annotate", {"target": {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "s"}}),
        ("restart", {"target": {**TARGETS["deployment"], "kind": "{{ inputs.kind }}"}}),
        ("scale", {"irreversible": "what ended is gone"}),
    ],
)
def test_what_cannot_be_known_or_is_right_is_not_refused(verb: str, changes: dict[str, Any]) -> None:
    assert [code for code, _ in codes(BY_VERB[verb], **changes) if code != "unknown-name"] == []


def test_every_verb_of_the_house_is_tried() -> None:
    """A `script` is a step of another kind."""
    assert set(BY_VERB) == set(verbs()) - {"script"}


def test_what_a_person_has_to_say_is_not_said_by_the_runbook() -> None:
    named = codes(BY_VERB["uncordon"], agreed="whoever cordoned it")
    assert "said-for-people" in [code for code, _ in named]
    asked = codes(BY_VERB["uncordon"], agreed="{{ inputs.agreed }}")
    assert "said-for-people" not in [code for code, _ in asked]
