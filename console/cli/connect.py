"""From options to a live picture: what every command that looks at a cluster begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.base.errors import UsageError
from console.base.units import parse_duration
from console.cli.options import Where

if TYPE_CHECKING:
    from console.live import Live, Plan, Situation

PATIENCE = 30.0
"""Seconds that a command waits for a cluster to be read once."""


def make_plan(where: Where) -> Plan:
    """The plan for a real cluster.

    Raises:
        UsageError, DocumentError: options or the config file are wrong.
    """
    from console.live import Plan
    from console.settings.load import load
    from console.wire.config import ContextRef, resolve

    ref = ContextRef(
        context=where.context,
        kubeconfig=where.kubeconfig,
        namespace=next(iter(where.namespaces), None),
        as_user=where.as_user,
        as_groups=where.as_groups,
        as_uid=None,
        request_timeout=_seconds(where.request_timeout),
    )
    target = resolve(ref)
    flags = {"preset": where.preset, "prometheus.url": where.prometheus}
    settings = load(
        Path(where.config) if where.config else None,
        context=target.context,
        flags={k: v for k, v in flags.items() if v is not None},
    )
    return Plan(
        settings,
        ref,
        prometheus=where.prometheus,
        preset=where.preset,
        namespaces=tuple(dict.fromkeys(where.namespaces)),
        all_namespaces=where.all_namespaces,
    )


def _seconds(text: str | None) -> float | None:
    if text is None or text == "0":
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--request-timeout: {error}") from None


def open_live(where: Where) -> Live:
    """A live picture that was not started yet."""
    from console.live import Live

    return Live(make_plan(where))


@contextmanager
def looking(where: Where) -> Iterator[Live]:
    """A live picture of which everything was read once, open as long as the block runs.

    Raises:
        ReachError, LoginNeeded: there is no cluster to be read.
    """
    patience = max(PATIENCE, 3 * (_seconds(where.request_timeout) or 0.0))
    with open_live(where) as live:
        live.settle(patience)
        yield live


def settled(where: Where) -> Situation:
    """The situation once everything was read once.

    Raises:
        ReachError, LoginNeeded: there is no cluster to be read.
    """
    with looking(where) as live:
        return live.situation
