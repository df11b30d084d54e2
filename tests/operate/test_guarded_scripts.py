"""Scripts that try to do more than they were confirmed to do: nothing of it reaches the cluster, nothing is done twice.

The peer's own log of writes judges, behind the guarded proxy and everything else of the product.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import STAMP
from console.base.clock import WallClock
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.operate.policy import ChangeRules
from console.operate.scripts import runs
from console.runbook.events import Called, ChangeRefused
from console.runbook.model import Runbook
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import Applied, Intent, Walk
from console.timeline.prose import sentence
from console.wire.connection import Connection
from tests.operate.conftest import YES, Cluster, Says
from tests.operate.objects import create, running, spark_path
from tests.operate.relay import Write
from tests.operate.test_scripts import dead
from tests.operate.tower import Shelf, desk, small

PRELUDE = """
import json, os, subprocess, sys, time, urllib.error, urllib.request
config = json.load(open(os.environ["KUBECONFIG"]))
server = config["clusters"][0]["cluster"]["server"]
NAMESPACE, NAME = sys.argv[1].split("/")
APP = f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{NAMESPACE}/sparkapplications/{NAME}"

def call(method, path, body=None, type="application/merge-patch+json"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data, {"Content-Type": type}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

def cores(n):
    return call("PATCH", APP, {"spec": {"executor": {"cores": n}}})
"""
CALL = '{verbs: [VERBS], apiVersion: KIND, namespace: "{{ app.namespace }}", name: "{{ app.name }}"}'
SPARK = "sparkoperator.k8s.io/v1beta2, kind: SparkApplication"


def runbook(effect: str = "write", verbs: str = "patch", timeout: str = "60s") -> Runbook:
    """One step that runs the script `attack`, with what it declares."""
    declared = f"calls: [{CALL.replace('VERBS', verbs).replace('KIND', SPARK)}]" if effect == "write" else ""
    target = (
        'target: {apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, namespace: "{{ app.namespace }}", '
        'name: "{{ app.name }}"}\n    touches: [/spec/executor/cores]\n    rollback: captured\n    verify: look'
    )
    return small(
        f"""
apiVersion: console/v1
kind: Runbook
id: attack
version: 1.0.0
title: Run a script
steps:
  - id: attack
    kind: script
    title: Run it
    script: attack
    effect: {effect}
    timeout: {timeout}
    arguments:
      app: {{type: spark_app, value: "{{{{ app.key }}}}", flag: ""}}
    {declared}
    {target if effect == "write" else "next: done"}
    on_refused: undone
    on_failed: undone
  - {{id: look, kind: verify, title: Look, until: app.generation >= 2, on_effective: done, on_ineffective: undone, on_worse: undone, on_unknown: undone}}
  - {{id: done, kind: end, title: Done, outcome: mitigated, text: done}}
  - {{id: undone, kind: end, title: Not done, outcome: unresolved, text: not done}}
"""  # noqa: E501
    )


class Bench:
    """A desk whose library holds one script of the test's own."""

    def __init__(self, cluster: Cluster, connection: Connection, app: str, folder: Path) -> None:
        self.cluster, self.connection, self.app, self.folder = cluster, connection, app, folder
        self.desks: list[Desk] = []

    def desk(self, code: str, book: Runbook, **changes: Any) -> Desk:
        script = self.folder / "attack.py"
        script.write_text(PRELUDE + code)
        spec = ScriptSpec("attack", "An attack", str(script), "python", "write")
        library = Shelf({book.id: book}, {"attack": spec})
        made = desk(self.connection, self.cluster.namespace, self.folder / "state", library=library, **changes)
        self.desks.append(made)
        return made

    async def walk(self, code: str, book: Runbook, *replies: Any, **changes: Any) -> tuple[Walk, Says]:
        at, person = self.desk(code, book, **changes), Says(*replies)
        walk_id = await at.start(book, {}, {}, self.app, person)
        return await asyncio.wait_for(at.wait(walk_id), 60), person

    @property
    def events(self) -> list[Any]:
        journal = Journal(self.folder / "state" / "journal.db")
        return journal.read(journal.walks()[0].walk)

    @property
    def stored(self) -> list[str]:
        """What the server was asked to change for good, leases and events of Console's own aside."""
        ours = ("leases", "events")
        return [w.words for w in self.cluster.relay.writes if not w.dry_run and w.words.split()[1] not in ours]

    @property
    def object(self) -> dict[str, Any]:
        obj: dict[str, Any] = self.cluster.kube.get(spark_path(self.cluster.namespace, "etl-orders"))
        return obj


@pytest.fixture
async def bench(cluster: Cluster, connection: Connection, tmp_path: Path) -> AsyncIterator[Bench]:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    cluster.relay.writes.clear()
    made = Bench(cluster, connection, f"{cluster.namespace}/etl-orders", tmp_path)
    yield made
    for at in made.desks:
        await at.close()


async def test_a_script_that_says_it_only_reads_cannot_write(bench: Bench) -> None:
    """Declared `effect: read`, in a read-only context: it is not asked about, so it may change nothing."""
    code = "print(call('GET', APP)[0]); print(cores(3)); print(call('DELETE', APP))"
    walk, person = await bench.walk(code, runbook("read"), rules=ChangeRules(mode="read-only"))
    assert bench.stored == []
    assert bench.object["metadata"]["generation"] == 1
    assert person.asked == []
    output = str(walk.outputs["attack"]["output"])
    assert output.startswith("200\n") and "declared as one that only reads" in output
    assert walk.outcome == "unresolved", "a script that wanted more than it said did not do well"
    called = [e for e in bench.events if isinstance(e, Called)]
    assert [(e.verb, e.status) for e in called] == [("patch", 0), ("delete", 0)]
    assert "was not let through" in sentence(called[0])


READS = """
pods = call("GET", f"/api/v1/namespaces/{NAMESPACE}/pods")
listed = call("GET", APP.rpartition("/")[0])
seen = call("GET", "/version"), call("GET", "/apis"), call("GET", APP.rpartition("/")[0] + "?watch=1&timeoutSeconds=1")
print([answer[0] for answer in (pods, listed, *seen)])
refused = [
    call("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets"),
    call("GET", f"/api/v1/watch/namespaces/{NAMESPACE}/secrets"),
    call("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/x/exec?command=id"),
    call("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/x/proxy/kill"),
    call("GET", f"/api/v1/namespaces/{NAMESPACE}/pods%2f..%2fsecrets"),
    call("GET", "/api/v1/nodes/x/../../secrets"),
    call("GET", "//api/v1/secrets"),
    call("GET", "/metrics"),
]
print([answer[0] for answer in refused])
server = server.rpartition("/")[0]
print(call("GET", "/version")[0], call("GET", "/wrong/version")[0])
"""


async def test_a_script_reads_objects_and_logs_and_nothing_else(bench: Bench) -> None:
    walk, _ = await bench.walk(READS, runbook("read"), rules=ChangeRules(mode="read-only"))
    read, refused, tokens = str(walk.outputs["attack"]["output"]).splitlines()
    assert read == str([200] * 5)
    assert refused == "[403, 403, 403, 403, 400, 400, 400, 403]"
    assert tokens == "401 401", "the address of the run is its token"


async def test_a_dry_run_that_writes_is_made_one(bench: Bench) -> None:
    """It takes no notice of CONSOLE_DRY_RUN; before the confirmation the server still stores nothing of it."""

    async def look(question: Any) -> Any:
        seen.append((bench.object["metadata"]["generation"], list(question.preview.diff)))
        return None

    seen: list[Any] = []
    walk, _ = await bench.walk("print(cores(3)[0]); sys.exit(0)", runbook(), look)
    assert bench.stored == []
    assert seen[0][0] == 1
    assert "-    cores: 1" in seen[0][1] and "+    cores: 3" in seen[0][1], "the server's own diff of what it sends"
    assert len(bench.cluster.relay.on("sparkapplications", dry_run=True)) == 1
    assert walk.writes == ()


DELETES = 'print(call("DELETE", APP, {"kind": "DeleteOptions", "apiVersion": "v1"}, "application/json")[0])'


async def test_a_deletion_in_a_dry_run_deletes_nothing(bench: Bench) -> None:
    """A server that gets a body does not read dryRun from the query."""
    await bench.walk(DELETES, runbook(verbs="patch, delete"), None)
    assert bench.stored == []
    assert bench.object["metadata"].get("deletionTimestamp") is None


@pytest.mark.parametrize(
    "code",
    [
        'print(call("DELETE", APP))',
        'print(call("DELETE", APP.rpartition("/")[0]))',
        'print(call("PATCH", APP + "x", {"spec": {"suspend": True}}))',
        'print(call("PATCH", APP + "/status", {"status": {}}))',
        'print(call("PUT", APP, json.loads(call("GET", APP)[1]), "application/json"))',
        'print(call("PATCH", APP, {"spec": {}}, "text/plain"))',
        'print(call("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", {"metadata": {"name": "s"}}, "application/json"))',  # noqa: E501
        'print(call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token", {}, "application/json"))',
        'print(call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods/x/exec?command=id", {}, "application/json"))',
        'print(call("PATCH", APP, [{"op": "add", "path": "/metadata", "value": {}}], "application/json-patch+json"))',
    ],
)
async def test_what_a_step_does_not_declare_is_not_sent(code: str, bench: Bench) -> None:
    walk, person = await bench.walk(f"{code}\nsys.exit(0)", runbook(), YES)
    assert [w.words for w in bench.cluster.relay.writes if w.words.split()[1] != "leases"] == []
    assert person.asked == [], "its dry run says so before anybody is asked"
    assert "was not let through" in str(walk.outputs["attack"]["because"])


ANOTHER_FIELD = """
if os.environ.get("CONSOLE_DRY_RUN") != "1":
    print(call("PATCH", APP, {"spec": {"executor": {"instances": 9}}})[0])
print(cores(3)[0])
"""


async def test_a_field_that_the_script_does_not_declare_is_not_written(bench: Bench) -> None:
    """An undo would not put it back: `touches` names what is captured."""
    await bench.walk(ANOTHER_FIELD, runbook(), YES)
    assert bench.stored == ["PATCH sparkapplications"]
    assert bench.object["spec"]["executor"]["instances"] != 9
    (refused,) = [e.refused for e in bench.events if isinstance(e, Called) and e.refused]
    assert "/spec/executor/instances" in refused and "not declared under `touches`" in refused


async def test_a_server_side_apply_says_not_which_fields_it_takes_away(bench: Bench) -> None:
    code = 'print(call("PATCH", APP, {"spec": {"executor": {"cores": 3}}}, "application/apply-patch+yaml"))'
    walk, _ = await bench.walk(code, runbook(), YES)
    assert bench.stored == [] and "send a merge or a JSON patch" in str(walk.outputs["attack"]["because"])


LATER = """
if os.environ.get("CONSOLE_DRY_RUN") != "1":
    print(call("DELETE", APP)[0])
print(cores(3)[0])
"""


async def test_what_is_only_tried_after_the_confirmation_is_not_sent_either(bench: Bench) -> None:
    """The walk says what was sent and what was not; it does not take the script's word that all is well."""
    walk, _ = await bench.walk(LATER, runbook(), YES)
    assert bench.stored == ["PATCH sparkapplications"]
    assert bench.object["spec"]["executor"]["cores"] == 3
    assert bench.object["metadata"]["generation"] == 2
    calls = [(e.verb, e.status, bool(e.refused)) for e in bench.events if isinstance(e, Called)]
    assert calls == [("delete", 0, True), ("patch", 0, False), ("patch", 200, False)]
    (doubt,) = [e for e in bench.events if isinstance(e, Intent)]
    assert bench.object["metadata"]["annotations"][STAMP] == doubt.effect.id, "stamped, though the script does not"
    assert walk.outcome == "mitigated", "the object itself says that the change arrived"


async def test_calls_are_journalled_before_they_are_sent_and_shown(bench: Bench) -> None:
    walk, person = await bench.walk("print(cores(3)[0])", runbook(), YES)
    assert walk.outcome == "mitigated"
    kinds = [type(e) for e in bench.events]
    assert kinds.index(Intent) < kinds.index(Called) < kinds.index(Applied)
    words = [c.text for c in person.asked[0].preview.consequences]  # type: ignore[union-attr]
    assert f"it may send: patch SparkApplication {bench.app}, and nothing else" in words
    (done,) = [e for e in bench.events if isinstance(e, Applied)]
    assert done.message == f"patch SparkApplication {bench.app}"


async def test_an_object_that_changed_after_the_look_is_not_written(bench: Bench) -> None:
    """Somebody else's change of the spec between the confirmation and the script's call."""
    code = """
if os.environ.get("CONSOLE_DRY_RUN") != "1":
    open(os.path.join(os.path.dirname(sys.argv[0]), "begun"), "w").close()
    while not os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), "go")):
        time.sleep(0.01)
print(cores(3)[0])
sys.exit(0)
"""
    book = runbook()
    at, person = bench.desk(code, book), Says(YES)
    walk_id = await at.start(book, {}, {}, bench.app, person)
    async with asyncio.timeout(60):
        while not (bench.folder / "begun").exists():
            await asyncio.sleep(0.01)
    bench.cluster.kube.merge(spark_path(bench.cluster.namespace, "etl-orders"), {"spec": {"executor": {"cores": 2}}})
    (bench.folder / "go").touch()
    walk = await asyncio.wait_for(at.wait(walk_id), 60)
    assert bench.object["spec"]["executor"]["cores"] == 2
    assert bench.stored == []
    assert any("was changed since it was looked at" in e.refused for e in bench.events if isinstance(e, Called))
    assert walk.writes == ()


async def test_others_that_write_status_at_the_same_moment_are_no_reason_to_give_up(bench: Bench) -> None:
    """The call is pinned to what was seen a moment before; where only the status moved, it is made anew."""
    busy = [3]

    async def moved(write: Write) -> None:
        if write.words == "PATCH sparkapplications" and busy[0]:
            busy[0] -= 1
            begun = f"2026-11-24T10:00:0{busy[0]}Z"
            await asyncio.to_thread(running, bench.cluster.kube, bench.cluster.namespace, begun=begun)

    bench.cluster.relay.received = moved
    walk, _ = await bench.walk("print(cores(3)[0])", runbook(), YES)
    assert walk.outcome == "mitigated", walk.because
    assert bench.object["metadata"]["generation"] == 2
    assert busy == [0]


async def test_it_is_given_nothing_of_the_person(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment, PATH, home, kubeconfig, terminal, working folder."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setenv("KUBECONFIG", "/somebody/elses")
    monkeypatch.setenv("PATH", f"{bench.folder}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(bench.folder))
    code = """
tty = None
try:
    tty = open("/dev/tty")
except OSError:
    pass
print(json.dumps({"env": dict(os.environ), "home": os.listdir(os.environ["HOME"]), "here": os.getcwd(),
                  "config": config, "tty": tty is not None, "stdin": sys.stdin.read()}))
"""
    walk, _ = await bench.walk(code, runbook("read"))
    seen = json.loads(str(walk.outputs["attack"]["output"]))
    allowed = {"PATH", "LANG", "HOME", "TMPDIR", "KUBECONFIG", "CONSOLE_EFFECT", "CONSOLE_STAMP", "PYTHONUSERBASE"}
    assert set(seen["env"]) - {"LC_CTYPE"} <= allowed
    assert seen["env"]["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert seen["home"] == [] and seen["here"] == seen["env"]["HOME"] and seen["env"]["HOME"] != str(bench.folder)
    assert seen["config"]["users"][0]["user"] == {}
    assert seen["config"]["clusters"][0]["cluster"]["server"].startswith("http://127.0.0.1:")
    assert bench.cluster.kube.token not in json.dumps(seen)
    assert (seen["tty"], seen["stdin"]) == (False, "")


ESCAPES = """
def left(*how, **more):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], **more)
    return child.pid
pids = [left(), left(start_new_session=True), left(start_new_session=True, env={})]
twice = "import subprocess as s, sys; c = s.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
twice += "start_new_session=True, env={}, stdout=s.DEVNULL, stderr=s.DEVNULL); print(c.pid, flush=True)"
pids.append(int(subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True).stdout or 0))
note = os.path.join(os.path.dirname(sys.argv[0]), "pids")
open(note + ".new", "w").write(json.dumps(pids)); os.rename(note + ".new", note)
"""


def left_behind(bench: Bench) -> list[int]:
    found: list[int] = json.loads((bench.folder / "pids").read_text())
    assert len(found) == 4 and all(found)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can adopt what lost its parent")
async def test_no_child_outlives_the_time_limit_whatever_session_it_is_in(bench: Bench) -> None:
    walk, _ = await bench.walk(ESCAPES + "time.sleep(600)", runbook("read", timeout="3s"))
    assert "killed: it did not end in time" in str(walk.outputs["attack"]["message"])
    for pid in left_behind(bench):
        assert await dead(pid)


async def until(what: Any, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


ORPHAN = """
if os.environ.get("CONSOLE_DRY_RUN") == "1":
    sys.exit(0 if cores(3)[0] == 200 else 1)
"""
ORPHAN += ESCAPES
ORPHAN += """
FIRST
open(os.path.join(os.path.dirname(sys.argv[0]), "begun"), "w").write(str(os.getpid()))
while not os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), "go")):
    time.sleep(0.01)
while True:
    cores(3)
"""
VICTIM = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.conftest import YES, Says
from tests.operate.test_guarded_scripts import runbook
from tests.operate.tower import Shelf, desk
from console.runbook.scripts import ScriptSpec

async def main():
    connection = await Connection.open(ContextRef(kubeconfig={kubeconfig!r}))
    book, folder = runbook(timeout="10m"), Path({folder!r})
    spec = ScriptSpec("attack", "x", str(folder / "attack.py"), "python", "write")
    library = Shelf({{book.id: book}}, {{"attack": spec}})
    at = desk(connection, {namespace!r}, folder / "state", library=library)
    await at.wait(await at.start(book, {{}}, {{}}, {app!r}, Says(YES)))

asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["before its call", "after its call"])
async def test_an_orphan_changes_nothing_after_kill_9_and_nothing_is_done_twice(
    when: str, bench: Bench, cluster: Cluster
) -> None:
    """Console is killed while a confirmed script runs. All that came of it ends; the resume runs it once at most."""
    code = ORPHAN.replace("FIRST", "cores(3)" if when == "after its call" else "")
    book = runbook(timeout="10m")
    at = bench.desk(code, book)
    victim = VICTIM.format(
        root=str(Path(__file__).resolve().parents[2]),
        kubeconfig=cluster.ref().kubeconfig,
        folder=str(bench.folder),
        namespace=cluster.namespace,
        app=bench.app,
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", victim)
    await until((bench.folder / "begun").exists)
    script = int((bench.folder / "begun").read_text() or 0)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    (bench.folder / "go").touch()
    if sys.platform == "linux":
        assert await dead(script), "the warden ends it when Console dies"
        for pid in left_behind(bench):
            assert await dead(pid)
    sent = len(bench.stored)
    assert sent == (1 if when == "after its call" else 0)
    (bench.folder / "attack.py").write_text(PRELUDE + "print(cores(3)[0])")
    walk_id = Journal(bench.folder / "state" / "journal.db").walks()[0].walk
    await at.resume(walk_id, Says(YES))
    walk = await asyncio.wait_for(at.wait(walk_id), 60)
    assert walk.outcome == "mitigated", walk.because
    assert bench.stored == ["PATCH sparkapplications"], "once, before the kill or after it"
    assert bench.object["metadata"]["generation"] == 2
    assert Journal(bench.folder / "state" / "journal.db").verify(walk_id).ok


async def test_what_is_left_of_a_script_is_looked_for_before_anything_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even its warden was killed: the processes are found by their mark, and ended."""
    if sys.platform != "linux":
        assert await runs.ended("w-1/1") == "whether processes of it are left cannot be seen on this system"
        return
    left = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(600)", env={"CONSOLE_EFFECT": "w-9/7"}, start_new_session=True
    )
    await until(lambda: runs.processes("w-9/7"))
    assert runs.processes("w-9/70") == []
    assert await runs.ended("w-9/7") == "1 of its processes were still there, and were ended"
    assert await left.wait() == -signal.SIGKILL
    assert await runs.ended("w-9/7") == ""


async def test_a_script_on_an_object_that_policy_denies_is_refused(bench: Bench) -> None:
    """The objects that a step declares count like its target."""
    book = small(
        runbook().text.replace(
            "calls: [", "calls: [{verbs: [patch], apiVersion: v1, kind: ConfigMap, namespace: prod, name: settings}, "
        )
    )
    rules = ChangeRules(mode="write", deny=("ConfigMap/prod",))
    await bench.walk("print(cores(3)[0])", book, YES, rules=rules)
    (refused,) = [e for e in bench.events if isinstance(e, ChangeRefused)]
    assert refused.because == "policy.deny holds 'ConfigMap/prod', which ConfigMap prod/settings is"
    assert bench.stored == []


async def test_a_call_that_cannot_be_recorded_is_not_sent(bench: Bench) -> None:
    class Full(Journal):
        def append(self, walk: str, event: Any, *, expected: int | None = None) -> Any:
            if isinstance(event, Called):
                raise OSError("no space left")
            return super().append(walk, event, expected=expected)

    book = runbook()
    at = bench.desk("print(cores(3)[0])", book, journal=Full(bench.folder / "state" / "journal.db"), clock=WallClock())
    walk_id = await at.start(book, {}, {}, bench.app, Says(YES, YES, YES))

    async def ended() -> None:
        walk = await asyncio.wait_for(at.wait(walk_id), 60)
        raise AssertionError(f"{walk.status}, {walk.outcome}: {walk.because}; {[s.words for s in walk.steps]}")

    with pytest.raises(OSError, match="no space left"):
        await ended()
    assert bench.stored == []
