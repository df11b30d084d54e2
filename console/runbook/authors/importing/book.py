"""The runbook that a Markdown page becomes: everything that was to be typed is a manual step, nothing is a change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import yaml

from console.base.text import plural, shorten
from console.runbook.authors.importing.evidence import EvidenceProposal
from console.runbook.authors.importing.page import MarkdownPage, PageItem
from console.runbook.language.ends import RESERVED
from console.runbook.language.naming import slug, unique

MOST_STEPS, MAX_TEXT = 60, 3_000
"""Steps that a page may become, and characters of one text of it."""
HEAD = ("", "meaning", "impact", "what it does", "when to use it", "when not to use it")
"""Sections that say what is wrong, not what to do."""
LEFT_OUT = (
    "what leads here", "ends", "what it can touch", "how long it takes", "what it asks for", "what the names mean",
    "how to read it",
)  # fmt: skip


def id_of(alert: str) -> str:
    """`kube-pod-crash-looping` of `KubePodCrashLooping`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", alert)
    made = "-".join(word.lower() for word in words)[:60].strip("-")
    return made if made[:1].isalpha() else f"alert-{made}"


def text(page: MarkdownPage, accepted: dict[PageItem, EvidenceProposal], *, owner: str, day: str) -> str:
    """The YAML of the runbook. `accepted`: commands that a person has confirmed to be evidence."""
    reads = list(accepted.values())
    inputs = {
        name: {"type": "string", "title": name.replace("_", " "), "from": [f"alert.labels.{name}"]}
        for name in dict.fromkeys(name for one in reads for name in one.inputs)
    }
    names = {item: f"seen_{number}" for number, item in enumerate(accepted, 1) if accepted[item].kind}
    data: dict[str, Any] = {
        "apiVersion": "console/v1",
        "kind": "Runbook",
        "id": id_of(page.alert),
        "title": _safe(page.title, 120),
        "owner": owner,
        "reviewed": day,
        "what": _safe(_said(page, HEAD)) or _safe(page.title),
        "when_not_to_use": "The alert does not fire.",
        "about": "cluster",
        "changes": "none",
        "match": {"alerts": [page.alert]},
        **({"inputs": inputs} if inputs else {}),
        **({"objects": {names[item]: _object(accepted[item]) for item in names}} if names else {}),
        "steps": list(_steps(page, accepted, names)),
    }
    return yaml.safe_dump(data, sort_keys=False, width=110, allow_unicode=True)


def _said(page: MarkdownPage, sections: Collection[str]) -> str:
    return "\n".join(item.text for name in sections for item in page.sections.get(name, ()) if item.kind == "prose")


def _object(one: EvidenceProposal) -> dict[str, Any]:
    where: dict[str, Any] = {"kind": one.kind, **({"namespace": one.namespace} if one.namespace else {})}
    if one.name:
        return {**where, "name": one.name}
    return {**where, "labels": one.labels} if one.labels else {**where, "all": True}


def _steps(
    page: MarkdownPage, accepted: dict[PageItem, EvidenceProposal], names: dict[PageItem, str]
) -> Iterator[dict[str, Any]]:
    taken: set[str] = set(RESERVED)
    items = [item for name, part in page.sections.items() if name not in (*HEAD, *LEFT_OUT) for item in part]
    items = [item for item in items if item.id != "applies"]  # every runbook has that step by itself
    items = items or [PageItem("prose", "The page says nothing of what to look at or to do.")]
    for item in items[:MOST_STEPS]:
        title = _title(item)
        id = item.id if item.id and item.id not in taken else unique(slug(title), taken)
        taken.add(id)
        yield {"id": id, **_step(item, _safe(title, 120), accepted.get(item), names.get(item, ""))}
    if len(items) > MOST_STEPS:
        said = f"{plural(len(items) - MOST_STEPS, 'further piece')} of the page did not fit here: read it to its end"
        yield {"id": unique("the-rest", taken), "note": said}


def _step(item: PageItem, title: str, read: EvidenceProposal | None, name: str) -> dict[str, Any]:
    about = _safe(item.about)
    if read is not None and read.query:
        shows = ["{{ query.state }}: {{ query.value|default('no data') }}"]
        return {"note": title, **_text(about), "query": read.query, "shows": shows}
    if read is not None and read.name:
        shows = [f"{{{{ seen.{name}.state }}}}", f"{{{{ {name}|tojson|shorten(1500) }}}}"]
        return {"note": title, **_text(about), "shows": shows}
    if read is not None:
        listed = f"{{{{ {name}|length }}}}: {{{{ {name}|pick('metadata.name')|join(', ')|shorten(1000) }}}}"
        return {"note": title, **_text(about), "shows": [f"{{{{ seen.{name}.state }}}}", listed]}
    if item.kind == "prose" and not title.startswith("By hand: "):
        return {"note": title.removeprefix("Read: "), **_text(_safe(item.text))}
    said = item.text if item.kind == "prose" else f"{item.about}\n\n{item.text}".strip()
    return {"manual": title.removeprefix("By hand: "), **_text(_safe(said))}


def _text(said: str) -> dict[str, str]:
    return {"text": said} if said else {}


def _title(item: PageItem) -> str:
    """What a step is called: the last sentence before its command, or its own first line."""
    lines = [line.strip(" -*#>") for line in (item.about or item.text).split("\n") if line.strip(" -*#>")]
    if item.id:
        return lines[0] if lines else item.id
    words = (lines[-1] if item.about else lines[0]) if lines else item.text
    return shorten(words.replace("`", "").rstrip(":. ") or "Look", 90)


def _safe(said: str, most: int = MAX_TEXT) -> str:
    """A text that no template is made of."""
    return re.sub(r"\{([{%#])", r"{{ '{\1' }}", shorten(said.strip(), most))
