"""Logs of Spark's operators: whose they are, which lines tell of errors. klog, logr (zap), logrus, JSON, log4j."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SIGNS = re.compile(
    r"sparkapplication/controller\.go|SparkApplicationReconciler|\"controller\": ?\"(?:scheduled-?)?spark-?application"
    r"|\bsubmission\.go:\d+\] spark-submit arguments|\bcontroller\.go:\d+\] failed to run spark-submit"
    r"|spark_pod_eventhandler\.go|Starting the Spark Operator|spark-operator/v?\d*/?(?:internal|pkg|cmd)/"
    r"|spark-on-k8s-operator/(?:pkg|cmd|main)|spark-operator (?:controller|webhook) start"
    r"|org\.apache\.spark\.k8s\.operator|SparkAppReconciler|SparkOperator: |scheduledsparkapplication/controller\.go"
    r"|Starting the sparkapplication controller|sparkapplication controller workers|Usage of (?:\S*/)?spark-operator"
)
_NOT = re.compile(r"/usr/bin/spark-operator (?:driver|executor)")
_ERROR = re.compile(
    r"(?m)^[^\n]{0,60}?(?:[EF]\d{4} \d\d:\d\d:\d\d|[ \t\]]ERROR[ \t\]]|\"level\": ?\"(?:error|fatal|panic|dpanic)\"|"
    r"level=(?:error|fatal)"
    r"|[ \t]WARN[ \t]|W\d{4} \d\d:\d\d:\d\d|\"level\": ?\"warn\"|panic: |fatal error: |Error: |flag provided but|"
    r"unknown flag"
    r"|unknown shorthand flag|http: TLS handshake error)[^\n]*$"
)
_WARNING = re.compile(r"[ \t]WARN[ \t]|\bW\d{4} \d\d:\d\d:\d\d|\"level\": ?\"warn\"")
_TAIL = 2_000_000


def is_operators(text: str) -> bool:
    """Whether a text is the log of an operator, not of a pod that was started with its image."""
    head = text[:60_000]
    return _SIGNS.search(head) is not None and _NOT.search(head) is None


def errors(text: str) -> Iterator[tuple[int, str, bool]]:
    """(position, line, whether it is only a warning) of the lines that tell of trouble, in the last part of a log."""
    start = max(0, len(text) - _TAIL)
    for found in _ERROR.finditer(text, start):
        yield found.start(), found.group()[:4_000], _WARNING.search(found.group()[:120]) is not None
