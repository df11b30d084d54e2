"""The incident as a whole: symptoms follow from memory, and only what fits recovers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
import pytest

from console.drill.state.pods import terminated
from console.drill.state.resources import EVENTS, NODES, SPARKAPPS
from console.drill.state.resources import PODS as POD
from console.drill.state.store import ObjectChange
from tests.drill.conftest import APP, DATA, PODS, SCENARIO, Api, run_to, state

RECORDED = json.loads((DATA / "etl-orders-1.37.2.json").read_text())
Open = Callable[..., AbstractAsyncContextManager[Api]]


def watch(api: Api, *resources: Any) -> list[ObjectChange]:
    seen: list[ObjectChange] = []
    api.session.world.store.watch(lambda change: seen.append(change) if change.resource in resources else None)
    return seen


def executors(seen: list[ObjectChange]) -> dict[str, list[ObjectChange]]:
    out: dict[str, list[ObjectChange]] = {}
    for change in seen:
        labels = change.object["metadata"].get("labels", {})
        if change.resource is POD and "etl-orders" in change.object["metadata"]["name"] and labels.get("spark-exec-id"):
            out.setdefault(change.object["metadata"]["name"], []).append(change)
    return out


def steps(changes: list[ObjectChange]) -> list[list[Any]]:
    """(type, phase, state of the container, being deleted) of each update; repetitions once."""
    out: list[list[Any]] = []
    for change in changes:
        status = change.object["status"]
        container = next(iter(status.get("containerStatuses", ())), None)
        kind = next(iter(container["state"])) if container else None
        out.append([change.type, status.get("phase"), kind, "deletionTimestamp" in change.object["metadata"]])
    return [s for i, s in enumerate(out) if i == 0 or out[i - 1] != s]


async def burn(api: Api, window: str) -> float:
    bad, good = (f"sum(increase(spark_application_{k}_count[{window}]))" for k in ("failure", "success"))
    return await api.number(f"{bad} / ({bad} + {good}) / 0.01")


# -- the default case --------------------------------------------------------------------------------------------------


async def test_an_executor_dies_in_the_recorded_order_of_updates(api: Api) -> None:
    seen = watch(api, POD)
    await api.session.run_for(240)
    killed = [c for c in executors(seen).values() if c[0].type == "ADDED" and c[-1].type == "DELETED"]
    oom = [c for c in killed if (terminated(c[-1].object) or {}).get("reason") == "OOMKilled"]
    assert len(oom) >= 6
    recorded = RECORDED["executor_updates"]
    wanted = [s for i, s in enumerate(recorded) if i == 0 or recorded[i - 1] != s]
    assert steps(oom[0]) == wanted
    last = oom[0][-1].object
    assert terminated(last)["exitCode"] == 137  # type: ignore[index]
    assert set(RECORDED["executor_labels"]) <= set(last["metadata"]["labels"])
    assert [c["type"] for c in last["status"]["conditions"]] == RECORDED["executor_conditions"]
    missing = set(RECORDED["container_status_keys"]) - set(last["status"]["containerStatuses"][0])
    assert missing <= {"user", "volumeMounts"}


async def test_no_event_of_a_pod_says_oom_but_the_operators_events_do(api: Api) -> None:
    await api.session.run_for(200)
    events = api.session.world.store.all(EVENTS, "spark-prod")
    about_pods = [e for e in events if e["involvedObject"]["kind"] == "Pod"]
    assert {e["reason"] for e in about_pods} <= {
        "Scheduled", "Pulled", "Created", "Started", "Killing", "FailedMount", "FailedScheduling",
    }  # fmt: skip
    assert not [e for e in about_pods if "OOM" in e["message"]]
    failed = [e for e in events if e["reason"] == "SparkExecutorFailed" and e["involvedObject"]["name"] == "etl-orders"]
    assert any("failed with ExitCode: 137, Reason: OOMKilled, Pod Message: " in e["message"] for e in failed)
    assert any(e["message"].startswith("(combined from similar events): ") for e in failed)
    mounts = [e for e in events if e["reason"] == "FailedMount"]
    assert mounts and "conf-map" in mounts[0]["message"] and mounts[0]["type"] == "Warning"


async def test_the_driver_gives_up_at_the_limit_of_losses_and_the_operator_runs_it_again(api: Api) -> None:
    await run_to(api, "FAILING")
    app = await api.get(APP)
    message = "driver container failed with ExitCode: 11, Reason: Error"
    assert app["status"]["applicationState"] == {"errorMessage": message, "state": "FAILING"}
    _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
    assert "The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM)." in log
    assert "Max number of executor failures (12) reached" in log
    assert " termination reason: OOMKilled" in log
    attempts = app["status"]["executionAttempts"]
    first_end = app["status"]["terminationTime"]
    await run_to(api, "RUNNING")
    app = await api.get(APP)
    assert app["status"]["executionAttempts"] == attempts + 1
    assert app["status"]["terminationTime"] == first_end, "it keeps the first attempt's time"


async def test_an_edit_of_the_spec_restarts_and_enough_overhead_recovers(api: Api) -> None:
    seen = watch(api, SPARKAPPS)
    status, _ = await api.call(
        "PATCH",
        APP,
        {"metadata": {"annotations": {"console.dev/walk": "w1/5"}}, "spec": {"executor": {"memoryOverhead": "1650m"}}},
        kind="application/merge-patch+json",
    )
    assert status == 200
    begin = api.session.now
    assert await run_to(api, "PENDING_RERUN") <= 2
    assert await run_to(api, "RUNNING") == pytest.approx(25, abs=5)
    await run_to(api, "COMPLETED")
    assert 200 < api.session.now - begin < 400
    states: list[str] = []
    for change in seen:
        if change.object["metadata"]["name"] == "etl-orders":
            now = change.object["status"].get("applicationState", {}).get("state", "")
            states += [now] if not states or states[-1] != now else []
    assert states == ["RUNNING", *RECORDED["application_states"][-6:]]
    app = await api.get(APP)
    assert app["metadata"]["generation"] == 2
    assert app["metadata"]["annotations"]["console.dev/walk"] == "w1/5"
    assert app["status"]["executionAttempts"] == 1
    assert set(app["status"]) == set(RECORDED["status_keys"])
    assert [w.changed for w in api.session.writes] == [True]


async def test_burn_falls_below_one_and_the_spent_budget_stays_spent(api: Api) -> None:
    session = api.session
    assert await burn(api, "5m") > 10 and await burn(api, "1h") > 1
    spent = await api.number("sum(increase(spark_application_failure_count[30d]))")
    assert spent > 100
    await api.patch_app({"executor": {"memoryOverhead": "1650m"}})
    await session.run_for(3900)
    assert await burn(api, "5m") < 1 and await burn(api, "1h") < 1
    assert await burn(api, "6h") > 1
    assert await api.number("sum(increase(spark_application_failure_count[30d]))") == pytest.approx(spent, abs=3)
    assert session.recovered()


@pytest.mark.parametrize("spec", [{"executor": {"memory": "5g"}}, {"executor": {"memoryOverhead": "1150m"}}])
async def test_what_does_not_fit_does_not_recover(api: Api, spec: dict[str, Any]) -> None:
    before = api.session.world.cluster.operator_metrics.counters["spark_application_failure_count"].at(api.session.now)
    await api.patch_app(spec)
    await api.session.run_for(900)
    assert state(api) != "COMPLETED" and not api.session.recovered()
    after = api.session.world.cluster.operator_metrics.counters["spark_application_failure_count"].at(api.session.now)
    assert after - before >= 3


async def test_the_next_scheduled_run_brings_the_old_size_back(drill: Open) -> None:
    """The schedule's template still says 1100m, whatever was patched into the run."""
    first, *others = SCENARIO.world.apps
    soon = msgspec.structs.replace(first, schedule="52 10 * * *")
    world = msgspec.structs.replace(SCENARIO.world, apps=(soon, *others))
    async with drill(scenario=msgspec.structs.replace(SCENARIO, world=world)) as api:
        await api.patch_app({"executor": {"memoryOverhead": "1650m"}})
        await api.session.run_for(700)
        scheduled = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/spark-prod/scheduledsparkapplications/nightly-etl"
        name = (await api.get(scheduled))["status"]["lastRunName"]
        assert name.startswith("nightly-etl-")
        run = await api.get(f"{APP.removesuffix('etl-orders')}{name}")
        assert run["spec"]["executor"]["memoryOverhead"] == "1100m"
        assert run["metadata"]["ownerReferences"][0]["name"] == "nightly-etl"
        assert (await api.get(APP))["status"]["applicationState"]["state"] == "COMPLETED"


