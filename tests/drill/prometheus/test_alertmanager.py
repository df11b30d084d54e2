"""Alertmanager's API v2: what fires, silences, and the page."""

from __future__ import annotations

from typing import Any

import pytest

from console.drill.prometheus.alertmanager import fingerprint
from console.drill.prometheus.silences import millis
from tests.drill.conftest import Api


async def call(api: Api, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
    url = f"{api.session.alertmanager_url}/api/v2/{path}"
    async with api.http.request(method, url, json=body, params=query) as response:
        text = await response.text()
        return response.status, await response.json() if text else None


def silence(api: Api, **changed: Any) -> dict[str, Any]:
    now = api.session.now
    matcher = {"name": "alertname", "value": "SparkExecutorOOMKilled", "isRegex": False, "isEqual": True}
    body = {"matchers": [matcher], "startsAt": millis(now), "endsAt": millis(now + 3600)}
    return {**body, "createdBy": "oncall@example.com", "comment": "known", **changed}


def test_the_fingerprint_is_the_one_of_prometheus() -> None:
    """Recorded: alertmanager 0.33.1, the alert Watchdog."""
    labels = (("alertname", "Watchdog"), ("cluster", "testbed"), ("severity", "none"))
    assert fingerprint(labels) == "560e986a09333d41"


async def test_firing_alerts_have_the_recorded_fields(api: Api) -> None:
    _, alerts = await call(api, "GET", "alerts")
    alert = next(a for a in alerts if a["labels"]["alertname"] == "SparkExecutorOOMKilled")
    assert set(alert) == {
        "annotations", "endsAt", "fingerprint", "receivers", "startsAt", "status", "updatedAt", "generatorURL",
        "labels",
    }  # fmt: skip
    assert alert["status"] == {"inhibitedBy": [], "silencedBy": [], "state": "active"}
    _, groups = await call(api, "GET", "alerts/groups")
    assert {g["labels"]["alertname"] for g in groups} == {a["labels"]["alertname"] for a in alerts}
    _, some = await call(api, "GET", "alerts", filter='app="etl-orders"')
    assert [a["labels"]["alertname"] for a in some] == ["SparkExecutorOOMKilled"]


async def test_a_silence_mutes_until_it_expires(api: Api) -> None:
    _, made = await call(api, "POST", "silences", silence(api))
    _, alerts = await call(api, "GET", "alerts", filter='app="etl-orders"')
    assert alerts[0]["status"] == {"inhibitedBy": [], "silencedBy": [made["silenceID"]], "state": "suppressed"}
    _, loud = await call(api, "GET", "alerts", silenced="false")
    assert "SparkExecutorOOMKilled" not in {a["labels"]["alertname"] for a in loud}
    _, one = await call(api, "GET", f"silence/{made['silenceID']}")
    assert one["status"] == {"state": "active"} and one["comment"] == "known"
    assert (await call(api, "DELETE", f"silence/{made['silenceID']}"))[0] == 200
    _, one = await call(api, "GET", f"silence/{made['silenceID']}")
    assert one["status"] == {"state": "expired"}


@pytest.mark.parametrize(
    ("changed", "status", "body"),
    [
        ({"matchers": []}, 422, {"code": 612, "message": "matchers in body should have at least 1 items"}),
        ({"comment": ""}, 422, {"code": 602, "message": "comment in body is required"}),
        ({"endsAt": "2020-01-01T00:00:00Z"}, 400, "Failed to create silence: start time must be before end time"),
        (
            {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
            400,
            "silence invalid: at least one matcher must not match the empty string",
        ),
    ],
)
async def test_bad_silences_are_refused_in_three_forms(young: Api, changed: Any, status: int, body: Any) -> None:
    assert await call(young, "POST", "silences", silence(young, **changed)) == (status, body)


async def test_unknown_things_are_refused(young: Api) -> None:
    unknown = "silence/00000000-0000-0000-0000-000000000000"
    assert await call(young, "DELETE", unknown) == (500, "silence not found")
    assert (await call(young, "DELETE", "silence/xyz"))[1]["code"] == 601
    assert await call(young, "GET", "alerts", filter="==") == (400, "bad matcher format: ==")
    assert await call(young, "GET", "nope") == (404, {"code": 404, "message": "path /api/v2/nope was not found"})


async def test_the_page_is_a_webhook_payload(api: Api) -> None:
    page = api.session.alert
    assert page is not None
    assert page["version"] == "4" and page["status"] == "firing" and page["truncatedAlerts"] == 0
    assert page["groupKey"] == '{}:{alertname="SparkExecutorOOMKilled"}'
    assert page["commonLabels"]["app"] == "etl-orders" and page["commonLabels"]["namespace"] == "spark-prod"
    (alert,) = page["alerts"]
    assert alert["endsAt"] == "0001-01-01T00:00:00Z" and alert["startsAt"] < millis(api.session.now)


async def test_alerts_end_when_their_cause_ends(api: Api) -> None:
    await api.patch_app({"executor": {"memoryOverhead": "1650m"}})
    await api.session.run_for(1300)
    _, alerts = await call(api, "GET", "alerts")
    assert "SparkExecutorOOMKilled" not in {a["labels"]["alertname"] for a in alerts}
    assert api.session.alert is None
