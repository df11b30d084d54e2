"""A small set of samples, as series of the evaluator and as OpenMetrics text for a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from console.drill.prometheus.promql.model import (
    LOOKBACK,
    Labels,
    Matcher,
    SamplePoint,
    TimeSeries,
    labels_of,
    matching,
)

START = 1_768_200_000
STEP = 15
COUNT = 400


@dataclass
class Fixed:
    """A series of given samples."""

    labels: Labels
    all: list[SamplePoint] = field(default_factory=list)

    def points(self, start: int, end: int) -> list[SamplePoint]:
        return [p for p in self.all if start <= p[0] <= end]

    def latest(self, when: int) -> SamplePoint | None:
        found = [p for p in self.all if when - LOOKBACK <= p[0] <= when]
        return found[-1] if found else None

    def ends(self, start: int, end: int) -> None:
        return None


@dataclass
class Samples:
    """A storage of given series."""

    series: list[Fixed]

    def select(self, matchers: list[Matcher], start: int, end: int) -> Iterable[TimeSeries]:
        passes = matching(matchers)
        return [s for s in self.series if passes(s.labels)]

    def openmetrics(self) -> str:
        """The samples for `promtool tsdb create-blocks-from openmetrics`."""
        lines: list[str] = []
        for name in sorted({dict(s.labels)["__name__"] for s in self.series}):
            for series in self.series:
                labels = dict(series.labels)
                if labels.pop("__name__") != name:
                    continue
                body = ",".join(f'{k}="{v}"' for k, v in labels.items())
                lines.extend(f"{name}{{{body}}} {value!r} {at / 1000:.3f}" for at, value in series.all)
        return "\n".join(lines) + "\n# EOF\n"


def times() -> list[int]:
    """Scrape times in ms, not quite on the grid."""
    return [(START + i * STEP) * 1000 + 370 for i in range(COUNT)]


def make() -> Samples:
    """Counters with and without a reset, one that starts late, one with a gap; gauges; a histogram; odd values."""
    ticks = times()
    series: list[Fixed] = []

    def add(name: str, labels: dict[str, str], points: list[SamplePoint]) -> None:
        series.append(Fixed(labels_of({"__name__": name, **labels}), points))

    for index, job in enumerate(("a", "b", "c")):
        total, points = 0.0, []
        for i, at in enumerate(ticks):
            total += (i * (index + 3)) % 7
            if index == 1 and i in (120, 250):
                total = 0.0
            points.append((at, total))
        if index == 2:
            points = points[150:]
        add("requests_total", {"job": job, "instance": f"{job}1"}, points)
        add("requests_total", {"job": job, "instance": f"{job}2"}, [(at, v * 2) for at, v in points])
    slow = [(at, float(i // 37)) for i, at in enumerate(ticks)]
    add("rare_total", {"job": "a"}, slow)
    add("rare_total", {"job": "b"}, [p for p in slow if not 1_500_000 < p[0] - ticks[0] < 3_000_000])
    for index, node in enumerate(("n1", "n2", "n3")):
        add(
            "memory",
            {"node": node, "zone": "x" if index < 2 else "y"},
            [(at, 100.0 + index * 50 + ((i * 13 + index * 5) % 41) - 20) for i, at in enumerate(ticks)],
        )
        add("limit", {"node": node}, [(at, 200.0 + index * 10) for at in ticks])
    add("up", {"job": "a", "instance": "a1"}, [(at, 1.0) for at in ticks])
    add("up", {"job": "a", "instance": "a2"}, [(at, float(i % 50 < 45)) for i, at in enumerate(ticks)])
    add("info", {"node": "n1", "version": "1.2"}, [(at, 1.0) for at in ticks])
    add("info", {"node": "n2", "version": "1.3"}, [(at, 1.0) for at in ticks])
    for bound, share in (("0.5", 0.2), ("1", 0.5), ("5", 0.9), ("+Inf", 1.0)):
        for job in ("a", "b"):
            add(
                "latency_bucket",
                {"le": bound, "job": job},
                [(at, float(int(i * share * (3 if job == "a" else 5)))) for i, at in enumerate(ticks)],
            )
    add("odd", {"kind": "nan"}, [(at, float("nan")) for at in ticks])
    add("odd", {"kind": "inf"}, [(at, float("inf")) for at in ticks])
    add("odd", {"kind": "zero"}, [(at, 0.0) for at in ticks])
    add("odd", {"kind": "small"}, [(at, 1.5e-9) for at in ticks])
    add("odd", {"kind": "big"}, [(at, 3.25e22) for at in ticks])
    return Samples(series)


QUERIES = """
1 + 2 * 3 ^ 2 % 5
-3 ^ 2
1 / 0
0 / 0
-1 % 0
5 > bool 3
2 atan2 1
vector(7)
scalar(memory{node="n1"})
scalar(memory)
time()
up
up == 0
up != bool 0
{__name__=~"up|info"}
memory{zone="x"}
memory{zone!="x"}
memory{node=~"n[12]"}
memory{node!~"n[12]"}
memory offset 10m
memory @ 1768203000
memory @ 1768203000 offset -5m
-memory
memory + 1
100 - memory
memory > 140
memory > bool 140
140 < memory
memory * 2 ^ 2
memory % 7
memory / on (node) limit
memory / ignoring (zone) limit
memory / on (node) group_left () limit
memory * on (node) group_left (version) info
info * on (node) group_right (version) memory
memory > on (node) limit
limit - on (node) memory
memory and on (node) info
memory unless on (node) info
info or memory
memory == ignoring (zone) memory
sum(memory)
sum by (zone) (memory)
sum without (node) (memory)
avg by (zone) (memory)
min(memory)
max by (zone) (memory)
count(up)
count by (job) (requests_total)
group by (zone) (memory)
stddev(memory)
stdvar by (zone) (memory)
quantile(0.3, memory)
quantile(2, memory)
topk(2, memory)
bottomk(1, memory)
topk by (zone) (1, memory)
count_values("value", up)
sum(odd{kind!="nan"})
max(odd)
min(odd)
rate(requests_total[5m])
rate(requests_total[1m])
rate(requests_total[20s])
increase(requests_total[10m])
increase(requests_total{job="c"}[1h])
increase(rare_total[30m])
increase(rare_total[2h])
rate(rare_total[7m])
irate(requests_total[5m])
idelta(memory[5m])
delta(memory[10m])
deriv(memory[10m])
predict_linear(memory[10m], 3600)
changes(up[30m])
resets(requests_total[1h])
avg_over_time(memory[5m])
sum_over_time(up[10m])
min_over_time(memory[10m])
max_over_time(memory[10m])
count_over_time(memory[5m])
count_over_time(rare_total{job="b"}[1h])
stddev_over_time(memory[10m])
stdvar_over_time(memory[10m])
last_over_time(memory[5m])
present_over_time(up[5m])
quantile_over_time(0.9, memory[10m])
sum(rate(requests_total[5m]))
sum by (job) (rate(requests_total[5m]))
sum(increase(requests_total{job="a"}[1h])) / sum(increase(requests_total[1h]))
1 - sum(rate(requests_total{job="a"}[5m])) / sum(rate(requests_total[5m]))
max_over_time(rate(requests_total[1m])[10m:30s])
sum_over_time(memory[5m:1m])
avg_over_time(sum by (zone) (memory)[10m:])
rate(sum(requests_total{job="a"})[10m:1m])
histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))
histogram_quantile(0.5, sum by (le, job) (rate(latency_bucket[5m])))
histogram_quantile(0.99, latency_bucket)
histogram_quantile(1.5, latency_bucket)
histogram_quantile(0.1, latency_bucket)
absent(up)
absent(nothing)
absent(nothing{job="x", instance!="y"})
absent_over_time(nothing{job="x"}[5m])
absent_over_time(up[5m])
label_replace(up, "host", "$1-x", "instance", "(.)(.*)")
label_replace(up, "job", "", "instance", "a1")
label_replace(up, "host", "$1", "instance", "nomatch")
label_join(up, "both", "-", "job", "instance")
clamp(memory, 110, 150)
clamp_min(memory, 120)
clamp_max(memory, 120)
clamp_min(nothing, 1) or vector(3)
abs(memory - 140)
ceil(memory / 7)
floor(memory / 7)
round(memory / 7)
round(memory, 5)
round(memory / 7, 0.1)
exp(odd{kind="zero"})
sqrt(memory)
ln(memory)
ln(odd{kind="zero"})
log2(memory)
sgn(memory - 140)
sort(memory)
sort_desc(memory)
timestamp(memory)
timestamp(memory offset 10m)
timestamp(sum(memory))
hour(vector(1768203000))
day_of_week()
minute(vector(1768203000))
month(vector(1768203000))
odd
odd * 2
odd > 0
(memory - on (node) limit) / on (node) limit * 100
sum by (job) (up) == count by (job) (up)
up * on (job, instance) group_left () up
vector(1) or up
count(memory > 150) or vector(0)
""".strip().splitlines()

REFUSED = """
up * on (job) up
rate({__name__=~"up|requests_total", instance=~"a."}[5m])
memory * on (zone) info
rate({__name__=~"requests_total|rare_total"}[5m]) + on (job) rate(rare_total[5m])
label_replace(memory, "node", "x", "zone", ".*")
""".strip().splitlines()
