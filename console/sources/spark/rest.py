"""Spark's own REST API: the driver's UI, a History Server, a standalone master. Bounded, and only JSON counts.

Spark 3.5 and every History Server answer unknown paths with HTTP 200 and a web page, so the content type decides.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from console.apps.standalone import DRIVER_URL
from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.base.jsontext import decode_tree
from console.base.redact import redact, redact_value
from console.base.text import clean, shorten
from console.base.units import parse_count, parse_number
from console.facts.model import Origin, RestDocument
from console.wire.endpoint import Endpoint
from console.wire.paths import segment

UI_PORT, HISTORY_PORT, MASTER_PORT = 4040, 18080, 8080
MAX_ANSWER = 4 * 2**20
SHALLOW = ("allexecutors", "jobs", "stages")
DEEP = ("sql?details=false&planDescription=false&offset=0&length=50", "environment")
_QUANTILES = "0.0,0.25,0.5,0.75,0.95,1.0"
_STAGES = 3
TIMED_STAGES, TIMED_TASKS, TIMED_SQL = 16, 2_000, 12
"""For where the time went: stages whose tasks are read, tasks of one stage, SQL executions whose plan is read."""
_SQL_LISTED = 1_000
_SQL_LIST = f"sql?details=false&planDescription=false&offset=0&length={_SQL_LISTED}"
_AT_ONCE = 3
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_JSON = ("application/json", "text/json")


class RestRead(Struct, frozen=True):
    """What was read, and what was not: (locator, reason)."""

    documents: tuple[RestDocument, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()

    def document(self, path: str) -> Any:
        """The data under `path`, or None."""
        return next((d.data for d in self.documents if d.path == path), None)


class SparkRest:
    """Reads one Spark server.

    Args:
        endpoint: the driver's UI, a History Server or a master.
        pod: name of the driver pod, for the facts.
    """

    def __init__(self, endpoint: Endpoint, clock: Clock, *, pod: str = "") -> None:
        self._endpoint, self._clock, self._pod = endpoint, clock, pod
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def application(
        self, app_id: str = "", *, attempt: str = "", deep: bool = False, deadline: float = 10.0
    ) -> RestRead:
        """One application: itself, executors (dead ones too), jobs, stages; `deep` adds SQL, environment and skew.

        Args:
            app_id: `` takes the only application of a driver's UI.
            attempt: attempt id, where a History Server has several.
            deadline: seconds for everything; what is not there by then is unread.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached at all.
        """
        end = time.monotonic() + deadline
        documents: list[RestDocument] = []
        unread: list[tuple[str, str]] = []
        listed = f"applications/{segment(app_id)}" if app_id else "applications"
        found = await self._json(listed, end)
        if isinstance(found, str):
            return RestRead((), ((self._locator(listed), found),))
        app = found[0] if isinstance(found, list) and found else found
        if not _app_id(app):
            return RestRead((), ((self._locator(listed), "there is no application"),))
        app_id = app["id"]
        documents.append(self._document("", app, app_id, listed))
        base = f"applications/{segment(app_id)}" + (f"/{segment(attempt)}" if attempt else "")
        await self._read_all(base, (*SHALLOW, *(DEEP if deep else ())), app_id, end, documents, unread)
        stages = next((d.data for d in documents if d.path == "stages"), None)
        if deep and isinstance(stages, list):
            wanted = [f"stages/{s}/{a}/taskSummary?quantiles={_QUANTILES}" for s, a in _telling(stages)]
            await self._read_all(base, wanted, app_id, end, documents, unread)
        return RestRead(tuple(documents), tuple(unread))

    async def timed(self, app_id: str = "", *, attempt: str = "", deadline: float = 20.0) -> RestRead:
        """What `health.slow` needs of one application: also the tasks of its longest stages and the plans of its
        longest SQL executions. A stage of very many tasks is read as quantiles only.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached at all.
        """
        end = time.monotonic() + deadline
        read = await self.application(app_id, attempt=attempt, deadline=deadline)
        documents, unread = list(read.documents), list(read.unread)
        found = read.document("")
        if not isinstance(found, dict):
            return read
        app_id = found["id"]
        base = f"applications/{segment(app_id)}" + (f"/{segment(attempt)}" if attempt else "")
        await self._read_all(base, (_SQL_LIST, "environment"), app_id, end, documents, unread)
        stages, sql = (next((d.data for d in documents if d.path == p), None) for p in ("stages", "sql"))
        wanted = []
        for what, known, most in (("stages", stages, TIMED_STAGES), ("sql", sql, TIMED_SQL)):
            if isinstance(known, list) and len(known) > most:
                unread.append((self._locator(f"{base}/{what}"), f"only the longest {most} of {len(known)} in full"))
        if isinstance(sql, list) and len(sql) >= _SQL_LISTED:
            unread.append((self._locator(f"{base}/sql"), f"only the first {_SQL_LISTED} executions are known"))
        for stage in _longest(stages, "stageId", "executorRunTime", TIMED_STAGES):
            key = f"stages/{stage['stageId']}/{parse_count(stage.get('attemptId')) or 0}"
            many = _number(stage.get("numTasks")) > TIMED_TASKS
            wanted.append(
                f"{key}/taskSummary?quantiles={_QUANTILES}" if many else f"{key}/taskList?offset=0&length={TIMED_TASKS}"
            )
        wanted += [
            f"sql/{x['id']}?details=true&planDescription=false" for x in _longest(sql, "id", "duration", TIMED_SQL)
        ]
        await self._read_all(base, wanted, app_id, end, documents, unread)
        return RestRead(tuple(documents), tuple(unread))

    async def shallow(self, app_id: str, *, attempt: str = "", deadline: float = 10.0) -> RestRead:
        """What a former run is compared by: itself, its executors, jobs, stages and the names of its queries.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached at all.
        """
        end = time.monotonic() + deadline
        read = await self.application(app_id, attempt=attempt, deadline=deadline)
        documents, unread = list(read.documents), list(read.unread)
        base = f"applications/{segment(app_id)}" + (f"/{segment(attempt)}" if attempt else "")
        if documents:
            await self._read_all(base, (_SQL_LIST,), app_id, end, documents, unread)
        return RestRead(tuple(documents), tuple(unread))

    async def threads(self, app_id: str, processes: Sequence[str], *, deadline: float = 10.0) -> RestRead:
        """A thread dump of each process, `driver` or an executor's id, as `threads/ID`.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached at all.
        """
        documents: list[RestDocument] = []
        unread: list[tuple[str, str]] = []
        base = f"applications/{segment(app_id)}/executors"
        wanted = [f"{segment(one)}/threads" for one in processes]
        await self._read_all(base, wanted, app_id, time.monotonic() + deadline, documents, unread)
        named = (replace(d, path=f"threads/{d.path.removesuffix('/threads')}") for d in documents)
        return RestRead(tuple(named), tuple(unread))

    async def applications(self, *, limit: int = 50, status: str = "", deadline: float = 10.0) -> RestRead:
        """The applications that a History Server knows, the newest first.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached.
        """
        path = f"applications?limit={limit}" + (f"&status={segment(status)}" if status else "")
        return await self._single(path, "applications", deadline)

    async def about(self, *, whole: bool = True, deadline: float = 6.0) -> RestRead:
        """The version that the server runs; with `whole` also the one application of a driver's UI and its
        environment.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached at all.
        """
        end = time.monotonic() + deadline
        documents: list[RestDocument] = []
        unread: list[tuple[str, str]] = []
        found = await self._json("version", end)
        if isinstance(found, dict):
            documents.append(self._document("version", found, "", "version"))
        else:
            unread.append((self._locator("version"), str(found)))
        listed = await self._json("applications", end) if whole else []
        app = listed[0] if isinstance(listed, list) and listed else None
        if isinstance(app, dict) and _app_id(app):
            documents.append(self._document("", app, app["id"], "applications"))
            base = f"applications/{segment(app['id'])}"
            await self._read_all(base, ("environment",), app["id"], end, documents, unread)
        return RestRead(tuple(documents), tuple(unread))

    async def master(self, *, deadline: float = 8.0) -> RestRead:
        """The JSON page of a standalone master: workers, running and completed applications.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached.
        """
        return await self._single("/json/", "master", deadline)

    async def worker(self, *, deadline: float = 8.0) -> RestRead:
        """The JSON page of a standalone worker: the executors on it, without their states.

        Raises:
            ReachError, ForbiddenError: the server cannot be reached.
        """
        read = await self._single("/json/", "worker", deadline)
        return replace(read, documents=tuple(replace(d, data=_without_commands(d.data)) for d in read.documents))

    async def _single(self, path: str, name: str, deadline: float) -> RestRead:
        found = await self._json(path, time.monotonic() + deadline)
        if isinstance(found, str):
            return RestRead((), ((self._locator(path), found),))
        return RestRead((self._document(name, found, "", path),))

    async def _read_all(
        self,
        base: str,
        paths: Sequence[str],
        app_id: str,
        end: float,
        documents: list[RestDocument],
        unread: list[tuple[str, str]],
    ) -> None:
        async def one(path: str) -> tuple[str, Any]:
            try:
                return path, await self._json(f"{base}/{path}", end)
            except ConsoleError as error:
                return path, error.message

        for path, found in await asyncio.gather(*(one(path) for path in paths)):
            if isinstance(found, str):
                unread.append((self._locator(f"{base}/{path}"), found))
                continue
            try:
                documents.append(self._document(path.partition("?")[0], found, app_id, f"{base}/{path}"))
            except RecursionError:
                unread.append((self._locator(f"{base}/{path}"), "the answer is nested too deeply"))

    async def _json(self, path: str, end: float) -> Any:
        """The tree at `path`, or a string that says why there is none."""
        async with self._gate:
            left = end - time.monotonic()
            if left <= 0:
                return "no time was left to read it"
            target = path if path.startswith("/") else f"/api/v1/{path}"
            answer = await self._endpoint.get(target, timeout=left, limit=MAX_ANSWER)
        if answer.content_type not in _JSON:
            if answer.status == 200:
                return (
                    f"answered with {answer.content_type or 'no type'} instead of JSON: this version does not have it"
                )
            said = shorten(clean(redact(answer.body[:400].decode("utf-8", "replace").strip())), 120)
            return f"HTTP {answer.status}" + (f": {said}" if said and not said.startswith("<") else "")
        if answer.status != 200:
            return f"HTTP {answer.status}"
        try:
            tree = decode_tree(answer.body)
        except msgspec.DecodeError:
            return "the answer is no JSON"
        return tree if not isinstance(tree, str) else "the answer is a text"

    def _document(self, path: str, data: Any, app_id: str, asked: str) -> RestDocument:
        origin = Origin("spark-rest", self._locator(asked), self._clock.now())
        return RestDocument(path, redact_value(data), origin, app_id, self._pod)

    def _locator(self, path: str) -> str:
        target = path if path.startswith("/") else f"/api/v1/{path}"
        return f"{self._endpoint.label} {target.partition('?')[0]}"


def _without_commands(page: Any) -> Any:
    """A worker's page without the commands of its executors, which may hold secrets; the driver's address stays."""
    if not isinstance(page, dict):
        return page
    out = dict(page)
    for part in ("executors", "finishedexecutors"):
        listed = page.get(part)
        out[part] = [_without_command(row) for row in listed] if isinstance(listed, list) else []
    return out


def _without_command(row: Any) -> Any:
    described = row.get("appdesc") if isinstance(row, dict) else None
    if not isinstance(described, dict):
        return row
    calls = DRIVER_URL.search(str(described.get("command", "")))
    return {**row, "appdesc": {"name": described.get("name"), "command": calls.group(0) if calls else ""}}


def _telling(stages: list[Any]) -> list[tuple[int, int]]:
    """The stages whose tasks are worth a look: active, failed, then those that ran longest."""

    def rank(stage: dict[str, Any]) -> tuple[int, float]:
        order = {"ACTIVE": 0, "FAILED": 1}.get(str(stage.get("status")), 2)
        return order, -_number(stage.get("executorRunTime"))

    known = [
        s
        for s in stages
        if isinstance(s, dict)
        and isinstance(s.get("stageId"), int)
        and isinstance(s.get("attemptId"), int)
        and s.get("status") in ("ACTIVE", "FAILED", "COMPLETE")
    ]
    return [(s["stageId"], s["attemptId"]) for s in sorted(known, key=rank)[:_STAGES]]


def _app_id(app: Any) -> str:
    """The id of an application as it may stand in a path; `` where it is none."""
    said = app.get("id") if isinstance(app, dict) else None
    return said if isinstance(said, str) and _ID.fullmatch(said) else ""


def _longest(rows: Any, id: str, field: str, most: int) -> list[dict[str, Any]]:
    """The rows with the largest number in `field`, of those that have a number as `id`."""
    listed = rows if isinstance(rows, list) else []
    known = [r for r in listed if isinstance(r, dict) and isinstance(r.get(id), int)]
    return sorted((r for r in known if _number(r.get(field)) > 0), key=lambda r: -_number(r.get(field)))[:most]


def _number(value: Any) -> float:
    return parse_number(value) or 0.0
