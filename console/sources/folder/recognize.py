"""What a JSON value or a text is: an object, an event, a pod, a log; or a file that holds none."""

from __future__ import annotations

import re
from typing import Any

from console.facts import logs as logtext

NO_LOG = re.compile(r"^\s*(?:unable to retrieve container logs for |failed to try resolving symlinks)")
_LOGLIKE = re.compile(
    r"(?m)^(?:Traceback \(most recent call last\)|Exception in thread |Error: |(?:: )?[\w.$]+(?:Exception|Error)\b"
    r"|Caused by: "
    r"|Non-spark-on-k8s command provided|\[FATAL tini|\+ exec \S"
    r"|caused by: |failed to [a-z][^\n:]{0,120}: (?:failed|exit status|x509|dial|\w+Error)\b"
    r"|panic: |fatal error: |[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ |time=\"?\d{4}-|level=(?:info|warn|error|fatal)\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d{4})\s+(?:DEBUG|INFO|WARN|ERROR|FATAL|DPANIC|PANIC)\s)"
)
_LOG_NAME = re.compile(
    r"(?i)\.(?:log|out|err|stdout|stderr)(?:\.\d{1,9})?$|(?:^|[/!._-])(?:logs?|stdout|stderr)(?:[._-][\w.-]*)?$|-driver\b|-exec-\d+"
)
JSON_START = re.compile(r"\{\s*[\"}]|\{\s*$|\[\s*[\[{\"\]]|\[\s*$")
_KERNEL = re.compile(
    r"NVRM: Xid|XidCriticalError|Driver/library version mismatch|Full thread dump|Memory cgroup out of memory|oom-kill:"
    r"|Out of memory: Killed process"
)


def is_kubernetes(value: dict[str, Any]) -> bool:
    """An object of Kubernetes, a list of them, or a table."""
    kind = value.get("kind")
    if is_object(value) or kind == "Table":
        return True
    if not isinstance(value.get("items"), list):
        return False
    return _is_bare(value) if kind is None else isinstance(kind, str) and kind.endswith("List")


def _is_bare(value: dict[str, Any]) -> bool:
    """A list that lost its kind on the way: all its items are objects."""
    items = value["items"]
    return bool(items) and all(isinstance(one, dict) and is_object(one) for one in items[:20])


def is_object(value: dict[str, Any]) -> bool:
    """One object of Kubernetes, of whatever kind; its kind may be missing."""
    meta = value.get("metadata")
    if not isinstance(meta, dict):
        return False
    if is_event(value):
        return True
    return (
        isinstance(meta.get("name"), str)
        and bool(meta["name"])
        and (isinstance(value.get("kind"), str) or "spec" in value or "status" in value)
    )


def is_event(value: dict[str, Any]) -> bool:
    """An event of either API."""
    return "reason" in value and (
        isinstance(value.get("involvedObject"), dict) or isinstance(value.get("regarding"), dict)
    )


def is_pod(value: dict[str, Any]) -> bool:
    """A pod; one without its kind is known by its containers."""
    kind = value.get("kind")
    if kind is not None:
        return kind == "Pod" and isinstance(value.get("metadata"), dict) and bool(value["metadata"].get("name"))
    return has_part(value, "spec", "containers") or has_part(value, "status", "containerStatuses")


def has_part(value: dict[str, Any], part: str, key: str) -> bool:
    """Whether a part of a value is an object with that key."""
    inner = value.get(part)
    return isinstance(inner, dict) and key in inner


def is_structured_log(text: str) -> bool:
    """Whether a text is a log whose lines are JSON."""
    first = text.lstrip().partition("\n")[0][:200_000]
    if not first.startswith("{") or not re.search(r'"(?:log\.)?level"', first):
        return False
    return logtext.is_head(first) and re.search(r'"(?:msg|message)" ?:', first) is not None


def is_log_name(locator: str) -> bool:
    """Whether a file is called as logs are: by its ending, or by a pod of Spark in its name."""
    return _LOG_NAME.search(locator.rpartition("/")[2].removesuffix(".txt").removesuffix(".gz")) is not None


def is_log(text: str) -> bool:
    """Whether anything in a text looks like a log of Spark, a JVM, Python, a shell or the kernel."""
    lines = text[:40_000].splitlines()[:200]
    if any(logtext.is_head(line) for line in lines):
        return True
    part = text[:400_000]
    return _LOGLIKE.search(part) is not None or _KERNEL.search(part) is not None
