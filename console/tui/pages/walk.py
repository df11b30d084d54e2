"""One walk: answer its questions, see what each change does before it is made, watch it being verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from console.base.errors import ConsoleError
from console.live.situation import FocusOn
from console.runbook.walk import Walk
from console.runbook.watching import stored_runbook, watching
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines, line, rule, span
from console.tui.pages.onewalk import OneWalk
from console.tui.pages.question import UNREAD, QuestionReader
from console.tui.pages.reader import ReaderPage
from console.tui.views import app as app_view
from console.tui.views import question as question_view
from console.tui.views import trends as trend_view
from console.tui.views import verify as verify_view
from console.tui.views import walk as view

if TYPE_CHECKING:
    from console.operate.person import Question
    from console.runbook.model import Runbook

STEPS = 3
"""Lines that the steps keep beside a question, however long it is."""


class WalkPage(OneWalk):
    name = "walk"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("y", "yes", "yes", "Apply the change that is shown. Where a text must be typed, it is asked for."),
        KeyBinding("N", "no", "no", "Refuse the change that is shown."),
        KeyBinding("v", "edit", "value", "Set the proposed value otherwise, within the runbook's limits."),
        KeyBinding("d", "details", "details", "All that there is to read before the answer, or of the present step."),
        KeyBinding("enter", "choose", "choose", "Answer with the marked choice; open the marked step.", False),
        KeyBinding("n", "note", "note", "Add a note to the timeline."),
        KeyBinding("h", "hand_over", "hand over", "Leave the walk to somebody else: it waits where it stands."),
        KeyBinding("x", "stop", "stop", "End the walk without a further change; it asks why."),
        KeyBinding("C", "copy_paste", "copy", "Copy what is to be pasted to whoever is called.", False),
        KeyBinding("e", "evidence", "evidence", "Evidence of what the walk is about.", spare=True),
        KeyBinding("t", "timeline", "timeline", "Write the timeline as Markdown and say where it lies.", spare=True),
        KeyBinding("T", "timeline_to", "timeline to", "The same, into a file that you name.", False),
        KeyBinding("u", "rollback", "undo", "Undo the last change of this walk, through the same confirmation.", False),
        KeyBinding("O", "take_over", "take over", "Take the walk from the process that is on it; it asks why.", False),
        KeyBinding("R", "rights", "rights", "What you may not do in this walk: the RBAC rule to ask for.", False),
        KeyBinding("a", "again", "take up", "Go on with a walk that was handed over, left or cut off.", False),
    )

    def __init__(self, hub: Hub, walk: str) -> None:
        super().__init__(hub, walk)
        self.choice, self.at_choice, self._chosen = 0, False, False
        self._asked: Question | None = None
        self._whole, self._read = True, False
        self._runbook: Runbook | None = None
        self._stood = ""

    @property
    def trail(self) -> tuple[str, ...]:
        walk = self.walk
        return (f"walk {walk.about or walk.runbook}",) if walk else ("walk",)

    @property
    def question(self) -> Question | None:
        return self.hub.situation.questions.get(self.walk_id)

    def entered(self) -> None:
        walk = self.walk
        if walk is not None:
            self.hub.source.focus(FocusOn(app=walk.subject, trends=True))

    def left(self) -> None:
        self.hub.source.focus(FocusOn())

    def _looked(self) -> Question | None:
        """The question, and what belongs to it, as it stands now."""
        question = self.question
        if question is not self._asked:
            before, self._asked = self._asked, question
            if before is None or question is None or (before.step, before.kind) != (question.step, question.kind):
                self.choice, self.at_choice = 0, question is not None and self._marks(question)
                self._chosen = self.at_choice
            if before is None or question is None or before.preview is None or before.weighs != question.weighs:
                self._read = False
        walk = self.walk
        if self._runbook is None and walk is not None and walk.text:
            self._runbook = stored_runbook(walk)
        return question

    @staticmethod
    def _marks(question: Question) -> bool:
        """Whether its first answer is marked from the beginning: none is where a yes would change something."""
        return bool(question.choices) and question.kind not in ("rollback", "rules", "landed", "approval")

    @property
    def own_digits(self) -> bool:
        """While the walk is open they answer, and never lead to another page."""
        walk = self.walk
        return self.question is not None or (walk is not None and walk.status != "ended")

    def show(self, width: int, height: int) -> Lines:
        walk = self.walk
        if walk is None:
            return FixedLines([line(span(" this walk is not known here", "warn"))])
        self._looked()
        stands = self.hub.situation.walk_state(walk)
        return FixedLines(view.lines(self.hub.board, walk, self._runbook, stands, width))

    def pinned(self, width: int, room: int) -> tuple[Sequence[Line], Sequence[Line]]:
        walk = self.walk
        if walk is None:
            return (), ()
        question = self._looked()
        above = [view.heading(walk, self._runbook, question)]
        most = max(3, room - len(above) - STEPS)
        if question is None:
            stands = self._stands(width)
            if len(stands) > most:
                stands = [*stands[: most - 1], line(span(" … d reads the rest", "warn"))]
            return above, stands
        mark = question_view.MarkedChoice(self.choice, self.at_choice) if self._chosen else None
        band = question_view.band(question, width, most, mark, read=self._read, now=self.hub.board.at)
        self._whole = band.whole
        return above, band.lines

    def _stands(self, width: int) -> list[Line]:
        """What the walk waits for while it asks nothing, or how it ended."""
        walk = self.walk
        if walk is None:
            return []
        left, elsewhere = self.hub.situation.left(walk), self.hub.situation.elsewhere.get(walk.id, "")
        watched = self._watched(walk, width)
        return view.pinned(self.hub.board, walk, width, left=left, elsewhere=elsewhere, watched=watched)

    def _watched(self, walk: Walk, width: int) -> list[Line]:
        """The verification that is running, in figures."""
        samples = self.hub.situation.history.get(walk.subject, ())
        watched = watching(self.hub.board, walk, self._runbook, samples, self.hub.situation.looked.get(walk.id))
        return verify_view.lines(watched, samples, width) if watched is not None else []

    def side(self, width: int) -> Lines | None:
        walk = self.walk
        if walk is None:
            return None
        return FixedLines([line._replace(key="") for line in self._evidence(walk, width)])

    def _evidence(self, walk: Walk, width: int) -> list[Line]:
        board = self.hub.board
        findings = board.findings_of(walk.subject)
        app = board.app(walk.subject)
        out = app_view.head(self.hub.situation, app, width) if app else []
        out += trend_view.lines(self.hub.situation, app, self.hub.focus, width) if app else []
        return [*out, *([rule(width=width)] if out else []), *app_view.evidence(self.hub.situation, findings, width)]

    # where the cursor is: on a step, or on a choice of the question below them

    def preferred(self) -> str:
        return self._latest()

    def moves_to(self) -> str:
        latest, before = self._latest(), self._stood
        self._stood = latest
        return latest if latest != before and self.selected in ("", before) else ""

    def _latest(self) -> str:
        """The row of what was done last: a step, or a rollback after it."""
        walk = self.walk
        if walk is None or not walk.steps:
            return ""
        return view.latest_undo(walk) or f"step:{len(walk.steps)}"

    @property
    def marked_elsewhere(self) -> bool:
        return self.at_choice

    def steer(self, step: int) -> bool:
        question = self.question
        if question is None or not question.choices:
            return False
        if self.at_choice:
            if step < 0 and self.choice == 0:
                self.at_choice = False
                self.hub.host.select(self._latest())
            else:
                self.choice = max(0, min(len(question.choices) - 1, self.choice + step))
        elif step > 0 and self.hub.host.at_last():
            self.at_choice = self._chosen = True
        else:
            return False
        self.hub.host.refresh_page()
        return True

    def opened(self, key: str) -> None:
        question = self.question
        if question is not None and (self.at_choice or (key == self._latest() and self._free(question))):
            self.do_choose()
        elif question is not None and key == self._latest():
            self.do_details()
        elif key.startswith("undo:"):
            self._open("rollback", lambda width: self._undo(key.removeprefix("undo:"), width))
        elif key.startswith("step:"):
            number = int(key.removeprefix("step:"))
            self._open(f"step {number}", lambda width: self._step(number, width))

    def _step(self, number: int, width: int) -> list[Line]:
        walk = self.walk
        return view.details(walk, self._runbook, number, width) if walk is not None else []

    def _undo(self, effect: str, width: int) -> list[Line]:
        walk = self.walk
        return view.undo_details(walk, effect, width) if walk is not None else []

    def _last_undo(self, width: int) -> list[Line]:
        """What came of the rollback after the last step, where there was one."""
        key = view.latest_undo(self.walk) if self.walk is not None else ""
        return [*self._undo(key.removeprefix("undo:"), width), rule(width=width)] if key else []

    def _open(self, title: str, lines: object, read: object = None) -> None:
        self.hub.host.push(ReaderPage(self.hub, title, lines, *((read,) if read else ())))  # type: ignore[arg-type]

    # answering

    def offers(self) -> tuple[tuple[str, str], ...]:
        walk, question = self.walk, self.question
        if walk is not None and not self.why_again():
            return (("a", "take it up" if walk.handed is not None else "resume"),)
        if walk is not None and walk.status == "ended" and question is None:
            return () if self.why_rollback() else (("u", "undo"),)
        if walk is not None and not self.why_take_over():
            return (("O", "take over"),)
        if question is None or question.kind == "confirm" or self._yes_or_no(question):
            return ()
        if question.kind == "escalate":
            return (("enter", "who took it" if question.due else "told them"), ("C", "copy"))
        count = len(question.choices)
        return (("enter" if not count else f"1-{count}" if count > 1 else "1", "answer"),)

    @staticmethod
    def _free(question: Question) -> bool:
        """Whether any text answers it."""
        return not question.choices and question.kind in ("ask", "note", "manual", "escalate", "reason")

    def _to_digits(self) -> str:
        question = self.question
        count = len(question.choices) if question is not None else 0
        if not count:
            return "enter answers here"
        return f"this question is answered with {'1' if count == 1 else f'1-{count}'}"

    def why_yes(self) -> str:
        question = self.question
        if question is None:
            return "nothing is asked"
        if question.kind != "confirm":
            return "" if self._yes_or_no(question) else self._to_digits()
        if question.preview is not None and question.preview.read_only:
            return question.preview.read_only
        return "" if self._whole or self._read else f"{UNREAD} what does not fit here: d, to its end"

    def why_no(self) -> str:
        question = self.question
        if question is None:
            return "nothing is asked"
        refusable = question.kind in ("confirm", "approval", "reason") or self._yes_or_no(question)
        return "" if refusable else self._to_digits()

    def why_edit(self) -> str:
        question = self.question
        if question is None:
            return "nothing is asked"
        return "" if question.editable is not None else "no value of this step may be set otherwise"

    def why_choose(self) -> str:
        return "" if self.walk is not None else "there is no walk"

    @staticmethod
    def _yes_or_no(question: Question) -> bool:
        """Whether y and N answer it. Whether a change arrived is answered with digits: y applies nothing there."""
        return question.kind != "landed" and {"yes", "no"} <= {choice.value for choice in question.choices}

    def do_yes(self) -> None:
        question = self.question
        if question is None:
            return
        if question.kind == "confirm" and question.expect:
            label = f"type {question.expect} to apply on {question.cluster} (esc: back, N: No): "
            self._ask(label, lambda text: self._reply(question, "yes", text), draft=False)
        else:
            self._reply(question, "yes")

    def do_edit(self) -> None:
        question = self.question
        if question is not None and question.editable is not None:
            edit = question.editable
            label = f"{edit.title} ({edit.limits}; esc: back): "
            self._ask(label, lambda text: self._reply(question, "edit", text), value=edit.value)

    def _ask(self, label: str, done: Callable[[str], None], *, value: str = "", draft: bool = True) -> None:
        """Read a text for an answer. Escape, and an empty one, leave the question as it is."""
        self.hub.host.ask(label, lambda text: done(text) if text else None, value=value, draft=draft)

    def do_no(self) -> None:
        question = self.question
        if question is not None:
            self._reply(question, "no")

    def do_choose(self) -> None:
        question = self.question
        if question is None or not (self.at_choice or self._free(question)):
            self.opened(self.selected or self._latest())
        elif question.choices:
            self._reply(question, question.choices[min(self.choice, len(question.choices) - 1)].value)
        else:
            label = "who took it (esc: it stays open): " if question.due else f"{question.title}: "
            self.hub.host.ask(label, lambda text: self._reply(question, text) if text is not None else None)

    def _said(self, width: int) -> list[Line]:
        """What those before said: when they handed it over, and in notes."""
        return view.said(self.walk, width) if self.walk is not None else []

    def do_details(self) -> None:
        question = self.question
        if question is None:
            number = len(self.walk.steps) if self.walk is not None else 0
            self._open(
                f"step {number}",
                lambda width: [
                    *self._stands(width), *self._said(width), *self._last_undo(width), *self._step(number, width)
                ],
            )  # fmt: skip
            return

        def read() -> None:
            now = self.question
            self._read = self._read or (now is not None and now.weighs == question.weighs)

        def full(width: int) -> list[Line]:
            gone = [line(span(" this is not asked any more: esc goes back to the walk", "warn"))]
            asked = question_view.full(self.question or question, width, self.hub.board.at)
            return [*([] if self.question is not None else gone), *self._said(width), *asked]

        self.hub.host.push(QuestionReader(self.hub, self, full, read))

    def digit(self, number: int) -> bool:
        """Choose the answer `number` (from 1). Digits lead elsewhere only when the walk has ended."""
        question = self.question
        if not self.own_digits:
            return False
        if self.answers(number):
            return True
        if question is not None:
            self.hub.host.say(f"{number} is no answer: {self._to_digits()}")
        elif self.walk is not None and self.hub.situation.left(self.walk):
            elsewhere = self.why_again()
            self.hub.host.say(elsewhere or "nothing is asked while it waits: a takes the walk up")
        else:
            self.hub.host.say(f"nothing is asked now: :{number} goes to the page, - back")
        return True

    def answers(self, number: int) -> bool:
        """Answer with the choice `number` (from 1). False where there is no such choice."""
        question = self.question
        if question is None or not 1 <= number <= len(question.choices):
            return False
        self._reply(question, question.choices[number - 1].value)
        return True

    def _reply(self, question: Question, value: str, typed: str = "") -> None:
        from console.operate.person import Reply

        reply = Reply(value, self.hub.actor, typed, terminal=True)  # a page is opened at a terminal only
        future = self.hub.source.reply(self.walk_id, reply, question)
        self.hub.host.when_done(future, lambda _: None, lambda error: self._unanswered(question, value, error))

    def _unanswered(self, question: Question, text: str, error: ConsoleError) -> bool:
        """What was typed for a question that is not asked any more becomes a note, where the person wants that."""
        if not self._free(question) or self.why_note():
            return False
        self.note_instead(text, f"{error.message}: enter keeps it as a note")
        return True

    # beside answering

    def do_evidence(self) -> None:
        def lines(width: int) -> list[Line]:
            walk = self.walk
            return self._evidence(walk, width) if walk is not None else []

        self._open("evidence", lines)