async def test_fewer_cores_for_the_same_overhead_recover_too(api: Api) -> None:
    await api.patch_app({"executor": {"cores": 1}})
    await run_to(api, "COMPLETED", 1500)


async def test_a_request_beyond_the_quota_leaves_the_job_without_executors(api: Api) -> None:
    await api.patch_app({"executor": {"memory": "22g", "memoryOverhead": "1g", "instances": 20}})
    await run_to(api, "RUNNING")
    await api.session.run_for(60)
    _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
    assert "is forbidden: exceeded quota: spark-quota, requested: requests.memory=" in log
    await api.patch_app({"executor": {"memory": "30g", "memoryOverhead": "1g"}})
    await run_to(api, "RUNNING")
    await api.session.run_for(30)
    _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
    assert "is forbidden: maximum memory usage per Container is 24Gi, but limit is " in log


async def test_deleting_the_application_takes_its_pods_and_nothing_brings_it_back(api: Api) -> None:
    status, _ = await api.call("DELETE", APP)
    assert status == 200
    await api.session.run_for(120)
    assert state(api) == "gone"
    left = await api.get(PODS, labelSelector="sparkoperator.k8s.io/app-name=etl-orders")
    assert left["items"] == []


async def test_dead_executors_stay_where_the_spec_says_so(api: Api) -> None:
    await api.patch_app({"executor": {"deleteOnTermination": False}})
    await run_to(api, "RUNNING")
    await api.session.run_for(120)
    kept = await api.get(PODS, labelSelector="spark-exec-inactive=true")
    assert kept["items"] and all(terminated(p) for p in kept["items"])
    reasons = await api.query('kube_pod_container_status_terminated_reason{reason="OOMKilled"}')
    assert reasons


