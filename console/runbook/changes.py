"""The effect of a change or script step: what would be written, to what, worked out from the data. Nothing is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from console.base.errors import ConsoleError, UsageError, did_you_mean
from console.base.redact import MARK
from console.base.text import clean
from console.runbook import patches, template
from console.runbook.catalogue import Catalogue
from console.runbook.effects import Effect, ObjectRef
from console.runbook.inputs import convert
from console.runbook.model import Input, Runbook, Step
from console.runbook.say import place, words
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import Walk

_API_VERSION = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9][a-z0-9]*")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]*")


def effect(
    runbook: Runbook,
    walk: Walk,
    step: Step,
    ctx: Mapping[str, Any],
    scripts: Mapping[str, ScriptSpec] | None = None,
    catalogue: Catalogue | None = None,
) -> Effect:
    """The change of a `change` or `script` step, worked out from the data. Nothing is done.

    Args:
        runbook: where the step stands.
        walk: numbers the effect.
        step: a change or a script.
        ctx: the data.
        scripts: the library's scripts.
        catalogue: where given, every written field must exist and be of its type.

    Raises:
        ConsoleError: data is missing, a name is no name, or the patch would write a redacted value.
    """
    said = place(runbook.id, step, "patch")
    target = _target(runbook, step, ctx)
    patch: Any = template.fill(step.patch, ctx, said) if step.action == "patch" else None
    argv = _argv(runbook, step, ctx, scripts or {}) if step.kind == "script" else ()
    if any(MARK in str(part) for part in (patch, *argv)):
        raise ConsoleError(f"{said} would write {MARK}", hint="a secret cannot be copied through a runbook")
    if step.kind == "change" and step.action == "patch" and not patches.touched(patch, step.patch_type):
        raise ConsoleError(f"{said} changes nothing")
    if catalogue is not None and target is not None and step.action == "patch" and step.patch_type == "merge":
        for at in patches.touched(patch, "merge"):
            value = patches.get(patch, at)
            wrong = catalogue.wrong_field(target.api_version, target.kind, patches.parts(at), value)
            if wrong is not None:
                raise ConsoleError(f"{said}: {clean(wrong)}")
    spec = (scripts or {}).get(step.script)
    touched = patches.touched(patch, step.patch_type) if step.kind == "change" else step.touches
    if step.kind == "script" and not touched and spec is not None and target is not None:
        touched = spec.touches
    said_words = {key: words(runbook.id, step, key, getattr(step, key), ctx) for key in ("restarts", "loses")}
    return Effect(
        id=f"{walk.id}/{walk.intents + 1}",
        step=step.id,
        title=words(runbook.id, step, "title", step.title, ctx),
        action="script" if step.kind == "script" else step.action or "patch",
        target=target,
        patch_type=step.patch_type if step.action == "patch" else "",
        patch=patch,
        argv=argv,
        timeout=step.timeout,
        touched=touched if step.action != "delete" else (),
        reversible=step.rollback == "captured",
        reason=words(runbook.id, step, "irreversible", step.irreversible, ctx),
        restarts=said_words["restarts"],
        loses=said_words["loses"],
        risk=step.risk,
        writes=step.writes,
    )


def _target(runbook: Runbook, step: Step, ctx: Mapping[str, Any]) -> ObjectRef | None:
    if step.target is None:
        return None
    t = step.target
    said = {
        key: template.render(getattr(t, key), ctx, place(runbook.id, step, f"target.{key}"))
        for key in ("api_version", "kind", "name", "namespace")
    }
    name = Input("target", "k8s_name")
    try:
        if not _API_VERSION.fullmatch(said["api_version"]) or not _KIND.fullmatch(said["kind"]):
            raise ValueError(f"{said['api_version']} {said['kind']} is no kind of object")
        convert(name, said["name"])
        if said["namespace"]:
            convert(Input("target", "namespace"), said["namespace"])
    except ValueError as error:
        raise ConsoleError(f"{place(runbook.id, step, 'target')}: {clean(str(error))}") from None
    app = ctx.get("app", {})
    ours = (app.get("kind"), app.get("namespace"), app.get("name"), app.get("api_version"))
    same = ours == (said["kind"], said["namespace"], said["name"], said["api_version"])
    return ObjectRef(**said, uid=app.get("uid", "") if same else "")


def _argv(runbook: Runbook, step: Step, ctx: Mapping[str, Any], scripts: Mapping[str, ScriptSpec]) -> tuple[str, ...]:
    """One word per value, never through a shell; a value that looks like a flag is refused."""
    spec = scripts.get(step.script)
    if spec is None:
        raise UsageError(f"there is no script {step.script!r}", hint=did_you_mean(step.script, scripts))
    argv = [spec.interpreter, spec.path]
    for argument in step.arguments:
        where = place(runbook.id, step, f"arguments.{argument.name}")
        value = template.fill(argument.value, ctx, where)
        try:
            word = convert(Input(argument.name, argument.type, choices=_any_choice(argument.type, value)), value)
        except ValueError as error:
            raise ConsoleError(f"{where}: {clean(str(error))}") from None
        text = str(word).lower() if isinstance(word, bool) else str(word)
        if text.startswith("-") and argument.type not in ("int", "float"):
            raise ConsoleError(f"{where}: {clean(text)!r} looks like a flag")
        argv += [argument.flag, text] if argument.flag else [text]
    return tuple(argv)


def _any_choice(type: str, value: Any) -> tuple[str, ...]:
    return (str(value),) if type == "enum" else ()
