"""Waivers: what may stay without a runbook, by kind or by name, each with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from console.base import decode
from console.base.document import Document
from console.base.errors import did_you_mean
from console.base.text import listed

WaivedKind = Literal["finding", "alert", "objective", "component", "runbook"]
LEAST = 10
"""Letters of a reason, at least."""


class Coverable(Struct, frozen=True):
    """What a runbook can be for, or a runbook. `severity` and `owner` are `` where only the moment says it."""

    what: WaivedKind
    name: str
    severity: str = ""
    owner: str = ""


class Waiver(Struct, frozen=True, forbid_unknown_fields=True):
    """What fits all that is said here may stay as it is."""

    because: str
    what: WaivedKind | None = None
    severity: str = ""
    owner: str = ""
    names: list[str] = []

    def fits(self, one: Coverable) -> bool:
        kinds = ((self.what, one.what), (self.severity, one.severity), (self.owner, one.owner))
        return all(not wanted or wanted == is_so for wanted, is_so in kinds) and (
            not self.names or one.name in self.names
        )


class WaiverFile(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    """A file of waivers."""

    api_version: Literal["console/v1"]
    kind: Literal["Waivers"]
    waivers: Annotated[list[Waiver], Meta(min_length=1)]


def read(document: Document, things: Iterable[Coverable]) -> tuple[Waiver, ...]:
    """The waivers of a file.

    Raises:
        DocumentError: one has no reason, names or fits nothing that there is.
    """
    found: WaiverFile = decode.decode(document, WaiverFile)
    there = list(things)
    for index, waiver in enumerate(found.waivers):
        _check(document, ("waivers", index), waiver, there)
    return tuple(found.waivers)


def _check(document: Document, at: tuple[str | int, ...], waiver: Waiver, things: Sequence[Coverable]) -> None:
    if len(re.findall(r"[^\W\d_]", waiver.because)) < LEAST:
        said = f"{waiver.because!r} is no reason"
        raise document.error((*at, "because"), said, hint="say why it may stay without a runbook")
    if not (waiver.severity or waiver.owner or waiver.names):
        said = "this waives everything: it names neither names, an owner nor a severity"
        raise document.error(at, said, hint="names: [image-pull], or owner: platform")
    mine = [one for one in things if waiver.what in (None, one.what)]
    for key in ("severity", "owner"):
        word, known = getattr(waiver, key), {getattr(one, key) for one in mine} - {""}
        if word and word not in known:
            raise document.error((*at, key), f"nothing has the {key} {word!r}", hint=did_you_mean(word, known))
    names = {one.name for one in mine}
    for index, name in enumerate(waiver.names):
        if name not in names:
            said = f"there is no {waiver.what or 'such thing'} {name!r}"
            raise document.error((*at, "names", index), said, hint=did_you_mean(name, names))
    if not any(waiver.fits(one) for one in mine):
        words = listed([w for w in (waiver.what, waiver.severity, waiver.owner, *waiver.names) if w], 5)
        raise document.error(at, f"nothing is all of {words}, so this waives nothing", hint="remove it")
