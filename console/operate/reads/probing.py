"""Asking ports through the API server's proxy: whether anything takes connections there, and what it answers to a GET.

The proxy speaks HTTP only. Of what speaks something else it says how the attempt ended, which tells a port that nobody
listens on from one that answers otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.base.jsontext import decode_json, decode_tree
from console.base.redact import redact, redact_value
from console.base.shapes import mappings
from console.base.text import clean, shorten
from console.runbook.context.objects import LiveObject
from console.runbook.model import Probe
from console.wire.errors import NotFoundError
from console.wire.http import HttpAnswer
from console.wire.paths import object_path, proxy_path
from console.wire.reader import Reader

PATIENCE = 5.0
"""Seconds for one answer."""
READ = 2**20
"""Bytes of an answer; one that is longer is not read."""
SHOWN = 4000
"""Characters of its text that templates see."""
_REACHING = "error trying to reach service: "
_NOBODY = ("no endpoints available", "no service port")
_LATE = ("deadline exceeded", "timeout awaiting", "Client.Timeout", "request canceled")


async def probed(reader: Reader, probes: Iterable[Probe], seen: Mapping[str, LiveObject]) -> dict[str, LiveObject]:
    """What each port answers, by the name of its probe, asked at the same time.

    Args:
        seen: the objects that the runbook names, as they were just read.
    """
    asked = list(probes)
    answers = await asyncio.gather(*(_probe(reader, one, seen.get(one.of)) for one in asked))
    return {one.name: answer for one, answer in zip(asked, answers, strict=True)}


async def _probe(reader: Reader, probe: Probe, of: LiveObject | None) -> LiveObject:
    if of is None:
        return LiveObject("unreachable", None, f"{probe.of} is not known")
    if of.state == "absent":
        return closed(of.because)
    if of.state != "found" or not isinstance(of.tree, dict):
        return LiveObject(of.state, None, of.because)
    try:
        path = await _path(reader, probe, of.tree)
        if path is None:
            return closed("no pod of it runs")
        began = time.monotonic()
        answer = await reader.proxied(path, timeout=PATIENCE, limit=READ)
        return LiveObject("found", answered(answer, time.monotonic() - began))
    except ForbiddenError as error:
        return LiveObject("forbidden", None, clean(error.message))
    except NotFoundError as error:
        return closed(clean(error.message))
    except ReachError as error:
        return unanswered(clean(error.message))
    except ConsoleError as error:
        return LiveObject("unreachable", None, clean(error.message))


def closed(because: str) -> LiveObject:
    """Nothing takes connections there."""
    return LiveObject("found", {"open": False, "because": because}, because)


def answered(answer: HttpAnswer, seconds: float) -> dict[str, Any]:
    """An HTTP answer as templates see it; `json` where its body is that."""
    text = answer.body.decode("utf-8", "replace")
    out: dict[str, Any] = {"open": True, "status": answer.status, "seconds": round(seconds, 3)}
    out["text"] = redact(clean(shorten(text, SHOWN)))
    with contextlib.suppress(msgspec.DecodeError):
        out["json"] = redact_value(decode_json(answer.body))
    return out


def unanswered(said: str) -> LiveObject:
    """What the proxy says where no HTTP answer came: whether somebody listens, or that this cannot be told."""
    if any(word in said for word in _NOBODY):
        return closed(said)
    _, found, why = said.partition(_REACHING)
    if not found or any(word in why for word in _LATE):
        return LiveObject("unreachable", None, said)
    if why.startswith("dial ") or "while dialing" in why or "no such host" in why:
        return closed(why)
    return LiveObject("found", {"open": True, "because": f"it takes connections, and speaks no HTTP: {why}"}, why)


async def _path(reader: Reader, probe: Probe, obj: Mapping[str, Any]) -> str | None:
    """Where the proxy to the port is; None where the object is a workload of which no pod runs."""
    meta, kind = obj.get("metadata") or {}, obj.get("kind")
    namespace, name = str(meta.get("namespace") or ""), str(meta.get("name") or "")
    scheme = probe.scheme if probe.scheme == "https" else ""
    if kind == "Service":
        return proxy_path("services", namespace, name, probe.port, probe.get, scheme)
    if kind != "Pod":
        name = await _pod_of(reader, obj, namespace)
    return proxy_path("pods", namespace, name, probe.port, probe.get, scheme) if name else None


async def _pod_of(reader: Reader, obj: Mapping[str, Any], namespace: str) -> str:
    """Name of a pod of a workload that runs, one that is ready where there is one; `` where none runs."""
    labels = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    if not labels:
        raise ConsoleError("it selects no pods by labels")
    query = {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items()), "limit": "100"}
    tree = decode_tree(await reader.get(object_path("v1", "pods", namespace), query))
    running = [p for p in mappings(tree.get("items")) if (p.get("status") or {}).get("phase") == "Running"]
    best = max(running, key=_ready, default=None)
    return str((best.get("metadata") or {}).get("name") or "") if best is not None else ""


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = mappings((pod.get("status") or {}).get("conditions"))
    deleted = (pod.get("metadata") or {}).get("deletionTimestamp")
    return not deleted and any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
