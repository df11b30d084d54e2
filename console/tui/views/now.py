"""Now: what is burning, since when, and what do I do?"""

from __future__ import annotations

from collections.abc import Sequence, Set

from rich.cells import cell_len

from console.base.text import clean, plural
from console.board.compose import unread
from console.board.overview import Cause, causes
from console.causes.model import Incident
from console.findings.model import Finding
from console.live.shown import NO_OBJECTIVES, age, alert_state, runbooks_of, slos_aged
from console.live.situation import Situation
from console.runbook.walk import Walk
from console.slo import words
from console.slo.model import SloStatus
from console.tui.lines import (
    BLANK,
    Cell,
    Line,
    Span,
    TableColumn,
    TextRole,
    clipped,
    cut,
    fit,
    header,
    layout,
    line,
    row,
    rule,
    span,
    told,
)
from console.tui.views.leftout import left_out
from console.tui.views.walk import present
from console.tui.words import SEVERITY, budget, burn, objective, severity, slo_role

SLO_COLUMNS = (
    TableColumn("SLO", 0, least=14),
    TableColumn("TARGET", 7, "right"),
    TableColumn("BUDGET LEFT", 18),
    TableColumn("5m", 5, "right", drop=3),
    TableColumn("BURN 1h", 7, "right"),
    TableColumn("6h", 5, "right"),
    TableColumn("3d", 5, "right", drop=2),
    TableColumn("BAD/TOTAL", 12, "right", drop=4),
    TableColumn("GONE IN", 8, "right", drop=1),
)
FINDING_COLUMNS = (
    TableColumn("SEV", 4),
    TableColumn("FINDING", 0, least=26, grow=3),
    TableColumn("WHERE", 0, least=18, names=True),
    TableColumn("SINCE", 6, "right"),
    TableColumn("CLASS", 5, drop=2),
    TableColumn("SURE", 6, drop=3),
    TableColumn("RUNBOOK", 12, drop=1),
)
WALKS = 3
"""Open walks that stand on the page."""
TITLE, WHERE = 1, 2
"""The places of the columns that say what and where."""


def lines(situation: Situation, width: int, selected: str = "", opened: Set[str] = frozenset()) -> list[Line]:
    """The whole screen below the verdict.

    Args:
        selected: the key under the cursor; its finding shows its detail and what can be done.
        opened: keys of the causes whose findings are unfolded.
    """
    out: list[Line] = []
    out += _walks(situation, width)
    out += _slos(situation, width)
    out += _findings(situation, width, selected, opened)
    out += _foot(situation, width)
    return out


def _slos(situation: Situation, width: int) -> list[Line]:
    board = situation.board
    if not board.slos:
        reading = situation.phase != "live" or any(
            s.name == "prometheus" and s.state == "loading" for s in board.sources
        )
        if situation.phase in ("lost", "failed"):
            return told("SLO  unknown", width)
        why = "reading" if reading else NO_OBJECTIVES
        return told(f"SLO  {why}", width)
    old = told(slos_aged(board), width, "warn") if slos_aged(board) else []
    rows = [made for slo in board.slos for made in (_slo(slo, width), *_because(slo, width))]
    return [header(SLO_COLUMNS, width), *rows, *old]


def _because(slo: SloStatus, width: int) -> list[Line]:
    """What the figures of its row do not say."""
    why = words.to_tell(slo)
    return [line(Span("   "), span(text, "warn")) for text in (clipped(why, width - 4, 2) if why else [])]


def _slo(slo: SloStatus, width: int) -> Line:
    key = f"slo:{slo.id}"
    if slo.state == "no data":
        sizes = layout(SLO_COLUMNS, width - 1)
        title, target = fit(span(slo.title).text, sizes[0][1]), fit(words.target(slo.objective), sizes[1][1], "right")
        room = max(0, width - 3 - sizes[0][1] - sizes[1][1])
        reason = span(f"no data: {slo.reason}" if slo.reason else "no data", "warn")
        return Line((Span(f" {title} {target} "), Span(fit(reason.text, room), "warn")), key)
    left = slo.budget_left
    percent = Span(" ?" if left is None else f" {words.budget_left(left):>5}", slo_role(slo))
    gone = words.gone_in(slo) or "–"
    cells: list[Cell] = [
        objective(slo),
        words.target(slo.objective),
        (*budget(slo, 12), percent),
        burn(slo, 300),
        burn(slo, 3600),
        burn(slo, 21600),
        burn(slo, 259200),
        words.bad_of_total(slo.bad, slo.total),
        Span(gone, "crit" if gone == "spent" else "dim"),
    ]
    return row(SLO_COLUMNS, cells, width, key=key)


