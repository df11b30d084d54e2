"""Two of the real faults of `python -m tests.cluster.faults`, on the node that the session shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.command import Console
from tests.cluster.faults.catalogue import FAULTS
from tests.cluster.faults.play import open_console, play
from tests.cluster.node import SparkNode

BY_NAME = {fault.name: fault for fault in FAULTS}


def test_every_fault_has_a_name_of_its_own_and_a_verdict_that_is_known() -> None:
    assert len(BY_NAME) == len(FAULTS) >= 10
    assert all(fault.expected or fault.name == "healthy" for fault in FAULTS)


@pytest.fixture
def console(tmp_path: Path, spark_node: SparkNode) -> Iterator[Console]:
    with open_console(tmp_path, spark_node) as console:
        yield console


@pytest.mark.parts
@pytest.mark.xdist_group("node")
@pytest.mark.parametrize("name", ["rbac", "killed-executor"])
def test_a_real_fault_is_diagnosed_while_it_happens(name: str, console: Console, spark_node: SparkNode) -> None:
    outcome = play(BY_NAME[name], spark_node, console)
    assert outcome.wrong == [], "confidently wrong on the way"
    assert outcome.took is not None, f"said {outcome.said}, expected {outcome.fault.expected}"
