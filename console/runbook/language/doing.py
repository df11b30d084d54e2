"""`do: {scale: operator, to: 1}` to a change: the verb, its target, its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from console.actions import verbs
from console.base.document import Document, Path
from console.base.errors import DocumentError, did_you_mean
from console.runbook.language.shapes import DoStep
from console.runbook.language.targets import SUBJECTS, target
from console.runbook.model import Argument, Edit, NamedObject, Step, TargetTemplate

MERGE = {"merge": ("merge", "patch"), "json": ("json", "patch")}
"""Keys of `patch`, whose own name says what is patched: the type of the patch, and the key of the long form."""
BY = "by"
"""Key of `patch`: an expression whose word chooses one of several patches."""
OF_A_SCRIPT = ("on", "with")
"""Keys of `script`: the object that it changes, and what it is given."""


def verb_named(doc: DoStep) -> str:
    """The verb: the first key of `do`."""
    return next(iter(doc.do), "")


def target_name(doc: DoStep) -> str:
    """What it is done to, as the runbook calls it."""
    name = verb_named(doc)
    return str(doc.do.get("on", "") if name == "script" else doc.do[name])


def objections(document: Document, doc: DoStep, path: Path) -> list[DocumentError]:
    """What is wrong with the keys of `do`, as far as the file alone says it."""
    name, at = verb_named(doc), (*path, "do")
    if name == "script":
        return _of_a_script(document, doc, at)
    changing = [verb.name for verb in verbs().values() if verb.step == "change"]
    if name not in changing:
        return [
            document.error((*at, name), f"there is no verb {name!r}", hint=did_you_mean(name, [*changing, "script"]))
        ]
    out = (
        []
        if isinstance(doc.do[name], str)
        else [document.error((*at, name), "what it is done to is the name of an object")]
    )
    known = (*MERGE, BY) if name == "patch" else verbs()[name].arguments.__struct_fields__
    out += [document.unknown_key(at, key, known) for key in list(doc.do)[1:] if key not in known]
    return [*out, *_of_a_choice(document, doc, at)]


def _of_a_choice(document: Document, doc: DoStep, at: Path) -> Iterator[DocumentError]:
    """What is wrong with patches that a word chooses from."""
    if BY not in doc.do:
        return
    if not isinstance(doc.do[BY], str):
        yield document.error((*at, BY), "what chooses the patch is an expression", hint="by: finding.data.decided")
    kind = next((key for key in MERGE if key in doc.do), "merge")
    patches = doc.do.get(kind)
    shape = dict if kind == "merge" else list
    whole = isinstance(patches, dict) and patches and all(isinstance(one, shape) for one in patches.values())
    if not isinstance(patches, dict) or not whole:
        said = "with `by` there is a patch for each word"
        yield document.error((*at, kind), said, hint=f"{kind}: {{heap: …, overhead: …}}")
        return
    for word in patches:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", str(word)):
            yield document.error((*at, kind, word), f"{word!r} is no word", hint="lower case, digits and dashes")


def _of_a_script(document: Document, doc: DoStep, at: Path) -> list[DocumentError]:
    """What is wrong with the keys of a script."""
    given = doc.do.get("with") or {}
    named = [key for key in ("script", "on") if not isinstance(doc.do.get(key), str)]
    if named:
        hint = "do: {script: lower-executor-cores, on: app, with: {divide_by: 2}}"
        return [document.error(at, "a script has a name, and an object `on` that it changes", hint=hint)]
    out = [document.unknown_key(at, key, OF_A_SCRIPT) for key in list(doc.do)[1:] if key not in OF_A_SCRIPT]
    if not isinstance(given, dict) or any(isinstance(value, dict | list) for value in given.values()):
        out.append(document.error((*at, "with"), "what a script is given has a name and a value each"))
    return out


def choices(doc: DoStep) -> dict[str, DoStep]:
    """The change for each word that `by` may come to; empty where nothing is chosen."""
    if BY not in doc.do:
        return {}
    kind = next((key for key in MERGE if key in doc.do), "merge")
    first = dict(list(doc.do.items())[:1])
    return {str(word): replace(doc, do={**first, kind: patch}) for word, patch in doc.do[kind].items()}


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
        at = (*path, "do", "on" if name == "script" else name)
        return document.error(at, f"there is no object {on!r}", hint=hint)
    if name == "script":
        return _script(doc, common, aim)
    verb = verbs()[name]
    settings = dict(list(doc.do.items())[1:])
    if name == "patch":
        kind = next((key for key in MERGE if key in settings), "merge")
        settings = {"patch_type": kind, "patch": settings.get(kind)}
    never = verb.no_way_back(target=True)
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
        edit=_edit(doc),
        **common,
    )


def _script(doc: DoStep, common: dict[str, Any], aim: TargetTemplate) -> Step:
    """A script that changes one object: the types of its arguments, and the fields that it changes, it says itself."""
    given = {str(key): _written(value) for key, value in (doc.do.get("with") or {}).items()}
    name = str(doc.do["script"])
    return Step(
        kind="script",
        title=doc.title or f"{name.replace('-', ' ').capitalize()} {target_name(doc)}",
        text=doc.text,
        script=name,
        action="script",
        effect="write",
        target=aim,
        arguments=tuple(Argument(key, "", value, f"--{key.replace('_', '-')}") for key, value in given.items()),
        rollback="" if doc.irreversible else doc.rollback or "captured",
        irreversible=doc.irreversible,
        restarts=doc.restarts,
        loses=doc.loses,
        risk=doc.risk,
        edit=_edit(doc),
        **common,
    )


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _edit(doc: DoStep) -> Edit | None:
    return None if doc.edit is None else Edit(doc.edit.input, doc.edit.value, doc.edit.minimum, doc.edit.maximum)


def said(verb: str, on: str, settings: Mapping[str, Any]) -> str:
    """The title of a change that has none: `Scale operator (to 1)`."""
    keys = ", ".join(f"{key} {value}" for key, value in settings.items() if isinstance(value, str | int | float))
    return f"{verb.replace('-', ' ').capitalize()} {on}" + (f" ({keys})" if keys and verb != "patch" else "")
