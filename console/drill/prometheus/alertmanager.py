"""Alertmanager's API v2: the alerts that fire, grouped, silenced, and as a webhook would send them. Shapes of 0.25."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from console.drill.prometheus.rules import ActiveAlert, RuleManager
from console.drill.prometheus.silences import AlertmanagerError, Silences, matched, millis

Object = dict[str, Any]
_MATCHER = re.compile(r'^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"?((?:[^"\\]|\\.)*)"?\s*$')
RESOLVE_SECONDS = 240.0
RECEIVER = "oncall"
PROMETHEUS = "http://prometheus.monitoring.svc:9090"


def fingerprint(labels: tuple[tuple[str, str], ...]) -> str:
    """The FNV-1a hash by which Prometheus and Alertmanager know a label set."""
    value = 14695981039346656037
    for name, text in labels:
        for byte in f"{name}\xff{text}\xff".encode("latin-1", "replace"):
            value = ((value ^ byte) * 1099511628211) & (2**64 - 1)
    return f"{value:016x}"


class AlertmanagerServer:
    """One Alertmanager."""

    def __init__(self, rules: RuleManager, new_id: Callable[[], str], sync: Callable[[], None]) -> None:
        self.rules, self.sync = rules, sync
        self.silences = Silences(new_id)

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
        return self.rules.storage.now

    async def handle(self, path: str, request: web.Request) -> web.StreamResponse:
        """Any request; `path` is what follows the server's root (or a proxy's)."""
        self.sync()
        if path in ("/-/healthy", "/-/ready"):
            return web.Response(text="OK")
        try:
            return _json(self._answer(path, request, await request.read()))
        except AlertmanagerError as error:
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
            return self.silences.list(chosen, self.now)
        if name == "silences" and method == "POST":
            return self.silences.create(body, self.now)
        if one:
            return self.silences.one(one.group(1), method, self.now)
        raise AlertmanagerError({"code": 404, "message": f"path {path} was not found"}, 404)

    # -- alerts ---------------------------------------------------------------------------------------------------

    def firing(self) -> list[ActiveAlert]:
        """Alerts that Prometheus has sent."""
        return [a for a in self.rules.active(self.now) if a.state(self.now) == "firing"]

    def _muted(self, alert: ActiveAlert) -> list[str]:
        return self.silences.muting(dict(alert.labels), self.now)

    def _wanted(self, request: web.Request) -> list[ActiveAlert]:
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

    def alert_json(self, alert: ActiveAlert) -> Object:
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
        grouped: dict[str, list[ActiveAlert]] = {}
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


def generator_url(alert: ActiveAlert) -> str:
    """The link to the rule's expression in Prometheus."""
    return f"{PROMETHEUS}/graph?g0.expr={quote(alert.rule.expr, safe='')}&g0.tab=1"


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    first, *rest = maps
    return {k: v for k, v in first.items() if all(m.get(k) == v for m in rest)}


def _parse(text: str) -> Object:
    found = _MATCHER.match(text)
    if not found:
        raise AlertmanagerError(f"bad matcher format: {text}", 400)
    name, op, value = found.groups()
    return {"name": name, "value": value, "isRegex": "~" in op, "isEqual": op[0] == "="}


def _json(value: Any, code: int = 200) -> web.Response:
    if value is None:
        return web.Response(status=code)
    return web.Response(body=msgspec.json.encode(value), status=code, content_type="application/json")
