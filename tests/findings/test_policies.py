"""NetworkPolicies under which sessions get no executors while every replica is ready, and those that let them come."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.facts.model import Facts, Owner, Pod, Workload
from console.findings.case import ClusterView
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.findings.rules import all_rules
from tests.components.worlds import NOW, facts, pod, workload

CONNECT = workload("Deployment", "rel-connect", {"app": "spark-connect"})
SPACES = {"spark": {}, "kube-system": {}, "tools": {"team": "data"}}


def policy(name: str, selector: dict[str, Any] | None = None, **spec: Any) -> Workload:
    body = {"podSelector": {"matchLabels": selector} if selector else {}, **spec}
    return workload("NetworkPolicy", name, api="networking.k8s.io/v1", spec=body)


DENY = policy("default-deny", policyTypes=["Ingress", "Egress"])
EXECUTORS = {"podSelector": {"matchLabels": {"spark-role": "executor"}}}
SERVER = {"podSelector": {"matchLabels": {"app": "spark-connect"}}}
PORTS = {"ports": [{"port": 7078, "endPort": 7079}]}
DNS = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
API = {"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}], "ports": [{"port": 6443}]}
OPEN = (
    policy("server", {"app": "spark-connect"}, policyTypes=["Ingress", "Egress"],
           ingress=[{"from": [EXECUTORS], **PORTS}], egress=[{"to": [EXECUTORS], **PORTS}, DNS, API]),
    policy("executors", {"spark-role": "executor"}, policyTypes=["Ingress", "Egress"],
           ingress=[{"from": [SERVER, EXECUTORS], **PORTS}], egress=[{"to": [SERVER, EXECUTORS], **PORTS}, DNS]),
)  # fmt: skip


def found(*things: Any, spaces: dict[str, dict[str, str]] | None = SPACES) -> list[Finding]:
    read = spaces or {}
    bare = [replace(workload("Namespace", name, namespace=""), labels=labels) for name, labels in read.items()]
    known = facts(*things, *bare)
    names = {"Namespace/": frozenset(spaces)} if spaces is not None else {}
    whole = Facts(at=NOW, workloads=known.workloads, spark=known.spark, pods=known.pods, names=names)
    return [one for one in diagnose(whole, ()) if one.code.startswith("network-policy")]


def ways(*things: Any, **over: Any) -> tuple[str, ...]:
    (one,) = (f for f in found(*things, **over) if f.code == "network-policy-blocks")
    return one.data.ways  # type: ignore[attr-defined, no-any-return]


def test_default_deny_without_rules_for_executors_stops_everything_that_a_session_needs() -> None:
    (one,) = found(CONNECT, DENY)
    driver = "the driver of rel-connect"
    assert one.title == f"NetworkPolicies of spark stop executors to {driver} on 7078: sessions get no executors"
    assert one.subject == CONNECT.key and one.data.policies == (DENY.key,)  # type: ignore[attr-defined]
    assert ways(CONNECT, DENY) == (
        f"executors to {driver} on 7078", f"executors to {driver} on 7079", f"{driver} to executors on 7079",
        "executors among themselves on 7079", "executors to DNS", f"{driver} to DNS", f"{driver} to the API server",
    )  # fmt: skip
    assert one.open_questions == ("does the network plugin of this cluster enforce NetworkPolicies?",)


def test_rules_both_ways_let_sessions_have_their_executors() -> None:
    assert found(CONNECT, DENY, *OPEN) == []
    assert found(CONNECT) == [] and found(CONNECT, *OPEN) == []


@pytest.mark.parametrize(
    ("without", "stopped"),
    [
        (0, "executors to the driver of rel-connect on 7078"),
        (1, "the driver of rel-connect to executors on 7079"),
    ],
)
def test_one_side_is_not_enough(without: int, stopped: str) -> None:
    kept = [one for number, one in enumerate(OPEN) if number != without]
    assert stopped in ways(CONNECT, DENY, *kept)


def test_the_wrong_port_or_protocol_admits_nothing() -> None:
    narrow = policy("server", {"app": "spark-connect"}, policyTypes=["Ingress"], ingress=[{"ports": [{"port": 15002}]}])
    assert ways(CONNECT, narrow) == tuple(f"executors to the driver of rel-connect on {port}" for port in (7078, 7079))
    tcp = {"ports": [{"port": 53}]}
    egress = policy("dns", {"app": "spark-connect"}, policyTypes=["Egress"], egress=[tcp, API, {"to": [EXECUTORS]}])
    assert ways(CONNECT, egress) == ("the driver of rel-connect to DNS",)


def test_no_namespace_selector_reaches_the_api_server_which_is_no_pod() -> None:
    every = policy(
        "every", {"app": "spark-connect"}, policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}]}]
    )
    assert ways(CONNECT, every) == ("the driver of rel-connect to the API server",)


def test_a_policy_without_types_isolates_what_it_has_rules_for() -> None:
    assert found(CONNECT, policy("named", {"app": "spark-connect"}, ingress=[{"from": [EXECUTORS]}])) == []
    both = policy("named", {"app": "spark-connect"}, ingress=[{}], egress=[DNS])
    assert ways(CONNECT, both)[0] == "the driver of rel-connect to executors on 7079"


def test_a_label_of_executors_that_nobody_knows_may_match_until_one_is_seen() -> None:
    template = {"podSelector": {"matchLabels": {"team": "etl"}}}
    server = policy("server", {"app": "spark-connect"}, policyTypes=["Ingress"], ingress=[{"from": [template]}])
    assert found(CONNECT, server) == []
    seen = pod("rel-exec", {"spark-role": "executor"})
    assert "executors to the driver of rel-connect on 7078" in ways(CONNECT, server, seen)
    fitting = pod("rel-exec", {"spark-role": "executor", "team": "etl"})
    assert found(CONNECT, server, fitting) == []


def test_a_namespace_label_that_nothing_sets_admits_nobody_and_is_said_itself() -> None:
    wide = {"from": [{"namespaceSelector": {"matchLabels": {"name": "spark"}}}]}
    server = policy("server", {"app": "spark-connect"}, policyTypes=["Ingress"], ingress=[wide])
    codes = {one.code: one for one in found(CONNECT, server)}
    assert set(codes) == {"network-policy-blocks", "network-policy-selects-nothing"}
    assert codes["network-policy-selects-nothing"].title == (
        "NetworkPolicy spark/server admits namespaces with name=spark, and no namespace has it"
    )
    known = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "spark"}}}]}
    assert found(CONNECT, policy("server", {"app": "spark-connect"}, policyTypes=["Ingress"], ingress=[known])) == []


def test_where_namespaces_may_not_be_read_a_label_of_theirs_may_match() -> None:
    wide = {"from": [{"namespaceSelector": {"matchLabels": {"name": "spark"}}}]}
    server = policy("server", {"app": "spark-connect"}, policyTypes=["Ingress"], ingress=[wide])
    assert found(CONNECT, server, spaces=None) == []


def test_a_server_whose_master_is_no_kubernetes_needs_no_way_to_pods() -> None:
    volumes = {"volumes": [{"configMap": {"name": "rel-conf"}}], "containers": []}
    template = {"template": {"metadata": {"labels": {"app": "spark-connect"}}, "spec": volumes}}
    server = workload("Deployment", "rel-connect", {"app": "spark-connect"}, spec=template)
    for master, told in (("local[*]", 0), ("k8s://https://kubernetes.default.svc", 1)):
        conf = workload("ConfigMap", "rel-conf", spec={"spark.conf": f"spark.master={master}"})
        assert len(found(server, conf, DENY)) == told


def test_drivers_of_applications_are_judged_by_the_labels_that_spark_gives_them() -> None:
    app = workload("SparkApplication", "etl", api="sparkoperator.k8s.io/v1beta2", spec={})
    (one,) = found(app, DENY)
    assert one.subject == "Namespace//spark" and "executors to drivers on 7078" in one.title


def executor(name: str, *, began_ago: float, phase: str = "Running", run: str = "spark-1", owner: str = "") -> Pod:
    made = pod(name, {"spark-role": "executor", "spark-app-selector": run})
    main = replace(made.containers[0], name="spark-kubernetes-executor", started=NOW - began_ago)
    owners = (Owner("v1", "Pod", owner, "u"),) if owner else ()
    return replace(made, phase=phase, containers=(main,), owners=owners)


def test_executors_that_run_under_the_policies_say_that_nothing_stops_them() -> None:
    assert found(CONNECT, DENY, executor("rel-exec", began_ago=1800)) == []
    (rule,) = [rule for group in all_rules() for rule in group if rule.code == "network-policy-blocks"]
    known = facts(CONNECT, DENY, executor("rel-exec", began_ago=1800))
    assert rule.check(ClusterView(known, ())) == (  # type: ignore[arg-type]
        "1 executor of the driver of rel-connect of spark: up for 30m under the policies, so these are not enforced "
        "here, or something else admits them"
    )


@pytest.mark.parametrize(
    "young_or_gone",
    [
        executor("rel-exec", began_ago=120),
        executor("rel-exec", began_ago=1800, phase="Failed"),
        executor("rel-exec", began_ago=90000),
        executor("rel-exec", began_ago=1800, owner="other-connect-7f9c4-abcde"),
    ],
    ids=["not given up yet", "ended", "older than the policies", "of another server"],
)
def test_executors_that_prove_nothing_leave_the_finding(young_or_gone: Pod) -> None:
    (one,) = found(CONNECT, DENY, young_or_gone)
    assert one.subject == CONNECT.key


def test_an_executor_that_began_a_moment_ago_is_a_question() -> None:
    (one,) = found(CONNECT, DENY, executor("rel-exec", began_ago=120))
    assert one.open_questions[-1] == "1 executor began under them: do they register with the driver?"


def test_an_executor_tells_of_the_server_that_owns_it_and_of_no_other() -> None:
    other = workload("Deployment", "rel-connect-b", {"app": "spark-connect"})
    mine = executor("rel-exec", began_ago=1800, owner="rel-connect-7f9c4-abcde")
    assert [one.subject for one in found(CONNECT, other, DENY, mine)] == [other.key]
    assert len(found(CONNECT, other, DENY, executor("rel-exec", began_ago=1800))) == 2, "nobody knows whose it is"


def test_an_executor_of_an_application_says_nothing_of_a_server() -> None:
    leader = pod("etl-driver", {"spark-role": "driver", "spark-app-selector": "spark-9"})
    of_app = executor("etl-exec", began_ago=1800, run="spark-9")
    assert [one.subject for one in found(CONNECT, DENY, leader, of_app)] == [CONNECT.key]
    etl = workload("SparkApplication", "etl", api="sparkoperator.k8s.io/v1beta2", spec={})
    assert found(etl, DENY, leader, of_app) == []


def test_what_executors_that_run_need_no_more_is_told_all_the_same() -> None:
    """They registered; blocks among themselves are another way."""
    alone = policy("alone", {"spark-role": "executor"}, policyTypes=["Ingress"], ingress=[{"from": [SERVER], **PORTS}])
    runs = executor("rel-exec", began_ago=1800)
    (one,) = found(CONNECT, alone, runs)
    assert one.data.ways == ("executors among themselves on 7079",)  # type: ignore[attr-defined]
    assert one.title.endswith("executors among themselves on 7079: tasks that need it fail")
