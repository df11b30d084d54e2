"""Figures of lost executors and nodes, where memory has no part in it."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class VanishedFigures(Figures, frozen=True, kw_only=True):
    """Executors whose pods disappeared: `executors` are their ids, `nodes` where they ran, as far as that is known."""

    CODES: ClassVar[tuple[str, ...]] = ("executor-vanished",)

    executors: tuple[str, ...]
    nodes: tuple[str, ...]


class HeartbeatFigures(Figures, frozen=True, kw_only=True):
    """Executors that were given up for missing heartbeats.

    Attributes:
        executors: their ids, the earliest first; `nodes` where they ran, as far as that is known.
        together: whether all went silent within seconds, which points at the driver.
    """

    CODES: ClassVar[tuple[str, ...]] = ("executor-heartbeat",)

    executors: tuple[str, ...]
    nodes: tuple[str, ...]
    together: bool


class NativeCrashFigures(Figures, frozen=True, kw_only=True):
    """Executors that died in native code: the exit code of the last one (134, 139), and `nodes` where they ran."""

    CODES: ClassVar[tuple[str, ...]] = ("executor-native-crash",)

    exit_code: int | None
    nodes: tuple[str, ...]


class LostNodeFigures(Figures, frozen=True, kw_only=True):
    """A node that is not ready: its name, and `pods` of Spark on it (`Pod/namespace/name`, 200 at most)."""

    CODES: ClassVar[tuple[str, ...]] = ("node-not-ready",)

    node: str
    pods: tuple[str, ...]
