"""The rules of advice. Every module here with a `RULES` list takes part; none is registered elsewhere."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from console.advice.rule import AppRule, GroundRule


@cache
def all_rules() -> tuple[tuple[AppRule, ...], tuple[GroundRule, ...]]:
    """(rules over one application, rules over everything), in order of module and list."""
    apps: list[AppRule] = []
    ground: list[GroundRule] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for rule in getattr(import_module(f"{__name__}.{module}"), "RULES", ()):
            if isinstance(rule, AppRule):
                apps.append(rule)
            else:
                ground.append(rule)
    return tuple(apps), tuple(ground)
