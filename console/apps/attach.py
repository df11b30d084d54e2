"""Which logs, REST answers and metrics belong to which application: by pod, by application id, or because there is no
other application they could belong to. Where that is not clear they stay apart rather than go to the wrong one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from console.apps.groups import Group, GroupId
from console.base.shapes import mappings
from console.facts import lognames
from console.facts import logs as logtext
from console.facts.model import Facts, Log, RestDocument
from console.facts.rest import text

_IP = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?![\d.])")


@dataclass
class Belongings:
    """What belongs to one application besides its Kubernetes objects."""

    logs: list[Log] = field(default_factory=list)
    rest: list[RestDocument] = field(default_factory=list)


@dataclass
class Attached:
    """The result: per group, per application id that has no objects (standalone, History Server), and the rest."""

    groups: dict[GroupId, Belongings]
    loose: dict[str, Belongings]
    shared_logs: list[Log] = field(default_factory=list)
    """Logs of no single application: master, worker, operator."""
    shared_rest: list[RestDocument] = field(default_factory=list)


ANONYMOUS = ""
"""Key in `loose` of what belongs to one application that nothing names."""


def attach(facts: Facts, groups: dict[GroupId, Group]) -> Attached:
    """Distribute logs and REST answers over the applications."""
    out = Attached({gid: Belongings() for gid in groups}, {})
    if not facts.logs and not facts.rest:
        return out
    by_app, by_pod = _owners_by_name(groups)
    nameless: list[RestDocument] = []
    for doc in facts.rest:
        _rest(doc, out, by_app, by_pod, nameless)
    pending: list[Log] = []
    for log in facts.logs:
        if log.role in ("master", "worker", "operator"):
            out.shared_logs.append(log)
        elif (target := _log_target(log, by_app, by_pod, groups)) is not None:
            _give_log(out, target, log)
        else:
            pending.append(log)
    only = _give_nameless_logs(pending, out, groups)
    _give_nameless_rest(nameless, only, out, groups)
    return out


def _owners_by_name(groups: dict[GroupId, Group]) -> tuple[dict[str, GroupId], dict[str, GroupId]]:
    """(application id, `namespace/pod`) → the application whose it is."""
    by_app: dict[str, GroupId] = {}
    by_pod: dict[str, GroupId] = {}
    for gid, group in groups.items():
        for app_id in group.app_ids:
            by_app.setdefault(app_id, gid)
        for pod in (*group.drivers, *group.executors):
            by_pod[f"{pod.namespace}/{pod.name}"] = gid
    return by_app, by_pod


def _give_nameless_logs(logs: list[Log], out: Attached, groups: dict[GroupId, Group]) -> GroupId | str | None:
    """Logs that name no application go to the one that they lie with, else to the only one. Returns that only one."""
    homes = _homes(out)
    only = _only_app(out, groups)
    for log in logs:
        home = homes.get(_folder(log.origin.locator), set())
        near = next(iter(home)) if len(home) == 1 else _counterpart(log, home, out) if home else None
        if near is not None:
            _give_log(out, near, log)
        elif only is None:
            _give_log(out, ANONYMOUS, log)
            only = ANONYMOUS if not groups and len(out.loose) == 1 else None
        elif only == ANONYMOUS or _beside(log, _places(only, out, groups)):
            _give_log(out, only, log)
        else:
            _give_log(out, ANONYMOUS, log)
    return only


def _give_nameless_rest(
    docs: list[RestDocument], only: GroupId | str | None, out: Attached, groups: dict[GroupId, Group]
) -> None:
    """REST answers that name no application go to the only one; where there is none, all of one place make one."""
    alone = not groups and not out.loose and _one_place(docs)
    for doc in docs:
        target = only if only is not None else ANONYMOUS if alone else _only_app(out, groups)
        if target is None:
            out.shared_rest.append(doc)
        elif isinstance(target, tuple):
            out.groups[target].rest.append(doc)
        else:
            out.loose.setdefault(target, Belongings()).rest.append(doc)


def _rest(
    doc: RestDocument,
    out: Attached,
    by_app: dict[str, GroupId],
    by_pod: dict[str, GroupId],
    nameless: list[RestDocument],
) -> None:
    if doc.path in ("master", "worker", "version"):
        out.shared_rest.append(doc)
        return
    if doc.path == "applications":
        for row in mappings(doc.data):
            app_id = text(row, "id")
            gid = by_app.get(app_id) or by_pod.get(doc.pod.removeprefix("Pod/"))
            one = RestDocument("", dict(row), doc.origin, app_id=app_id, pod=doc.pod)
            if gid is not None:
                out.groups[gid].rest.append(one)
            elif app_id:
                out.loose.setdefault(app_id, Belongings()).rest.append(one)
        return
    gid = by_app.get(doc.app_id) or by_pod.get(doc.pod.removeprefix("Pod/"))
    if gid is not None:
        out.groups[gid].rest.append(doc)
    elif doc.app_id:
        out.loose.setdefault(doc.app_id, Belongings()).rest.append(doc)
    else:
        nameless.append(doc)


def _log_target(
    log: Log, by_app: dict[str, GroupId], by_pod: dict[str, GroupId], groups: dict[GroupId, Group]
) -> GroupId | str | None:
    subject = log.subject.removeprefix("Pod/")
    parts = subject.split("/")
    if len(parts) >= 2 and (gid := by_pod.get("/".join(parts[:2]))) is not None:
        return gid
    host = lognames.process_host(log.text)
    if host:
        for key, gid in by_pod.items():
            if key.endswith("/" + host):
                return gid
    found = lognames.app_ids(log.text)
    for app_id in found:
        if app_id in by_app:
            return by_app[app_id]
    if found:
        return found[0]
    return _by_pod_or_address(log, groups)


def _by_pod_or_address(log: Log, groups: dict[GroupId, Group]) -> GroupId | None:
    """The one group whose pod names or addresses the log speaks of."""
    part = log.text[:200_000]
    named = [
        gid
        for gid, group in groups.items()
        if any(pod.name and pod.name in part for pod in (*group.drivers, *group.executors[:50]))
    ]
    if len(named) == 1:
        return named[0]
    addresses = set(_IP.findall(part))
    spoken = [
        gid
        for gid, group in groups.items()
        if sum(1 for pod in (*group.drivers, *group.executors) if pod.ip and pod.ip in addresses) > 0
    ]
    return spoken[0] if len(spoken) == 1 else None


def _folder(locator: str) -> str:
    return locator.rpartition("/")[0]


def _one_place(docs: list[RestDocument]) -> bool:
    """Whether answers that name no application lie in one folder, or below one that holds some of them."""
    places = sorted({_folder(doc.origin.locator) for doc in docs})
    return bool(places) and all(place.startswith(places[0]) for place in places)


def _places(target: GroupId | str, out: Attached, groups: dict[GroupId, Group]) -> set[str]:
    """The folders that hold the evidence of an application."""
    group = groups.get(target) if isinstance(target, tuple) else None
    belongings = out.groups[target] if isinstance(target, tuple) else out.loose.get(target, Belongings())
    places = {_folder(log.origin.locator) for log in belongings.logs}
    places |= {_folder(doc.origin.locator) for doc in belongings.rest}
    if group is not None:
        places |= {_folder(p.origin.locator.partition(": ")[0]) for p in (*group.drivers, *group.executors)}
        if group.cr is not None:
            places.add(_folder(group.cr.origin.locator.partition(": ")[0]))
    return places


def _beside(log: Log, places: set[str]) -> bool:
    """Whether a log that names nothing lies with the evidence of an application: in its folder, above or below it."""
    here = _folder(log.origin.locator)
    return any(here.startswith(place) or place.startswith(here) for place in places)


def _counterpart(log: Log, home: set[GroupId | str], out: Attached) -> GroupId | str | None:
    """The one application of a folder that lacks a log of this kind and has the other kind from the same time."""
    span = _span(log)
    if log.role not in ("driver", "executor") or span is None:
        return None
    found = []
    for target in home:
        held = out.groups[target].logs if isinstance(target, tuple) else out.loose[target].logs
        others = [s for one in held if one.role in ("driver", "executor") and (s := _span(one)) is not None]
        if any(one.role == log.role for one in held) or not others:
            continue
        begin, end = min(s[0] for s in others), max(s[1] for s in others)
        if min(end, span[1]) - max(begin, span[0]) >= 0.5 * min(end - begin, span[1] - span[0]):
            found.append(target)
    return found[0] if len(found) == 1 else None


def _span(log: Log) -> tuple[float, float] | None:
    text = logtext.Text(log)
    first, last = text.first_time, text.last_time
    return (first, last) if first is not None and last is not None else None


def _homes(out: Attached) -> dict[str, set[GroupId | str]]:
    """Folder of a saved log → the applications whose logs lie there."""
    homes: dict[str, set[GroupId | str]] = {}
    for gid, belongings in out.groups.items():
        for log in belongings.logs:
            homes.setdefault(_folder(log.origin.locator), set()).add(gid)
    for app_id, belongings in out.loose.items():
        for log in belongings.logs:
            homes.setdefault(_folder(log.origin.locator), set()).add(app_id)
    return homes


def _only_app(out: Attached, groups: dict[GroupId, Group]) -> GroupId | str | None:
    """The one application there is, if there is one: then everything nameless is its."""
    if len(groups) == 1:
        return next(iter(groups))
    if groups:
        return None
    speaking = [k for k, b in out.loose.items() if b.logs and k != ANONYMOUS]
    if len(speaking) == 1:
        return speaking[0]
    talked = [k for k, b in out.loose.items() if b.logs or any(d.path not in ("",) for d in b.rest)]
    if len(talked) == 1:
        return talked[0]
    return next(iter(out.loose)) if len(out.loose) == 1 else None


def _give_log(out: Attached, target: GroupId | str, log: Log) -> None:
    if isinstance(target, tuple):
        out.groups[target].logs.append(log)
    else:
        out.loose.setdefault(target, Belongings()).logs.append(log)


def names(logs: Iterable[Log]) -> str:
    """The application name that its logs give."""
    return next((name for log in logs if (name := lognames.app_name(log.text))), "")
