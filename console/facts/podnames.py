"""The names that Spark gives its pods: `etl-1f3a-driver`, `etl-1f3a-exec-7`."""

from __future__ import annotations

import re
from typing import Literal

from console.facts.model import Pod

_NAME = re.compile(r"(?P<stem>.*)(?:-driver|-exec-(?P<number>\d+))", re.DOTALL)


def role_of_name(name: str) -> Literal["driver", "executor", ""]:
    """What a pod of this name is; `` where Spark gives no such name."""
    found = _NAME.fullmatch(name)
    return "" if found is None else "executor" if found["number"] else "driver"


def stem(name: str) -> str:
    """What the pods of one application share: `etl-1f3a`. Another name is its own stem."""
    found = _NAME.fullmatch(name)
    return name if found is None else found["stem"]


def executor_of_name(name: str) -> str:
    """The executor id in a pod's name: `7`; the name itself where it holds none, so that no two become one."""
    found = _NAME.fullmatch(name)
    return (found["number"] if found is not None else None) or name


def executor_of_pod(pod: Pod) -> str:
    """The executor id of a pod: its label says it, else its name."""
    return pod.labels.get("spark-exec-id", "") or executor_of_name(pod.name)
