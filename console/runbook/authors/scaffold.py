"""A new runbook from four answers: it passes lint, and what is still to be written stands in it as such."""

from __future__ import annotations

import re
from typing import NamedTuple

from console.actions import verbs
from console.base.errors import UsageError, did_you_mean
from console.runbook.catalogue.codes import codes
from console.runbook.documents import ABOUT, ABOUT_WORDS, ID

SCHEMA = "runbook.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA}"
"""What tells an editor how a file is completed: by the schema that lies beside it."""


class Answers(NamedTuple):
    """`verb`: what it changes, or `none`. `day`: today, `2026-11-24`."""

    id: str
    about: str
    finding: str
    verb: str
    title: str
    day: str


_KEYS = {
    "patch": "merge: {metadata: {annotations: {checked: 'yes'}}}",
    "scale": "to: 1",
    "label": "labels: {checked: 'yes'}",
    "annotate": "annotations: {checked: 'yes'}",
    "taint": "key: checked",
    "untaint": "key: checked",
    "restore": "key: settings, value: say here what it was",
}
"""Keys without which a verb means nothing, to be written otherwise."""
_CALLED = {"component": "operator", "app": "app", "node": "node", "schedule": "schedule"}


def runbook(answers: Answers) -> str:
    """The text of the file. Raises UsageError where an answer means nothing."""
    _check(answers)
    kind = answers.about.split()[0]
    gone = f"not ('{answers.finding}' in found)"
    lines = [
        MODELINE,
        "apiVersion: console/v1",
        "kind: Runbook",
        f"id: {answers.id}",
        f"title: {_quoted(answers.title)}",
        "owner: platform on-call",
        f"reviewed: {answers.day}",
        "what: Says what is wrong, and what is still to be written.",
        "when_not_to_use: Somebody works on it already.",
        f"about: {answers.about}",
        f"match: {{findings: [{answers.finding}]}}",
    ]
    lines += ["objects: {operator: workload}"] if kind == "component" and answers.verb != "none" else []
    lines += ["changes: none"] if answers.verb == "none" else []
    lines += [
        "steps:",
        "- check: Is it still so?",
        f"  finding: {answers.finding}",
        "  else: observed",
    ]
    lines += _rest(answers, kind, gone)
    return "\n".join(lines) + "\n"


def _rest(answers: Answers, kind: str, gone: str) -> list[str]:
    if answers.verb == "none":
        return ["- escalate: platform on-call", f"  because: {_quoted(answers.title)}"]
    on = _CALLED.get(kind, "object")
    verb = verbs()[answers.verb]
    change = {name: f"{{{name}: {on}, {keys}}}" for name, keys in _KEYS.items()}
    never = verb.no_way_back(target=True)
    that = f"seen.{on if kind == 'component' else 'object'}.state == 'absent'" if answers.verb == "delete" else gone
    return [
        "- ask: Is it to be changed now?",
        "  choices:",
        "  - {leave: Leave it to somebody else, then: handed over}",
        "  - {change: Change it}",
        f"- do: {change.get(answers.verb, f'{{{answers.verb}: {on}}}')}",
        *(["  irreversible: say here why it cannot be undone"] if never else []),
        "  then: verify",
        "verify:",
        f"  that: {_quoted(that)}",
        "  for: 2m",
        "  within: 15m",
    ]


def check(key: str, answer: str) -> None:
    """Whether an answer means something. Raises UsageError, with what would."""
    match key:
        case "id" if not re.fullmatch(ID, answer):
            raise UsageError(f"{answer!r} is no name of a runbook", hint="lower case, digits and dashes: spark-oom")
        case "about" if not re.fullmatch(ABOUT, answer):
            raise UsageError(f"{answer!r} is nothing that a walk can be about", hint=f"one of {ABOUT_WORDS}")
        case "finding" if answer not in codes():
            raise UsageError(f"no rule finds {answer!r}", hint=did_you_mean(answer, codes()))
        case "verb" if answer not in (known := changing()):
            raise UsageError(f"there is no verb {answer!r}", hint=did_you_mean(answer, known))


def changing() -> list[str]:
    """What a new runbook can change: nothing, or what a verb changes."""
    return ["none", *(verb.name for verb in verbs().values() if verb.step == "change")]


def _check(answers: Answers) -> None:
    for key in ("id", "about", "finding", "verb"):
        check(key, getattr(answers, key))
    if answers.verb != "none" and answers.about.split()[0] in ("cluster", "nodes"):
        raise UsageError("what is about the cluster as a whole has no one object to change", hint="--verb none")


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
