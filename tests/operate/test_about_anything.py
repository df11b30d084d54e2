"""Walks about other things than applications, in the short language, on the simulated and the real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.operate.journal import Journal
from console.operate.person import Reply
from console.operate.policy import ChangeRules
from console.runbook import schema
from console.runbook.language.link import link
from console.runbook.model import Runbook
from console.runbook.walk import Walk
from console.timeline.prose import sentence
from console.wire.connection import Connection
from tests.operate.conftest import NO, YES, Cluster, Says
from tests.operate.tower import Shelf, desk

CANARY = """\
apiVersion: console/v1
kind: Runbook
id: canary
title: Tell whether settings are taken up
about: object ConfigMap
on_demand: true
objects:
  settings: {kind: ConfigMap, name: "{{ subject.name }}", namespace: "{{ subject.namespace }}"}
  token: {kind: Secret, name: token, namespace: "{{ subject.namespace }}"}
  parts: {kind: ConfigMap, namespace: "{{ subject.namespace }}", labels: {part: "yes"}}
  spare: {kind: ConfigMap, name: spare, namespace: "{{ subject.namespace }}"}
steps:
- check: Is the token there?
  that: "'password' in token['keys']"
  else: handed over
- check: Is there no spare?
  that: spare.gone
  else: handed over
- save: {former: settings.data.mode}
- id: switch
  do: {patch: settings, merge: {data: {mode: canary}}}
  verify: {that: settings.data.mode == 'canary', for: 0s, within: 1m}
- each: parts
  as: part
  most: 3
  steps:
  - id: mark
    do: {patch: part, merge: {metadata: {annotations: {seen: "{{ saved.former }}"}}}}
    verify: {that: part.metadata.annotations.seen == saved.former, for: 0s, within: 1m}
- end: passed
  text: All parts took it up. {{ walk.happened }}
finally:
- id: back
  do: {patch: settings, merge: {data: {mode: "{{ saved.former }}"}}}
  when: settings.data.mode == 'canary'
  verify: {that: settings.data.mode == saved.former, for: 0s, within: 1m}
"""


def config_map(kube: Any, namespace: str, name: str, data: dict[str, str], **labels: str) -> None:
    meta = {"name": name, "namespace": namespace, "labels": labels}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    kube.create(f"/api/v1/namespaces/{namespace}/configmaps", body)


def prepared(cluster: Cluster) -> str:
    """The objects that the walk is about; returns the subject."""
    kube, space = cluster.kube, cluster.namespace
    config_map(kube, space, "settings", {"mode": "plain"})
    for name in ("one", "two"):
        config_map(kube, space, name, {}, part="yes")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": space}}
    kube.create(f"/api/v1/namespaces/{space}/secrets", {**secret, "data": {"password": "aHVudGVyMg=="}})
    return f"ConfigMap/{space}/settings"


async def walked(
    cluster: Cluster, connection: Connection, runbook: Runbook, subject: str, person: Says, **changes: Any
) -> tuple[Walk, Path]:
    folder = cluster.folder / "state"
    folder.mkdir(exist_ok=True)
    tower = desk(connection, cluster.namespace, folder, library=Shelf({runbook.id: runbook}), **changes)
    walk = await tower.start(runbook, {"about": subject}, {"about": "given"}, subject, person)
    return await tower.wait(walk), folder


def data_of(cluster: Cluster, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.kube.get(f"/api/v1/namespaces/{cluster.namespace}/configmaps/{name}")
    return found


async def test_a_walk_about_an_object_reads_changes_proves_and_cleans_up(
    cluster: Cluster, connection: Connection
) -> None:
    subject, runbook = prepared(cluster), schema.load(CANARY, "canary.yaml")
    walk, folder = await walked(cluster, connection, runbook, subject, Says(*[YES] * 4))
    assert (walk.outcome, walk.path[-1]) == ("resolved", "passed"), walk.because
    assert [e.target.name for e in walk.writes if e.target] == ["settings", "one", "two", "settings"]
    assert data_of(cluster, "settings")["data"] == {"mode": "plain"}
    assert data_of(cluster, "two")["metadata"]["annotations"]["seen"] == "plain"
    events = Journal(folder / "journal.db").read(walk.id)
    told = " | ".join(sentence(event) for event in events)
    assert "hunter2" not in told and "aHVudGVyMg" not in str(events), "values of Secrets are never read"


async def test_what_one_member_refuses_ends_the_block_and_is_cleaned_up(
    cluster: Cluster, connection: Connection
) -> None:
    subject, runbook = prepared(cluster), schema.load(CANARY, "canary.yaml")
    walk, _ = await walked(cluster, connection, runbook, subject, Says(YES, NO, YES))
    assert walk.outcome == "handed_over"
    assert [e.target.name for e in walk.writes if e.target] == ["settings", "settings"]
    assert data_of(cluster, "settings")["data"] == {"mode": "plain"}


async def test_a_clean_up_that_is_refused_is_still_to_do(cluster: Cluster, connection: Connection) -> None:
    subject, runbook = prepared(cluster), schema.load(CANARY, "canary.yaml")
    walk, _ = await walked(cluster, connection, runbook, subject, Says(YES, NO, NO))
    assert data_of(cluster, "settings")["data"] == {"mode": "canary"}
    assert any(words.startswith("finally-back was not done") for words in walk.still_to_do), walk.still_to_do


async def test_what_may_not_be_read_is_unknown_and_not_absent(cluster: Cluster) -> None:
    subject, runbook = prepared(cluster), schema.load(CANARY, "canary.yaml")
    connection = await Connection.open(cluster.without("secrets", "get"))
    try:
        walk, _ = await walked(cluster, connection, runbook, subject, Says())
    finally:
        await connection.close()
    assert (walk.outcome, walk.writes) == ("handed_over", ())
    assert walk.steps[0].status == "unknown"


async def test_a_runbook_that_promises_to_change_nothing_walks_read_only(
    cluster: Cluster, connection: Connection
) -> None:
    subject = prepared(cluster)
    text = CANARY.replace("on_demand: true", "on_demand: true\nchanges: none")
    reads = text[: text.index("- id: switch")] + "- end: observed\n  text: It is {{ saved.former }}.\n"
    rules = ChangeRules(mode="read-only")
    walk, _ = await walked(cluster, connection, schema.load(reads, "r.yaml"), subject, Says(), rules=rules)
    assert (walk.outcome, walk.because) == ("resolved", "It is plain.")


async def test_another_runbook_is_walked_within_it_and_its_changes_are_its_own(
    cluster: Cluster, connection: Connection
) -> None:
    subject = prepared(cluster)
    first = CANARY[: CANARY.index("- each")].replace("id: canary", "id: inner")
    inner = schema.load(first, "inner.yaml")
    outer = schema.load(
        """\
apiVersion: console/v1
kind: Runbook
id: outer
title: Two in one
about: object ConfigMap
on_demand: true
steps:
- run: inner
- ask: Did it help?
  choices:
  - {well: It did, then: resolved}
  - {ill: It did not, then: handed over}
""",
        "outer.yaml",
    )
    linked = link(outer, {"inner": inner})
    walk, _ = await walked(cluster, connection, linked, subject, Says(YES, Reply("well", "ada")))
    assert walk.outcome == "resolved", walk.because
    assert "run-inner.switch" in walk.path and walk.outputs["run-inner.save-former"]["saved"] == {"former": "plain"}
    assert data_of(cluster, "settings")["data"] == {"mode": "canary"}
