"""The order of findings: consequences name their causes, and stand behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from console.apps.model import Attempt, SparkApp
from console.findings.figures.base import Figures
from console.findings.model import SEVERITY_ORDER, Finding
from console.findings.rule import Rule

_CONFIDENCE = {"high": 0, "medium": 1, "low": 2}


def linked(found: list[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """Consequences name their causes: findings of the codes that their rule comes after, of the same application, or of
    the node, claim or operator it depends on."""
    after: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        after[rule.code] = rule.after
    by_code: dict[str, list[Finding]] = {}
    for one in found:
        by_code.setdefault(one.code, []).append(one)
    out: list[Finding] = []
    for one in found:
        causes = list(one.causes)
        for code in after.get(one.code, ()):
            for other in by_code.get(code, ()):
                if other is not one and (other.app == one.app or (not other.app and _touches(other, one))):
                    causes.append(other.key)
        out.append(replace(one, causes=tuple(dict.fromkeys(causes))) if causes else one)
    return out


def _touches(wide: Finding, one: Finding) -> bool:
    """Whether a finding about a node, a claim or the operator is about something that this one speaks of."""
    if wide.code.startswith("operator-"):
        return True
    if one.app and one.app in wide.data.apps:
        return True
    pods = {pod.rpartition("/")[2] for pod in wide.data.pods}
    mine = {*one.data.pods, one.subject.rpartition("/")[2]}
    if pods & mine:
        return True
    name = wide.subject.rpartition("/")[2]
    said = (one.detail, *(e.excerpt for e in one.evidence))
    return bool(name) and (any(name in text for text in said) or name in one.data.nodes)


def ordered(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """One finding per key; roots by severity, confidence and time, each followed by what it caused."""
    unique: dict[str, Finding] = {}
    for one in found:
        old = unique.get(one.key)
        if old is None or _rank(one) < _rank(old):
            unique[one.key] = one
    children: dict[str, list[Finding]] = {}
    for one in unique.values():
        for cause in one.causes:
            if cause in unique:
                children.setdefault(cause, []).append(one)
    roots = [f for f in unique.values() if not any(c in unique for c in f.causes)]
    out: list[Finding] = []
    seen: set[str] = set()

    def place(one: Finding) -> None:
        if one.key in seen:
            return
        seen.add(one.key)
        out.append(one)
        for child in sorted(children.get(one.key, ()), key=_rank):
            if all(c in seen or c not in unique for c in child.causes):
                place(child)

    for root in sorted(roots, key=_rank):
        place(root)
    for one in sorted(unique.values(), key=_rank):
        place(one)
    return tuple(out)


def _rank(one: Finding) -> tuple[int, int, float, str, str]:
    return (
        SEVERITY_ORDER.get(one.severity, 3),
        _CONFIDENCE.get(one.confidence, 3),
        one.since if one.since is not None else float("inf"),
        one.code,
        one.subject,
    )


class CausesKept:
    """`with_causes` with a memory: of what did not change the very same application is given again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[SparkApp, list[Finding], SparkApp]] = {}

    def name(self, apps: Iterable[SparkApp], findings: Iterable[Finding]) -> tuple[SparkApp, ...]:
        """The applications with the findings that explain their failed attempts."""
        of_app: dict[str, list[Finding]] = {}
        for one in findings:
            of_app.setdefault(one.app, []).append(one)
        known: dict[str, tuple[SparkApp, list[Finding], SparkApp]] = {}
        out: list[SparkApp] = []
        for app in apps:
            if (mine := of_app.get(app.key)) is None:
                out.append(app)
                continue
            was = self._known.get(app.key)
            if was is None or was[0] is not app or was[1] != mine:
                was = (app, mine, with_causes(app, mine))
            known[app.key] = was
            out.append(was[2])
        self._known = known
        return tuple(out)


def with_causes(app: SparkApp, findings: Iterable[Finding]) -> SparkApp:
    """The application with the finding that explains each failed attempt."""
    mine = [f for f in findings if f.app == app.key]
    if not mine or not app.attempts:
        return app
    attempts: list[Attempt] = []
    for attempt in app.attempts:
        cause = next(
            (f.key for f in mine if not f.causes and _explains(f.data, attempt.number)),
            "",
        )
        attempts.append(replace(attempt, cause=cause) if cause and attempt.failed else attempt)
    return replace(app, attempts=tuple(attempts))


def _explains(said: Figures, attempt: int) -> bool:
    """Whether a finding is about this attempt: by the attempts that it names, or because it names none."""
    return attempt in said.attempts if said.attempts else said.attempt in (None, attempt)
