"""Logs are read as their process wrote them, whatever collected them."""

from __future__ import annotations

import json

import pytest

from console.sources.folder.collected import unwrapped

LINES = [
    "26/11/23 09:34:21 INFO DAGScheduler: one",
    "26/11/23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on h: ",
    "\tat a.B.c(B.java:7)",
]
PLAIN = "\n".join(LINES) + "\n"


def test_what_nothing_wraps_is_left_alone() -> None:
    assert unwrapped(PLAIN) == [("", PLAIN)] and unwrapped("") == [("", "")]


@pytest.mark.parametrize("form", ["[pod/{0}/spark-kubernetes-driver] {1}", "{0} spark-kubernetes-driver {1}"])
def test_lines_of_several_pods_are_taken_apart(form: str) -> None:
    mixed = [form.format(name, one) for one in LINES for name in ("a-driver", "b-driver")]
    assert unwrapped("\n".join(mixed)) == [("a-driver", PLAIN), ("b-driver", PLAIN)]


def test_dockers_lines_are_unpacked_and_damaged_ones_left_out() -> None:
    packed = [json.dumps({"log": one + "\n", "stream": "stderr", "time": "t"}, separators=(",", ":")) for one in LINES]
    assert unwrapped("\n".join([*packed, packed[0][:20]])) == [("", PLAIN)]


def test_the_task_log_of_airflow_holds_the_drivers_log() -> None:
    stamp = "[2026-11-23, 09:34:25 UTC] {pod_manager.py:447} INFO - [base] "
    assert unwrapped("\n".join(stamp + one for one in LINES)) == [("", PLAIN)]


def test_the_journal_gives_lines_of_the_kernel() -> None:
    one = {"MESSAGE": "NVRM: Xid (PCI:0000:3b:00): 79", "_HOSTNAME": "gpu-1", "PRIORITY": "3"}
    assert unwrapped(json.dumps(one) + "\n") == [("", "gpu-1 kernel: NVRM: Xid (PCI:0000:3b:00): 79\n")]
