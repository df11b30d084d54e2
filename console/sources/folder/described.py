"""`kubectl describe` of pods, nodes and custom resources → their objects and events, as far as its text tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from console.base.units import parse_count
from console.sources.folder.outline import described_node, described_object, moment

Tree = dict[str, Any]

_SECTION = re.compile(r"^([A-Z][\w -]*?):(?:\s+(.*))?$")
_FIELD = re.compile(r"^(\s*)([A-Za-z][\w ./()-]*?):(?:\s+(.*))?$")

_CUSTOM = ("Namespace", "Labels", "Annotations", "API Version", "Kind", "Metadata", "Spec", "Status", "Events")
"""Headings of a custom resource. What else stands at the margin goes on with a value of several lines."""
_DEEP = " " * 200


def is_describe(text: str) -> bool:
    """Whether a text begins as the description of an object does."""
    head = text[:6_000]
    if not head.startswith("Name:"):
        return False
    return any(f"\n{word}:" in head for word in ("Namespace", "Roles", "API Version", "Labels", "Annotations"))


def plain_value(text: str | None) -> str:
    """A value that kubectl prints; `` for its words for nothing."""
    text = (text or "").strip()
    return "" if text in ("<none>", "<unset>", "<unknown>") else text


def exit_code(text: str) -> int | None:
    """An exit code as text, with its sign."""
    number = parse_count(text.removeprefix("-"))
    return None if number is None else -number if text.startswith("-") else number


def described(text: str) -> tuple[list[Tree], list[Tree], list[str]]:
    """(objects, events, what could not be read) of `kubectl describe`, as far as its text tells."""
    objects: list[Tree] = []
    events: list[Tree] = []
    wrong: list[str] = []
    for part in re.split(r"(?m)^(?=Name:\s)", text):
        if not part.startswith("Name:"):
            continue
        top = _sections(part)
        found = _object(top)
        if found is None:
            wrong.append(f"the description of {plain_value(top['Name'][0])}: of a kind that is not read from text")
            continue
        objects.append(found)
        events.extend(_described_events(part, found))
    return objects, events, wrong


def _sections(text: str) -> dict[str, list[str]]:
    """Heading at the margin → what stands beside it, and the lines below it."""
    top: dict[str, list[str]] = {}
    current = ""
    custom = "\nAPI Version:" in text
    for line in text.splitlines():
        found = _SECTION.match(line)
        if custom and current and line.strip() and not line.startswith("  "):
            heading = found is not None and found.group(1) in _CUSTOM and found.group(1) not in top
            if not heading:
                top[current].append(_DEEP + line.strip())
                continue
        if found is not None:
            current = found.group(1)
            top[current] = [found.group(2) or ""]
        elif current and line[:1] in (" ", "\t"):
            top[current].append(line)
    return top


def _object(top: dict[str, list[str]]) -> Tree | None:
    """What a description is of: a pod has containers and a status, a node a capacity, others name their kind."""
    if not plain_value(top["Name"][0]):
        return None
    labels, annotations = dict(_pairs(top.get("Labels", []))), dict(_pairs(top.get("Annotations", []), ":"))
    if "Kind" in top and "API Version" in top:
        return described_object(top, plain_value(top.get("Namespace", [""])[0]), labels, annotations)
    if "Capacity" in top and "Allocatable" in top:
        return described_node(top, labels, annotations)
    if "Containers" in top and "Status" in top:
        return _described_pod(top, labels, annotations)
    return None


def _described_pod(top: dict[str, list[str]], labels: Tree, annotations: Tree) -> Tree:
    name, namespace = plain_value(top["Name"][0]), plain_value(top.get("Namespace", [""])[0])
    status = plain_value(top.get("Status", [""])[0])
    controlled = plain_value(top.get("Controlled By", [""])[0])
    kind, _, owner = controlled.partition("/")
    terminating = status.startswith("Terminating")
    specs, states = _described_containers(top.get("Containers", []))
    inits, init_states = _described_containers(top.get("Init Containers", []))
    node = plain_value(top.get("Node", [""])[0]).split("/")[0]
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [{"kind": kind, "name": owner, "controller": True}] if owner else [],
        },
        "spec": {"nodeName": node, "containers": specs, "initContainers": inits},
        "status": {
            "phase": "Running" if terminating else status.split(" ")[0] or "Unknown",
            "reason": plain_value(top.get("Reason", [""])[0]),
            "message": plain_value(top.get("Message", [""])[0]),
            "podIP": plain_value(top.get("IP", [""])[0]),
            "startTime": moment(top.get("Start Time", [""])[0]),
            "containerStatuses": states,
            "initContainerStatuses": init_states,
            "conditions": _described_conditions(top.get("Conditions", [])),
        },
    }


def _pairs(lines: list[str], separator: str = "=") -> Iterator[tuple[str, str]]:
    for line in lines:
        key, found, value = line.strip().partition(separator)
        if found and key:
            yield key, value.strip()


def _described_conditions(lines: list[str]) -> list[dict[str, str]]:
    out = []
    for line in lines:
        parts = line.split()
        if len(parts) >= 2 and parts[1] in ("True", "False", "Unknown"):
            out.append({"type": parts[0], "status": parts[1]})
    return out


def _described_containers(lines: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    specs: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    path: list[tuple[int, str]] = []
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}
    for line in lines:
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped:
            continue
        while path and path[-1][0] >= indent:
            path.pop()
        found = _FIELD.match(line)
        if found is None:
            if path and path[-1][1] == "Args" and spec:
                spec["args"].append(stripped)
            continue
        key, value = found.group(2), plain_value(found.group(3))
        if indent <= 2 and not found.group(3):
            spec = {"name": key, "resources": {"limits": {}, "requests": {}}, "env": [], "args": []}
            status = {"name": key, "state": {}, "lastState": {}}
            specs.append(spec)
            states.append(status)
            path = [(indent, key)]
            continue
        if not spec:
            continue
        section = path[-1][1] if len(path) > 1 else ""
        _described_field(spec, status, section, key, value)
        path.append((indent, key))
    return specs, states


_STATES = {"Terminated": "terminated", "Running": "running", "Waiting": "waiting"}


def _described_field(spec: dict[str, Any], status: dict[str, Any], section: str, key: str, value: str) -> None:
    if key in ("State", "Last State"):
        word = _STATES.get(value.split(" ")[0])
        if word:
            status["state" if key == "State" else "lastState"][word] = {}
    elif section in ("State", "Last State"):
        holder = status["state" if section == "State" else "lastState"]
        inner = next(iter(holder.values()), None)
        if inner is None:
            return
        if key == "Exit Code" and (code := exit_code(value)) is not None:
            inner["exitCode"] = code
        elif key in ("Reason", "Message"):
            inner[key.lower()] = value
        elif key in ("Started", "Finished"):
            inner[f"{key.lower()}At"] = moment(value)
    elif section in ("Limits", "Requests"):
        spec["resources"][section.lower()][key] = value
    elif section == "Environment":
        if value and not value.startswith("(") and not value.startswith("<set"):
            spec["env"].append({"name": key, "value": value.split(" (v1:")[0]})
    elif key == "Image":
        spec["image"] = value
    elif key == "Ready":
        status["ready"] = value == "True"
    elif key == "Restart Count":
        status["restartCount"] = parse_count(value)


def _described_events(text: str, about: Tree) -> Iterator[Tree]:
    _, found, part = text.partition("\nEvents:")
    if not found:
        return
    meta = about["metadata"]
    place = {"kind": about["kind"], "namespace": meta.get("namespace", ""), "name": meta["name"]}
    for line in part.splitlines():
        cells = re.split(r"\s{2,}", line.strip(), maxsplit=4)
        if len(cells) == 5 and cells[0] in ("Normal", "Warning"):
            repeated = re.match(r"\S+ \(x(\d+) over", cells[2])
            yield {
                "metadata": {},
                "involvedObject": place,
                "type": cells[0],
                "reason": cells[1],
                "message": cells[4],
                "count": parse_count(repeated.group(1)) if repeated else 1,
                "reportingComponent": cells[3],
            }
