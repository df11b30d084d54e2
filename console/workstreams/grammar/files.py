"""Individual workstream files: what each says about itself, and which workstream of the index it belongs to.

Three styles are read: front matter between `---` lines, a quoted `> Status: …`, and plain Markdown whose title holds
the id. Ids are joined in any of their spellings: `00-020-01`, `020-01` and `WS-020-01` are the same.
"""

from __future__ import annotations

import re
from typing import Any

from console.base.document import Document
from console.base.document import parse as parse_yaml
from console.base.errors import DocumentError
from console.workstreams.grammar import values
from console.workstreams.grammar.encoding import decode, split_lines
from console.workstreams.grammar.markdown import heading, masks
from console.workstreams.model import Index, WorkFile, WorkStatus

DONE_WORDS = frozenset({"completed", "closed", "done"})
"""Status words of files that mean completed; the template of workstream files says DONE."""

_TITLE = re.compile(r"\W*([A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)+)\s*(?::|[-–—]\s|$)\s*(.*)")
_NAME = re.compile(r"((?:WS|ws)-[A-Za-z0-9]+(?:-[0-9]+)*|(?:[0-9]+-)+[0-9]+|[A-Z]+[0-9]*-[0-9]+(?:-[0-9]+)?)")
_STATUS = re.compile(r"(?i)[>\s*_-]*status[*_]*\s*:[*_]*\s*(.+)")
_BOX = re.compile(r"\s*[-*+] \[([ xX])\]")
_KNOWN_STATUS = re.compile(
    r"(?i)\b(completed|closed|done|in progress|in-progress|executing|active|backlog|ready|open|draft|blocked)\b"
)


def spellings(raw: str) -> list[str]:
    """The forms under which an id may stand in an index, the likeliest first."""
    text = raw.strip().strip("*`'\"")
    short = text[3:] if text.startswith("00-") and text.count("-") >= 2 else text
    upper = text.upper()
    forms = [text, short, f"WS-{text}", f"WS-{short}"]
    if upper.startswith("WS-00-"):
        forms.append(f"WS-{text[6:]}")
    if upper.startswith("WS-"):
        forms.append(text[3:])
    return list(dict.fromkeys(forms))


def join(index: Index, path: str, content: bytes) -> WorkFile:
    """Read a workstream file and find the workstream that it belongs to.

    Args:
        path: relative to the folder of workstream files, with `/`; its folder is what the status is compared with.
    """
    lines = split_lines(decode(content).text)
    found = _front_matter(lines, path) if lines and lines[0].strip() == "---" else {}
    body = lines[found.get("end", 0) :]
    offset = len(lines) - len(body)
    title, title_id, title_line = _title(body, offset)
    name = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    in_name = _NAME.match(name)
    raw = found.get("ws_id") or title_id or (in_name.group(1) if in_name else "")
    style = "front matter" if found.get("end") else "plain"
    status, status_line = found.get("status"), found.get("status_line", 0)
    if status is None:
        quoted, status, status_line = _body_status(body, offset)
        style = "quoted" if quoted and style == "plain" else style
    open_boxes, done_boxes = _boxes(body)
    feature = str(found.get("feature", ""))
    known, number = _place(index, raw, feature)
    folder = path.split("/")[-2] if "/" in path else ""
    return WorkFile(
        path=path,
        folder=folder,
        raw_id=raw,
        id=known,
        number=number,
        style=style,
        title=title,
        feature=feature,
        status=status,
        status_line=status_line,
        size=str(found.get("size", "")),
        depends_on=tuple(found.get("depends_on", ())),
        open_criteria=open_boxes,
        done_criteria=done_boxes,
        id_line=found.get("id_line", 0) or title_line,
        unread=found.get("unread", "") or ("" if raw else "it names no workstream: no ws_id, title or file name"),
    )


