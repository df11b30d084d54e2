"""Short steps to steps of the long form. Every way is written out: nothing that is expanded leads on by its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from console.actions import verbs
from console.base.document import Document
from console.base.errors import DocumentError
from console.runbook.language import doing, proof, questions
from console.runbook.language.ends import ENDS, ITS_END, OBJECTIVES, RETURN, end_of
from console.runbook.language.naming import unique
from console.runbook.language.read import ShortItem
from console.runbook.language.shapes import (
    AskStep,
    CheckStep,
    DoStep,
    EachStep,
    EndStep,
    EscalateStep,
    ManualStep,
    NoteStep,
    RunStep,
    SaveStep,
    ShortDoc,
    VerifyClause,
    WaitStep,
)
from console.runbook.model import WAYS, Branch, NamedObject, Step


class Expander:
    """One runbook being expanded.

    Args:
        objects: the objects that it names.
        verify: its own verification, that of every change that has none.
        objectives: whether it answers for objectives, so that their recovery is waited for.
    """

    def __init__(self, objects: Mapping[str, NamedObject], verify: VerifyClause | None, *, objectives: bool) -> None:
        self.objects, self.verify, self.objectives = objects, verify, objectives
        self.problems: list[DocumentError] = []
        self.extra: list[Step] = []
        self._jumps: dict[str, str] = {}
        self._taken: set[str] = set()
        self._last: list[Step] = []

    def steps(self, document: Document, items: Sequence[ShortItem | Step], *, on_demand: bool) -> tuple[Step, ...]:
        """All steps: whether it applies, those of the file, its verification, the ends that are led to."""
        ids = [item.id for item in items]
        self._taken.update(ids)
        out: list[Step] = [] if on_demand else [_applies(ids[0])]
        for index, item in enumerate(items):
            after = ids[index + 1] if index + 1 < len(items) else ""
            made = [item] if isinstance(item, Step) else self.step(document, item, after)
            out += made
        out += self.extra
        return self._with_ends(out)

    def last(self, document: Document, items: Sequence[ShortItem]) -> None:
        """The steps of `finally`: each leads to the next, whatever comes of it, and the last one back to the end."""
        for index, item in enumerate(items):
            after = items[index + 1].id if index + 1 < len(items) else RETURN
            made = self.step(document, item, after)
            self._last += [_whatever_comes(s, after if s.id == item.id else s.block or after) for s in made]
        if items:
            self._last.append(Step(id=RETURN, kind="end", title="Back to the end", at=("finally",)))

    def _with_ends(self, steps: list[Step]) -> tuple[Step, ...]:
        named = {goto for step in steps for goto in ways(step)}
        known = {step.id for step in steps}
        if "verify" in named and "verify" not in known and self.verify is not None:
            steps.append(proof.verification("verify", self.verify, "resolved", ("verify",), title="Is it right now?"))
        if self.objectives:
            steps = [*map(_to_objectives, steps)]
            if OBJECTIVES[0] not in known and any(OBJECTIVES[0] in ways(step) for step in steps):
                steps += proof.objectives(self.verify.objectives if self.verify is not None else "2h")
        named = {goto for step in steps for goto in ways(step)}
        known = {step.id for step in steps}
        return (*steps, *(_end(id) for id in ENDS if id in named and id not in known), *self._last)

    def step(
        self, document: Document, item: ShortItem, after: str, members: frozenset[str] = frozenset()
    ) -> list[Step]:
        """The steps that one short step becomes; `after` is the one below it, `` where there is none."""
        doc = item.doc

        def way(words: str | None, otherwise: str) -> str:
            return self._way(words, after or _falls(doc, self.verify), otherwise)

        common: dict[str, Any] = {
            "id": item.id,
            "line": document.line(item.at),
            "when": doc.when,
            "query": doc.query,
            "shows": tuple(doc.shows),
            "at": item.at,
        }
        below = after or "handed-over"
        match doc:
            case CheckStep():
                return [questions.check(doc, {**common, "next": below}, way)]
            case AskStep():
                return [questions.ask(doc, {**common, "next": below}, way)]
            case DoStep():
                skipped = way(doc.otherwise, "next") if doc.otherwise else below
                return self._do(document, item, doc, {**common, "next": skipped}, way, members)
            case ManualStep():
                return questions.manual(doc, {**common, "next": below}, way)
            case NoteStep():
                return [
                    Step(kind="note", title=doc.note, text=doc.text or doc.note, next=way(doc.then, "next"), **common)
                ]
            case WaitStep():
                return [questions.wait(doc, common, way, below)]
            case SaveStep():
                title = doc.title or f"Keep {', '.join(doc.save)}"
                kept = (Branch("", way(doc.then, "next"), doc.because),)
                return [
                    Step(
                        kind="check",
                        title=title,
                        saves=dict(doc.save),
                        next=way(doc.then, "next"),
                        branches=kept,
                        on_unknown=way(doc.unknown, "handed-over"),
                        **common,
                    )
                ]
            case RunStep():
                title = f"Walk the runbook {doc.run}"
                return [
                    Step(
                        kind="run",
                        title=title,
                        runs=doc.run,
                        given=dict(doc.given),
                        next="" if doc.then == ITS_END else way(doc.then, "next"),
                        on_unknown="handed-over",
                        **common,
                    )
                ]
            case EscalateStep():
                return [questions.escalate(doc, common, way)]
            case EachStep():
                return self._each(document, item, doc, common, way)
            case EndStep():
                end = ENDS[end_of(doc.end)]
                return [Step(kind="end", title=end.title, outcome=end.outcome, text=doc.text, **common)]
        raise TypeError(f"no short step is a {type(doc).__name__}")

    def _way(self, words: str | None, below: str, otherwise: str) -> str:
        """The id of where a way leads."""
        words = words or otherwise
        if words == "next":
            return below
        if words.startswith("run "):
            return self._jump(words.removeprefix("run ").strip())
        return end_of(words) or words

    def _jump(self, runbook: str) -> str:
        if runbook not in self._jumps:
            id = self._jumps[runbook] = unique(f"run-{runbook}", self._taken)
            self.extra.append(
                Step(id=id, kind="run", title=f"Walk the runbook {runbook}", runs=runbook, on_unknown="handed-over")
            )
        return self._jumps[runbook]

    def _do(
        self,
        document: Document,
        item: ShortItem,
        doc: DoStep,
        common: dict[str, Any],
        way: Any,
        members: frozenset[str],
    ) -> list[Step]:
        words = doing.choices(doc)
        if words:
            return self._chosen(document, item, doc, words, common, way, members)
        made = doing.change(document, item.at, doc, common, self.objects, members)
        if isinstance(made, DocumentError):
            self.problems.append(made)
            return []
        change, to = _led_on(made, doc, way), way(doc.then, "next")
        clause = doc.verify
        if to == "verify" and self.verify is not None and clause is None:
            return [replace(change, verify="verify")]
        clause = clause or proof.by_default(verbs()[made.action], made, doing.target_name(doc)) or self.verify
        if clause is None:
            return [replace(change, next=to)]
        id = f"{item.id}-proof"
        at = (*item.at, "verify") if doc.verify is not None else item.at
        return [replace(change, verify=id), proof.verification(id, clause, to, at, title=f"Did it help: {made.title}")]

    def _chosen(
        self,
        document: Document,
        item: ShortItem,
        doc: DoStep,
        words: Mapping[str, DoStep],
        common: dict[str, Any],
        way: Any,
        members: frozenset[str],
    ) -> list[Step]:
        """A decision by the word, a change for each, and one proof; a word that stands nowhere is handed over."""
        kind = next(key for key in doing.MERGE if key in doc.do)
        bare = {**common, "when": "", "query": "", "shows": ()}
        steps: list[Step] = []
        for word, one in words.items():
            own = {**bare, "id": f"{item.id}-{word}", "at": (*item.at, "do", kind, word)}
            within = ShortItem(replace(one, when=""), item.verb, own["id"], item.at)
            steps += self._do(document, within, replace(one, when=""), own, way, members)
        proofs = [step for step in steps if step.kind == "verify"]
        changes = [step for step in steps if step.kind != "verify"]
        if proofs:
            changes = [replace(step, verify=f"{item.id}-proof") for step in changes]
            changes.append(replace(proofs[0], id=f"{item.id}-proof", title=f"Did it help: {doc.title or item.id}"))
        by = doc.do[doing.BY]
        branches = [Branch(f"({by}) == '{word}'", f"{item.id}-{word}", word) for word in words]
        said = f"it is none of {', '.join(words)}"
        title = f"Which of these: {', '.join(words)}"
        choice = Step(
            kind="decide",
            title=title,
            branches=(*branches, Branch("", "handed-over", said)),
            on_unknown=way(doc.unknown, "handed-over"),
            **common,
        )
        return [choice, *changes]

    def _each(self, document: Document, item: ShortItem, doc: EachStep, common: dict[str, Any], way: Any) -> list[Step]:
        members, inner = frozenset({doc.item}), []
        for index, one in enumerate(item.block):
            below = item.block[index + 1].id if index + 1 < len(item.block) else item.id
            inner += self.step(document, one, below, members)
        within = tuple(step.id for step in inner)
        first = item.block[0].id
        head = Step(
            kind="each",
            title=doc.title or f"Each {doc.item}",
            each=doc.each,
            item=doc.item,
            most=doc.most,
            next=way(doc.then, "next"),
            on_unknown="handed-over",
            **common,
        )
        head = replace(head, block=item.id, within=(first,), branches=(Branch("", first),))
        return [head, *(replace(step, block=item.id, within=within) for step in inner)]


def ways(step: Step) -> tuple[str, ...]:
    """Every step that this one may lead to by name."""
    own = (*(getattr(step, key) for key in WAYS), *(b.goto for b in step.branches), *(c.goto for c in step.choices))
    return tuple(way for way in own if way)


def _led_on(made: Step, doc: DoStep, way: Any) -> Step:
    """A change with the ways that are none of its proof's."""
    return replace(
        made,
        on_refused=way(doc.refused, "declined"),
        on_failed=way(doc.failed, "not-applied"),
        on_unknown=way(doc.unknown, "handed-over") if doc.when else "",
    )


