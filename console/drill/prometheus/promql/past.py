"""What was worked out of the past once: steps of subqueries over series whose past never changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import promql_parser as ast

from console.drill.prometheus.promql.model import Vector

MOST = 200_000
"""Steps that are kept; then all are forgotten, and worked out anew as they are asked for."""

AtTime = Callable[[Any, int], Vector]


class PastSteps:
    """Values of expressions at past times.

    Args:
        lasting: names of metrics of which no sample changes once its time has passed.
        now: the present in ms.
    """

    def __init__(self, lasting: frozenset[str], now: Callable[[], int]) -> None:
        self._lasting, self._now = lasting, now
        self._texts: dict[str, dict[int, Vector] | None] = {}
        self._kept = 0

    def remembering(self, expr: Any, vector: AtTime) -> AtTime:
        """`vector` for this expression, which asks once for each time that has passed."""
        text = expr.prettify()
        if text not in self._texts:
            self._texts[text] = {} if self._lasts(expr) else None
        known, now = self._texts[text], self._now()
        if known is None:
            return vector

        def remembered(expr: Any, at: int) -> Vector:
            found = known.get(at)
            if found is None:
                found = vector(expr, at)
                if at < now:
                    self._keep(known, at, found)
            return found

        return remembered

    def _keep(self, known: dict[int, Vector], at: int, value: Vector) -> None:
        if self._kept >= MOST:
            self._kept = 0
            for one in self._texts.values():
                if one is not None:
                    one.clear()
        known[at] = value
        self._kept += 1

    def _lasts(self, expr: Any) -> bool:
        """Whether each selector names a lasting metric and looks at the time of the step."""
        changing: list[Any] = []

        def visit(node: Any) -> bool:
            if isinstance(node, ast.SubqueryExpr) or (
                isinstance(node, ast.VectorSelector)
                and (node.name not in self._lasting or node.offset is not None or node.at is not None)
            ):
                changing.append(node)
            return not changing

        ast.walk(expr, visit)
        return not changing
