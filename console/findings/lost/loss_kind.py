"""What the driver's word about a lost executor says of how it ended."""

from __future__ import annotations

import re

from console.apps.deaths import EXIT_WORDS, by_reason
from console.findings.lost.losses import Loss
from console.findings.stop import Stop

_BRIEF = re.compile(r"following brief reason: (\w+)")
_MESSAGE = re.compile(r"following message: ([^\n]+)")
KIND_OF_CODE = {
    52: "heap-oom",
    53: "start-error",
    56: "heartbeat",
    50: "uncaught",
    51: "uncaught",
    20: "cuda",
    134: "native-crash",
    139: "native-crash",
    143: "sigterm",
    137: "sigkill",
    126: "start-error",
    127: "start-error",
    128: "start-error",
    101: "start-error",
}
"""Exit codes of Spark (50-56, 101), of CUDA plugins (20) and of shells → kinds of `Victim`."""


def kind_of(loss: Loss, stop: Stop) -> tuple[str, str]:
    """(kind of a `Victim`, words) of a loss: what the exit code alone proves, then what is worded, then other codes."""
    return _by_memory(loss) or _by_status(loss) or _by_words(loss, stop) or _by_code(loss, stop)


def _by_memory(loss: Loss) -> tuple[str, str] | None:
    code = loss.exit_code
    if code == 137 and loss.reason == "OOMKilled":
        return "container-oom", "OOMKilled: the container passed its memory limit"
    if loss.reason == "OOMKilled":
        return "python-oom", f"OOMKilled with exit code {code}: a child process was killed"
    if code == 52:
        return "heap-oom", "exit code 52: OutOfMemoryError in the JVM"
    return None


def _by_status(loss: Loss) -> tuple[str, str] | None:
    """What Spark quotes of the pod's own status."""
    reason, message = _BRIEF.search(loss.words), _MESSAGE.search(loss.words)
    if reason is None:
        return None
    return by_reason(reason.group(1), "" if message is None else message.group(1).strip())


def _by_words(loss: Loss, stop: Stop) -> tuple[str, str] | None:
    low = loss.words.lower()
    if "decommission" in low:
        return "decommissioned", "decommissioned"
    if "killed by driver" in low:
        return "normal", "killed by the driver (scaled down)"
    if "deleted by a user or the framework" in low:
        if stop.covers(loss.at):
            return "normal", "deleted as the application stopped"
        return "deleted", "deleted by a user or the framework, not by Spark"
    if "heartbeat" in low:
        return "heartbeat", loss.words.splitlines()[0]
    if "not found in the cluster" in low or "not detected in the kubernetes cluster" in low:
        return "vanished", "its pod vanished without a word"
    if "worker lost" in low:
        return "node-lost", "the worker was lost"
    return None


def _by_code(loss: Loss, stop: Stop) -> tuple[str, str]:
    code = loss.exit_code
    if code == 0:
        return "normal", "exit code 0"
    if code in (143, 1) and stop.covers(loss.at):
        return "normal", f"exit code {code} as the application stopped"
    if code is None:
        return "unknown", loss.words.splitlines()[0] if loss.words else "lost without a reason"
    return KIND_OF_CODE.get(code, "unknown"), f"exit code {code}" + (
        f": {EXIT_WORDS[code]}" if code in EXIT_WORDS else ""
    )
