"""What listens at a port inside the cluster, so that the API server's proxy can hand requests on to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Backend = Callable[[str, web.Request], Awaitable[web.StreamResponse]]
"""(path behind the proxy, the request) → its answer."""
FindBackend = Callable[[str, str, str, int], Backend | None]
"""(pods or services, namespace, name, port) → what listens there, or None."""
