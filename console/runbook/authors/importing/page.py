"""A Markdown runbook as data: its alert, and the prose and commands of its sections. All of it is hostile text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from console.base.errors import DocumentError
from console.base.text import clean, shorten

MAX_BYTES, MAX_LINE = 200_000, 2_000
"""Characters of a page, and of one line of it."""
SHELLS = ("", "console", "shell", "sh", "bash", "shell-session", "zsh")
_PROGRAMS = r"kubectl|oc|etcdctl|helm|curl|systemctl|journalctl|crictl|docker|spark-submit|ssh"
_INLINE = re.compile(rf"`((?:{_PROGRAMS}) [^`]{{1,400}})`")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_TAGS = re.compile(r"</?(?:details|summary|br|p|div|img|b|i|a|span)\b[^<>]{0,300}>", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]{1,300})\]\(([^()\s]{1,500})\)")
_SHOWN = re.compile(r"\d+\.\s+\*\*(.{1,400})\*\*\s+`#([a-z][a-z0-9-]{0,80})`")
"""A step as `console runbooks show --markdown` writes it, with its id."""


class PageItem(Struct, frozen=True):
    """A piece of a section: prose, or a command with the words before it. `id`: of a step that had one."""

    kind: Literal["prose", "shell", "query"]
    text: str
    about: str = ""
    id: str = ""


class MarkdownPage(Struct, frozen=True):
    """`sections`: heading (lower case) → its pieces, in order."""

    alert: str
    title: str
    sections: dict[str, tuple[PageItem, ...]]


def read(text: str, file: str, stem: str) -> MarkdownPage:
    """The page in `text`; `stem` is the name of its file without its ending.

    Raises:
        DocumentError: it is too large, has no text, or nothing names an alert.
    """
    if len(text) > MAX_BYTES:
        raise DocumentError(f"the page is larger than {MAX_BYTES // 1000} kB", file=file)
    lines = [shorten(clean(line.expandtabs()), MAX_LINE) for line in _body(text)]
    title = ""
    sections: dict[str, list[PageItem]] = {}
    for level, heading, part in _parts(lines):
        if level == 1 and not title:
            title = heading
        sections.setdefault(heading.lower() if level > 1 else "", []).extend(_items(part))
    alert = next((word for word in (title, stem, _leads(sections)) if re.fullmatch(r"[A-Za-z_]\w{2,80}", word)), "")
    alert = _leads(sections) or alert
    if not alert:
        said = "neither the first heading nor the name of the file is the name of an alert"
        raise DocumentError(said, file=file, line=1, hint="say --alert NAME")
    return MarkdownPage(alert, title or alert, {name: tuple(items) for name, items in sections.items()})


def _body(text: str) -> list[str]:
    """The lines without the front matter."""
    lines = text.split("\n")
    if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:60]):
        end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
        return lines[end + 1 :]
    return lines


def _parts(lines: list[str]) -> Iterator[tuple[int, str, list[str]]]:
    """(level, heading, lines) of the first two levels; deeper headings are lines of their section."""
    level, heading, part, fenced = 1, "", list[str](), False
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.fullmatch(line)
        if found is not None and len(found[1]) <= 2:
            yield level, heading, part
            level, heading, part = len(found[1]), found[2].strip(), []
        else:
            part.append(line)
    yield level, heading, part


def _items(lines: list[str]) -> Iterator[PageItem]:
    prose: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith("```"):
            end = next((n for n in range(index + 1, len(lines)) if lines[n].lstrip().startswith("```")), len(lines))
            found = list(_fenced(line.strip().strip("`").strip().lower(), lines[index + 1 : end]))
            if found:
                about, prose = _joined(prose), []
                yield from (PageItem(one.kind, one.text, about) for one in found)
            else:
                prose += ["  " + inner for inner in lines[index + 1 : end]]
            index = end + 1
            continue
        index += 1
        if shown := _SHOWN.fullmatch(line.strip()):
            if before := _joined(prose):
                yield PageItem("prose", before)
            prose = []
            below = []
            while index < len(lines) and lines[index].startswith("   - "):
                below.append(lines[index][5:])
                index += 1
            yield PageItem("prose", "\n".join(below), _words(shown[1].replace("\\", "")), shown[2])
        elif commands := _INLINE.findall(line):
            about = _joined([*prose, line])
            prose = []
            yield from (PageItem("shell", command, about) for command in commands)
        else:
            prose.append(line)
    if left := _joined(prose):
        yield PageItem("prose", left)


def _fenced(language: str, lines: list[str]) -> Iterator[PageItem]:
    """The commands of a block of code; none where it is something else, like YAML or what a command printed."""
    if language == "promql":
        yield PageItem("query", " ".join(line.strip() for line in lines))
        return
    if language not in SHELLS:
        return
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines)).split("\n")
    prompted = [line.strip()[2:] for line in whole if line.strip().startswith("$ ")]
    for line in prompted or [line.strip() for line in whole]:
        if line and not line.startswith("#"):
            series = re.fullmatch(r"[a-z]+(_[a-z0-9]+){2,}", line) is not None
            yield PageItem("query" if series else "shell", line)


def _joined(lines: list[str]) -> str:
    return "\n".join(_words(line) for line in lines).strip()


def _words(line: str) -> str:
    """A line of prose without marks of HTML and Markdown that say nothing in a terminal."""
    return _LINK.sub(r"\1 (\2)", _TAGS.sub("", line)).replace("**", "").rstrip()


def _leads(sections: dict[str, list[PageItem]]) -> str:
    """The alert of a page that `show --markdown` wrote."""
    said = " ".join(item.text for item in sections.get("what leads here", ()))
    found = re.search(r"alerts: ([A-Za-z_]\w{2,80})", said)
    return found[1] if found else ""
