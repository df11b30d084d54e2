"""The guarded proxy: what a script talks to instead of the API server. It lives as long as one run of one script.

It listens on loopback, its address holds the token of the run, and the person's credentials stay on this side of it. A
read passes; a write passes where it is declared, stamped with its effect and pinned to the object as it was a moment
before. Every write and every refusal is reported before anything is sent, and again with what became of it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from console.base.errors import ConsoleError, LoginNeeded, ReachError
from console.base.jsontext import decode_json
from console.base.redact import MARK
from console.base.text import shorten
from console.wire.calls import (
    JSON,
    ApiCall,
    CallGrant,
    CallRefused,
    Leave,
    judged,
    named,
    read_body,
    read_call,
    within,
    write_query,
    written,
)
from console.wire.errors import words
from console.wire.http import HttpAnswer
from console.wire.transport import Transport
from console.wire.writer import MANAGER

if TYPE_CHECKING:
    from aiohttp import web

LOOPBACK = "127.0.0.1"
MAX_BODY = 4 * 2**20
MAX_CALLS = 200
"""Writes and refusals of one run; what wants more is refused."""
AGAIN = 5
"""How often a write is made anew because somebody else wrote to the object in the same moment."""
_PASSED = ("content-type", "content-encoding", "retry-after", "warning")


class ProxiedCall(Struct, frozen=True):
    """A write that a script wanted, at one moment of its life.

    Attributes:
        number: from 1, in this run.
        verb, about: `patch`, `SparkApplication jobs/etl`.
        status: of the answer; 0 before there is one, or where none came.
        refused: why it was not passed on, ``.
        before, after: the object, of an accepted write; None where there is none.
    """

    number: int
    verb: str
    about: str
    dry_run: bool
    status: int = 0
    refused: str = ""
    message: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        return f"{self.verb} {self.about}"


class GuardedProxy:
    """Use it as an asynchronous context manager, in the loop of its transport.

    Args:
        grants: what may be written, in a dry run and after the confirmation.
        stamp: annotation and value that every write leaves on its object.
        report: told of each write and refusal, before and after. What it raises stops the call; see `failure`.

    Attributes:
        url: what a kubeconfig names as server; the token of the run is part of it.
        calls: every write and refusal, as it ended.
        reads: how many requests only read.
        failure: what `report` raised.
    """

    def __init__(
        self,
        transport: Transport,
        leave: Leave,
        grants: Sequence[CallGrant],
        stamp: tuple[str, str],
        report: Callable[[ProxiedCall], None] = lambda call: None,
    ) -> None:
        self.token, self.url = secrets.token_urlsafe(32), ""
        self.calls: list[ProxiedCall] = []
        self.reads = 0
        self.failure: BaseException | None = None
        self._transport, self._leave, self._stamp, self._report = transport, leave, stamp, report
        self._grants = tuple(grants)
        self._generations: dict[CallGrant, int] = {}
        self._writing: set[asyncio.Task[web.StreamResponse]] = set()
        self._turn = asyncio.Lock()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> GuardedProxy:
        from aiohttp import web

        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, 0)
        await site.start()
        self.url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}/{self.token}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let writes that were passed on get their answers, then close."""
        if self._writing:
            await asyncio.wait(set(self._writing))
        if self._runner is not None:
            await self._runner.cleanup()

    def hidden(self, text: str) -> str:
        """A text of the script without the token."""
        return text.replace(self.token, MARK)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw, _, query = request.raw_path.partition("?")
        token, slash, rest = raw[1:].partition("/")
        known = hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
        if not known or "Origin" in request.headers:
            return _status(401, "Unauthorized", "this address belongs to one run of one script")
        pairs = parse_qsl(query, keep_blank_values=True)
        watch = any(key == "watch" and value not in ("false", "0") for key, value in pairs)
        try:
            try:
                call = read_call(request.method, slash + rest, watch=watch)
                if not call.writes:
                    judged(call, self._leave, self._grants)
                    self.reads += 1
                    return await self._read(request, call, pairs)
            except CallRefused as refused:
                if request.method not in ("GET", "HEAD", "OPTIONS"):
                    self._refuse(f"{request.method} {shorten(slash + rest, 200)}", refused)
                raise
            body = await request.read()
            task = asyncio.ensure_future(self._write(call, pairs, request.content_type, body))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
            return await asyncio.shield(task)
        except CallRefused as refused:
            return _status(refused.status, "Forbidden", f"Console does not pass this on: {refused.message}")
        except LoginNeeded as error:
            return _status(401, "Unauthorized", error.message)
        except ConsoleError as error:
            return _status(502, "BadGateway", error.message)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return _status(400, "BadRequest", f"this request makes no sense: {error}")

    async def _read(self, request: web.Request, call: ApiCall, pairs: list[tuple[str, str]]) -> web.StreamResponse:
        from aiohttp import ClientError, web

        head = {"Accept-Encoding": "identity", "Accept": request.headers.get("Accept", "*/*")}
        async with self._transport.stream("GET", call.path, query=pairs, headers=head) as answer:
            passed = {name: answer.headers[name] for name in _PASSED if name in answer.headers}
            response = web.StreamResponse(status=answer.status, headers=passed)
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            except (OSError, ClientError):  # what was begun cannot be answered otherwise: it ends in the middle
                if request.transport is not None:
                    request.transport.abort()
            return response

    async def _write(
        self, call: ApiCall, pairs: list[tuple[str, str]], media_type: str, body: bytes
    ) -> web.StreamResponse:
        """One write, and no other at the same time: what is pinned is what the one before left."""
        async with self._turn:
            try:
                kind = media_type if body else ""
                tree = read_body(call.method, kind, body)
                call = named(call, tree)
                grant = judged(call, self._leave, self._grants)
                assert grant is not None
                query = write_query(pairs, call.method, self._leave, MANAGER)
                if len(self.calls) >= MAX_CALLS:
                    raise CallRefused(f"this run has sent {MAX_CALLS} calls, and may send no more", 429)
                dry_run = ("dryRun", "All") in query
                present = await self._present(call, grant, applies=kind.startswith("application/apply"))
                within(call, tree, kind, present, grant, self._stamp[0])
                made = written(call, tree, kind, present, self._stamp, dry_run=dry_run)
            except CallRefused as refused:
                self._refuse(call.words, refused)
                raise
            about = f"{grant.subresource} of {grant.about}" if grant.subresource else grant.about
            seen = ProxiedCall(len(self.calls) + 1, call.verb, about, dry_run)
            self._say(seen)
            self.calls.append(seen)
            answer = await self._sent(call, grant, query, kind, tree, made, present, seen)
            return _passed(answer)

    async def _present(self, call: ApiCall, grant: CallGrant, *, applies: bool) -> dict[str, Any] | None:
        """The object before the call.

        Raises:
            CallRefused: it is not the one that was confirmed, or applying would create one.
        """
        if call.verb == "create" and call.subresource != "eviction":
            return None
        at = call.path.removesuffix(f"/{call.subresource}") if call.subresource else call.path
        answer = await self._transport.send("GET", at, raw=True)
        if answer.status == 404:
            if applies and "create" not in grant.verbs:
                raise CallRefused(f"{grant.about} does not exist, and the step does not declare to create it")
            return None
        if answer.status >= 400:
            raise CallRefused(f"{grant.about} cannot be looked at before it is written: {words(answer.body)}")
        obj = _tree(answer)
        meta = obj.get("metadata") or {}
        if grant.uid and meta.get("uid") != grant.uid:
            raise CallRefused(f"{grant.about} was deleted and created again since it was looked at", 409)
        wanted = self._generations.get(grant, grant.generation) if self._leave == "confirmed" else 0
        if wanted and meta.get("generation") != wanted:
            raise CallRefused(f"{grant.about} was changed since it was looked at", 409)
        return obj

    async def _sent(
        self,
        call: ApiCall,
        grant: CallGrant,
        query: list[tuple[str, str]],
        media_type: str,
        tree: Any,
        made: Any,
        present: dict[str, Any] | None,
        seen: ProxiedCall,
    ) -> HttpAnswer:
        """Send it; where somebody else wrote to the object in the same moment, look and send anew."""
        for left in range(AGAIN - 1, -1, -1):
            try:
                answer = await self._transport.send(
                    call.method, call.path, query=query, body=made, content_type=media_type or JSON, raw=True
                )
            except ReachError as error:
                self._end(seen, message=f"no answer came, so it may have been applied: {error.message}")
                raise
            if answer.status not in (409, 422) or not left or present is None or made is tree:
                break
            try:
                again = await self._present(call, grant, applies=False)
            except ConsoleError:
                break
            if again is None or _version(again) == _version(present):
                break
            present = again
            made = written(call, tree, media_type, present, self._stamp, dry_run=seen.dry_run)
        said = words(answer.body) if answer.status >= 400 else ""
        after = _tree(answer) if answer.status < 400 else None
        if after is not None and not seen.dry_run and after.get("kind") != "Status" and not call.subresource:
            generation = (after.get("metadata") or {}).get("generation")
            if isinstance(generation, int):
                self._generations[grant] = generation
        self._end(seen, status=answer.status, message=said, before=present, after=after)
        return answer

    def _refuse(self, what: str, refused: CallRefused) -> None:
        verb, _, about = what.partition(" ")
        if len(self.calls) < MAX_CALLS:
            call = ProxiedCall(len(self.calls) + 1, verb, about, self._leave == "dry run", refused=refused.message)
            self.calls.append(call)
            self._say(call)

    def _end(self, seen: ProxiedCall, **fields: Any) -> None:
        ended = msgspec.structs.replace(seen, **fields)
        self.calls[seen.number - 1] = ended
        self._say(ended)

    def _say(self, call: ProxiedCall) -> None:
        try:
            self._report(call)
        except BaseException as error:
            self.failure = self.failure or error
            raise CallRefused("it could not be recorded, so it was not passed on", 500) from None


def _version(obj: dict[str, Any]) -> Any:
    return (obj.get("metadata") or {}).get("resourceVersion")


def _tree(answer: HttpAnswer) -> dict[str, Any]:
    try:
        value = decode_json(answer.body)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _passed(answer: HttpAnswer) -> web.Response:
    from aiohttp import web

    passed = {name: answer.headers[name] for name in _PASSED if name in answer.headers and name != "content-encoding"}
    return web.Response(status=answer.status, body=answer.body, headers=passed)


def _status(code: int, reason: str, message: str) -> web.Response:
    """A refusal in the form that clients of Kubernetes show."""
    from aiohttp import web

    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": code,
    }
    return web.Response(status=code, body=msgspec.json.encode(body), content_type=JSON)
