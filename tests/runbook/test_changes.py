"""Effects: data that a person can read before it is done, with names that are names and arguments that are words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.base.errors import ConsoleError, UsageError
from console.runbook import steps
from console.runbook.model import Argument, Runbook, Step, TargetTemplate
from console.runbook.scripts import ScriptArgument, ScriptSpec
from console.runbook.template import MissingData
from console.runbook.walk import Started, fold
from tests.runbook.player import LIBRARY

CTX: dict[str, Any] = {
    "app": {"namespace": "ns", "name": "etl", "kind": "SparkApplication", "uid": "u-1", "size": 2**31, "cores": 2,
            "api_version": "sparkoperator.k8s.io/v1beta2", "hidden": "[redacted]", "none": "-", "flag": "--force",
            "lines": "a\nb"},
}  # fmt: skip
TARGET = TargetTemplate("sparkoperator.k8s.io/v1beta2", "SparkApplication", "{{ app.name }}", "{{ app.namespace }}")
CHANGE = Step(
    "change", "change", "Set {{ app.size|jvm_size }}", target=TARGET, action="patch",
    settings={"patch": {"spec": {"executor": {"memory": "{{ app.size|jvm_size }}", "cores": "{{ app.cores }}"}}}},
    rollback="captured", loses="work of {{ app.gone }}", verify="v",
)  # fmt: skip
SCRIPT = Step(
    "script", "script", "Run", action="script", target=TARGET, script="s", effect="write", rollback="captured",
    arguments=(
        Argument("app", "spark_app", "{{ app.namespace }}/{{ app.name }}", "--app"),
        Argument("n", "int", "{{ app.cores }}", ""),
    ),
)  # fmt: skip
SPEC = ScriptSpec(
    "s", "S", "/lib/s.sh", "sh", "write", ("/spec/executor/cores",), arguments={"app": ScriptArgument("spark_app")}
)


def effect(step: Step, ctx: dict[str, Any] | None = None, **scripts: ScriptSpec) -> Any:
    book = Runbook("b", "1", "B", "b.yaml", "", "", steps=(step,))
    walk = fold([Started(0.0, "w", "b", "1", "", "", {}, {}, {}, "", "", "")])
    return steps.effect(book, walk, step, CTX if ctx is None else ctx, {"s": SPEC, **scripts}, LIBRARY.catalogue)


def test_a_patch_keeps_numbers_and_names_what_it_touches() -> None:
    made = effect(CHANGE)
    assert made.patch == {"spec": {"executor": {"memory": "2g", "cores": 2}}}
    assert made.touched == ("/spec/executor/memory", "/spec/executor/cores")
    assert (made.id, made.title, made.reversible) == ("w/1", "Set 2g", True)
    assert made.target.uid == "u-1" and made.target.words == "ns/etl"
    assert made.loses == "(cannot be said: no data on 'gone')"


def test_the_uid_pins_only_the_object_that_was_looked_at() -> None:
    other = replace(CHANGE, target=replace(TARGET, name="other"))
    assert effect(other).target.uid == ""


@pytest.mark.parametrize("name", ["../secrets", "a/b", "A", "a b", "", "a\n", "x" * 300, "a?b", "%2e%2e"])
def test_a_name_that_is_none_makes_no_path(name: str) -> None:
    for field in ("name", "namespace"):
        if field == "namespace" and name == "":
            continue
        with pytest.raises(ConsoleError, match="step change, target"):
            effect(
                replace(CHANGE, target=replace(TARGET, **{field: "{{ app.evil }}"})),
                {"app": {**CTX["app"], "evil": name}},
            )


@pytest.mark.parametrize("target", [{"api_version": "v1/../x"}, {"kind": "secrets/x"}, {"api_version": ""}])
def test_a_kind_that_is_none_makes_no_path(target: dict[str, str]) -> None:
    with pytest.raises(ConsoleError, match="is no kind of object"):
        effect(replace(CHANGE, target=replace(TARGET, **target)))


def test_missing_data_makes_no_patch() -> None:
    with pytest.raises(MissingData, match=r"step change, patch\.spec\.executor\.memory: no data on 'gone'"):
        effect(replace(CHANGE, settings={"patch": {"spec": {"executor": {"memory": "{{ app.gone|jvm_size }}"}}}}))


def test_a_redacted_value_is_never_written() -> None:
    with pytest.raises(ConsoleError, match="would write"):
        effect(replace(CHANGE, settings={"patch": {"spec": {"executor": {"memory": "{{ app.hidden }}"}}}}))


def test_a_patch_that_changes_nothing_is_none() -> None:
    with pytest.raises(ConsoleError, match="changes nothing"):
        effect(replace(CHANGE, settings={"patch": {}}))


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (
            {"spec": {"executor": {"memoryOverhed": "1g"}}},
            "has no field 'memoryOverhed'; did you mean 'memoryOverhead'?",
        ),
        ({"spec": {"executor": {"memory": "{{ app.size }}"}}}, "spec.executor.memory must be text, not a int"),
        ({"spec": {"executor": {"cores": "{{ app.size|jvm_size }}"}}}, "spec.executor.cores must be a whole number"),
        ({"spec": {"sparkConf": {"a": 3}}}, "'a' must be text"),
        ({"status": {"applicationState": {"state": "COMPLETED"}}}, "has no field 'status'"),
        ({"metadata": {"finalizers": []}}, "only labels and annotations"),
    ],
)
def test_every_written_field_exists_and_is_of_its_type(patch: Any, words: str) -> None:
    with pytest.raises(ConsoleError) as caught:
        effect(replace(CHANGE, settings={"patch": patch}))
    assert words in str(caught.value)


def test_each_argument_of_a_script_is_a_word_of_its_own() -> None:
    made = effect(SCRIPT)
    assert made.argv == ("sh", "/lib/s.sh", "--app", "ns/etl", "2")
    assert made.touched == ("/spec/executor/cores",) and made.writes and made.action == "script" and made.patch is None
    assert effect(replace(SCRIPT, effect="read")).writes is False


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        (Argument("x", "string", "{{ app.flag }}", "--x"), "'--force' looks like a flag"),
        (Argument("x", "string", "{{ app.none }}", ""), "'-' looks like a flag"),
        (Argument("x", "string", "{{ app.gone }}", ""), "no data on 'gone'"),
        (Argument("x", "int", "{{ app.name }}", ""), "'etl' is no whole number"),
        (Argument("x", "k8s_name", "{{ app.lines }}", ""), "is no Kubernetes name"),
        (Argument("x", "string", "{{ app.hidden }}", ""), "would write"),
    ],
)
def test_an_argument_cannot_become_another_one(argument: Argument, words: str) -> None:
    with pytest.raises(ConsoleError) as caught:
        effect(replace(SCRIPT, arguments=(argument,)))
    assert words in str(caught.value)


def test_shell_signs_stay_text() -> None:
    nasty = "$(touch /tmp/x); `id` && x | y > z"
    made = effect(
        replace(SCRIPT, arguments=(Argument("x", "string", "{{ app.evil }}", "--x"),)),
        {"app": {**CTX["app"], "evil": nasty}},
    )
    assert made.argv[-1] == nasty


def test_an_unknown_script_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no script 'lower-cores'") as caught:
        effect(replace(SCRIPT, script="lower-cores"), None, **{"lower-core": SPEC})
    assert caught.value.hint == "did you mean 'lower-core'?"


def test_a_deletion_cannot_be_undone() -> None:
    gone = Step(
        "d",
        "change",
        "t",
        target=TargetTemplate("v1", "Pod", "p", "ns"),
        action="delete",
        irreversible="pods do not come back",
    )
    made = effect(gone)
    assert (made.action, made.reversible, made.reason, made.touched) == ("delete", False, "pods do not come back", ())
