"""Whether the server would let us: asked before anything is shown, and answered with the rule to ask for."""

from __future__ import annotations

from msgspec import Struct

from console.base.text import clean
from console.operate.kubernetes import Place
from console.runbook.effects import Effect
from console.wire.reader import Reader


class Right(Struct, frozen=True):
    """One verb on one object."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def rule(self) -> str:
        """The RBAC rule that grants it, as it stands in a Role (or a ClusterRole), on one line."""
        kind = f"Role in {self.namespace}" if self.namespace else "ClusterRole"
        return f'{{apiGroups: ["{self.group}"], resources: ["{self.resource}"], verbs: ["{self.verb}"]}} ({kind})'

    @property
    def words(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}" + (f" in namespace {self.namespace}" if self.namespace else "")


class Missing(Struct, frozen=True):
    """A right that we do not have, and what the server said about it."""

    right: Right
    reason: str = ""

    @property
    def words(self) -> str:
        said = f" ({clean(self.reason)})" if self.reason else ""
        return f"you may not {self.right.words}{said}; ask for {self.right.rule}"


def needed(effect: Effect, at: Place) -> tuple[Right, ...]:
    """The rights that the effect needs on its target."""
    verb = "delete" if effect.action == "delete" else "patch"
    namespace = at.target.namespace if at.resource.namespaced else ""
    return (Right(verb, at.group, at.resource.plural, namespace, at.target.name),)


async def missing(reader: Reader, rights: tuple[Right, ...]) -> Missing | None:
    """The first right that we do not have, by SelfSubjectAccessReview."""
    for right in rights:
        access = await reader.may(
            right.verb, right.resource, group=right.group, namespace=right.namespace, name=right.name
        )
        if not access.allowed:
            return Missing(right, access.reason)
    return None
