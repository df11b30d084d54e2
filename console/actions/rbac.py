"""The manifests that grant rights: what an administrator is asked for, ready to paste. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from console.actions.verb import Right

RBAC = "rbac.authorization.k8s.io/v1"


def manifests(rights: Iterable[Right], name: str) -> str:
    """A Role for each namespace and a ClusterRole for what is in none, with the verbs of one resource in one rule.

    Args:
        name: of each of them.
    """
    places: dict[str, dict[tuple[str, str], list[str]]] = {}
    for right in rights:
        verbs = places.setdefault(right.namespace, {}).setdefault((right.group, right.resource), [])
        verbs += [right.verb] if right.verb not in verbs else []
    return "---\n".join(_manifest(namespace, rules, name) for namespace, rules in sorted(places.items()))


def _manifest(namespace: str, rules: dict[tuple[str, str], list[str]], name: str) -> str:
    lines = [f"apiVersion: {RBAC}", f"kind: {'Role' if namespace else 'ClusterRole'}", "metadata:", f"  name: {name}"]
    lines += [f"  namespace: {_quoted(namespace)}"] if namespace else []
    lines.append("rules:")
    for (group, resource), verbs in rules.items():
        lines.append(f"- apiGroups: [{_quoted(group)}]")
        lines.append(f"  resources: [{_quoted(resource)}]")
        lines.append(f"  verbs: [{', '.join(map(_quoted, verbs))}]")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text)
