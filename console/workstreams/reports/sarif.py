"""Lint as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import console
from console.workstreams.codes import CODES
from console.workstreams.model import Index, IndexProblem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(index: Index, *, uri: str, files_uri: str = "") -> dict[str, Any]:
    """One SARIF log with one run.

    Args:
        uri: path of the index as the code host knows it, relative to the repository, with `/`.
        files_uri: the same for the folder of workstream files.
    """
    rules = list(CODES.values())
    places = {rule.code: number for number, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "console-workstreams",
                        "version": console.__version__,
                        "rules": [
                            {
                                "id": rule.code,
                                "name": "".join(word.capitalize() for word in rule.code.split("-")),
                                "shortDescription": {"text": rule.meaning},
                                "help": {"text": f"Stands at: {rule.at}."},
                                "defaultConfiguration": {"level": rule.severity},
                            }
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, places[item.code], uri, files_uri) for item in index.problems],
            }
        ],
    }


def _result(item: IndexProblem, rule: int, uri: str, files_uri: str) -> dict[str, Any]:
    if item.line:
        place, line = uri, item.line
    else:
        place, line = f"{files_uri.rstrip('/')}/{item.file}" if files_uri else item.file, max(1, item.at)
    out: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": item.severity,
        "message": {"text": item.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place or uri, safe="/:._-~+@", errors="surrogateescape")},
                    "region": {"startLine": line},
                }
            }
        ],
    }
    facts = {
        name: value
        for name in ("feature", "workstream", "declared", "derived")
        if (value := getattr(item, name)) is not None
    }
    if facts:
        out["properties"] = facts
    return out
