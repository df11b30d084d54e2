"""Who has members on a node, kept from one look to the next: only applications that changed are looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.apps.model import Member, SparkApp

Places = dict[str, list[Member]]
"""Members of one application by the node that they run or ran on."""


class Tenants:
    """Applications by the nodes of their drivers and executors."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[SparkApp, Places]] = {}
        self._on: dict[str, set[str]] = {}

    def see(self, apps: Sequence[SparkApp]) -> Tenants:
        """Take these applications for all that there are."""
        was, now = self._known, dict[str, tuple[SparkApp, Places]]()
        nowhere: tuple[None, Places] = (None, {})
        for app in apps:
            known, places = was.get(app.key, nowhere)
            if known is not app and not (known is not None and _stayed(places, known, app)):
                made = _places(app)
                self._move(app.key, places, made)
                places = made
            now[app.key] = app, places
        for key in was.keys() - now.keys():
            self._move(key, was[key][1], {})
        self._known = now
        return self

    def _move(self, key: str, before: Places, after: Places) -> None:
        for node in before.keys() - after.keys():
            self._on[node].discard(key)
        for node in after.keys() - before.keys():
            self._on.setdefault(node, set()).add(key)

    def on(self, node: str) -> Iterator[tuple[SparkApp, Sequence[Member]]]:
        """Each application that has or had members on a node, with those members."""
        for key in self._on.get(node, ()):
            app, places = self._known[key]
            yield app, places[node]


def _stayed(places: Places, before: SparkApp, app: SparkApp) -> bool:
    """Whether every member is where it was: then those that changed are put in the places of the former ones."""
    was, now = (before.driver, *before.executors), (app.driver, *app.executors)
    if len(was) != len(now):
        return False
    changed = [(one, other) for one, other in zip(was, now, strict=True) if one is not other]
    if any(one is None or other is None or one.node != other.node for one, other in changed):
        return False
    for one, other in changed:
        if one is not None and other is not None and one.node:
            there = places[one.node]
            there[next(at for at, member in enumerate(there) if member is one)] = other
    return True


def _places(app: SparkApp) -> Places:
    out: Places = {}
    if app.driver is not None and app.driver.node:
        out[app.driver.node] = [app.driver]
    for member in app.executors:
        if member.node:
            if member.node in out:
                out[member.node].append(member)
            else:
                out[member.node] = [member]
    return out
