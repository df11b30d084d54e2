"""Somebody who adds a verb: its runbook is linted, and walked on the simulated cluster. Prints what came of it as JSON.

A copy of the package with `actions/dismiss.py` must be first on the path: `python -m tests.actions.stranger FOLDER`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import console
from console.base.document import parse
from console.drill.session import DrillSession
from console.operate import kubernetes
from console.operate.permission import LackingRight, missing, needed
from console.operate.person import Scripted
from console.runbook import schema
from console.runbook.walk import Applied, Intent, Previewed
from console.sources.files.runbooks import Library
from console.timeline.prose import sentence
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.tower import Shelf, desk

RUNBOOK = """\
apiVersion: console/v1
kind: Runbook
id: dismiss-one
version: 1.0.0
title: Dismiss an executor
owner: me
what: Dismisses one executor.
when_not_to_use: For a driver.
reviewed: 2026-11-24
match: {{findings: [operator-down]}}
steps:
  - id: dismiss
    kind: change
    title: Dismiss {name}
    target: {{apiVersion: v1, kind: Pod, namespace: {namespace}, name: {name}}}
    action: dismiss
    unless: keep
    irreversible: a pod does not come back
    verify: gone
    on_refused: over
  - id: gone
    kind: verify
    title: Was it sent?
    until: after.written
    progress: after.written
    poll: 0.05
    on_effective: done
    on_ineffective: over
    on_worse: over
    on_unknown: over
  - {{id: done, kind: end, title: Done, outcome: resolved}}
  - {{id: over, kind: end, title: Over, outcome: unresolved}}
"""


def linted(text: str, folder: Path) -> list[str]:
    """Codes of what lint says of a runbook."""
    folder.mkdir(exist_ok=True)
    (folder / "dismiss.yaml").write_text(text)
    return [problem.code for problem in Library.read([folder], shipped=False).lint()]


async def main(folder: Path) -> dict[str, object]:
    async with DrillSession.open("spark-oom", "default", step=True) as session:
        connection = await Connection.open(ContextRef(kubeconfig=str(session.kubeconfig)))
        pods = (await connection.reader.object("/api/v1/pods"))["items"]
        pod = next(p for p in pods if (p["metadata"].get("labels") or {}).get("spark-role") == "executor")
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        text = RUNBOOK.format(namespace=namespace, name=name)
        book = schema.load(text, "dismiss.yaml")
        at = desk(connection, namespace, folder, library=Shelf({book.id: book}))
        answers = f"{{by: ada, answers: {{dismiss: {namespace}/{name}}}}}"
        id = await at.start(book, {}, {}, "", Scripted.parse(parse(answers, "answers")))
        walk = await at.wait(id)
        events = at._env.journal.read(id)
        intent = next(e for e in events if isinstance(e, Intent))
        preview = next(e.preview for e in events if isinstance(e, Previewed))
        assert intent.effect.target is not None
        rights = needed(intent.effect, await kubernetes.place(connection.reader, intent.effect.target))
        assert await missing(connection.reader, rights) is None
        await connection.close()
        return {
            "package": console.__file__,
            "lint": linted(text, folder / "good"),
            "lint of a foreign key": linted(text.replace("unless: keep", "patch: {a: 1}"), folder / "foreign"),
            "lint of an empty key": linted(text.replace("unless: keep", 'unless: ""'), folder / "empty"),
            "lint of a rollback": linted(
                text.replace("irreversible: a pod does not come back", "rollback: captured"), folder / "back"
            ),
            "right": LackingRight(rights[0]).words,
            "preview": preview.diff[0].replace(name, "NAME"),
            "tier": preview.tier,
            "accepted": preview.accepted,
            "timeline": [sentence(e).replace(name, "NAME") for e in events if isinstance(e, Intent | Applied)],
            "outcome": walk.outcome,
            "writes": [
                (w.method, w.path.replace(name, "NAME"), w.dry_run) for w in session.kube.writes if "/pods/" in w.path
            ],
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
