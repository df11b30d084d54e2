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
from console.base.jsontext import decode_json
from console.base.redact import redact, redact_argv
from console.base.shapes import entries, mappings
from console.base.text import clean, shorten
from console.wire.checks import fits_in_a_header
from console.wire.config import ClusterTarget

DEADLINE = 30.0
_MAX_OUTPUT = 1_000_000
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class Issued(msgspec.Struct, frozen=True):
    """What a plugin gave: a token, or a client certificate with its key (PEM), and when it ends (epoch seconds)."""

    token: str = ""
    cert: str = ""
    key: str = ""
    expires: float | None = None


class _ExecStatus(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _ExecStatus | None = None


def login_hint(spec: Mapping[str, Any]) -> str:
    """The command that a person runs to log in again, secrets removed."""
    command, args = str(spec.get("command", "")), [str(a) for a in entries(spec.get("args"))]
    env = {str(e.get("name")): str(e.get("value")) for e in mappings(spec.get("env"))}
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


async def issue(spec: Mapping[str, Any], target: ClusterTarget, *, deadline: float = DEADLINE) -> Issued:
    """Run the plugin of `spec` (the `exec` mapping of a user entry).

    Raises:
        LoginNeeded: it cannot be run, fails, takes longer than `deadline` seconds or answers nonsense.
    """
    argv, version = _argv(spec, target)
    hint = login_hint(spec)
    name = clean(str(spec.get("command")))
    if spec.get("interactiveMode") == "Always":
        raise LoginNeeded(f"{name} wants to ask questions, which a full-screen program cannot pass on", hint=hint)
    try:
        output, code, said = await _run(argv, _environment(spec, target, version), deadline)
    except FileNotFoundError:
        install = clean(str(spec.get("installHint") or ""), lines=False).strip()
        raise LoginNeeded(f"{name} is not installed", hint=install or hint) from None
    except TimeoutError:
        raise LoginNeeded(f"{name} did not answer within {deadline:g} s", hint=hint) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise LoginNeeded(f"{name} cannot be run: {why}", hint=hint) from None
    if code != 0:
        raise LoginNeeded(f"{name} failed with exit code {code}" + (f": {said}" if said else ""), hint=hint)
    return _parse(output, version, name, hint)


def _argv(spec: Mapping[str, Any], target: ClusterTarget) -> tuple[list[str], str]:
    """The command line of a plugin, and the apiVersion that it speaks. A relative path is relative to the kubeconfig.

    Raises:
        LoginNeeded: the entry is wrong.
    """
    command, version = str(spec.get("command") or ""), str(spec.get("apiVersion") or "")
    mend = f"mend it in {target.file}"
    if not command or version not in _VERSIONS:
        raise LoginNeeded(
            f"the exec plugin of user {target.user!r} needs a command and the apiVersion {' or '.join(_VERSIONS)}",
            hint=mend,
        )
    if not all(isinstance(spec.get(key) or [], list) for key in ("args", "env")):
        raise LoginNeeded(f"args and env of the exec plugin of user {target.user!r} must be lists", hint=mend)
    if "/" in command and not command.startswith("/"):
        command = str(target.folder / command)
    return [command, *(str(arg) for arg in entries(spec.get("args")))], version


def _environment(spec: Mapping[str, Any], target: ClusterTarget, version: str) -> dict[str, str]:
    info: dict[str, Any] = {"interactive": False}
    if spec.get("provideClusterInfo") is True:
        wanted = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        info["cluster"] = {k: v for k, v in target.cluster_entry.items() if k in wanted}
        for extension in mappings(target.cluster_entry.get("extensions")):
            if isinstance(extension, dict) and extension.get("name") == "client.authentication.k8s.io/exec":
                info["cluster"]["config"] = extension.get("extension")
    given = {str(e["name"]): str(e.get("value", "")) for e in mappings(spec.get("env")) if "name" in e}
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
    said = shorten(clean(redact(lines[-1])), 200) if lines else ""
    return output, process.returncode or 0, said


def _parse(output: bytes, version: str, name: str, hint: str) -> Issued:
    if len(output) > _MAX_OUTPUT:
        raise LoginNeeded(f"{name} printed {len(output)} bytes, which is no credential", hint=hint)
    try:
        answer = decode_json(output, _ExecCredential)
    except msgspec.DecodeError:
        raise LoginNeeded(f"{name} printed something that is no ExecCredential", hint=hint) from None
    if answer.api_version != version:
        raise LoginNeeded(
            f"{name} answered with apiVersion {clean(answer.api_version)!r} where {version!r} was asked for", hint=hint
        )
    status = answer.status
    if status is None or not (status.token or (status.client_certificate_data and status.client_key_data)):
        raise LoginNeeded(f"{name} gave neither a token nor a client certificate with its key", hint=hint)
    if not fits_in_a_header(status.token):
        raise LoginNeeded(f"{name} gave a token with line breaks or control characters in it", hint=hint)
    return Issued(
        token=status.token,
        cert=status.client_certificate_data if status.client_key_data else "",
        key=status.client_key_data,
        expires=parse_time(status.expiration_timestamp),
    )
