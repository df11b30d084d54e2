"""Silences of the simulated Alertmanager, with the three forms of refusal that 0.25 has."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from console.base.clock import parse_time

Object = dict[str, Any]


class AlertmanagerError(Exception):
    """A refusal: the JSON body and the HTTP status."""

    def __init__(self, body: Any, code: int) -> None:
        super().__init__(str(body))
        self.body, self.code = body, code


def millis(seconds: float) -> str:
    """RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def matched(matcher: Object, labels: dict[str, str]) -> bool:
    """Whether labels pass one matcher."""
    have, value = labels.get(matcher["name"], ""), matcher["value"]
    hit = re.fullmatch(value, have) is not None if matcher["isRegex"] else have == value
    return hit is bool(matcher.get("isEqual", True))


@dataclass
class StoredSilence:
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


class Silences:
    """All silences of one Alertmanager.

    Args:
        new_id: gives the id of a new one.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._all: dict[str, StoredSilence] = {}

    def muting(self, labels: dict[str, str], now: float) -> list[str]:
        """Ids of those that mute an alert."""
        return sorted(s.id for s in self._all.values() if s.silences(labels, now))

    def list(self, filters: list[Object], now: float) -> list[Object]:
        """Those whose matchers pass the filters, as the API shows them."""
        found = []
        for silence in self._all.values():
            about = {m["name"]: m["value"] for m in silence.matchers}
            if all(matched(f, about) for f in filters):
                found.append(silence.json(now))
        return found

    def create(self, body: bytes, now: float) -> Object:
        """Make one, or change the one whose `id` is given.

        Raises:
            AlertmanagerError: the body is wrong.
        """
        try:
            data = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            text = f'parsing silence body from "" failed, because {error}'
            raise AlertmanagerError({"code": 400, "message": text}, 400) from None
        if not isinstance(data, dict):
            raise AlertmanagerError({"code": 400, "message": 'parsing silence body from "" failed'}, 400)
        for key in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
            if data.get(key) in (None, ""):
                raise AlertmanagerError({"code": 602, "message": f"{key} in body is required"}, 422)
        if not data["matchers"]:
            raise AlertmanagerError({"code": 612, "message": "matchers in body should have at least 1 items"}, 422)
        matchers = [_matcher(index, m) for index, m in enumerate(data["matchers"])]
        if all(matched(m, {}) for m in matchers):
            raise AlertmanagerError("silence invalid: at least one matcher must not match the empty string", 400)
        starts, ends = parse_time(data["startsAt"]) or now, parse_time(data["endsAt"]) or 0.0
        if ends <= starts:
            raise AlertmanagerError("Failed to create silence: start time must be before end time", 400)
        if ends < now:
            raise AlertmanagerError("Failed to create silence: end time can't be in the past", 400)
        old = self._all.get(str(data.get("id") or ""))
        id = old.id if old else self._new_id()
        begins = starts if old else max(starts, now)
        self._all[id] = StoredSilence(id, matchers, begins, ends, str(data["comment"]), str(data["createdBy"]), now)
        return {"silenceID": id}

    def one(self, name: str, method: str, now: float) -> Object | None:
        """GET (its JSON) or DELETE (None) of one.

        Raises:
            AlertmanagerError: there is none of that id.
        """
        try:
            uuid.UUID(name)
        except ValueError:
            text = f'silenceID in path must be of type uuid: "{name}"'
            raise AlertmanagerError({"code": 601, "message": text}, 422) from None
        silence = self._all.get(name)
        if silence is None:
            raise AlertmanagerError("silence not found", 500 if method == "DELETE" else 404)
        if method == "DELETE":
            silence.ends, silence.updated = min(silence.ends, now), now
            return None
        return silence.json(now)


def _matcher(index: int, matcher: Object) -> Object:
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
            text = f'invalid label matcher {index}: invalid regular expression "{out["value"]}": {error}'
            raise AlertmanagerError(f"silence invalid: {text}", 400) from None
    return out
