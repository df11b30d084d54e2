"""What every finding may say of the objects that it is tied to."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Figures(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Ties of a finding, by which others are its causes or its consequences; families add their own figures.

    A field without a default is always told, as null where it is not known; one that has its default is left out.
    Sizes are bytes, durations seconds, times epoch seconds, shares 0-1.

    Attributes:
        apps: keys (`namespace/name`) of applications that it is about, where it belongs to no single one.
        pods: names of pods, `Pod/namespace/name` where it belongs to no application.
        nodes: names of nodes.
        executors: ids of executors.
        attempt: number of the attempt that it is about; None where it is about none in particular.
        attempts: all attempts in which it was seen.
        current: whether it is about the present attempt; None where that makes no difference.
    """

    CODES: ClassVar[tuple[str, ...]] = ()
    """Codes whose findings carry these figures."""

    apps: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    executors: tuple[str, ...] = ()
    attempt: int | None = None
    attempts: tuple[int, ...] = ()
    current: bool | None = None
