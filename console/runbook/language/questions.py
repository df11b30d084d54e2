"""Short steps that change nothing, as the one or two steps of the long form that each becomes."""

from __future__ import annotations

from typing import Any

from console.runbook.language import proof
from console.runbook.language.read import BESIDE
from console.runbook.language.shapes import AskStep, CheckStep, EscalateStep, ManualStep, WaitStep
from console.runbook.model import Branch, Choice, Step

AT_ONCE = 5
"""Seconds after it was made within which a write to an object is part of making it."""


def check(doc: CheckStep, common: dict[str, Any], way: Any) -> Step:
    """A question that the evidence answers."""
    when, yes, no, shows = _condition(doc)
    branches = (
        Branch(when, way(doc.then, "next"), doc.because or yes, "fail" if doc.finding else "pass"),
        Branch("", way(doc.otherwise, "next"), no),
    )
    common = {**common, "shows": (*common["shows"], *shows)}
    return Step(
        kind="check",
        title=doc.check,
        branches=branches,
        on_unknown=way(doc.unknown, "handed-over"),
        **common,
    )


def _condition(doc: CheckStep) -> tuple[str, str, str, tuple[str, ...]]:
    """The expression, what is said when it holds and when it does not, and the lines beside it."""
    if doc.finding:
        codes = [doc.finding] if isinstance(doc.finding, str) else doc.finding
        when = " or ".join(f"'{code}' in found" for code in codes)
        yes = (
            "".join(
                f"{{% {'if' if not i else 'elif'} '{code}' in found %}}{{{{ found['{code}'].title }}}}"
                for i, code in enumerate(codes)
            )
            + "{% endif %}"
        )
        lines = tuple(
            f"{{% if '{code}' in found %}}{{{{ found['{code}'].detail }}}}\n"
            f"{{% for e in found['{code}'].evidence %}}{{{{ e.source }}}} {{{{ e.locator }}}}: "
            f"{{{{ e.excerpt|shorten(200) }}}}\n{{% endfor %}}{{% endif %}}"
            for code in codes
        )
        return when, yes, f"no: {' nor '.join(codes)} is not seen", lines
    if doc.changed:
        name, _, span = doc.changed.partition(" within ")
        ago = f"{{{{ (now - changed.{name})|duration }}}} ago"
        edited = f"changed.{name} - created.{name} > {AT_ONCE}"
        by = f"{{% if changed_by.{name} is defined %}} by {{{{ changed_by.{name} }}}}{{% endif %}}"
        return (
            f"{edited} and now - changed.{name} <= ('{span}'|seconds)",
            f"{name} was changed {ago}",
            f"{{% if {edited} %}}last changed {ago}{{% else %}}made {ago}{by}, and not changed since{{% endif %}}",
            (),
        )
    return doc.that or "", "yes", "no", () if doc.shows else proof.lines(doc.that or "")


def ask(doc: AskStep, common: dict[str, Any], way: Any) -> Step:
    """A question that a person answers."""
    choices = []
    for one in doc.choices:
        value = next(key for key in one if key not in BESIDE)
        goto = way(one.get("then") or doc.then, "next")
        choices.append(Choice(value, one[value], goto, one.get("hint", "")))
    return Step(kind="ask", title=doc.ask, question=doc.ask, text=doc.text, choices=tuple(choices), **common)


def manual(doc: ManualStep, common: dict[str, Any], way: Any) -> list[Step]:
    """What a person does elsewhere, and the watch that sees it."""
    to, id = way(doc.then, "next"), common["id"]
    seen = f"{id}-seen" if doc.until else to
    choices = (Choice("done", "It is done", seen), Choice("cannot", "It cannot be done now", "handed-over"))
    step = Step(kind="manual", title=doc.manual, text=doc.text or doc.manual, choices=choices, **common)
    if not doc.until:
        return [step]
    watch = Step(
        id=seen,
        kind="verify",
        title=f"Seen: {doc.manual}",
        until=doc.until,
        hold=doc.hold,
        deadline=doc.within,
        poll=proof.looks(doc.every, doc.query),
        query=doc.query,
        on_effective=to,
        on_ineffective="handed-over",
        on_worse="handed-over",
        on_unknown="unclear",
        progress="true",
        at=common["at"],
        line=common["line"],
    )
    return [step, watch]


def wait(doc: WaitStep, common: dict[str, Any], way: Any, below: str) -> Step:
    """A time, or a condition that is waited for."""
    if not doc.until:
        return Step(kind="wait", title=f"Wait {doc.wait}", duration=doc.wait, next=way(doc.then, "next"), **common)
    late = way(doc.otherwise, "handed-over")
    common = {**common, "shows": common["shows"] or proof.lines(doc.until)}
    return Step(
        kind="verify",
        title=doc.wait,
        until=doc.until,
        progress="true",
        rises=doc.moves,
        fails=doc.fails,
        hold=doc.hold,
        deadline=doc.within,
        poll=proof.looks(doc.every, doc.query),
        on_effective=way(doc.then, "next"),
        on_ineffective=late,
        on_worse=late,
        on_unknown=way(doc.unknown, "unclear"),
        next=below,
        **common,
    )


PASTE = "{{ finding.title|default(applies.because|default('')) }}\n{{ walk.happened }}"
"""What is pasted where a runbook does not say it."""


def escalate(doc: EscalateStep, common: dict[str, Any], way: Any) -> Step:
    """Whom to call, why, what to paste, and by when somebody must have answered."""
    return Step(
        kind="escalate",
        title=f"Call {doc.escalate}",
        text=doc.because,
        whom=doc.escalate,
        paste=doc.paste or PASTE,
        answer_within=doc.within or "",
        on_unanswered=way(doc.otherwise, "handed-over") if doc.within or doc.otherwise else "",
        next="handed-over",
        **common,
    )