def _findings(situation: Situation, width: int, selected: str, opened: Set[str]) -> list[Line]:
    board = situation.board
    out: list[Line] = [rule(width=width)]
    if not board.findings:
        if situation.phase in ("lost", "failed"):
            lost = f"findings: unknown, {situation.trouble}{f' ({situation.hint})' if situation.hint else ''}"
            return [*out, *told(lost, width, "crit"), *told("console doctor checks what Console needs", width)]
        return [*out, *told(_nothing(situation), width, _calm(situation))]
    found = causes(board)
    columns = _columns(situation, found, width)
    out.append(header(columns, width))
    for place, cause in enumerate(found):
        chosen = cause.key == selected or (not selected and place == 0)
        if cause.shared:
            out += _shared(situation, cause, columns, width, selected, chosen, cause.key in opened)
            continue
        out += _finding(situation, cause.lead, columns, width, chosen)
        if chosen and cause.incident is not None:
            out += _reasons(cause.incident, width, several=False)
        for follower in cause.rest:
            out += _finding(situation, follower, columns, width, follower.key == selected, "└ ")
    return out


def _columns(situation: Situation, found: Sequence[Cause], width: int) -> Sequence[TableColumn]:
    """The columns of the findings; what the places leave free goes to the titles."""
    places = [c.where if c.shared else _place(situation, f, width) for c in found for f in (c.lead, *c.rest)]
    needed = max((cell_len(place) for place in places), default=0)
    sizes = dict(layout(FINDING_COLUMNS, width - 1))
    if needed >= sizes[WHERE]:
        return FINDING_COLUMNS
    where = max(needed, 5)
    widths = {TITLE: sizes[TITLE] + sizes[WHERE] - where, WHERE: where}
    return [c._replace(width=widths.get(i, c.width)) for i, c in enumerate(FINDING_COLUMNS)]


def _place(situation: Situation, finding: Finding, width: int) -> str:
    app = situation.board.app(finding.app) if finding.app else None
    if app is None:
        return clean(finding.subject.split("/", 1)[-1].strip("/"))
    return clean(app.name + (f" · {app.namespace}" if width >= 110 else ""))


def _shared(
    situation: Situation,
    cause: Cause,
    columns: Sequence[TableColumn],
    width: int,
    selected: str,
    chosen: bool,
    unfolded: bool,
) -> list[Line]:
    """One row for trouble that several applications share; its findings only where it is unfolded."""
    assert cause.incident is not None
    board = situation.board
    mark = "▾ " if unfolded else "▸ "
    cells: list[Cell] = [
        Span(*SEVERITY[cause.incident.severity]), span(mark + cause.title, "title"), cause.where,
        age(board, cause.since), " ".join(cause.classes[:1]) or "–", Span(cause.lead.confidence, "dim"),
        _runbook(situation, cause.lead),
    ]  # fmt: skip
    out = [row(columns, cells, width, key=cause.key)]
    if chosen:
        out += _reasons(cause.incident, width, several=True)
        if not unfolded:
            names = ", ".join(key.rpartition("/")[2] for key in cause.apps)
            out += [line(Span("      "), span(text, "dim")) for text in clipped(names, width - 7, 2)]
    if unfolded:
        for finding in (cause.lead, *cause.rest):
            out += _finding(situation, finding, columns, width, finding.key == selected, "  ")
    return out


def _reasons(incident: Incident, width: int, *, several: bool) -> list[Line]:
    """One or all: what speaks for one cause of `several`, or for this one being alone, and what against."""
    out: list[Line] = []
    kinds: tuple[tuple[str, TextRole, tuple[str, ...]], ...] = (
        ("for" if several else "alone", "ok", incident.speaks_for),
        ("against", "warn", incident.against),
    )
    for label, role, texts in kinds:
        for text in texts[:2]:
            parts = clipped(text, width - 16, 2)
            out.append(line(Span(f"      {label:<8}", role), span(parts[0], "dim")))
            out += [line(Span(" " * 14), span(part, "dim")) for part in parts[1:]]
    return out


def _nothing(situation: Situation) -> str:
    if situation.phase != "live":
        return "findings: not known yet"
    board = situation.board
    if blind := [source.name for source in unread(board.sources)]:
        return f"no finding, but {', '.join(blind)} cannot be read"
    if board.verdict == "OK":
        return "nothing is wrong that can be seen from here"
    if not board.because:
        return "findings: not known yet"
    lead = "not everything is known" if board.verdict in ("UNKNOWN", "LOADING") else "none explains it yet"
    return f"no finding, and {lead}: {board.because}"


