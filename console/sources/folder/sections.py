"""A pasted text → its parts: what stands between shell prompts, fences of Markdown, headers of tables, descriptions and
the marks that `kubectl cluster-info dump` puts around logs. A log is one part, whatever it prints.
"""

from __future__ import annotations

import re

from msgspec import Struct

from console.facts import logs as logtext

_PROBE = 40
_TABLE = r"(?:NAMESPACE[ \t]{2,})?(?:NAME[ \t]{2,}[A-Z]|LAST SEEN[ \t]{2,}TYPE)[A-Z \t()/-]*"
_PROMPT = (
    r"(?:[\w.@~/:\[\]() -]{0,120}[$#%❯➜>] ?)(?:sudo )?(?:[\w./-]*/)?(?:(?:kubectl|oc|k|kubecolor) [a-z-]|date\b)[^\n]*"
)
_DUMPED = r"==== START logs for container \S+ of pod [^/\s]+/\S+ ===="
_START = re.compile(
    rf"(?m)^(?:(?P<fence>```[\w-]*)|(?P<prompt>{_PROMPT})|(?P<table>{_TABLE})|(?P<describe>Name:[ \t]+\S+)"
    rf"|(?P<dumped>{_DUMPED})|(?P<ended>==== END logs for container [^\n]*))[ \t]*\r?$"
)
_WITH_VALUE = frozenset(
    ("-n", "--namespace", "-c", "--container", "--context", "--kubeconfig", "--tail", "--since", "--since-time", "-l")
)
"""Options of kubectl with a value behind them, as far as they stand beside `logs`."""
_POD = re.compile(r"of pod [^/\s]+/(\S+) ====")


class Part(Struct, frozen=True):
    """A part of a pasted text: `line` is where it begins (from 1), `pod` whose log the text itself says it is."""

    text: str
    line: int = 1
    pod: str = ""


def sections(text: str) -> list[Part]:
    """The parts of a text in their order; the text itself where it is of one form."""
    if _is_log(text):
        return [Part(text)]
    out: list[Part] = []
    begin, pod = 0, ""
    for found in _START.finditer(text):
        _add(out, text, begin, found.start(), pod)
        kept = found["table"] is not None or found["describe"] is not None
        begin = found.start() if kept else found.end()
        pod = ""
        if found["dumped"] is not None and (named := _POD.search(found["dumped"])) is not None:
            pod = named.group(1)
        elif found["prompt"] is not None:
            pod = _asked_logs(found["prompt"])
    _add(out, text, begin, len(text), pod)
    return out or [Part(text)]


def _asked_logs(prompt: str) -> str:
    """The pod whose log a command asks for, `` where it asks for none or for a selection."""
    words = iter(prompt.split("|")[0].split())
    asked = False
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif asked and not word.startswith("-"):
            return word.removeprefix("pod/") if "/" not in word.removeprefix("pod/") else ""
        elif word == "logs":
            asked = True
    return ""


def _is_log(text: str) -> bool:
    """Whether a text begins as a log does, before anything that begins a part."""
    for line in text[:20_000].splitlines()[:_PROBE]:
        if logtext.is_head(line):
            return True
        if _START.match(line) is not None:
            return False
    return False


def _add(out: list[Part], text: str, begin: int, end: int, pod: str) -> None:
    body = text[begin:end]
    if not body.strip():
        return
    skipped = len(body) - len(body.lstrip("\r\n"))
    out.append(Part(body[skipped:], text.count("\n", 0, begin + skipped) + 1, pod))
