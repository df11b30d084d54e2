"""A fault and how it went."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.cluster.node import SparkNode
from tests.cluster.spark import SparkApplication

Verdict = tuple[str | None, str]
"""Incident class and code of a finding."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        expected: what must be found, the cause first.
        also: what may be found besides: consequences that are not always there.
        submit: starts the application under the name that it is given.
        shown: whether the cluster shows the fault.
        around: makes and removes what the fault needs beside the application.
        patience: seconds for the cluster to show it.
        answer: seconds for the console to say it.
    """

    name: str
    title: str
    expected: tuple[Verdict, ...]
    submit: Callable[[SparkNode, str], SparkApplication]
    shown: Callable[[SparkApplication], bool]
    also: tuple[Verdict, ...] = ()
    around: Callable[[SparkNode], contextlib.AbstractContextManager[None]] = lambda node: contextlib.nullcontext()
    patience: float = 240.0
    answer: float = 60.0


@dataclass
class Outcome:
    """How one fault went. `took` is the seconds from the fault to the right answer, None where there was none."""

    fault: Fault
    said: tuple[Verdict, ...] = ()
    confidence: str = ""
    title: str = ""
    took: float | None = None
    wrong: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return self.took is not None and not self.wrong
