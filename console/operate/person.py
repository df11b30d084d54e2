"""The person: what they are asked and what they answer. Scripted from a file, or queued for a screen.

No answer is No. Nothing here has a default that says yes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self

from msgspec import Meta, Struct

from console.actions.effects import Preview
from console.base.decode import decode
from console.base.document import Document, parse
from console.base.errors import DocumentError, RefusedError, UsageError
from console.base.text import clean
from console.runbook.editing import Editable
from console.runbook.model import Choice, turn_of

QuestionKind = Literal[
    "ask", "note", "manual", "escalate", "confirm", "rollback", "landed", "rules", "approval", "reason"
]
YES, NO, EDIT = "yes", "no", "edit"
ROLLBACK_CHOICES = (
    Choice("yes", "roll it back", hint="its diff comes next, with a question of its own"),
    Choice("no", "leave it as it is", hint="the change that did not help stays in place"),
)
RULES_CHOICES = (Choice("yes", "go on under the wider rules"), Choice("no", "keep to those that it began with"))
STOP_CHOICES = (Choice("no", "stop waiting", hint="nothing is changed"),)
LANDED_CHOICES = (
    Choice("yes", "it arrived"),
    Choice("no", "it did not arrive"),
    Choice("look", "look again"),
    Choice("stop", "stop here and leave it in doubt"),
)


class Question(Struct, frozen=True):
    """One question.

    Attributes:
        kind: ask, note, manual: a step of the runbook. escalate: `title` says who is called, `text` why. confirm:
            `preview` is to be confirmed. rollback: a change did not help. landed: did a change arrive? rules: more is
            allowed now than when the walk began.
        title, text: what it is about and the question; both clean and redacted.
        shows: lines of evidence beside it.
            approval: a second person is waited for, and the only answer is to stop that.
            reason: something stands against the next change; the answer is why it is made all the same, or No.
        expect: confirm: `` means that `y` is enough, else the text that has to be typed.
        cluster: the cluster's name, to be shown beside the text to type.
        reason: why it is asked again, `` the first time.
        asked: epoch seconds of the walk's clock; `read_at` when what stands beside it was read last (0: it stays).
        paste: escalate: what is sent to them, line by line as it is; `due` by when an answer is needed, 0 for no time;
            `late` what follows then.
        terminal: only what a person types at a terminal answers it (production).
        editable: confirm: the value of the change that may be set otherwise, with its limits.
    """

    walk: str
    step: str
    kind: QuestionKind
    title: str
    text: str
    choices: tuple[Choice, ...] = ()
    shows: tuple[str, ...] = ()
    preview: Preview | None = None
    expect: str = ""
    cluster: str = ""
    reason: str = ""
    asked: float = 0.0
    editable: Editable | None = None
    terminal: bool = False
    read_at: float = 0.0
    paste: str = ""
    due: float = 0.0
    late: str = ""

    @property
    def weighs(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What a yes to it rests on: what would change, and how grave what follows is; not the figures of a moment."""
        if self.preview is None:
            return "", frozenset()
        return self.preview.fingerprint, frozenset((c.topic, c.level) for c in self.preview.consequences)


class Reply(Struct, frozen=True):
    """An answer. confirm: `value` is `yes` and `typed` what was expected, or `edit` and `typed` another value.

    `terminal` says that it was read from a terminal: not from a file, a pipe or a program.
    """

    value: str
    by: str
    typed: str = ""
    terminal: bool = False


def reason(reply: Reply | None, *, terminal: bool) -> str:
    """The reason that somebody gave, cleaned; `` where they gave none, said No, or had to be at a terminal."""
    if reply is None or (terminal and not reply.terminal):
        return ""
    said = clean(reply.value).strip()
    return "" if said.lower() in ("n", NO, "y", YES) else said


class Person(Protocol):
    """Whoever answers."""

    @property
    def name(self) -> str: ...

    async def answer(self, question: Question) -> Reply | None:
        """The answer, or None for none."""
        ...


Said = Annotated[
    str | bool | int | float | list[str | bool | int | float], Meta(description="one answer, or one per visit")
]
Word = Literal["yes", "no"] | bool
TYPED = "typed"


class _Answers(Struct, frozen=True, forbid_unknown_fields=True):
    """`notes`: whether notes without an answer of their own count as read."""

    by: str = "answers file"
    answers: dict[str, Said] = {}
    notes: Word = False
    confirm: Word = False
    rollback: Word = False
    landed: Literal["yes", "no", "look", "stop"] | bool = "stop"


