"""The rights of a whole walk are known before its first step, with the rule to ask for."""

from __future__ import annotations

from typing import Any

import yaml

from console.actions.rbac import manifests
from console.actions.verb import Right
from console.base.errors import ConsoleError
from console.operate.ahead.rights import LASTS, MOST, RightsAnswers, asked
from console.runbook import schema
from console.runbook.events import MissingRight, RightsAsked
from console.runbook.language.link import link
from console.runbook.walk import Started, apply, fold
from console.sources.files.runbooks import read_catalogue
from console.wire.errors import NotFoundError
from console.wire.reviews import AccessReview, ApiResource

PLURALS = {
    "Deployment": ("deployments", True), "Pod": ("pods", True), "Node": ("nodes", False),
    "SparkApplication": ("sparkapplications", True), "Job": ("jobs", True), "CronJob": ("cronjobs", True),
}  # fmt: skip
OUTER = """
apiVersion: console/v1
kind: Runbook
id: outer
title: Restart what is stuck
about: node
objects:
  stuck: {kind: Pod, namespace: jobs, labels: {app: etl}}
steps:
- check: Is it stuck?
  that: 1 == 1
  then: pods
  else: run inner
- id: pods
  each: stuck
  as: pod
  steps:
  - do: {delete: pod}
    irreversible: its driver makes another one
    verify: {that: pod.gone}
- do: {cordon: node}
  verify: {that: node.spec.unschedulable}
"""
INNER = """
apiVersion: console/v1
kind: Runbook
id: inner
title: Restart the operator
about: node
objects:
  operator: {kind: Deployment, namespace: spark-operator, name: controller}
steps:
- do: {restart: operator}
  verify: {that: operator.status.availableReplicas >= 1}
- end: handed over
  text: it was restarted
"""


class Server:
    """A server that allows all but what it is told to refuse, and counts what it is asked."""

    def __init__(self, *refused: str, deaf: tuple[str, ...] = ()) -> None:
        self.refused, self.deaf = refused, deaf
        self.reviews: list[tuple[str, ...]] = []

    async def resource(self, api_version: str, kind: str) -> ApiResource:
        if kind not in PLURALS:
            raise NotFoundError(f"the server has no {kind} in {api_version}", status=404, reason="NotFound")
        plural, namespaced = PLURALS[kind]
        return ApiResource(plural, kind, namespaced)

    async def may(self, verb: str, resource: str, **more: str) -> AccessReview:
        said = f"{verb} {resource}" + (f"/{more['subresource']}" if more.get("subresource") else "")
        self.reviews.append((said, more["namespace"], more["name"]))
        if said in self.deaf:
            raise ConsoleError("no answer")
        return AccessReview(said not in self.refused, "no rule\x1b[31m" if said in self.refused else "")


async def looked(server: Server, text: str = OUTER, **more: Any) -> RightsAsked:
    books = {book.id: book for book in (schema.load(INNER, "b.yaml"), schema.load(text, "a.yaml"))}
    runbook = link(list(books.values())[-1], books)
    walk = fold([Started(1.0, "w-1", runbook.id, "1", "h", "", {}, {}, {}, "Node//node-1", "ada", "t")])

    async def contexts(step: str) -> dict[str, Any]:
        return {"subject": {"name": "node-1"}, "node": {}}

    fields = {"scripts": {}, "catalogue": read_catalogue(), "answers": RightsAnswers(), "now": 2.0, **more}
    return await asked(server, runbook, walk, contexts, **fields)  # type: ignore[arg-type]


async def test_every_step_is_asked_about_those_of_blocks_and_of_other_runbooks_too() -> None:
    server = Server()
    found = await looked(server)
    assert sorted(server.reviews) == [
        ("delete pods", "jobs", ""), ("get deployments", "spark-operator", "controller"), ("list pods", "jobs", ""),
        ("patch deployments", "spark-operator", "controller"), ("patch nodes", "", "node-1"),
    ]  # fmt: skip
    assert (found.asked, found.missing, found.unknown, found.rule, found.words) == (5, (), (), "", ())


async def test_what_is_missing_names_the_steps_and_the_rule_that_grants_it() -> None:
    found = await looked(Server("delete pods", "patch nodes"))
    assert [(m.words, m.because) for m in found.missing] == [
        ("delete pods in namespace jobs", "no rule"), ("patch nodes", "no rule"),
    ]  # fmt: skip
    assert "“Cordon node” will be refused" in found.words[1]
    cluster, inside = sorted(yaml.safe_load_all(found.rule), key=lambda one: one["kind"])
    assert cluster["kind"] == "ClusterRole" and cluster["metadata"] == {"name": "console-outer"}
    assert cluster["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"]}]
    assert inside["kind"] == "Role" and inside["metadata"] == {"name": "console-outer", "namespace": "jobs"}


