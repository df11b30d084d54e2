"""The door of each server of a drill: loopback only, for whoever knows the token, and for no page of a browser."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PREFIX = "/drill/"
"""Below it stands a token in the path: kubectl and client-go send no other credentials over plain HTTP."""


def foreign(request: web.Request) -> str:
    """Why this request is none of ours; `` where it is.

    A name that somebody else's DNS leads to loopback is a foreign Host; a page of any origin but this server's own is a
    foreign Origin.
    """
    host = request.headers.get("Host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in LOOPBACK:
        return "a foreign Host"
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return "a foreign Origin"
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return "a page of another site"
    return ""


def bearer_in_path(app: web.Application) -> web.Application:
    """Lets in whose Host and Origin are ours, and takes a token that stands in the path for a bearer token."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        if why := foreign(request):
            return web.Response(status=403, text=f"{why} is refused\n")
        if not request.path.startswith(PREFIX):
            return await handler(request)
        token, _, rest = request.raw_path.removeprefix(PREFIX).partition("/")
        headers = request.headers.copy()
        headers["Authorization"] = f"Bearer {token}"
        return await handler(request.clone(rel_url=URL(f"/{rest}", encoded=True), headers=headers))

    app.middlewares.append(look)
    return app


def with_token(app: web.Application, token: str) -> web.Application:
    """Lets in whose Host and Origin are ours, and who brings the token: as a bearer, or as the password of Basic."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        if why := foreign(request):
            return web.Response(status=403, text=f"{why} is refused\n")
        if not hmac.compare_digest(_brought(request.headers.get("Authorization", "")), token.encode()):
            return web.Response(status=401, text="Unauthorized\n", headers={"WWW-Authenticate": "Basic"})
        return await handler(request)

    app.middlewares.append(look)
    return app


def _brought(header: str) -> bytes:
    kind, _, said = header.partition(" ")
    if kind.lower() != "basic":
        return said.strip().encode("utf-8", "replace") if kind.lower() == "bearer" else b""
    try:
        return base64.b64decode(said, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
