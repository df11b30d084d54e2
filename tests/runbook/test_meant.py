"""Who is meant: an alert leads to what it names, to nothing else, and what does not fit together is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.apps.alerts import about_spark, named_by
from console.base.errors import UsageError
from console.board.model import Board
from console.cli.plain import Narrator
from console.cli.runbook import _alert, walk_document
from console.facts.model import Alert, SourceState
from console.facts.notjudged import Isolation
from console.live.matches import matches
from console.runbook.inputs import resolve
from console.runbook.match import rank
from console.runbook.model import AlertMatch, Input, Runbook, RunbookMatch
from console.runbook.remarks import remarks
from console.runbook.walk import Started, Walk, fold
from console.timeline.prose import meant
from tests.runbook.boards import KEY, NOW, ORIGIN, alert, app, board, finding

OTHER = "spark-jobs/etl-items"
CODE = "executor-oom-container"


def book(id: str = "spark-oom") -> Runbook:
    item = Input("app", "spark_app", sources=("selection.app", "alert.app", "finding.app"))
    fits = RunbookMatch(findings=(CODE,), alerts=(AlertMatch("SparkPodOOMKilled"),))
    return Runbook(id, "1.0.0", "T", "b.yaml", "", "", match=fits, inputs=(item,))


def two_sick() -> Board:
    other = app(key=OTHER, name="etl-items", app_id="spark-2", driver=None, executors=())
    sick = finding(app=OTHER, subject=f"SparkApplication/{OTHER}")
    return board(sick, finding(), apps=(app(), other))


def bare(**labels: str) -> Alert:
    return Alert("SparkPodOOMKilled", labels, ORIGIN)


def missing(here: Board, **more: object) -> str:
    settled = resolve(book(), here, **more)  # type: ignore[arg-type]
    assert "app" not in settled.inputs
    return settled.missing[0].because


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"app": "nope", "namespace": "nosuch"}, "application nope in namespace nosuch"),
        ({"app": "nope", "namespace": "spark-jobs"}, "application nope in namespace spark-jobs"),
        ({"app": "nope"}, "application nope"),
        ({"app": "etl-orders", "namespace": "nosuch"}, "application etl-orders in namespace nosuch"),
        ({"namespace": "nosuch"}, "namespace nosuch"),
        ({"namespace": "spark-jobs", "pod": "nginx-1"}, "pod nginx-1 in namespace spark-jobs"),
        ({"application_id": "spark-9"}, "application id spark-9"),
    ],
)
def test_an_alert_of_something_unknown_walks_nothing_else(labels: dict[str, str], words: str) -> None:
    here = board(finding())
    assert f"names {words}, which is not known here" in missing(here, alert=bare(**labels))
    assert not [m for m in rank([book()], here, alert=bare(**labels)) if m.finding]


def test_an_alert_that_names_nothing_walks_the_one_sick_application_and_says_why() -> None:
    settled = resolve(book(), board(finding()), alert=bare(severity="critical"))
    assert (settled.inputs["app"], settled.origins["app"]) == (KEY, f"finding {CODE}")
    (said,) = remarks(book(), board(finding()), bare(), KEY)
    assert said == f"the alert SparkPodOOMKilled names no application; this walk is on {KEY}"


def test_of_several_sick_applications_none_is_guessed() -> None:
    assert "several applications have such a finding: spark-jobs/etl-items, spark-jobs/etl-orders" in missing(
        two_sick(), alert=bare()
    )
    assert "several applications" in missing(two_sick())
    assert resolve(book(), two_sick(), alert=alert(pod="", app="etl-items")).inputs == {"app": OTHER}
    assert resolve(book(), two_sick(), app=KEY).inputs == {"app": KEY}


def test_an_alert_that_names_a_namespace_stays_in_it() -> None:
    far = app(key="spark-dev/etl", namespace="spark-dev", name="etl", driver=None, executors=(), app_id="spark-3")
    here = board(finding(app=far.key, subject="SparkApplication/spark-dev/etl"), finding(), apps=(app(), far))
    assert resolve(book(), here, alert=bare(namespace="spark-jobs")).inputs == {"app": KEY}
    assert resolve(book(), here, alert=bare(namespace="spark-dev")).inputs == {"app": far.key}


def test_an_alert_about_a_component_offers_runbooks_of_that_and_not_of_what_waits_beside_it() -> None:
    waits = finding("queue-wait", subject=f"SparkApplication/{KEY}")
    down = finding("component-down", app="", subject="Deployment/spark-jobs/hive-metastore")
    other = finding("component-down", app="", subject="Deployment/spark-jobs/history")
    books = (
        replace(book("queue-wait"), match=RunbookMatch(findings=("queue-wait",))),
        replace(book("component"), match=RunbookMatch(findings=("component-down",))),
    )
    fired = Alert("SparkComponentDown", {"namespace": "spark-jobs", "deployment": "hive-metastore"}, ORIGIN)
    found = rank(books, board(waits, down, other), alert=fired)
    assert [(m.runbook, m.finding) for m in found] == [("component", down.key)]
    assert not named_by(fired, (app(),)).unknown, "a Deployment that is no application is nothing unknown"
    assert {m.runbook for m in rank(books, board(waits), alert=bare(namespace="spark-jobs"))} == {"queue-wait"}


def test_an_alert_about_the_deployment_of_a_connect_server_means_that_application() -> None:
    server = app(kind="Deployment", name="connect", key="spark-jobs/connect", launcher="connect")
    assert named_by(bare(namespace="spark-jobs", deployment="connect"), (server,)).apps == ("spark-jobs/connect",)
    assert named_by(bare(namespace="spark-jobs", statefulset="connect"), (server,)).apps == ()


def test_an_executor_that_has_vanished_still_names_its_application() -> None:
    gone = bare(namespace="spark-jobs", pod="etl-orders-0123456789abcdef-exec-7")
    assert named_by(gone, (app(),)).apps == (KEY,)
    assert named_by(replace(gone, labels={"pod": gone.labels["pod"]}), (app(),)).apps == (), "of no namespace"
    assert named_by(bare(namespace="spark-jobs", pod="etl-orders"), (app(),)).apps == (), "it is no pod of Spark"


def test_an_application_that_is_not_there_is_not_replaced_by_another() -> None:
    assert "there is no Spark application 'spark-jobs/nosuch'" in missing(board(finding()), app="spark-jobs/nosuch")


def test_a_name_that_an_alert_gives_wrongly_is_not_replaced_by_a_default() -> None:
    item = Input("place", "namespace", sources=("alert.labels.namespace", "default"), default="prod")
    asked = replace(book(), inputs=(item,))
    settled = resolve(asked, board(), alert=bare(namespace="../kube-system"))
    assert settled.inputs == {} and "is no namespace" in settled.missing[0].because
    assert resolve(asked, board(), alert=bare()).inputs == {"place": "prod"}


def test_a_resolved_alert_says_so() -> None:
    here = board(finding())
    over = replace(alert(), state="resolved", ends=NOW - 600)
    assert remarks(book(), here, over, KEY) == ("the alert SparkPodOOMKilled does not fire: it is resolved since 10m",)
    stale = replace(alert(), ends=NOW - 600)
    assert "it is resolved since 10m" in remarks(book(), here, stale, KEY)[0], "the payload says firing and is old"
    assert remarks(book(), here, replace(alert(), state="pending"), KEY)
    assert remarks(book(), here, replace(alert(), ends=NOW + 60), KEY) == ()
    assert remarks(book(), here, replace(alert(), silenced=True), KEY) == ("the alert SparkPodOOMKilled is silenced",)


def test_an_alert_that_prometheus_does_not_know_any_more_says_so() -> None:
    here = board(finding(), sources=(SourceState("prometheus", "fresh"),))
    assert remarks(book(), here, alert(), KEY) == ("no alert SparkPodOOMKilled fires here now",)
    assert remarks(book(), replace(here, alerts=(alert(),)), alert(), KEY) == ()


def test_an_alert_that_the_runbook_is_not_for_says_so() -> None:
    said = remarks(book(), board(finding()), alert("KubeJobFailed"), KEY)
    assert said == ("runbook spark-oom is not written for the alert KubeJobFailed: it is for SparkPodOOMKilled",)
    assert remarks(book(), board(finding()), alert(), KEY) == ()


def test_an_alert_of_one_application_and_a_walk_on_another_are_told_apart() -> None:
    said = remarks(book(), two_sick(), alert(), OTHER)
    assert said == (f"the alert SparkPodOOMKilled is about {KEY}; this walk is on {OTHER}",)
    (unknown,) = remarks(book(), board(finding()), bare(app="nope"), KEY)
    assert unknown.endswith(f"names application nope, which is not known here; this walk is on {KEY}")


@pytest.mark.parametrize(
    ("labels", "notes"),
    [
        ({}, {"runbook_url": "https://runbooks.example/spark/spark-oom"}),
        ({}, {"runbook": "spark-oom"}),
        ({"runbook": "spark-oom"}, {}),
        ({"runbook_url": "https://wiki.example/books#spark-oom"}, {"runbook_url": "https://x.example/oom"}),
        ({"runbook": "spark-oom"}, {"runbook_url": "https://runbooks.example/spark/other?tab=1"}),
        ({}, {"runbook_url": "https://runbooks.example/spark-oom.md?plain=1"}),
    ],
)
def test_an_alert_names_its_runbook_by_label_or_annotation(labels: dict[str, str], notes: dict[str, str]) -> None:
    linked = Alert("Anything", labels, ORIGIN, annotations=notes)
    assert [m.runbook for m in rank([book(), book("unlike")], board(), alert=linked)] == ["spark-oom"]
    assert remarks(book(), board(), linked, "cluster") == ()


def test_two_alerts_of_one_name_lead_to_their_own_applications() -> None:
    one, two = (replace(alert(pod="", app=name)) for name in ("etl-orders", "etl-items"))
    found = matches([book()], two_sick(), (one, two), Isolation())
    assert one.key != two.key
    assert {found[f"alert:{a.key}"][0].app for a in (one, two)} == {KEY, OTHER}


def test_what_an_application_has_survived_offers_no_runbook() -> None:
    found = matches([book()], board(replace(finding(), severity="info")), (), Isolation())
    assert found == {}
    assert matches([book()], board(finding()), (), Isolation())[f"app:{KEY}"][0].runbook == "spark-oom"


def test_only_alerts_of_spark_or_of_an_objective_count() -> None:
    apps = (app(),)
    assert about_spark(alert("KubePodCrashLooping"), apps)
    assert about_spark(bare(), apps), "its name says so"
    assert about_spark(Alert("Quota", {"namespace": "spark-jobs"}, ORIGIN), apps), "applications live there"
    assert about_spark(Alert("BudgetBurn", {"slo": "job-success"}, ORIGIN), (), ("job-success",))
    assert not about_spark(Alert("BudgetBurn", {"slo": "web"}, ORIGIN), (), ("job-success",))
    assert not about_spark(Alert("KubePodCrashLooping", {"namespace": "web", "pod": "nginx-1"}, ORIGIN), apps)
    assert not about_spark(Alert("Pod", {"namespace": "spark-jobs", "pod": "nginx-1"}, ORIGIN), apps)


def walk(remark: str = "") -> Walk:
    cluster = {"context": "prod", "mode": "guarded", "production": True}
    inputs, origins = {"app": KEY, "hold": "10m"}, {"app": "alert SparkPodOOMKilled", "hold": "default"}
    began = Started(
        NOW, "w-1", "spark-oom", "1.0.0", "h", "", inputs, origins, cluster, KEY, "me", "t",
        alert=replace(alert(), since=NOW - 1380), remarks=(remark,) if remark else (),
    )  # fmt: skip
    return fold([began])


def test_the_plain_output_names_what_it_walks_before_the_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    Narrator().last(walk("the alert is over"))
    assert capsys.readouterr().err.splitlines() == [
        f"runbook spark-oom 1.0.0 on {KEY}",
        "cluster prod, guarded, production",
        "alert SparkPodOOMKilled, firing for 23m (namespace=spark-jobs, pod=etl-orders-exec-1)",
        f"app = {KEY} (alert SparkPodOOMKilled)",
        "! the alert is over",
    ]
    document = walk_document(walk("the alert is over"))
    assert (document["subject"], document["remarks"]) == (KEY, ["the alert is over"])
    assert document["alert"]["name"] == "SparkPodOOMKilled"
    assert meant(walk()) == meant(walk("x"))


def payload(tmp_path: Path, *labels: dict[str, str]) -> str:
    file = tmp_path / "alert.json"
    items = [{"status": one.pop("status", "firing"), "labels": {"alertname": "A", **one}} for one in labels]
    file.write_text(json.dumps({"alerts": items}))
    return str(file)


def test_a_payload_about_several_applications_is_not_guessed(tmp_path: Path) -> None:
    file = payload(tmp_path, {"app": "etl-orders", "namespace": "j"}, {"app": "etl-items", "namespace": "j"})
    with pytest.raises(UsageError, match="different things: A on j/etl-orders, A on j/etl-items") as caught:
        _alert(file, "")
    assert "--app" in str(caught.value.hint)
    assert _alert(file, "j/etl-items").labels["app"] == "etl-items"
    same = payload(tmp_path, *({"pod": f"etl-0123456789abcdef-exec-{n}", "namespace": "j"} for n in (1, 2)))
    assert _alert(same, "").labels["pod"].endswith("-1")
    mixed = payload(tmp_path, {"app": "old", "status": "resolved"}, {"app": "etl"})
    assert _alert(mixed, "").labels["app"] == "etl"
