"""Secrets planted wherever a cluster, a script or a person can put one are nowhere in what a walk shows or keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.cli.main import run
from console.operate.ahead.diff import ANOTHER_VALUE
from console.operate.person import Question, Reply
from console.runbook.model import Runbook
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import Walk
from console.timeline.record import WalkRecord
from console.timeline.timeline import document, markdown
from console.wire.connection import Connection
from tests.operate.conftest import YES, Cluster, Says
from tests.operate.objects import NEW, running, spark_application, spark_path
from tests.operate.tower import SMALL, Shelf, desk, small

JWT = "eyJhbGciOiJSUzI1NiJ9." + "eyJzdWIiOiJwbGFudGVkLXN1YmplY3QifQ." + "c2lnbmF0dXJlLXBsYW50ZWQ"
PLANTED = [f"planted-{word}-7fe1" for word in ("conf", "env", "note", "applied", "new", "output", "answer", "input")]
PLANTED += [JWT, "AKIA" + "PLANTEDPLANTED12"]
CONF, ENV, NOTE, APPLIED, ADDED, OUTPUT, ANSWER, INPUT = PLANTED[:8]


def guarded_app(namespace: str) -> dict[str, Any]:
    """An application with secrets in every place where people put them."""
    obj = spark_application(namespace)
    obj["metadata"]["annotations"] = {
        "team/api-token": NOTE,
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {"password": APPLIED}}),
    }
    obj["spec"]["sparkConf"]["spark.hadoop.fs.s3a.secret.key"] = CONF
    obj["spec"]["sparkConf"]["spark.custom.header"] = f"Bearer {JWT}"
    obj["spec"]["driver"]["env"] = [{"name": "DB_PASSWORD", "value": ENV}, {"name": "KEY", "value": PLANTED[9]}]
    return obj


PATCH = 'patch: {spec: {executor: {memoryOverhead: "{{ inputs.size }}"}}}'
TITLE = "Raise it to {{ inputs.size }} ({{ inputs.note }})"
WITH_SECRETS = f"""patch:
      spec:
        executor: {{memoryOverhead: "{{{{ inputs.size }}}}"}}
        sparkConf: {{spark.hadoop.fs.s3a.secret.key: {ADDED}}}
        driver: {{env: [{{name: DB_PASSWORD, value: {ADDED}}}]}}"""


class Seen:
    """Everything that a screen is given."""

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, walk: Walk, question: Question | None) -> None:
        self.text += msgspec.json.encode(walk).decode() + msgspec.json.encode(question).decode()


def assert_clean(text: str, where: str) -> None:
    found = [secret for secret in PLANTED if secret in text]
    assert not found, f"{where} holds {found}"


@pytest.mark.parametrize("patch", [PATCH, WITH_SECRETS], ids=["beside a secret", "of a secret"])
async def test_secrets_are_nowhere(
    patch: str,
    cluster: Cluster,
    connection: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster.kube.create(spark_path(cluster.namespace), guarded_app(cluster.namespace))
    running(cluster.kube, cluster.namespace)
    text = SMALL.read_text().replace(PATCH, patch).replace("Raise memoryOverhead to {{ inputs.size }}", TITLE)
    runbook = small(text.replace("rollback: captured", 'rollback: captured\n    restarts: "{{ inputs.note }}"'))
    seen, person = Seen(), Says(Reply("overhead", "ada"), Reply("yes", "ada", f"{cluster.namespace}/etl-orders"), YES)
    at = desk(connection, cluster.namespace, tmp_path, library=Shelf({"small": runbook}), on_change=seen)
    inputs = {"size": NEW, "note": f"password={INPUT}"}
    walk_id = await at.start(runbook, inputs, {}, f"{cluster.namespace}/etl-orders", person)
    await at.note(walk_id, f"I used token={ANSWER}", "ada")
    walk = await at.wait(walk_id)
    assert walk.outcome == "resolved", walk.because
    obj = cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))
    assert obj["spec"]["executor"]["memoryOverhead"] == NEW
    sent = obj["spec"]["sparkConf"]["spark.hadoop.fs.s3a.secret.key"]
    assert sent == (ADDED if patch == WITH_SECRETS else CONF), "the change itself is whole"
    confirmed = person.asked[-1].preview
    assert confirmed is not None
    if patch == WITH_SECRETS:
        assert any(ANOTHER_VALUE in line for line in confirmed.diff), "that a secret changes is shown"
        assert not confirmed.effect.reversible, "what is not kept cannot be put back"

    journal = at._env.journal
    record = WalkRecord.read(journal, walk_id)
    told = (record.walk, record.events, record.chain, record.hashes)
    assert_clean(seen.text, "what was published")
    assert_clean(repr(person.asked), "what was asked")
    assert_clean(journal.path.read_bytes().decode("latin-1"), "the journal")
    assert_clean(markdown(*told), "the timeline")
    assert_clean(json.dumps(document(*told)), "the timeline as JSON")
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    for arguments in (["show"], ["show", "-o", "json"], ["timeline", "-o", "text"]):
        assert run(["incident", *arguments]) == 0
        assert_clean(capsys.readouterr().out, f"console incident {' '.join(arguments)}")
    events = cluster.kube.get(f"/api/v1/namespaces/{cluster.namespace}/events")
    assert_clean(json.dumps(events), "the Event on the object")
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".kubeconfig":
            assert_clean(path.read_bytes().decode("latin-1"), path.name)


LEAKY = f"""
import json, os, sys
print("argv", sys.argv[1:])
print("export DB_PASSWORD={OUTPUT}")
print("Authorization: Bearer {JWT}")
print(json.dumps({{"password": "{OUTPUT}", "done": os.environ.get("CONSOLE_DRY_RUN") != "1"}}))
"""


async def test_nor_are_those_of_a_script(cluster: Cluster, connection: Connection, tmp_path: Path) -> None:
    cluster.kube.create(spark_path(cluster.namespace), guarded_app(cluster.namespace))
    running(cluster.kube, cluster.namespace)
    script = tmp_path / "leaky.py"
    script.write_text(LEAKY)
    spec = ScriptSpec("leaky", "A leaky script", str(script), "python", "write")
    runbook = _script_runbook()
    seen = Seen()
    person = Says(Reply("yes", "ada", "leaky"))
    library = Shelf({"leaky": runbook}, {"leaky": spec})
    at = desk(connection, cluster.namespace, tmp_path / "state", library=library, on_change=seen)
    walk = await at.wait(await at.start(runbook, {}, {}, f"{cluster.namespace}/etl-orders", person))
    assert walk.outcome == "mitigated", walk.because
    assert "done" in str(walk.outputs["run"]["output"])
    assert_clean(seen.text, "what was published")
    assert_clean(repr(person.asked), "what was asked")
    assert_clean(at._env.journal.path.read_bytes().decode("latin-1"), "the journal")
    record = WalkRecord.read(at._env.journal, walk.id)
    assert_clean(markdown(record.walk, record.events, record.chain, record.hashes), "the timeline")
    assert [path.name for path in (tmp_path / "state" / "run").glob("script-*")] == []


def _script_runbook() -> Runbook:
    return small(
        f"""
apiVersion: console/v1
kind: Runbook
id: leaky
version: 1.0.0
title: Run a leaky script
steps:
  - id: run
    kind: script
    title: Run it
    script: leaky
    effect: write
    irreversible: it only prints
    arguments:
      word: {{type: string, value: "token={ANSWER}", flag: --word}}
    verify: look
    on_refused: undone
  - id: look
    kind: verify
    title: Look
    until: app.key is defined
    on_effective: done
    on_ineffective: undone
    on_worse: undone
    on_unknown: undone
  - {{id: done, kind: end, title: Done, outcome: mitigated}}
  - {{id: undone, kind: end, title: Not done, outcome: unresolved}}
"""
    )
