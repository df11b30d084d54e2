"""The timeline of a walk, for a review: Markdown that reads on a page, and the same as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from console.actions.effects import Consequence
from console.base.clock import rfc3339
from console.base.redact import redact, redact_value
from console.base.text import clean, plural, shorten
from console.facts.evidence import Evidence
from console.operate.chain import Chain
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    ChangeRefused,
    Entered,
    Escalated,
    Intent,
    Judged,
    Offered,
    Previewed,
    Resumed,
    Started,
    Verified,
    Walk,
    WalkEnded,
)
from console.timeline import impact
from console.timeline.prose import (
    alert_words,
    because,
    duration,
    escalations,
    is_drill,
    objective,
    outcome,
    recovery,
    rights,
    sentence,
    session,
    status,
    target_of,
)
from console.timeline.record import WalkRecord

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
_ANCHORED = (Started, Intent, Applied, WalkEnded)
MAX_EXCERPT = 300
MOST_PLACES = 12
"""Places that are named where several say the same; the JSON form has all of them."""


def markdown(walk: Walk, events: Sequence[AnyEvent], chain: Chain, hashes: Sequence[str], on_it: str = "") -> str:
    """The timeline as Markdown (GitHub's flavour).

    Args:
        on_it: which process is on the walk.
    """
    record = WalkRecord.of(walk, events, chain, hashes, on_it)
    parts = [_head(record), _impact(record), _objectives(record), _changes(record), _story(record), _anchors(record)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _outcome(record: WalkRecord) -> str:
    walk = record.walk
    why = because(walk) or f"it stands at {record.where()}"
    return f"**{text(outcome(walk, record.on_it))}**: {text(why)}"


def _head(record: WalkRecord) -> str:
    walk, spans = record.walk, record.spans()
    cluster = walk.cluster
    where = f"{cluster.get('context', '')} ({cluster.get('server', '')})"
    marks = [word for word, holds in (("production", cluster.get("production")), ("drill", is_drill(walk))) if holds]
    rows = [
        ("Outcome", _outcome(record)),
        ("Subject", text(walk.about or "none")),
        ("Cluster", text(where) + "".join(f" **{mark}**" for mark in marks)),
        ("Runbook", f"{text(record.title)} ({text(walk.runbook)} {text(walk.version)}, sha256 {walk.hash[:12]})"),
        ("Walked by", text(", then ".join(record.people))),
        ("Began", _moment(walk.started)),
        ("Ended", "–" if walk.ended is None else f"{_moment(walk.ended)} ({duration(spans['to_end'])})"),
        ("First change after", duration(spans["to_first_change"])),
        ("Recovery verified after", text(recovery(record))),
        ("Waiting for people", duration(spans["waited_for_people"])),
        ("Inputs", ", ".join(f"{code(k)} = {code(_plain(v))} ({text(walk.origins.get(k, '?'))})"
                             for k, v in walk.inputs.items()) or "none"),
        ("Walk", f"{code(walk.id)}, {plural(len(record.events), 'record')}, {_chain(record)}"),
    ]  # fmt: skip
    if walk.alert is not None:
        rows.insert(4, ("Alert", text(alert_words(walk.alert, walk.started))))
    rows[1:1] = [("Still to do", text(todo)) for todo in walk.still_to_do]
    place = 1 + next(index for index, (name, _) in enumerate(rows) if name == "Walked by")
    rows[place:place] = [("To know", text(remark)) for remark in walk.remarks]
    lines = [f"# {text(walk.about or record.title)}: {text(record.title)}", "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows)])


def _impact(record: WalkRecord) -> str:
    """What it cost; nothing of a walk of before that was recorded."""
    said = impact.sentences(record.walk)
    return "\n".join(["## Impact", "", *(f"- {text(one)}" for one in said)]) if said else ""


def _objectives(record: WalkRecord) -> str:
    before, after = record.walk.slo_before, record.walk.slo_after
    names = [*before, *(k for k in after if k not in before)]
    if not names:
        return "## Objectives\n\nNo objective was measured."
    lines = ["## Objectives", "", "| Objective | When it began | At the end |", "|---|---|---|"]
    for name in names:
        then, now = before.get(name), after.get(name)
        title = next((str(v["title"]) for v in (then, now) if isinstance(v, dict) and v.get("title")), name)
        last = "–" if record.walk.ended is None else objective(now)
        lines.append(f"| {text(title)} | {text(objective(then))} | {text(last)} |")
    return "\n".join(lines)


def _changes(record: WalkRecord) -> str:
    applied = record.applied()
    if not applied:
        return "## Changes\n\nNothing was changed."
    effects = {effect.id: effect for effect in record.walk.writes}
    previews, confirmed = record.previews, record.confirmed
    parts = ["## Changes"]
    for event in applied:
        effect, shown, yes = effects[event.effect], previews.get(event.effect), confirmed.get(event.effect)
        by = f", confirmed by {text(yes.by)}" if yes is not None else ""
        if (also := record.approved.get(event.effect)) is not None:
            by += f", approved by {text(also.by)}"
        undone = next((e.id for e in effects.values() if e.inverse_of == effect.id), "")
        parts.append(
            f"### {text(effect.title)}\n\n{_clock(record, event.at)} on {text(target_of(effect))}{by}"
            f" ({code(effect.id)}){f'; rolled back by {code(undone)}' if undone else ''}"
        )
        if effect.argv:
            parts.append(fence(" ".join(effect.argv)))
        if shown is not None and shown.preview.diff:
            parts.append(fence("\n".join(shown.preview.diff), "diff"))
        if shown is not None:
            parts += _told(record.told(event.effect))
    return "\n\n".join(parts)


def _told(found: Sequence[Consequence]) -> list[str]:
    """What follows from the change, as it was worked out last before it was made."""
    told = [f"- {text(c.topic)} ({c.level}): {text(c.text)}" for c in found]
    return ["\n".join(told)] if told else []


def _story(record: WalkRecord) -> str:
    """What happened, step by step."""
    lines, visits = ["## What happened"], 0
    for number, event in enumerate(record.events, 1):
        if isinstance(event, Entered):
            visits += 1
            lines += ["", f"### {_clock(record, event.at)} {text(record.name(visits))}", ""]
            continue
        if isinstance(event, Started):
            lines += ["", f"- {_clock(record, event.at)} {text(sentence(event))}", *_from(event)]
            continue
        who = "" if not isinstance(event, Intent | Applied) else f" (record {number})"
        before = record.events[number - 2]
        lines.append(f"- {_clock(record, event.at)} {text(sentence(event))}{text(_again(event, before))}{who}")
        if isinstance(event, Resumed):
            lines += _from(event)
        elif isinstance(event, Judged | Verified):
            lines += _evidence(event.evidence)
        elif isinstance(event, Escalated):
            lines.append(f"  - sent: {code(' '.join(event.paste.split()))}")
        elif isinstance(event, Answered | Offered):
            lines += _asked(event)
    return "\n".join(lines)


def _from(event: Started | Resumed) -> list[str]:
    """From where somebody walks it: two may have the same name."""
    said = session(event.session)
    return [f"  - from: {text(said)}"] if said else []


def _again(event: AnyEvent, before: AnyEvent) -> str:
    """What the record before makes of this one."""
    if isinstance(event, Previewed) and isinstance(before, Previewed):
        return ", again: the answer was none, another value was refused, or what it would change had moved"
    if isinstance(event, Resumed) and event.at - before.at >= 1:
        return f"; nothing was recorded for {duration(event.at - before.at)} before"
    return ""


def _asked(event: Answered | Offered) -> list[str]:
    """The question as it was put: what stood above it, and what was not chosen."""
    lines = [f"  - asked: {text(event.asked)}"] if event.asked else []
    lines += [f"  - shown: {text(line)}" for line in event.shown]
    return [*lines, *(f"  - not chosen: {text(label)}" for label in event.others)]


def _evidence(evidence: Iterable[Evidence]) -> list[str]:
    """A line for each thing that was seen, with its time; the same said by several is one line with all their names."""
    said: dict[tuple[str, str], list[Evidence]] = {}
    for item in evidence:
        excerpt = " ".join(shorten(item.excerpt, MAX_EXCERPT).split())
        said.setdefault((excerpt, item.source), []).append(item)
    lines = []
    for (excerpt, source), items in said.items():
        named = (", ".join(part for part in (_place(i), _when(i.at)) if part) for i in items[:MOST_PLACES])
        places = ", ".join(dict.fromkeys(name for name in named if name))
        more = f" and {len(items) - MOST_PLACES} more" if len(items) > MOST_PLACES else ""
        where = text(places) if source == "runbook" else f"{text(source)}: {text(places)}"
        lines.append(f"  - seen: {code(excerpt)}" + (f" ({where}{more})" if where else ""))
    return lines


def _place(seen: Evidence) -> str:
    """Where something was seen; what the step itself read stands below that step."""
    return "" if seen.source == "runbook" else seen.locator


def _when(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _anchors(record: WalkRecord) -> str:
    """Hashes of the records that matter, by which the journal can be checked later."""
    lines = ["## Anchors", "", f"The chain of the journal is {_chain(record)}.", "", "| Record | What | SHA-256 |"]
    lines.append("|---|---|---|")
    for number, (event, hash) in enumerate(zip(record.events, record.hashes, strict=True), 1):
        if isinstance(event, _ANCHORED) or number == len(record.events):
            lines.append(f"| {number} | {type(event).__struct_config__.tag} | `{hash}` |")
    return "\n".join(lines)


def _chain(record: WalkRecord) -> str:
    return "whole" if record.chain.ok else f"**broken**: {text(record.chain.because)}"


def document(
    walk: Walk, events: Sequence[AnyEvent], chain: Chain, hashes: Sequence[str], on_it: str = ""
) -> dict[str, Any]:
    """The timeline as plain data: times are RFC 3339, texts are clean and redacted."""
    record = WalkRecord.of(walk, events, chain, hashes, on_it)
    effects = {effect.id: effect for effect in walk.writes}
    previews, confirmed = record.previews, record.confirmed
    writes = []
    for event in record.applied():
        effect, shown, yes = effects[event.effect], previews.get(event.effect), confirmed.get(event.effect)
        writes.append(
            {
                "effect": effect.id,
                "title": effect.title,
                "object": target_of(effect),
                "action": effect.action,
                "argv": list(effect.argv),
                "diff": list(shown.preview.diff) if shown else [],
                "consequences": msgspec.to_builtins(record.told(event.effect)),
                "confirmed_by": yes.by if yes else None,
                "approved_by": also.by if (also := record.approved.get(event.effect)) is not None else None,
                "at": rfc3339(event.at),
                "undoes": effect.inverse_of or None,
            }
        )
    out: dict[str, Any] = {
        "walk": walk.id,
        "runbook": {"id": walk.runbook, "version": walk.version, "sha256": walk.hash, "title": record.title},
        "subject": walk.subject,
        "cluster": walk.cluster,
        "actor": walk.actor,
        "people": list(record.people),
        "drill": is_drill(walk),
        "status": status(walk, record.on_it),
        "walked_by": record.on_it or None,
        "outcome": walk.outcome,
        "remarks": list(walk.remarks),
        "rights": rights(walk),
        "escalations": escalations(walk),
        "recurred": {"at": rfc3339(walk.recurred_at), "because": walk.recurred} if walk.recurred else None,
        "still_to_do": list(walk.still_to_do),
        "because": walk.because,
        "rolled_back": [{"effect": u.effect, "left": u.left} for u in walk.rolled_back],
        "began": rfc3339(walk.started),
        "ended": rfc3339(walk.ended),
        "seconds": record.spans(),
        "inputs": {k: {"value": v, "origin": walk.origins.get(k, "")} for k, v in walk.inputs.items()},
        "path": list(walk.path),
        "writes": writes,
        "refused": [_refusal(e) for e in record.events if isinstance(e, ChangeRefused)],
        "notes": [{"at": rfc3339(n.at), "by": n.by, "text": n.text, "step": n.step} for n in walk.notes],
        "resumed": [rfc3339(e.at) for e in record.events if isinstance(e, Resumed)],
        "slo": {"before": walk.slo_before, "after": walk.slo_after},
        "impact": {
            "before": walk.impact_before,
            "meanwhile": [{"occasion": occasion, **kept} for occasion, kept in walk.impacts],
            "after": walk.impact_after,
            "says": list(impact.sentences(walk)),
        }
        if walk.impact_before or walk.impact_after
        else None,
        "events": [
            _event(number, event, hash)
            for number, (event, hash) in enumerate(zip(record.events, record.hashes, strict=True), 1)
        ],
        "journal": {
            "records": record.chain.records,
            "whole": record.chain.ok,
            "because": record.chain.because,
            "head": record.head,
        },
    }
    cleaned: dict[str, Any] = _clean(redact_value(out))
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean(str(k)): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return clean(value, lines=True) if isinstance(value, str) else value


def _event(number: int, event: AnyEvent, hash: str) -> dict[str, Any]:
    """One record. The runbook's text is left out: its hash stands above."""
    tree: dict[str, Any] = msgspec.to_builtins(event)
    if isinstance(event, Started):
        del tree["text"]
    evidence = tree.get("evidence")
    if isinstance(evidence, list):
        tree["evidence"] = [{**item, "at": rfc3339(item.get("at"))} for item in evidence]
    return {"record": number, "sha256": hash, **tree, "at": rfc3339(event.at), "says": sentence(event)}


def _refusal(event: ChangeRefused) -> dict[str, Any]:
    return {"at": rfc3339(event.at), "step": event.step, "by": event.by, "because": event.because}


def text(value: str) -> str:
    """Plain text inside Markdown: it can neither format, link, nor leave its line."""
    return _SPECIAL.sub(r"\\\1", clean(redact(str(value))).strip())


def code(value: str) -> str:
    """A code span that cannot be left."""
    content = clean(redact(str(value))).replace("|", "¦")
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    tick = "`" * (longest + 1)
    pad = " " if content.startswith("`") or content.endswith("`") or not content else ""
    return f"{tick}{pad}{content}{pad}{tick}"


def fence(value: str, language: str = "") -> str:
    """A code block that cannot be left."""
    content = clean(redact(value), lines=True)
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    tick = "`" * max(3, longest + 1)
    return f"{tick}{language}\n{content}\n{tick}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _clock(record: WalkRecord, at: float) -> str:
    """The time of day, with the day where the walk went on for more than one."""
    began, then = datetime.fromtimestamp(record.walk.started, UTC), datetime.fromtimestamp(at, UTC)
    return then.strftime("%H:%M:%S" if began.date() == then.date() else "%Y-%m-%d %H:%M:%S")