async def test_suspending_takes_the_driver_down_and_resuming_submits_anew(api: Api) -> None:
    await api.patch_app({"suspend": True})
    await run_to(api, "SUSPENDED")
    assert (await api.call("GET", f"{PODS}/etl-orders-driver"))[0] == 404
    await api.session.run_for(120)
    assert state(api) == "SUSPENDED"
    await api.patch_app({"suspend": False})
    await run_to(api, "RUNNING", 30)


# -- the other cases ---------------------------------------------------------------------------------------------------


async def test_a_full_heap_exits_52_and_only_heap_helps(drill: Open) -> None:
    async with drill("heap") as api:
        seen = watch(api, POD)
        await api.session.run_for(180)
        ends = [terminated(c[-1].object) for c in executors(seen).values()]
        assert {(e["exitCode"], e["reason"]) for e in ends if e} >= {(52, "Error")}
        assert "OOMKilled" not in {e["reason"] for e in ends if e}
        _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
        assert "exited with exit code 52(JVM OOM)." in log and "OOM is detected." in log
        await api.patch_app({"executor": {"memoryOverhead": "4g"}})
        await api.session.run_for(600)
        assert state(api) != "COMPLETED"
        await api.patch_app({"executor": {"memory": "4350m", "memoryOverhead": "1100m"}})
        await run_to(api, "COMPLETED")


async def test_the_last_words_of_a_heap_death_are_in_the_executors_log(drill: Open) -> None:
    async with drill("heap") as api:
        session = api.session
        while True:
            await session.step()
            dead = [p for p in session.world.store.all(POD) if (terminated(p) or {}).get("exitCode") == 52]
            if dead:
                break
        _, log = await api.call("GET", f"{PODS}/{dead[0]['metadata']['name']}/log")
        assert "java.lang.OutOfMemoryError: Java heap space" in log
        assert "SparkUncaughtExceptionHandler: Uncaught exception in thread" in log


async def test_a_driver_over_its_limit_is_killed_and_its_executors_leave(drill: Open) -> None:
    async with drill("driver") as api:
        seen = watch(api, POD)
        await run_to(api, "FAILING")
        app = await api.get(APP)
        text = "driver container failed with ExitCode: 137, Reason: OOMKilled"
        assert app["status"]["applicationState"]["errorMessage"] == text
        ends = {(terminated(c[-1].object) or {}).get("exitCode") for c in executors(seen).values()}
        assert 137 not in ends
        await api.patch_app({"driver": {"memoryOverhead": "1500m"}})
        await run_to(api, "COMPLETED")


