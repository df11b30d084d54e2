"""What Console reads, as the rules of a ClusterRole: taken from the tables of what its sources read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.advice.objects import GROUPS, KINDS
from console.live.against import SIDE
from console.sources.cluster import beside, kinds, names
from console.sources.prometheus import scrape_objects

_FOLLOW, _LIST, _GET = ("get", "list", "watch"), ("get", "list"), ("get",)
NAME = "console-reader"
SECRETS = "secrets"
"""Never asked for: who may list Secrets may read them. Without it nothing is said of a Secret that is missing."""
_ALONE = (("", "pods/log", _GET), ("", "pods/proxy", _GET), ("", "services/proxy", _GET), ("", "services", _LIST))


def _all() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(API group, resource, verbs) of everything that is read."""
    for kind in kinds.ALL:
        yield kind.group, kind.plural, _FOLLOW
    for kind in (*beside.LOCAL_KINDS, *beside.WIDE_KINDS):
        yield kind.group, kind.plural, _LIST
    for plural in names.PLURALS.values():
        yield "", plural, _LIST
    for plural in KINDS:
        yield GROUPS.get(plural, ""), plural, _LIST
    for _, plural in scrape_objects.SCRAPE_KINDS:
        yield scrape_objects.GROUP.rpartition("/")[2], plural, _LIST
    for api_version, plural, _ in SIDE:
        yield api_version.rpartition("/")[0], plural, _LIST
    yield from _ALONE


def reading() -> dict[str, Any]:
    """The ClusterRole that lets Console read all that it looks at, and change nothing."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for group, resource, needed in _all():
        if resource != SECRETS:
            verbs.setdefault((group, resource), set()).update(needed)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), mine in sorted(verbs.items()):
        together.setdefault((group, tuple(v for v in _FOLLOW if v in mine)), []).append(resource)
    rules = [{"apiGroups": [g], "resources": found, "verbs": list(v)} for (g, v), found in together.items()]
    meta = {"name": NAME}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}
