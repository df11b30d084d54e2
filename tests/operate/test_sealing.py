"""Secrets do not reach the journal, whatever carries them; and what cannot be stored whole is known as such."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.actions.effects import Effect, ObjectRef, Preview
from console.actions.secrets import keeps, secret_pointer
from console.facts.evidence import Evidence
from console.operate.journal import Journal
from console.operate.sealing import seal
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    ChangeRefused,
    Confirmed,
    Intent,
    Judged,
    Noted,
    Previewed,
    Started,
)
from tests.operate.test_journal import APP, started

PLANTED = "hunter2-" + "planted"
JWT = "eyJhbGciOiJSUzI1NiJ9." + "eyJzdWIiOiJzcGFyayJ9c2VjcmV0." + "c2lnbmF0dXJlLXBsYW50ZWQ"


def effect(**fields: object) -> Effect:
    base: dict[str, object] = {"id": "w-1/1", "step": "s", "title": "t", "action": "patch", "target": APP}
    return Effect(**{**base, **fields})  # type: ignore[arg-type]


MERGE = effect(
    patch_type="merge",
    patch={
        "spec": {
            "sparkConf": {"spark.hadoop.fs.s3a.secret.key": PLANTED, "spark.executor.memory": "2g"},
            "driver": {"env": [{"name": "DB_PASSWORD", "value": PLANTED}, {"name": "MODE", "value": "fast"}]},
        }
    },
)
JSON = effect(
    patch_type="json",
    patch=[
        {"op": "replace", "path": "/spec/sparkConf/spark.hadoop.fs.s3a.secret.key", "value": PLANTED},
        {"op": "replace", "path": "/spec/executor/env/0/value", "value": PLANTED},
        {"op": "replace", "path": "/spec/executor/memory", "value": "2g"},
    ],
)
SECRET = effect(
    target=ObjectRef("v1", "Secret", "spark-jobs", "s3"), patch_type="merge", patch={"data": {"key": PLANTED}}
)
LATE = effect(action="restore", arguments={"key": "a", "value": f"password={PLANTED}"})
SCRIPT = effect(action="script", target=None, argv=("python", "fix.py", "--password", PLANTED, f"--token={PLANTED}"))

EVENTS: list[AnyEvent] = [
    started(),
    Started(
        at=1, walk="w-1", runbook="r", version="1", hash="h", text=f"password: {PLANTED}",
        inputs={"api_token": PLANTED, "note": f"Bearer {PLANTED}"}, origins={}, cluster={"user": JWT},
        subject="", actor="ada", tool="",
    ),
    Judged(at=1, step="s", status="pass", because=f"password={PLANTED}", goto="",
           evidence=(Evidence("log", "pod x", f"connecting with token={PLANTED} and {JWT}"),),
           output={"query": {"password": PLANTED}}),
    Answered(at=1, step="s", value=f"secret: {PLANTED}", by="ada", goto=""),
    Previewed(at=1, step="s", preview=Preview(MERGE, (f"+ password: {PLANTED}",), True,
              before={"/spec/sparkConf/spark.hadoop.fs.s3a.secret.key": PLANTED})),
    Previewed(at=1, step="s", preview=Preview(SCRIPT, (), None, message=f"token={PLANTED}")),
    Confirmed(at=1, step="s", effect="w-1/1", typed=f"password={PLANTED}", by="ada"),
    ChangeRefused(at=1, step="s", effect="w-1/1", by="server", because=f"bad value: token={PLANTED}"),
    Intent(at=1, step="s", effect=MERGE, rollback=JSON, before={"/spec/executor/env/0/value": PLANTED}),
    Intent(at=1, step="s", effect=SECRET, before={"/data/key": PLANTED}),
    Intent(at=1, step="s", effect=SCRIPT),
    Intent(at=1, step="s", effect=LATE),
    Applied(at=1, step="s", effect="w-1/1", ok=False, message=f"token={PLANTED}",
            output=f"export DB_PASSWORD={PLANTED}"),
    Noted(at=1, text=f"api_key={PLANTED}", by="ada"),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_no_event_brings_a_secret_into_the_file(event: AnyEvent, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    stored = journal.append("w-1", event)
    assert type(stored) is type(event)
    content = journal.path.read_bytes()
    assert PLANTED.encode() not in content
    assert JWT.encode() not in content
    assert journal.read("w-1") == [stored]


def test_what_is_no_secret_stays() -> None:
    sealed = seal(Intent(at=1, step="s", effect=MERGE))
    assert isinstance(sealed, Intent)
    assert sealed.effect.patch["spec"]["sparkConf"]["spark.executor.memory"] == "2g"
    assert sealed.effect.patch["spec"]["driver"]["env"][1] == {"name": "MODE", "value": "fast"}


@pytest.mark.parametrize(
    "lossy", [MERGE, JSON, SECRET, SCRIPT, LATE], ids=["merge", "json", "Secret", "script", "keys"]
)
def test_an_effect_with_a_secret_cannot_be_applied_from_the_journal(lossy: Effect) -> None:
    assert not keeps(lossy)


def test_an_effect_without_secrets_is_stored_whole() -> None:
    assert keeps(effect(patch_type="merge", patch={"spec": {"executor": {"memoryOverhead": "1200m"}}}))
    assert keeps(effect(action="scale", arguments={"to": 3}))


@pytest.mark.parametrize(
    ("pointer", "secret"),
    [
        ("/spec/sparkConf/spark.hadoop.fs.s3a.secret.key", True),
        ("/spec/driver/env/3/value", True),
        ("/metadata/annotations/vault~1token", True),
        ("/spec/executor/memoryOverhead", False),
        ("/spec/executor/env/3/name", False),
    ],
)
def test_pointers_that_name_secrets(pointer: str, secret: bool) -> None:
    assert secret_pointer(pointer) is secret


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_sealing_twice_is_sealing_once(event: AnyEvent) -> None:
    assert seal(seal(event)) == seal(event)
