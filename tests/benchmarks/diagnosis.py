"""Figures of the diagnosis: 500 applications with 10,000 pods, and 10 MB of logs of one application.

Run: `python -m tests.benchmarks.diagnosis`. Exit code 1 when a figure is over its
budget (processor time, best of three).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

APPS, EXECUTORS, CHANGES = 500, 19, 200
LOG_BYTES = 10_000_000
BUDGETS = {"full": 1.0, "incremental": 0.05, "logs": 0.3}


def best(runs: int, work: Callable[[], Any]) -> float:
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def fleet(apps: int = APPS, executors: int = EXECUTORS) -> Any:
    """Running applications; every tenth lost executors to the container's limit, every fiftieth waits for a node."""
    from tests.findings import worlds as w

    things: list[Any] = []
    waiting = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "3 Insufficient memory."}
    ]
    for number in range(apps):
        name, app_id = f"app-{number}", f"spark-{number:032x}"
        things.append(w.driver(name=f"{name}-driver", app_id=app_id, node=f"n{number % 50}"))
        for one in range(1, executors + 1):
            options: dict[str, Any] = {"app_id": app_id, "name": f"{name}-exec-{one}", "owner": f"{name}-driver"}
            if number % 10 == 3 and one < 4:
                options |= {"state": w.ended(137, "OOMKilled", 300 + one), "phase": "Failed"}
            elif number % 50 == 7:
                options |= {"phase": "Pending", "node": "", "conditions": waiting}
            else:
                options |= {"ready": True, "node": f"n{(number + one) % 50}"}
            things.append(w.executor(one, **options))
    return w.facts(*things)


def storm(facts: Any) -> Any:
    """The same with nodes, and with events of every third pod and of all that wait."""
    from tests.findings import worlds as w

    events = [w.event(pod.key, "Started", "Started container", 300, type="Normal") for pod in facts.pods[::3]]
    events += [
        w.event(pod.key, "FailedScheduling", "3 Insufficient memory.", 320)
        for pod in facts.pods
        if pod.phase == "Pending"
    ]
    return replace(facts, events=tuple(events), nodes=tuple(w.node(f"n{number}") for number in range(50)))


def changed(facts: Any, part: str, turn: int, changes: int) -> Any:
    """So many facts of one part are others: pods get ready or not, events come again."""
    there = list(getattr(facts, part))
    for index in range(turn, len(there), len(there) // changes):
        one = there[index]
        if part == "pods":
            first = one.containers[0]
            there[index] = replace(one, containers=(replace(first, ready=not first.ready), *one.containers[1:]))
        else:
            there[index] = replace(one, count=one.count + 1)
    return replace(facts, **{part: tuple(there)})


def storms(facts: Any, judge: Callable[[Any], Any]) -> dict[str, float]:
    """Seconds of a look at which only time has passed, or also half the changes were to pods, half to events."""
    judge(facts)
    judge(facts)
    times: dict[str, list[float]] = {"only time passed": [], f"after {CHANGES // 2} + {CHANGES // 2} events": []}
    for turn in range(3):
        calm = replace(facts, at=facts.at + 1)
        half = changed(changed(calm, "pods", turn, CHANGES // 2), "events", turn, CHANGES // 2)
        for name, now in zip(times, (calm, replace(half, at=facts.at + 2)), strict=True):
            times[name].append(best(1, lambda now=now: judge(now)))
            facts = now
    return {name: min(some) for name, some in times.items()}


def logs(size: int = LOG_BYTES) -> Any:
    """A driver's log with ordinary records and the traces of a few losses."""
    from tests.findings import worlds as w

    line = w.line
    ordinary = "".join(
        line(f"TaskSetManager: Finished task {i}.0 in stage 4.0 (TID {i}) in 812 ms on 10.1.0.7 ({i}/4000)", "INFO", i)
        for i in range(200)
    )
    loss = line(
        "TaskSchedulerImpl: Lost executor 3 on 10.1.0.7: The executor with id 3 exited with exit code 52(JVM OOM).",
        "ERROR",
        400,
    )
    text = ordinary * (size // len(ordinary) + 1)
    half = len(text) // 2
    half = text.index("\n", half) + 1
    return w.facts(w.driver(), w.executor(3), w.log(text[:half] + loss + text[half:size]))


def main() -> int:
    """Measure, print, compare with the budgets."""
    from console.apps.assemble import assemble
    from console.causes.incidents import group
    from console.causes.tenants import Tenants
    from console.findings.diagnose import Engine, diagnose

    class Looks:
        """Looks of one session: each gets what was counted at the one before."""

        def __init__(self) -> None:
            self.engine, self.tenants, self.counted = Engine(), Tenants(), {}

        def judge(self, facts: Any) -> Any:
            verdict = self.engine.judge(replace(facts, counted=self.counted))
            self.counted = verdict.counted
            return verdict, group(verdict.findings, verdict.apps, facts, tenants=self.tenants)

    facts = fleet()
    full = best(3, lambda: Looks().judge(facts))
    looks = Looks()
    verdict, incidents = looks.judge(facts)
    looks.judge(facts)
    same = best(3, lambda: looks.judge(facts))
    incremental = []
    for turn in range(3):
        pods = list(facts.pods)
        for index in range(turn, len(pods), len(pods) // CHANGES):
            pods[index] = replace(pods[index], resource_version=f"{turn}")
        facts = replace(facts, pods=tuple(pods))
        incremental.append(best(1, lambda now=facts: looks.judge(now)))
    busy = storms(storm(facts), Looks().judge)
    text = logs()
    apps = assemble(text)
    found: list[Any] = []
    scan = best(3, lambda: found.append(diagnose(text, apps)))
    figures = {"full": full, "incremental": min(incremental), "logs": scan}
    print(f"applications, pods          {len(verdict.apps)}, {len(facts.pods)}")
    print(f"findings, incidents         {len(verdict.findings)}, {len(incidents)}")
    print(f"full board                  {full:.3f} s   budget {BUDGETS['full']:.2f} s")
    print(f"nothing changed             {same:.3f} s")
    print(f"after {CHANGES} changes           {min(incremental):.3f} s   budget {BUDGETS['incremental']:.2f} s")
    for name, seconds in busy.items():
        print(f"{name:27} {seconds:.3f} s   with {len(storm(facts).events)} events")
    codes = [f.code for f in found[0]]
    size = sum(len(log.text) for log in text.logs) / 1e6
    print(f"logs of {size:.0f} MB               {scan:.3f} s   budget {BUDGETS['logs']:.2f} s   {codes}")
    print(f"peak memory                 {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0 if all(figures[k] <= budget for k, budget in BUDGETS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
