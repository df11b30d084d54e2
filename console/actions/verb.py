"""What every verb answers. One that says nothing special changes fields of one object, by a patch.

A verb is a module of this room with a `VERB`. The gate, the preview, the runner, the schema and the lint ask it; none
of them knows a verb by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Struct

from console.actions import aftermath, handsoff, operations, patches, pins
from console.actions.beside import NOTHING, Beside, ReadWanted
from console.actions.effects import Consequence, Effect, ObjectRef
from console.actions.pins import Pin
from console.actions.proof import Proof
from console.actions.secrets import seal_before
from console.base.text import clean, listed

Arrived = Literal["yes", "no", "unknown"]


class Right(Struct, frozen=True):
    """One verb of the API on one object. `resource` is its plural, with `/eviction` and the like behind it."""

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


class ApiRequest(Struct, frozen=True):
    """The one request that makes a change, to the object itself or to a subresource of it.

    Attributes:
        body: PATCH: JSON Patch operations; POST: the object that is sent; DELETE: none.
        uid: DELETE: another object of this name is safe.
        into: POST: API version and plural of the collection, in the target's namespace, that the object is sent to.
    """

    method: Literal["PATCH", "POST", "DELETE"]
    body: Any = None
    subresource: str = ""
    uid: str = ""
    into: tuple[str, str] | None = None


class Body(NamedTuple):
    """What the keys of a step come to: a patch, its type, and JSON pointers of the fields that it sets."""

    patch: Any = None
    patch_type: Literal["merge", "json", ""] = ""
    touched: tuple[str, ...] = ()


class Objection(NamedTuple):
    """What is wrong with the keys of a step. `message` continues a sentence whose subject is the step."""

    code: str
    message: str
    hint: str = ""


class NoArguments(Struct, frozen=True):
    """A verb whose steps need nothing beside their target."""


_SHARED = ("/metadata/annotations", "/metadata/labels")
"""Maps that others write too, the stamp of a change among them: they are never put back, or taken away, as a whole."""


def _each(effect: Effect) -> tuple[str, ...]:
    """The touched fields, with keys of their own for those of a map that did not exist and that others share."""
    own = patches.touched(effect.patch, "merge") if effect.patch_type == "merge" else ()
    out: list[str] = []
    for at in effect.touched:
        out += [key for key in own if key.startswith(f"{at}/")] if at in _SHARED else [at]
    return tuple(out)


class Verb:
    """One way to change something.

    Attributes:
        name: what `action` says in a runbook, and `action` of its effects in the journal.
        step: the kind of step that it is written in; of `change` there are many, each named by its `action`.
        noun: how lint calls it.
        asks: `Change`, as in `Change SparkApplication ns/name?`.
        does: `change`, as in `about to change SparkApplication ns/name`.
        arguments: the keys of its steps, each with a default, beside the target.
        runs: it is a program that runs on this machine, not a request to the server.
        lasts: the object lives on, so that it matters who else writes its fields.
        by_people: keys whose value a person gives each time, so that a runbook cannot say it for them.
        kinds: (API group, kind) of what it is for; empty where any object may be its target.
        way_back: whether it can be undone: `stated` by each step, `always`, or `never` (`no_way_back` says why).
        late: what its keys come to is known only beside the object (`settle`).
        creates: its target does not exist yet.
    """

    name: ClassVar[str]
    step: ClassVar[Literal["change", "script"]] = "change"
    noun: ClassVar[str]
    asks: ClassVar[str] = "Change"
    does: ClassVar[str] = "change"
    arguments: ClassVar[type[Struct]] = NoArguments
    runs: ClassVar[bool] = False
    lasts: ClassVar[bool] = True
    kinds: ClassVar[tuple[tuple[str, str], ...]] = ()
    way_back: ClassVar[Literal["stated", "always", "never"]] = "stated"
    late: ClassVar[bool] = False
    by_people: ClassVar[tuple[str, ...]] = ()
    creates: ClassVar[bool] = False

    # what a runbook says

    def body(self, arguments: Mapping[str, Any]) -> Body:
        """What the keys come to. In lint they are texts as they were written, templates in them."""
        return Body()

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        """What is wrong with the keys, whatever the object is."""
        return iter(())

    def key_of(self, pointer: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """Where in the step a touched field is written, () where that is the step as a whole."""
        return ()

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        """Why a step of this verb can never be rolled back, with what to do; None where it can."""
        return None

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        """What shows that it worked, where the runbook says nothing of its own; None where only the runbook knows.

        Args:
            arguments: the keys of the step, templates filled in.
            kind: of the target.
        """
        return None

    # what it is, beside the object

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        """What else has to be seen to tell what it does, and whether somebody else works on the object."""
        return handsoff.reads(effect)

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        """The change as it is on this object: its patch and the fields that it touches. `now` is epoch seconds.

        Raises:
            NoSuchChange: what the keys ask for does not exist on this object.
        """
        return effect

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        """Why it must not be done now, in sentences: its kind, its state, or who else works on the object."""
        target = effect.target
        if target is None:
            return
        group = target.api_version.rpartition("/")[0]
        if self.kinds and (group, target.kind) not in self.kinds:
            those = listed([kind for _, kind in self.kinds], len(self.kinds))
            yield f"{self.noun} is for {those}; {clean(target.kind)} {target.words} is none of them"
        gone = (obj.get("metadata") or {}).get("deletionTimestamp")
        if gone and not self.runs:
            yield f"{clean(target.kind)} {target.words} is being deleted since {clean(str(gone))}"
        yield from handsoff.of(effect, obj, beside)

    def makes(self, effect: Effect) -> bool:
        """Whether it makes an object, and leaves its target as it is."""
        return self.creates

    def trace(self, effect: Effect) -> ObjectRef | None:
        """The object that says later whether it arrived."""
        return effect.target

    # what the server is asked

    def rights(self, effect: Effect, resource: str, namespace: str) -> tuple[Right, ...]:
        """What one must be allowed to do. `resource` is the plural of the target's kind."""
        assert effect.target is not None
        group = effect.target.api_version.rpartition("/")[0]
        return (Right("patch", group, resource, namespace, effect.target.name),)

    def pin(self, effect: Effect, obj: dict[str, Any]) -> Pin:
        """What must still be true when the change arrives."""
        return pins.of_fields(effect, obj)

    def request(self, effect: Effect, obj: dict[str, Any], pin: Pin) -> ApiRequest:
        """What is sent to the object."""
        return ApiRequest("PATCH", operations.body(effect, obj, pin))

    # what a person is shown

    def locally(self, effect: Effect, obj: dict[str, Any]) -> dict[str, Any] | None:
        """The object with the change made on this machine; None where there is nothing to work out."""
        return operations.locally(effect, obj)

    def dropped(self, effect: Effect, obj: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        """Pointers of fields that the server would not keep although the change sets them."""
        return operations.dropped(effect, obj, after)

    def shown(self, obj: dict[str, Any]) -> tuple[str, ...] | None:
        """Lines that stand for a diff; None where the objects before and after say it."""
        return None

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        """What follows beside the field that is set, worked out from the objects; `now` is epoch seconds."""
        return aftermath.of_edit(effect, obj, touched, now)

    # what it leaves behind

    def sent(self, what: str) -> str:
        """What became of it when the server said yes."""
        return f"applied to {what}"

    def gone(self, what: str) -> tuple[Arrived, str]:
        """Whether it arrived, where the object does not exist any more."""
        return "unknown", f"{what} does not exist any more, so it carries no stamp"

    def landed(
        self, effect: Effect, before: dict[str, Any], generation: int, obj: dict[str, Any]
    ) -> tuple[Arrived, str]:
        """Whether it arrived, by the object as it is: its stamp, its generation, the touched fields.

        Args:
            before: their values before it, as they were journalled.
            generation: of the object before it, 0 where the server counts none.
        """
        target = effect.target
        assert target is not None
        if target.uid and pins.uid_of(obj) != target.uid:
            return "unknown", f"{target.words} was deleted and created again"
        if pins.stamp_of(obj) == effect.id:
            return "yes", f"{target.words} carries the stamp {effect.id}"
        compared = tuple(dict.fromkeys((*before, *effect.touched)))
        unchanged = seal_before(patches.before(obj, compared), target.kind) == before
        if generation and pins.generation_of(obj) == generation and unchanged:
            return "no", f"generation {generation} and the touched fields of {target.words} are as they were"
        if not generation and unchanged:
            return "no", f"the touched fields of {target.words} are as they were, and it carries no stamp"
        return "unknown", f"{target.words} was changed since, and does not carry the stamp {effect.id}"

    def inverse(self, effect: Effect, before: dict[str, Any]) -> Effect | None:
        """The change that puts the touched fields back, or None where there is none (list items, nothing touched)."""
        if effect.target is None or not effect.touched:
            return None
        patch = patches.restoring(_each(effect), before)
        if patch is None:
            return None
        return self.undo(effect, action="patch", patch_type="merge", patch=patch, arguments=UNSET)

    def undo(self, effect: Effect, **changes: Any) -> Effect:
        """The change that undoes this one, with what is special about it."""
        fields: dict[str, Any] = {"reason": "it puts back what stood there before", "argv": (), **changes}
        return msgspec.structs.replace(
            effect,
            id=f"{effect.id}.undo",
            title=f"Undo: {effect.title}",
            reversible=False,
            inverse_of=effect.id,
            **fields,
        )