async def test_what_a_probe_asks_is_a_right_on_the_proxy_of_its_pods() -> None:
    probes = "probes:\n  up: {of: operator, port: 8080, get: /healthz}\n"
    server = Server("get pods/proxy")
    found = await looked(server, OUTER.replace("objects:\n", probes + "objects:\n  operator: {kind: Deployment, "
                                               "namespace: spark-operator, name: controller}\n"))  # fmt: skip
    assert ("get pods/proxy", "spark-operator", "") in server.reviews
    assert [m.words for m in found.missing] == ["get pods/proxy in namespace spark-operator"]


async def test_a_context_that_changes_nothing_asks_only_about_what_is_read() -> None:
    server = Server("delete pods", "patch nodes")
    found = await looked(server, changing=False)
    assert found.missing == () and {said.split()[0] for said, *_ in server.reviews} == {"get", "list"}


async def test_what_cannot_be_asked_is_unknown_and_neither_there_nor_missing() -> None:
    found = await looked(Server(deaf=("patch nodes",)))
    assert found.missing == () and found.unknown == ("patch nodes: no answer",)
    assert found.words == ("whether you may is not known: patch nodes: no answer",)
    odd = OUTER.replace("{kind: Pod,", "{kind: Gizmo, apiVersion: example.com/v1,")
    assert any("the server has no Gizmo" in one for one in (await looked(Server(), odd)).unknown)


async def test_an_authorizer_that_could_not_say_is_unknown() -> None:
    class Unsure(Server):
        async def may(self, verb: str, resource: str, **more: str) -> AccessReview:
            return AccessReview(False, "webhook is down", False, "webhook is down")

    found = await looked(Unsure())
    assert found.missing == () and len(found.unknown) == 5 and "webhook is down" in found.unknown[0]


async def test_an_object_that_cannot_be_told_yet_says_so() -> None:
    text = OUTER.replace("each: stuck\n", "each: saved.some\n")
    assert any("known only when it is due" in one for one in (await looked(Server(), text)).unknown)


async def test_answers_are_taken_again_for_a_while_but_never_a_failure() -> None:
    now = [0.0]
    answers, server = RightsAnswers(lambda: now[0]), Server()
    for _ in range(2):
        await looked(server, answers=answers)
    assert len(server.reviews) == 5
    now[0] = LASTS
    await looked(server, answers=answers)
    assert len(server.reviews) == 10
    answers, deaf = RightsAnswers(lambda: 0.0), Server(deaf=("patch nodes",))
    for _ in range(2):
        await looked(deaf, answers=answers)
    assert [said for said, *_ in deaf.reviews].count("patch nodes") == 2


async def test_a_runbook_of_many_objects_asks_for_so_many_and_says_what_it_left_out() -> None:
    many = "".join(f"  p{n}: {{kind: Pod, namespace: n{n}, name: p}}\n" for n in range(MOST + 3))
    server = Server()
    found = await looked(server, INNER.replace("objects:\n", "objects:\n" + many))
    assert len(server.reviews) == MOST and found.asked == MOST + 5
    assert found.unknown == ("5 further rights were not asked about",)


def test_the_verbs_of_one_resource_stand_in_one_rule_and_names_are_quoted() -> None:
    rights = [Right("patch", "apps", "deployments", "a"), Right("get", "apps", "deployments", "a"),
              Right("get", "apps", "deployments", "a", "other"), Right("get", "", "pods", "a: b")]  # fmt: skip
    one, two = yaml.safe_load_all(manifests(rights, "console-x"))
    assert one["rules"] == [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch", "get"]}]
    assert two["metadata"]["namespace"] == "a: b" and manifests((), "x") == ""


def test_what_is_missing_stands_before_the_first_step() -> None:
    begun = Started(1.0, "w-1", "outer", "1", "h", "", {}, {}, {}, "Node//n", "ada", "t", remarks=("an alert",))
    said = RightsAsked(2.0, 3, (MissingRight("patch nodes", ("Cordon", "Taint")),), (), "rule")
    walk = apply(fold([begun]), said)
    assert walk.rights == said
    assert walk.remarks == ("an alert", "you may not patch nodes: “Cordon” and 1 more will be refused")
