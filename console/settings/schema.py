"""The published JSON Schema of the config file: for editors, and for people who generate the file."""

from __future__ import annotations

from typing import Any

from console.base import decode
from console.settings.load import known_zones
from console.settings.model import Config


def config_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) that accepts what `load` accepts; times are checked by their `date-time` format."""
    out = decode.schema(Config)
    out["title"] = "Console configuration"
    out["$defs"]["Weekly"]["properties"]["timezone"]["enum"] = sorted(known_zones())
    return out
