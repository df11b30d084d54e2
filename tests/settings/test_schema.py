"""The published schema accepts exactly what the loader accepts."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from console.base.clock import parse_time
from console.base.document import parse, walk
from console.settings.load import validate
from console.settings.schema import config_schema

checker = FormatChecker()
checker.checks("date-time")(lambda text: not isinstance(text, str) or parse_time(text) is not None)
SCHEMA = Draft202012Validator(config_schema(), format_checker=checker)

FULL: dict[str, Any] = yaml.safe_load("""
preset: gpu
namespaces: [spark]
prometheus: {url: "http://p:9090", path: /prom, token_env: T, ca_file: /ca, headers: {X-Scope-OrgID: a}, timeout: 3s}
alertmanager: {service: "monitoring/alertmanager:web", token_file: /t}
history_server: {service: "https:spark/history"}
policy:
  deny: [Secret, "Pod/kube-system/*"]
  max_targets: 3
  cooldown: 90
  second_person: production
  approvals: {namespace: console-approvals, wait: 10m}
  freeze:
    weekly: [{name: w, days: [fri, sat], from: "16:00", until: "24:00", timezone: Europe/Berlin, reason: r}]
    dates: [{name: d, from: "2026-11-27T00:00:00Z", until: "2026-11-30T00:00:00+01:00"}]
evidence: {max_bytes: 20Mi, max_age: 7d, log_bytes: 4096, log_lines: 10, excerpt: 200}
holds: {verify: 10m, slo: 1h30m, timeout: 60}
production: {contexts: [p], namespaces: [n], badge: LIVE}
runbook_paths: [a]
preset_paths: [b]
workstreams: {index: c}
ui: {theme: dark, shapes: ascii, mouse: "off"}
contexts:
  p: {mode: write, preset: x, badge: EU, policy: {max_targets: 1}}
""")

OTHER_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    3,
    2.5,
    1.0,
    "",
    "x",
    "10m",
    "http://a",
    "a/b",
    "12:00",
    [],
    ["x"],
    {},
    {"x": 1},
]


def corpus() -> list[Any]:
    """The full document with each value replaced in turn, each key left out, and a key added everywhere."""
    out: list[Any] = [{}, [], "x", FULL]
    for path, value in walk(FULL):
        if not path:
            continue
        for other in OTHER_VALUES:
            out.append(changed(path, other))
        out.append(changed(path, None, remove=True))
        if isinstance(value, dict):
            out.append(changed((*path, "surprise"), 1))
    out += [{"surprise": 1}, {"prometheus": {"url": "http://a", "service": "a/b"}}]
    out += [{"prometheus": {"token_env": "A", "token_file": "b"}}]
    for moment in ("2026-02-31T00:00:00Z", "2026-11-27", "2026-11-27T25:00:00Z", "2026-11-27T00:00:00"):
        out.append(changed(("policy", "freeze", "dates", 0, "from"), moment))
    out.append(changed(("policy", "freeze", "weekly", 0, "timezone"), "Mars/Phobos"))
    return out


def changed(path: tuple[str | int, ...], value: Any, *, remove: bool = False) -> Any:
    tree = copy.deepcopy(FULL)
    at: Any = tree
    for part in path[:-1]:
        at = at[part]
    if remove:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return tree


def accepted(tree: Any) -> bool:
    return not validate(parse(json.dumps(tree), "config.yaml"))[1]


def test_schema_and_loader_agree_on_every_document() -> None:
    documents = corpus()
    differing = [tree for tree in documents if SCHEMA.is_valid(tree) != accepted(tree)]
    assert differing == []
    verdicts = [accepted(tree) for tree in documents]
    assert verdicts.count(True) > 80 and verdicts.count(False) > 300


def test_the_full_document_is_accepted() -> None:
    assert accepted(FULL)


@pytest.mark.parametrize("key", ["preset", "contexts", "policy"])
def test_the_schema_describes_its_keys(key: str) -> None:
    assert key in config_schema()["$defs"]["Config"]["properties"]
