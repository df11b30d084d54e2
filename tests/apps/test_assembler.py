"""Applications with a memory: at every moment what is made of the facts anew, and only what changed is made again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps import executors
from console.apps.assemble import Assembler, assemble
from console.facts.model import Facts, Pod
from tests.findings import worlds as w

FACTS = w.facts(
    w.cr("RUNNING", status={"sparkApplicationId": w.APP_ID, "executorState": {"etl-exec-9": "RUNNING"}}),
    w.driver(),
    *(w.executor(number, ready=True) for number in (1, 2, 3)),
)

ALONE = replace(FACTS, spark=(), pods=FACTS.pods[1:])
"""Nothing but its executors tells of the application."""


def changed(name: str, /, base: Facts = FACTS, **fields: Any) -> Facts:
    return replace(base, pods=tuple(replace(p, **fields) if p.name == name else p for p in base.pods))


def container(name: str, /, base: Facts = FACTS, **fields: Any) -> Facts:
    return changed(name, base, containers=(replace(pod(name).containers[0], **fields),))


def pod(name: str) -> Pod:
    return next(p for p in FACTS.pods if p.name == name)


def base_of(facts: Facts) -> Facts:
    return FACTS if facts.spark else ALONE


CHANGES = {
    "it failed": lambda: changed("etl-exec-2", phase="Failed"),
    "it was killed for memory": lambda: replace(
        FACTS, pods=tuple(w.executor(2, w.ended(137, "OOMKilled")) if p.name == "etl-exec-2" else p for p in FACTS.pods)
    ),
    "it is gone": lambda: changed("etl-exec-2", gone=True),
    "it waits": lambda: changed("etl-exec-2", phase="Pending", node=""),
    "it is of another attempt": lambda: changed(
        "etl-exec-1", labels={**pod("etl-exec-1").labels, "spark-app-selector": f"spark-{5:032x}"}
    ),
    "the first is of another version": lambda: changed(
        "etl-exec-1", ALONE, labels={**pod("etl-exec-1").labels, "spark-version": "4.1.0"}
    ),
    "the first was made at another time": lambda: changed("etl-exec-1", ALONE, created=1.0),
    "its limit is another": lambda: container("etl-exec-1", ALONE, limits={"memory": 9e9, "nvidia.com/gpu": 2.0}),
    "it asks for more": lambda: container("etl-exec-3", requests={"cpu": 7.5, "memory": 9e9}),
    "its heap is another": lambda: container("etl-exec-1", ALONE, env={"SPARK_EXECUTOR_MEMORY": "7g"}),
    "the first runs another image": lambda: container("etl-exec-1", ALONE, image="registry/spark:4.1.0"),
    "it has another name": lambda: changed("etl-exec-2", name="etl-exec-9"),
    "it has another id": lambda: changed("etl-exec-2", labels={**pod("etl-exec-2").labels, "spark-exec-id": "8"}),
    "the driver ended": lambda: changed("etl-driver", phase="Failed"),
    "one more came": lambda: replace(FACTS, pods=(*FACTS.pods, w.executor(4))),
    "one left": lambda: replace(FACTS, pods=FACTS.pods[:-1]),
    "it was drained": lambda: replace(FACTS, events=(w.event(pod("etl-exec-2").key, "NodeShutdown", "it shuts down"),)),
    "its memory was measured": lambda: replace(
        FACTS,
        samples=(
            w.sample(
                "container_memory_working_set_bytes", 5e8, 500, namespace=w.NS, pod="etl-exec-2", container="executor"
            ),
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_an_application_is_what_its_facts_make_of_it(change: str) -> None:
    facts: Callable[[], Facts] = CHANGES[change]
    after = facts()
    assembler = Assembler()
    before = assembler.assemble(base_of(after))
    app = assembler.assemble(after)
    assert app == assemble(after)
    assert app != before, "the change must mean something"


def test_a_drained_pod_whose_own_state_changes_stays_drained() -> None:
    drained = w.event(pod("etl-exec-2").key, "NodeShutdown", "it shuts down")
    facts = replace(FACTS, events=(drained,))
    assembler = Assembler()
    assembler.assemble(facts)
    later = replace(changed("etl-exec-2", phase="Failed"), events=(drained,))
    assert assembler.assemble(later) == assemble(later)


def test_only_the_executor_that_changed_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assembler = Assembler()
    assembler.assemble(FACTS)
    made: list[str] = []
    real = executors.member_of
    monkeypatch.setattr(
        executors, "member_of", lambda pod, *rest, **more: made.append(pod.name) or real(pod, *rest, **more)
    )  # type: ignore[func-returns-value]
    assembler.assemble(container("etl-exec-2", ready=False))
    assert made == ["etl-exec-2"]
    made.clear()
    assembler.assemble(changed("etl-driver", message="other words"))
    assert made == ["etl-exec-2"], "back to what it was; the others are kept though the driver changed"


def test_an_event_that_ends_no_pod_leaves_the_very_same_application() -> None:
    assembler = Assembler()
    (before,) = assembler.assemble(FACTS)
    pulled = w.event(pod("etl-exec-2").key, "Pulled", "image present", type="Normal")
    (same,) = assembler.assemble(replace(FACTS, events=(pulled,)))
    assert same is before
