"""Verbs for runs and what starts them, and what they make: the object that is sent, its name, its owner, its stamp."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions import verb_of
from console.actions.beside import FoundBeside
from console.actions.effects import STAMP, Effect, ObjectRef
from console.actions.making import LONGEST, name_of
from console.actions.pins import Pin
from console.actions.verb import ApiRequest, Right

SPARK = "sparkoperator.k8s.io/v1beta2"
SCHEDULE = ObjectRef(SPARK, "ScheduledSparkApplication", "jobs", "nightly", "u-1")
CRON = ObjectRef("batch/v1", "CronJob", "jobs", "nightly", "u-1")
APP = ObjectRef(SPARK, "SparkApplication", "jobs", "etl", "u-1")
APACHE = ObjectRef("spark.apache.org/v1", "SparkApplication", "jobs", "etl", "u-1")


def effect(action: str, target: ObjectRef, **keys: Any) -> Effect:
    return Effect("w/1", "s", "x", action, target, arguments=keys)


def schedule(policy: str = "Forbid") -> dict[str, Any]:
    meta = {"name": "nightly", "uid": "u-1", "labels": {"team": "a"}}
    return {"kind": "ScheduledSparkApplication", "metadata": meta,
            "spec": {"concurrencyPolicy": policy, "template": {"type": "Python"}}}  # fmt: skip


def cron(policy: str = "Allow") -> dict[str, Any]:
    job = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": {"backoffLimit": 1}}
    return {"kind": "CronJob", "metadata": {"name": "nightly", "uid": "u-1"},
            "spec": {"concurrencyPolicy": policy, "jobTemplate": job}}  # fmt: skip


def settled(action: str, target: ObjectRef, obj: dict[str, Any], **keys: Any) -> Effect:
    return verb_of(action).settle(effect(action, target, **keys), obj, {}, 0.0)


# -- trigger ----------------------------------------------------------------------------------------------------------


def test_a_run_of_a_schedule_is_made_as_its_operator_makes_one() -> None:
    made = settled("trigger", SCHEDULE, schedule())
    name = made.patch["metadata"]["name"]
    assert made.patch == {
        "apiVersion": SPARK,
        "kind": "SparkApplication",
        "metadata": {
            "name": name,
            "namespace": "jobs",
            "labels": {"team": "a", "sparkoperator.k8s.io/scheduled-app-name": "nightly"},
            "annotations": {STAMP: "w/1"},
            "ownerReferences": [
                {"apiVersion": SPARK, "kind": SCHEDULE.kind, "name": "nightly", "uid": "u-1", "controller": True}
            ],
        },
        "spec": {"type": "Python"},
    }
    verb = verb_of("trigger")
    assert name.startswith("nightly-") and verb.makes(made)
    assert verb.trace(made) == ObjectRef(SPARK, "SparkApplication", "jobs", name)
    assert verb.request(made, schedule(), Pin("u-1", 0)) == ApiRequest(
        "POST", made.patch, into=(SPARK, "sparkapplications")
    )
    assert verb.rights(made, "scheduledsparkapplications", "jobs") == (
        Right("create", "sparkoperator.k8s.io", "sparkapplications", "jobs"),
    )


def test_a_job_of_a_cron_job_is_made_as_kubectl_makes_one() -> None:
    made = settled("trigger", CRON, cron())
    meta = made.patch["metadata"]
    assert (made.patch["kind"], made.patch["spec"], meta["labels"]) == ("Job", {"backoffLimit": 1}, {"a": "b"})
    assert meta["annotations"] == {"c": "d", "cronjob.kubernetes.io/instantiate": "manual", STAMP: "w/1"}
    assert verb_of("trigger").collection(made) == ("batch/v1", "jobs")


def spark_run(state: str) -> dict[str, Any]:
    return {"metadata": {"name": "r-1"}, "status": {"applicationState": {"state": state}}}


def job(uid: str = "u-1", **condition: str) -> dict[str, Any]:
    meta = {"name": "j-1", "ownerReferences": [{"uid": uid, "controller": True}]}
    return {"metadata": meta, "status": {"conditions": [condition] if condition else []}}


DONE = {"type": "Complete", "status": "True"}


@pytest.mark.parametrize(
    ("target", "obj", "run", "refused"),
    [
        (SCHEDULE, schedule(), spark_run("RUNNING"), True),
        (SCHEDULE, schedule("Replace"), spark_run(""), True),
        (SCHEDULE, schedule(), spark_run("COMPLETED"), False),
        (SCHEDULE, schedule("Allow"), spark_run("RUNNING"), False),
        (CRON, cron("Forbid"), job(), True),
        (CRON, cron("Forbid"), job(**DONE), False),
        (CRON, cron("Forbid"), job(**{**DONE, "status": "False"}), True),
        (CRON, cron("Forbid"), job("u-2"), False),
        (CRON, cron("Allow"), job(), False),
    ],
)
def test_a_second_run_waits_where_the_schedule_lets_only_one(
    target: ObjectRef, obj: dict[str, Any], run: dict[str, Any], refused: bool
) -> None:
    found = list(verb_of("trigger").obstacles(effect("trigger", target), obj, {"runs": FoundBeside((run,))}))
    assert bool(found) is refused
    assert not found or "is not over" in found[0]


def test_two_runs_at_once_are_said_and_so_is_what_is_not_known() -> None:
    def told(seen: FoundBeside) -> dict[str, str]:
        change, obj = settled("trigger", SCHEDULE, schedule("Allow")), schedule("Allow")
        return {
            c.topic: f"{c.level} {c.text}" for c in verb_of("trigger").consequences(change, obj, (), 0, {"runs": seen})
        }

    assert told(FoundBeside((spark_run("RUNNING"),)))["owner"] == "warning its run r-1 is not over: both run at once"
    assert told(FoundBeside(error="forbidden"))["owner"].startswith("unknown whether another run is under way")
    assert "owner" not in told(FoundBeside()) and told(FoundBeside())["sink"].startswith("unknown")


# -- rerun ------------------------------------------------------------------------------------------------------------


def test_an_application_of_kubeflow_is_run_again_by_an_annotation_of_its_driver() -> None:
    made = settled("rerun", APP, {"spec": {"driver": {"cores": 1}}})
    assert made.patch == {"spec": {"driver": {"annotations": {"console.oncall/rerun": "w/1"}}}}
    assert made.touched == ("/spec/driver/annotations/console.oncall~1rerun",)
    verb = verb_of("rerun")
    assert not verb.makes(made) and verb.trace(made) == APP
    assert verb.rights(made, "sparkapplications", "jobs")[0].verb == "patch"
    app = {"apiVersion": SPARK, "kind": "SparkApplication", "status": {"applicationState": {"state": "FAILED"}}}
    said = {c.topic: c.text for c in verb.consequences(made, app, made.touched, 0.0)}
    assert "submits the job from the start" in said["restart"] and "it is FAILED now" in said["loss"]


def apache(state: str) -> dict[str, Any]:
    labels = {"queue": "a", "app.kubernetes.io/instance": "argo", "helm.sh/chart": "x"}
    meta = {"name": "etl", "labels": labels, "annotations": {"argocd.argoproj.io/tracking-id": "x"}}
    return {"metadata": meta, "spec": {"mainClass": "A"}, "status": {"currentState": {"currentStateSummary": state}}}


def test_an_application_of_apache_is_copied_without_what_belongs_to_others() -> None:
    made = settled("rerun", APACHE, apache("Failed"))
    meta = made.patch["metadata"]
    assert (
        meta["labels"] == {"queue": "a"} and meta["annotations"] == {STAMP: "w/1"} and meta["name"].startswith("etl-")
    )
    assert made.patch["spec"] == {"mainClass": "A"}
    verb = verb_of("rerun")
    assert verb.rights(made, "sparkapplications", "jobs") == (
        Right("create", "spark.apache.org", "sparkapplications", "jobs"),
    )
    (copy, _) = verb.consequences(made, apache("Failed"), (), 0.0)
    assert meta["name"] in copy.text


@pytest.mark.parametrize(
    ("state", "refused"), [("RunningHealthy", True), ("", True), ("Failed", False), ("ResourceReleased", False)]
)
def test_a_copy_is_made_only_of_what_is_over(state: str, refused: bool) -> None:
    assert bool(list(verb_of("rerun").obstacles(effect("rerun", APACHE), apache(state), {}))) is refused


def test_what_is_suspended_is_resumed_and_not_run_again() -> None:
    (why,) = verb_of("rerun").obstacles(effect("rerun", APP), {"spec": {"suspend": True}}, {})
    assert "`resume`" in why


# -- suspend and resume -----------------------------------------------------------------------------------------------


def test_a_schedule_a_job_and_an_application_are_stopped_each_in_its_way() -> None:
    verb, back = verb_of("suspend"), verb_of("resume")
    change = Effect("w/1", "s", "x", "suspend", APP, "merge", verb.body({}).patch, touched=("/spec/suspend",))
    said = [c.text for c in verb.consequences(change, schedule(), ("/spec/suspend",), 0.0)]
    assert said == ["no run is started until it is resumed; a present run goes on"]
    (busy,) = verb.consequences(change, {"kind": "Job", "status": {"active": 2}}, (), 0.0)
    assert (busy.level, busy.topic) == ("warning", "restart")
    (idle,) = verb.consequences(change, {"kind": "Job", "status": {}}, (), 0.0)
    assert idle.level == "info"
    app = {"apiVersion": SPARK, "kind": "SparkApplication", "status": {"applicationState": {"state": "RUNNING"}}}
    assert "kills the driver" in verb.consequences(change, app, ("/spec/suspend",), 0.0)[0].text
    assert (verb.body({}).patch, back.body({}).patch) == ({"spec": {"suspend": True}}, {"spec": {"suspend": False}})
    over = {"status": {"applicationState": {"state": "FAILED"}}}
    assert list(verb.obstacles(effect("suspend", APP), over, {})) == [
        "it is FAILED already: there is nothing to suspend"
    ]
    assert list(back.obstacles(effect("resume", APP), over, {})) == []


# -- create -----------------------------------------------------------------------------------------------------------

CANARY = ObjectRef("batch/v1", "Job", "jobs", "canary")


def test_what_is_created_is_named_by_its_target_and_deleted_as_what_was_made() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}
    made = settled("create", CANARY, {}, template=template)
    meta = {"labels": {"a": "b"}, "name": "canary", "namespace": "jobs", "annotations": {STAMP: "w/1"}}
    assert made.patch == {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"x": 1}}
    verb = verb_of("create")
    assert verb.request(made, {}, Pin("", 0)) == ApiRequest("POST", made.patch)
    assert verb.rights(made, "jobs", "jobs") == (Right("create", "batch", "jobs", "jobs"),)
    back = verb.inverse(made, {})
    assert back is not None and (back.action, back.target, back.patch) == ("delete", CANARY, None)
    mine, other = {"metadata": {"annotations": {STAMP: "w/1"}}}, {"metadata": {"annotations": {STAMP: "w/0"}}}
    assert list(verb_of("delete").obstacles(back, mine, {})) == []
    assert list(verb_of("delete").obstacles(back, other, {})) == ["it is not what w/1 made: it carries no such stamp"]


@pytest.mark.parametrize(("stamp", "answer"), [("w/1", "yes"), ("w/0", "no"), ("", "no")])
def test_what_was_made_is_known_by_its_stamp(stamp: str, answer: str) -> None:
    made = settled("create", CANARY, {}, template={"spec": {}})
    obj = {"metadata": {"annotations": {STAMP: stamp} if stamp else {}}}
    assert verb_of("create").landed(made, {}, 0, obj)[0] == answer
    assert verb_of("create").gone("jobs/canary") == ("no", "there is no jobs/canary")


def test_a_name_is_its_effects_own_and_never_too_long() -> None:
    one, other = (Effect(f"w/{n}", "s", "x", "trigger") for n in (1, 2))
    assert name_of("nightly", one) == name_of("nightly", one) != name_of("nightly", other)
    assert len(name_of("n" * 200, one)) == LONGEST and name_of("a" * 53 + ".b", one)[53] == "-"
