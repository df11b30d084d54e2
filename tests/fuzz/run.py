"""One broken input at one edge, and what must hold afterwards."""

from __future__ import annotations

import random
import resource
import time

from tests.fuzz import faces, judged
from tests.fuzz.edges import EDGES

SHOWN = 0.25
"""How often what came of an input is shown by both faces."""
MEGABYTES = 500.0
"""By which the memory of the process may grow with one input."""
SECONDS = 5.0
"""Processor seconds that one input may take, from its bytes to what is said."""


def one(edge: str, seed: int) -> None:
    """Read one broken input and judge it beside healthy applications, which must be judged as without it."""
    rng = random.Random(f"{edge} {seed}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    facts = EDGES[edge](rng)
    if facts is not None:
        judged.unmoved(facts, wide=rng.random() < 0.05)
        if rng.random() < SHOWN:
            faces.shown(facts)
    spent = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"it took {grown:.0f} MB"
    assert spent < SECONDS, f"it took {spent:.1f}s"
