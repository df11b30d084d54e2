"""Deaths counted by kind, in words for people. The kinds themselves are for JSON."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = {
    "container-oom": "OOMKilled at the container's limit",
    "heap-oom": "out of heap",
    "gc-overhead": "in garbage collection all the time",
    "python-oom": "with an OOMKilled child process",
    "driver-result": "with results too large for the driver",
    "drained": "drained with the node",
    "sigterm": "by SIGTERM",
    "sigkill": "by SIGKILL",
    "node-lost": "lost with the node",
    "disk-limit": "over the disk limit",
    "deadline": "over the deadline",
    "start-error": "unable to start",
    "image": "without an image",
    "user-error": "by an error of the program",
    "max-executor-failures": "because too many executors failed",
    "unknown": "for a reason that is not known",
}


def counted(deaths: Mapping[str, int]) -> str:
    """`2 OOMKilled at the container's limit, 1 evicted`; empty where there is none."""
    return ", ".join(f"{n} {_WORDS.get(kind, kind.replace('-', ' '))}" for kind, n in sorted(deaths.items()))
