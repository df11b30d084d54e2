"""Logs as collectors wrap them → logs as the process wrote them: colours, `kubectl logs --timestamps`, `--prefix`,
stern and kubetail (also of several pods in one file), the files of a container runtime, Docker's and the journal's
JSON lines, the task logs of Airflow. What wraps nothing is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from console.facts import logs as logtext

_PREFIXED = re.compile(r"\[pod/(?P<pod>[\w.-]{1,253})/(?P<container>[\w.-]{1,63})\] ?(?P<rest>.*)")
_STERN = re.compile(
    r"(?:[a-z0-9][a-z0-9-]{0,62} )?(?P<pod>[a-z0-9][a-z0-9.-]{0,252}) "
    r"(?P<container>spark-kubernetes-(?:driver|executor)|spark-connect|spark-operator-controller) (?P<rest>.*)"
)
_STERN_SAYS = re.compile(r"[+-] [a-z0-9.-]{1,253} \u203a [a-z0-9.-]{1,63}\s*")
"""What stern says of itself: a container that it begins or ends to follow."""
_KUBETAIL = re.compile(r"\[(?P<pod>[a-z0-9.-]{1,240}-(?:driver|exec-\d{1,9}))(?: [a-z0-9-]{1,63})?\] ?(?P<rest>.*)")
_COLOUR = re.compile(r"(?:\x1b|\u241b|\^\[|\\u001b|\\x1b|\\033|\\e)\[[0-9;?]{0,20}[A-Za-z]")
_STAMPED = re.compile(
    r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
    r"(?:(?:stdout|stderr) (?P<part>[FP]) )?(?P<rest>.*)"
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


def plain_text(text: str) -> str:
    """A text without colours and other orders to a terminal, also where these were pasted as letters."""
    return _COLOUR.sub("", text) if "[" in text and _COLOUR.search(text) is not None else text


def unwrapped(text: str) -> list[tuple[str, str]]:
    """(pod name or ``, text) of each process whose log the file holds; one with `` where nothing wraps it."""
    start = [line for line in text[:8_000].splitlines() if not _STERN_SAYS.fullmatch(line)][:_PROBE]
    if not start:
        return [("", text)]
    for pattern in (_PREFIXED, _STERN, _KUBETAIL):
        if sum(1 for line in start if pattern.match(line)) > len(start) // 2:
            lines = (line for line in text.splitlines() if not _STERN_SAYS.fullmatch(line))
            return [(pod, _unstamped(own)) for pod, own in _taken_apart(lines, pattern)]
    if (bare := _unstamped(text)) is not text:
        return [("", bare)]
    if _DOCKER.match(start[0]):
        return [("", "".join(_docker_lines(text.splitlines())))]
    if _JOURNAL.match(start[0]):
        return [("", "".join(_journal_lines(text.splitlines())))]
    if sum(1 for line in start if _AIRFLOW.match(line)) > len(start) // 2:
        return [("", "\n".join(_AIRFLOW.sub("", line, count=1) for line in text.splitlines()) + "\n")]
    return [("", text)]


def _unstamped(text: str) -> str:
    """A log without the times that kubectl or the runtime put before each line; the text itself where there are none.

    They stay where they are the only times: at lines that begin no record of their own.
    """
    start = text[:8_000].splitlines()[:_PROBE]
    found = [one for line in start if (one := _STAMPED.match(line)) is not None]
    if not found or len(found) <= len(start) // 2:
        return text
    own = any(logtext.time_of(one["rest"]) is not None for one in found)
    out: list[str] = []
    joined = False
    for line in text.splitlines():
        one = _STAMPED.match(line)
        rest = one["rest"] if one is not None else line
        if joined and out:
            out[-1] += rest
        else:
            follows = rest[:1] in (" ", "\t", "") or rest.startswith("Caused by")
            out.append(rest if own or one is None or follows else f"{one['stamp']} {rest}")
        joined = one is not None and one["part"] == "P"
    made = "\n".join(out) + "\n"
    return text if made.rstrip() == text.rstrip() else made


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
