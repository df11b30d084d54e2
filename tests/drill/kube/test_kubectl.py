"""Stock kubectl works against the simulated API server."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from console.drill.state.pods import terminated
from console.drill.state.resources import PODS
from tests.drill.conftest import APP, MERGE, Api, run_to, state, until

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH (apt-get install kubernetes-client)")


async def kubectl(api: Api, *words: str, stdin: str = "", kubeconfig: Path | None = None) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    home = api.session.kubeconfig.parent
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(kubeconfig or api.session.tools_kubeconfig)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(KUBECTL or "", *words, env=env, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 30)
    return process.returncode or 0, out.decode(), err.decode()


async def ok(api: Api, *words: str, stdin: str = "") -> str:
    code, out, err = await kubectl(api, *words, stdin=stdin)
    assert code == 0, err
    return out


async def test_get_prints_applications_pods_and_the_rest(young: Api) -> None:
    apps = await ok(young, "get", "sparkapp")
    assert apps.splitlines()[0].split() == ["NAME", "SUSPEND", "STATUS", "ATTEMPTS", "START", "FINISH", "AGE"]
    assert "etl-orders" in apps and "RUNNING" in apps
    pods = await ok(young, "get", "pods", "-l", "spark-role=executor", "-o", "wide")
    assert "Running" in pods and "node-0" in pods
    listed = await ok(young, "get", "deploy,svc,quota,limits,nodes,sa,lease,events", "-A")
    for word in ("deployment.apps/spark-connect", "service/prometheus", "resourcequota/spark-quota", "node/node-041"):
        assert word in listed
    uid = await ok(young, "get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}")
    assert len(uid) == 36


async def test_an_oom_kill_is_in_the_status_column(young: Api) -> None:
    session = young.session
    while not any((terminated(p) or {}).get("reason") == "OOMKilled" for p in session.world.store.all(PODS)):
        await session.step()
    assert "OOMKilled" in await ok(young, "get", "pods", "-l", "spark-role=executor")


async def test_describe_shows_pods_nodes_and_applications_with_their_events(young: Api) -> None:
    pod = await ok(young, "describe", "pod", "etl-orders-driver")
    assert "Controlled By:  SparkApplication/etl-orders" in pod
    assert "FailedMount" in pod and "Container started" in pod and "<invalid>" not in pod
    app = await ok(young, "describe", "sparkapp", "etl-orders")
    assert "Memory Overhead:      1100m" in app and "SparkExecutorFailed" in app
    node = await ok(young, "describe", "node", "node-041")
    assert "KubeletHasNoDiskPressure" in node and "Non-terminated Pods:" in node


async def test_logs_tail_and_follow_selectors(young: Api) -> None:
    tail = await ok(young, "logs", "etl-orders-driver", "--tail=3", "--timestamps")
    assert len(tail.splitlines()) == 3 and tail.startswith("2026-01-12T")
    chosen = await ok(young, "logs", "-l", "spark-role=driver", "--tail=1")
    assert chosen.strip()
    code, _, err = await kubectl(young, "logs", "ghost")
    assert code == 1 and 'pods "ghost" not found' in err


async def test_patch_shows_a_dry_run_then_restarts_the_application(young: Api) -> None:
    patch = '{"spec":{"executor":{"memoryOverhead":"1650m"}}}'
    words = ("patch", "sparkapp", "etl-orders", "--type=merge", "-p", patch)
    shown = await ok(young, *words, "--dry-run=server", "-o", "jsonpath={.spec.executor.memoryOverhead}")
    assert shown == "1650m" and state(young) == "RUNNING" and not young.session.changes
    assert "patched" in await ok(young, *words)
    await run_to(young, "COMPLETED")
    assert len(young.session.changes) == 1


async def test_a_json_patch_with_a_failing_test_is_refused(young: Api) -> None:
    patch = '[{"op":"test","path":"/spec/executor/memory","value":"1g"},{"op":"remove","path":"/spec/executor/memory"}]'
    code, _, err = await kubectl(young, "patch", "sparkapp", "etl-orders", "--type=json", "-p", patch)
    assert code == 1 and "the server rejected our request" in err


async def test_delete_waits_until_the_pod_is_gone(young: Api) -> None:
    waiting = asyncio.create_task(kubectl(young, "delete", "pod", "etl-orders-driver"))
    while not young.session.writes:
        await asyncio.sleep(0.01)
    while not waiting.done():
        await young.session.run_for(0.2)
        await asyncio.sleep(0.02)
    code, out, err = waiting.result()
    assert code == 0, err
    assert 'pod "etl-orders-driver" deleted' in out


async def test_writes_of_other_kinds_work_too(young: Api) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\ndata: {a: b}\n"
    assert "created" in await ok(young, "apply", "-f", "-", stdin=config)
    assert "configured" in await ok(young, "apply", "-f", "-", stdin=config.replace("a: b", "a: c"))
    assert "serverside-applied" in await ok(
        young, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=config
    )
    assert "scaled" in await ok(young, "scale", "deploy/hive-metastore", "--replicas=2")
    assert "restarted" in await ok(young, "rollout", "restart", "deploy/hive-metastore")
    assert "labeled" in await ok(young, "label", "sparkapp", "etl-orders", "seen=yes")
    assert "cordoned" in await ok(young, "cordon", "node-041")
    assert "SchedulingDisabled" in await ok(young, "get", "nodes")


async def test_can_i_answers_for_both_users(young: Api) -> None:
    assert await ok(young, "auth", "can-i", "patch", "sparkapplications.sparkoperator.k8s.io") == "yes\n"
    assert "sparkapplications.sparkoperator.k8s.io" in await ok(young, "auth", "can-i", "--list")
    viewer = young.session.viewer_kubeconfig
    code, out, _ = await kubectl(young, "auth", "can-i", "delete", "pods", kubeconfig=viewer)
    assert (code, out) == (1, "no\n")
    code, _, err = await kubectl(young, "delete", "pod", "etl-orders-driver", kubeconfig=viewer)
    assert code == 1 and "Forbidden" in err


async def test_watch_streams_rows(young: Api) -> None:
    watching = asyncio.create_task(kubectl(young, "get", "sparkapp", "-w", "--request-timeout=2s"))
    await until(lambda: bool(young.session.kube.watches.open))
    await young.call("PATCH", APP, {"metadata": {"labels": {"x": "y"}}}, kind=MERGE)
    _, out, _ = await watching
    assert out.count("etl-orders") == 2
