"""The indented text that `kubectl describe` prints of custom resources and nodes → objects as the API holds them.

kubectl turns `executionAttempts` into `Execution Attempts` and prints the items of a list one after the other, so that
a key which comes again begins the next item.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from console.base.clock import rfc3339
from console.base.units import parse_number

Tree = dict[str, Any]
_FIELD = re.compile(r"^([A-Za-z][\w ./()-]{0,120}?):(?:\s+(.*))?$")
_ALWAYS_LISTS = frozenset(
    {
        *("conditions", "podSets", "tolerations", "ownerReferences", "admissionChecks", "podSetAssignments", "env"),
        *("resourceGroups", "flavors", "flavorsReservation", "flavorsUsage", "taints", "resourceRequests", "volumes"),
        *("volumeMounts", "arguments", "schedulingGates", "sidecars", "initContainers", "imagePullSecrets"),
    }
)
_TEXTS = frozenset({"message", "errorMessage", "reason", "name", "image", "sparkVersion", "memory", "type", "state"})


def outline(lines: list[str]) -> Any:
    """The tree that indented lines of `Key: value` hold. Lines without a key continue the value before them."""
    return _tree([(len(line) - len(line.lstrip()), line.strip()) for line in lines if line.strip()], 0)[0]


def _tree(lines: list[tuple[int, str]], at: int) -> tuple[Any, int]:
    """(tree, index of the first line that is not in it) of the lines from `at` on that are indented as deep."""
    depth = lines[at][0] if at < len(lines) else 0
    items: list[Tree] = [{}]
    plain: list[str] = []
    last = ""
    while at < len(lines) and lines[at][0] >= depth:
        indent, text = lines[at]
        found = _FIELD.match(text) if indent == depth else None
        if found is None:
            if last and isinstance(items[-1].get(last), str):
                items[-1][last] += f"\n{text}"
            else:
                plain.append(text)
            at += 1
            continue
        key, value = field_name(found.group(1)), found.group(2) or ""
        if key in items[-1]:
            items.append({})
        last, at = key, at + 1
        if not value and at < len(lines) and lines[at][0] > depth:
            items[-1][key], at = _tree(lines, at)
            if key in _ALWAYS_LISTS and isinstance(items[-1][key], dict):
                items[-1][key] = [items[-1][key]]
        else:
            items[-1][key] = value if key in _TEXTS else _scalar(value)
    if len(items) > 1:
        return items, at
    return (items[0] or plain), at


def field_name(label: str) -> str:
    """`executionAttempts` of `Execution Attempts`, `apiVersion` of `API Version`; other names as they are."""
    if not re.fullmatch(r"[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)*", label):
        return label
    first, *rest = label.split(" ")
    return (first.lower() if first.isupper() else first[0].lower() + first[1:]) + "".join(rest)


def _scalar(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if text in ("<none>", "<nil>", "<unset>"):
        return None
    if re.fullmatch(r"-?\d{1,18}", text) and (number := parse_number(int(text))) is not None:
        return int(number)
    return text


def described_object(sections: dict[str, list[str]], namespace: str, labels: Tree, annotations: Tree) -> Tree | None:
    """A custom resource: what its text says under Metadata, Spec and Status. None where the text names no kind."""
    kind, version = sections.get("Kind", [""])[0].strip(), sections.get("API Version", [""])[0].strip()
    name = sections.get("Name", [""])[0].strip()
    if not kind or not name:
        return None
    meta = _part(sections, "Metadata")
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations,
            **{key: meta[key] for key in ("creationTimestamp", "generation", "uid") if key in meta},
            "ownerReferences": meta.get("ownerReferences") or [],
        },
        "spec": _part(sections, "Spec"),
        "status": _part(sections, "Status"),
    }


def _part(sections: dict[str, list[str]], name: str) -> Tree:
    found = outline(sections.get(name, [""])[1:])
    return found if isinstance(found, dict) else {}


def described_node(sections: dict[str, list[str]], labels: Tree, annotations: Tree) -> Tree:
    """A node: its conditions, taints, capacity and what is allocatable."""
    return {
        "kind": "Node",
        "metadata": {
            "name": sections["Name"][0].strip(),
            "labels": labels,
            "annotations": annotations,
            "creationTimestamp": moment(sections.get("CreationTimestamp", [""])[0]),
        },
        "spec": {
            "unschedulable": sections.get("Unschedulable", [""])[0].strip() == "true",
            "taints": [taint for line in sections.get("Taints", []) if (taint := _taint(line.strip()))],
        },
        "status": {
            "capacity": dict(_quantities(sections.get("Capacity", []))),
            "allocatable": dict(_quantities(sections.get("Allocatable", []))),
            "conditions": [one for line in sections.get("Conditions", []) if (one := _condition(line))],
        },
    }


def _taint(text: str) -> Tree:
    found = re.fullmatch(r"([^=:\s]+)(?:=([^:\s]*))?:(NoSchedule|PreferNoSchedule|NoExecute)", text)
    return {"key": found[1], "value": found[2] or "", "effect": found[3]} if found is not None else {}


def _quantities(lines: list[str]) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in lines)
    return [(key.strip(), value.strip()) for key, _, value in pairs if key and value]


def _condition(line: str) -> Tree:
    cells = re.split(r"\s{2,}", line.strip())
    if len(cells) < 2 or cells[1] not in ("True", "False", "Unknown"):
        return {}
    out: Tree = {"type": cells[0], "status": cells[1]}
    if len(cells) >= 5:
        out |= {"lastTransitionTime": moment(cells[3]), "reason": cells[4], "message": " ".join(cells[5:])}
    return out


def moment(text: str) -> str | None:
    """RFC 3339 of `Mon, 23 Nov 2026 16:51:39 +0000`."""
    try:
        return rfc3339(datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S %z").timestamp())
    except ValueError:
        return None
