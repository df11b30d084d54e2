"""Alertmanager's API v2: the alerts that fire, grouped, silenced, and as a webhook would send them. Shapes of 0.25."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from console.base.clock import parse_time
from console.drill.metrics.rules import Alert, Rules

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
_MATCHER = re.compile(r'^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"?((?:[^"\\]|\\.)*)"?\s*$')
RESOLVE_SECONDS = 240.0
RECEIVER = "oncall"
PROMETHEUS = "http://prometheus.monitoring.svc:9090"


def millis(seconds: float) -> str:
    """RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fingerprint(labels: tuple[tuple[str, str], ...]) -> str:
    """The FNV-1a hash by which Prometheus and Alertmanager know a label set."""
    value = 14695981039346656037
    for name, text in labels:
        for byte in f"{name}\xff{text}\xff".encode("latin-1", "replace"):
            value = ((value ^ byte) * 1099511628211) & (2**64 - 1)
    return f"{value:016x}"


@dataclass
class Silence:
    """A silence. Times in epoch seconds."""

    id: str
    matchers: list[Object]
    starts: float
    ends: float
    comment: str
    author: str
    updated: float

    def state(self, now: float) -> str:
        """`pending`, `active` or `expired`."""
        if now >= self.ends:
            return "expired"
        return "pending" if now < self.starts else "active"

    def silences(self, labels: dict[str, str], now: float) -> bool:
        """Whether it mutes an alert."""
        return self.state(now) == "active" and all(matched(m, labels) for m in self.matchers)

    def json(self, now: float) -> Object:
        """As the API shows it."""
        return {
            "id": self.id,
            "status": {"state": self.state(now)},
            "updatedAt": millis(self.updated),
            "comment": self.comment,
            "createdBy": self.author,
            "endsAt": millis(self.ends),
            "matchers": self.matchers,
            "startsAt": millis(self.starts),
        }


def matched(matcher: Object, labels: dict[str, str]) -> bool:
    """Whether labels pass one matcher."""
    have, value = labels.get(matcher["name"], ""), matcher["value"]
    hit = re.fullmatch(value, have) is not None if matcher["isRegex"] else have == value
    return hit is bool(matcher.get("isEqual", True))


class _Bad(Exception):
    def __init__(self, body: Any, code: int) -> None:
        super().__init__(str(body))
        self.body, self.code = body, code


