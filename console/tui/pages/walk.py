"""One walk: answer its questions, see what each change does before it is made, watch it being verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from console.live.situation import LEFT, FocusOn
from console.runbook.schema import load
from console.runbook.walk import Walk
from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Line, Lines, Span, line, rule, span
from console.tui.pages.base import Page
from console.tui.views import app as app_view
from console.tui.views import walk as view

if TYPE_CHECKING:
    from console.operate.person import Question
    from console.runbook.model import Runbook


class WalkPage(Page):
    name = "walk"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("y", "yes", "yes, apply", "Apply the change that is shown. Where a text must be typed, it is asked for."),
        Key("N", "no", "no", "Refuse the change that is shown."),
        Key("enter", "choose", "choose", "Answer with the marked choice; digits choose directly.", False),
        Key("e", "evidence", "evidence", "Evidence of the application beside the walk.", True),
        Key("n", "note", "note", "Add a note to the timeline."),
        Key("u", "rollback", "undo", "Undo the last change of this walk, through the same confirmation.", False),
        Key("h", "hand_over", "hand over", "End the walk: somebody else goes on."),
        Key("x", "stop", "stop", "End the walk without a further change."),
        Key("t", "timeline", "timeline", "Write the timeline as Markdown and show where it lies."),
        Key("a", "again", "resume", "Go on with a walk that was left or cut off.", False),
    )

    def __init__(self, hub: Hub, walk: str) -> None:
        super().__init__(hub)
        self.walk_id, self.choice = walk, 0
        self._asked = ""
        self._runbook: Runbook | None = None
        self.with_evidence = False

    @property
    def trail(self) -> tuple[str, ...]:
        walk = self.walk
        return ("runbook", f"{walk.runbook} on {walk.subject}") if walk else ("runbook",)

    @property
    def walk(self) -> Walk | None:
        return self.hub.situation.walk(self.walk_id)

    @property
    def question(self) -> Question | None:
        return self.hub.situation.questions.get(self.walk_id)

    def entered(self) -> None:
        walk = self.walk
        if walk is not None:
            self.hub.source.focus(FocusOn(app=walk.subject))

    def left(self) -> None:
        self.hub.source.focus(FocusOn())

    def show(self, width: int, height: int) -> Lines:
        walk = self.walk
        if walk is None:
            return Fixed([line(span(" this walk is not known here", "warn"))])
        if self._runbook is None and walk.text:
            self._runbook = load(walk.text, walk.runbook)
        question = self.question
        asked = f"{question.step}:{question.kind}" if question else ""
        if asked != self._asked:
            self._asked, self.choice = asked, 0
        left = self.hub.situation.walk_state(walk) == LEFT
        lines = view.lines(self.hub.board, walk, self._runbook, question, width, height, chosen=self.choice, left=left)
        if self.with_evidence:
            lines += [rule("evidence", width), *self._evidence(walk, width)]
        return Fixed(_choices(lines, question))

    def side(self, width: int) -> Lines | None:
        walk = self.walk
        if walk is None:
            return None
        return Fixed([line._replace(key="") for line in self._evidence(walk, width)])

    def _evidence(self, walk: Walk, width: int) -> list[Line]:
        board = self.hub.board
        findings = board.findings_of(walk.subject)
        app = board.app(walk.subject)
        out = app_view.head(self.hub.situation, app, width) if app else []
        return [*out, *([rule(width=width)] if out else []), *app_view.evidence(board, findings, width)]

    # answering

    def offers(self) -> tuple[tuple[str, str], ...]:
        walk, question = self.walk, self.question
        if walk is not None and self.hub.situation.walk_state(walk) == LEFT:
            return (("a", "resume"),)
        if question is None or question.kind not in ("ask", "note", "manual"):
            return ()
        count = len(question.choices)
        return (("enter" if not count else f"1-{count}" if count > 1 else "1", "answer"),)

    def why_yes(self) -> str:
        question = self.question
        if question is None:
            return "nothing is asked"
        if question.kind in ("confirm", "second"):
            return question.preview.read_only if question.preview else ""
        return "" if self._choice_of("yes") else "this question has other answers: choose one"

    def why_no(self) -> str:
        return "" if self.question is not None else "nothing is asked"

    why_choose = why_no

    def _choice_of(self, value: str) -> bool:
        return self.question is not None and any(c.value == value for c in self.question.choices)

    def do_yes(self) -> None:
        question = self.question
        if question is None:
            return
        if question.kind in ("confirm", "second") and question.expect:
            label = f"type {question.expect} to apply on {question.cluster}, esc for No: "
            if question.kind == "second":
                label = "second person, your name: "
            self.hub.host.ask(label, lambda text: self._reply("yes" if text is not None else "", text or ""))
        elif question.kind == "second":
            self.hub.host.ask("second person, your name: ", lambda text: self._second(text))
        else:
            self._reply("yes")

    def _second(self, name: str | None) -> None:
        from console.operate.person import Reply

        reply = Reply("yes", name) if name else None
        self.hub.host.when_done(self.hub.source.reply(self.walk_id, reply), lambda _: None)

    def do_no(self) -> None:
        question = self.question
        if question is None:
            return
        self._reply("no" if question.kind in ("confirm", "second") or self._choice_of("no") else "")

    def do_choose(self) -> None:
        question = self.question
        if question is None:
            return
        if question.choices:
            self._reply(question.choices[min(self.choice, len(question.choices) - 1)].value)
        elif question.kind in ("ask", "note", "manual"):
            self.hub.host.ask(f"{question.title}: ", lambda text: self._reply(text) if text is not None else None)
        elif question.kind == "confirm":
            self.hub.host.say("enter is never a yes: press y to apply, N to refuse")

    def digit(self, number: int) -> bool:
        """Choose the answer `number` (from 1). False where there is none."""
        question = self.question
        if question is None or not 1 <= number <= len(question.choices):
            return False
        self._reply(question.choices[number - 1].value)
        return True

    def opened(self, key: str) -> None:
        if key.startswith("choice:"):
            self.choice = int(key.removeprefix("choice:"))
            self.do_choose()
        elif self.question is not None:
            self.do_choose()

    def moved(self, key: str) -> None:
        super().moved(key)
        if key.startswith("choice:"):
            self.choice = int(key.removeprefix("choice:"))

    def _reply(self, value: str, typed: str = "") -> None:
        from console.operate.person import Reply

        reply = Reply(value, self.hub.actor, typed)
        self.hub.host.when_done(self.hub.source.reply(self.walk_id, reply), lambda _: None)

    # beside answering

    def do_evidence(self) -> None:
        self.with_evidence = not self.with_evidence
        self.hub.host.refresh_page()

    def do_note(self) -> None:
        def done(text: str | None) -> None:
            if text:
                self.hub.host.when_done(self.hub.source.note(self.walk_id, text), lambda _: self.hub.host.say("noted"))

        self.hub.host.ask("note: ", done)

    def why_rollback(self) -> str:
        walk = self.walk
        if walk is None or not walk.writes:
            return "this walk has changed nothing"
        return "" if walk.writes[-1].id in walk.rollbacks else "the last change cannot be undone"

    def do_rollback(self) -> None:
        walk = self.walk
        if walk is not None and walk.writes:
            self.hub.host.when_done(self.hub.source.rollback(walk.id, walk.writes[-1].id), lambda _: None)

    def why_hand_over(self) -> str:
        walk = self.walk
        return "" if walk is not None and walk.status != "ended" else "the walk has ended"

    why_stop = why_hand_over

    def why_again(self) -> str:
        walk = self.walk
        if walk is None or walk.status == "ended":
            return "the walk has ended"
        return "it is running here" if self.hub.situation.walk_state(walk) != LEFT else ""

    def do_hand_over(self) -> None:
        def done(text: str | None) -> None:
            if text is not None:
                self.hub.host.when_done(self.hub.source.hand_over(self.walk_id, text), lambda _: None)

        self.hub.host.ask("hand over to whom, and why: ", done)

    def do_stop(self) -> None:
        self.hub.host.when_done(self.hub.source.stop_walk(self.walk_id, "stopped by the person"), lambda _: None)

    def do_again(self) -> None:
        def checked(drift: tuple[str, ...]) -> None:
            if not drift:
                self._resume()
                return
            label = f"its runbook was changed ({len(drift)} lines of diff); type stored to go on with the old copy: "
            self.hub.host.ask(label, lambda text: self._resume(bind=True) if text == "stored" else None)

        self.hub.host.when_done(self.hub.source.drift(self.walk_id), checked)

    def _resume(self, *, bind: bool = False) -> None:
        future = self.hub.source.resume(self.walk_id, bind=bind)
        self.hub.host.when_done(future, lambda _: self.hub.host.say("resumed"))

    def do_timeline(self) -> None:
        name = f"timeline-{self.walk_id}.md"
        self.hub.host.when_done(
            self.hub.source.timeline(self.walk_id), lambda text: self.hub.host.export(name, str(text))
        )


def _choices(lines: list[Line], question: Question | None) -> list[Line]:
    """Let the cursor stand only on the choices while one is asked for; otherwise on the steps."""
    if question is None or not question.choices:
        return lines
    out: list[Line] = []
    number = 0
    for made in lines:
        is_choice = len(made.spans) > 1 and made.spans[1] == Span(f"{number + 1} ", "key")
        if is_choice:
            out.append(made._replace(key=f"choice:{number}"))
            number += 1
        else:
            out.append(made._replace(key=""))
    return out
