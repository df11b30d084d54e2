"""Answers of the parts of Prometheus' API that list things: rules, targets. One that is malformed leaves the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from console.base.jsontext import decode_json

T = TypeVar("T")


class ListedAlert(Struct):
    """One alert of a rule: its annotations are those of the rule with its labels and value filled in."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class ListedRule(Struct):
    """One rule of `/api/v1/rules`. `duration` is its `for`, in seconds."""

    type: str = ""
    name: str = ""
    query: str = ""
    labels: dict[str, str] = {}
    duration: float = 0.0
    health: str = "unknown"
    lastError: str = ""
    lastEvaluation: str = ""
    alerts: list[ListedAlert] = []


class RuleGroup(Struct):
    """A group of rules; `interval` in seconds."""

    name: str
    file: str
    interval: float
    rules: list[ListedRule]


class ListedTarget(Struct):
    """One target of `/api/v1/targets`."""

    labels: dict[str, str] = {}
    scrapeUrl: str = ""
    health: str = "unknown"
    lastError: str = ""
    lastScrape: str = ""
    scrapeInterval: str = ""


class _ListedGroup(Struct):
    name: str = ""
    file: str = ""
    interval: float = 0.0
    rules: list[Raw] = []


class _Groups(Struct):
    groups: list[Raw]


class _RulesAnswer(Struct):
    data: _Groups


class _TargetList(Struct):
    activeTargets: list[Raw]


class _TargetsAnswer(Struct):
    data: _TargetList


class _NamesAnswer(Struct):
    data: list[str] = []


def rule_groups(body: bytes) -> list[RuleGroup]:
    """The groups of an answer to `/api/v1/rules`. msgspec.DecodeError where it is none."""
    groups = _sound(decode_json(body, _RulesAnswer).data.groups, _ListedGroup)
    return [RuleGroup(g.name, g.file, g.interval, _sound(g.rules, ListedRule)) for g in groups]


def active_targets(body: bytes) -> list[ListedTarget]:
    """The targets of an answer to `/api/v1/targets`. msgspec.DecodeError where it is none."""
    return _sound(decode_json(body, _TargetsAnswer).data.activeTargets, ListedTarget)


def label_values(body: bytes) -> list[str]:
    """The values of an answer to `/api/v1/label/NAME/values`. msgspec.DecodeError where it is none."""
    return decode_json(body, _NamesAnswer).data


def _sound(raws: Iterable[Raw], kind: type[T]) -> list[T]:
    """Those that are a `kind`."""
    out: list[T] = []
    for raw in raws:
        try:
            out.append(decode_json(bytes(raw), kind))
        except msgspec.DecodeError:
            continue
    return out
