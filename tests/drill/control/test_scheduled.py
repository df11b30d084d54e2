"""The operator's schedules."""

from __future__ import annotations

from tests.drill.conftest import MERGE, Api

SCHEDULES = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/spark-prod/scheduledsparkapplications"


async def test_a_schedule_that_is_none_is_said_to_be_so_until_it_is_made_anew(young: Api) -> None:
    template = (await young.get(f"{SCHEDULES}/clicks-rollup"))["spec"]["template"]
    spec = {"schedule": "61 * * * *", "template": template}
    status, made = await young.call("POST", SCHEDULES, {"metadata": {"name": "typo"}, "spec": spec})
    assert status == 201, made
    await young.session.run_for(1)
    wrong = (await young.get(f"{SCHEDULES}/typo"))["status"]
    assert wrong["scheduleState"] == "FailedValidation" and "61 * * * *" in wrong["reason"]
    assert "nextRun" not in wrong
    await young.call("PATCH", f"{SCHEDULES}/typo", {"spec": {"schedule": "1 * * * *"}}, kind=MERGE)
    await young.session.run_for(1)
    still = (await young.get(f"{SCHEDULES}/typo"))["status"]
    assert still["scheduleState"] == "FailedValidation", "the real operator does not come back to it"
    await young.call("DELETE", f"{SCHEDULES}/typo")
    mended_spec = {**spec, "schedule": "1 * * * *"}
    await young.call("POST", SCHEDULES, {"metadata": {"name": "typo"}, "spec": mended_spec})
    await young.session.run_for(1)
    mended = (await young.get(f"{SCHEDULES}/typo"))["status"]
    assert mended["scheduleState"] == "Scheduled" and mended["nextRun"].endswith(":01:00Z")
    assert "reason" not in mended
