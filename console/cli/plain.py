"""A walk line by line: for screen readers, simple terminals and scripts. Narration goes to stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

from console.cli.output import narrate
from console.runbook.walk import Walk

if TYPE_CHECKING:
    from console.live import Situation
    from console.operate.person import Question, Reply


class Narrator:
    """Says each step of one walk once, when it is entered and when it was left."""

    def __init__(self) -> None:
        self._walk = ""
        self._said: set[tuple[int, str]] = set()

    def follow(self, walk: str) -> None:
        self._walk = walk

    def __call__(self, situation: Situation) -> None:
        walk = situation.walk(self._walk) if self._walk else None
        if walk is not None:
            self.last(walk)

    def last(self, walk: Walk) -> None:
        """Say what is new in `walk`."""
        for number, state in enumerate(walk.steps):
            self._once(number, "in", f"step {number + 1}: {state.step}")
            if state.state != "current":
                mark = "" if state.state == "done" else f" ({state.state})"
                self._once(number, "out", f"  {state.words or 'done'}{mark}")

    def _once(self, number: int, part: str, text: str) -> None:
        if (number, part) not in self._said:
            self._said.add((number, part))
            narrate(text)


class PlainPerson:
    """Asks on the terminal. Without a terminal, or at its end, there is no answer, and that is No."""

    def __init__(self) -> None:
        import getpass

        self.name = getpass.getuser()
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

        self._show(question)
        if question.kind == "confirm":
            wanted = f"type {question.expect} to apply" if question.expect else "type y to apply"
            text = self._read(f"{wanted} on {question.cluster}, anything else is No: ")
            if text is None:
                return None
            agreed = text == question.expect if question.expect else text.strip().lower() in ("y", "yes")
            return Reply("yes" if agreed else "no", self.name, text)
        if question.kind == "second":
            text = self._read("a second person, by name (not yours): ")
            return Reply("yes", text) if text else None
        if question.choices:
            return self._choose(question)
        text = self._read("> ")
        return None if text is None else Reply(text, self.name)

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
    def _show(question: Question) -> None:
        narrate(f"\n{question.title}")
        if question.reason:
            narrate(f"! {question.reason}")
        shown = question.preview
        if shown is None:
            for text in question.shows:
                narrate(f"  {text}")
        else:
            target = shown.effect.target.words if shown.effect.target else " ".join(shown.effect.argv)
            narrate(f"  change of {target}")
            for text in shown.diff:
                narrate(f"  {text}")
            for item in shown.consequences:
                narrate(f"  {item.topic}: {item.text}")
            narrate(f"  rollback: {'ready' if shown.effect.reversible else 'none, ' + shown.effect.reason}")
        if question.text:
            narrate(question.text)
        for number, choice in enumerate(question.choices, 1):
            narrate(f"  {number} {choice.label or choice.value}{f'  ({choice.hint})' if choice.hint else ''}")

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
