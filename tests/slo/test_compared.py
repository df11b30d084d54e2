"""Our figures beside those of the real Sloth's rules and of rules in Pyrra's documented form, on a real Prometheus.

Sloth's rules were written by Sloth 0.12.0 from the specification that we import; both see the same three days: quiet
hours in which one job in ten fails, and busy ones in which two in a thousand do.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import yaml

from console.base.clock import WallClock
from console.base.decode import check
from console.base.document import parse, parse_all
from console.slo.imported import read
from console.slo.model import SloStatus
from console.slo.spec import SloBody, SloSpec, spec
from console.sources.prometheus.client import Prometheus
from console.sources.prometheus.objectives import SloSource
from console.wire.endpoint import UrlEndpoint
from tests.cluster.monitoring import Prometheus as Server
from tests.cluster.parts import require_parts
from tests.slo.history import served

pytestmark = pytest.mark.parts

DATA = Path(__file__).parents[1] / "data" / "slo"
DAY = 86400.0


class Rates(NamedTuple):
    """Counts since the beginning: all jobs, failed ones. Sixteen quiet hours, eight busy ones."""

    start: float

    def counts(self, at: float) -> tuple[float, float]:
        days, rest = divmod(at - self.start, DAY)
        quiet, busy = min(rest, DAY * 2 / 3), max(0.0, rest - DAY * 2 / 3)
        quiet, busy = quiet + days * DAY * 2 / 3, busy + days * DAY / 3
        total = quiet / 60 + busy
        return total, quiet / 60 * 0.1 + busy * 0.002


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("compared")
    end = time.time()
    rates = Rates(end - 3 * DAY)
    curves = {
        "ok_total": lambda at: rates.counts(at)[0] - rates.counts(at)[1],
        "failed_total": lambda at: rates.counts(at)[1],
        'submits_total{code="ok"}': lambda at: rates.counts(at)[0] - rates.counts(at)[1],
        'submits_total{code="refused"}': lambda at: rates.counts(at)[1],
    }
    first = served(folder, curves, rates.start, end, 60.0)
    try:
        backfill(folder, first.url, rates.start, end)
    finally:
        first.stop()
    rules = [shutil.copy(path, folder) for path in sorted(DATA.glob("*.rules.yaml"))]
    config = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(path) for path in rules]}
    running = Server(folder, config)
    running.await_series("slo:period_error_budget_remaining:ratio", seconds=60)
    running.await_series("pyrra_availability < 1", seconds=90)
    yield running
    running.stop()


def backfill(folder: Path, url: str, start: float, end: float) -> None:
    """Sloth's 5-minute ratio as it would have been recorded in the past: its budget is the mean of these."""
    rules = yaml.safe_load((DATA / "sloth-0.12.0.rules.yaml").read_text())
    group = {**rules["groups"][0], "rules": rules["groups"][0]["rules"][:1]}
    file = folder / "past.rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [group]}))
    promtool = require_parts("promtool")["promtool"]
    window = [f"--start={start + 600:.0f}", f"--end={end:.0f}", "--eval-interval=5m"]
    command = [
        promtool,
        "tsdb",
        "create-blocks-from",
        "rules",
        f"--url={url}",
        *window,
        f"--output-dir={folder}/tsdb",
        file,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def imported(name: str) -> SloSpec:
    """Our objective from the file of the other tool, not linked to what it records."""
    file = DATA / name
    found = read(parse_all(file.read_text(), str(file)))
    assert found.problems == ()
    ((id, tree),) = found.slos.items()
    tree, problems = check(parse(yaml.safe_dump({**tree, "recorded": []}), name), SloBody)
    assert problems == []
    return spec(f"ours-{id}", msgspec.convert(tree, SloBody))


async def statuses(server: Server, *specs: SloSpec) -> dict[str, SloStatus]:
    prometheus = Prometheus(UrlEndpoint(server.url), WallClock())
    try:
        return {slo.id: slo for slo in await SloSource(specs, prometheus).read(time.time())}
    finally:
        await prometheus.close()


def rates_of(status: SloStatus) -> dict[float, float]:
    return {burn.window: burn.rate for burn in status.burns if burn.rate is not None}


async def test_sloth_burns_alike_and_its_budget_differs_for_a_reason(server: Server) -> None:
    found = await statuses(server, imported("sloth-spec.yaml"))
    ours, theirs = found["ours-spark-job-success"], found["spark-job-success"]
    mine, other = rates_of(ours), rates_of(theirs)
    assert mine.keys() == other.keys()
    for window in mine:
        assert mine[window] == pytest.approx(other[window], rel=0.02), window
    assert ours.budget_left == pytest.approx(1 - 0.516, abs=0.02)
    assert theirs.budget_left == pytest.approx(1 - 6.73, abs=0.2)
    assert theirs.arithmetic == "Sloth: mean of 5-minute ratios over 30d; factors 14.4, 6, 3, 1 read from its rules"
    print(f"\nSloth    budget left {theirs.budget_left:8.2%}  burn 1h {other[3600]:.3f}  3d {other[259200]:.3f}")
    print(f"Console  budget left {ours.budget_left:8.2%}  burn 1h {mine[3600]:.3f}  3d {mine[259200]:.3f}")


async def test_linked_to_sloth_both_figures_are_shown_with_the_reason(server: Server) -> None:
    linked = msgspec.structs.replace(imported("sloth-spec.yaml"), recorded=("spark-job-success",))
    found = await statuses(server, linked)
    ours = found["ours-spark-job-success"]
    assert "spark-job-success" not in found
    assert "short windows from Sloth" in ours.source
    assert "the mean of ratios would say -5" in ours.arithmetic
    assert "weighs quiet hours like busy ones" in ours.arithmetic


async def test_pyrra_and_we_count_the_same_events(server: Server) -> None:
    found = await statuses(server, imported("pyrra-slo.yaml"))
    ours, theirs = found["ours-spark-submission"], found["spark-submission"]
    mine, other = rates_of(ours), rates_of(theirs)
    assert mine.keys() == other.keys()
    for window in mine:
        assert mine[window] == pytest.approx(other[window], rel=0.02), window
    assert ours.budget_left == pytest.approx(theirs.budget_left, abs=0.02)
    assert [burn.factor for burn in ours.burns] == [burn.factor for burn in theirs.burns]
    assert theirs.arithmetic == "Pyrra: events over 28d; factors 14, 7, 2, 1 read from its rules"
    print(f"\nPyrra    budget left {theirs.budget_left:8.2%}  burn 1h {other[3600]:.3f}  4d {other[345600]:.3f}")
    print(f"Console  budget left {ours.budget_left:8.2%}  burn 1h {mine[3600]:.3f}  4d {mine[345600]:.3f}")


async def test_the_covered_part_of_the_period_is_stated(server: Server) -> None:
    ours = (await statuses(server, imported("sloth-spec.yaml")))["ours-spark-job-success"]
    assert ours.covered == pytest.approx(0.1, abs=0.01)
