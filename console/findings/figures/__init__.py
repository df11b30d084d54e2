"""Typed figures: what a finding tells runbooks and other rules beside its words. One struct per family, one file each.

Every family lists the codes whose findings carry it (`CODES`); `figures_of` and `lint` read that list, so a figure that
no finding has is an error where a runbook is written, not where it is walked.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from console.findings.figures.base import Figures

__all__ = ["Figures", "families", "figures_of"]


@cache
def families() -> dict[str, type[Figures]]:
    """Code of a finding → the struct of its figures."""
    out: dict[str, type[Figures]] = {}
    for info in pkgutil.iter_modules(__path__, f"{__name__}."):
        for kind in vars(import_module(info.name)).values():
            if isinstance(kind, type) and issubclass(kind, Figures) and kind.__module__ == info.name:
                for code in kind.CODES:
                    if code in out:
                        raise TypeError(f"{code} has figures of {out[code].__name__} and of {kind.__name__}")
                    out[code] = kind
    return out


def figures_of(code: str) -> type[Figures]:
    """The struct of the figures of a code; plain `Figures` where its findings carry only what ties them to objects."""
    return families().get(code, Figures)
