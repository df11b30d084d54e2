"""`nodes`: the nodes of the cluster."""

from __future__ import annotations

from typing import Any

from console.facts.model import Node
from console.runbook.context.plain import plain


def node_part(node: Node) -> dict[str, Any]:
    """A node, with the types of the conditions that are True as `true`."""
    return {**plain(node), "true": [c.type for c in node.conditions if c.status == "True"]}
