"""How the process of a container ends right after its start, where what it was given does not let it live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.base.units import parse_quantity
from console.drill.state.images import Image

Object = dict[str, Any]
OPERATOR_FLAGS = frozenset(
    {
        "cache-sync-timeout", "controller-threads", "default-batch-scheduler", "development",
        "driver-pod-creation-grace-period", "enable-batch-scheduler", "enable-http2", "enable-metrics",
        "enable-ui-service", "health-probe-bind-address", "ingress-annotations", "ingress-class-name", "ingress-tls",
        "ingress-url-format", "kube-api-burst", "kube-api-qps", "kube-scheduler-names", "leader-election",
        "leader-election-lease-duration", "leader-election-lock-name", "leader-election-lock-namespace",
        "leader-election-renew-deadline", "leader-election-retry-period", "max-tracked-executor-per-app",
        "metrics-bind-address", "metrics-endpoint", "metrics-job-start-latency-buckets", "metrics-labels",
        "metrics-prefix", "namespaces", "pprof-bind-address", "secure-metrics", "workqueue-ratelimiter-bucket-qps",
        "workqueue-ratelimiter-bucket-size", "workqueue-ratelimiter-max-delay", "zap-devel", "zap-encoder",
        "zap-log-level", "zap-stacktrace-level", "zap-time-encoding",
    }
)  # fmt: skip
"""Flags of `operator controller start` of the kubeflow operator 2.4."""


@dataclass(frozen=True)
class ProcessEnd:
    """The end of a process, so many seconds after its start."""

    code: int
    reason: str
    says: str
    after: float


def process_end(image: Image, container: Object, architecture: str) -> ProcessEnd | None:
    """How it ends, given what lies in its image, what it was told, and where it runs; None: it lives."""
    if architecture not in image.architectures:
        entry = (container.get("command") or ["/opt/entrypoint.sh"])[0]
        return ProcessEnd(255, "Error", f"exec {entry}: exec format error", 0.4)
    flag = _unknown_flag(container)
    if flag:
        usage = "Usage:\n  spark-operator controller start [flags]"
        return ProcessEnd(1, "Error", f"Error: unknown flag: --{flag}\n{usage}", 0.6)
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    if limit is not None and image.needs > parse_quantity(limit):
        return ProcessEnd(137, "OOMKilled", "", 3.0)
    if image.ends is not None:
        return ProcessEnd(image.ends, "Error" if image.ends else "Completed", image.says, 2.0)
    return None


def _unknown_flag(container: Object) -> str:
    """The first flag that the Spark operator does not know; empty: it knows all, or is another program."""
    args = [str(one) for one in container.get("args") or ()]
    if args[:2] != ["controller", "start"]:
        return ""
    names = [one[2:].split("=", 1)[0] for one in args if one.startswith("--")]
    return next((name for name in names if name not in OPERATOR_FLAGS), "")
