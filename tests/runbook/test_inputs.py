"""Typed inputs: where each value comes from is told, what is missing is asked for, what is wrong is refused."""

from __future__ import annotations

from typing import Any

import pytest

from console.base.errors import UsageError
from console.board.model import Board
from console.runbook.inputs import convert, resolve
from console.runbook.model import Input, Runbook, RunbookMatch
from tests.runbook.boards import KEY, alert, app, board, finding, node


def book(*inputs: Input, findings: tuple[str, ...] = ("executor-oom-container",)) -> Runbook:
    return Runbook("b", "1.0.0", "B", "b.yaml", "", "", match=RunbookMatch(findings=findings), inputs=inputs)


def one(board: Board, item: Input, **more: Any) -> tuple[Any, str]:
    settled = resolve(book(item), board, **more)
    assert not settled.missing, settled.missing
    return settled.inputs[item.name], settled.origins[item.name]


APP = Input("app", "spark_app", sources=("selection.app", "alert.app", "finding.app"))


def test_sources_are_tried_in_their_order_and_named() -> None:
    here = board(finding())
    assert one(here, APP, app=KEY) == (KEY, "selection")
    assert one(here, APP, alert=alert()) == (KEY, "alert SparkPodOOMKilled")
    assert one(here, APP) == (KEY, "finding executor-oom-container")
    assert one(here, APP, given={"app": "etl-orders"}) == (KEY, "given")
    assert one(here, Input("n", "namespace", sources=("alert.labels.namespace",)), alert=alert()) == (
        "spark-jobs", "alert label namespace",
    )  # fmt: skip
    assert one(here, Input("limit", "quantity", sources=("finding.data.limit",))) == (
        str(4000 * 2**20), "finding executor-oom-container limit",
    )  # fmt: skip
    assert one(here, Input("state", "string", sources=("app.state", "default"), default="x"), app=KEY) == (
        "RUNNING", "application state",
    )  # fmt: skip
    assert one(here, Input("hold", "duration", default="10m")) == ("10m", "default")


def test_the_application_of_an_alert_is_found_by_pod_name_or_id() -> None:
    two = app(key="spark-jobs/etl-items", name="etl-items", app_id="spark-2", driver=None, executors=())
    here = board(apps=(app(), two))
    assert one(here, APP, alert=alert(pod="etl-orders-driver"))[0] == KEY
    assert one(here, APP, alert=alert(pod="", application_id="spark-2"))[0] == "spark-jobs/etl-items"
    assert one(here, APP, alert=alert(pod="", app_name="etl-items"))[0] == "spark-jobs/etl-items"
    assert one(here, APP, alert=alert(pod="", app="etl-items"))[0] == "spark-jobs/etl-items"
    assert resolve(book(APP), here, alert=alert(pod="", app="spark")).missing
    assert one(here, APP, alert=alert(exported_pod="etl-orders-exec-2", pod="dcgm-x"))[0] == KEY
    assert resolve(book(APP), here, alert=alert(pod="somebody-else")).missing
    assert resolve(book(APP), here, alert=alert(namespace="elsewhere")).missing


def test_what_is_missing_says_what_was_tried() -> None:
    settled = resolve(book(APP, Input("node", "node", title="Node", sources=("alert.labels.node",))), board())
    assert [(m.name, m.title, m.because) for m in settled.missing] == [
        (
            "app",
            "app",
            "nothing is selected; no alert names an application; no finding names an application; no default",
        ),
        ("node", "Node", "no alert label node; no default"),
    ]
    assert resolve(book(Input("x", "string", required=False)), board()).missing == ()


def test_a_hostile_label_is_not_taken() -> None:
    settled = resolve(
        book(Input("n", "namespace", sources=("alert.labels.namespace",))),
        board(),
        alert=alert(namespace="../kube-system"),
    )
    assert settled.inputs == {} and "is no namespace" in settled.missing[0].because


def test_wrong_given_values_are_refused_by_name() -> None:
    with pytest.raises(UsageError) as unknown:
        resolve(book(APP), board(), given={"ap": "x"})
    assert unknown.value.hint == "did you mean 'app'?"
    with pytest.raises(UsageError, match="there is no Spark application 'etl-order'; did you mean"):
        resolve(book(APP), board(), given={"app": "etl-order"})


def test_a_name_that_several_applications_have_is_not_guessed() -> None:
    other = app(key="spark-dev/etl-orders", namespace="spark-dev")
    with pytest.raises(
        UsageError, match="stands for several applications: spark-jobs/etl-orders, spark-dev/etl-orders"
    ):
        resolve(book(APP), board(apps=(app(), other)), given={"app": "etl-orders"})


@pytest.mark.parametrize(
    ("item", "value", "result"),
    [
        (Input("x", "int"), "12", 12),
        (Input("x", "int"), 3.0, 3),
        (Input("x", "float"), "0.5", 0.5),
        (Input("x", "bool"), "true", True),
        (Input("x", "enum", choices=("a", "b")), "b", "b"),
        (Input("x", "duration"), "1h30m", "1h30m"),
        (Input("x", "duration"), 90, "90s"),
        (Input("x", "quantity"), "512Mi", "512Mi"),
        (Input("x", "jvm_size"), "2g", "2g"),
        (Input("x", "k8s_name"), "a.b-c", "a.b-c"),
        (Input("x", "pod"), "ns/pod-1", "ns/pod-1"),
        (Input("x", "promql"), "up == 0", "up == 0"),
        (Input("x", "int", minimum=1, maximum=3), 3, 3),
        (Input("x", "string", pattern="a+"), "aaa", "aaa"),
    ],
)
def test_values_become_their_type(item: Input, value: Any, result: Any) -> None:
    assert convert(item, value) == result and type(convert(item, value)) is type(result)


@pytest.mark.parametrize(
    ("item", "value", "words"),
    [
        (Input("x", "int"), "1.5", "is no whole number"),
        (Input("x", "int"), True, "is no whole number"),
        (Input("x", "float"), "nan", "is no number"),
        (Input("x", "bool"), "yes", "is neither true nor false"),
        (Input("x", "enum", choices=("alpha", "beta")), "alfa", "did you mean 'alpha'"),
        (Input("x", "duration"), "soon", "is no duration"),
        (Input("x", "duration"), "-5m", "is no duration"),
        (Input("x", "duration", minimum=60), "10s", "is below 60"),
        (Input("x", "quantity"), "12 potatoes", "is no Kubernetes quantity"),
        (Input("x", "jvm_size"), "2.5g", "is no JVM size"),
        (Input("x", "namespace"), "a.b", "is no namespace"),
        (Input("x", "k8s_name"), "a/../b", "is no Kubernetes name"),
        (Input("x", "spark_app"), "a/b/c", "is no Spark application"),
        (Input("x", "promql"), "up{", "this is no PromQL"),
        (Input("x", "string"), "a\x1b[31m", "control characters"),
        (Input("x", "string"), "x" * 5000, "longer than 4096"),
        (Input("x", "string"), ["a"], "a text is expected"),
        (Input("x", "string", pattern="a+"), "b", "does not match a"),
        (Input("x", "int", maximum=3), 4, "is above 3"),
        (Input("x", "string", pattern="("), "a", "is no regular expression"),
    ],
)
def test_values_of_another_type_are_refused(item: Input, value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        convert(item, value)


def test_a_node_must_exist_where_nodes_are_known() -> None:
    assert convert(Input("x", "node"), "node-1", board(nodes=())) == "node-1"
    with pytest.raises(ValueError, match="there is no node 'node-1'"):
        convert(Input("x", "node"), "node-1", board(nodes=(node("node-041"),)))
