"""Thread dumps, as Spark's REST gives them and as the JVM prints them: threads that stand where they stood before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from console.base.shapes import mappings
from console.facts.logs import Text
from console.facts.model import Origin, RestDocument
from console.facts.rest import Row, text

MOST_FRAMES = 12
"""Innermost frames by which two stacks are compared: below them lies the same thread pool anyway."""
_DUMP = "Full thread dump"
_THREAD = re.compile(r'^"((?:[^"\\]|\\.){1,300})"(?= #\d| prio=| daemon| tid=| os_prio=)')
_STATE = re.compile(r"^\s+java\.lang\.Thread\.State: (\w+)")
_FRAME = re.compile(r"^\s+at (\S.{0,400})$")
_VERSION = re.compile(r"(?<=[(\s])[\w.]+@[\w.+-]+/|^[\w.]+@[\w.+-]+/|^app//")
_WORKERS = re.compile(
    r"^(Executor task launch worker|main$|stream execution thread|streaming-|broadcast-exchange|Driver$|SparkSQL)"
    r"|^pool-\d+-thread-"
)
_IDLE = re.compile(
    r"ThreadPoolExecutor\.getTask|LinkedBlockingQueue\.(take|poll)|SynchronousQueue|EPoll(Array)?(Wait|\.wait)|epollWait"
    r"|ReferenceHandler|Finalizer|ServerSocket|\.accept0?\(|ForkJoinPool\.(runWorker|awaitWork)|DAGScheduler\.runJob"
    r"|StreamExecution\.awaitTermination|SparkContext\.(stop|runJob)|CountDownLatch\.await.*awaitTermination|Thread\.sleep"
    r"|PythonGatewayServer|RBackend|ProcessImpl\.waitFor|BroadcastExchangeExec\.doExecuteBroadcast|StreamingQueryManager\.awaitAnyTermination"
)
_TASK = "executor.Executor$TaskRunner.run"
"""A frame of a thread that runs a task: it does not wait for one, also where it stands as idle threads do, for its
Python worker for instance. The name of the thread stays when the task is over."""
_LANGUAGE = re.compile(r"(?:[\w.]+/)?(?:java|javax|jdk|sun|scala)\.")
_WAITS = (
    (
        re.compile(r"socketRead0|SocketInputStream|SocketDispatcher|NioSocketImpl|SSLSocket"),
        "it reads from a connection",
    ),
    (re.compile(r"PythonRunner|PythonWorker|ReaderIterator"), "it waits for its Python worker"),
    (re.compile(r"BLOCKED|monitor|LockSupport\.park|ReentrantLock"), "it waits for a lock"),
)


class ThreadStack(Struct, frozen=True):
    """One thread of one dump. `frames`: the innermost first."""

    name: str
    state: str
    frames: tuple[str, ...]

    @property
    def works(self) -> bool:
        """Whether it is a thread that does the application's work, and not one that waits for some."""
        top = self.frames[:MOST_FRAMES]
        if not top or not self._is_worker:
            return False
        return any(_TASK in one for one in self.frames) or not any(_IDLE.search(one) for one in top)

    @property
    def _is_worker(self) -> bool:
        """Whether its name says so, or it does what a Python driver called."""
        return _WORKERS.match(self.name) is not None or any("py4j.commands.CallCommand" in one for one in self.frames)

    @property
    def place(self) -> str:
        """Where it stands, in words of who wrote it: the first frame that is not the language waiting."""
        return next((one for one in self.frames[:MOST_FRAMES] if not _LANGUAGE.match(one)), self.frames[0])

    @property
    def waits(self) -> str:
        """What it seems to stand at, in words; `` where the frames do not say."""
        said = " ".join((self.state, *self.frames[:6]))
        return next((words for pattern, words in _WAITS if pattern.search(said)), "")


class ThreadDump(Struct, frozen=True):
    """One dump of one JVM. `whose`: its process, so that only dumps of one process are compared."""

    whose: str
    origin: Origin
    stacks: tuple[ThreadStack, ...]


class Standing(Struct, frozen=True):
    """A thread that stood at the same frames in the first and the last of so many dumps."""

    stack: ThreadStack
    dumps: int
    first: Origin
    last: Origin


def standing(dumps: Sequence[ThreadDump]) -> list[Standing]:
    """Threads at work that did not move from one dump of their process to another."""
    by_process: dict[str, list[ThreadDump]] = {}
    for dump in dumps:
        by_process.setdefault(dump.whose, []).append(dump)
    out = []
    for mine in by_process.values():
        first, last = mine[0], mine[-1]
        if len(mine) < 2 or first.origin == last.origin:
            continue
        before = {one.name: one for one in first.stacks}
        for one in last.stacks:
            was = before.get(one.name)
            if one.works and was is not None and was.frames[:MOST_FRAMES] == one.frames[:MOST_FRAMES]:
                out.append(Standing(one, len(mine), first.origin, last.origin))
    return out


def of_rest(docs: Iterable[RestDocument]) -> Iterator[ThreadDump]:
    """Dumps among the answers of Spark's REST API."""
    for doc in docs:
        if doc.path.startswith("threads"):
            stacks = tuple(
                ThreadStack(text(r, "threadName"), text(r, "threadState"), _frames(r)) for r in mappings(doc.data)
            )
            yield ThreadDump(_process(doc), doc.origin, stacks)


def _process(doc: RestDocument) -> str:
    """Whose dump it is: by its path, else by the threads that it has; times in the name of a file say nothing."""
    found = re.search(r"executors[_/](driver|\d+|EXEC)[_/]", doc.origin.locator)
    return f"{doc.app_id} {found[1] if found else doc.path}"


def _frames(row: Row) -> tuple[str, ...]:
    held = row.get("stackTrace")
    elems = held.get("elems") if isinstance(held, dict) else held
    lines = elems if isinstance(elems, list) else str(elems or "").splitlines()
    return tuple(_frame(str(one).partition("\n")[0]) for one in lines if str(one).strip())


def _frame(line: str) -> str:
    return _VERSION.sub("", line.strip().removeprefix("at "))


def of_text(logs: Iterable[Text]) -> Iterator[ThreadDump]:
    """Dumps in texts: what jstack, jcmd and `kill -3` print."""
    for one in logs:
        if _DUMP not in one.text:
            continue
        for number, part in enumerate(one.text.split(_DUMP)[1:], 1):
            origin = Origin(one.log.origin.source, f"{one.log.origin.locator} dump {number}", one.log.origin.at)
            yield ThreadDump(one.log.subject, origin, tuple(_threads(part)))


def _threads(part: str) -> Iterator[ThreadStack]:
    name, state = "", ""
    frames: list[str] = []
    for line in part.splitlines():
        if found := _THREAD.match(line):
            if name:
                yield ThreadStack(name, state, tuple(frames))
            name, state, frames = found[1], "", []
        elif told := _STATE.match(line):
            state = told[1]
        elif at := _FRAME.match(line):
            frames.append(_frame(at[1]))
    if name:
        yield ThreadStack(name, state, tuple(frames))
