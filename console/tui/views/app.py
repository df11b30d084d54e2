"""Application: why is this one sick? A summary, then one of its panels."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from console.apps.model import Member, MemoryPlan, SparkApp
from console.base.redact import redact_value
from console.base.text import plural
from console.board.model import Board
from console.board.overview import Cause
from console.board.waits import wait_of
from console.facts.model import Event
from console.findings.model import Finding
from console.findings.story import story
from console.live.shown import age, aged, attempt, died, executors, last_change, memory, memory_used, runbook_names
from console.live.shown import members as members_of
from console.live.situation import Focus, Situation
from console.tui.filters import fits
from console.tui.lines import (
    BLANK,
    Cell,
    Line,
    Span,
    TableColumn,
    TextRole,
    clipped,
    fit,
    header,
    layout,
    line,
    row,
    span,
    wrap,
)
from console.tui.views.texts import waiting
from console.tui.words import severity, state_role

PANELS = {
    "executors": "Driver and executors: those that died first, with how.",
    "evidence": "What was seen, ruled out and left open.",
    "events": "Kubernetes events of the application and its pods.",
    "logs": "The log of the driver, or of the pod that was chosen.",
    "conf": "Spark configuration.",
    "yaml": "The object as YAML.",
    "why not": "Every rule that was tried, and why it did not hold.",
    "times": "Where the time went: causes by lost seconds, and the critical path.",
}
TRIAL_COLUMNS = (
    TableColumn("CLASS", 5),
    TableColumn("HELD", 4),
    TableColumn("RULE", 26, drop=1),
    TableColumn("WHY", 0, least=60),
)
MEMBER_COLUMNS = (
    TableColumn("MEMBER", 10),
    TableColumn("STATE", 12),
    TableColumn("TRY", 3, "right", drop=1),
    TableColumn("AGE", 6, "right"),
    TableColumn("NODE", 16, drop=2, names=True),
    TableColumn("MEMORY", 20, "right", drop=4),
    TableColumn("EXIT", 4, "right"),
    TableColumn("WHY", 0, least=18),
)
EVENT_COLUMNS = (
    TableColumn("AGE", 6, "right"),
    TableColumn("TYPE", 7),
    TableColumn("REASON", 20),
    TableColumn("OBJECT", 26, drop=1, names=True),
    TableColumn("MESSAGE", 0, least=20, names=True),
)
COMBINED = "(combined from similar events): "
"""What Kubernetes puts before the message of events that it counts together; their count says it."""


def head(situation: Situation, app: SparkApp, width: int) -> list[Line]:
    """The application on a few lines: state, what its operator said, driver, memory, owner, story, why."""
    board = situation.board
    findings = board.findings_of(app.key)
    out = [state(app), *_said(app.message, width)]
    if app.driver is not None:
        out += _driver(board, app.driver, width)
    out += _memory(app.executor_memory, width)
    if (wait := wait_of(board, app.key)) is not None:
        out += _named(" waits   ", clipped(wait.line, width - 10, 3))
    if app.owners or app.managers:
        chain = " ‹ ".join(dict.fromkeys(f"{o.kind} {o.name}" for o in app.owners))
        out.append(line(Span(" owner   ", "head"), span(chain or "nobody above it"), span("", "dim")))
    if told := story(app, findings).words:
        out += _named(" story   ", clipped(told, width - 10, 2))
    for finding in findings[:2]:
        out += _why(finding, width)
    if len(findings) > 2:
        out.append(line(span(f"         and {plural(len(findings) - 2, 'more finding')}: see 1 Now", "dim")))
    return out


def state(app: SparkApp) -> Line:
    """The application on one line."""
    return line(
        Span(" "), span(app.state, state_role(app.state)),
        span(f" attempt {attempt(app)}" if app.attempt else "", "text"),
        span(f" · {executors(app)} executors" if app.live else "", "text"), span(f" · {_launcher(app)}", "text"),
        span(f" · Spark {app.spark_version}" if app.spark_version else "", "dim"),
    )  # fmt: skip


def _said(message: str, width: int) -> list[Line]:
    """What the operator says of it."""
    if not message:
        return []
    first, *more = clipped(message, width - 10, 3)
    return [
        line(Span(" said    ", "head"), span(first, "warn")),
        *(line(Span(" " * 9), span(text, "warn")) for text in more),
    ]


def _driver(board: Board, d: Member, width: int) -> list[Line]:
    used = memory_used(board, d) or "memory limit ?"
    death = f" · {d.death.words}" if d.death else ""
    place, old = d.node or "no node", age(board, last_change(d))
    words = f"{d.pod or d.id}  {d.state}  {old}  {place}  {used}  {d.restarts} restarts"
    return _wide("driver", span(words), span(death, "warn"), width)


def _memory(plan: MemoryPlan | None, width: int) -> list[Line]:
    """How the container of an executor is made up."""
    if plan is None or plan.total is None:
        return []
    return _wide("memory", span(f"executor {memory(plan)}"), span(f"  ({plan.source})", "dim"), width)


def _why(finding: Finding, width: int) -> list[Line]:
    tag = f" {finding.class_}" if finding.class_ else ""
    first = severity(finding)
    titles = clipped(finding.title, max(20, width - 11 - cell_len(first.text + tag)), 2)
    texts = clipped(finding.detail, width - 12, 2) if finding.detail else []
    return [
        line(Span(" why     ", "head"), first, span(tag, "dim"), span(f" {titles[0]}", "title")),
        *(line(Span("         "), span(text, "title")) for text in titles[1:]),
        *(line(Span("         "), span(text)) for text in texts),
    ]


def _named(label: str, texts: list[str]) -> list[Line]:
    """`label` before the first of the lines."""
    return [line(Span(label if not n else " " * len(label), "head"), span(text)) for n, text in enumerate(texts)]


def _wide(label: str, words: Span, more: Span, width: int) -> list[Line]:
    """`label` with `words`; what there is `more` to say goes to a line of its own where it does not fit beside them."""
    first = Span(f" {label:<8}", "head")
    if not more.text or cell_len(first.text + words.text + more.text) <= width:
        return [line(first, words, more)]
    texts = clipped(more.text.strip(" ·"), width - 10, 2)
    return [line(first, words), *(line(Span(" " * 9), Span(text, more.role)) for text in texts)]


_LAUNCHERS = {
    "kubeflow": "kubeflow operator",
    "apache": "Apache operator",
    "submit": "spark-submit",
    "connect": "Spark Connect",
    "standalone": "standalone",
}


def _launcher(app: SparkApp) -> str:
    return _LAUNCHERS.get(app.launcher, app.launcher)


def members(board: Board, app: SparkApp, width: int) -> list[Line]:
    """Driver and executors; those that died first, then the living."""
    everyone = members_of(app)
    if not everyone:
        return [line(span(" no pod of it is known", "dim"))]
    return [header(MEMBER_COLUMNS, width), *(_member(board, m, width) for m in everyone)]


def _member(board: Board, m: Member, width: int) -> Line:
    death = m.death
    bad = died(m)
    code = "" if death is None or death.exit_code is None else str(death.exit_code)
    words = death.words if death else m.waiting
    state: Cell = span(m.state + (" (gone)" if m.gone and not death else ""), "crit" if bad else state_role(m.state))
    name = "driver" if m.role == "driver" else f"exec-{m.id}"
    cells: list[Cell] = [
        span(name, "title" if bad else "text"), state, span(m.attempt or "", "dim"), age(board, last_change(m)),
        span(m.node, "dim"), span(memory_used(board, m), "dim"), code,
        span(words, "warn" if bad else "dim"),
    ]  # fmt: skip
    return row(MEMBER_COLUMNS, cells, width, key=f"pod:{m.namespace}/{m.pod}" if m.pod else f"member:{m.id}")


def evidence(situation: Situation, findings: tuple[Finding, ...], width: int) -> list[Line]:
    """Each finding with what was seen, what was ruled out and what would decide."""
    if not findings:
        return [line(span(" nothing is wrong with it that can be seen from here", "ok"))]
    out: list[Line] = []
    for finding in findings:
        since = age(situation.board, finding.since)
        words = f"{finding.class_ or 'no class'} · {finding.confidence} confidence · since {since}"
        out.append(line(Span(" "), severity(finding), span(f" {finding.title}", "title"), key=finding.key))
        out.append(line(Span("   "), span(words, "dim")))
        out += [line(Span("   "), span(text)) for text in wrap(finding.detail, width - 4) if finding.detail]
        for item in finding.evidence:
            out += _hanging("seen", "ok", item.excerpt, "text", width)
            where = f"{item.source} · {item.locator}{aged(situation.board, item.at)}"
            out += [line(Span(" " * 11), span(text, "dim")) for text in wrap(where, width - 12)]
        for look_alike in finding.ruled_out:
            out += _hanging("not", "head", f"{look_alike.class_}: {look_alike.because}", "dim", width)
        for question in finding.open_questions:
            out += _hanging("open", "warn", question, "text", width)
        out += [
            line(Span("   do      ", "accent"), span(f"runbook {name}")) for name in runbook_names(situation, finding)
        ]
        out.append(BLANK)
    return out


def cause(situation: Situation, found: Cause, width: int) -> list[Line]:
    """Trouble that several applications share: why it is taken for one, then each finding with its evidence."""
    out = [line(Span(" "), span(found.title, "title"))]
    if found.incident is not None:
        for text in found.incident.speaks_for:
            out += _hanging("for", "ok", text, "text", width)
        for text in found.incident.against:
            out += _hanging("against", "warn", text, "text", width)
    return [*out, BLANK, *evidence(situation, (found.lead, *found.rest), width)]


def _hanging(label: str, role: TextRole, text: str, body: TextRole, width: int) -> list[Line]:
    """`label` once, then `text` in as many lines as it takes."""
    texts = wrap(text, max(20, width - 12))
    first = line(Span(f"   {label:<8}", role), span(texts[0], body))
    return [first, *(line(Span(" " * 11), span(part, body)) for part in texts[1:])]


def events(board: Board, focus: Focus, width: int) -> list[Line]:
    """Kubernetes events of the application and its pods, the latest first."""
    if not focus.events:
        return [line(span(waiting(focus, "no event is kept: Kubernetes forgets them after an hour"), "dim"))]
    out = [header(EVENT_COLUMNS, width)]
    for event in sorted(focus.events, key=lambda e: -(e.last or 0.0)):
        times = f"×{event.count} " if event.count > 1 else ""
        cells: list[Cell] = [
            age(board, event.last), span(event.type, "warn" if event.type == "Warning" else "dim"),
            event.reason, span(event.name, "dim"), times + event.message.removeprefix(COMBINED),
        ]  # fmt: skip
        out.append(row(EVENT_COLUMNS, cells, width, key=event_key(event)))
    return out


def event_key(event: Event) -> str:
    """The key of an event's line."""
    return f"event:{event.about}:{event.reason}:{event.last}"


