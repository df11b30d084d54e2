"""A walk line by line: for screen readers, simple terminals and scripts. Narration goes to stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.base.clock import time_of_day
from console.cli.output import narrate, watched_of
from console.runbook.steps import LEAVE
from console.runbook.titles import step_words
from console.runbook.walk import Walk
from console.runbook.watching import stored_runbook, words
from console.timeline.prose import meant

if TYPE_CHECKING:
    from console.live import Situation
    from console.operate.person import Question, Reply
    from console.runbook.inputs import MissingInput


SAY_EVERY = 60.0
"""Seconds between two lines of how a verification stands."""
TRIES = 3
PASTE_BEGIN, PASTE_END = "-----BEGIN PASTE-----", "-----END PASTE-----"
"""Lines around what is to be sent to whoever is called, so that it can be cut out."""
"""How often an answer that is neither yes nor no is asked for again."""


class Narrator:
    """Says each step of one walk once, when it is entered and when it was left."""

    def __init__(self) -> None:
        self._walk = ""
        self._said: set[tuple[int, str]] = set()
        self._told: tuple[float, str, bool] | None = None
        self._quiet = False

    def follow(self, walk: str) -> None:
        self._walk = walk

    def past(self, walk: Walk) -> None:
        """Say what is walked; what came of its steps so far was said before."""
        for text in (*meant(walk), *(f"! {remark}" for remark in walk.remarks)):
            narrate(text)
        self._quiet = True
        self.last(walk)
        self._quiet = False

    def __call__(self, situation: Situation) -> None:
        walk = situation.walk(self._walk) if self._walk else None
        if walk is not None:
            self.last(walk)
            self._watched(situation, walk)

    def _watched(self, situation: Situation, walk: Walk) -> None:
        """How the verification stands: when that has changed, and every so often."""
        watched = watched_of(situation, walk)
        if watched is None:
            return
        at, held = situation.board.at, watched.held is not None
        if self._told is None or at - self._told[0] >= SAY_EVERY or self._told[1:] != (watched.step, held):
            self._told = (at, watched.step, held)
            narrate(f"  {words(watched)}")

    def last(self, walk: Walk) -> None:
        """Say what is new in `walk`; before the first step, what is walked."""
        for number, text in enumerate((*meant(walk), *(f"! {remark}" for remark in walk.remarks))):
            self._once(number, "about", text)
        if walk.rights is not None and walk.rights.rule:
            self._once(0, "rule", f"to ask for, to do all of it (what only reads goes on without):\n{walk.rights.rule}")
        for number, state in enumerate(walk.steps):
            self._once(number, "in", step_words(walk, stored_runbook(walk), number + 1))
            if state.state != "current":
                mark = "" if state.state == "done" else f" ({state.state})"
                self._once(number, "out", f"  {state.words or 'done'}{mark}")
            elif walk.status == "waiting" and state.words:
                self._once(number, state.words, f"  {state.words}")
            for undone in walk.undos:
                if undone.after == number + 1 and undone.words:
                    self._once(number, undone.effect, f"{undone.title}\n  {undone.words}")

    def _once(self, number: int, part: str, text: str) -> None:
        if (number, part) not in self._said:
            self._said.add((number, part))
            if not self._quiet:
                narrate(text)


def shown(question: Question) -> Iterator[str]:
    """A question in lines: what stands beside it, what a change would do, what can be answered."""
    yield f"\n{question.title}"
    if question.reason:
        yield f"! {question.reason}"
    preview = question.preview
    if preview is None:
        yield from (f"  {text}" for text in question.shows)
    else:
        target = preview.effect.target.words if preview.effect.target else " ".join(preview.effect.argv)
        yield f"  change of {target}"
        yield from (f"  {text}" for text in preview.diff)
        yield from (f"  {item.topic}: {item.text}" for item in preview.consequences)
        yield f"  rollback: {'ready' if preview.effect.reversible else 'none, ' + preview.effect.reason}"
    if question.text:
        yield question.text
    if question.kind == "escalate":
        yield from ("", PASTE_BEGIN, question.paste, PASTE_END, "")
        if question.due:
            late = f"; else: {question.late}" if question.late else ""
            yield f"somebody must have answered by {time_of_day(question.due)}{late}"
            yield f"who took it? (`{LEAVE}` leaves it open until then)"
        else:
            yield "enter goes on once they were told"
    for number, choice in enumerate(question.choices, 1):
        yield f"  {number} {choice.label or choice.value}{f'  ({choice.hint})' if choice.hint else ''}"


class PlainPerson:
    """Asks on the terminal. Without a terminal, or at its end, there is no answer, and that is No."""

    def __init__(self) -> None:
        from console.live.who import actor

        self.name = actor()
        self._rest = b""

    async def answer(self, question: Question) -> Reply | None:
        """Asks in a daemon thread, so that Ctrl-C leaves although nobody answers."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply | None] = loop.create_future()

        def settle(reply: Reply | None) -> None:
            if not answered.done():
                answered.set_result(reply)

        def work() -> None:
            reply = self._ask(question)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, reply)

        threading.Thread(target=work, name="console-question", daemon=True).start()
        return await answered

    def _ask(self, question: Question) -> Reply | None:
        from console.operate.person import Reply

        for line in shown(question):
            narrate(line)
        if question.kind == "approval":
            narrate("Ctrl-C leaves the walk where it stands")
            return None
        if question.kind == "confirm":
            return self._confirm(question)
        if question.kind == "rules" and question.terminal:
            text = self._typed("type yes to go on under the wider rules, anything else is No: ")
            return None if text is None else Reply("yes" if text == "yes" else "no", self.name, text, True)
        if question.kind == "reason":
            read = self._typed if question.terminal else self._read
            said = read("why it is done all the same (an empty line is No): ")
            return None if said is None else Reply(said, self.name, terminal=question.terminal)
        if question.choices:
            return self._choose(question)
        text = self._read("> ")
        return None if text is None else Reply(text, self.name)

    def _confirm(self, question: Question) -> Reply | None:
        """Yes, No, or another value; what is none of them is asked again, three times is No."""
        from console.operate.person import Reply

        edit = question.editable
        other = f", e to set {edit.title} otherwise ({edit.value}; {edit.limits})" if edit is not None else ""
        label = f"type {question.expect or 'y'} to apply on {question.cluster}{other}, n or an empty line is No: "
        read = self._typed if question.terminal else self._read
        for _ in range(TRIES):
            text = read(label)
            if text is None:
                return None
            word = text.strip().lower()
            if word in ("", "n", "no"):
                return Reply("no", self.name, text)
            if word == "e" and edit is not None:
                value = read(f"{edit.title}, now {edit.value} ({edit.limits}): ")
                return Reply("edit", self.name, value) if value else Reply("no", self.name)
            if question.expect or word in ("y", "yes"):
                return Reply("yes", self.name, text, question.terminal)
            narrate(f"{text!r} is neither y nor n")
        return Reply("no", self.name)

    def need(self, lacking: MissingInput, wrong: str = "") -> str | None:
        """The value of an input that a walk cannot begin without; None where nobody gives one."""
        if wrong:
            narrate(f"! {wrong}")
        return self._read(f"{lacking.asks}: ") or None

    def _choose(self, question: Question) -> Reply | None:
        from console.operate.person import Reply

        while True:
            text = self._read(f"answer (1-{len(question.choices)}): ")
            if text is None:
                return None
            text = text.strip()
            if text.isdigit() and 1 <= int(text) <= len(question.choices):
                return Reply(question.choices[int(text) - 1].value, self.name)
            if any(text == choice.value for choice in question.choices):
                return Reply(text, self.name)
            narrate(f"{text!r} is none of the answers")

    @staticmethod
    def _typed(label: str) -> str | None:
        """One line typed at the terminal of this process, whatever its input is; None where it has none."""
        try:
            with Path("/dev/tty").open("r+b", buffering=0) as terminal:
                terminal.write(label.encode())
                text = b""
                while not text.endswith(b"\n") and (more := terminal.read(4096)):
                    text += more
        except OSError:
            narrate("this is confirmed by a person at a terminal; there is none here, which counts as No")
            return None
        return text.decode(errors="replace").rstrip("\r\n") if text else None

    def _read(self, label: str) -> str | None:
        """One line, None at the end. Unbuffered: a buffer's lock, held by a daemon thread, would abort the exit."""
        sys.stderr.write(label)
        sys.stderr.flush()
        while b"\n" not in self._rest:
            try:
                more = os.read(sys.stdin.fileno(), 65536)
            except (OSError, ValueError):
                more = b""
            if not more:
                break
            self._rest += more
        text, found, self._rest = self._rest.partition(b"\n")
        return text.decode(errors="replace").rstrip("\r") if text or found else None
