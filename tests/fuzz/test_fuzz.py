"""Five hundred broken inputs: `python -m tests.fuzz` takes 10,000."""

from __future__ import annotations

import pytest

from tests.fuzz.edges import EDGES
from tests.fuzz.run import one

EACH = 34


@pytest.mark.parametrize("edge", EDGES)
def test_a_broken_input_raises_nothing_and_leaves_the_others_judged(edge: str) -> None:
    for seed in range(EACH):
        one(edge, seed)
