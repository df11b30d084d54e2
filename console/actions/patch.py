"""`action: patch`: fields of one object are set or removed, by a merge patch or a JSON Patch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from console.actions import patches
from console.actions.verb import Body, Objection, Verb


class PatchArguments(Struct, frozen=True):
    """`patch` is a tree of fields (merge, the default) or a list of operations (json)."""

    patch_type: Literal["merge", "json"] | None = None
    patch: Any = None


class Patch(Verb):
    name = "patch"
    noun = "a patch"
    arguments = PatchArguments

    def body(self, arguments: Mapping[str, Any]) -> Body:
        patch: Any = arguments.get("patch")
        patch_type: Literal["merge", "json"] = arguments.get("patch_type") or "merge"
        return Body(patch, patch_type, patches.touched(patch, patch_type))

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        body = self.body(arguments)
        if not body.touched or not isinstance(body.patch, list if body.patch_type == "json" else dict):
            yield Objection("empty-patch", "changes nothing", "write `patch`")

    def key_of(self, pointer: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        merge = self.body(arguments).patch_type == "merge"
        return ("patch", *(patches.parts(pointer) if merge else ()))


VERB = Patch()
