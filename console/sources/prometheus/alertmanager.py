"""Alertmanager: its alerts and silences, and alerts that arrive as a payload (`--alert FILE|-`)."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from console.base.clock import parse_time
from console.base.errors import DocumentError, ReachError
from console.base.jsontext import decode_elements, decode_tree
from console.base.redact import redact, redact_labels, redact_short
from console.base.text import clean, shorten
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Alert, Origin
from console.wire.endpoint import Endpoint
from console.wire.errors import refusal

T = TypeVar("T")
MAX_PAYLOAD = 4_000_000
MAX_ALERTS = 5_000


class ActiveSilence(Struct, frozen=True):
    """A silence. `matchers` as Alertmanager writes them: `alertname="X"`, `ns=~"a|b"`, `x!="y"`."""

    id: str
    state: str
    matchers: tuple[str, ...]
    created_by: str = ""
    comment: str = ""
    starts: float | None = None
    ends: float | None = None


class _AlertStatus(Struct):
    state: str = ""
    silencedBy: list[str] | None = None
    inhibitedBy: list[str] | None = None


class _Alert(Struct):
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    startsAt: str | None = None
    endsAt: str | None = None
    status: _AlertStatus | None = None


class _Matcher(Struct):
    name: str = ""
    value: str = ""
    isRegex: bool = False
    isEqual: bool | None = True


class _SilenceState(Struct):
    state: str = ""


class _Silence(Struct):
    id: str
    matchers: list[_Matcher] = []
    status: _SilenceState | None = None
    createdBy: str = ""
    comment: str = ""
    startsAt: str | None = None
    endsAt: str | None = None


class Alertmanager:
    """Reads the v2 API of one Alertmanager."""

    def __init__(self, endpoint: Endpoint, *, timeout: float = 8.0) -> None:
        self._endpoint, self._timeout = endpoint, timeout
        self.left_out: tuple[LeftOut, ...] = ()

    async def alerts(self) -> tuple[Alert, ...]:
        """Active alerts, silenced and inhibited ones among them.

        Raises:
            ReachError (LoginNeeded), ForbiddenError, ApiError: they cannot be read.
        """
        path = "/api/v2/alerts"
        raw = await self._get(path, {"active": "true", "silenced": "true", "inhibited": "true"}, _Alert)
        origin = Origin("alertmanager", f"{self._endpoint.label} {path}")
        kept, self.left_out = bounded(raw, MAX_ALERTS, source="alertmanager", what="alerts are read", blinds=True)
        return tuple(_alert(alert, origin) for alert in kept)

    async def silences(self) -> tuple[ActiveSilence, ...]:
        """Silences that hold now or will hold.

        Raises:
            as `alerts`.
        """
        raw = await self._get("/api/v2/silences", None, _Silence)
        out = []
        for silence in raw:
            state = silence.status.state if silence.status else ""
            if state == "expired":
                continue
            out.append(
                ActiveSilence(
                    id=silence.id,
                    state=state,
                    matchers=tuple(_matcher(m) for m in silence.matchers),
                    created_by=redact(silence.createdBy),
                    comment=redact(silence.comment),
                    starts=parse_time(silence.startsAt),
                    ends=parse_time(silence.endsAt),
                )
            )
        return tuple(out)

    async def _get(self, path: str, query: dict[str, str] | None, kind: type[T]) -> list[T]:
        """The items of a list; one that is no `kind` leaves the others."""
        answer = await self._endpoint.get(path, query, timeout=self._timeout, limit=16 * 2**20)
        if answer.status != 200:
            raise refusal(
                answer.status, f"{self._endpoint.label} answers {path} with HTTP {answer.status}: {_said(answer.body)}"
            )
        if answer.content_type != "application/json":
            raise ReachError(
                f"{self._endpoint.label} is no Alertmanager: {path} gives {answer.content_type or 'no type'}"
            )
        try:
            found, wrong = decode_elements(answer.body, kind)
        except msgspec.DecodeError as error:
            raise ReachError(f"the answer of {self._endpoint.label} to {path} makes no sense: {error}") from None
        if wrong and not found:
            raise ReachError(f"the answer of {self._endpoint.label} to {path} makes no sense: {wrong[0]}")
        return found


def read_payload(text: str, file: str) -> tuple[Alert, ...]:
    """The alerts in a webhook payload (Alertmanager, Grafana), in an answer of an API (Alertmanager's `/api/v2/alerts`,
    Prometheus' `/api/v1/alerts`), or a single alert.

    Args:
        file: the name that errors show.

    Raises:
        DocumentError: it is none of these; with line and key.
    """
    if len(text) > MAX_PAYLOAD:
        raise DocumentError(f"the payload is larger than {MAX_PAYLOAD // 1_000_000} MB", file=file)
    try:
        tree = decode_tree(text.encode("utf-8", "replace"))
    except msgspec.DecodeError as error:
        raise DocumentError(f"this is no JSON: {error}", file=file, line=_line_of(text, str(error))) from None
    items, key = _alerts_in(tree, file)
    if not items:
        raise DocumentError("there is no alert in it", file=file, key=key)
    return tuple(_from_payload(item, file, f"{key}[{index}]" if key else "") for index, item in enumerate(items))


def _alerts_in(tree: Any, file: str) -> tuple[list[Any], str]:
    if isinstance(tree, list):
        return tree, "alerts"
    if isinstance(tree, dict):
        data = tree.get("data")
        inner = data if isinstance(data, dict) else tree
        if isinstance(inner.get("alerts"), list):
            return inner["alerts"], "data.alerts" if inner is data else "alerts"
        if isinstance(tree.get("labels"), dict):
            return [tree], ""
    raise DocumentError(
        "this is no alert payload",
        file=file,
        hint="wanted: an Alertmanager webhook body, the JSON of `amtool alert -o json`, or one alert with labels",
    )


def _from_payload(item: Any, file: str, key: str) -> Alert:
    def wrong(field: str, why: str) -> DocumentError:
        return DocumentError(why, file=file, key=f"{key}.{field}" if key else field)

    if not isinstance(item, dict):
        raise wrong("", "an alert must be an object")
    labels = item.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise wrong("labels", "an alert needs labels")
    if not all(isinstance(v, str) for v in labels.values()):
        raise wrong("labels", "labels must be text")
    if not labels.get("alertname"):
        raise wrong("labels.alertname", "an alert needs the label alertname")
    annotations = item.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise wrong("annotations", "annotations must be an object")
    status = item.get("status")
    state, silenced = str(item.get("state") or "firing"), False
    if isinstance(status, str):
        state = status
    elif isinstance(status, dict):
        silenced = bool(status.get("silencedBy"))
        state = "firing"
    began = item.get("startsAt") or item.get("activeAt")
    return Alert(
        name=redact_short(clean(labels["alertname"])),
        labels=redact_labels(labels),
        origin=Origin("alertmanager", f"{file} {key}".strip()),
        state=state,
        annotations=redact_labels({str(k): str(v) for k, v in annotations.items()}),
        since=parse_time(began) if isinstance(began, str) else None,
        silenced=silenced,
        ends=parse_time(item.get("endsAt")),
    )


def _alert(raw: _Alert, origin: Origin) -> Alert:
    status = raw.status or _AlertStatus()
    return Alert(
        name=redact_short(raw.labels.get("alertname", "")),
        labels=redact_labels(raw.labels),
        origin=origin,
        state="firing",
        annotations=redact_labels(raw.annotations or {}),
        since=parse_time(raw.startsAt),
        silenced=bool(status.silencedBy),
    )


def _matcher(raw: _Matcher) -> str:
    equal = raw.isEqual is not False
    operator = ("=~" if equal else "!~") if raw.isRegex else ("=" if equal else "!=")
    return f'{raw.name}{operator}"{redact(raw.value)}"'


def _said(body: bytes) -> str:
    """The error of an Alertmanager: a JSON text, an object with code and message, plain text, or nothing."""
    try:
        tree = decode_tree(body)
    except msgspec.DecodeError:
        tree = body[:400].decode("utf-8", "replace")
    text = tree.get("message", "") if isinstance(tree, dict) else tree if isinstance(tree, str) else ""
    return shorten(clean(redact(str(text))).strip() or "no reason given", 200)


def _line_of(text: str, error: str) -> int:
    found = re.search(r"byte (\d+)", error)
    if not found:
        return text.count("\n") + 1 if "truncated" in error else 0
    return text.encode("utf-8", "replace")[: int(found.group(1))].count(b"\n") + 1
