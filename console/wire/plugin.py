"""Exec plugins of a kubeconfig: run without our terminal, under a deadline, and never silently ignored.

A plugin that fails means `login needed`: the error carries the command that a person runs to log in.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from console.base.clock import parse_time
from console.base.errors import LoginNeeded
from console.base.redact import redact, redact_argv
from console.base.text import clean, shorten
from console.wire.config import Target

DEADLINE = 30.0
_MAX_OUTPUT = 1_000_000
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class Issued(msgspec.Struct, frozen=True):
    """What a plugin gave: a token, or a client certificate with its key (PEM), and when it ends (epoch seconds)."""

    token: str = ""
    cert: str = ""
    key: str = ""
    expires: float | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


def login_hint(spec: Mapping[str, Any]) -> str:
    """The command that a person runs to log in again, secrets removed."""
    command, args = str(spec.get("command", "")), [str(a) for a in spec.get("args") or []]
    env = {str(e.get("name")): str(e.get("value")) for e in spec.get("env") or [] if isinstance(e, dict)}
    tool = command.rsplit("/", 1)[-1]
    if tool == "aws":
        profile = _value_of("--profile", args) or env.get("AWS_PROFILE") or os.environ.get("AWS_PROFILE", "")
        return "run: aws sso login" + (f" --profile {shlex.quote(clean(profile))}" if profile else "")
    known = {
        "gke-gcloud-auth-plugin": "gcloud auth login",
        "gcloud": "gcloud auth login",
        "kubelogin": "az login",
        "tsh": "tsh login",
        "oci": "oci session authenticate",
        "doctl": "doctl auth init",
    }
    if tool in known:
        return f"run: {known[tool]}"
    return f"run: {shlex.join(redact_argv([clean(part) for part in (command, *args)]))}"


def _value_of(flag: str, args: Sequence[str]) -> str:
    for index, word in enumerate(args):
        if word == flag and index + 1 < len(args):
            return args[index + 1]
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
    return ""


async def issue(spec: Mapping[str, Any], target: Target, *, deadline: float = DEADLINE) -> Issued:
    """Run the plugin of `spec` (the `exec` mapping of a user entry).

    Raises:
        LoginNeeded: it cannot be run, fails, takes longer than `deadline` seconds or answers nonsense.
    """
    hint = login_hint(spec)
    command = str(spec.get("command") or "")
    name = clean(command) or "exec plugin"
    version = str(spec.get("apiVersion") or "")
    if not command or version not in _VERSIONS:
        raise LoginNeeded(
            f"the exec plugin of user {target.user!r} needs a command and the apiVersion {' or '.join(_VERSIONS)}",
            hint=f"mend it in {target.file}",
        )
    if spec.get("interactiveMode") == "Always":
        raise LoginNeeded(f"{name} wants to ask questions, which a full-screen program cannot pass on", hint=hint)
    if "/" in command and not command.startswith("/"):
        command = str(target.folder / command)
    args = [str(a) for a in spec.get("args") or []]
    try:
        output, code, said = await _run([command, *args], _environment(spec, target, version), deadline)
    except FileNotFoundError:
        install = clean(str(spec.get("installHint") or ""), lines=False).strip()
        raise LoginNeeded(f"{name} is not installed", hint=install or hint) from None
    except TimeoutError:
        raise LoginNeeded(f"{name} did not answer within {deadline:g} s", hint=hint) from None
    except OSError as error:
        raise LoginNeeded(f"{name} cannot be run: {error.strerror or error}", hint=hint) from None
    if code != 0:
        raise LoginNeeded(f"{name} failed with exit code {code}" + (f": {said}" if said else ""), hint=hint)
    return _parse(output, version, name, hint)


def _environment(spec: Mapping[str, Any], target: Target, version: str) -> dict[str, str]:
    info: dict[str, Any] = {"interactive": False}
    if spec.get("provideClusterInfo") is True:
        wanted = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        info["cluster"] = {k: v for k, v in target.cluster_entry.items() if k in wanted}
        for extension in target.cluster_entry.get("extensions") or []:
            if isinstance(extension, dict) and extension.get("name") == "client.authentication.k8s.io/exec":
                info["cluster"]["config"] = extension.get("extension")
    given = {
        str(e["name"]): str(e.get("value", "")) for e in spec.get("env") or [] if isinstance(e, dict) and "name" in e
    }
    credential = {"apiVersion": version, "kind": "ExecCredential", "spec": info}
    return {**os.environ, **given, "KUBERNETES_EXEC_INFO": msgspec.json.encode(credential).decode()}


async def _run(argv: list[str], env: dict[str, str], deadline: float) -> tuple[bytes, int, str]:
    """Output, exit code and the last line of stderr. The plugin has no stdin and no terminal of ours."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(deadline):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    lines = errors[-4000:].decode("utf-8", "replace").strip().splitlines()
    said = shorten(redact(clean(lines[-1])), 200) if lines else ""
    return output, process.returncode or 0, said


def _parse(output: bytes, version: str, name: str, hint: str) -> Issued:
    if len(output) > _MAX_OUTPUT:
        raise LoginNeeded(f"{name} printed {len(output)} bytes, which is no credential", hint=hint)
    try:
        answer = msgspec.json.decode(output, type=_ExecCredential)
    except msgspec.DecodeError:
        raise LoginNeeded(f"{name} printed something that is no ExecCredential", hint=hint) from None
    if answer.api_version != version:
        raise LoginNeeded(
            f"{name} answered with apiVersion {clean(answer.api_version)!r} where {version!r} was asked for", hint=hint
        )
    status = answer.status
    if status is None or not (status.token or (status.client_certificate_data and status.client_key_data)):
        raise LoginNeeded(f"{name} gave neither a token nor a client certificate with its key", hint=hint)
    return Issued(
        token=status.token,
        cert=status.client_certificate_data if status.client_key_data else "",
        key=status.client_key_data,
        expires=parse_time(status.expiration_timestamp),
    )
