"""`action: restore`: a key of a ConfigMap as it was, from what was captured before or from another ConfigMap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.actions import patches
from console.actions.beside import NOTHING, Beside, NoSuchChange, ReadWanted, found
from console.actions.effects import Consequence, Effect
from console.actions.verb import Objection, Verb
from console.base.shapes import mapping
from console.base.text import clean


class RestoreArguments(Struct, frozen=True):
    """`key`, and either its `value` or the ConfigMap of the same namespace that has it (`source`, `source_key`)."""

    key: str | None = None
    value: str | None = None
    source: str | None = None
    source_key: str | None = None


class Restore(Verb):
    name = "restore"
    noun = "a restoration"
    asks = "Restore a key of"
    does = "restore a key of"
    arguments = RestoreArguments
    kinds = (("", "ConfigMap"),)
    way_back = "always"
    late = True

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        if not arguments.get("key"):
            yield Objection("restore-without-key", "restores no key", "write `key: spark-defaults.conf`")
        if (arguments.get("value") is None) == (arguments.get("source") is None):
            said = "needs either `value` or `source`, the ConfigMap that has it"
            yield Objection("restore-from", said, "write `source: spark-conf-before`")

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        assert effect.target is not None
        source = effect.given.get("source")
        if not source:
            return super().reads(effect, obj)
        other = ReadWanted("source", "v1", "ConfigMap", namespace=effect.target.namespace, name=str(source))
        return (*super().reads(effect, obj), other)

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        key, value = str(effect.given.get("key")), effect.given.get("value")
        if value is None:
            value = _of_source(effect.given, key, beside)
        at = patches.pointer(("data", key))
        return replace(effect, patch_type="merge", patch=patches.setting(at, str(value)), touched=(at,))

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        if obj.get("immutable") is True:
            yield "it is immutable: another one has to be made and named where this one is mounted"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        words = (
            "pods that mount it see the value within about a minute; what is read at their start only, after a restart"
        )
        return [Consequence("restart", "info", words)]


def _of_source(arguments: Mapping[str, Any], key: str, beside: Beside) -> Any:
    seen, source = found(beside, "source"), clean(str(arguments.get("source")))
    if seen.error:
        raise NoSuchChange(f"ConfigMap {source} cannot be read: {seen.error}")
    theirs = str(arguments.get("source_key") or key)
    for item in seen.items:
        data = mapping(item.get("data"))
        if theirs in data:
            return data[theirs]
        raise NoSuchChange(f"ConfigMap {source} has no key {clean(theirs)}")
    raise NoSuchChange(f"there is no ConfigMap {source}")


VERB = Restore()
