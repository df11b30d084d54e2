"""`query`: the answer to the PromQL of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.facts.model import Sample


def with_query(ctx: Mapping[str, Any], samples: Sequence[Sample] | None, error: str = "") -> dict[str, Any]:
    """`ctx` with `query`: `state` (`ok`, `empty`, `error`), `samples`, and `value` of the first one.

    Without data there are neither samples nor a value, so that nothing that is asked of them can hold.
    """
    query: dict[str, Any] = {"error": error}
    if samples is None:
        query["state"] = "error"
    else:
        real = [s for s in samples if s.value == s.value]
        query["state"] = "ok" if real else "empty"
        if real:
            query["samples"] = [{"labels": dict(s.labels), "value": s.value} for s in real]
            query["value"] = real[0].value
    return {**ctx, "query": query}
