"""What a change ends is kept before it is sent: object, pods, events and the ends of logs, without secrets."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.actions.effects import AllowedCall, Consequence, Effect, ObjectRef
from console.cli.main import run
from console.operate.ahead import keeping
from console.operate.ahead.keeping import MAX_AGE, MOST_PODS, ended_by, kept, place_of, prune, read_back
from console.operate.gate import pass_gate
from console.operate.journal import Journal
from console.runbook.walk import EvidenceKept
from console.sources.folder.read import read_folder
from console.timeline.prose import sentence
from console.wire.errors import NotFoundError
from console.wire.reviews import ApiResource
from tests.findings import worlds as w
from tests.operate.conftest import YES, Cluster, Passage, Says
from tests.operate.objects import create, raise_overhead
from tests.timeline.story import WALK, events

APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "jobs", "etl", "u-1")
POD = ObjectRef("v1", "Pod", "jobs", "etl-driver", "u-2")
PLANTED = "hunter2-" + "planted"


def effect(action: str = "patch", target: ObjectRef | None = APP, **more: Any) -> Effect:
    return Effect(f"{WALK}/1", "raise", "Raise it", action, target, **more)


@pytest.mark.parametrize(
    ("change", "ended"),
    [
        (effect(), ()),
        (effect(restarts="the job"), (APP,)),
        (effect(restarts="the job", inverse_of=f"{WALK}/0"), (APP,)),
        (effect("delete", POD), (POD,)),
        (effect("script", APP), ()),
        (effect("script", None, calls=(AllowedCall(("delete",), POD), AllowedCall(("patch",), APP))), (POD,)),
        (effect("script", APP, calls=(AllowedCall(("create",), POD, "eviction"),), restarts="the job"), (APP, POD)),
        (effect("script", None, calls=(AllowedCall(("delete",), msgspec.structs.replace(POD, name="")),)), ()),
    ],
)  # fmt: skip
def test_what_is_deleted_evicted_or_restarted_is_ended(change: Effect, ended: tuple[ObjectRef, ...]) -> None:
    assert ended_by(change) == ended


@pytest.mark.parametrize(("level", "ended"), [("warning", (APP,)), ("unknown", (APP,)), ("info", ())])
def test_what_the_preview_says_restarts_is_ended_though_the_runbook_is_silent(level: Any, ended: Any) -> None:
    assert ended_by(effect(), (Consequence("restart", level, "x"), Consequence("loss", "warning", "x"))) == ended


class Server:
    """One application with pods, an event of each, and logs."""

    def __init__(self, pods: int = 2, *, silent: bool = False) -> None:
        self.pods = [self.pod(n) for n in range(pods)]
        self.silent = silent
        self.asked: list[str] = []

    @staticmethod
    def pod(n: int) -> dict[str, Any]:
        role = "driver" if n == 0 else "executor"
        name, restarts = ("etl-driver", 0) if n == 0 else (f"etl-exec-{n}", int(n == 1))
        made = w.raw_pod(name, role, number=n, state=w.RUNNING, restarts=restarts)
        made["metadata"]["namespace"] = "jobs"
        made["metadata"]["annotations"] = {"note": f"password={PLANTED}"}
        return made

    async def resource(self, api_version: str, kind: str) -> ApiResource:
        return ApiResource({"Pod": "pods"}.get(kind, "sparkapplications"), kind, True)

    async def object(self, path: str) -> dict[str, Any]:
        if self.silent:
            raise NotFoundError("it is not there", status=404, reason="NotFound")
        if "/pods/" in path:
            return self.pods[0]
        return {"kind": "SparkApplication", "metadata": {"name": "etl", "namespace": "jobs", "uid": "u-1"}}

    async def get(self, path: str, query: dict[str, str], **more: Any) -> bytes:
        self.asked.append(f"{path} {query}")
        items = self.pods if path.endswith("/pods") else [{"kind": "Event", "message": f"token={PLANTED}"}]
        return msgspec.json.encode({"items": items})

    async def log(self, namespace: str, pod: str, *, previous: bool, **more: Any) -> bytes:
        return f"{pod} {'before' if previous else 'now'}\ndb.password={PLANTED}\n".encode()


async def keep(server: Server, root: Path, change: Effect | None = None) -> EvidenceKept:
    made = await kept(change or effect(restarts="the job"), server, root, step="raise", now=5.0)  # type: ignore[arg-type]
    assert made is not None
    return made


async def test_object_pods_events_and_logs_are_kept_without_secrets_and_named(tmp_path: Path) -> None:
    made = await keep(Server(), tmp_path)
    assert made.holds == ("SparkApplication jobs/etl", "3 events", "2 pods", "3 logs") and made.lacks == ()
    said = sentence(made)
    assert said.startswith("kept before it is sent: SparkApplication jobs/etl, 3 events, 2 pods, 3 logs")
    assert f"console incident kept {WALK}/1" in said
    files = read_back(tmp_path, f"{WALK}/1")
    assert files["SparkApplication-jobs-etl.json"]["metadata"]["uid"] == "u-1"
    assert any("before" in str(text) for name, text in files.items() if name.endswith("-previous.log"))
    everything = "".join(file.read_text() for file in place_of(tmp_path, f"{WALK}/1").iterdir())
    assert PLANTED not in everything and "etl-driver now" in everything
    modes = {oct(file.stat().st_mode & 0o777) for file in place_of(tmp_path, f"{WALK}/1").iterdir()}
    assert modes == {"0o600"}


async def test_a_deleted_pod_is_kept_with_its_own_log(tmp_path: Path) -> None:
    server = Server(1)
    made = await keep(server, tmp_path, effect("delete", POD))
    assert made.holds == ("1 pod", "1 event", "1 log") and not any("labelSelector" in asked for asked in server.asked)


async def test_of_many_pods_the_sick_and_the_driver_are_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    made = await keep(Server(MOST_PODS + 5), tmp_path)
    assert f"{MOST_PODS} pods" in made.holds
    assert made.lacks[0].startswith(f"5 of {MOST_PODS + 5} pods of jobs/etl, ")
    names = set(read_back(tmp_path, f"{WALK}/1"))
    assert {"Pod-jobs-etl-driver.json", "Pod-jobs-etl-exec-1.json"} <= names


async def test_what_cannot_be_read_or_saved_is_said_and_stops_nothing(tmp_path: Path) -> None:
    made = await keep(Server(silent=True), tmp_path)
    assert made.holds == () and made.lacks == ("SparkApplication jobs/etl: it is not there",)
    assert sentence(made).startswith("nothing could be kept of what it ends; not kept: SparkApplication jobs/etl")
    (tmp_path / "file").write_text("")
    made = await keep(Server(1), tmp_path / "file")
    assert made.holds == () and "cannot be saved" in made.lacks[0]


async def test_an_object_that_makes_no_sense_holds_up_nothing(tmp_path: Path) -> None:
    server = Server(1)
    server.pods[0]["status"] = "x"
    made = await keep(server, tmp_path)
    assert made.holds[0] == "SparkApplication jobs/etl"
    assert made.lacks == ("SparkApplication jobs/etl: it makes no sense (AttributeError)",)


async def test_what_takes_too_long_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Server):
        async def object(self, path: str) -> dict[str, Any]:
            await asyncio.Event().wait()
            return {}

    monkeypatch.setattr(keeping, "WITHIN", 0.01)
    assert (await keep(Slow(), tmp_path)).lacks == ("not all of it could be read within 0s",)


def test_what_is_too_old_or_too_much_gives_way_the_oldest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, age in enumerate((0.0, 10.0, 20.0, MAX_AGE + 1)):
        place = tmp_path / "w" / str(n)
        place.mkdir(parents=True)
        (place / "a.log").write_text("x" * 10)
        os.utime(place, (1e9 - age, 1e9 - age))
    monkeypatch.setattr(keeping, "MAX_BYTES", 20)
    prune(tmp_path, 1e9)
    assert sorted(place.name for place in (tmp_path / "w").iterdir()) == ["0", "1"]


async def test_what_was_kept_is_read_again_by_the_command_and_by_diagnose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    journal, made = Journal(tmp_path / "journal.db"), await keep(Server(), tmp_path / "kept")
    for place, event in enumerate([events()[0], made]):
        journal.append(WALK, event, expected=place)
    place = place_of(tmp_path / "kept", f"{WALK}/1")
    assert run(["incident", "kept"]) == 0 and f"console diagnose {place}" in capsys.readouterr().out
    assert run(["incident", "kept", f"{WALK}/1", "-o", "json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert item["effect"] == f"{WALK}/1" and "etl-driver now" in str(item["files"])
    facts = read_folder(place)
    assert {pod.name for pod in facts.pods} == {"etl-driver", "etl-exec-1"} and not facts.unread
    assert {log.subject for log in facts.logs} == {"Pod/jobs/etl-driver", "Pod/jobs/etl-exec-1"}
    run(["incident", "kept", f"{WALK}/7"])
    assert "ended anything" in capsys.readouterr().out


async def test_it_is_kept_before_the_change_is_sent(cluster: Cluster, passage: Passage, tmp_path: Path) -> None:
    made = await asyncio.to_thread(create, cluster.kube, cluster.namespace)
    gate = passage.gate(Says(YES), kept=tmp_path / "kept")
    await pass_gate(raise_overhead(made), gate)
    assert passage.kinds == ["Previewed", "Confirmed", "EvidenceKept", "Intent", "Applied"]
    (saved,) = (event for event in passage.events if isinstance(event, EvidenceKept))
    assert saved.holds[0] == f"SparkApplication {cluster.namespace}/etl-orders"
    files = read_back(tmp_path / "kept", "w-1/1")
    (app,) = (value for name, value in files.items() if name.startswith("SparkApplication"))
    assert app["spec"]["executor"]["memoryOverhead"] == "200m", "as it was before"
