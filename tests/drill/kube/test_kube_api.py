"""The API server's wire: lists, watches, patches, refusals, reviews, logs and proxies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from console.drill.kube.access import DenyRule
from console.drill.kube.record import Write
from tests.drill.conftest import APP, APPS, JSON_PATCH, MERGE, PODS, Api, run_to

Open = Callable[..., AbstractAsyncContextManager[Api]]
DRIVER = f"{PODS}/etl-orders-driver"


@asynccontextmanager
async def watching(api: Api, path: str, **query: str) -> AsyncIterator[Callable[[], Any]]:
    """`await next_event()` of a watch."""
    url, headers = api.session.kube_url + path, {"Authorization": f"Bearer {api.session.token}"}
    async with api.http.get(url, params={"watch": "true", **query}, headers=headers) as response:
        assert response.status == 200

        async def next_event() -> Any:
            line = await asyncio.wait_for(response.content.readline(), 60)
            return json.loads(line) if line else None

        yield next_event


# -- reading -----------------------------------------------------------------------------------------------------------


async def test_discovery_names_both_spark_operators(young: Api) -> None:
    groups = await young.get("/apis")
    assert {"sparkoperator.k8s.io", "spark.apache.org", "apps", "events.k8s.io"} <= {
        g["name"] for g in groups["groups"]
    }
    listed = await young.get("/apis/sparkoperator.k8s.io/v1beta2")
    entry = next(r for r in listed["resources"] if r["name"] == "sparkapplications")
    assert entry["kind"] == "SparkApplication" and entry["shortNames"] == ["sparkapp"] and entry["namespaced"]
    assert (await young.get("/version"))["gitVersion"] == "v1.37.2"
    assert (await young.get("/api"))["versions"] == ["v1"]


async def test_every_way_to_run_spark_is_there(young: Api) -> None:
    apache = await young.get("/apis/spark.apache.org/v1/namespaces/spark-prod/sparkapplications/ledger-close")
    assert apache["status"]["currentState"]["currentStateSummary"] == "RunningHealthy"
    pods = (await young.get(PODS, labelSelector="spark.operator/spark-app-name=ledger-close"))["items"]
    assert sorted(p["metadata"]["labels"]["spark-role"] for p in pods) == ["driver", "executor", "executor"]
    connect = (await young.get(PODS, labelSelector="app=spark-connect"))["items"][0]
    assert "spark-role" not in connect["metadata"]["labels"]
    executors = (await young.get(PODS, labelSelector="spark-app-name=spark-connect-server"))["items"]
    owners = {p["metadata"]["ownerReferences"][0]["name"] for p in executors}
    assert len(executors) == 2 and owners == {connect["metadata"]["name"]}
    stream = await young.get(f"{APPS}/payments-stream")
    assert stream["status"]["applicationState"]["state"] == "RUNNING"
    assert len(stream["status"]["executorState"]) == 4
    assert connect["status"]["containerStatuses"][0]["state"]["running"]["startedAt"].startswith("2025-")
    drivers = {connect["metadata"]["name"]: "spark-connect-server", "payments-stream-driver": "payments-stream"}
    for pod, name in drivers.items():
        (app,) = await young.get(f"{PODS}/{pod}:4040/proxy/api/v1/applications")
        assert app["name"] == name and app["attempts"][0]["duration"] > 3600_000


async def test_lists_select_by_labels_and_fields(young: Api) -> None:
    some = await young.get(PODS, labelSelector="spark-role in (driver),sparkoperator.k8s.io/app-name=etl-orders")
    assert [p["metadata"]["name"] for p in some["items"]] == ["etl-orders-driver"]
    running = await young.get("/api/v1/pods", fieldSelector="status.phase=Running,spec.nodeName=node-041")
    assert running["items"] and all(p["spec"]["nodeName"] == "node-041" for p in running["items"])
    none = await young.get(PODS, labelSelector="spark-role,!spark-role")
    assert none["items"] == [] and none["kind"] == "PodList"
    events = await young.get("/api/v1/events", fieldSelector="involvedObject.name=etl-orders,type=Warning")
    assert events["items"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"fieldSelector": "spec.bogus=1"}, "field label not supported: spec.bogus"),
        ({"labelSelector": "=x"}, "unable to parse requirement: found '=', expected: identifier"),
        ({"continue": "###"}, "invalid continue token"),
    ],
)
async def test_bad_selectors_and_tokens_are_400(young: Api, query: dict[str, str], message: str) -> None:
    status, body = await young.call("GET", PODS, **query)
    assert (status, body["reason"], body["code"]) == (400, "BadRequest", 400)
    assert message in body["message"]


async def test_pages_are_one_snapshot(young: Api) -> None:
    whole = await young.get("/api/v1/pods")
    first = await young.get("/api/v1/pods", limit="4")
    assert first["metadata"]["remainingItemCount"] == len(whole["items"]) - 4
    await young.session.run_for(30)
    names, page = [p["metadata"]["name"] for p in first["items"]], first
    while "continue" in page["metadata"]:
        page = await young.get("/api/v1/pods", limit="4", **{"continue": page["metadata"]["continue"]})
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        names += [p["metadata"]["name"] for p in page["items"]]
    assert names == [p["metadata"]["name"] for p in whole["items"]]


async def test_versions_from_the_future_are_504_and_old_exact_ones_410(young: Api) -> None:
    status, body = await young.call("GET", PODS, resourceVersion="99999999")
    assert (status, body["reason"]) == (504, "Timeout")
    assert body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    status, body = await young.call("GET", PODS, resourceVersion="5", resourceVersionMatch="Exact")
    assert (status, body["reason"]) == (410, "Expired")


async def test_large_lists_are_compressed_for_who_accepts_it(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.session.token}", "Accept-Encoding": "gzip"}
    url = f"{api.session.kube_url}/api/v1/events"
    async with aiohttp.ClientSession(auto_decompress=False) as raw, raw.get(url, headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert (await response.read())[:2] == b"\x1f\x8b"


async def test_tables_print_what_kubectl_prints(young: Api) -> None:
    headers = {
        "Authorization": f"Bearer {young.session.token}",
        "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io",
    }
    async with young.http.get(young.session.kube_url + APP, headers=headers) as response:
        table = await response.json()
    names = ["Name", "Suspend", "Status", "Attempts", "Start", "Finish", "Age"]
    assert [c["name"] for c in table["columnDefinitions"]] == names
    (row,) = table["rows"]
    assert (
        row["cells"][:4] == ["etl-orders", None, "RUNNING", "12"] and row["object"]["kind"] == "PartialObjectMetadata"
    )
    async with young.http.get(
        young.session.kube_url + PODS, params={"includeObject": "None"}, headers=headers
    ) as response:
        table = await response.json()
    assert all("object" not in row for row in table["rows"])
    assert {"Running", "Completed"} <= {row["cells"][2] for row in table["rows"]}


async def test_events_have_two_shapes(young: Api) -> None:
    core = (await young.get("/api/v1/namespaces/spark-prod/events"))["items"]
    new = (await young.get("/apis/events.k8s.io/v1/namespaces/spark-prod/events"))["items"]
    assert len(core) == len(new)
    kubelet = next(e for e in new if e["reason"] == "Started")
    assert kubelet["note"] == "Container started" and kubelet["reportingController"] == "kubelet"
    assert kubelet["regarding"]["fieldPath"].startswith("spec.containers{spark-kubernetes-")
    scheduled = next(e for e in new if e["reason"] == "Scheduled")
    assert scheduled["eventTime"] and scheduled["deprecatedFirstTimestamp"] is None


async def test_events_of_either_group_print_as_the_same_rows_with_objects_in_its_own_shape(young: Api) -> None:
    headers = {
        "Authorization": f"Bearer {young.session.token}",
        "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io",
    }
    tables = []
    for group in ("api/v1", "apis/events.k8s.io/v1"):
        url = f"{young.session.kube_url}/{group}/namespaces/spark-prod/events"
        async with young.http.get(url, params={"includeObject": "Object"}, headers=headers) as response:
            assert response.status == 200
            tables.append((await response.json())["rows"])
    core, new = tables
    assert [row["cells"] for row in new] == [row["cells"] for row in core]
    assert {row["object"]["apiVersion"] for row in new} == {"events.k8s.io/v1"}
    assert {row["object"]["apiVersion"] for row in core} == {"v1"}


# -- watching ----------------------------------------------------------------------------------------------------------


async def test_a_watch_goes_on_from_a_list(young: Api) -> None:
    listed = await young.get(PODS)
    async with watching(young, PODS, resourceVersion=listed["metadata"]["resourceVersion"]) as following:
        await young.session.run_for(30)
        event = await following()
        assert event["type"] in ("ADDED", "MODIFIED", "DELETED")
        assert int(event["object"]["metadata"]["resourceVersion"]) > int(listed["metadata"]["resourceVersion"])


async def test_a_streaming_list_ends_with_a_marked_bookmark(young: Api) -> None:
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with watching(young, PODS, labelSelector="spark-role=driver", **query) as following:
        while (event := await following())["type"] == "ADDED":
            assert event["object"]["metadata"]["labels"]["spark-role"] == "driver"
        assert event["type"] == "BOOKMARK"
        assert event["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_objects_enter_and_leave_a_selecting_watch(young: Api) -> None:
    listed = await young.get(APPS, labelSelector="drill=yes")
    version = listed["metadata"]["resourceVersion"]
    async with watching(young, APPS, labelSelector="drill=yes", resourceVersion=version) as following:
        await young.call("PATCH", APP, {"metadata": {"labels": {"drill": "yes"}}}, kind=MERGE)
        assert (await following())["type"] == "ADDED"
        await young.call("PATCH", APP, {"metadata": {"labels": {"drill": None}}}, kind=MERGE)
        assert (await following())["type"] == "DELETED"


async def test_a_watch_from_a_forgotten_version_gets_one_error_event(young: Api) -> None:
    listed = await young.get(PODS)
    await young.session.run_for(5)
    young.session.world.store.compact()
    async with watching(young, PODS, resourceVersion=listed["metadata"]["resourceVersion"]) as following:
        event = await following()
        assert event["type"] == "ERROR" and event["object"]["code"] == 410
        assert event["object"]["message"].startswith("too old resource version: ")
        assert await following() is None


async def test_bookmarks_can_be_asked_for_and_watches_end_in_time(young: Api) -> None:
    listed = await young.get("/api/v1/nodes")
    version = listed["metadata"]["resourceVersion"]
    query = {"resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": "1"}
    async with watching(young, "/api/v1/nodes", **query) as following:
        await young.session.run_for(20)
        young.session.kube.watches.bookmark()
        event = await following()
        assert event["type"] == "BOOKMARK"
        assert event["object"]["metadata"]["resourceVersion"] == str(young.session.world.store.version)
        assert await following() is None


# -- writing -----------------------------------------------------------------------------------------------------------


async def test_a_json_patch_whose_test_fails_changes_nothing(young: Api) -> None:
    path = "/spec/executor/memoryOverhead"
    wrong = [{"op": "test", "path": path, "value": "9g"}, {"op": "replace", "path": path, "value": "2g"}]
    status, body = await young.call("PATCH", APP, wrong, kind=JSON_PATCH)
    assert (status, body["reason"]) == (422, "Invalid")
    assert body["message"] == "the server rejected our request due to an error in our request"
    wrong[0]["value"] = "1100m"
    status, body = await young.call("PATCH", APP, wrong, kind=JSON_PATCH)
    assert status == 200 and body["spec"]["executor"]["memoryOverhead"] == "2g"
    assert body["metadata"]["generation"] == 2
    assert [(w.code, w.changed) for w in young.session.writes] == [(422, False), (200, True)]


async def test_a_dry_run_shows_the_result_and_stores_nothing(young: Api) -> None:
    before = await young.get(APP)
    shown = await young.patch_app({"executor": {"memoryOverhead": "2g"}}, dryRun="All")
    assert shown["spec"]["executor"]["memoryOverhead"] == "2g" and shown["metadata"]["generation"] == 2
    assert await young.get(APP) == before
    assert [w.dry_run for w in young.session.writes] == [True] and young.session.changes == []


async def test_an_annotation_alone_moves_no_generation_and_restarts_nothing(young: Api) -> None:
    body = {"metadata": {"annotations": {"console.dev/walk": "w1/1"}}}
    status, after = await young.call("PATCH", APP, body, kind=MERGE, fieldManager="console")
    assert status == 200 and after["metadata"]["generation"] == 1
    assert "console" in [e["manager"] for e in after["metadata"]["managedFields"]]
    await young.session.run_for(5)
    assert (await young.get(APP))["status"]["applicationState"]["state"] == "RUNNING"


async def test_managers_of_the_fields_are_named(young: Api) -> None:
    after = await young.patch_app({"executor": {"memoryOverhead": "2g"}}, fieldManager="console")
    mine = next(e for e in after["metadata"]["managedFields"] if e["manager"] == "console")
    assert mine["fieldsV1"] == {"f:spec": {"f:executor": {"f:memoryOverhead": {}}}}
    assert {"spark-operator", "console"} == {e["manager"] for e in after["metadata"]["managedFields"]}


async def test_unknown_fields_are_dropped_with_a_warning(young: Api) -> None:
    body = json.dumps({"spec": {"executor": {"memoryOverheadd": "2g"}}})
    headers = {"Content-Type": MERGE, "Authorization": f"Bearer {young.session.token}"}
    async with young.http.patch(young.session.kube_url + APP, data=body, headers=headers) as response:
        assert response.status == 200
        assert "unknown field spec.executor.memoryOverheadd" in response.headers["Warning"]
        assert "memoryOverheadd" not in (await response.json())["spec"]["executor"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"executor": {"memory": 2048}}, "spec.executor.memory"),
        ({"executor": {"instances": "6"}}, "spec.executor.instances"),
        ({"type": "Perl"}, "spec.type"),
        ({"executor": None}, "spec.executor"),
        ({"mainApplicationFile": None}, "spec.mainApplicationFile"),
    ],
)
async def test_what_the_schema_forbids_is_422_with_its_field(young: Api, spec: dict[str, Any], field: str) -> None:
    status, body = await young.call("PATCH", APP, {"spec": spec}, kind=MERGE)
    assert (status, body["reason"], body["details"]["causes"][0]["field"]) == (422, "Invalid", field)


async def test_refusals_have_real_bodies(young: Api) -> None:
    status, body = await young.call("GET", f"{APPS}/ghost")
    assert (status, body["message"]) == (404, 'sparkapplications.sparkoperator.k8s.io "ghost" not found')
    assert body["details"] == {"name": "ghost", "group": "sparkoperator.k8s.io", "kind": "sparkapplications"}
    status, body = await young.call("PATCH", APP, {}, kind="text/plain")
    assert (status, body["reason"]) == (415, "UnsupportedMediaType")
    status, body = await young.call("PATCH", APP, {}, kind="application/strategic-merge-patch+json")
    assert status == 415
    status, body = await young.call("POST", PODS, b"{nope")
    assert (status, body["reason"]) == (400, "BadRequest")
    old = await young.get(APP)
    await young.call("PATCH", APP, {"metadata": {"labels": {"a": "b"}}}, kind=MERGE)
    status, body = await young.call("PUT", APP, old)
    assert (status, body["reason"]) == (409, "Conflict") and "the object has been modified" in body["message"]
    status, body = await young.call("GET", "/api/v1/nopes")
    assert (status, body["message"]) == (404, "the server could not find the requested resource")


async def test_creating_twice_is_409_and_bad_names_are_422(young: Api) -> None:
    maps = "/api/v1/namespaces/spark-prod/configmaps"
    body = {"metadata": {"name": "notes"}, "data": {"a": "b"}}
    assert (await young.call("POST", maps, body))[0] == 201
    status, again = await young.call("POST", maps, body)
    assert (status, again["reason"]) == (409, "AlreadyExists")
    status, bad = await young.call("POST", maps, {"metadata": {"name": "Bad_Name"}})
    assert (status, bad["reason"]) == (422, "Invalid") and "RFC 1123" in bad["message"]
    status, bad = await young.call("POST", "/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "x"}})
    assert (status, bad["message"]) == (404, 'namespaces "nowhere" not found')
    assert (await young.call("DELETE", f"{maps}/notes"))[1]["status"] == "Success"


async def test_a_lease_can_be_taken_renewed_and_given_back(young: Api) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/spark-prod/leases"
    body = {"metadata": {"name": "console-etl-orders"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}
    status, made = await young.call("POST", leases, body)
    assert status == 201
    made["spec"]["holderIdentity"] = "you"
    status, taken = await young.call("PUT", f"{leases}/console-etl-orders", made)
    assert status == 200 and taken["spec"]["holderIdentity"] == "you"
    assert (await young.call("PUT", f"{leases}/console-etl-orders", made))[0] == 409
    assert (await young.call("DELETE", f"{leases}/console-etl-orders"))[0] == 200
    assert young.session.changes == [], "locks are no changes of the incident"


async def test_deletes_honour_preconditions_grace_and_dry_run(young: Api) -> None:
    pod = await young.get(DRIVER)
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    status, body = await young.call("DELETE", DRIVER, wrong)
    assert (status, body["reason"]) == (409, "Conflict") and "the UID in the precondition" in body["message"]
    assert (await young.call("DELETE", DRIVER, dryRun="All"))[0] == 200
    assert "deletionTimestamp" not in (await young.get(DRIVER))["metadata"]
    status, going = await young.call("DELETE", DRIVER, {"preconditions": {"uid": pod["metadata"]["uid"]}})
    assert status == 200 and going["metadata"]["deletionGracePeriodSeconds"] == 30
    await young.session.run_for(5)
    assert (await young.call("GET", DRIVER))[0] == 404


async def test_a_deleted_driver_fails_the_run_and_the_operator_starts_another(young: Api) -> None:
    await young.call("DELETE", DRIVER)
    await run_to(young, "FAILING")
    assert (await young.get(APP))["status"]["applicationState"]["errorMessage"].startswith("driver ")
    await run_to(young, "RUNNING")


async def test_a_deleted_executor_ends_143_and_the_driver_says_who(young: Api) -> None:
    pods = await young.get(PODS, labelSelector="spark-role=executor,sparkoperator.k8s.io/app-name=etl-orders")
    name, number = pods["items"][0]["metadata"]["name"], pods["items"][0]["metadata"]["labels"]["spark-exec-id"]
    await young.call("DELETE", f"{PODS}/{name}")
    await young.session.run_for(4)
    _, log = await young.call("GET", f"{DRIVER}/log")
    assert f"The executor with id {number} was deleted by a user or the framework." in log


async def test_the_eviction_api_marks_its_victim(young: Api) -> None:
    pods = await young.get(PODS, labelSelector="spark-role=executor,sparkoperator.k8s.io/app-name=etl-orders")
    pod = pods["items"][0]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"]}}
    status, _ = await young.call("POST", f"{PODS}/{pod['metadata']['name']}/eviction", body)
    assert status == 201
    gone = await young.get(f"{PODS}/{pod['metadata']['name']}")
    condition = next(c for c in gone["status"]["conditions"] if c["type"] == "DisruptionTarget")
    assert condition["reason"] == "EvictionByEvictionAPI" and "deletionTimestamp" in gone["metadata"]


async def test_a_rollout_replaces_the_pods_of_a_deployment(young: Api) -> None:
    path = "/apis/apps/v1/namespaces/spark-prod/deployments/hive-metastore"
    before = {p["metadata"]["name"] for p in (await young.get(PODS, labelSelector="app=hive-metastore"))["items"]}
    patch = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    kind = "application/strategic-merge-patch+json"
    assert (await young.call("PATCH", path, patch, kind=kind))[0] == 200
    await young.session.run_for(20)
    after = {p["metadata"]["name"] for p in (await young.get(PODS, labelSelector="app=hive-metastore"))["items"]}
    assert len(after) == 1 and not after & before
    assert (await young.get(path))["status"]["availableReplicas"] == 1


async def test_hooks_see_a_write_before_it_is_applied_and_before_it_is_answered(young: Api) -> None:
    seen: list[tuple[str, int, int]] = []

    async def before(write: Write) -> None:
        seen.append(("apply", write.code, young.session.world.store.version))

    async def after(write: Write) -> None:
        seen.append(("answer", write.code, young.session.world.store.version))

    young.session.kube.before_apply, young.session.kube.before_answer = before, after
    await young.patch_app({"executor": {"memoryOverhead": "2g"}})
    (first, none, version), (second, code, later) = seen
    assert (first, none, second, code) == ("apply", 0, "answer", 200) and later > version


# -- who may -----------------------------------------------------------------------------------------------------------


async def test_a_wrong_token_is_401(young: Api) -> None:
    async with young.http.get(f"{young.session.kube_url}/api", headers={"Authorization": "Bearer nope"}) as response:
        assert response.status == 401 and (await response.json())["reason"] == "Unauthorized"


async def test_a_viewer_reads_and_is_refused_every_write(young: Api) -> None:
    headers = {"Authorization": f"Bearer {young.session.viewer_token}", "Content-Type": MERGE}
    async with young.http.get(young.session.kube_url + APP, headers=headers) as response:
        assert response.status == 200
    async with young.http.patch(young.session.kube_url + APP, data=b"{}", headers=headers) as response:
        body = await response.json()
    assert response.status == 403
    assert body["message"] == (
        'sparkapplications.sparkoperator.k8s.io "etl-orders" is forbidden: User "drill-viewer" cannot patch resource '
        '"sparkapplications" in API group "sparkoperator.k8s.io" in the namespace "spark-prod"'
    )


async def review(api: Api, verb: str, resource: str, group: str = "", namespace: str = "spark-prod") -> bool:
    wanted = {"verb": verb, "resource": resource, "group": group, "namespace": namespace}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status, body = await api.call("POST", path, {"spec": {"resourceAttributes": wanted}})
    assert status == 201
    return bool(body["status"]["allowed"])


async def test_denied_rules_are_refused_and_known_to_the_reviews(drill: Open) -> None:
    denied = (DenyRule(verbs=("list", "watch"), resources=("nodes",)),)
    async with drill("default", denied=denied) as api:
        status, body = await api.call("GET", "/api/v1/nodes")
        assert status == 403
        assert 'cannot list resource "nodes" in API group "" at the cluster scope' in body["message"]
        assert await api.get("/api/v1/nodes/node-041")
        assert not await review(api, "list", "nodes", namespace="")
        assert await review(api, "patch", "sparkapplications", "sparkoperator.k8s.io")
        api.session.deny(DenyRule(verbs=("patch",), resources=("sparkapplications",)))
        assert not await review(api, "patch", "sparkapplications", "sparkoperator.k8s.io")
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        _, rules = await api.call("POST", path, {"spec": {"namespace": "spark-prod"}})
        rule = next(r for r in rules["status"]["resourceRules"] if r["resources"] == ["sparkapplications"])
        assert "patch" not in rule["verbs"] and "get" in rule["verbs"] and rules["status"]["incomplete"] is False


# -- logs and proxies --------------------------------------------------------------------------------------------------


async def test_logs_have_tails_times_and_limits(young: Api) -> None:
    _, tail = await young.call("GET", f"{DRIVER}/log", tailLines="2")
    assert tail.count("\n") == 2
    _, stamped = await young.call("GET", f"{DRIVER}/log", tailLines="1", timestamps="true")
    assert stamped.startswith("2026-01-12T10:4") and "Z " in stamped
    _, short = await young.call("GET", f"{DRIVER}/log", limitBytes="10")
    assert len(short) == 10
    _, none = await young.call("GET", f"{DRIVER}/log", sinceSeconds="1")
    _, everything = await young.call("GET", f"{DRIVER}/log")
    assert len(none) < len(everything)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"tailLines": "-1"}, 422, "must be greater than or equal to 0"),
        ({"sinceSeconds": "abc"}, 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ({"container": "nope"}, 400, "container nope is not valid for pod etl-orders-driver"),
        ({"previous": "true"}, 400, 'previous terminated container "spark-kubernetes-driver"'),
    ],
)
async def test_bad_log_options_are_refused(young: Api, query: dict[str, str], status: int, message: str) -> None:
    code, body = await young.call("GET", f"{DRIVER}/log", **query)
    assert code == status and message in body["message"]


async def test_a_container_that_starts_has_no_log_yet(young: Api) -> None:
    await young.call("DELETE", DRIVER)
    session = young.session
    while True:
        await session.step()
        status, body = await young.call("GET", f"{DRIVER}/log")
        if status == 400:
            break
    assert body["message"].endswith("is waiting to start: ContainerCreating")


async def test_a_followed_log_grows_and_ends_with_its_container(young: Api) -> None:
    url, headers = f"{young.session.kube_url}{DRIVER}/log", {"Authorization": f"Bearer {young.session.token}"}
    async with young.http.get(url, params={"follow": "true", "tailLines": "1"}, headers=headers) as response:
        await response.content.readline()
        await young.session.run_for(120)
        await young.call("DELETE", DRIVER)
        await young.session.run_for(10)
        rest = await asyncio.wait_for(response.content.read(), 60)
    assert b"SparkContext: Successfully stopped SparkContext" in rest


async def test_proxies_reach_spark_and_prometheus_and_nothing_else(young: Api) -> None:
    version = await young.get("/api/v1/namespaces/spark-prod/pods/etl-orders-driver:4040/proxy/api/v1/version")
    assert version == {"spark": "4.1.4"}
    prom = "/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy/api/v1/query"
    assert (await young.get(prom, query="1"))["data"]["result"][1] == "1"
    named = "/api/v1/namespaces/monitoring/services/prometheus:web/proxy/api/v1/query"
    assert (await young.get(named, query="1"))["status"] == "success"
    status, body = await young.call("GET", "/api/v1/namespaces/spark-prod/pods/etl-orders-driver:9999/proxy/")
    assert status == 503 and "connection refused" in body["message"]
    status, body = await young.call("GET", "/api/v1/namespaces/spark-prod/pods/ghost:4040/proxy/")
    assert status == 404
    young.session.deny(DenyRule(resources=("pods/proxy",)))
    status, body = await young.call("GET", "/api/v1/namespaces/spark-prod/pods/etl-orders-driver:4040/proxy/")
    assert status == 403
