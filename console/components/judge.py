"""Whether the systems of the platform work, as their users would notice: replicas first, then signals of the function.

A component whose replicas are ready, but about whose function no signal says anything, is unknown, not healthy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from console.base.text import clean, plural, shorten
from console.components.find import SOURCE_OF, ClusterObject, ComponentObjects, conf_holds, find
from console.components.model import Component, Trouble
from console.components.reach import of_reach
from console.components.signals import SignalResult, hear
from console.components.spec import Definition, Expectation, Needs, Preset
from console.components.troubles import of_objects
from console.facts.evidence import Evidence
from console.facts.model import Facts
from console.facts.notjudged import Isolation
from console.facts.replicas import replicas

_RANK = {"down": 0, "degraded": 1, "unknown": 2, "healthy": 3}
UNREAD = frozenset({"forbidden", "unreachable", "loading", "login needed", "absent"})


def judge(
    facts: Facts,
    definitions: Iterable[Definition],
    preset: Preset | None = None,
    *,
    failed: Isolation | None = None,
) -> tuple[Component, ...]:
    """Every component that was found, and those that are expected and were not.

    Args:
        facts: what is known. Answers to the components' queries are among the samples (`components_signals.asks`).
        definitions: what components there are.
        preset: what is expected; without it only what was found is judged.
        failed: takes components that cannot be judged; they are unknown.
    """
    failed = Isolation() if failed is None else failed
    wanted: Mapping[str, Expectation] = preset.components if preset is not None else {}
    needed = {name for id, what in wanted.items() if what.presence == "required" for name in (id, *what.instead)}
    known = {definition.id: definition for definition in definitions}
    found = find(facts, known.values())
    out: dict[str, Component] = {}
    for id, definition in known.items():
        expectation = wanted.get(id)
        required = id in needed
        if id in found:
            out[id] = _guarded(found[id], facts, required, failed)
        elif expectation is not None and required and not any(other in found for other in expectation.instead):
            out[id] = _missing(definition, facts)
    for id, component in list(out.items()):
        if id in found:
            out[id] = _leaning(component, found[id], out)
    return tuple(sorted(out.values(), key=lambda c: (_RANK.get(c.state, 0), not c.expected, c.id)))


def _guarded(found: ComponentObjects, facts: Facts, required: bool, failed: Isolation) -> Component:
    """The component; unknown where it cannot be judged."""
    definition = found.definition
    try:
        return _judged(found, facts, required)
    except Exception as error:
        failed.note(f"Component//{definition.id}", f"judging {definition.title}", error)
        reason = f"not judged: {type(error).__name__}"
        things = tuple(thing.key for thing in found.things)
        return Component(
            definition.id, definition.title, "unknown", reason, things, runbooks=definition.runbooks, expected=required
        )


def _missing(definition: Definition, facts: Facts) -> Component:
    """Nothing was found: absent, or unknown where the kinds that would show it could not be read."""
    states = {source.name: source for source in facts.sources}
    for kind in dict.fromkeys(way.kind for way in definition.find):
        source = states.get(SOURCE_OF.get(kind, ""))
        if source is not None and source.state in UNREAD - {"absent"}:
            return Component(
                definition.id,
                definition.title,
                "unknown",
                f"{source.name}: {source.state}",
                runbooks=definition.runbooks,
                expected=True,
            )
    reason = "expected, but nothing of it was found"
    return Component(definition.id, definition.title, "absent", reason, runbooks=definition.runbooks, expected=True)


def _judged(found: ComponentObjects, facts: Facts, required: bool) -> Component:
    definition = found.definition
    troubles = [*of_objects(found, facts), *of_reach(found, facts)] if definition.replicas else []
    said = [what for signal in definition.signals for what in hear(signal, found, facts)]
    troubles += [
        Trouble(what.level, what.words, _about(what, found), what.evidence, since=what.evidence.at)  # type: ignore[arg-type]
        for what in said
        if what.bad
    ]
    good = [what for what in said if not what.bad]
    troubles.sort(key=lambda trouble: _RANK[trouble.level])
    state, reason = _verdict(troubles, good, definition, any(_counted(thing) for thing in found.things))
    return Component(
        id=definition.id,
        title=definition.title,
        state=state,  # type: ignore[arg-type]
        reason=shorten(clean(reason), 200),
        found=tuple(thing.key for thing in found.things),
        evidence=tuple([trouble.evidence for trouble in troubles] + [what.evidence for what in good])[:8],
        runbooks=definition.runbooks,
        expected=required,
        troubles=tuple(troubles),
    )


def _counted(thing: ClusterObject) -> bool:
    return replicas(thing.kind, thing.spec, thing.status) is not None


def _about(what: SignalResult, found: ComponentObjects) -> str:
    """Key of the object that a signal speaks of; the component's first one where it names none of them."""
    named = [thing for thing in found.things if f"/{thing.namespace}/{thing.name}" in what.evidence.locator]
    return max(named, key=lambda thing: len(thing.name), default=found.things[0]).key


def _verdict(
    troubles: list[Trouble], good: list[SignalResult], definition: Definition, counted: bool
) -> tuple[str, str]:
    if troubles:
        rest = len(troubles) - 1
        return troubles[0].level, troubles[0].words + (f" (and {plural(rest, 'more sign')})" if rest else "")
    if good:
        return "healthy", "; ".join(dict.fromkeys(what.words for what in good))
    if definition.replicas and counted:
        return "unknown", "the replicas are ready, but nothing says whether it works"
    return "unknown", "it is there, but nothing says whether it works"


def _leaning(component: Component, found: ComponentObjects, all_: Mapping[str, Component]) -> Component:
    """The component with the trouble of those that it cannot serve without. What is not there is no trouble."""
    for signal in found.definition.signals:
        if signal.needs is None or (other := all_.get(signal.needs.component)) is None:
            continue
        relevant = _of_concern(other, found, signal.needs)
        if not relevant:
            continue
        worst = min(relevant, key=lambda trouble: _RANK[trouble.level])
        level = signal.level if worst.level == "down" else "degraded"
        if _RANK[level] < _RANK.get(component.state, 9):
            words = f"{signal.says}: {other.title} is {worst.level} ({worst.words})"
            evidence = Evidence("component", other.id, shorten(clean(words), 300), worst.since)
            trouble = Trouble(level, words, found.things[0].key, evidence, "needs", worst.since)
            component = replace(
                component,
                state=level,
                reason=shorten(clean(words), 200),
                evidence=(evidence, *component.evidence)[:8],
                troubles=(trouble, *component.troubles),
            )
    return component


def _of_concern(other: Component, found: ComponentObjects, needs: Needs) -> list[Trouble]:
    """The troubles of a needed component that reach this one: in a namespace that both share; elsewhere only where the
    configuration names that namespace. What belongs to no namespace reaches all."""
    if needs.conf and not any(conf_holds(needs.conf, thing) for thing in found.things):
        return []
    mine = {thing.namespace for thing in found.things}
    shared = mine & {key.split("/")[1] for key in other.found}
    if shared:
        return [t for t in other.troubles if t.subject.split("/")[1] in (shared | {""})]
    text = " ".join(str(thing.spec) for thing in found.things)
    return [t for t in other.troubles if not (space := t.subject.split("/")[1]) or f".{space}" in text]
