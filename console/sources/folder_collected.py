"""Logs as collectors wrap them → logs as the process wrote them: `kubectl logs --prefix` and stern (also of several
pods in one file), Docker's and the journal's JSON lines, the task
logs of Airflow. What wraps nothing is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_PREFIXED = re.compile(r"\[pod/(?P<pod>[\w.-]{1,253})/(?P<container>[\w.-]{1,63})\] ?(?P<rest>.*)")
_STERN = re.compile(
    r"(?P<pod>[\w.-]{1,253}) (?P<container>spark-kubernetes-(?:driver|executor)|spark-connect) (?P<rest>.*)"
)
_AIRFLOW = re.compile(
    r"\[\d{4}-\d\d-\d\d[T, ]+[^\]]{5,40}\] \{[\w.]+(?:\.py)?:\d+\} (?:TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL) - "
    r"(?:\[[\w.-]+\] )?"
)
_DOCKER = re.compile(r'\s*\{"log":"')
_JOURNAL = re.compile(r'\s*\{[^\n]{0,4000}"MESSAGE" ?:')
_PROBE = 20


class _Docker(msgspec.Struct):
    log: str = ""


class _Journal(msgspec.Struct):
    MESSAGE: str = ""
    host: str = msgspec.field(default="", name="_HOSTNAME")
    source: str = msgspec.field(default="", name="SYSLOG_IDENTIFIER")


def unwrapped(text: str) -> list[tuple[str, str]]:
    """(pod name or ``, text) of each process whose log the file holds; one with `` where nothing wraps it."""
    start = text[:8_000].splitlines()[:_PROBE]
    if not start:
        return [("", text)]
    for pattern in (_PREFIXED, _STERN):
        if sum(1 for line in start if pattern.match(line)) > len(start) // 2:
            return _taken_apart(text.splitlines(), pattern)
    if _DOCKER.match(start[0]):
        return [("", "".join(_docker_lines(text.splitlines())))]
    if _JOURNAL.match(start[0]):
        return [("", "".join(_journal_lines(text.splitlines())))]
    if sum(1 for line in start if _AIRFLOW.match(line)) > len(start) // 2:
        return [("", "\n".join(_AIRFLOW.sub("", line, count=1) for line in text.splitlines()) + "\n")]
    return [("", text)]


def _taken_apart(lines: Iterable[str], pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    out: dict[str, list[str]] = {}
    last = ""
    for line in lines:
        found = pattern.match(line)
        if found is not None:
            last = found["pod"]
        out.setdefault(last, []).append(found["rest"] if found is not None else line)
    return [(pod, "\n".join(own) + "\n") for pod, own in out.items()]


def _docker_lines(lines: Iterable[str]) -> Iterable[str]:
    decoder = msgspec.json.Decoder(_Docker)
    for line in lines:
        try:
            yield decoder.decode(line).log
        except msgspec.DecodeError:
            continue


def _journal_lines(lines: Iterable[str]) -> Iterable[str]:
    decoder = msgspec.json.Decoder(_Journal)
    for line in lines:
        try:
            one = decoder.decode(line)
        except msgspec.DecodeError:
            continue
        yield f"{one.host} {one.source or 'kernel'}: {one.MESSAGE}\n"
