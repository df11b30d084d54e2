"""Runs the tests that concern a mutant, in a fork of a process that has imported and collected everything.

A mutant costs a fork and the tests that reach its function, the quickest first, up to the first that fails: no
interpreter starts and nothing is imported. Only what is evaluated once at import is imported anew, in a fork as well.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

import pytest
from hypothesis import settings

from tests.mutation.concerns import CONCERNS
from tests.mutation.mutants import Mutant
from tests.mutation.placing import exchange, import_instead

SURVIVED, KILLED, HUNG, UNREACHED, UNPLACED = "survived", "killed", "hung", "not reached by any test", "not placed"
LIMIT_SECONDS, LIMIT_FACTOR = 10.0, 5.0
"""A mutant that runs longer than this and this many times its tests hangs, which a test run would notice."""
_EXITS = {0: SURVIVED, 1: KILLED, 3: UNPLACED}
_PYTEST = ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib", "-m", "not parts")
_HEAVY = (
    "kubernetes.aio", "aiohttp.web", "requests", "prometheus_api_client", "msgspec", "yaml", "jinja2", "promql_parser",
    "zstandard", "cronsim", "pytest_asyncio", "hypothesis.strategies", "click", "platformdirs",
)  # fmt: skip


@dataclass
class Pool:
    """Forked children, at most `jobs` at once."""

    jobs: int
    folder: Path
    say: Callable[[str], None]
    _running: dict[int, tuple[Mutant, float]] = field(default_factory=dict)
    outcomes: dict[Mutant, str] = field(default_factory=dict)

    def run(self, mutant: Mutant, limit: float, work: Callable[[], int]) -> None:
        while len(self._running) >= self.jobs:
            self._wait()
        self._running[_fork(work, self.folder, limit)] = (mutant, time.monotonic() + limit)

    def finish(self) -> None:
        while self._running:
            self._wait()

    def _wait(self) -> None:
        for pid, (mutant, deadline) in list(self._running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            late = time.monotonic() > deadline
            if ended:
                code = os.waitstatus_to_exitcode(status)
                self.outcomes[mutant] = _EXITS.get(code, KILLED) if code >= 0 else HUNG
            elif late:
                self.outcomes[mutant] = HUNG
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            if ended or late:
                if self.outcomes[mutant] == SURVIVED:
                    self.say(f"{mutant.module}:{mutant.line} survived")
                del self._running[pid]
                shutil.rmtree(self.folder / str(pid), ignore_errors=True)
                return
        time.sleep(0.005)


def _fork(work: Callable[[], int], folder: Path, limit: float) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        own = folder / str(os.getpid())
        own.mkdir()
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(own)
        _quiet(os.devnull)
        code = work()
    finally:
        os._exit(code)
    raise AssertionError("unreachable")


def _quiet(path: str) -> None:
    to = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(to, 1)
    os.dup2(to, 2)
    os.close(to)


@dataclass
class Reached:
    """What one test did without any mutant: seconds, whether it passed, and the functions that it called."""

    seconds: float
    passed: bool
    functions: dict[str, list[str]]


class Warm:
    """A pytest plugin: instead of running what was collected, run it for each mutant."""

    def __init__(self, mutants: Sequence[Mutant], pool: Pool, say: Callable[[str], None]) -> None:
        self._mutants, self._pool, self._say = mutants, pool, say
        self._failed = False
        self.unplaced: list[Mutant] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise pytest.UsageError("tests cannot be collected")
        reached = self._reached(session)
        for item in session.items:
            if not reached[item.nodeid].passed:
                self._say(f"! {item.nodeid} fails without a mutant: it is left out")
        for mutant in self._mutants:
            items = [item for item in session.items if _concerns(item, mutant, reached)]
            if not items:
                self._pool.outcomes[mutant] = UNREACHED
                continue
            items.sort(key=lambda item: reached[item.nodeid].seconds)
            whole = sum(reached[item.nodeid].seconds for item in items)
            self._pool.run(mutant, LIMIT_SECONDS + LIMIT_FACTOR * whole, self._work(mutant, items))
        self._pool.finish()
        self.unplaced = [m for m, outcome in self._pool.outcomes.items() if outcome == UNPLACED]
        return True

    def _work(self, mutant: Mutant, items: Sequence[pytest.Item]) -> Callable[[], int]:
        def work() -> int:
            if not exchange(mutant.module, mutant.function, mutant.source):
                return 3
            return 1 if any(self._fails(item, after) for item, after in _pairs(items)) else 0

        return work

    def _fails(self, item: pytest.Item, after: pytest.Item | None) -> bool:
        self._failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        return self._failed

    def _reached(self, session: pytest.Session) -> dict[str, Reached]:
        """Run every test once, in a fork, and see which functions of the mutated modules it calls."""
        modules = {str(Path(m.module).resolve()): m.module for m in self._mutants}
        answer = self._pool.folder / "reached.json"

        def work() -> int:
            out = {}
            for item, after in _pairs(session.items):
                called: dict[str, set[str]] = {}
                start = time.monotonic()
                with _calls(modules, called):
                    failed = self._fails(item, after)
                found = {module: sorted(names) for module, names in called.items()}
                out[item.nodeid] = (time.monotonic() - start, not failed, found)
            answer.write_text(json.dumps(out))
            return 0

        os.waitpid(_fork(work, self._pool.folder, 3600), 0)
        return {name: Reached(*values) for name, values in json.loads(answer.read_text()).items()}


def _concerns(item: pytest.Item, mutant: Mutant, reached: dict[str, Reached]) -> bool:
    file = item.nodeid.partition("::")[0]
    did = reached[item.nodeid]
    return did.passed and file in CONCERNS[mutant.module] and mutant.function in did.functions.get(mutant.module, ())


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


class _calls:
    """Note which functions of the modules are called, in whichever thread."""

    def __init__(self, modules: dict[str, str], called: dict[str, set[str]]) -> None:
        self._modules, self._called = modules, called

    def _trace(self, frame: FrameType, event: str, argument: Any) -> None:
        module = self._modules.get(frame.f_code.co_filename)
        if module is not None:
            self._called.setdefault(module, set()).add(frame.f_code.co_qualname)

    def __enter__(self) -> None:
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]


def run(mutants: Sequence[Mutant], *, jobs: int, say: Callable[[str], None]) -> dict[Mutant, str]:
    """What became of each mutant."""
    settings.register_profile("mutation", database=None, deadline=None, derandomize=True, max_examples=20)
    settings.load_profile("mutation")
    for name in _HEAVY:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="console-mutation-") as folder:
        pool = Pool(jobs, Path(folder), say)
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(folder) / "compiled")
        cold = [mutant for mutant in mutants if not mutant.function]
        if cold:
            files = {file for mutant in cold for file in _present(mutant.module)}
            os.waitpid(_fork(lambda: int(pytest.main([*_PYTEST, "--collect-only", *files])), pool.folder, 600), 0)
        for mutant in cold:
            _cold(mutant, pool)
        pool.finish()
        warm = [mutant for mutant in mutants if mutant.function]
        if warm:
            _collected(warm, pool, say)
        return pool.outcomes


def _cold(mutant: Mutant, pool: Pool) -> None:
    def work() -> int:
        import_instead(mutant.module, mutant.source)
        return 0 if pytest.main([*_PYTEST, "-x", *_present(mutant.module)]) == 0 else 1

    pool.run(mutant, 120.0, work)


def _collected(mutants: Sequence[Mutant], pool: Pool, say: Callable[[str], None]) -> None:
    """Collect once, then fork for each mutant. What pytest prints is shown only where it cannot begin."""
    files = sorted({file for mutant in mutants for file in _present(mutant.module)})
    plugin = Warm(mutants, pool, say)
    log, out = pool.folder / "pytest.log", [os.dup(1), os.dup(2)]
    _quiet(str(log))
    try:
        code = pytest.main([*_PYTEST, *files], plugins=[plugin])
    finally:
        sys.stdout.flush()
        for there, fd in zip(out, (1, 2), strict=True):
            os.dup2(there, fd)
    missing = [mutant for mutant in mutants if mutant not in pool.outcomes]
    if missing:
        raise SystemExit(f"pytest ended with {code}:\n{log.read_text()[-4000:]}")


def _present(module: str) -> list[str]:
    return [file for file in CONCERNS[module] if Path(file).exists()]


def writer_to(stream: IO[str]) -> Callable[[str], None]:
    """A way to say something whatever happens to stdout meanwhile."""
    own = os.fdopen(os.dup(stream.fileno()), "w", buffering=1)
    return lambda text: print(text, file=own)
