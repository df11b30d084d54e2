"""A production confirmation is typed at the terminal of the process; what is piped into it is no answer."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

ASKED = """
import asyncio, sys
from console.cli.plain import PlainPerson
from console.operate.person import Question
question = Question("w", "s", "confirm", "Raise it", "Raise it?", expect="prod/etl", cluster="eu", terminal={terminal})
reply = asyncio.run(PlainPerson().answer(question))
print(reply and (reply.value, reply.typed, reply.terminal))
"""
PIPED = b"prod/etl\n"


def ask(terminal: bool, *, at: int | None = None) -> str:
    """What comes of a question where the right answer is piped in; `at`: the terminal that it is asked at."""
    code = ASKED.format(terminal=terminal)
    if at is not None:
        name = os.ttyname(at)  # a session without a terminal gets the first one that it opens
        code = f"import os; os.setsid(); os.open({name!r}, os.O_RDWR)\n{code}"
    ran = subprocess.run(
        [sys.executable, "-c", code], input=PIPED, capture_output=True, start_new_session=at is None, timeout=60
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode().strip()


def test_a_piped_answer_confirms_nothing_in_production() -> None:
    assert ask(False) == "('yes', 'prod/etl', False)", "elsewhere it may be piped"
    assert ask(True) == "None", "no terminal, no answer, which is No"


def test_at_a_terminal_it_is_what_was_typed_there_that_counts() -> None:
    theirs, ours = pty.openpty()
    try:
        os.write(theirs, b"prod/other\n")
        assert ask(True, at=ours) == "('yes', 'prod/other', True)", "the gate asks again for what was mistyped"
        os.write(theirs, b"prod/etl\n")
        assert ask(True, at=ours) == "('yes', 'prod/etl', True)"
    finally:
        os.close(theirs)
        os.close(ours)