class AlertmanagerServer:
    """One Alertmanager."""

    def __init__(self, rules: Rules, world: World, sync: Any) -> None:
        self.rules, self.world, self.sync = rules, world, sync
        self.silences: dict[str, Silence] = {}

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application()

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.handle(request.path, request)

        app.router.add_route("*", "/{path:.*}", handle)
        return app

    @property
    def now(self) -> float:
        """Virtual epoch seconds."""
        return self.world.heap.now

    async def handle(self, path: str, request: web.Request) -> web.StreamResponse:
        """Any request; `path` is what follows the server's root (or a proxy's)."""
        self.sync()
        if path in ("/-/healthy", "/-/ready"):
            return web.Response(text="OK")
        try:
            return _json(self._answer(path, request, await request.read()))
        except _Bad as error:
            return _json(error.body, error.code)

    def _answer(self, path: str, request: web.Request, body: bytes) -> Any:
        name, method = path.removeprefix("/api/v2/"), request.method
        one = re.fullmatch(r"silence/([^/]+)", name)
        if name == "status":
            return self._status()
        if name == "receivers":
            return [{"name": RECEIVER}]
        if name == "alerts" and method == "GET":
            return [self.alert_json(alert) for alert in self._wanted(request)]
        if name == "alerts/groups":
            return self._groups(request)
        if name == "silences" and method == "GET":
            chosen = [_parse(text) for text in request.query.getall("filter", [])]
            found = [s for s in self.silences.values() if _about(s, chosen)]
            return [s.json(self.now) for s in found]
        if name == "silences" and method == "POST":
            return self._create(body)
        if one:
            return self._silence(one.group(1), method)
        raise _Bad({"code": 404, "message": f"path {path} was not found"}, 404)

    # -- alerts ---------------------------------------------------------------------------------------------------

    def firing(self) -> list[Alert]:
        """Alerts that Prometheus has sent."""
        return [a for a in self.rules.active(self.now) if a.state(self.now) == "firing"]

    def _muted(self, alert: Alert) -> list[str]:
        labels = dict(alert.labels)
        return sorted(s.id for s in self.silences.values() if s.silences(labels, self.now))

    def _wanted(self, request: web.Request) -> list[Alert]:
        filters = [_parse(text) for text in request.query.getall("filter", [])]
        out = []
        for alert in self.firing():
            muted = bool(self._muted(alert))
            if muted and request.query.get("silenced", "true") == "false":
                continue
            if not muted and request.query.get("active", "true") == "false":
                continue
            if all(matched(f, dict(alert.labels)) for f in filters):
                out.append(alert)
        return out

    def alert_json(self, alert: Alert) -> Object:
        """A gettable alert."""
        muted = self._muted(alert)
        return {
            "annotations": alert.annotations,
            "endsAt": millis(alert.updated_at + RESOLVE_SECONDS),
            "fingerprint": fingerprint(alert.labels),
            "receivers": [{"name": RECEIVER}],
            "startsAt": millis(alert.firing_at or alert.active_at),
            "status": {"inhibitedBy": [], "silencedBy": muted, "state": "suppressed" if muted else "active"},
            "updatedAt": millis(alert.updated_at),
            "generatorURL": generator_url(alert),
            "labels": dict(alert.labels),
        }

    def _groups(self, request: web.Request) -> list[Object]:
        grouped: dict[str, list[Alert]] = {}
        for alert in self._wanted(request):
            grouped.setdefault(dict(alert.labels).get("alertname", ""), []).append(alert)
        return [
            {
                "alerts": [self.alert_json(a) for a in alerts],
                "labels": {"alertname": name},
                "receiver": {"name": RECEIVER},
            }
            for name, alerts in sorted(grouped.items())
        ]

    def page(self, alertname: str, wanted: dict[str, str]) -> Object | None:
        """The webhook payload (version 4) of a firing alert; None while it does not fire."""
        found = [
            a
            for a in self.firing()
            if dict(a.labels).get("alertname") == alertname
            and all(dict(a.labels).get(k) == v for k, v in wanted.items())
        ]
        if not found:
            return None
        alerts: list[Object] = [
            {
                "status": "firing",
                "labels": dict(a.labels),
                "annotations": a.annotations,
                "startsAt": millis(a.firing_at or a.active_at),
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": generator_url(a),
                "fingerprint": fingerprint(a.labels),
            }
            for a in found
        ]
        return {
            "version": "4",
            "groupKey": f'{{}}:{{alertname="{alertname}"}}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": RECEIVER,
            "groupLabels": {"alertname": alertname},
            "commonLabels": _common([a["labels"] for a in alerts]),
            "commonAnnotations": _common([a["annotations"] for a in alerts]),
            "externalURL": "http://alertmanager.monitoring.svc:9093",
            "alerts": alerts,
        }

    def _status(self) -> Object:
        return {
            "cluster": {"peers": [], "status": "disabled"},
            "config": {"original": "route:\n  receiver: oncall\n  group_by: [alertname]\nreceivers:\n- name: oncall\n"},
            "uptime": millis(self.rules.since),
            "versionInfo": {
                "branch": "HEAD",
                "buildDate": "20260101-00:00:00",
                "buildUser": "console",
                "goVersion": "go1.19.8",
                "revision": "drill",
                "version": "0.25.0",
            },
        }

    # -- silences -------------------------------------------------------------------------------------------------

    def _create(self, body: bytes) -> Object:
        try:
            data = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise _Bad({"code": 400, "message": f'parsing silence body from "" failed, because {error}'}, 400) from None
        if not isinstance(data, dict):
            raise _Bad({"code": 400, "message": 'parsing silence body from "" failed'}, 400)
        for key in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
            if data.get(key) in (None, ""):
                raise _Bad({"code": 602, "message": f"{key} in body is required"}, 422)
        if not data["matchers"]:
            raise _Bad({"code": 612, "message": "matchers in body should have at least 1 items"}, 422)
        matchers = [self._matcher(index, m) for index, m in enumerate(data["matchers"])]
        if all(matched(m, {}) for m in matchers):
            raise _Bad("silence invalid: at least one matcher must not match the empty string", 400)
        starts, ends = parse_time(data["startsAt"]) or self.now, parse_time(data["endsAt"]) or 0.0
        if ends <= starts:
            raise _Bad("Failed to create silence: start time must be before end time", 400)
        if ends < self.now:
            raise _Bad("Failed to create silence: end time can't be in the past", 400)
        old = self.silences.get(str(data.get("id") or ""))
        made = Silence(
            old.id if old else self.world.ids.uid(),
            matchers,
            max(starts, self.now) if old is None else starts,
            ends,
            str(data["comment"]),
            str(data["createdBy"]),
            self.now,
        )
        self.silences[made.id] = made
        return {"silenceID": made.id}

    def _matcher(self, index: int, matcher: Object) -> Object:
        out = {
            "isEqual": bool(matcher.get("isEqual", True)),
            "isRegex": bool(matcher.get("isRegex", False)),
            "name": str(matcher.get("name", "")),
            "value": str(matcher.get("value", "")),
        }
        if out["isRegex"]:
            try:
                re.compile(str(out["value"]))
            except re.error as error:
                where = f"silence invalid: invalid label matcher {index}"
                raise _Bad(f'{where}: invalid regular expression "{out["value"]}": {error}', 400) from None
        return out

    def _silence(self, name: str, method: str) -> Any:
        try:
            uuid.UUID(name)
        except ValueError:
            raise _Bad({"code": 601, "message": f'silenceID in path must be of type uuid: "{name}"'}, 422) from None
        silence = self.silences.get(name)
        if silence is None:
            raise _Bad("silence not found", 500 if method == "DELETE" else 404)
        if method == "DELETE":
            silence.ends = min(silence.ends, self.now)
            silence.updated = self.now
            return None
        return silence.json(self.now)


def generator_url(alert: Alert) -> str:
    """The link to the rule's expression in Prometheus."""
    return f"{PROMETHEUS}/graph?g0.expr={quote(alert.rule.expr, safe='')}&g0.tab=1"


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    first, *rest = maps
    return {k: v for k, v in first.items() if all(m.get(k) == v for m in rest)}


def _parse(text: str) -> Object:
    found = _MATCHER.match(text)
    if not found:
        raise _Bad(f"bad matcher format: {text}", 400)
    name, op, value = found.groups()
    return {"name": name, "value": value, "isRegex": "~" in op, "isEqual": op[0] == "="}


def _about(silence: Silence, filters: list[Object]) -> bool:
    have = {m["name"]: m["value"] for m in silence.matchers}
    return all(matched(f, have) for f in filters)


def _json(value: Any, code: int = 200) -> web.Response:
    if value is None:
        return web.Response(status=code)
    return web.Response(body=msgspec.json.encode(value), status=code, content_type="application/json")