def file_status(text: str) -> WorkStatus | None:
    """The status in a file: its first known word, whatever stands around it."""
    found = _KNOWN_STATUS.search(text[:400])
    if not found:
        return values.status(text.strip()) if text.strip() else None
    word = found.group(1).lower()
    made = values.status(word)
    return WorkStatus(text.strip(), word, word in DONE_WORDS, "completed" if word in DONE_WORDS else made.progress)


def _front_matter(lines: list[str], path: str) -> dict[str, Any]:
    end = next((at for at in range(1, min(len(lines), 400)) if lines[at].strip() == "---"), None)
    if end is None:
        return {"unread": "its front matter is never closed"}
    out: dict[str, Any] = {"end": end + 1}
    try:
        document = parse_yaml("\n".join(lines[1:end]), path)
    except DocumentError as error:
        return out | {"unread": f"its front matter is no YAML: {error.message} (line {error.line + 1})"}
    data = document.data
    if not isinstance(data, dict):
        return out | {"unread": "its front matter holds no keys"}
    return out | _named(document, data, lines)


def _named(document: Document, data: dict[Any, Any], lines: list[str]) -> dict[str, Any]:
    """What the known keys of the front matter hold."""
    out: dict[str, Any] = {}
    for key in ("ws_id", "feature", "size"):
        if data.get(key) not in (None, ""):
            out[key] = _raw(lines, document.line((key,)), key) or str(data[key])
    if "ws_id" in out:
        out["id_line"] = document.line(("ws_id",)) + 1
    if data.get("status") not in (None, ""):
        out["status"], out["status_line"] = file_status(str(data["status"])), document.line(("status",)) + 1
    wanted = data.get("depends_on")
    if isinstance(wanted, list):
        out["depends_on"] = [str(item) for item in wanted if isinstance(item, str | int)]
    return out


def _raw(lines: list[str], line: int, key: str) -> str:
    """A scalar as it is written: YAML would read a leading zero as another number."""
    found = re.match(rf"{key}\s*:\s*([^#\s]+)", lines[line].strip()) if line < len(lines) else None
    return found.group(1).strip("'\"") if found else ""


def _title(body: list[str], offset: int) -> tuple[str, str, int]:
    """Title, the id in it, and its line: the first heading that starts with an id, else the first heading."""
    first = ("", "", 0)
    mask, _ = masks(body)
    for at, line in enumerate(body[:200]):
        if mask[at] != "text" or not (found := heading(line)) or found[0] > 2:
            continue
        named = _TITLE.match(found[1][:300])
        if named and values.is_id(named.group(1)):
            return named.group(2).strip() or found[1], named.group(1), offset + at + 1
        if not first[2]:
            first = (found[1], "", offset + at + 1)
    return first


def _body_status(body: list[str], offset: int) -> tuple[bool, WorkStatus | None, int]:
    for at, line in enumerate(body[:60]):
        if "tatus" in line[:40] or "TATUS" in line[:40]:
            found = _STATUS.match(line[:400])
            if found:
                return line.lstrip().startswith(">"), file_status(found.group(1).strip("* ")), offset + at + 1
    return False, None, 0


def _boxes(body: list[str]) -> tuple[int, int]:
    ticked = [found.group(1) != " " for line in body if "[" in line[:40] and (found := _BOX.match(line))]
    return ticked.count(False), ticked.count(True)


def _place(index: Index, raw: str, feature: str) -> tuple[str, int | None]:
    """The id in the spelling of the index, and the workstream if it is a single one."""
    forms = spellings(raw) if raw else []
    for form in forms:
        numbers = index.by_id().get(form, ())
        if numbers and feature:
            own = tuple(n for n in numbers if index.workstreams[n].feature == feature)
            if own or any(known.id == feature for known in index.features):
                numbers = own
        if numbers:
            return form, numbers[0] if len(numbers) == 1 else None
    shown = next((form for form in forms if form.startswith("WS-")), raw)
    return shown, None
