"""A real History Server: what it answers about recorded runs leads to the same verdict as their event logs do."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from console.base.clock import WallClock
from console.facts.rest import RestView
from console.live.times import former_runs
from console.sources.spark.rest import SparkRest
from console.timing.items import TimeReport
from console.timing.report import analyse, compared
from console.wire.endpoint import UrlEndpoint
from tests.cluster import java
from tests.cluster.inventory import spark_home
from tests.cluster.processes import Process, free_port, wait_until
from tests.timing.test_slow import LOGS, report

pytestmark = [pytest.mark.parts, pytest.mark.xdist_group("pyspark")]
CAUSES = (
    "skew", "slow-node", "late-executors", "retries", "driver-gap",
    "cross-join", "unpruned-scan", "large-broadcast", "gc", "spill",
)  # fmt: skip
NIGHTLY = ("nightly-1", "nightly-2", "nightly-3", "nightly-slow", "nightly-grown")


def served(log: Path, target: Path) -> str:
    """Put a recorded log where a History Server finds it, with the events that it cannot do without. Its id."""
    whole = ("JVM Information", "Hadoop Properties", "System Properties", "Metrics Properties", "Classpath Entries")
    text = zstandard.ZstdDecompressor().stream_reader(log.read_bytes()).read().decode()
    out: list[str] = []
    app_id = ""
    for line in text.splitlines():
        event: dict[str, Any] = json.loads(line)
        if event["Event"] == "SparkListenerApplicationStart":
            app_id = event["App ID"]
        if event["Event"] == "SparkListenerEnvironmentUpdate":
            event = {**{key: {} for key in whole}, **event}
        if event["Event"] == "SparkListenerTaskEnd":
            start = {k: event[k] for k in ("Stage ID", "Stage Attempt ID", "Task Info")}
            out.append(json.dumps({"Event": "SparkListenerTaskStart", **start}, separators=(",", ":")))
        out.append(json.dumps(event, separators=(",", ":")))
    if not any(line.startswith('{"Event":"SparkListenerEnvironmentUpdate"') for line in out):
        event = {"Event": "SparkListenerEnvironmentUpdate", "Spark Properties": {}, **{key: {} for key in whole}}
        out.append(json.dumps(event, separators=(",", ":")))
    (target / app_id).write_text("\n".join(out) + "\n")
    return app_id


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """(URL, recorded run → application id) of a History Server over all recorded runs."""
    folder = tmp_path_factory.mktemp("history")
    logs = folder / "logs"
    logs.mkdir()
    names = [f"{cause}-{way}" for cause in CAUSES for way in ("good", "bad")] + list(NIGHTLY)
    ids = {name: served(LOGS / name / "eventlog.zstd", logs) for name in names}
    home, port = spark_home(), free_port()
    process = Process(
        "history-server",
        [home / "bin" / "spark-class", "org.apache.spark.deploy.history.HistoryServer"],
        folder / "out",
        environment={
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            **java.environment(),
            "SPARK_HISTORY_OPTS": f"-Dspark.history.fs.logDirectory={logs.as_uri()} -Dspark.history.ui.port={port}",
        },
    )

    def all_known() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/applications", timeout=5) as answer:
                return len(json.load(answer)) == len(set(ids.values()))
        except OSError:
            return False

    try:
        wait_until("the History Server knows all runs", all_known, seconds=180, processes=[process], every=0.5)
        yield f"http://127.0.0.1:{port}", ids
    finally:
        process.stop()


async def told(url: str, app_id: str) -> TimeReport:
    endpoint = UrlEndpoint(url)
    try:
        read = await SparkRest(endpoint, WallClock()).timed(app_id, deadline=60)
    finally:
        await endpoint.close()
    assert read.unread == ()
    return analyse(RestView(read.documents))


@pytest.mark.parametrize("way", ["good", "bad"])
@pytest.mark.parametrize("cause", CAUSES)
async def test_the_same_verdict_as_by_the_event_log(history: tuple[str, dict[str, str]], cause: str, way: str) -> None:
    url, ids = history
    by_rest, (by_log, _) = await told(url, ids[f"{cause}-{way}"]), report(LOGS / f"{cause}-{way}")
    seen, logged = ({i.kind: i.lost for i in r.items} for r in (by_rest, by_log))
    assert seen == {k: pytest.approx(v, rel=0.15, abs=0.3) for k, v in logged.items()}
    assert sum(s.seconds for s in by_rest.path) == pytest.approx(sum(s.seconds for s in by_log.path), abs=0.1)


async def test_former_runs_of_the_same_name(history: tuple[str, dict[str, str]]) -> None:
    url, ids = history
    endpoint = UrlEndpoint(url)
    try:
        for name, kind in (("nightly-slow", "slower-than-before"), ("nightly-grown", "more-input")):
            read = await SparkRest(endpoint, WallClock()).timed(ids[name])
            view = RestView(read.documents)
            former, note = await former_runs(SparkRest(endpoint, WallClock()), endpoint.label, view)
            assert {key for key, _ in former} >= {ids[f"nightly-{n}"] for n in (1, 2, 3)} and note == ""
            found = compared(view, [v for key, v in former if key != ids["nightly-slow"]])
            assert kind in [i.kind for i in found.items]
    finally:
        await endpoint.close()
