"""Whether the server would let us: asked before anything is shown, and answered with the rule to ask for."""

from __future__ import annotations

from msgspec import Struct

from console.actions import verb_of
from console.actions.effects import Effect
from console.actions.verb import Right
from console.base.text import clean
from console.operate.kubernetes import ObjectAddress
from console.wire.reader import Reader
from console.wire.reviews import AccessReview


class LackingRight(Struct, frozen=True):
    """A right that we do not have, and what the server said about it."""

    right: Right
    reason: str = ""

    @property
    def words(self) -> str:
        said = f" ({clean(self.reason)})" if self.reason else ""
        return f"you may not {self.right.words}{said}; ask for {self.right.rule}"


def needed(effect: Effect, at: ObjectAddress) -> tuple[Right, ...]:
    """The rights that the effect needs on its target."""
    namespace = at.target.namespace if at.resource.namespaced else ""
    return verb_of(effect.action).rights(effect, at.resource.plural, namespace)


async def reviewed(reader: Reader, right: Right) -> AccessReview:
    """Whether we have a right, by SelfSubjectAccessReview."""
    resource, _, subresource = right.resource.partition("/")
    return await reader.may(
        right.verb,
        resource,
        group=right.group,
        namespace=right.namespace,
        name=right.name,
        subresource=subresource,
    )


async def missing(reader: Reader, rights: tuple[Right, ...]) -> LackingRight | None:
    """The first right that we do not have."""
    for right in rights:
        access = await reviewed(reader, right)
        if not access.allowed:
            return LackingRight(right, access.reason)
    return None
