"""A walk that a person interrupts in the terminal, and goes on with: the commands as they are typed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

SERVE = "import asyncio; from console.drill.session import serve; asyncio.run(serve('spark-oom', speed=20))"
PATIENCE = 180.0


@pytest.fixture
async def environment(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """A served drill, a config that allows changes of it, and folders of its own."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    (tmp_path / "console-oncall").mkdir()
    (tmp_path / "console-oncall" / "config.yaml").write_text("contexts:\n  drill-eu-west-1:\n    mode: guarded\n")
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, env=env, stdout=PIPE)
    assert server.stdout is not None
    try:
        line = (await asyncio.wait_for(server.stdout.readline(), PATIENCE)).decode().strip()
        yield env | {"KUBECONFIG": line.partition("=")[2]}
    finally:
        server.terminate()
        await server.wait()


def _hear_ctrl_c() -> None:
    """A shell's background jobs, and so all of a CI's processes, ignore SIGINT; a terminal's do not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def console(env: dict[str, str], *argv: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "console",
        "--request-timeout",
        "60s",
        *argv,
        env=env,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        preexec_fn=_hear_ctrl_c,
    )


async def heard(process: Process, words: str) -> str:
    """What the process says on stderr, up to `words`."""
    assert process.stderr is not None
    said = b""
    while words.encode() not in said:
        more = await asyncio.wait_for(process.stderr.read(4096), PATIENCE)
        assert more, said.decode()
        said += more
    return said.decode()


async def test_ctrl_c_at_the_question_changes_nothing_and_latest_goes_on_where_it_stood(
    environment: dict[str, str], tmp_path: Path
) -> None:
    first = await console(environment, "runbook", "spark-oom", "--app", "spark-prod/etl-orders", "--plain")
    assert first.stdin is not None
    await heard(first, "answer (1-")
    first.stdin.write(b"2\n")
    await heard(first, "type y to apply")
    first.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(first.communicate(), PATIENCE)
    assert first.returncode == 130
    assert b"console runbook --resume w-" in err and b"Traceback" not in err

    answers = tmp_path / "answers.yaml"
    answers.write_text("by: the test\nanswers:\n  give-overhead: no\n")
    again = await console(environment, "runbook", "--resume", "latest", "--answers", str(answers), "-o", "json")
    out, err = await asyncio.wait_for(again.communicate(), PATIENCE)
    document = json.loads(out)
    assert document["writes"] == [] and document["path"][:2] == ["applies", "goes-on"], err.decode()
    assert document["path"].count("other") == 1, "what was decided is not asked again"

    third = await console(environment, "runbook", "--resume", "latest")
    _, err = await asyncio.wait_for(third.communicate(), PATIENCE)
    assert third.returncode == 2 and b"no walk is unfinished" in err


async def test_answers_for_a_step_that_the_runbook_does_not_have_are_refused_before_anything_begins(
    environment: dict[str, str], tmp_path: Path
) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("by: the test\nanswers:\n  give-overhaed: yes\n")
    argv = ["runbook", "spark-oom", "--app", "spark-prod/etl-orders", "--answers", str(answers)]
    process = await console(environment, *argv)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 2
    assert b"'give-overhaed'" in err and b"give-overhead" in err
