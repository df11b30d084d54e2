"""The configuration keys that real Spark versions have, and what a key of an application is to them.

The data (`spark-keys.json` beside this module, made by `python -m tools.spark_keys` from the jars of each version)
holds for every key the versions that know it and the type of its value; and the keys that Spark calls deprecated or
removed, with the version since which. `sources.advice` reads it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec
from msgspec import Struct

MinorVersion = tuple[int, int]

OPEN = (
    "spark.hadoop.",
    "spark.hive.",
    "spark.executorEnv.",
    "spark.metrics.conf.",
    "spark.sql.catalog.",
    "spark.ssl.",
    "spark.kafka.",
    "spark.streaming.kafka.",
    "spark.kubernetes.driverEnv.",
    "spark.kubernetes.node.selector.",
    "spark.kubernetes.authenticate.",
    "spark.yarn.",
    "spark.executor.resource.",
    "spark.driver.resource.",
    "spark.task.resource.",
    "spark.worker.resource.",
    "spark.shuffle.io.",
    "spark.rpc.io.",
    "spark.files.io.",
    "spark.network.io.",
    "spark.network.crypto.config.",
    "spark.io.encryption.commons.config.",
    "spark.plugins.internal.conf.",
    "spark.shuffle.plugin.__config__.",
    "spark.scheduler.listenerbus.eventqueue.",
    "spark.sql.streaming.stateStore.",
    *(
        f"spark.kubernetes.{role}.{part}."
        for role in ("driver", "executor")
        for part in (
            "label",
            "annotation",
            "service.label",
            "service.annotation",
            "node.selector",
            "secrets",
            "secretKeyRef",
            "volumes",
        )
    ),
)
"""Namespaces whose names are made by users, Hadoop or plugins, or put together by Spark at run time."""

_NUMBER = re.compile(r"-?[0-9]+$")
_SIZE = re.compile(r"-?[0-9]+(?:[bkmgtp]|[kmgtp]b)?$")
_TIME = re.compile(r"-?[0-9]+(?:us|ms|s|m|min|h|d)?$")
_VERSION = re.compile(r"(\d+)\.(\d+)")
_SQUEEZE = re.compile(r"[-_.]")


class _Data(Struct, frozen=True, forbid_unknown_fields=True):
    versions: tuple[str, ...]
    keys: dict[str, str]
    deprecated: dict[str, tuple[str, str]]
    removed: dict[str, tuple[str, str]]


class Retired(Struct, frozen=True):
    """A key that Spark calls deprecated or removed since `since`; `instead` names its successor, `` where none."""

    how: Literal["deprecated", "removed"]
    since: str
    instead: str


@dataclass(frozen=True)
class KnownKey:
    """The versions that have a key, as indices of `Catalogue.versions`, and what its value must be."""

    first: int
    last: int
    type: str


def version_of(text: str) -> MinorVersion | None:
    """(major, minor) of `4.1.4` or `3.5.1-vendor-2`; None where the text is no version."""
    found = _VERSION.match(text.strip())
    return (int(found.group(1)), int(found.group(2))) if found else None


@dataclass(frozen=True)
class KeyCatalogue:
    """What is known of the keys of `versions`, oldest first."""

    versions: tuple[str, ...]
    keys: Mapping[str, KnownKey]
    deprecated: Mapping[str, tuple[str, str]]
    removed: Mapping[str, tuple[str, str]]

    @property
    def span(self) -> str:
        return f"Spark {self.versions[0]} to {self.versions[-1]}"

    def index(self, version: MinorVersion | None) -> int | None:
        """Which of `versions` has the same major and minor number; None where none has."""
        if version is None:
            return None
        return next((i for i, v in enumerate(self.versions) if version_of(v) == version), None)

    def retired(self, key: str, version: MinorVersion) -> Retired | None:
        """How `key` stands in `version`: deprecated, removed, or neither (None)."""
        for how, table in (("removed", self.removed), ("deprecated", self.deprecated)):
            entry = table.get(key)
            since = version_of(entry[0] + ".0") if entry is not None else None
            if entry is not None and since is not None and version >= since:
                return Retired("removed" if how == "removed" else "deprecated", entry[0], entry[1])
        return None

    def is_open(self, key: str) -> bool:
        """Whether anybody may make up names here."""
        return not key.startswith("spark.") or key.startswith(OPEN)

    def stranger(self, key: str) -> tuple[bool, str]:
        """(whether no version has `key` though it stands where only Spark's own keys do, the nearest valid key).

        A namespace that no version of Spark has belongs to a plugin or to the user and is never called unknown,
        unless the key is a slip of the pen away from one of Spark's.
        """
        if key in self.keys or key in self.deprecated or key in self.removed or self.is_open(key):
            return False, ""
        if key not in self._judged:
            self._judged[key] = self._judge(key)
        return self._judged[key]

    def _judge(self, key: str) -> tuple[bool, str]:
        slip = self._squeezed.get(_SQUEEZE.sub("", key.lower()), "") or self._slip(key)
        if slip:
            return True, slip
        parent = key.rpartition(".")[0]
        if parent not in self._parents:
            return False, ""
        siblings = [name for name in self._names if name.startswith(parent + ".")]
        found = difflib.get_close_matches(key, siblings, n=1, cutoff=0.8)
        return True, found[0] if found else ""

    def _slip(self, key: str) -> str:
        """A key that differs in one of its words, by at most two letters."""
        parts = key.split(".")
        for i, part in enumerate(parts):
            for name, other in self._patterns.get((*parts[:i], "*", *parts[i + 1 :]), ()):
                if len(part) > 3 and _distance(part, other) <= 2:
                    return name
        return ""

    @cached_property
    def _judged(self) -> dict[str, tuple[bool, str]]:
        return {}

    @cached_property
    def _patterns(self) -> dict[tuple[str, ...], list[tuple[str, str]]]:
        """Keys with one word left out → (key, that word)."""
        out: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for name in self._names:
            parts = name.split(".")
            for i, part in enumerate(parts):
                out.setdefault((*parts[:i], "*", *parts[i + 1 :]), []).append((name, part))
        return out

    @cached_property
    def _names(self) -> list[str]:
        """Keys worth suggesting: what ends in no other key's namespace and is not on its way out."""
        retired = {*self.deprecated, *self.removed}
        return [key for key in self.keys if key not in retired and key not in self._parents]

    @cached_property
    def _squeezed(self) -> dict[str, str]:
        return {_SQUEEZE.sub("", key.lower()): key for key in self._names}

    @cached_property
    def _parents(self) -> frozenset[str]:
        return frozenset(key.rpartition(".")[0] for key in self.keys) - {"spark"}


def _distance(one: str, other: str) -> int:
    """How many letters differ, are too many or missing; 3 stands for more than two."""
    if abs(len(one) - len(other)) > 2:
        return 3
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return min(row[-1], 3)


def read(text: str | bytes) -> KeyCatalogue:
    """The catalogue of the data file.

    Raises:
        msgspec.DecodeError: it is no such file.
    """
    data = msgspec.json.decode(text, type=_Data)
    keys: dict[str, KnownKey] = {}
    for key, said in data.keys.items():
        span, _, type_ = said.partition(" ")
        first, _, last = span.partition("-")
        keys[key] = KnownKey(int(first), int(last or first), type_)
    return KeyCatalogue(data.versions, keys, data.deprecated, data.removed)


def wrong_value(type_: str, value: str) -> str:
    """What is wrong with `value` for a key of this type, in words; `` where nothing is, or nothing is known.

    Spark's own rules: sizes and times are whole numbers with an optional unit of one or two letters, in any case;
    `4Gi` and `1.5g` are neither.
    """
    kind, _, more = type_.partition(":")
    text = value.strip().lower()
    if not kind or not text or "${" in text or text.startswith("["):
        return ""
    if kind == "bool":
        return "" if text in ("true", "false") else "neither true nor false"
    if kind == "int":
        return "" if _NUMBER.match(text) else "no whole number"
    if kind == "number":
        return "" if _float(text) else "no number"
    if kind == "bytes":
        return "" if _SIZE.match(text) else _wrong_size(value.strip(), text)
    if kind == "time":
        return "" if _TIME.match(text) else _wrong_unit(text.rstrip("usmhdin"), "no time")
    if kind == "enum" and text not in {word.lower() for word in more.split("|")}:
        return f"none of {', '.join(more.split('|'))}"
    return ""


def _wrong_size(written: str, text: str) -> str:
    unit = text.lstrip("0123456789")
    if unit in ("ki", "mi", "gi", "ti", "pi"):
        return f"Spark has no unit {written[-2:]!r}: it writes {unit[0]} for the same size"
    return _wrong_unit(text.rstrip("bkmgtp"), "no size")


def _wrong_unit(number: str, otherwise: str) -> str:
    return "a fraction: Spark takes whole numbers only" if _float(number) else otherwise


def _float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
