"""`do: {scale: operator, to: 1}` to a change: the verb, its target, its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.actions import verbs
from console.base.document import Document, Path
from console.base.errors import DocumentError, did_you_mean
from console.runbook.language.shapes import DoStep
from console.runbook.language.targets import SUBJECTS, target
from console.runbook.model import Edit, NamedObject, Step

MERGE = {"merge": ("merge", "patch"), "json": ("json", "patch")}
"""Keys of `patch`, whose own name says what is patched: the type of the patch, and the key of the long form."""


def verb_named(doc: DoStep) -> str:
    """The verb: the first key of `do`."""
    return next(iter(doc.do), "")


def target_name(doc: DoStep) -> str:
    """What it is done to, as the runbook calls it."""
    return str(doc.do[verb_named(doc)])


def objections(document: Document, doc: DoStep, path: Path) -> list[DocumentError]:
    """What is wrong with the keys of `do`, as far as the file alone says it."""
    name, at = verb_named(doc), (*path, "do")
    changing = [verb.name for verb in verbs().values() if verb.step == "change"]
    if name not in changing:
        return [document.error((*at, name), f"there is no verb {name!r}", hint=did_you_mean(name, changing))]
    out = (
        []
        if isinstance(doc.do[name], str)
        else [document.error((*at, name), "what it is done to is the name of an object")]
    )
    known = (*MERGE,) if name == "patch" else verbs()[name].arguments.__struct_fields__
    out += [document.unknown_key(at, key, known) for key in list(doc.do)[1:] if key not in known]
    return out


def change(
    document: Document,
    path: Path,
    doc: DoStep,
    common: dict[str, Any],
    objects: Mapping[str, NamedObject],
    members: frozenset[str],
) -> Step | DocumentError:
    """The change step without its ways."""
    name, on = verb_named(doc), target_name(doc)
    aim = target(on, objects, members)
    if aim is None:
        known = [*objects, *members, *SUBJECTS]
        hint = did_you_mean(on, known)
        return document.error((*path, "do", name), f"there is no object {on!r}", hint=hint)
    verb = verbs()[name]
    settings = dict(list(doc.do.items())[1:])
    if name == "patch":
        kind = next((key for key in MERGE if key in settings), "merge")
        settings = {"patch_type": kind, "patch": settings.get(kind)}
    never = verb.no_way_back(target=True)
    edit = None if doc.edit is None else Edit(doc.edit.input, doc.edit.value, doc.edit.minimum, doc.edit.maximum)
    return Step(
        kind="change",
        title=doc.title or said(name, on, settings),
        text=doc.text,
        target=aim,
        action=name,
        settings=settings,
        rollback="" if doc.irreversible or never else doc.rollback or "captured",
        irreversible=doc.irreversible or (never[0] if never and verb.way_back == "never" else ""),
        restarts=doc.restarts,
        loses=doc.loses,
        risk=doc.risk,
        edit=edit,
        **common,
    )


def said(verb: str, on: str, settings: Mapping[str, Any]) -> str:
    """The title of a change that has none: `Scale operator (to 1)`."""
    keys = ", ".join(f"{key} {value}" for key, value in settings.items() if isinstance(value, str | int | float))
    return f"{verb.replace('-', ' ').capitalize()} {on}" + (f" ({keys})" if keys and verb != "patch" else "")
