"""Advice on security: each rule with a case that it is for, one that it is not for, and what may not be read."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.advice.model import Advice
from tests.advice.worlds import SAFE, SPARK_NEEDS, app, bound, driver, executor, posture, report, thing
from tests.findings.worlds import NS

BARE = {**SAFE, "automountServiceAccountToken": False}
SPACE = thing("Namespace", NS, "", labels={"pod-security.kubernetes.io/enforce": "restricted"})
DENY = thing("NetworkPolicy", "deny", spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
ACCOUNTS = [thing("ServiceAccount", "spark"), thing("ServiceAccount", "executors")]
GOOD = [SPACE, DENY, *ACCOUNTS, *bound("spark", *SPARK_NEEDS)]


def pods(account: str = "spark", other: str = "executors", **more: Any) -> list[Any]:
    """A driver and an executor that meet the restricted level."""
    return [
        replace(driver(), service_account=account, security=SAFE, **more),
        replace(executor(1), service_account=other, security=BARE, **more),
    ]


def security(*things: Any, **options: Any) -> list[Advice]:
    return [i for i in report(app(), *things, **options).items if i.family == "security"]


def only(*things: Any, **options: Any) -> Advice:
    (item,) = security(*things, **options)
    return item


def unjudged(*things: Any, **options: Any) -> list[str]:
    return [f"{u.what}: {u.because} [{u.needs}]" for u in report(app(), *things, **options).unjudged]


def test_a_namespace_in_good_order_gives_no_advice() -> None:
    found = report(app(), *pods(), posture=posture(*GOOD), cluster=(1, 37))
    assert [i.key for i in found.items] == [] and found.unjudged == ()


def without(*kinds: str) -> list[dict[str, Any]]:
    return [o for o in GOOD if o["kind"] not in kinds]


# namespaces


@pytest.mark.parametrize(
    ("labels", "words"),
    [({}, "enforces no Pod Security level"), ({"pod-security.kubernetes.io/enforce": "privileged"}, "privileged")],
)
def test_a_namespace_that_lets_any_pod_in(labels: dict[str, str], words: str) -> None:
    space = thing("Namespace", NS, "", labels=labels)
    item = only(*pods(), posture=posture(space, *without("Namespace")))
    assert item.id == "pod-security-level" and words in item.statement and item.subject == f"Namespace//{NS}"


def test_a_warning_is_no_enforcement_and_is_cited() -> None:
    space = thing("Namespace", NS, "", labels={"pod-security.kubernetes.io/warn": "baseline"})
    item = only(*pods(), posture=posture(space, *without("Namespace")))
    assert item.evidence[0].excerpt == "labels: warn=baseline"


def test_pod_security_is_not_advised_where_the_cluster_has_none() -> None:
    space = thing("Namespace", NS, "")
    assert security(*pods(), posture=posture(space, *without("Namespace")), cluster=(1, 20)) == []


def test_spark_pods_that_no_policy_selects() -> None:
    found = security(*pods(), posture=posture(*without("NetworkPolicy")))
    assert [i.id for i in found] == ["no-ingress-policy", "no-egress-policy"]
    assert "2 of 2 Spark pods" in found[0].statement


def test_a_policy_for_some_pods_leaves_the_others_open() -> None:
    mine = {"podSelector": {"matchLabels": {"spark-role": "driver"}}, "policyTypes": ["Ingress", "Egress"]}
    found = security(*pods(), posture=posture(thing("NetworkPolicy", "d", spec=mine), *without("NetworkPolicy")))
    assert "1 of 2 Spark pods" in found[0].statement and found[0].evidence[0].excerpt == "policies: d"


def test_a_policy_that_allows_everything_divides_nothing() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
    found = security(*pods(), posture=posture(thing("NetworkPolicy", "d", spec=spec), *without("NetworkPolicy")))
    assert [i.id for i in found] == ["no-ingress-policy", "no-egress-policy"]


# pods


@pytest.mark.parametrize(
    ("security_", "words"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"containers": {"spark-kubernetes-driver": {"privileged": True}}}, "privileged container"),
        ({"containers": {"spark-kubernetes-driver": {"capabilities": {"add": ["SYS_ADMIN"]}}}}, "SYS_ADMIN"),
    ],
)
def test_a_pod_with_a_way_to_its_node(security_: dict[str, Any], words: str) -> None:
    first, second = pods()
    found = security(replace(first, security=security_), second, posture=posture(*GOOD))
    (item,) = [i for i in found if i.id == "host-access"]
    assert words in item.statement and item.priority == "high" and item.source.endswith("#baseline")


def test_a_path_of_the_host() -> None:
    volume = ({"name": "scratch", "hostPath": {"path": "/var/lib"}},)
    assert "hostPath /var/lib" in only(*pods(volumes=volume), posture=posture(*GOOD)).statement


def test_a_container_told_to_run_as_root() -> None:
    first, second = pods()
    rooted = {**SAFE, "pod": {**SAFE["pod"], "runAsUser": 0}}
    assert only(replace(first, security=rooted), second, posture=posture(*GOOD)).id == "runs-as-root"


def test_what_keeps_pods_from_the_restricted_level_is_one_advice() -> None:
    item = only(replace(pods()[0], security={}), pods()[1], posture=posture(*GOOD))
    assert item.id == "not-restricted" and item.priority == "low"
    for part in ("allowPrivilegeEscalation", "capabilities.drop", "runAsNonRoot", "seccompProfile"):
        assert part in item.statement


# credentials


def test_an_access_key_in_plain_sight_is_named_and_never_shown() -> None:
    conf = {"spark.hadoop.fs.s3a.secret.key": "hunter2hunter2", "spark.hadoop.fs.s3a.endpoint": "http://minio:9000"}
    found = report(app(conf)).items
    assert [(i.id, i.about) for i in found] == [("credential-in-conf", "spark.hadoop.fs.s3a.secret.key")]
    assert "hunter2" not in repr(found) and "(value not shown)" in found[0].evidence[0].excerpt


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.hadoop.fs.s3a.secret.key", "${env.AWS_SECRET_ACCESS_KEY}"),
        ("spark.hadoop.fs.s3a.aws.credentials.provider", "com.amazonaws.auth.WebIdentityTokenCredentialsProvider"),
        ("spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY", "s3:secret-key"),
        ("spark.kubernetes.driver.secrets.s3-password", "/mnt"),
        ("spark.authenticate.secret.file", "/etc/secret"),
    ],
)
def test_a_reference_to_a_secret_is_none(key: str, value: str) -> None:
    assert report(app({key: value})).items == ()


def test_a_credential_in_the_environment_of_the_custom_resource() -> None:
    env = [
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "hunter2hunter2"},
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
    ]
    (item,) = report(app(driver={"memory": "1g", "env": env})).items
    assert item.id == "credential-in-env" and item.about == "driver AWS_SECRET_ACCESS_KEY"
    assert "hunter2" not in repr(item)


# accounts and rights


def test_a_driver_with_the_default_account() -> None:
    found = security(*pods("default", "default"), posture=posture(*GOOD))
    assert [i.id for i in found] == ["default-service-account"]


def test_executors_with_the_drivers_token() -> None:
    first, second = pods(other="spark")
    token = replace(second, security=SAFE)
    item = only(first, token, posture=posture(*GOOD))
    assert item.id == "executor-token" and "1 executor with a token" in item.statement
    assert security(first, second, posture=posture(*GOOD)) == []
    closed = [thing("ServiceAccount", "spark", automountServiceAccountToken=False), *without("ServiceAccount")]
    unsaid = replace(second, security={k: v for k, v in SAFE.items() if k != "automountServiceAccountToken"})
    assert security(first, unsaid, posture=posture(*closed)) == []


ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@pytest.mark.parametrize(
    ("rule", "wide", "words", "priority"),
    [
        (ALL, True, "may do everything in every namespace", "high"),
        (ALL, False, f"may do everything in {NS}", "medium"),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}, True, "read every Secret in every", "high"),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}, False, "read every Secret in", "medium"),
        (SPARK_NEEDS[0], True, "may create pods and delete pods in every namespace", "medium"),
        ({"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}, True, "act as others", "high"),
        (
            {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["escalate"]},
            False,
            "give itself more rights",
            "high",
        ),
        ({"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]}, True, "reach every kubelet", "high"),
    ],
)
def test_rights_that_spark_has_no_use_for(rule: dict[str, Any], wide: bool, words: str, priority: str) -> None:
    roles = without("Role", "RoleBinding")
    item = only(*pods(), posture=posture(*roles, *bound("spark", rule, wide=wide)))
    assert item.id == "over-wide-account" and words in item.statement and item.priority == priority
    assert item.subject == f"ServiceAccount/{NS}/spark" and item.evidence[0].locator.endswith("/b")


def test_rights_on_one_secret_by_name_are_not_rights_on_all() -> None:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["s3"]}
    assert security(*pods(), posture=posture(*GOOD, *bound("spark", rule, role="named"))) == []


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "Group", "name": f"system:serviceaccounts:{NS}"},
        {"kind": "User", "name": f"system:serviceaccount:{NS}:spark"},
    ],
)
def test_rights_by_group_and_by_user_name_count(subject: dict[str, str]) -> None:
    role, binding = bound("nobody", ALL, wide=True)
    found = security(*pods(), posture=posture(*GOOD, role, {**binding, "subjects": [subject]}))
    assert f"ServiceAccount/{NS}/spark" in {i.subject for i in found}


def test_rights_of_other_accounts_are_no_matter() -> None:
    assert security(*pods(), posture=posture(*GOOD, *bound("flink", ALL, wide=True))) == []


def test_a_well_known_role_is_known_where_its_rules_may_not_be_read() -> None:
    binding = bound("spark", ALL, wide=True, role="cluster-admin")[1]
    item = only(*pods(), posture=posture(*GOOD, binding, forbidden=("clusterroles",)))
    assert "do everything" in item.statement


def test_a_role_whose_rules_may_not_be_read_is_not_judged() -> None:
    binding = bound("spark", ALL, wide=True, role="spark-ops")[1]
    grounds = posture(*GOOD, binding, forbidden=("clusterroles",))
    assert security(*pods(), posture=grounds) == []
    (said,) = unjudged(*pods(), posture=grounds)
    assert "what ClusterRole spark-ops gives to jobs/spark" in said and "[list clusterroles]" in said


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("rolebindings", "which rights rolebindings give"),
        ("clusterrolebindings", "which rights clusterrolebindings give"),
        ("networkpolicies", "whether its network is divided"),
        ("namespaces", "which level Pod Security enforces"),
        ("serviceaccounts", "keep tokens out of pods"),
    ],
)
def test_what_may_not_be_read_is_said_once_and_is_never_fine(kind: str, words: str) -> None:
    said = unjudged(*pods(), posture=posture(*GOOD, forbidden=(kind,)))
    assert len(said) == 1 and words in said[0] and "may not be read" in said[0] and f"[list {kind}]" in said[0]


# OpenShift

PRIVILEGED = thing(
    "SecurityContextConstraints", "privileged", "", allowPrivilegedContainer=True, runAsUser={"type": "RunAsAny"}
)
ANYUID = thing("SecurityContextConstraints", "anyuid", "", runAsUser={"type": "RunAsAny"})
RANGE = thing("SecurityContextConstraints", "restricted-v2", "", runAsUser={"type": "MustRunAsRange"})


def test_constraints_given_to_an_account() -> None:
    user = f"system:serviceaccount:{NS}:spark"
    everybody = {**RANGE, "groups": ["system:authenticated"]}
    item = only(*pods(), posture=posture(*GOOD, everybody, {**PRIVILEGED, "users": [user]}))
    assert item.id == "wide-scc" and item.priority == "high" and "by the constraint privileged" in item.statement
    item = only(*pods(), posture=posture(*GOOD, everybody, {**ANYUID, "users": [user]}))
    assert item.priority == "medium" and "run as any user" in item.statement


def test_constraints_given_by_a_role() -> None:
    rule = {
        "apiGroups": ["security.openshift.io"],
        "resources": ["securitycontextconstraints"],
        "verbs": ["use"],
        "resourceNames": ["anyuid"],
    }
    roles = bound("spark", *SPARK_NEEDS, rule)
    found = security(*pods(), posture=posture(*without("Role", "RoleBinding"), *roles, ANYUID, PRIVILEGED))
    assert [(i.id, i.about) for i in found] == [("wide-scc", "anyuid")]


def test_constraints_that_may_not_be_read() -> None:
    (said,) = unjudged(*pods(), posture=posture(*GOOD, forbidden=("securitycontextconstraints",)))
    assert "security context constraints" in said