def event(board: Board, found: Event, width: int) -> list[Line]:
    """One event with its whole message."""
    times = f" ×{found.count}" if found.count > 1 else ""
    rows = (
        ("what", f"{found.type} {found.reason}{times}"),
        ("object", found.about),
        ("first", f"{age(board, found.first)} ago"),
        ("last", f"{age(board, found.last)} ago"),
        ("by", found.reporter),
    )
    out = [line(Span(f" {name:<8}", "head"), span(text)) for name, text in rows if text]
    return [*out, BLANK, *(line(Span(" "), span(text)) for text in wrap(found.message, width - 2))]


def conf(app: SparkApp, width: int) -> list[Line]:
    """Spark configuration as the application object or the pod says it, without secrets."""
    values: dict[str, Any] = redact_value(dict(app.conf))
    if not values:
        return [line(span(" no configuration is known: the object has none and the driver was not asked", "dim"))]
    size = min(46, max(len(k) for k in values))
    return [line(Span(" "), span(fit(span(k).text, size), "head"), span(f"  {v}")) for k, v in sorted(values.items())]


def trials(focus: Focus, wanted: str, width: int) -> list[Line]:
    """Every rule that was tried; those that held first."""
    if focus.trials is None:
        return [line(span(waiting(focus, "trying every rule …"), "dim"))]
    out = [header(TRIAL_COLUMNS, width)]
    for trial in sorted(focus.trials, key=lambda t: (not t.held, t.class_ or "~", t.rule)):
        if not fits(wanted, trial.class_, trial.rule, trial.because):
            continue
        held: Cell = Span("yes", "crit") if trial.held else Span("no", "dim")
        texts = wrap(trial.because, max(20, layout(TRIAL_COLUMNS, width - 1)[-1][1]))
        cells: list[Cell] = [trial.class_ or "–", held, span(trial.rule.replace("-", " "), "head"), span(texts[0])]
        out.append(row(TRIAL_COLUMNS, cells, width, key=f"trial:{trial.rule}:{trial.subject}"))
        out += [row(TRIAL_COLUMNS, ["", "", "", span(text)], width) for text in texts[1:3]]
    return out
