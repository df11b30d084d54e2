"""Kinds of failures as data, by family: the words that decide, their owner, look-alikes, and the next step."""

from __future__ import annotations

from functools import cache

from console.findings.kinds import data, engines, images, network, operators, pods, shuffle, stores, streams
from console.findings.kinds.model import FailureKind, ResponsibleParty

__all__ = ["CODES", "FailureKind", "ResponsibleParty", "all_kinds", "general_kinds", "operator_kinds", "special_kinds"]


@cache
def all_kinds() -> tuple[FailureKind, ...]:
    """Every kind, the more special before the more general."""
    return (
        *pods.KINDS,
        *images.KINDS,
        *streams.KINDS,
        *shuffle.KINDS,
        *engines.KINDS,
        *data.KINDS,
        *stores.KINDS,
        *network.KINDS,
    )


@cache
def special_kinds() -> tuple[FailureKind, ...]:
    """Kinds that say what it is, whatever else was found."""
    return tuple(kind for kind in all_kinds() if not kind.general)


@cache
def general_kinds() -> tuple[FailureKind, ...]:
    """Kinds that only say so much that they speak where nothing else does."""
    return tuple(kind for kind in all_kinds() if kind.general)


def operator_kinds() -> tuple[FailureKind, ...]:
    """Kinds of trouble that operators write of themselves."""
    return operators.KINDS


CODES = tuple(kind.code for kind in all_kinds())
"""Codes of all kinds: whatever only tells that processes ended comes after them."""
