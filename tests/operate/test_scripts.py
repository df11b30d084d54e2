"""Scripts: an argv, no shell, a group that dies as a whole, output that is bounded, clean and without secrets."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path

import pytest

from console.base.errors import ConsoleError
from console.operate.scripts import workplace
from console.operate.scripts.process import HEAD_BYTES, TAIL_BYTES, Finished, environment, run
from console.wire.config import ContextRef, resolve


async def python(code: str, *arguments: str, timeout: float = 20.0, **env: str) -> Finished:
    return await run(("python", "-c", code, *arguments), timeout=timeout, env=env)


async def test_what_it_wrote_and_how_it_ended() -> None:
    ended = await python("print('hello'); import sys; print('oh', file=sys.stderr); sys.exit(3)")
    assert (ended.exit_code, ended.ok, ended.words) == (3, False, "ended with exit code 3")
    assert set(ended.output.split()) == {"hello", "oh"}
    assert (await python("pass")).words == "done"


async def test_a_closing_json_object_is_its_result() -> None:
    assert (await python("print('x'); print('{\"a\": 1}')")).result == '{"a": 1}'
    assert (await python("print('{\"a\": 1}'); print('x')")).result == ""
    assert (await python("print('{broken')")).result == ""


async def test_arguments_never_meet_a_shell(tmp_path: Path) -> None:
    evil = f"$(touch {tmp_path}/owned); `touch {tmp_path}/owned` && x"
    ended = await python("import sys; print(sys.argv[1])", evil)
    assert ended.output.strip() == evil
    assert list(tmp_path.iterdir()) == []


async def test_it_sees_only_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setenv("KUBECONFIG", "/somebody/elses")
    assert set(environment({"KUBECONFIG": "/ours"})) <= {"PATH", "LANG", "PYTHONUSERBASE", "KUBECONFIG"}
    ended = await python("import os; print(sorted(os.environ))", CONSOLE_EFFECT="w-1/1")
    assert "AWS" not in ended.output
    assert "KUBECONFIG" not in ended.output
    assert "CONSOLE_EFFECT" in ended.output


async def test_its_input_is_closed() -> None:
    assert (await python("import sys; print(repr(sys.stdin.read()))")).output.strip() == "''"


async def test_secrets_and_escapes_do_not_come_out() -> None:
    ended = await python("print('token=' + 'hunter2-' + 'planted'); print('\\x1b[31mred\\x1b[0m')")
    assert ended.output == "token=[redacted]\nred\n"


async def test_long_output_keeps_its_head_and_its_tail() -> None:
    ended = await python("print('first'); print('x' * 5_000_000); print('last')")
    assert ended.output.startswith("first\n")
    assert ended.output.endswith("last\n")
    assert "bytes left out" in ended.output
    assert len(ended.output) < HEAD_BYTES + TAIL_BYTES + 100


CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
{then}
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


async def dead(pid: int) -> bool:
    """Whether a process is gone, after a moment for the kernel."""
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return not alive(pid)


async def test_a_time_limit_kills_the_whole_group() -> None:
    ended = await python(CHILD.format(then="time.sleep(600)"), timeout=5)
    assert (ended.exit_code, ended.timed_out, ended.words) == (None, True, "killed: it did not end in time")
    assert await dead(int(ended.output.split()[0]))


async def test_a_script_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.operate.scripts.process.GRACE_SECONDS", 0.2)
    code = "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)"
    ended = await python(code, timeout=5)
    assert ended.timed_out
    assert await dead(int(ended.output.split()[0]))


async def test_a_child_that_stays_behind_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.operate.scripts.process.GRACE_SECONDS", 0.2)
    ended = await python(CHILD.format(then=""))
    assert ended.ok
    assert await dead(int(ended.output.split()[0]))


async def test_cancelling_kills_the_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    task = asyncio.create_task(python(code, str(note)))
    while not (note.exists() and note.read_text()):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await dead(int(note.read_text()))


async def test_what_cannot_be_started_is_named() -> None:
    with pytest.raises(ConsoleError, match="cannot start /nowhere/tool"):
        await run(("/nowhere/tool",), timeout=1, env={})


def test_a_workplace_is_private_empty_and_holds_no_credentials(tmp_path: Path) -> None:
    with workplace.furnished("http://127.0.0.1:1/t", context="one", namespace="spark-jobs", folder=tmp_path) as at:
        assert stat.S_IMODE(at.kubeconfig.stat().st_mode) == 0o600
        assert stat.S_IMODE(at.kubeconfig.parent.stat().st_mode) == 0o700
        assert list(at.home.iterdir()) == list(at.scratch.iterdir()) == []
        again = resolve(ContextRef(kubeconfig=str(at.kubeconfig)), environ={})
        assert (again.context, again.server, again.namespace) == ("one", "http://127.0.0.1:1/t", "spark-jobs")
        assert (again.login, again.cert, again.impersonation.user) == ({}, b"", "")
        assert at.env == {"HOME": str(at.home), "TMPDIR": str(at.scratch), "KUBECONFIG": str(at.kubeconfig)}
        (at.home / "left").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_behind_is_removed(tmp_path: Path) -> None:
    left, fresh = tmp_path / "script-old", tmp_path / "script-new"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "kubeconfig").write_text("x")
    os.utime(left, (1, 1))
    workplace.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["script-new"]
