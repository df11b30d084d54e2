"""`action: label`: labels of an object are set, or taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec import Struct

from console.actions import kept, patches
from console.actions.beside import Beside
from console.actions.effects import Effect
from console.actions.proof import Proof, equals
from console.actions.verb import Body, Objection, Verb
from console.base.shapes import mapping
from console.base.text import clean

_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


class LabelArguments(Struct, frozen=True):
    """`labels`: key → value; no value takes it off."""

    labels: dict[str, str | None] | None = None


class SetLabels(Verb):
    name = "label"
    noun = "a label"
    asks = "Label"
    does = "label"
    arguments: ClassVar[type[Struct]] = LabelArguments
    way_back = "always"
    field: ClassVar[str] = "labels"
    fits: ClassVar[re.Pattern[str]] = _VALUE

    def body(self, arguments: Mapping[str, Any]) -> Body:
        wanted = arguments.get(self.field)
        patch = {"metadata": {self.field: wanted}}
        return Body(patch, "merge", patches.touched(patch, "merge")) if isinstance(wanted, dict) and wanted else Body()

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        wanted = arguments.get(self.field)
        if not isinstance(wanted, dict) or not wanted:
            yield Objection(f"no-{self.field}", f"sets no {self.field}", f"write `{self.field}: {{team: payments}}`")
            return
        for key, value in wanted.items():
            if not _KEY.fullmatch(str(key)):
                yield Objection(f"bad-{self.field}", f"sets {clean(str(key))!r}, which is no key of {self.field}")
            elif who := kept.writer(self.field, str(key)):
                hint = "choose a key of your own, with a domain that you own before its `/`"
                yield Objection(f"kept-{self.field}", f"sets {key}, which {who} writes and relies on", hint)
            elif value is not None and "{" not in str(value) and not self.fits.fullmatch(str(value)):
                yield Objection(
                    f"bad-{self.field}", f"sets {key} to {clean(str(value))!r}, which is no value of a label"
                )

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        wanted = arguments.get(self.field) or {}
        parts = [equals(f"metadata.{self.field}[{key!r}]", value or "") for key, value in wanted.items()]
        return Proof(" and ".join(parts), hold="1m", deadline="3m") if parts else None

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        wanted = mapping(mapping(mapping(effect.patch).get("metadata")).get(self.field))
        yield from kept.obstacles(self.field, map(str, wanted), obj, effect.touched)

    def key_of(self, pointer: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        return (self.field,)


VERB = SetLabels()