def _calm(situation: Situation) -> TextRole:
    return "dim" if situation.phase != "live" else "ok" if situation.board.verdict == "OK" else "warn"


def _runbook(situation: Situation, finding: Finding) -> Span:
    matched = runbooks_of(situation, finding)
    return Span(matched[0].runbook, "accent") if matched else Span("–", "dim")


def _finding(
    situation: Situation, finding: Finding, columns: Sequence[TableColumn], width: int, chosen: bool, lead: str = ""
) -> list[Line]:
    board = situation.board
    place = _place(situation, finding, width)
    cells: list[Cell] = [
        severity(finding), span(lead + finding.title, "title"), place, age(board, finding.since),
        finding.class_ or "–", Span(finding.confidence, "dim"), _runbook(situation, finding),
    ]  # fmt: skip
    out = [row(columns, cells, width, key=finding.key)]
    if chosen:
        room = width - 7
        cut_short = cell_len(lead + finding.title) > dict(layout(columns, width - 1)).get(TITLE, 0)
        whole = clipped(finding.title, room, 2) if cut_short else []
        out += [line(Span("      "), span(text, "title")) for text in whole]
        texts = clipped(finding.detail, room, 3) if finding.detail else []
        out += [line(Span("      "), span(text, "text")) for text in texts]
        matched = runbooks_of(situation, finding)
        if matched:
            words = f"  walks runbook {matched[0].runbook}: evidence first, and it asks before any change"
            out.append(line(Span("      "), Span("r", "key"), span(words, "accent")))
        for question in finding.open_questions[:1]:
            out += [line(Span("      "), span(text, "warn")) for text in clipped(f"? {question}", room, 4)]
    return out


def _walks(situation: Situation, width: int) -> list[Line]:
    """Walks that have not ended, above all else: those that ask something here, those that wait, the others."""

    def urgency(walk: Walk) -> int:
        return 0 if walk.id in situation.questions else 1 if not situation.on_it(walk) else 2

    open_ones = sorted((w for w in situation.walks if w.status != "ended"), key=urgency)
    out = [_walk(situation, walk, width) for walk in open_ones[:WALKS]]
    if len(open_ones) > WALKS:
        out += told(f"{plural(len(open_ones) - WALKS, 'more open walk')}: 6 shows them", width)
    return [*out, rule(width=width)] if out else []


def _walk(situation: Situation, walk: Walk, width: int) -> Line:
    left = walk.handed
    handed = f" for the next: {left.by}{f', {left.text}' if left.text else ''}" if left is not None else ""
    role: TextRole = "text" if situation.on_it(walk) and walk.id not in situation.questions else "warn"
    subject = walk.about if width >= 110 else walk.subject.rpartition("/")[2]
    about = f" · {walk.runbook} on {subject} · {age(situation.board, walk.started)}"
    stands = span(f"{situation.walk_state(walk)}{handed}", role)
    made = line(Span(" WALK  ", "accent"), stands, span(f" · {present(walk)}"), span(about, "dim"))
    return cut(made, width)._replace(key=f"walk:{walk.id}")


def _after(walk: Walk, width: int) -> list[Line]:
    """What a walk that has ended still has to say: it recurred, or something is still to do."""
    said = f"recurred: {walk.recurred}" if walk.recurred else "still to do: " + "; ".join(walk.still_to_do)
    if not walk.recurred and not walk.still_to_do:
        return []
    role: TextRole = "crit" if walk.recurred else "warn"
    text = clipped(f"{walk.runbook} on {walk.about} · {said}", width - 8, 1)[0]
    return [line(Span(" WALK  ", role), span(text), key=f"walk:{walk.id}")]


def _foot(situation: Situation, width: int) -> list[Line]:
    board = situation.board
    out: list[Line] = []
    firing = [a for a in board.alerts if not a.silenced]
    for alert in firing[:3]:
        place = alert.labels.get("app") or alert.labels.get("pod") or alert.labels.get("namespace") or ""
        more = len(firing) - len(firing[:3])
        tail = f"  {more} more" if alert is firing[:3][-1] and more > 0 else ""
        out.append(
            line(
                Span(" ALERT ", "warn"), span(f"{alert.name} {alert_state(alert)} {age(board, alert.since)}"),
                span(f" · {place}" if place else "", "dim"), span(tail, "dim"), key=f"alert:{alert.key}",
            )
        )  # fmt: skip
    for walk in situation.walks:
        if walk.status == "ended":
            out += _after(walk, width)
    for id, why in situation.walks_unread:
        out += told(f"walks unknown, {id}: {why}", width, "warn")
    out += left_out(board.left_out, width)
    return [rule(width=width), *out] if out else [BLANK]
