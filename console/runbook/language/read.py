"""Short steps as they are written: each read by the struct of its verb, with an id and its place."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from console.base import decode
from console.base.document import Document, Path
from console.base.errors import DocumentError, did_you_mean
from console.base.text import shorten
from console.runbook.language import doing
from console.runbook.language.ends import ENDS, RESERVED, end_of
from console.runbook.language.naming import slug, unique
from console.runbook.language.shapes import (
    SHORT,
    AskStep,
    CheckStep,
    DoStep,
    EachStep,
    EndStep,
    RunStep,
    SaveStep,
    ShortDoc,
    WaitStep,
)

_SPAN = re.compile(r"(\d+(\.\d+)?(ms|min|[smhdwy]))+")
NOT_IN_A_BLOCK = ("each", "run", "end")
BESIDE = frozenset({"then", "hint"})
"""Keys of a choice beside its value."""


class ShortItem:
    """A short step with its id and its place in the document; of an `each` also the items of its block."""

    def __init__(self, doc: ShortDoc, verb: str, id: str, at: Path, block: tuple[ShortItem, ...] = ()) -> None:
        self.doc, self.verb, self.id, self.at, self.block = doc, verb, id, at, block


def verb_in(item: Any) -> str:
    """The verb of a short step, `` where it has none: then it is a step of the long form, or no step."""
    return next((key for key in SHORT if key in item), "") if isinstance(item, dict) and "kind" not in item else ""


def read(document: Document, item: Any, path: Path, taken: set[str]) -> tuple[ShortItem | None, list[DocumentError]]:
    """A short step with its id, or what is wrong with it. The id is added to `taken`."""
    verb = verb_in(item)
    beside = [key for key in SHORT if key in item and key != verb]
    if beside:
        said = f"a step has one verb, and this one has {verb!r} and {beside[0]!r}"
        return None, [document.error((*path, beside[0]), said, hint="write two steps")]
    tree, problems = decode.check(document, SHORT[verb], path, lenient=True)
    if problems:
        return None, problems
    doc = msgspec.convert(tree, SHORT[verb])
    problems = list(_objections(document, doc, path))
    id = doc.id or _named(doc, verb, taken)
    if doc.id and doc.id in RESERVED:
        problems.append(
            document.error((*path, "id"), f"{doc.id!r} means something to every runbook", hint="call it otherwise")
        )
    taken.add(id)
    block: list[ShortItem] = []
    for index, inner in enumerate(doc.steps if isinstance(doc, EachStep) else ()):
        at = (*path, "steps", index)
        if not (inner_verb := verb_in(inner)) or inner_verb in NOT_IN_A_BLOCK:
            problems.append(document.error(at, "a block holds steps of the short form, but no each, run or end"))
            continue
        made, wrong = read(document, inner, at, taken)
        problems += wrong
        block += [made] if made is not None else []
    return (None if problems else ShortItem(doc, verb, id, path, tuple(block))), problems


def _named(doc: ShortDoc, verb: str, taken: set[str]) -> str:
    match doc:
        case EndStep(end=words):
            return end_of(words)
        case DoStep(do=do):
            said = doc.title or " ".join([*list(do)[:1], str(next(iter(do.values()), ""))])
        case SaveStep(save=save):
            said = doc.title or f"save {' '.join(save)}"
        case EachStep(each=expression):
            said = doc.title or f"each {doc.item} of {expression}"
        case RunStep(run=other):
            said = f"run {other}"
        case _:
            said = getattr(doc, verb)
    wanted = slug(said)
    return unique(f"{wanted}-step" if wanted in RESERVED else wanted, taken)


def _objections(document: Document, doc: ShortDoc, path: Path) -> list[DocumentError]:
    out: list[DocumentError] = []
    if isinstance(doc, CheckStep) and doc.then is None and doc.otherwise is None:
        out.append(
            document.error(path, "this check leads the same way whatever it finds", hint="say `then`, `else` or both")
        )
    if isinstance(doc, EndStep) and not end_of(doc.end):
        hint = did_you_mean(doc.end, [id.replace("-", " ") for id in ENDS])
        out.append(document.error((*path, "end"), f"there is no end {doc.end!r}", hint=hint))
    if isinstance(doc, WaitStep) and not doc.until and not _SPAN.fullmatch(doc.wait):
        said = f"{shorten(doc.wait, 40)!r} is no time, and nothing says what is waited for"
        out.append(document.error((*path, "wait"), said, hint="write a time like 5m, or add `until`"))
    if isinstance(doc, AskStep):
        for index, choice in enumerate(doc.choices):
            own = [key for key in choice if key not in BESIDE]
            if len(own) != 1 or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", own[0]):
                said = "a choice is one word with what it means, and `then` beside it"
                out.append(
                    document.error(
                        (*path, "choices", index), said, hint="- {raise: Give it more memory, then: raise-it}"
                    )
                )
    if isinstance(doc, DoStep):
        out += doing.objections(document, doc, path)
    return out
