"""The rules, one module per family. Every module here with a `RULES` list takes part; none is registered elsewhere."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from console.findings.rule import Rule, WorldRule
from console.findings.simple import SimpleRule


@cache
def all_rules() -> tuple[tuple[Rule, ...], tuple[WorldRule, ...]]:
    """(rules over one application, rules over the world), in order of module and list."""
    mine: list[Rule] = []
    world: list[WorldRule] = []
    for module in sorted(info.name for info in pkgutil.walk_packages(__path__, f"{__name__}.")):
        for entry in getattr(import_module(module), "RULES", ()):
            rule = entry.rule() if isinstance(entry, SimpleRule) else entry
            if isinstance(rule, Rule):
                mine.append(rule)
            else:
                world.append(rule)
    mine.sort(key=lambda rule: rule.last)
    return tuple(mine), tuple(world)