class Scripted:
    """Answers from a file. A production context is for people only.

    Attributes:
        types: whether the answer `typed` to a change stands for the name that has to be typed: in a drill, where names
            are made up anew. A file for a real cluster names what it confirms.
    """

    def __init__(self, answers: _Answers, file: str = "answers") -> None:
        self._answers, self._file = answers, file
        self.types = False
        self._visits: dict[str, int] = {}
        self.name = answers.by

    @classmethod
    def read(cls, path: Path, *, production: bool) -> Self:
        """Answers from a YAML or JSON file.

        Raises:
            RefusedError: the context is marked production.
            DocumentError: the file does not say what it should, with line and key.
        """
        if production:
            raise RefusedError(
                "scripted answers are refused here: this context is marked production",
                hint="walk the runbook without --answers",
            )
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
        return cls.parse(parse(text, str(path)))

    @classmethod
    def parse(cls, document: Document) -> Self:
        """Answers from a document that was read already."""
        if document.data is None:
            return cls(_Answers(), document.file)
        return cls(decode(document, _Answers), document.file)

    def check(self, steps: set[str]) -> None:
        """Refuse answers for steps that the runbook does not have.

        Raises:
            DocumentError: names the step.
        """
        from console.base.errors import did_you_mean

        for step in self._answers.answers:
            if turn_of(step)[0] not in steps:
                raise DocumentError(
                    f"the runbook has no step {step!r}", file=self._file, key=f"answers.{step}",
                    hint=did_you_mean(step, steps),
                )  # fmt: skip

    async def answer(self, question: Question) -> Reply | None:
        """The answer of the file; None where it has none."""
        match question.kind:
            case "confirm":
                return self._confirm(question)
            case "rollback":
                return Reply(_word(self._own(question.step, self._answers.rollback)), self.name)
            case "landed":
                return Reply(_word(self._answers.landed), self.name)
            case "rules" | "approval" | "reason":
                return None
            case _:
                read = (
                    True
                    if question.kind in ("note", "escalate") and not question.due and _word(self._answers.notes) == YES
                    else None
                )
                said = self._own(question.step, read)
                return None if said is None else Reply(_word(said), self.name)

    def _confirm(self, question: Question) -> Reply | None:
        said = self._own(question.step, None)
        if question.expect:
            typed = question.expect if self.types and said == TYPED else "" if said is None else str(said)
            return Reply(YES if typed == question.expect else NO, self.name, typed)
        return Reply(_word(self._answers.confirm if said is None else said), self.name)

    def _own(self, step: str, default: Any) -> Any:
        answers = self._answers.answers
        step = step if step in answers else turn_of(step)[0]
        said = answers.get(step, default)
        if not isinstance(said, list):
            return said
        visit = self._visits.get(step, 0)
        self._visits[step] = visit + 1
        return said[visit] if visit < len(said) else None


def _word(said: Any) -> str:
    """YAML reads a bare yes as true; numbers are shown as they were written."""
    if isinstance(said, bool):
        return YES if said else NO
    return "" if said is None else str(said)


class Queue:
    """A question at a time for a screen, answered from any thread.

    Args:
        on_question: called in the loop with each question, and with None when it is settled.
    """

    def __init__(self, name: str, on_question: Callable[[Question | None], None] | None = None) -> None:
        self.name = name
        self.question: Question | None = None
        self._on_question = on_question or (lambda question: None)
        self._future: asyncio.Future[Reply | None] | None = None
        self._valid: tuple[Question, ...] = ()

    async def answer(self, question: Question) -> Reply | None:
        """Wait for `reply`. Cancelling takes the question back."""
        self._future = asyncio.get_running_loop().create_future()
        self.question, self._valid = question, (question,)
        self._on_question(question)
        try:
            return await self._future
        finally:
            self.question = self._future = None
            self._on_question(None)

    def reread(self, question: Question) -> None:
        """The present question with what was read anew; an answer to the earlier one counts while the choices agree."""
        present = self.question
        if present is not None:
            same = present.choices == question.choices and present.weighs == question.weighs
            self.question, self._valid = question, (*self._valid, question) if same else (question,)
            self._on_question(question)

    def reply(self, reply: Reply | None, question: Question | None = None) -> bool:
        """Answer the present question; None takes it as No. False where there is none (any more).

        Args:
            question: the one that was answered; an answer to an earlier one is dropped.
        """
        future, present = self._future, self.question
        if future is None or present is None or (question is not None and not self._is_present(question)):
            return False

        def settle() -> None:
            if not future.done():
                future.set_result(reply)

        future.get_loop().call_soon_threadsafe(settle)
        return True

    def _is_present(self, question: Question) -> bool:
        return any(question is valid for valid in self._valid)
