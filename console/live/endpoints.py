"""From what the config says about a server to a way there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from console.base.errors import UsageError
from console.settings.model import EndpointConfig
from console.wire.endpoint import Endpoint, ServiceEndpoint, UrlEndpoint

if TYPE_CHECKING:
    from console.wire.reader import Reader


def endpoint_of(address: EndpointConfig, reader: Reader, url: str | None = None) -> Endpoint | None:
    """The way to the server at `address`; `url` wins over it. None where nothing was configured.

    Raises:
        UsageError: the token's environment variable or file is not there.
    """
    headers = {**address.headers, **_token(address)}
    if url or address.url:
        found = str(url or address.url)
        return UrlEndpoint(
            found if url else found.rstrip("/") + address.path.rstrip("/"),
            headers=headers,
            ca_file=str(address.ca_file or ""),
        )
    if address.service is None:
        return None
    text, scheme = address.service, ""
    for known in ("https:", "http:"):
        if text.startswith(known):
            scheme, text = known[:-1], text[len(known) :]
    place, _, port = text.partition(":")
    namespace, _, name = place.partition("/")
    return ServiceEndpoint(reader, namespace, name, port, scheme=scheme, prefix=address.path, headers=headers)


def _token(address: EndpointConfig) -> dict[str, str]:
    if address.token_env:
        token = os.environ.get(address.token_env, "")
        if not token:
            raise UsageError(f"the environment has no {address.token_env}, which the config names as a token")
        return {"Authorization": f"Bearer {token}"}
    if address.token_file:
        try:
            return {"Authorization": f"Bearer {Path(address.token_file).expanduser().read_text().strip()}"}
        except OSError as error:
            raise UsageError(f"token file {address.token_file}: {error.strerror}") from None
    return {}
