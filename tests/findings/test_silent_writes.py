"""A write that was given up without an exception is told, although its driver ends well."""

from __future__ import annotations

import pytest

from tests.findings.worlds import driver, ended, judge, line, log


@pytest.mark.parametrize("operation", ["UPSERT", "BULK_INSERT", "INSERT_OVERWRITE_TABLE"])
def test_a_write_that_hudi_gave_up_is_told_of_a_driver_that_ended_with_0(operation: str) -> None:
    said = line(f"HoodieSparkSqlWriterInternal: {operation} failed with errors", "ERROR")
    (found,) = judge(driver(ended(0), "Succeeded"), log(said))
    assert (found.code, found.severity) == ("table-write-rolled-back", "critical")
    assert f"{operation} failed with errors" in found.evidence[0].excerpt


def test_a_write_that_is_only_spoken_of_is_none() -> None:
    said = line("App: 0 of 12 steps of UPSERT failed, none with errors", "INFO")
    assert judge(driver(ended(0), "Succeeded"), log(said)) == ()
