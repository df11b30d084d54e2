"""What a rule of advice is. Rules live in `rules`, one module per family; a module lists its own in `RULES`.

To add one: write a function that yields `Advice` (and `Unjudged` where a fact is missing that would decide), add it
to `RULES` of its module, and its test; nothing else knows the rules by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.advice.model import Advice, Family, Unjudged
from console.advice.view import View

if TYPE_CHECKING:
    from console.advice.ground import Ground

AdviceAnswer = Iterable[Advice | Unjudged]


@dataclass(frozen=True)
class AppRule:
    """A rule over one application."""

    id: str
    family: Family
    check: Callable[[View], AdviceAnswer]


@dataclass(frozen=True)
class GroundRule:
    """A rule over everything: namespaces, rights, images of many applications."""

    id: str
    family: Family
    check: Callable[[Ground], AdviceAnswer]