@pytest.mark.parametrize(
    ("case", "code", "reason"),
    [("look-alike", 143, "EvictionByEvictionAPI"), ("node-memory", 137, "TerminationByKubelet")],
)
async def test_evictions_look_alike_but_never_say_oomkilled(drill: Open, case: str, code: int, reason: str) -> None:
    async with drill(case) as api:
        seen = watch(api, POD, NODES)
        await api.session.run_for(240)
        lost = [
            c[-1].object
            for c in executors(seen).values()
            if any(x["type"] == "DisruptionTarget" for x in c[-1].object["status"]["conditions"])
        ]
        assert len(lost) >= 4
        for pod in lost:
            ended = terminated(pod)
            condition = next(x for x in pod["status"]["conditions"] if x["type"] == "DisruptionTarget")
            assert (condition["status"], condition["reason"]) == ("True", reason)
            assert ended and (ended["exitCode"], ended["reason"]) == (code, "Error")
        everything = json.dumps([c.object for c in seen])
        assert "OOMKilled" not in everything
        await api.patch_app({"executor": {"memoryOverhead": "3g"}})
        await api.session.run_for(600)
        assert state(api) != "COMPLETED", "memory was not what was missing"


async def test_a_drain_hits_every_application_and_they_come_back(drill: Open) -> None:
    async with drill("look-alike") as api:
        ended = 'max_over_time(kube_pod_container_status_terminated_reason{reason="Error"}[15m])'
        pattern = "(.+)-[0-9a-f]{16}-exec-[0-9]+"
        lost = await api.query(f'count by (app) (label_replace({ended}, "app", "$1", "pod", "{pattern}"))')
        assert {"etl-orders", "payments-stream"} <= {row["metric"].get("app") for row in lost}
        await api.session.run_for(60)
        app = await api.get(f"{APP.removesuffix('/etl-orders')}/payments-stream")
        assert app["status"]["applicationState"]["state"] == "RUNNING"
        assert "RUNNING" in app["status"]["executorState"].values()


async def test_a_python_worker_can_be_killed_without_any_pod_failing(drill: Open) -> None:
    async with drill("python-worker") as api:
        kept = await api.get(PODS, labelSelector="spark-role=executor,sparkoperator.k8s.io/app-name=etl-orders")
        killed = [p for p in kept["items"] if (terminated(p) or {}).get("reason") == "OOMKilled"]
        assert killed and all(terminated(p)["exitCode"] == 0 for p in killed)  # type: ignore[index]
        assert {p["status"]["phase"] for p in killed} == {"Succeeded"}
        _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
        assert "Python worker exited unexpectedly (crashed)" in log
        await api.patch_app({"executor": {"memoryOverhead": "1650m"}})
        await run_to(api, "COMPLETED")


async def test_results_over_the_limit_end_the_job_with_the_real_sentence(drill: Open) -> None:
    async with drill("result-size") as api:
        assert state(api) == "FAILING"
        _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
        assert "is bigger than spark.driver.maxResultSize (1024.0 MiB)" in log
        await api.patch_app({"sparkConf": {"spark.driver.maxResultSize": "2g"}})
        await run_to(api, "RUNNING")
        await run_to(api, "FAILING")
        _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
        assert "TaskResultGetter: Exception while getting task result" in log, "the limit alone moves the failure"
        assert "java.lang.OutOfMemoryError: Java heap space" in log
        await api.patch_app({"driver": {"memory": "3200m"}})
        await run_to(api, "COMPLETED")


async def test_the_healthy_world_completes_without_a_page(drill: Open) -> None:
    async with drill("healthy") as api:
        assert state(api) == "COMPLETED" and api.session.alert is None
        await api.session.run_for(1800)
        assert await burn(api, "1h") < 1
        assert not await api.query("ALERTS")


# -- determinism -------------------------------------------------------------------------------------------------------


async def story(drill: Open, seed: int) -> bytes:
    async with drill("default", seed=seed) as api:
        seen: list[bytes] = []
        api.session.world.store.watch(lambda c: seen.append(json.dumps([c.version, c.type, c.object]).encode()))
        await api.session.run_for(150)
        await api.patch_app({"executor": {"memoryOverhead": "2g"}})
        await api.session.run_for(150)
        _, log = await api.call("GET", f"{PODS}/etl-orders-driver/log")
        _, series = await api.prom("query", query='container_memory_working_set_bytes{container=~"spark.*"}')
        return b"\n".join([*seen, str(log).encode(), json.dumps(series).encode()])


async def test_the_same_seed_gives_the_same_bytes_and_another_does_not(drill: Open) -> None:
    first = await story(drill, 7)
    assert first == await story(drill, 7)
    assert first != await story(drill, 8)
