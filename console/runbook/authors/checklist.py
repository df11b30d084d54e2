"""A runbook as a checklist in words: what it is about, its steps with their ways, what a change does."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from console.base.redact import redact_short
from console.base.text import clean
from console.runbook import graph
from console.runbook.about import about_words
from console.runbook.authors.spoken import noun, plain, words
from console.runbook.language.before import is_before
from console.runbook.language.ends import RETURN
from console.runbook.model import NamedObject, Probe, Runbook, Step

LEGEND = (
    "What cannot be told is handed over, unless its step says otherwise. What stands in angle brackets, like "
    "<app.name>, the walk fills in."
)
LineStyle = Literal["title", "head", "step", "change", "text"]


class ChecklistLine(NamedTuple):
    """One paragraph. `mark` begins its first line, `indent` the others; `step`: id of the step that it belongs to."""

    look: LineStyle
    text: str
    indent: int = 0
    mark: str = ""
    step: str = ""


def checklist(runbook: Runbook) -> list[ChecklistLine]:
    """The whole of it, paragraph by paragraph."""
    numbers = _numbers(runbook)
    out = [ChecklistLine("title", runbook.title), ChecklistLine("text", _head(runbook))]
    for head, text in (
        ("What it does", runbook.what),
        ("When to use it", runbook.when_to_use),
        ("When not to use it", runbook.when_not_to_use),
        ("How long it takes", runbook.expected_duration),
        (
            "What it can touch",
            re.sub(r"^None\b", "Nothing", runbook.blast_radius)
            or ("" if runbook.writes else "Nothing: it only looks."),
        ),
        ("What leads here", _leads(runbook)),
    ):
        out += [ChecklistLine("head", head), ChecklistLine("text", plain(text), 2)] if text else []
    if runbook.inputs:
        out.append(ChecklistLine("head", "What it asks for"))
        out += [
            ChecklistLine("text", _input(i.title or i.name, i.default, i.required), 4, "  - ") for i in runbook.inputs
        ]
    out += _objects(runbook)
    out += [ChecklistLine("head", "How to read it"), ChecklistLine("text", LEGEND, 2), ChecklistLine("head", "Steps")]
    for step in _shown(runbook):
        if step.id in runbook.last[:1]:
            out.append(ChecklistLine("head", "Before any end, once something was changed"))
        out += _step(runbook, step, numbers)
    out += _ends(runbook)
    return [line._replace(text=clean(redact_short(line.text))) for line in out if line.text]


def _ends(runbook: Runbook) -> list[ChecklistLine]:
    ends = [step for step in runbook.steps if step.kind == "end" and step.id != RETURN]
    lines = [ChecklistLine("text", _end(step), 4, "  - ", step.id) for step in ends]
    return [ChecklistLine("head", "Ends"), *lines] if lines else []


def _objects(runbook: Runbook) -> list[ChecklistLine]:
    """What the names in the steps stand for."""
    named = [(one.name, _object(runbook, one)) for one in runbook.objects]
    figures = [(name, noun(value)) for name, value in runbook.values.items()]
    asked = [(probe.name, _probe(probe)) for probe in runbook.probes]
    lines = [ChecklistLine("text", f"{name}: {said}", 4, "  - ") for name, said in (*named, *asked, *figures)]
    return [ChecklistLine("head", "What the names mean"), *lines] if lines else []


def _probe(probe: Probe) -> str:
    """What a probe asks."""
    return f"what {probe.words} answers" if probe.get else f"whether {probe.words} takes connections"


def _object(runbook: Runbook, one: NamedObject) -> str:
    """What a name of `objects` stands for."""
    if one.workload:
        return f"the workload of {about_words(runbook)}"
    where = f" of {plain(one.namespace)}" if one.namespace else ""
    if one.listed:
        labels = ", ".join(f"{key}={plain(value)}" for key, value in one.labels.items())
        return f"every {one.kind}{where}{f' with {labels}' if labels else ''}"
    return f"the {one.kind} {plain(one.object)}{where}"


def _numbers(runbook: Runbook) -> dict[str, int]:
    """Step → its number; what belongs to a step has that of the step."""
    numbers = {step.id: number for number, step in enumerate(_shown(runbook), 1)}
    numbers.update({one.id: numbers[step.id] for step in _shown(runbook) for one in _chosen(runbook, step)})
    numbers.update({step.id: numbers[step.next] for step in runbook.steps if is_before(step)})
    return numbers


def _shown(runbook: Runbook) -> list[Step]:
    """Steps that have a number: ends and the proof of a change are told where they are led to."""
    proofs = {step.verify for step in runbook.steps if step.verify}
    shown = (s for s in runbook.steps if s.kind != "end" and not is_before(s) and not _is_chosen(s))
    return [s for s in shown if not (s.id in proofs and s.id.endswith("-proof"))]


def _is_chosen(step: Step) -> bool:
    """Whether it is one of the changes that a word chooses from, which are told as one step."""
    return step.writes and "do" in step.at


def _chosen(runbook: Runbook, step: Step) -> list[Step]:
    """The changes that a step chooses from by a word."""
    mine = step.at if step.kind == "decide" and step.at[:1] == ("steps",) else None
    return [s for s in runbook.steps if mine and _is_chosen(s) and s.at[: len(mine)] == mine]


def _head(runbook: Runbook) -> str:
    facts = [f"About {about_words(runbook)}"]
    facts += [f"owner {runbook.owner}"] if runbook.owner else []
    facts += [f"reviewed {runbook.reviewed}" if runbook.reviewed else "never reviewed"]
    facts += [f"{runbook.id} {runbook.version}".replace(" ", NBSP)]
    return " · ".join(facts)


def _leads(runbook: Runbook) -> str:
    match = runbook.match
    alerts = [a.name + "".join(f" {k}={v}" for k, v in a.labels.items()) for a in match.alerts]
    groups = (
        ("findings", match.findings),
        ("findings of the incident class", match.classes),
        ("alerts", alerts),
        ("objectives", match.slos),
    )
    said = [f"{name}: {', '.join(items)}" for name, items in groups if items]
    return "; ".join(said) or ("somebody who asks for it" if runbook.on_demand else "nothing")


def _input(name: str, default: Any, required: bool) -> str:
    if default is not None:
        return f"{name} (usually {default})"
    return f"{name} ({'asked for' if required else 'if wanted'})"


def _end(step: Step) -> str:
    outcome = (step.outcome or "").replace("_", " ")
    said = plain(step.text)
    own = f": {said}" if said and "walk." not in step.text else ""
    return f"{step.title}{f' ({outcome})' if outcome and outcome != step.title.lower() else ''}{own}"


def _step(runbook: Runbook, step: Step, numbers: Mapping[str, int]) -> Iterator[ChecklistLine]:
    mark = f"{numbers[step.id]:>3}. "
    if changes := _chosen(runbook, step):
        yield from _choice(runbook, step, changes, mark, numbers)
        return
    look: LineStyle = "change" if step.writes else "step"
    yield ChecklistLine(look, f"{_verb(step)}{plain(step.title)}", 5, mark, step.id)
    for text in _says(runbook, step):
        yield ChecklistLine("text", text, 7, "     ", step.id)
    for text in _pasted(step):
        yield ChecklistLine("text", text, 9, "       | ", step.id)
    for said, goto in _ways(runbook, step):
        to = "the next one" if step.kind != "each" and goto == step.block else _where(runbook, goto, numbers)
        yield ChecklistLine("text", f"{said}: {to}", 9, "     → ", step.id)


NBSP = "\u00a0"


def _choice(
    runbook: Runbook, step: Step, changes: list[Step], mark: str, numbers: Mapping[str, int]
) -> Iterator[ChecklistLine]:
    """A change that a word chooses: what all of them have in common, and what each sets."""
    by = words(step.branches[0].when).rpartition(" is ")[0].strip("()")
    yield ChecklistLine("change", f"CHANGE: {plain(changes[0].title)}", 5, mark, step.id)
    if step.when:
        yield ChecklistLine("text", f"Only when {words(step.when)}.", 7, "     ", step.id)
    first, *rest = _change(runbook, changes[0])
    yield ChecklistLine("text", first, 7, "     ", step.id)
    yield ChecklistLine("text", f"What {by} says chooses what it sets:", 7, "     ", step.id)
    for branch, one in zip(step.branches, changes, strict=False):
        yield ChecklistLine("text", f"{branch.because}: {'; '.join(_settings(one.settings))}", 9, "     - ", step.id)
    for text in rest[1:]:
        yield ChecklistLine("text", text, 7, "     ", step.id)
    for said, goto in _ways(runbook, changes[0]):
        yield ChecklistLine("text", f"{said}: {_where(runbook, goto, numbers)}", 9, "     → ", step.id)
    for said, goto in (("If it is none of them", step.branches[-1].goto), ("If that cannot be told", step.on_unknown)):
        yield ChecklistLine("text", f"{said}: {_where(runbook, goto, numbers)}", 9, "     → ", step.id)


_VERBS = {
    "ask": "Ask: ",
    "note": "Read: ",
    "manual": "By hand: ",
    "verify": "Watch: ",
    "escalate": "HAND OVER: ",
    "wait": "",
    "script": "Run a script: ",
}


def _verb(step: Step) -> str:
    if step.kind == "change":
        return "CHANGE: "
    return "CHANGE by a script: " if step.writes else _VERBS.get(step.kind, "")


def _says(runbook: Runbook, step: Step) -> Iterator[str]:
    if step.when:
        yield f"Only when {words(step.when)}."
    if step.text and plain(step.text) != plain(step.title):
        yield plain(step.text)
    if step.kind == "escalate":
        yield from [f"Somebody must have answered within {plain(step.answer_within)}."] if step.answer_within else []
        yield "Paste:"
    if step.id == "applies":
        yield "Looks whether one of those stands now that lead here; else nothing is done."
    if step.kind in ("check", "decide") and len(step.branches) == 2 and step.id != "applies":
        yield f"Looks whether {words(step.branches[0].when)}."
    if step.query:
        yield f"Asks Prometheus: {plain(step.query)}"
    if step.kind == "each":
        yield f"For each of {noun(step.each)}, one after the other, at most {step.most}:"
    if step.saves:
        yield "Keeps " + "; ".join(f"{name}: {noun(value)}" for name, value in step.saves.items())
    if step.kind == "verify":
        yield _proof(step)
    if step.writes:
        yield from _change(runbook, step)


def _pasted(step: Step) -> Iterator[str]:
    """What is to be pasted, line by line."""
    for line in step.paste.strip().splitlines():
        yield plain(re.sub(r"\{%-?\s*for (\w+) in (.*?)\s*-?%\}", _each, line))


def _each(loop: re.Match[str]) -> str:
    """`{% for pod in pods|where(…) %}` in words."""
    return f"for each {loop[1]} of {noun(loop[2])}: "


def _proof(step: Step) -> str:
    held = f", for {plain(step.hold)}" if step.hold not in ("", "0s") else ""
    return f"Until {words(step.until)}{held}; at most {plain(step.deadline)}."


def _change(runbook: Runbook, step: Step) -> Iterator[str]:
    if step.target is not None:
        named = "/".join(plain(part) for part in (step.target.namespace, step.target.name) if part)
        called = re.match(r"<(\w+)\.kind>", plain(step.target.kind))
        yield f"On {called[1] if called else f'{plain(step.target.kind)} {named}'}."
    if step.action in ("patch", "script"):
        said, verb = list(_settings(step.settings)), "Sets "
    else:
        said, verb = [_setting(key, value) for key, value in step.settings.items()], "With "
    if said:
        yield verb + "; ".join(said)
    if step.script:
        yield f"Script {step.script}"
    yield "It is shown first, and made only after a yes."
    for label, text in (("Restarts", step.restarts), ("Loses", step.loses)):
        if text:
            yield f"{label}: {plain(text)}"
    proof = runbook.step(step.verify)
    if proof is not None:
        yield f"Proved: {_proof(proof)[0].lower()}{_proof(proof)[1:]}"
    if step.irreversible:
        yield f"It cannot be undone: {plain(step.irreversible)}"
    else:
        yield "Undone: the former values are put back."


def _setting(key: str, value: Any) -> str:
    """A key of a verb; of a manifest no more than what runs in it."""
    if isinstance(value, dict):
        spec = value.get("spec") if isinstance(value.get("spec"), dict) else value
        shown = [f"{k} {plain(str(v))}" for k, v in (spec or {}).items() if isinstance(v, str)]
        return f"a {key}: {', '.join(shown)}; `--expanded` has all of it"
    return f"{key}: {plain(str(value))}"


def _settings(tree: Any, path: str = "") -> Iterator[str]:
    """What a patch or the keys of a verb set, field by field."""
    if tree in ({}, None) and not path:
        return
    if isinstance(tree, dict) and tree and not {"op", "path"} <= set(tree):
        for key, value in tree.items():
            if not (path == "" and key == "patch_type"):
                yield from _settings(value, f"{path}.{key}" if path and path != "patch" else str(key))
    elif isinstance(tree, dict) and tree:
        yield f"{tree['op']} {tree['path']} {plain(str(tree.get('value', '')))}".strip()
    elif isinstance(tree, list) and any(isinstance(item, dict) for item in tree):
        for item in tree:
            yield from _settings(item, path)
    else:
        yield f"{path} to {plain(str(tree))}" if tree is not None else f"{path} to nothing"


def _ways(runbook: Runbook, step: Step) -> list[tuple[str, str]]:
    """Ways in words; those that lead on to the next step by themselves are left out, and equal ones told once."""
    below = graph.following(runbook, step) if step.kind not in ("check", "decide") else ""
    told: dict[str, list[str]] = {}
    unknown = False
    for reason, goto in graph.successors(runbook, step):
        proof = runbook.step(goto)
        if reason == "applied" and proof is not None and goto == step.verify and goto.endswith("-proof"):
            told.setdefault(proof.on_effective, []).append("then")
            told.setdefault(proof.on_ineffective, []).append("if it did not help")
        elif reason == "on_unknown" and step.kind != "verify" and goto == "handed-over":
            unknown = True
        elif reason != "skipped" or goto != below:
            told.setdefault(goto, []).append(_reason(step, reason))
    return [(_capital(_together(said, alone=len(told) == 1 and not unknown)), goto) for goto, said in told.items()]


def _together(said: list[str], *, alone: bool) -> str:
    """Reasons for one way; what is left over says it without those before it."""
    if alone and len(said) > 1:
        return "in any case"
    if _REASONS["else"] in said:
        said = [word for word in said if word in (_REASONS["else"], _REASONS["on_unknown"])]
    return " or ".join(dict.fromkeys(said))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_REASONS = {
    "else": "otherwise", "next": "then", "applied": "then", "refused": "if the answer is No", "failed": "if it fails",
    "on_unknown": "if that cannot be told", "effective": "if it helped", "ineffective": "if it did not help",
    "worse": "if it got worse", "unknown": "if that cannot be told", "a turn": "each turn",
    "skipped": "if it is not needed", "unanswered": "if nobody answers in time",
}  # fmt: skip


def _reason(step: Step, reason: str) -> str:
    if step.saves and reason == "else":
        return "then"
    if reason.startswith("branches["):
        branch = step.branches[int(reason[9:-1])]
        if len(step.branches) == 2:
            return "if so"
        because = plain(branch.because)
        return f"if {because if because and '<' not in because else words(branch.when)}"
    if reason.startswith("choices["):
        return f"“{plain(step.choices[int(reason[8:-1])].label)}”"
    return _REASONS.get(reason, reason)


def _where(runbook: Runbook, goto: str, numbers: Mapping[str, int]) -> str:
    if goto == RETURN:
        return "the end that was come to"
    step = runbook.step(goto)
    if step is None:
        return "nowhere"
    if step.kind == "end":
        return step.title.lower()
    if step.runs:
        return f"the runbook {step.runs}"
    return f"step {numbers[goto]}" if goto in numbers else plain(step.title)


def text(lines: Iterable[ChecklistLine], width: int = 80) -> str:
    """The checklist for a terminal."""
    out: list[str] = []
    for line in lines:
        if line.look == "head" or (line.look in ("step", "change") and out and out[-1]):
            out.append("")
        first, rest = line.mark or " " * line.indent, " " * line.indent
        said = line.text.upper() if line.look == "head" else line.text
        out += textwrap.wrap(said, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return "\n".join(out)


def markdown(lines: Iterable[ChecklistLine]) -> str:
    """The checklist as Markdown."""
    out: list[str] = []
    for line in lines:
        said = re.sub(r"([\\`*_<>\[\]])", r"\\\1", line.text)
        match line.look:
            case "title":
                out += [f"# {said}", ""]
            case "head":
                out += ["", f"## {said}", ""]
            case "step" | "change":
                out.append(f"{line.mark.strip()} **{said}** `#{line.step}`")
            case _:
                out.append(("   - " if line.step and line.indent > 4 else "- " if line.mark else "") + said)
    return "\n".join(out)
