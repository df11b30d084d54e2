"""What a log names: whose it is, of which application and executor, on which host."""

from __future__ import annotations

import re

from console.facts.logs import LogRole
from console.facts.operatorlogs import is_operators

_EXECUTOR_ID = re.compile(r"Starting executor ID (\d+) on host|\"--executor-id\" \"(\d+)\"")
_APP_ID = re.compile(r"(?<![\w-])(spark-[0-9a-f]{32}|app-\d{14}-\d{4}|local-\d{13}|application_\d{10,}_\d+)(?!\d)")
_PROCESS = re.compile(r"Started daemon with process name: \d+@([\w.-]+)")
_APP_NAME = re.compile(r"Submitted application: ([^\n\"\\]{1,200})")
_DRIVER_SIGNS = (
    "TaskSetManager",
    "TaskSchedulerImpl",
    "DAGScheduler",
    "SparkContext: ",
    '"logger":"SparkContext"',
    "Submitted application:",
    "HeartbeatReceiver: ",
    "BlockManagerMasterEndpoint",
    "SchedulerBackend: ",
    "HiveClientImpl",
    "Py4JJavaError",
    "SparkConnectServer",
)
_EXECUTOR_SIGNS = ("CoarseGrainedExecutorBackend", "Executor: Running task", "KubernetesExecutorBackend")
_SUBMIT_SIGNS = ("SparkSubmit", "Failed to load main class", "KubernetesClientUtils", "KubernetesClientApplication")


def role_of_text(text: str) -> LogRole:
    """Whose log this is, by what it says."""
    head = text[:60_000]
    if "Spark Executor Command:" in head[:400] or "ExecutorBackend: Started daemon" in head:
        return "executor"
    if "LoggingPodStatusWatcherImpl" in head:
        return "submit"
    if is_operators(text):
        return "operator"
    if any(sign in text for sign in _DRIVER_SIGNS):
        return "driver"
    if " Worker: " in head or " ExecutorRunner: " in head:
        return "worker"
    if _EXECUTOR_ID.search(head) or any(sign in head for sign in _EXECUTOR_SIGNS):
        return "executor"
    if " Master: " in head:
        return "master"
    if any(sign in head for sign in _SUBMIT_SIGNS):
        return "submit"
    if "SignalUtils: Registering signal handler" in head or "MemoryStore: " in head:
        return "executor"
    return "other"


def app_ids(text: str) -> list[str]:
    """Application ids that a log names, the most frequent first."""
    seen: dict[str, int] = {}
    for part in (text[:400_000], text[-100_000:] if len(text) > 400_000 else ""):
        for found in _APP_ID.finditer(part):
            seen[found.group(1)] = seen.get(found.group(1), 0) + 1
    return sorted(seen, key=lambda k: (-seen[k], k))


def executor_id(text: str) -> str:
    found = _EXECUTOR_ID.search(text[:200_000])
    return (found.group(1) or found.group(2) or "") if found else ""


def process_host(text: str) -> str:
    """The host (in Kubernetes the pod's name) that an executor's first lines give."""
    found = _PROCESS.search(text[:100_000])
    return found.group(1) if found else ""


def app_name(text: str) -> str:
    found = _APP_NAME.search(text[:200_000])
    return found.group(1).strip() if found else ""
