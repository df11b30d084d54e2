"""Alertmanager's answers (recordings of 0.33) and the payloads that people and webhooks hand over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from console.base.errors import DocumentError, ReachError
from console.sources.prometheus.alertmanager import Alertmanager, read_payload
from console.wire.endpoint import UrlEndpoint
from console.wire.errors import InvalidError, NotFoundError, UnavailableError
from tests.wire.peer import Peer, recorded


@pytest.fixture
async def alertmanager(peer: Peer) -> AsyncIterator[Alertmanager]:
    endpoint = UrlEndpoint(peer.url)
    yield Alertmanager(endpoint)
    await endpoint.close()


async def test_alerts_silenced_ones_among_them(peer: Peer, alertmanager: Alertmanager) -> None:
    peer.answer("/api/v2/alerts", recorded("alertmanager/alerts.json"))
    alerts = await alertmanager.alerts()
    first = alerts[0]
    assert first.name == "SparkDriverDown" and first.annotations["summary"].startswith("Spark driver")
    assert first.since is not None and first.labels["severity"] == "page" and first.state == "firing"
    assert {a.silenced for a in alerts} == {True, False}
    assert peer.last("/api/v2/alerts").query["silenced"] == "true"


async def test_silences_that_still_hold(peer: Peer, alertmanager: Alertmanager) -> None:
    peer.answer("/api/v2/silences", recorded("alertmanager/silences.json"))
    silences = await alertmanager.silences()
    assert silences and all(s.state in ("active", "pending") for s in silences)
    assert all("=" in matcher and '"' in matcher for s in silences for matcher in s.matchers)


@pytest.mark.parametrize(
    ("body", "status", "content_type", "says", "kind"),
    [
        ('"silence not found"', 404, "application/json", "HTTP 404: silence not found", NotFoundError),
        (
            '{"code":612,"message":"alerts in body is required"}',
            422,
            "application/json",
            "alerts in body is required",
            InvalidError,
        ),
        ("", 500, "text/plain", "HTTP 500: no reason given", UnavailableError),
        ("<html>", 200, "text/html", "is no Alertmanager", ReachError),
        ("{}", 200, "application/json", "makes no sense", ReachError),
        ('[{"labels":{"a":5}}]', 200, "application/json", "makes no sense", ReachError),
    ],
)
async def test_what_goes_wrong(
    peer: Peer, alertmanager: Alertmanager, body: str, status: int, content_type: str, says: str, kind: type[Exception]
) -> None:
    peer.answer("/api/v2/alerts", body, status=status, content_type=content_type)
    with pytest.raises(kind) as caught:
        await alertmanager.alerts()
    assert type(caught.value) is kind and says in str(caught.value)


# Payloads

ONE = {
    "status": "firing",
    "labels": {"alertname": "SparkExecutorOOM", "namespace": "jobs", "pod": "etl-exec-1"},
    "annotations": {"summary": "x token=hunter2"},
    "startsAt": "2026-11-23T09:39:49.307Z",
}


@pytest.mark.parametrize(
    "payload",
    [
        {"version": "4", "status": "firing", "alerts": [ONE], "groupLabels": {}},
        [{**ONE, "status": {"state": "active", "silencedBy": []}}],
        {"status": "success", "data": {"alerts": [{**ONE, "state": "firing", "status": None}]}},
        ONE,
    ],
)
def test_every_shape_gives_the_alert(payload: Any) -> None:
    (alert,) = read_payload(json.dumps(payload), "alert.json")
    assert alert.name == "SparkExecutorOOM" and alert.labels["pod"] == "etl-exec-1" and alert.state == "firing"
    assert alert.since == 1795426789.307 and "hunter2" not in alert.annotations["summary"]
    assert alert.origin.locator.startswith("alert.json")


def test_a_resolved_alert_says_so() -> None:
    (alert,) = read_payload(json.dumps({"alerts": [{**ONE, "status": "resolved"}]}), "x")
    assert alert.state == "resolved"


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ('{\n "alerts": [\n  nonsense\n ]}', 3, "", "no JSON"),
        ('{\n "alerts": [', 2, "", "no JSON"),
        ("", 1, "", "no JSON"),
        ("5", 0, "", "no alert payload"),
        ("{}", 0, "", "no alert payload"),
        ('{"alerts": []}', 0, "alerts", "no alert in it"),
        ('{"alerts": [5]}', 0, "alerts[0].", "must be an object"),
        ('{"alerts": [{"labels": {"a": "b"}}]}', 0, "alerts[0].labels.alertname", "needs the label alertname"),
        ('{"alerts": [{}]}', 0, "alerts[0].labels", "needs labels"),
        ('{"alerts": [{"labels": {"alertname": 5}}]}', 0, "alerts[0].labels", "must be text"),
        ('{"data": {"alerts": [{"labels": {"alertname": "x"}, "annotations": 5}]}}', 0,
         "data.alerts[0].annotations", "must be an object"),
        ("[" * 5_000, 0, "", "no JSON"),
    ],
)  # fmt: skip
def test_bad_payloads_are_named(text: str, line: int, key: str, says: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_payload(text, "alert.json")
    assert caught.value.file == "alert.json" and caught.value.key == key and says in caught.value.message
    assert caught.value.line == line or text.startswith("[[")
