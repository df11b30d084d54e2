"""What a live picture is made from: which cluster, with which settings, at which pace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from console.base.clock import Clock, WallClock
from console.base.paths import state_dir
from console.facts.model import Alert
from console.live.who import actor, session

if TYPE_CHECKING:
    from console.settings.load import Settings
    from console.wire.config import ContextRef


@dataclass(frozen=True)
class Pace:
    """Seconds of real time between works of one kind. A simulated cluster runs faster, so it is asked more often."""

    build: float = 0.25
    heartbeat: float = 10.0
    metrics: float = 15.0
    reads: float = 10.0


@dataclass(frozen=True)
class Opening:
    """What a face should do first: walk `runbook` on `app`, or on what the alert or the findings name.

    With `resume` (an id of a walk, its beginning, or `latest`) it goes on with that walk instead; `stored`: with the
    runbook as the walk has stored it; `because`: it is taken from who is on it, and why.
    """

    runbook: str
    app: str = ""
    alert: Alert | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    resume: str = ""
    stored: bool = False
    because: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that `Live` needs to begin.

    Attributes:
        prometheus, alertmanager: URLs that win over settings and discovery.
        namespaces: those to look at, where the one of `ref` is not all; `all_namespaces`: all that may be read.
        actor: who is at the keyboard, for the journal; `session` the same in parts.
        evidence: where what vanishes is kept; None keeps it below `state`.
    """

    settings: Settings
    ref: ContextRef
    clock: Clock = field(default_factory=WallClock)
    kind: Literal["real", "simulated"] = "real"
    prometheus: str | None = None
    alertmanager: str | None = None
    preset: str | None = None
    namespaces: tuple[str, ...] = ()
    all_namespaces: bool = False
    state: Path = field(default_factory=state_dir)
    evidence: Path | None = None
    pace: Pace = field(default_factory=Pace)
    actor: str = field(default_factory=actor)
    session: Mapping[str, Any] = field(default_factory=session)

    @property
    def named(self) -> tuple[str, ...]:
        """The namespaces that were asked for by name; empty means those of the settings, or all."""
        if self.all_namespaces:
            return ()
        return self.namespaces or ((self.ref.namespace,) if self.ref.namespace else ())
