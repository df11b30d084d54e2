"""One or all: findings that share a cause outside the applications are one incident; everything else stays apart.

A finding with its consequences is a *story*. Stories merge only where they share a thing that can be the cause of all
of them (`traits`), at the same time, and where nothing speaks against it: a shared node counts only if what runs
elsewhere is well, a shared image only if nobody runs well with it. Coincidence is the default.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from msgspec import Struct

from console.base.units import human_duration
from console.health.facts import Facts
from console.health.model import SEVERITY_ORDER, Finding, Incident, Member, SparkApp
from console.health.traits import ENDED_OUTSIDE, Trait, nodes_of, traits

GAP = 900.0
"""Seconds between two faults that pass by themselves above which they are two incidents."""
TOGETHER = 120.0
"""Seconds within which everything must begin where nothing but the time is shared."""
_ORDER = (
    "gpu",
    "claim",
    "image",
    "registry",
    "metastore",
    "object store",
    "credentials",
    "quota",
    "right",
    "namespace",
    "webhook",
    "operator",
    "capacity",
    "node",
    "image content",
    "version",
    "time",
)
_LASTS = frozenset(
    {"unschedulable", "unschedulable-gpu", "image-pull", "state-stuck", "node-not-ready", "node-disk-pressure"}
)
"""Codes of conditions that hold until now while the application lives."""


class Story(Struct):
    """A root cause with its consequences."""

    findings: tuple[Finding, ...]
    roots: tuple[Finding, ...]
    apps: frozenset[str]
    traits: tuple[Trait, ...]
    since: float | None
    until: float | None


class _Answer(Struct):
    stories: list[Story]
    speaks_for: list[str]
    against: list[str] = []


def group(findings: Sequence[Finding], apps: Sequence[SparkApp], facts: Facts) -> tuple[Incident, ...]:
    """Every finding in exactly one incident, the worst incident first."""
    if not findings:
        return ()
    scene = _Scene(apps, facts)
    stories = _stories(findings, scene)
    out: list[Incident] = []
    free = list(stories)
    for kind in _ORDER:
        for key, sharing in _sharing(kind, free).items():
            found = [s for s in sharing if any(s is f for f in free)]
            for number, answer in enumerate(_CHECKS[kind](kind, key[1], found, scene) if _several(found) else ()):
                out.append(_merged(kind, key, number, answer))
                free = [f for f in free if not any(f is s for s in answer.stories)]
    out.extend(_single(story, scene) for story in free)
    out.sort(key=lambda i: (SEVERITY_ORDER[i.severity], i.since if i.since is not None else float("inf"), i.key))
    return tuple(out)


# stories ------------------------------------------------------------------------------------------------------------


def _stories(findings: Sequence[Finding], scene: _Scene) -> list[Story]:
    """Findings joined by cause and consequence, in the order in which they come."""
    known = {f.key: f for f in findings}
    head = {key: key for key in known}

    def root(key: str) -> str:
        while head[key] != key:
            head[key] = head[head[key]]
            key = head[key]
        return key

    for one in findings:
        for cause in one.causes:
            if cause in known:
                head[root(one.key)] = root(cause)
    parts: dict[str, list[Finding]] = {}
    for one in findings:
        parts.setdefault(root(one.key), []).append(one)
    return [_story(part, known, scene) for part in parts.values()]


def _story(part: list[Finding], known: dict[str, Finding], scene: _Scene) -> Story:
    roots = [f for f in part if not any(c in known for c in f.causes)]
    shared: dict[Trait, None] = {}
    for one in roots:
        shared.update(dict.fromkeys(traits(one, scene.apps.get(one.app))))
    apps = {f.app for f in part if f.app} | {str(a) for f in part for a in f.data.get("apps", ())}
    begins = [f.since for f in roots if f.since is not None]
    ends = [*begins, *(e.at for f in part for e in f.evidence if e.at is not None)]
    if any(f.code in _LASTS and (not f.app or scene.alive(f.app)) for f in roots) and scene.now:
        ends.append(scene.now)
    return Story(
        tuple(part), tuple(roots), frozenset(apps), tuple(shared), min(begins, default=None), max(ends, default=None)
    )


def _sharing(kind: str, free: Sequence[Story]) -> dict[tuple[str, str, str], list[Story]]:
    """Stories by the thing of this kind that they share, where at least two do."""
    if kind == "time":
        return _at_once(free)
    out: dict[tuple[str, str, str], list[Story]] = {}
    for story in free:
        for trait in story.traits:
            if trait.kind == kind:
                out.setdefault((kind, trait.value, trait.family), []).append(story)
    return {k: v for k, v in sorted(out.items(), key=lambda p: (-len(p[1]), p[0])) if _several(v)}


def _several(stories: Sequence[Story]) -> bool:
    """Two applications at least, or one and something that is none."""
    everybody = frozenset[str]().union(*(s.apps for s in stories))
    return len(stories) > 1 and (len(everybody) > 1 or any(not s.apps for s in stories))


def _at_once(free: Sequence[Story]) -> dict[tuple[str, str, str], list[Story]]:
    out: dict[tuple[str, str, str], list[Story]] = {}
    for story in free:
        code = story.roots[0].code
        if code in ENDED_OUTSIDE or code in ("fetch-failed", "object-store-unreachable", "metastore-down"):
            out.setdefault(("time", "", code), []).append(story)
    return out


def _runs(stories: Iterable[Story], gap: float) -> list[list[Story]]:
    """Stories whose times touch: apart by no more than `gap`. Those of no known time stand alone."""
    timed = sorted((s for s in stories if s.since is not None), key=lambda s: s.since or 0.0)
    out: list[list[Story]] = []
    end = float("-inf")
    for story in timed:
        begin, until = story.since or 0.0, story.until or story.since or 0.0
        if begin - end > gap:
            out.append([])
            end = until
        out[-1].append(story)
        end = max(end, until)
    return out


# what must hold for each kind ---------------------------------------------------------------------------------------


def _target(kind: str, value: str, stories: list[Story], scene: _Scene) -> list[_Answer]:
    """One thing that all of them use and that fails in the same way: to share it is to share the cause."""
    lasting = any(t.kind == kind and t.value == value and t.lasting for s in stories for t in s.traits)
    out = []
    unknown = [s for s in stories if s.since is None]
    runs = [stories] if lasting else _runs(stories, GAP)
    if not lasting and unknown:
        runs = [[*runs[0], *unknown], *runs[1:]] if len(runs) == 1 else [*runs, *([unknown] if not runs else [])]
    for run in runs:
        if not _several(run):
            continue
        said = [f"all of them name the same {_NAMES.get(kind, kind)}: {value}"]
        against = []
        if not lasting:
            said.append(_when(run))
            if any(s.since is None for s in run):
                against.append("not all of them say when it began")
        if any(f.data.get("cause") == "policy" for s in run for f in s.roots):
            against.append("whether they use the same identity is not known")
        out.append(_Answer(run, said, against))
    return out


def _capacity(kind: str, value: str, stories: list[Story], scene: _Scene) -> list[_Answer]:
    """Waiting for the same resource at the same time. A pod that fits no node has a cause of its own."""
    fits = [s for s in stories if not any(scene.too_large(f) for f in s.roots)]
    out = []
    for run in _runs(fits, 0.0):
        if _several(run):
            said = [f"they wait at the same time for the same: {value}", _when(run)]
            against = (
                [] if scene.facts.nodes else ["the nodes are not known: a request may be too large for any of them"]
            )
            alone = [s for s in stories if s not in fits]
            if alone:
                said.append(f"left out: {len(alone)} that would fit on no node at all")
            out.append(_Answer(run, said, against))
    return out


def _operator(kind: str, value: str, stories: list[Story], scene: _Scene) -> list[_Answer]:
    """Several applications stand still, and none of the same operator moves."""
    out = []
    for run in _runs(stories, GAP):
        begin = min((s.since for s in run if s.since is not None), default=None)
        moved = [
            a.name
            for a in scene.all
            if a.launcher == value and begin is not None and a.started is not None and a.started > begin + 60
        ]
        if len(run) >= 3 and _several(run) and not moved:
            out.append(
                _Answer(
                    run,
                    ["no application of this operator has moved since", _when(run)],
                    ["the operator itself shows nothing"],
                )
            )
    return out


def _node(kind: str, value: str, stories: list[Story], scene: _Scene) -> list[_Answer]:
    """Pods of several applications lost on one node, and the node stands out: it is in trouble itself, or what the same
    applications run elsewhere is well."""
    out = []
    for run in _runs(stories, GAP):
        if not _several(run):
            continue
        trouble = scene.trouble(value, run)
        codes = {f.code for s in run for f in s.roots if f.app}
        apart = [a for s in run for a in s.apps if scene.elsewhere(a, value)]
        still = scene.unharmed(value, frozenset[str]().union(*(s.apps for s in run)))
        if not trouble and (len(codes) > 1 or not apart or len(still) >= len(run)):
            continue
        said = [*trouble, f"everything that was lost ran on {value}"]
        if apart:
            said.append(f"what {len(set(apart))} of them run on other nodes is well")
        against = [f"still well on {value}: {', '.join(still[:3])}"] if still else []
        out.append(_Answer(run, [*said, _when(run)], against))
    return out


def _content(kind: str, value: str, stories: list[Story], scene: _Scene) -> list[_Answer]:
    """The same fault in everything that has this image or version, and in nothing that has another."""
    if not _several(stories):
        return []
    hit = frozenset[str]().union(*(s.apps for s in stories))
    image = kind == "image content"
    same = [a for a in scene.all if (a.image if image else a.spark_version) == value and a.key not in hit]
    other = [a for a in scene.all if (a.image if image else a.spark_version) not in ("", value) and a.key not in hit]
    well = [a for a in same if scene.well(a)]
    if well or (not image and (len(hit) < 3 or sum(scene.well(a) for a in other) < 2)):
        return []
    said = [f"all {len(hit)} applications with {value} fail alike"]
    if other:
        said.append(f"{len(other)} applications with another {'image' if image else 'version'} do not")
    return [_Answer(stories, said, [] if other else ["no application with another one is known to compare with"])]


def _time(kind: str, value: str, stories: list[Story], scene: _Scene) -> list[_Answer]:
    """Nothing but the time: only where most of what lives is hit alike within two minutes."""
    out: list[_Answer] = []
    timed = sorted((s for s in stories if s.since is not None), key=lambda s: s.since or 0.0)
    runs: list[list[Story]] = []
    for story in timed:
        if not runs or (story.since or 0.0) - (runs[-1][0].since or 0.0) > TOGETHER:
            runs.append([])
        runs[-1].append(story)
    for run in runs:
        hit = frozenset[str]().union(*(s.apps for s in run))
        begin = run[0].since or 0.0
        ran = [a for a in scene.all if (a.started or 0.0) <= begin and (a.ended is None or a.ended >= begin)]
        if len(hit) >= 3 and len(hit) * 2 >= len(ran):
            said = [f"{len(hit)} of {max(len(ran), len(hit))} applications were hit alike", _when(run)]
            out.append(_Answer(run, said, ["no node, image or service that all of them share is known"]))
    return out


_CHECKS: dict[str, Callable[[str, str, list[Story], _Scene], list[_Answer]]] = {
    **dict.fromkeys(_ORDER, _target),
    "capacity": _capacity,
    "operator": _operator,
    "node": _node,
    "image content": _content,
    "version": _content,
    "time": _time,
}
_NAMES = {"right": "missing right", "gpu": "GPU", "namespace": "namespace", "credentials": "namespace's credentials"}
_TITLES = {
    "gpu": "GPU {value}",
    "claim": "claim {value}",
    "image": "image {value} cannot be pulled",
    "registry": "images of {value} cannot be pulled",
    "metastore": "Hive metastore {value} fails",
    "object store": "object store {value}",
    "credentials": "credentials of {value} are refused",
    "quota": "quota {value} is used up",
    "right": "missing right: {value}",
    "namespace": "Pod Security of {value} refuses pods",
    "webhook": "admission webhook {value} fails",
    "operator": "the {value} operator takes nothing further",
    "capacity": "the cluster is full: {value}",
    "node": "node {value} loses pods",
    "image content": "image {value} is broken",
    "version": "Spark {value} fails",
    "time": "pods are lost everywhere at once",
}


# the scene ----------------------------------------------------------------------------------------------------------


class _Scene:
    """What else is there: applications, nodes and members to compare with."""

    def __init__(self, apps: Sequence[SparkApp], facts: Facts) -> None:
        self.all, self.facts, self.now = tuple(apps), facts, facts.at
        self.apps = {a.key: a for a in apps}

    def alive(self, app: str) -> bool:
        found = self.apps.get(app)
        return found is not None and found.live

    def well(self, app: SparkApp) -> bool:
        """Whether an application works, or has ended well."""
        if app.state.upper() in ("COMPLETED", "SUCCEEDED"):
            return True
        return app.live and app.running_executors > 0

    @cached_property
    def fine(self) -> tuple[SparkApp, ...]:
        """Applications that work, or have ended well."""
        return tuple(a for a in self.all if self.well(a))

    @cached_property
    def fine_images(self) -> Counter[str]:
        return Counter(a.image for a in self.fine)

    @cached_property
    def fine_versions(self) -> Counter[str]:
        return Counter(a.spark_version for a in self.fine)

    @cached_property
    def largest(self) -> float | None:
        """The largest memory that a node has for pods."""
        return max((n.allocatable["memory"] for n in self.facts.nodes if "memory" in n.allocatable), default=None)

    def too_large(self, one: Finding) -> bool:
        wanted = one.data.get("memory_request")
        return isinstance(wanted, int | float) and self.largest is not None and wanted > self.largest

    @cached_property
    def members(self) -> dict[str, list[tuple[SparkApp, Member]]]:
        """Members by the node they run or ran on."""
        out: dict[str, list[tuple[SparkApp, Member]]] = {}
        for app in self.all:
            for member in (*((app.driver,) if app.driver is not None else ()), *app.executors):
                if member.node:
                    out.setdefault(member.node, []).append((app, member))
        return out

    def elsewhere(self, app: str, node: str) -> bool:
        """Whether the application has members on other nodes, all of them well."""
        found = self.apps.get(app)
        if found is None:
            return False
        members = [*((found.driver,) if found.driver is not None else ()), *found.executors]
        other = [m for m in members if m.node and m.node != node]
        return bool(other) and all(m.death is None or m.death.kind in ("normal", "decommissioned") for m in other)

    def unharmed(self, node: str, hit: frozenset[str]) -> list[str]:
        """Applications, none of those hit, that still run on a node."""
        names = {a.name for a, m in self.members.get(node, ()) if a.key not in hit and m.death is None and m.ready}
        return sorted(names)

    def trouble(self, name: str, run: Sequence[Story]) -> list[str]:
        """What the node itself says."""
        out = []
        for story in run:
            out += [f.title for f in story.roots if not f.app and name in nodes_of(f)]
        node = next((n for n in self.facts.nodes if n.name == name), None)
        if node is not None and not out:
            if node.unschedulable:
                out.append(f"node {name} is cordoned")
            ready = node.condition("Ready")
            if ready is not None and ready.status != "True":
                out.append(f"node {name} is not ready: {ready.reason or ready.status}")
        begin = min((s.since for s in run if s.since is not None), default=0.0) - GAP
        end = max((s.until for s in run if s.until is not None), default=0.0) + GAP
        for event in self.facts.events:
            if (
                event.kind == "Node"
                and event.name == name
                and (event.type == "Warning" or event.reason in _NODE_EVENTS)
            ) and (event.last is None or begin <= event.last <= end):
                out.append(f"event {event.reason} of node {name}")
        return list(dict.fromkeys(out))[:3]


_NODE_EVENTS = frozenset({"NodeNotReady", "NodeNotSchedulable", "Rebooted", "RemovingNode", "DeletingNode", "Shutdown"})


# incidents ----------------------------------------------------------------------------------------------------------


def _when(run: Sequence[Story]) -> str:
    times = [s.since for s in run if s.since is not None]
    spread = max(times) - min(times) if times else 0.0
    return f"they began within {human_duration(spread)}" if spread >= 1 else "they began in the same second"


def _merged(kind: str, key: tuple[str, str, str], number: int, answer: _Answer) -> Incident:
    findings = [f for s in answer.stories for f in s.findings]
    worst = min(findings, key=lambda f: SEVERITY_ORDER[f.severity])
    apps = frozenset[str]().union(*(s.apps for s in answer.stories))
    first = f"{len(apps)} application{'s' if len(apps) > 1 else ''}"
    lead = next((f for s in answer.stories for f in s.roots if not f.app), None)
    title = lead.title if lead is not None else _TITLES[kind].format(value=key[1])
    return Incident(
        key=f"{kind}:{key[1]}:{key[2]}" + (f":{number}" if number else ""),
        title=f"{title} ({first})",
        findings=tuple(f.key for f in _lead_first(findings)),
        severity=worst.severity,
        since=min((s.since for s in answer.stories if s.since is not None), default=None),
        shared=f"{kind} {key[1]}".strip() if kind != "time" else "time",
        speaks_for=tuple(answer.speaks_for),
        against=tuple(answer.against),
    )


def _lead_first(findings: Sequence[Finding]) -> list[Finding]:
    """What is about no application, and so may be the cause of all, first."""
    return sorted(findings, key=lambda f: bool(f.app))


def _single(story: Story, scene: _Scene) -> Incident:
    root = story.roots[0]
    said, against = _alone(story, scene)
    return Incident(
        key=root.key,
        title=root.title,
        findings=tuple(f.key for f in story.findings),
        severity=min((f.severity for f in story.findings), key=lambda s: SEVERITY_ORDER[s]),
        since=story.since,
        shared=_extent(story),
        speaks_for=tuple(said),
        against=tuple(against),
    )


def _extent(story: Story) -> str:
    if len(story.apps) == 1:
        return "this application only"
    return story.roots[0].subject.strip("/").replace("//", " ") if story.apps else ""


def _alone(story: Story, scene: _Scene) -> tuple[list[str], list[str]]:
    """Why it is this application's own: others with the same image, version or nodes are well. And what is open."""
    app = scene.apps.get(next(iter(story.apps))) if len(story.apps) == 1 else None
    if app is None:
        said = [f"{len(story.apps)} applications suffer from it"] if story.apps else []
        return said, []
    said = []
    itself = int(scene.well(app))
    image = scene.fine_images[app.image] - itself if app.image else 0
    version = scene.fine_versions[app.spark_version] - itself if app.spark_version else 0
    if image:
        said.append(f"{image} other application{'s' if image > 1 else ''} with the same image work")
    elif version:
        said.append(f"{version} other application{'s' if version > 1 else ''} with Spark {app.spark_version} work")
    nodes = {n for f in story.roots for n in nodes_of(f)}
    beside = {a.key for n in nodes for a, m in scene.members.get(n, ()) if a.key != app.key and m.death is None}
    if beside:
        said.append(f"{len(beside)} other application{'s' if len(beside) > 1 else ''} on the same node")
    against = [] if len(scene.fine) > itself else ["no other application is there to compare with"]
    return said, against
