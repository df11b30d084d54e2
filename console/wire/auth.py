"""Who we are, now: credentials of one connection and their renewal, one at a time however many requests need it."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.base.errors import LoginNeeded
from console.wire import plugin
from console.wire.checks import fits_in_a_header
from console.wire.config import ClusterTarget

_FILE_AGE = 60.0
"""Seconds after which a token file is read again, as kubectl does."""
_EARLY = 10.0
"""Seconds before its end at which a credential is renewed."""
_AT_MOST_EVERY = 2.0
"""Seconds for which new credentials are used although they seem to end: the clocks may differ."""
_FAILURE_HOLDS = 20.0
"""Seconds for which a failed renewal is not tried again, so that a dozen watches start one plugin, not twelve."""


@dataclass(frozen=True)
class Credentials:
    """What is sent with a request. `generation` counts renewals; `cert` and `key` are PEM."""

    generation: int = 0
    authorization: str = field(default="", repr=False)
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: float | None = None
    read_at: float = 0.0


class Authenticator:
    """Gives the credentials of `target`, and new ones when the server no longer takes them."""

    def __init__(self, target: ClusterTarget) -> None:
        self._target = target
        self._login: dict[str, Any] = dict(target.login)
        self._held: Credentials | None = None
        self._lock = asyncio.Lock()
        self._failure: tuple[float, LoginNeeded] | None = None

    async def current(self) -> Credentials:
        """The present credentials, renewed first where they are known to have ended.

        Raises:
            LoginNeeded: there are none to be had.
        """
        held = self._held
        if held is not None and not self._aged(held):
            return held
        return await self._renew(held)

    async def renew(self, refused: Credentials) -> Credentials:
        """Other credentials than `refused`, which the server answered with 401.

        Raises:
            LoginNeeded: there are no others.
        """
        return await self._renew(refused, refused=True)

    def _aged(self, held: Credentials) -> bool:
        age = time.monotonic() - held.read_at
        if held.expires is not None and time.time() >= held.expires - _EARLY:
            return age > _AT_MOST_EVERY
        return bool(self._token_file()) and age > _FILE_AGE

    def forget_failure(self) -> None:
        """Try again at the next request, however recently it failed: the person says that they logged in."""
        self._failure = None

    async def _renew(self, seen: Credentials | None, *, refused: bool = False) -> Credentials:
        async with self._lock:
            held = self._held
            if held is not None and (seen is None or held.generation > seen.generation):
                return held
            if self._failure is not None and time.monotonic() - self._failure[0] < _FAILURE_HOLDS:
                raise LoginNeeded(self._failure[1].message, hint=self._failure[1].hint)
            try:
                fresh = await self._make((held.generation if held else 0) + 1)
                if refused and held is not None and self._same(held, fresh):
                    raise self.refused()
            except LoginNeeded as error:
                self._failure = (time.monotonic(), error)
                raise
            self._failure, self._held = None, fresh
            return fresh

    def _same(self, old: Credentials, new: Credentials) -> bool:
        return (old.authorization, old.cert) == (new.authorization, new.cert)

    def refused(self) -> LoginNeeded:
        """What to say when the server takes none of our credentials."""
        target, spec = self._target, self._login.get("exec")
        if isinstance(spec, dict):
            return LoginNeeded(
                f"the server refuses what the exec plugin of {target.user!r} gives", hint=plugin.login_hint(spec)
            )
        if file := self._token_file():
            return LoginNeeded("the server refuses the token", hint=f"renew the token in {file}")
        if self._login.get("token"):
            kind = "token"
        elif self._login.get("auth-provider"):
            kind = "login"
        elif self._login.get("username"):
            kind = "password"
        elif target.cert:
            kind = "client certificate"
        else:
            return LoginNeeded(
                f"the server wants a login and user {target.user!r} of context {target.context!r} has none",
                hint=f"add credentials to {target.file}",
            )
        return LoginNeeded(
            f"the server refuses the {kind} of user {target.user!r}; it may have ended",
            hint=f"log in again, or renew the {kind} in {target.file}",
        )

    def _token_file(self) -> str:
        name = self._login.get("tokenFile")
        return str(self._target.folder / Path(str(name)).expanduser()) if name else ""

    async def _make(self, generation: int) -> Credentials:
        target, login = self._target, self._login
        now = time.monotonic()
        spec = login.get("exec")
        if isinstance(spec, dict):
            issued = await plugin.issue(spec, target)
            return Credentials(
                generation,
                f"Bearer {issued.token}" if issued.token else "",
                issued.cert.encode() or target.cert,
                issued.key.encode() or target.key,
                issued.expires,
                now,
            )
        header = ""
        if file := self._token_file():
            header = f"Bearer {self._read_token(file)}"
        elif token := login.get("token"):
            header = f"Bearer {token}"
        elif isinstance(login.get("auth-provider"), dict):
            header = await self._provider()
        elif login.get("username") and login.get("password"):
            pair = f"{login['username']}:{login['password']}".encode()
            header = "Basic " + base64.b64encode(pair).decode()
        if not fits_in_a_header(header):
            raise LoginNeeded(
                f"the token of user {target.user!r} has line breaks or control characters in it",
                hint=f"see {target.file}",
            )
        return Credentials(generation, header, target.cert, target.key, None, now)

    def _read_token(self, file: str) -> str:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise LoginNeeded(
                f"the token file {file} cannot be read: {error}", hint=f"see {self._target.file}"
            ) from None
        if not token:
            raise LoginNeeded(f"the token file {file} is empty", hint=f"renew the token in {file}")
        return token

    async def _provider(self) -> str:
        """The header of an `auth-provider` entry (oidc, gcp), which the official client knows how to renew."""
        from kubernetes.aio import config as official
        from kubernetes.aio.client import Configuration

        target = self._target
        name = str(self._login["auth-provider"].get("name"))
        if name not in ("oidc", "gcp"):
            raise LoginNeeded(
                f"user {target.user!r} logs in by the auth-provider {name!r}, which no longer exists",
                hint="use an exec plugin (kubelogin, gke-gcloud-auth-plugin, …)",
            )
        one = {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": "http://unused"}}],
            "users": [{"name": "it", "user": {"auth-provider": self._login["auth-provider"]}}],
        }
        configuration = Configuration()
        try:
            load: Any = official.load_kube_config_from_dict
            await load(one, client_configuration=configuration)
        except Exception as error:
            raise LoginNeeded(
                f"the {name} login of user {target.user!r} cannot be renewed: {error}", hint=f"log in again ({name})"
            ) from None
        return str(configuration.api_key.get("BearerToken", ""))
