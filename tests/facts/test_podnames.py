"""What the names of Spark's pods say."""

from __future__ import annotations

import pytest

from console.facts.model import Origin, Pod
from console.facts.podnames import executor_of_name, executor_of_pod, role_of_name, stem


@pytest.mark.parametrize(
    ("name", "role", "shared", "executor"),
    [
        ("etl-1f3a-driver", "driver", "etl-1f3a", "etl-1f3a-driver"),
        ("etl-1f3a-exec-7", "executor", "etl-1f3a", "7"),
        ("a-exec-2-9c-exec-31", "executor", "a-exec-2-9c", "31"),
        ("a-driver-exec-1", "executor", "a-driver", "1"),
        ("etl-exec-", "", "etl-exec-", "etl-exec-"),
        ("etl-exec-7x", "", "etl-exec-7x", "etl-exec-7x"),
        ("driver", "", "driver", "driver"),
        ("", "", "", ""),
    ],
)
def test_names(name: str, role: str, shared: str, executor: str) -> None:
    assert (role_of_name(name), stem(name), executor_of_name(name)) == (role, shared, executor)


def test_the_label_outranks_the_name() -> None:
    pod = Pod("jobs", "etl-exec-7", Origin("kubernetes", "test"), labels={"spark-exec-id": "8"})
    assert executor_of_pod(pod) == "8"
    assert executor_of_pod(Pod("jobs", "etl-exec-7", Origin("kubernetes", "test"))) == "7"
