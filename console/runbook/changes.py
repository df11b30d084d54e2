"""The effect of a change or script step: what would be written, to what, worked out from the data. Nothing is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from console.actions import patches, verb_of
from console.actions.effects import AllowedCall, Effect, ObjectRef
from console.actions.verb import Body
from console.base.errors import ConsoleError, UsageError, did_you_mean
from console.base.redact import MARK
from console.base.text import clean
from console.runbook import template
from console.runbook.catalogue import Catalogue
from console.runbook.model import Input, Runbook, Step, TargetTemplate
from console.runbook.say import place, words
from console.runbook.scripts import ScriptSpec, argument_word
from console.runbook.types import convert
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
    target, spec = _target(runbook, step, ctx), (scripts or {}).get(step.script)
    argv = _argv(runbook, step, ctx, scripts or {}) if step.script else ()
    arguments = {key: template.fill(value, ctx, place(runbook.id, step, key)) for key, value in step.settings.items()}
    if any(MARK in str(part) for part in (arguments, *argv)):
        raise ConsoleError(f"{said} would write {MARK}", hint="a secret cannot be copied through a runbook")
    verb, body = verb_of(step.action), _body(step, arguments, said)
    if catalogue is not None and target is not None:
        _fields_exist(body, target, catalogue, said)
    declared = spec.touches if spec is not None and target is not None else ()
    return Effect(
        id=f"{walk.id}/{walk.intents + 1}",
        step=step.id,
        title=words(runbook.id, step, "title", step.title, ctx),
        action=step.action,
        target=target,
        patch_type=body.patch_type,
        patch=body.patch,
        arguments=arguments if verb.late else UNSET,
        argv=argv,
        timeout=step.timeout,
        touched=body.touched or step.touches or declared,
        reversible=step.rollback == "captured",
        reason=words(runbook.id, step, "irreversible", step.irreversible, ctx),
        restarts=words(runbook.id, step, "restarts", step.restarts, ctx),
        loses=words(runbook.id, step, "loses", step.loses, ctx),
        risk=step.risk,
        writes=step.writes,
        calls=_calls(runbook, step, ctx, target) if step.script and step.writes else UNSET,
    )


def _calls(runbook: Runbook, step: Step, ctx: Mapping[str, Any], target: ObjectRef | None) -> tuple[AllowedCall, ...]:
    """What the script may send: what its step declares, else a patch of the target that it names."""
    if not step.calls and target is not None:
        return (AllowedCall(("patch",), target),)
    return tuple(
        AllowedCall(call.verbs, _object(runbook, step, call.target, f"calls[{index}]", ctx), call.subresource)
        for index, call in enumerate(step.calls)
    )


def _body(step: Step, arguments: Mapping[str, Any], said: str) -> Body:
    """What the verb makes of its arguments. Raises ConsoleError where they come to nothing."""
    verb = verb_of(step.action)
    for objection in verb.objections(arguments):
        raise ConsoleError(f"{said} {objection.message}")
    return verb.body(arguments)


def _fields_exist(body: Body, target: ObjectRef, catalogue: Catalogue, said: str) -> None:
    """Every field that a merge patch writes exists and is of its type. Raises ConsoleError."""
    for at in body.touched if body.patch_type == "merge" else ():
        wrong = catalogue.wrong_field(target.api_version, target.kind, patches.parts(at), patches.get(body.patch, at))
        if wrong is not None:
            raise ConsoleError(f"{said}: {clean(wrong)}")


def _target(runbook: Runbook, step: Step, ctx: Mapping[str, Any]) -> ObjectRef | None:
    return None if step.target is None else _object(runbook, step, step.target, "target", ctx)


def _object(runbook: Runbook, step: Step, t: TargetTemplate, key: str, ctx: Mapping[str, Any]) -> ObjectRef:
    """The object that a template names. Raises ConsoleError where it names none."""
    said = {
        part: template.render(getattr(t, part), ctx, place(runbook.id, step, f"{key}.{part}"))
        for part in ("api_version", "kind", "name", "namespace")
    }
    name = Input("target", "k8s_name")
    try:
        if not _API_VERSION.fullmatch(said["api_version"]) or not _KIND.fullmatch(said["kind"]):
            raise ValueError(f"{said['api_version']} {said['kind']} is no kind of object")
        convert(name, said["name"])
        if said["namespace"]:
            convert(Input("target", "namespace"), said["namespace"])
    except ValueError as error:
        raise ConsoleError(f"{place(runbook.id, step, key)}: {clean(str(error))}") from None
    app = ctx.get("app", {})
    ours = (app.get("kind"), app.get("namespace"), app.get("name"), app.get("api_version"))
    same = ours == (said["kind"], said["namespace"], said["name"], said["api_version"])
    return ObjectRef(**said, uid=app.get("uid", "") if same else _looked_at(said, ctx))


def _looked_at(said: Mapping[str, str], ctx: Mapping[str, Any]) -> str:
    """The UID of the live object that a target names, as it was read for this step; `` where it was not."""
    for tree in ctx.values():
        meta = tree.get("metadata") if isinstance(tree, Mapping) else None
        if not isinstance(meta, Mapping) or tree.get("kind") != said["kind"]:
            continue
        if (meta.get("name"), meta.get("namespace") or "") == (said["name"], said["namespace"]):
            return str(meta.get("uid") or "")
    return ""


def _argv(runbook: Runbook, step: Step, ctx: Mapping[str, Any], scripts: Mapping[str, ScriptSpec]) -> tuple[str, ...]:
    """One word per value, never through a shell; a value that looks like a flag is refused."""
    spec = scripts.get(step.script)
    if spec is None:
        raise UsageError(f"there is no script {step.script!r}", hint=did_you_mean(step.script, scripts))
    argv = [spec.interpreter, spec.path]
    for argument in step.arguments:
        where = place(runbook.id, step, f"arguments.{argument.name}")
        value = template.fill(argument.value, ctx, where)
        declared = spec.arguments.get(argument.name)
        type = argument.type or (declared.type if declared is not None else "string")
        try:
            text = argument_word(argument.name, type, value)
        except ValueError as error:
            raise ConsoleError(f"{where}: {clean(str(error))}") from None
        argv += [argument.flag, text] if argument.flag else [text]
    return tuple(argv)
