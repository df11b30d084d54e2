"""A system of the platform and how it is."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.facts.evidence import Evidence


class Trouble(Struct, frozen=True):
    """One thing that is wrong with a component.

    Attributes:
        level: `degraded` or `down`, as bad as it makes the component.
        subject: key of the object that it is about.
        cause: what kind of thing it is: `refused` (pods cannot be created), `image`, `crash-loop`, `configuration`,
            `scheduling`, `replicas`, `scaled-to-zero`, `rollout`, `endpoints`, `silent`, `signal`, `needs`.
        since: epoch seconds of the earliest proof, None where nothing says it.
    """

    level: Literal["degraded", "down"]
    words: str
    subject: str
    evidence: Evidence
    cause: str = "signal"
    since: float | None = None


class Component(Struct, frozen=True):
    """A system of the platform. `state` unknown means that no signal says how it is."""

    id: str
    title: str
    state: Literal["healthy", "degraded", "down", "unknown", "absent"]
    reason: str = ""
    found: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    runbooks: tuple[str, ...] = ()
    expected: bool = False
    troubles: tuple[Trouble, ...] = ()
    """What is wrong with it, the worst first; none where it is healthy, unknown or absent."""
