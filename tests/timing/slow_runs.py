"""Real PySpark with and without each cause of lost time: `python -m tests.timing.slow_runs [CAUSE ...]`.

Runs each pair, prints what is estimated and what was measured, and with `--record FOLDER` keeps the event logs
(those of the tests lie in tests/data/slow). `--spark HOME` takes another PySpark than the built one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from tests.cluster.inventory import require, spark_home

HERE = Path(__file__).parent
SECONDS = 150
FIRST = 'echo -19 2>/dev/null >/proc/self/autogroup; exec "$@"'
"""What is measured goes before other work of the machine."""
_DROPPED = ("SparkListenerResourceProfileAdded", "SparkListenerBlockManagerAdded", "SparkListenerTaskStart")


@dataclass(frozen=True)
class Case:
    """How a cause is made: the master and configuration of both runs, and what the bad or the good one has besides.

    Attributes:
        passes: how often the work is run; the last one counts.
        rate: of the loopback of the bad run, in a network namespace of its own, as `tc` writes it.
    """

    master: str = "local[4]"
    conf: Mapping[str, str] = field(default_factory=dict)
    bad: Mapping[str, str] = field(default_factory=dict)
    good: Mapping[str, str] = field(default_factory=dict)
    heap: tuple[str, str] = ("1g", "1g")
    passes: int = 1
    ways: tuple[str, ...] = ("good", "bad")
    rate: str = ""


WAIT = {
    "spark.executor.memory": "512m",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
}
GROWING = {
    "spark.executor.memory": "512m",
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.dynamicAllocation.initialExecutors": "1",
    "spark.dynamicAllocation.minExecutors": "1",
    "spark.dynamicAllocation.maxExecutors": "4",
}
CLUSTER = "local-cluster[2,2,512]"
CASES: dict[str, Case] = {
    "skew": Case(),
    "few-tasks": Case(),
    "many-tasks": Case(),
    "retries": Case("local[4,4]"),
    "driver-gap": Case(),
    "python-udf": Case(),
    "small-files": Case(passes=2),
    "no-broadcast": Case(),
    "gc": Case(
        heap=("640m", "4g"),
        bad={"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Xmn64m"},
        good={"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Xmn2g"},
    ),
    "small-writes": Case(),
    "cross-join": Case(),
    "row-explosion": Case(),
    "unpruned-scan": Case(passes=2),
    "large-broadcast": Case(heap=("2g", "2g")),
    "repeated-work": Case(),
    "spill": Case(heap=("1g", "5g"), bad={"spark.memory.fraction": "0.1"}),
    "slow-node": Case(CLUSTER, WAIT),
    "scheduler-delay": Case(CLUSTER, WAIT),
    "shuffle-wait": Case(CLUSTER, WAIT, rate="80mbit"),
    "late-executors": Case(
        "local-cluster[4,1,512]", bad={**GROWING, "spark.dynamicAllocation.schedulerBacklogTimeout": "6s"}, good=WAIT
    ),
    "nightly": Case(ways=("1", "2", "3", "slow", "grown")),
    "idle-slots": Case(
        "local-cluster[2,2,512]",
        {**GROWING, "spark.dynamicAllocation.schedulerBacklogTimeout": "1s"},
        bad={"spark.locality.wait": "3s"},
        good={"spark.locality.wait": "0s"},
    ),
    "idle-executors": Case(
        conf=WAIT, bad={"spark.master": "local-cluster[4,1,512]"}, good={"spark.master": "local-cluster[1,1,512]"}
    ),
}


def run(cause: str, way: str, folder: Path, home: Path, python: Path) -> Path:
    """Run one side of a pair. Answers its event log."""
    case = CASES[cause]
    logs = folder / f"log-{way}"
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.eventLog.dir": logs.as_uri(),
        "spark.master": case.master,
        **case.conf,
        **(case.bad if way == "bad" else case.good),
    }
    script = folder / "job.py"
    shutil.copy(HERE / "slow_workloads.py", script)
    words = [str(home / "bin" / "spark-submit"), "--driver-memory", case.heap[way != "bad"]]
    words += [w for k, v in settings.items() for w in ("--conf", f"{k}={v}")]
    words += [str(script), cause, way, str(folder)]
    if case.rate:
        limit = f"tc qdisc add dev lo root tbf rate {case.rate} burst 256kb limit 16mb; " if way == "bad" else ""
        words = ["unshare", "-n", "sh", "-c", f'ip link set lo up; {limit}exec "$@"', "sh", *words]
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_CONF_DIR": str(folder),
    }
    for _ in range(case.passes):
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        output = folder / f"{way}.out"
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", FIRST, "sh", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output.open("w"),
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            raise RuntimeError(f"{cause} {way} ended with {done.returncode}:\n{output.read_text()[-3000:]}")
    (log,) = logs.iterdir()
    shutil.rmtree(home / "work" / log.name, ignore_errors=True)  # where executors of local-cluster live
    return log


def keep(log: Path, target: Path, folder: Path) -> None:
    """A recorded log: without what no reader of ours needs, of a script in a place of everybody."""
    lines = []
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["Event"] in _DROPPED:
            continue
        if event["Event"] == "SparkListenerEnvironmentUpdate":
            event = {"Event": event["Event"], "Spark Properties": event["Spark Properties"]}
        if "Properties" in event:
            event["Properties"] = {
                k: v for k, v in event["Properties"].items() if k.startswith("spark.sql.execution.id")
            }
        lines.append(json.dumps(event, separators=(",", ":")))
    text = re.sub(r"/[\w/.-]*/job\.py", "/opt/jobs/job.py", "\n".join(lines) + "\n").replace(str(folder), "/data")
    target.mkdir(parents=True, exist_ok=True)
    (target / "eventlog.zstd").write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))


def main(words: Sequence[str]) -> int:
    from tests.timing.test_slow import measured

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("causes", nargs="*", choices=[[], *CASES])
    parser.add_argument("--record", type=Path)
    parser.add_argument("--spark", type=Path)
    asked = parser.parse_args(words)
    home = asked.spark or spark_home()
    python = require("pyspark")["pyspark"] / "bin" / "python"
    if asked.spark:
        python = next(p for p in (home.parents[3] / "bin" / "python",) if p.exists())
    for cause in asked.causes or CASES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for way in CASES[cause].ways:
                log = run(cause, way, folder, home, python)
                target = folder / "kept" / f"{cause}-{way}"
                keep(log, target, folder)
                if asked.record:
                    shutil.rmtree(asked.record / target.name, ignore_errors=True)
                    shutil.copytree(target, asked.record / target.name)
            ways = CASES[cause].ways
            print(measured(cause, folder / "kept") if len(ways) == 2 else f"{cause}: {len(ways)} runs", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
