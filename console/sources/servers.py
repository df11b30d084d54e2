"""Opens the servers that a config names: by URL, or as a Service behind the API server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from console.base.errors import UsageError
from console.wire.endpoint import Endpoint, ServiceEndpoint, UrlEndpoint
from console.wire.reader import Reader


class Configured(Protocol):
    """What a config says about one server (`console.settings.model.Endpoint`)."""

    @property
    def url(self) -> str | None: ...
    @property
    def service(self) -> str | None: ...
    @property
    def path(self) -> str: ...
    @property
    def token_file(self) -> str | None: ...
    @property
    def token_env(self) -> str | None: ...
    @property
    def ca_file(self) -> str | None: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


def configured(config: Configured, reader: Reader | None) -> Endpoint | None:
    """The endpoint that a config names; None where it names none.

    Raises:
        UsageError: the URL is none, or a service is named and there is no cluster.
    """
    headers = dict(config.headers)
    if config.url:
        token = os.environ.get(config.token_env, "") if config.token_env else ""
        return UrlEndpoint(
            config.url.rstrip("/") + ("" if config.path == "/" else config.path),
            headers=headers,
            token=token,
            token_file=config.token_file or "",
            ca_file=config.ca_file or "",
        )
    if config.service:
        if reader is None:
            raise UsageError(f"service {config.service} can be reached only through a cluster")
        scheme = "https" if config.service.startswith("https:") else ""
        namespace, _, service = config.service.removeprefix("https:").partition("/")
        service, _, port = service.partition(":")
        prefix = "" if config.path == "/" else config.path
        return ServiceEndpoint(reader, namespace, service, port, scheme=scheme, prefix=prefix, headers=headers)
    return None
