"""The board: everything that is judged at one moment, and the cluster that it was read from. Immutable, JSON-able."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.apps.model import SparkApp
from console.causes.model import Incident
from console.components.model import Component
from console.facts.leftout import LeftOut
from console.facts.model import Alert, Node, SourceState
from console.findings.model import Finding
from console.gpu.model import Fleet
from console.slo.model import SloStatus


class Cluster(Struct, frozen=True):
    """Which cluster, as whom, what of it is looked at, and what we may do there.

    `namespace` is the context's own; `scope` those that are looked at, empty where all that may be read are. `drill`:
    it is practice; where `kind` is not `simulated`, another process serves it, and it stays when Console ends.
    """

    context: str = ""
    server: str = ""
    user: str = ""
    namespace: str = ""
    version: str = ""
    production: bool = False
    mode: Literal["read-only", "guarded", "write"] = "read-only"
    kind: Literal["real", "simulated", "saved"] = "real"
    scope: tuple[str, ...] = ()
    drill: bool = False


class Board(Struct, frozen=True):
    """Everything that is judged at one moment.

    `verdict` is one word: OK, DEGRADED, BURNING, UNKNOWN or LOADING (`console.board.verdict`), `because` its reason.
    """

    at: float
    cluster: Cluster
    verdict: str
    because: str = ""
    summary: str = ""
    apps: tuple[SparkApp, ...] = ()
    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()
    slos: tuple[SloStatus, ...] = ()
    components: tuple[Component, ...] = ()
    alerts: tuple[Alert, ...] = ()
    nodes: tuple[Node, ...] = ()
    gpus: Fleet = Fleet()
    sources: tuple[SourceState, ...] = ()
    pods: int = 0
    left_out: tuple[LeftOut, ...] = ()
    """What bounds left out of all this."""

    def app(self, key: str) -> SparkApp | None:
        return next((a for a in self.apps if a.key == key), None)

    def findings_of(self, app: str) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.app == app)
