"""Habits that hurt at night: changes that were promised not to be, yes by default, reasons that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jinja2 import nodes

from console.runbook import graph, template
from console.runbook.lint.names import all_of
from console.runbook.lint.problems import LintReport
from console.runbook.lint.short import is_short
from console.runbook.lint.templates import places
from console.runbook.model import NamedObject, Runbook, Step, TargetTemplate

NO_REASON = re.compile(r"(n/?a|none|no|yes|nope|todo|tbd|fixme|true|false|because|irreversible)\.?", re.IGNORECASE)
PEOPLE = frozenset({"ask", "manual", "note", "escalate", "run"})
"""Kinds of steps at which a person sees what is going on."""


def check(report: LintReport) -> None:
    """Add what the whole of a runbook shows."""
    for step in report.runbook.steps:
        if step.writes and report.runbook.changes_nothing:
            said = "the runbook promises `changes: none`, and this step changes something"
            report.add("promise-broken", report.at(step.id), said, "remove `changes: none`, or make it a manual step")
        if step.irreversible and _no_reason(step.irreversible):
            said = f"{step.irreversible.strip()!r} is no reason"
            at = report.at(step.id, "irreversible")
            report.add("no-reason", at, said, "say why it cannot be undone: `the pod is made again by its owner`")
        if step.kind == "ask" and step.choices and is_short(report.document, report.places[step.id]):
            _first_choice(report, step)
        if step.writes and not step.block and _again(report.runbook, step):
            said = f"after it did not help, {step.id!r} is done again, and no person is asked between"
            report.add("repeats-itself", report.at(step.id), said, "end there with `not fixed`, or `ask` first")
    _unused(report)


def _no_reason(text: str) -> bool:
    return NO_REASON.fullmatch(text.strip()) is not None or len(re.findall(r"[^\W\d_]", text)) < 4


def _first_choice(report: LintReport, step: Step) -> None:
    goto = step.choices[0].goto or graph.following(report.runbook, step)
    first = report.runbook.step(goto)
    if first is not None and first.writes:
        said = f"the first choice leads straight to the change {first.id!r}; a tired person takes the first"
        at = report.at(step.id, "choices", 0, "value")
        report.add("change-first", at, said, "put the choice that changes nothing first")


def _again(runbook: Runbook, write: Step) -> bool:
    """Whether a verification that went wrong leads back to the same change without a person."""
    checks = [s for s in runbook.steps if s.kind == "verify" and s.id in _onward(runbook, [write.id])]
    bad = [w for s in checks for w in (s.on_ineffective, s.on_worse, s.on_unknown) if w]
    return any(_same(write, other) for id in _onward(runbook, bad) if (other := runbook.step(id)) is not None)


def _same(one: Step, other: Step) -> bool:
    mine, theirs = (one.action, one.target, one.settings), (other.action, other.target, other.settings)
    return other.writes and mine == theirs


def _onward(runbook: Runbook, begin: list[str]) -> set[str]:
    """Steps that are come to without a person in between."""
    seen: set[str] = set()
    todo = list(begin)
    while todo:
        step = runbook.step(todo.pop())
        if step is None or step.id in seen or step.kind in PEOPLE:
            continue
        seen.add(step.id)
        refused = {"refused", "failed"} if step.writes else set()
        todo += [goto for reason, goto in graph.successors(runbook, step) if goto and reason not in refused]
    return seen


def _unused(report: LintReport) -> None:
    """Objects that nobody asks for, and blocks that do the same for each member."""
    runbook = report.runbook
    roots = {step.id: set(_roots(step)) for step in runbook.steps}
    values = {root for text in runbook.values.values() for root in _of(text, expression=True)}
    named = {root for one in runbook.objects for text in (one.object, one.namespace) for root in _of(text)}
    used = {root for mine in roots.values() for root in mine} | values | named
    named |= {probe.of for probe in runbook.probes}
    used |= named
    for probe in (probe for probe in runbook.probes if probe.name not in used):
        said = f"no step asks what {probe.name!r} answers"
        report.add("unused-object", ("probes", probe.name), said, "remove it", "warning")
    for one in runbook.objects:
        if one.name not in used and not any(_is_target(step, one) for step in runbook.steps):
            said = f"no step asks for {one.name!r} or changes it"
            report.add("unused-object", ("objects", one.name), said, "remove it", "warning")
    for head in (step for step in runbook.steps if step.kind == "each"):
        _member(report, head, roots)


def _member(report: LintReport, head: Step, roots: Mapping[str, set[str]]) -> None:
    """A block of which no step speaks of its member."""
    block = [step.id for step in report.runbook.steps if step.block == head.id and step.kind != "each"]
    if not any(head.item in roots[id] for id in block):
        said = f"no step of the block uses {head.item!r}, so each turn does the same"
        hint = f"name it, as in `do: {{delete: {head.item}}}`, or take the steps out of the block"
        report.add("member-unused", report.at(head.id, "each"), said, hint)


def _roots(step: Step) -> Iterator[str]:
    """Names that the templates of a step read; of `seen.x` and `changed.x` also x."""
    for place in places(step):
        yield from _of(place.text, expression=place.expression)


def _of(text: str, *, expression: bool = False) -> set[str]:
    try:
        tree: nodes.Node = template.parse_expression(text) if expression else template.parse(text)
    except template.TemplateError:
        return set()
    about = ("seen", "created", "changed", "changed_by", "writers")
    inner = (one for one in all_of(tree, nodes.Getattr) if isinstance(one.node, nodes.Name) and one.node.name in about)
    return {one.name for one in all_of(tree, nodes.Name)} | {one.attr for one in inner}


def _is_target(step: Step, one: NamedObject) -> bool:
    wanted = TargetTemplate(one.api_version, one.kind, one.object, one.namespace)
    return step.target == wanted or any(call.target == wanted for call in step.calls)
