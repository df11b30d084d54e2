"""Facts and applications → findings: the cause first, its consequences after it; and why other rules did not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from console.health.apps import Assembler
from console.health.case import Case, World
from console.health.facts import Facts
from console.health.gpu.model import Fleet
from console.health.model import SEVERITY_ORDER, Attempt, Finding, SparkApp
from console.health.proof import honest
from console.health.rule import Answer, Rule, Trial, WorldRule
from console.health.rules import all_rules

_CONFIDENCE = {"high": 0, "medium": 1, "low": 2}


class Verdict(Struct, frozen=True):
    """Applications and findings of one moment."""

    apps: tuple[SparkApp, ...]
    findings: tuple[Finding, ...]
    gpus: Fleet = Fleet()


def diagnose(facts: Facts, apps: Sequence[SparkApp]) -> tuple[Finding, ...]:
    """Every finding, ordered: what is worst first, each followed by its consequences."""
    return _judge(World(facts, apps), None, {})


def explain(facts: Facts, apps: Sequence[SparkApp]) -> tuple[Trial, ...]:
    """Every rule that was tried on every application and on the world, and why it held or did not."""
    trials: list[Trial] = []
    _judge(World(facts, apps), trials, {})
    return tuple(trials)


class Engine:
    """Judges a stream of facts: what did not change is not judged again."""

    def __init__(self) -> None:
        self._assembler = Assembler()
        self._kept: dict[str, tuple[tuple[object, ...], list[Finding]]] = {}

    def judge(self, facts: Facts) -> Verdict:
        """Applications, their attempts named with their causes, and all findings."""
        world = World(facts, ())
        apps = self._assembler.assemble(facts, found=world.groups, attached=world.attached)
        world.apps = apps
        findings = _judge(world, None, self._kept)
        troubled = {f.app for f in findings}
        named = tuple(with_causes(a, findings) if a.key in troubled else a for a in apps)
        return Verdict(named, findings, world.gpus.fleet)


def with_causes(app: SparkApp, findings: Iterable[Finding]) -> SparkApp:
    """The application with the finding that explains each failed attempt."""
    mine = [f for f in findings if f.app == app.key]
    if not mine or not app.attempts:
        return app
    attempts: list[Attempt] = []
    for attempt in app.attempts:
        cause = next(
            (
                f.key
                for f in mine
                if not f.causes
                and (
                    attempt.number in f.data["attempts"]
                    if f.data.get("attempts")
                    else f.data.get("attempt", attempt.number) == attempt.number
                )
            ),
            "",
        )
        failed = attempt.death is not None and attempt.death.kind != "normal"
        attempts.append(replace(attempt, cause=cause) if cause and failed else attempt)
    return replace(app, attempts=tuple(attempts))


def _judge(
    world: World, trials: list[Trial] | None, kept: dict[str, tuple[tuple[object, ...], list[Finding]]]
) -> tuple[Finding, ...]:
    mine, over_all = all_rules()
    found: list[Finding] = []
    for wide in over_all:
        answer = wide.check(world)
        found.extend(_taken(answer))
        if trials is not None:
            trials.extend(_trials(wide, "", answer))
    fresh: dict[str, tuple[tuple[object, ...], list[Finding]]] = {}
    for case in world.cases:
        sign = _sign(case)
        old = kept.get(case.app.key)
        if trials is None and old is not None and _same(old[0], sign):
            results = old[1]
        elif trials is None and case.calm:
            results = []
        else:
            results = case.so_far = []
            for rule in mine:
                answer = rule.check(case)
                results.extend(_taken(answer))
                if trials is not None:
                    trials.extend(_trials(rule, case.subject, answer))
        fresh[case.app.key] = (sign, results)
        found.extend(results)
    kept.clear()
    kept.update(fresh)
    return ordered(_linked(found, mine))


def _sign(case: Case) -> tuple[object, ...]:
    """What a case was judged from, for comparing by identity. Time passes for what waits."""
    waiting = any(m.waiting for m in case.app.executors) or (case.app.driver is not None and case.app.driver.waiting)
    moving = case.app.state.upper() in ("SUBMITTED", "PENDING_RERUN", "INVALIDATING", "PENDING", "SUBMITTED", "NEW")
    clock = int(case.world.now // 30) if waiting or moving else 0
    return (
        case.app,
        *case.events,
        *case.belongings.logs,
        *case.belongings.rest,
        len(case.world.facts.samples),
        len(case.world.nodes),
        clock,
    )


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    return len(a) == len(b) and all(x is y or (isinstance(x, int) and x == y) for x, y in zip(a, b, strict=True))


def _taken(answer: Answer) -> list[Finding]:
    return [] if isinstance(answer, str) else [honest(one) for one in answer]


def _trials(rule: Rule | WorldRule, subject: str, answer: Answer) -> list[Trial]:
    if isinstance(answer, str):
        return [Trial(rule.code, rule.class_, subject, False, answer)]
    return [Trial(f.code, f.class_, f.subject or subject, True, f.title) for f in answer]


def _linked(found: list[Finding], rules: Iterable[Rule]) -> list[Finding]:
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
    if one.app and one.app in wide.data.get("apps", ()):
        return True
    pods = (
        {str(p).rpartition("/")[2] for p in wide.data.get("pods", ()) if isinstance(p, str)}
        if "pods" in wide.data
        else set()
    )
    mine = {str(p) for p in one.data.get("pods", ())} | {one.subject.rpartition("/")[2]}
    if pods & mine:
        return True
    name = wide.subject.rpartition("/")[2]
    said = (one.detail, *(e.excerpt for e in one.evidence))
    return bool(name) and (any(name in text for text in said) or name in one.data.get("nodes", ()))


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
