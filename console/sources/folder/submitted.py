"""The log of `spark-submit` in cluster mode → the driver pod, as the last status in it describes it."""

from __future__ import annotations

import re
from typing import Any

from console.sources.folder.described import exit_code, plain_value

_STATUS_FIELD = re.compile(r"^\s*([a-z][a-z ]+?):\s*(.*)$")
_OF_CONTAINER = ("container", "exit", "termination", "pending")


def submitted_driver(text: str) -> dict[str, Any] | None:
    """The driver pod as the last status in a log of `spark-submit` describes it."""
    start = text.rfind("\t pod name: ")
    if start < 0:
        return None
    fields, container = _last_status(text[start : start + 8_000])
    if not fields.get("pod name") or not fields.get("namespace"):
        return None
    _add_end(text, start, container)
    phases = re.findall(r"\(phase: (\w+)\)", text[start:])
    labels = dict(part.split(" -> ", 1) for part in fields.get("labels", "").split(", ") if " -> " in part)
    name = container.get("container name", "spark-kubernetes-driver")
    return {
        "kind": "Pod",
        "metadata": {
            "name": fields["pod name"],
            "namespace": fields["namespace"],
            "uid": fields.get("pod uid", ""),
            "creationTimestamp": fields.get("creation time"),
            "labels": {"spark-role": "driver", **labels},
        },
        "spec": {
            "nodeName": plain_value(fields.get("node name")),
            "serviceAccountName": fields.get("service account name", ""),
            "containers": [{"name": name, "image": container.get("container image", "")}],
        },
        "status": {
            "phase": phases[-1] if phases else fields.get("phase", "Unknown"),
            "startTime": fields.get("start time"),
            "containerStatuses": [{"name": name, "state": _state(container)}],
        },
    }


def _last_status(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a status says of the pod, and of its container."""
    fields: dict[str, str] = {}
    container: dict[str, str] = {}
    for line in text.splitlines():
        found = _STATUS_FIELD.match(line)
        if found is None or re.match(r"^\d\d/\d\d/\d\d ", line):
            if fields and line.strip() and not line.startswith(("\t", " ", "...")):
                break
            continue
        target = container if found.group(1).startswith(_OF_CONTAINER) else fields
        target.setdefault(found.group(1), found.group(2).strip())
    return fields, container


def _add_end(text: str, start: int, container: dict[str, str]) -> None:
    """What the log says of the container's end, where it is the same container."""
    final = text.rfind("Container final statuses:")
    if final <= start:
        return
    lines = text[final : final + 2_000].splitlines()
    ended = {found.group(1): found.group(2) for line in lines if (found := _STATUS_FIELD.match(line))}
    name = container.get("container name", ended.get("container name"))
    if ended.get("container name", name) == name:
        container.update(ended)


def _state(container: dict[str, str]) -> dict[str, Any]:
    began = container.get("container started at")
    match container.get("container state", ""):
        case "terminated":
            return {
                "terminated": {
                    "exitCode": exit_code(container.get("exit code", "")),
                    "reason": plain_value(container.get("termination reason")),
                    "startedAt": began,
                    "finishedAt": container.get("container finished at"),
                }
            }
        case "waiting":
            return {"waiting": {"reason": container.get("pending reason", "")}}
        case "running":
            return {"running": {"startedAt": began}}
    return {}
