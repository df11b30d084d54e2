"""What the API says as it refuses a pod, told by what refuses it, the field, and what lets the pod pass."""

from __future__ import annotations

import pytest

from console.facts.refusals import pod_refusal

FORBIDDEN = 'Error creating: pods "x-" is forbidden: '
CASES = [
    (
        FORBIDDEN
        + 'violates PodSecurity "baseline:v1.30": hostPath volumes (volume "d"), runAsUser=0 (pod must not set '
        "runAsUser=0)",
        "pod-security",
        'Pod Security "baseline:v1.30": hostPath volumes (volume "d"); runAsUser=0 (pod must not set runAsUser=0)',
    ),
    (
        FORBIDDEN + 'violates PodSecurity "restricted:latest": unrestricted capabilities (container "c" must set '
        'securityContext.capabilities.drop=["ALL"])',
        "pod-security",
        'Pod Security "restricted:latest": unrestricted capabilities (container "c" must set '
        'securityContext.capabilities.drop=["ALL"])',
    ),
    (
        FORBIDDEN + "unable to validate against any security context constraint: [provider restricted-v2: "
        ".spec.securityContext.fsGroup: Invalid value: []int64{185}: 185 is not an allowed group]",
        "security-context-constraint",
        "every security context constraint that its account may use: spec.securityContext.fsGroup: Invalid value: "
        "[]int64{185}: 185 is not an allowed group",
    ),
    (
        FORBIDDEN + "exceeded quota: team, requested: pods=1, used: pods=10, limited: pods=10",
        "quota",
        "quota team: requested: pods=1, used: pods=10, limited: pods=10",
    ),
    (
        FORBIDDEN + "failed quota: team: must specify limits.cpu for: main",
        "quota",
        "quota team: must specify limits.cpu for: main",
    ),
    (
        FORBIDDEN + "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        "limit-range",
        "a LimitRange: maximum memory usage per Container is 1Gi, but limit is 2Gi",
    ),
    (
        FORBIDDEN + 'error looking up service account spark/spark-41: serviceaccount "spark-41" not found',
        "service-account",
        "its service account spark-41 does not exist",
    ),
    (
        FORBIDDEN + "no PriorityClass with name spark-high was found",
        "priority-class",
        "there is no PriorityClass spark-high",
    ),
    (
        'Error creating: admission webhook "validate.kyverno.svc" denied the request: no tag latest',
        "webhook",
        "the admission webhook validate.kyverno.svc: no tag latest",
    ),
    ("something else \x1b[2J happened", "other", "something else [2J happened"),
]


@pytest.mark.parametrize(
    ("message", "kind", "words"), CASES, ids=[f"{kind}-{i}" for i, (_, kind, _) in enumerate(CASES)]
)
def test_each_kind_of_refusal_is_told_in_words_with_its_field(message: str, kind: str, words: str) -> None:
    found = pod_refusal(message)
    assert found.kind == kind
    assert "\x1b" not in found.words
    if kind != "other":
        assert found.words == words and found.remedy
