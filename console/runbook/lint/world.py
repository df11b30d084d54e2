"""Lint against what exists outside: series and labels, fields of objects, scripts and their arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import nodes

from console.actions import patches, verb_of
from console.actions.verb import Verb
from console.base.document import Path
from console.base.errors import did_you_mean
from console.runbook import template
from console.runbook.catalogue import Catalogue
from console.runbook.language.before import is_before
from console.runbook.language.targets import KINDS
from console.runbook.lint import live, promql, sizes
from console.runbook.lint.problems import LintReport
from console.runbook.lint.templates import places
from console.runbook.model import Argument, Step
from console.runbook.scripts import ScriptSpec, persons_file

CALLS = "calls: [{verbs: [patch], apiVersion: v1, kind: ConfigMap, namespace: jobs, name: settings}]"
STAND_INS = ("x", "1", "5m")
"""What a template expression inside a query may stand for: text, a number, a duration."""


def check(report: LintReport, scripts: Mapping[str, ScriptSpec], catalogue: Catalogue) -> None:
    """Add what is wrong with queries, changes and scripts."""
    for item in report.runbook.inputs:
        if item.type == "promql" and isinstance(item.default, str):
            _query(report, ("inputs", item.name, "default"), item.default, catalogue)
    for step in report.runbook.steps:
        if step.query:
            _query(report, report.at(step.id, "query"), step.query, catalogue)
            if step.kind != "manual" and not is_before(step) and not _is_asked(step):
                said = "nothing asks for the answer of this query"
                report.add("unused-query", report.at(step.id, "query"), said, "ask `query.value > 0`, or remove it")
        if step.kind == "change":
            _change(report, step, catalogue)
        if step.kind == "script":
            _script(report, step, scripts, catalogue)


def _is_asked(step: Step) -> bool:
    return any("query" in place.text for place in places(step) if place.key != ("query",))


def _query(report: LintReport, at: Path, text: str, catalogue: Catalogue) -> None:
    try:
        tree = template.parse(text)
    except template.TemplateError:
        return
    if any(True for _ in tree.find_all((nodes.If, nodes.For))):
        report.add("query-with-blocks", at, "a query may hold {{ … }}, but no {% … %}", "use two steps")
        return
    complaints: tuple[promql.Complaint, ...] = ()
    for stand_in in STAND_INS:
        complaints = promql.check(_stood_in(tree, stand_in), catalogue, report.runbook.metrics)
        if not any(c.code == "promql-syntax" for c in complaints):
            break
    for complaint in complaints:
        severity: Any = complaint.severity
        report.add(complaint.code, at, complaint.message, complaint.hint, severity)


def _stood_in(tree: nodes.Template, stand_in: str) -> str:
    return "".join(
        part.data if isinstance(part, nodes.TemplateData) else stand_in
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )


def _change(report: LintReport, step: Step, catalogue: Catalogue) -> None:
    verb = verb_of(step.action)
    _is_for(report, step, verb)
    for key in step.settings:
        if key not in verb.arguments.__struct_fields__:
            code = f"{key.replace('_', '-')}-of-{verb.name}"
            report.add(code, report.at(step.id, key), f"{verb.noun} has no {key}", "remove it")
    _said_for_people(report, step, verb)
    objections = list(verb.objections(step.settings))
    for objection in objections:
        message = f"change {step.id!r} {objection.message}"
        report.add(objection.code, report.at(step.id), message, objection.hint)
    body = verb.body(step.settings)
    pointers = [patches.parts(pointer) for pointer in body.touched]
    kinds = [] if verb.kinds or verb.late else _kinds(report, step, catalogue, pointers)
    if objections:
        return
    unfit = list(sizes.unfit(report.runbook, step)) if step.action == "patch" else []
    for one in unfit:
        report.add(one.code, report.at(step.id, *one.at), one.message, one.hint)
    for pointer, path in zip(body.touched, pointers, strict=True):
        at = report.at(step.id, *verb.key_of(pointer, step.settings))
        value = _literal(patches.get(body.patch, pointer)) if body.patch_type == "merge" else ...
        wrong = [catalogue.wrong_field(*kind, path, value) for kind in kinds]
        if wrong and wrong[0] and all(wrong) and not any(report.at(step.id, *one.at) == at for one in unfit):
            report.add("unknown-field", at, *_with_hint(wrong[0]))


def _said_for_people(report: LintReport, step: Step, verb: Verb) -> None:
    """What only a person can say is an input, not a text of the runbook."""
    for key in verb.by_people:
        if (value := step.settings.get(key)) and "{{" not in str(value):
            said = f"{key!r} is what a person says when it is done, and the runbook says it for them"
            hint = f'take it from an input: {key}: "{{{{ inputs.{key} }}}}"'
            report.add("said-for-people", report.at(step.id, key), said, hint)


def _is_for(report: LintReport, step: Step, verb: Verb) -> None:
    """The verb is for such objects."""
    assert step.target is not None
    group, kind = step.target.api_version.rpartition("/")[0], step.target.kind
    if "{" in group + kind:
        may_be = [(version.rpartition("/")[0], name) for version, name in _meant(report, step, kind)]
    else:
        may_be = [(group, kind)]
    if verb.kinds and may_be and not any(one in verb.kinds for one in may_be):
        group, kind = may_be[0]
        those = ", ".join(f"{known} of {name or 'v1'}" for name, known in verb.kinds)
        said = f"{verb.noun} means nothing for {kind} of {group or 'v1'}"
        report.add(f"kind-of-{verb.name}", report.at(step.id, "target", "kind"), said, f"it is for {those}")


def _with_hint(said: str) -> tuple[str, str]:
    """What the catalogue says, and its proposal apart."""
    message, found, hint = said.partition("; ")
    return (message, hint) if found else (said, "")


def _kinds(
    report: LintReport, step: Step, catalogue: Catalogue, pointers: Sequence[tuple[str, ...]] = ()
) -> list[tuple[str, str]]:
    """The kinds that a target may be; none where that cannot be told, or where only its metadata is touched and nothing
    is known of the rest."""
    assert step.target is not None
    api_version, kind = step.target.api_version, step.target.kind
    if "{" in api_version + kind:
        return [one for one in _meant(report, step, kind) if catalogue.kind(*one) is not None]
    if catalogue.kind(api_version, kind) is not None:
        return [(api_version, kind)]
    if not pointers or not all(path[:1] == ("metadata",) for path in pointers):
        report.add(
            "unknown-kind",
            report.at(step.id, "target", "kind"),
            f"nothing is known about the fields of {api_version} {kind}",
            did_you_mean(f"{api_version} {kind}", catalogue.kinds),
        )
    return []


APPS = tuple(
    (version, "SparkApplication")
    for version in ("sparkoperator.k8s.io/v1beta2", "spark.apache.org/v1", "spark.apache.org/v1beta1")
)


def _meant(report: LintReport, step: Step, kind: str) -> list[tuple[str, str]]:
    """What the kind of an object is that goes by a name of the runbook."""
    name = re.sub(r"[{} ]|\.kind", "", kind)
    head = report.runbook.step(step.block) if step.block else None
    if head is not None and name == head.item and (listed := re.match(r"[a-z_]\w*", head.each)):
        name = listed[0]
    one = next((o for o in report.runbook.objects if o.name == name), None)
    if one is not None:
        return [("apps/v1", word) for word in live.WORKLOADS] if one.workload else [(one.api_version, one.kind)]
    if name == "app":
        return list(APPS)
    return [(KINDS[a.of], a.of) for a in report.runbook.about if a.kind == name == "object" and a.of in KINDS]


def _literal(value: Any) -> Any:
    """A value that can be judged now: a template may become anything that fits its braces."""
    if not isinstance(value, str) or "{" not in value:
        return value
    return ... if template.single(value) is not None else "text"


def _script(report: LintReport, step: Step, scripts: Mapping[str, ScriptSpec], catalogue: Catalogue) -> None:
    spec = scripts.get(step.script)
    if spec is None:
        report.add(
            "unknown-script",
            report.at(step.id, "script"),
            f"there is no script {step.script!r}",
            did_you_mean(step.script, scripts),
        )
        return
    if spec.effect != step.effect:
        report.add(
            "script-effect",
            report.at(step.id, "effect"),
            f"script {spec.name!r} is declared as {spec.effect}, the step says {step.effect}",
        )
    _calls(report, step, spec)
    given = {a.name: a for a in step.arguments}
    for name, argument in given.items():
        _argument(report, step, spec, name, argument)
    for name, wanted in spec.arguments.items():
        if wanted.required and name not in given:
            report.add(
                "argument-missing", report.at(step.id, "arguments"), f"script {spec.name!r} needs the argument {name!r}"
            )
    kinds = _kinds(report, step, catalogue) if step.target is not None else []
    for index, pointer in enumerate(step.touches):
        wrong = [catalogue.wrong_field(*kind, patches.parts(pointer), ...) for kind in kinds]
        if wrong and wrong[0] and all(wrong):
            report.add("unknown-field", report.at(step.id, "touches", index), *_with_hint(wrong[0]))


def _calls(report: LintReport, step: Step, spec: ScriptSpec) -> None:
    """What the script may send: declared where it writes, within what it says of itself, its target among it."""
    if step.effect == "read":
        if step.calls and spec.effect == "read":
            report.add(
                "read-with-calls", report.at(step.id, "calls"), "a script that only reads sends nothing", "remove it"
            )
        return
    if not step.calls and step.target is None:
        said = f"script {step.id!r} writes and declares no call, so nothing that it sends is passed on"
        report.add("script-without-calls", report.at(step.id), said, CALLS)
    for index, call in enumerate(step.calls):
        at = report.at(step.id, "calls", index)
        kind, what = call.target.kind, f"{call.subresource} of {call.target.kind}".removeprefix(" of ")
        if kind == "Secret":
            report.add("secret-call", at, "Secrets are neither read nor written by scripts", "make it a manual step")
        for verb in call.verbs:
            own = any(
                verb in one.verbs
                and (one.api_version, one.kind, one.subresource) == (call.target.api_version, kind, call.subresource)
                for one in spec.calls
            )
            if spec.calls and not own and "{" not in call.target.api_version + kind:
                report.add(
                    "script-calls",
                    (*at, "verbs"),
                    f"script {spec.name!r} does not declare to {verb} {what}",
                    f"it declares: {_declared(spec)}",
                )
    targets = [(c.target.kind, c.target.namespace, c.target.name) for c in step.calls if not c.subresource]
    target = step.target
    if step.calls and target is not None and (target.kind, target.namespace, target.name) not in targets:
        report.add(
            "target-without-call",
            report.at(step.id, "target"),
            f"script {step.id!r} may send nothing to its target",
            "declare a call on it, or leave the target out",
        )


def _declared(spec: ScriptSpec) -> str:
    return "; ".join(f"{' and '.join(call.verbs)} {call.kind}" for call in spec.calls) or "nothing"


def _argument(report: LintReport, step: Step, spec: ScriptSpec, name: str, argument: Argument) -> None:
    wanted = spec.arguments.get(name)
    at = report.at(step.id, "arguments", name)
    for word in (argument.value, argument.flag):
        if theirs := persons_file(word):
            report.add(
                "persons-file", at, f"argument {name!r} leads to {theirs}", "scripts get a kubeconfig of their own"
            )
    if wanted is None:
        hint = did_you_mean(name, spec.arguments)
        report.add("unknown-argument", at, f"script {spec.name!r} has no argument {name!r}", hint)
    elif argument.type and wanted.type != argument.type:
        message = f"argument {name!r} of {spec.name!r} is of type {wanted.type}, not {argument.type}"
        report.add("argument-type", (*at, "type"), message)
    elif argument.flag != spec.flag(name):
        message = f"argument {name!r} of {spec.name!r} stands after {spec.flag(name) or 'no flag'}"
        report.add("argument-flag", (*at, "flag"), message)
