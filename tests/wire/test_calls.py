"""Requests of scripts are read in one way only: what has two readings, or leads elsewhere, does not pass."""

from __future__ import annotations

from typing import Any

import pytest

from console.wire.calls import (
    JSON_PATCH,
    CallGrant,
    CallRefused,
    judged,
    named,
    read_body,
    read_call,
    write_query,
    written,
)

POD = "/api/v1/namespaces/jobs/pods/etl"
STAMP = ("console.oncall/effect", "w-1/1")
PRESENT: dict[str, Any] = {"metadata": {"uid": "u-1", "resourceVersion": "7", "annotations": {"a": "b"}}}


@pytest.mark.parametrize(
    ("method", "path", "watch", "wanted"),
    [
        ("GET", POD, False, "get pods jobs/etl"),
        ("GET", POD + "/log", False, "get pods/log jobs/etl"),
        ("GET", "/api/v1/pods", True, "watch pods"),
        ("GET", "/apis/apps/v1/namespaces/jobs/deployments", False, "list deployments jobs/"),
        ("GET", "/api/v1/namespaces/jobs", False, "get namespaces jobs"),
        ("GET", "/apis/apps/v1/", False, "discover /apis/apps/v1"),
        ("DELETE", "/api/v1/namespaces/jobs/pods", False, "deletecollection pods jobs/"),
        ("POST", POD + "/eviction", False, "create pods/eviction jobs/etl"),
    ],
)
def test_a_request_is_read_as_the_server_reads_it(method: str, path: str, watch: bool, wanted: str) -> None:
    assert read_call(method, path, watch=watch).words == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/jobs/pods%2fetl", "/api/v1/namespaces/%2e%2e/secrets", "/api/v1//pods", "/api/v1/pods/a%00",
        "/api/v1/watch/secrets", "/api/v1/proxy/namespaces/x/pods/y", POD + "/proxy/kill", "/metrics", "/logs/x",
    ],
)  # fmt: skip
def test_what_leads_elsewhere_or_has_two_readings_does_not_pass(path: str) -> None:
    with pytest.raises(CallRefused):
        read_call("GET", path)


def test_other_methods_do_not_pass() -> None:
    for method in ("HEAD", "OPTIONS", "CONNECT", "TRACE", "get"):
        with pytest.raises(CallRefused):
            read_call(method, POD)


def test_a_dry_run_says_so_whatever_the_script_has_said() -> None:
    assert ("dryRun", "All") in write_query([], "PATCH", "dry run", "m")
    assert write_query([("dryRun", "All"), ("dryRun", "All")], "DELETE", "dry run", "m") == [("dryRun", "All")]
    assert write_query([("force", "true")], "PATCH", "confirmed", "m") == [("force", "true"), ("fieldManager", "m")]
    for value in ("", "None", "all"):
        with pytest.raises(CallRefused):
            write_query([("dryRun", value)], "PATCH", "dry run", "m")


def test_a_deletion_says_it_in_its_body_too_and_names_the_object_by_its_uid() -> None:
    call = read_call("DELETE", POD)
    sent = written(call, {"kind": "DeleteOptions", "dryRun": []}, "application/json", PRESENT, STAMP, dry_run=True)
    assert (sent["dryRun"], sent["preconditions"]) == (["All"], {"uid": "u-1"})
    assert "dryRun" not in written(call, None, "", PRESENT, STAMP, dry_run=False)


def test_an_eviction_is_tried_in_its_body() -> None:
    call = read_call("POST", POD + "/eviction")
    sent = written(call, {"metadata": {"name": "etl"}}, "application/json", PRESENT, STAMP, dry_run=True)
    assert sent["deleteOptions"] == {"preconditions": {"uid": "u-1"}, "dryRun": ["All"]}


def test_every_patch_is_stamped_and_pinned() -> None:
    call = read_call("PATCH", POD)
    merge = written(call, {"spec": {}}, "application/merge-patch+json", PRESENT, STAMP, dry_run=False)
    assert merge["metadata"] == {"annotations": {STAMP[0]: STAMP[1]}, "resourceVersion": "7"}
    first, last = {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}, "/metadata/annotations"
    added = {"op": "add", "path": last + "/console.oncall~1effect", "value": "w-1/1"}
    assert written(call, [], JSON_PATCH, PRESENT, STAMP, dry_run=False) == [first, added]
    bare = {"metadata": {"resourceVersion": "7"}}
    whole = {"op": "add", "path": last, "value": {STAMP[0]: STAMP[1]}}
    assert written(call, [], JSON_PATCH, bare, STAMP, dry_run=False) == [first, whole]
    own = [{"op": "add", "path": last, "value": {"x": "y"}}]
    assert written(call, own, JSON_PATCH, bare, STAMP, dry_run=False) == [first, *own, added]
    for tree in ([{"op": "add", "path": "/metadata", "value": {}}], [{"op": "replace", "path": "", "value": {}}]):
        with pytest.raises(CallRefused):
            written(call, tree, JSON_PATCH, PRESENT, STAMP, dry_run=False)
    for metadata in (None, [], {"annotations": None}):
        with pytest.raises(CallRefused):
            written(call, {"metadata": metadata}, "application/merge-patch+json", PRESENT, STAMP, dry_run=False)


def test_only_what_is_declared_is_let_through() -> None:
    grant = CallGrant(("create",), "", "configmaps", "jobs", "made")
    call = read_call("POST", "/api/v1/namespaces/jobs/configmaps")
    assert judged(named(call, {"metadata": {"name": "made"}}), "confirmed", [grant]) is grant
    for body in ({"metadata": {"name": "other"}}, {"metadata": {"generateName": "made"}}, {}, []):
        with pytest.raises(CallRefused, match="the step does not declare"):
            judged(named(call, body), "confirmed", [grant])
    with pytest.raises(CallRefused, match="only reads"):
        judged(named(call, {"metadata": {"name": "made"}}), "read", [grant])
    with pytest.raises(CallRefused, match="Secrets"):
        judged(read_call("GET", "/api/v1/secrets"), "confirmed", [grant])


def test_a_body_that_cannot_be_judged_does_not_pass() -> None:
    for media_type, body in (("application/vnd.kubernetes.protobuf", b"k8s"), ("application/json", b"{"), ("", b"")):
        with pytest.raises(CallRefused):
            read_body("POST", media_type, body)
    for media_type, tree in ((JSON_PATCH, b"{}"), (JSON_PATCH, b"[1]"), ("application/merge-patch+json", b"[]")):
        with pytest.raises(CallRefused):
            read_body("PATCH", media_type, tree)
    assert read_body("DELETE", "", b"") is None
