"""What a Prometheus says of itself: its targets, its rules, which series exist; and the objects that configure it.

Facts only. `None` where something could not be read: then nothing is concluded from it.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from console.facts.leftout import LeftOut

SPAN = 7 * 86400.0
"""Seconds for which a series must not have existed before it is said that nobody exports it."""


class Scrape(Struct, frozen=True, gc=False):
    """One active target.

    `interval` is in seconds, None where the server does not say; `last` is when it was last scraped.
    """

    job: str
    instance: str
    url: str = ""
    health: str = "unknown"
    error: str = ""
    last: float | None = None
    interval: float | None = None
    labels: dict[str, str] = {}

    @property
    def key(self) -> tuple[str, str]:
        return self.job, self.instance


class Loaded(Struct, frozen=True, gc=False):
    """One rule that the server has loaded. `health` is `ok`, `err` or `unknown`; `interval` in seconds."""

    kind: Literal["alerting", "recording"]
    name: str
    query: str
    group: str = ""
    file: str = ""
    health: str = "unknown"
    error: str = ""
    evaluated: float | None = None
    interval: float = 0.0


class CountedObjective(Struct, frozen=True, gc=False):
    """An objective and the expression that counts its events."""

    id: str
    title: str
    total: str


class Outage(Struct, frozen=True, gc=False):
    """A target that has not answered for minutes. `up` is when it last did, None where that is too long ago."""

    job: str
    instance: str
    up: float | None = None


class Gap(Struct, frozen=True, gc=False):
    """Samples of `up` that a target should have in `window` seconds, and those that are there."""

    job: str
    instance: str
    got: float
    wanted: float
    window: float


class PodLabels(Struct, frozen=True, gc=False):
    """Series of kube-state-metrics about pods: of Spark containers, with labels, and with the label `spark-role`."""

    containers: float = 0.0
    labelled: float = 0.0
    spark: float = 0.0


class ScrapeObject(Struct, frozen=True, gc=False):
    """A ServiceMonitor, PodMonitor, PrometheusRule or Service, judged by its spec."""

    kind: str
    namespace: str
    name: str
    labels: dict[str, str] = {}
    created: float | None = None
    spec: dict[str, Any] = {}

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class PodPorts(Struct, frozen=True, gc=False):
    """A pod that a PodMonitor selects, and the names of its container ports."""

    namespace: str
    name: str
    ports: tuple[str, ...] = ()


class Objects(Struct, frozen=True, gc=False):
    """What the cluster holds for the Prometheus operator.

    Attributes:
        services: all that could be listed; None where they may not be read.
        endpoints: `namespace/name` of a Service → ready addresses; None where they may not be read.
        pods: key of a PodMonitor → the pods that it selects; absent where they were not read.
    """

    monitors: tuple[ScrapeObject, ...] = ()
    rules: tuple[ScrapeObject, ...] = ()
    services: tuple[ScrapeObject, ...] | None = None
    endpoints: dict[str, int] | None = None
    pods: dict[str, tuple[PodPorts, ...]] = {}
    left_out: tuple[LeftOut, ...] = ()


class Monitoring(Struct, frozen=True, eq=False):
    """Everything that was read at `at` from one Prometheus (`server` names it).

    Attributes:
        names: metric names with a sample within `SPAN`, of the families that rules and objectives read.
        empty: selectors of rules, reduced to what identifies a source, that matched no series within `SPAN`.
        exporters: metric name → the exporter that is known to have it.
        scraped: exporters of which any series exists.
        instead: metric name that is known to be invented → what to use.
        newest: time of the newest sample of `up`.
        unread: (what, why) for everything that could not be read.
    """

    at: float
    server: str
    targets: tuple[Scrape, ...] | None = None
    rules: tuple[Loaded, ...] | None = None
    objectives: tuple[CountedObjective, ...] = ()
    names: frozenset[str] | None = None
    empty: frozenset[str] = frozenset()
    exporters: dict[str, str] = {}
    scraped: frozenset[str] = frozenset()
    instead: dict[str, str] = {}
    down: tuple[Outage, ...] = ()
    gaps: tuple[Gap, ...] = ()
    newest: float | None = None
    pod_labels: PodLabels | None = None
    objects: Objects | None = None
    unread: tuple[tuple[str, str], ...] = ()
