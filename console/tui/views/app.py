"""Application: why is this one sick? A summary, then one of its panels."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from console.base.clock import rfc3339
from console.base.redact import redact, redact_value
from console.base.units import human_bytes
from console.health.model import Board, Finding, Member, SparkApp
from console.health.overview import Cause
from console.health.story import story
from console.live.situation import Focus, Situation
from console.tui.lines import BLANK, Cell, Column, Line, Role, Span, clipped, fit, header, layout, line, row, span, wrap
from console.tui.words import age, executors, severity, state_role

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
    Column("CLASS", 5),
    Column("HELD", 4),
    Column("RULE", 26, drop=1),
    Column("WHY", 0, least=30),
)
MEMBER_COLUMNS = (
    Column("MEMBER", 10),
    Column("STATE", 12),
    Column("TRY", 3, "right", drop=1),
    Column("AGE", 6, "right"),
    Column("NODE", 16, drop=2),
    Column("MEMORY", 13, "right", drop=4),
    Column("EXIT", 4, "right"),
    Column("WHY", 0, least=18),
)
EVENT_COLUMNS = (
    Column("AGE", 6, "right"),
    Column("TYPE", 7),
    Column("REASON", 20),
    Column("OBJECT", 26, drop=1),
    Column("MESSAGE", 0, least=20),
)


def head(situation: Situation, app: SparkApp, width: int) -> list[Line]:
    """The application on a few lines: state, driver, memory, why."""
    board = situation.board
    role = state_role(app.state)
    first = [
        Span(" "), span(app.state, role), span(f" attempt {app.attempt}" if app.attempt else "", "text"),
        span(f" · {executors(app)} executors · {_launcher(app)}", "text"),
        span(f" · Spark {app.spark_version}" if app.spark_version else "", "dim"),
    ]  # fmt: skip
    out = [line(*first)]
    if app.message:
        texts = clipped(app.message, width - 10, 3)
        out.append(line(Span(" said    ", "head"), span(texts[0], "warn")))
        out += [line(Span(" " * 9), span(text, "warn")) for text in texts[1:]]
    if app.driver is not None:
        d = app.driver
        used = f"{human_bytes(d.memory_used)}/{human_bytes(d.memory_limit)}" if d.memory_limit else "memory ?"
        death = f" · {d.death.words}" if d.death else ""
        words = (
            f"{d.pod or d.id}  {d.state}  {age(board, d.created)}  {d.node or 'no node'}  {used}  {d.restarts} restarts"
        )
        out += _wide("driver", span(words), span(death, "warn"), width)
    plan = app.executor_memory
    if plan is not None and plan.total is not None:
        heap, overhead = human_bytes(plan.heap), human_bytes(plan.overhead)
        words = f"executor {human_bytes(plan.total)} = heap {heap} + overhead {overhead}"
        extra = f" + off-heap {human_bytes(plan.off_heap)}" if plan.off_heap else ""
        extra += f" + pyspark {human_bytes(plan.pyspark)}" if plan.pyspark else ""
        out += _wide("memory", span(words + extra), span(f"  ({plan.source})", "dim"), width)
    if app.owners or app.managers:
        chain = " ‹ ".join(dict.fromkeys(f"{o.kind} {o.name}" for o in app.owners))
        out.append(line(Span(" owner   ", "head"), span(chain or "nobody above it"), span("", "dim")))
    told = story(app, board.findings_of(app.key)).words
    if told:
        out.append(line(Span(" story   ", "head"), span(told, "text")))
    for finding in board.findings_of(app.key)[:2]:
        tag = f" {finding.class_}" if finding.class_ else ""
        out.append(
            line(Span(" why     ", "head"), severity(finding), span(tag, "dim"), span(f" {finding.title}", "title"))
        )
        out += [
            line(Span("         "), span(text)) for text in clipped(finding.detail, width - 12, 2) if finding.detail
        ]
    return out


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
    everyone = [m for m in (app.driver, *sorted(app.executors, key=_member_order)) if m is not None]
    if not everyone:
        return [line(span(" no pod of it is known", "dim"))]
    return [header(MEMBER_COLUMNS, width), *(_member(board, m, width) for m in everyone)]


def _member_order(member: Member) -> tuple[int, float]:
    dead = member.death is not None and member.death.kind not in ("normal", "decommissioned")
    return (0 if dead else 1, -(member.ended or member.created or 0.0))


def _member(board: Board, m: Member, width: int) -> Line:
    death = m.death
    bad = death is not None and death.kind not in ("normal", "decommissioned")
    code = "" if death is None or death.exit_code is None else str(death.exit_code)
    words = death.words if death else m.waiting
    memory = f"{human_bytes(m.memory_used)}/{human_bytes(m.memory_limit)}" if m.memory_limit else ""
    state: Cell = span(m.state + (" (gone)" if m.gone and not death else ""), "crit" if bad else state_role(m.state))
    when = m.ended if death is not None and m.ended else m.created
    name = "driver" if m.role == "driver" else f"exec-{m.id}"
    cells: list[Cell] = [
        span(name, "title" if bad else "text"), state, span(m.attempt or "", "dim"), age(board, when),
        span(m.node, "dim"), span(memory, "dim"), code,
        span(words, "warn" if bad else "dim"),
    ]  # fmt: skip
    return row(MEMBER_COLUMNS, cells, width, key=f"pod:{m.namespace}/{m.pod}" if m.pod else f"member:{m.id}")


def evidence(board: Board, findings: tuple[Finding, ...], width: int) -> list[Line]:
    """Each finding with what was seen, what was ruled out and what would decide."""
    if not findings:
        return [line(span(" nothing is wrong with it that can be seen from here", "ok"))]
    out: list[Line] = []
    for finding in findings:
        since = age(board, finding.since)
        words = f"{finding.class_ or 'no class'} · {finding.confidence} confidence · since {since}"
        out.append(line(Span(" "), severity(finding), span(f" {finding.title}", "title"), key=finding.key))
        out.append(line(Span("   "), span(words, "dim")))
        out += [line(Span("   "), span(text)) for text in wrap(finding.detail, width - 4) if finding.detail]
        for item in finding.evidence:
            out += _hanging("seen", "ok", item.excerpt, "text", width)
            out += [
                line(Span(" " * 11), span(text, "dim")) for text in wrap(f"{item.source} · {item.locator}", width - 12)
            ]
        for look_alike in finding.ruled_out:
            out += _hanging("not", "head", f"{look_alike.class_}: {look_alike.because}", "dim", width)
        for question in finding.open_questions:
            out += _hanging("open", "warn", question, "text", width)
        out += [line(Span("   do      ", "accent"), span(f"runbook {name}")) for name in finding.runbooks]
        out.append(BLANK)
    return out


def cause(board: Board, found: Cause, width: int) -> list[Line]:
    """Trouble that several applications share: why it is taken for one, then each finding with its evidence."""
    out = [line(Span(" "), span(found.title, "title"))]
    if found.incident is not None:
        for text in found.incident.speaks_for:
            out += _hanging("for", "ok", text, "text", width)
        for text in found.incident.against:
            out += _hanging("against", "warn", text, "text", width)
    return [*out, BLANK, *evidence(board, (found.lead, *found.rest), width)]


def _hanging(label: str, role: Role, text: str, body: Role, width: int) -> list[Line]:
    """`label` once, then `text` in as many lines as it takes."""
    texts = wrap(text, max(20, width - 12))
    first = line(Span(f"   {label:<8}", role), span(texts[0], body))
    return [first, *(line(Span(" " * 11), span(part, body)) for part in texts[1:])]


def events(board: Board, focus: Focus, width: int) -> list[Line]:
    """Kubernetes events of the application and its pods, the latest first."""
    if not focus.events:
        return [line(span(_waiting(focus, "no event is kept: Kubernetes forgets them after an hour"), "dim"))]
    out = [header(EVENT_COLUMNS, width)]
    for event in sorted(focus.events, key=lambda e: -(e.last or 0.0)):
        times = f" ×{event.count}" if event.count > 1 else ""
        cells: list[Cell] = [
            age(board, event.last), span(event.type, "warn" if event.type == "Warning" else "dim"),
            event.reason + times, span(event.name, "dim"), event.message,
        ]  # fmt: skip
        out.append(row(EVENT_COLUMNS, cells, width, key=f"event:{event.about}:{event.reason}:{event.last}"))
    return out


def log(focus: Focus, wanted: str = "") -> list[Line]:
    """The end of a log; errors stand out."""
    if focus.log is None:
        return [line(span(_waiting(focus, "no log"), "dim"))]
    out: list[Line] = []
    if focus.log.truncated:
        out.append(line(span(" the beginning is not shown", "dim")))
    for text in redact(focus.log.text).splitlines():
        if wanted and wanted.lower() not in text.lower():
            continue
        role: Role = (
            "crit" if " ERROR " in text or "OutOfMemoryError" in text else "warn" if " WARN " in text else "text"
        )
        out.append(line(Span(" "), span(text, role)))
    return out or [line(span(" the log is empty" if not wanted else f" no line has {wanted!r}", "dim"))]


def conf(app: SparkApp, width: int) -> list[Line]:
    """Spark configuration as the application object or the pod says it, without secrets."""
    values: dict[str, Any] = redact_value(dict(app.conf))
    if not values:
        return [line(span(" no configuration is known: the object has none and the driver was not asked", "dim"))]
    size = min(46, max(len(k) for k in values))
    return [line(Span(" "), span(fit(span(k).text, size), "head"), span(f"  {v}")) for k, v in sorted(values.items())]


def manifest(focus: Focus) -> list[Line]:
    """The object as YAML, without secrets."""
    import yaml

    if not focus.manifest:
        return [line(span(_waiting(focus, "no object"), "dim"))]
    text = yaml.safe_dump(redact_value(focus.manifest), sort_keys=False, allow_unicode=True, width=200)
    return [line(Span(" "), span(part)) for part in text.splitlines()]


def trials(focus: Focus, wanted: str, width: int) -> list[Line]:
    """Every rule that was tried; those that held first."""
    if focus.trials is None:
        return [line(span(_waiting(focus, "trying every rule …"), "dim"))]
    out = [header(TRIAL_COLUMNS, width)]
    for trial in sorted(focus.trials, key=lambda t: (not t.held, t.class_ or "~", t.rule)):
        if wanted.lower() not in f"{trial.class_} {trial.rule} {trial.because}".lower():
            continue
        held: Cell = Span("yes", "crit") if trial.held else Span("no", "dim")
        texts = wrap(trial.because, max(20, layout(TRIAL_COLUMNS, width - 1)[-1][1]))
        cells: list[Cell] = [trial.class_ or "–", held, span(trial.rule, "head"), span(texts[0])]
        out.append(row(TRIAL_COLUMNS, cells, width, key=f"trial:{trial.rule}:{trial.subject}"))
        out += [row(TRIAL_COLUMNS, ["", "", "", span(text)], width) for text in texts[1:3]]
    return out


def _waiting(focus: Focus, nothing: str) -> str:
    if focus.state == "ready":
        return f" {nothing}"
    return f" {focus.state}{f': {focus.detail}' if focus.detail else ''}"


def stamp(at: float | None) -> str:
    return rfc3339(at) or "?"