def _whatever_comes(step: Step, after: str) -> Step:
    """A step of `finally`: what it could not do does not keep the next one from being done."""
    ways_on = {key: after for key in WAYS if getattr(step, key) in ENDS}
    choices = tuple(replace(c, goto=after if c.goto in ENDS else c.goto) for c in step.choices)
    return replace(step, choices=choices, **ways_on)


def _to_objectives(step: Step) -> Step:
    """A verification that ends well leads to the objectives first."""
    well = step.kind == "verify" and step.on_effective == "resolved" and step.id not in OBJECTIVES
    return replace(step, on_effective=OBJECTIVES[0]) if well else step


def _falls(doc: ShortDoc, verify: VerifyClause | None) -> str:
    """Where the last step leads: a change to its verification and a good end, all else to somebody else."""
    if isinstance(doc, DoStep):
        return "verify" if verify is not None and doc.verify is None else "resolved"
    if isinstance(doc, WaitStep) and doc.until:
        return "observed"
    return "handed-over"


def _end(id: str) -> Step:
    end = ENDS[id]
    return Step(id=id, kind="end", title=end.title, outcome=end.outcome, text=end.text, at=())


def _applies(first: str) -> Step:
    """Whether what the walk is about shows what the runbook is for."""
    return Step(
        id="applies",
        kind="decide",
        title="Is this runbook for what is seen now?",
        at=("match",),
        branches=(
            Branch("applies.now", first, "{{ applies.because }}"),
            Branch("", "not-applicable", "{{ applies.because }}"),
        ),
        on_unknown="handed-over",
    )
