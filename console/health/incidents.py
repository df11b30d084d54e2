"""One or all: findings that share a cause outside the applications are one incident; everything else stays apart.

A finding with its consequences is a *story*. Stories merge only where they share a thing that can be the cause of all
of them (`traits`), at the same time, and where nothing speaks against it: a shared node counts only if what runs
elsewhere is well, a shared image only if nobody runs well with it. Coincidence is the default.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.health.facts import Facts
from console.health.incident_causes import CHECKS, KINDS, CommonCause
from console.health.incident_scene import Scene
from console.health.incident_stories import Story, several
from console.health.model import SEVERITY_ORDER, Finding, Incident, SparkApp
from console.health.traits import ENDED_OUTSIDE, Trait, nodes_of, traits

_LASTS = frozenset(
    {"unschedulable", "unschedulable-gpu", "image-pull", "state-stuck", "node-not-ready", "node-disk-pressure"}
)
"""Codes of conditions that hold until now while the application lives."""


def group(findings: Sequence[Finding], apps: Sequence[SparkApp], facts: Facts) -> tuple[Incident, ...]:
    """Every finding in exactly one incident, the worst incident first."""
    if not findings:
        return ()
    scene = Scene(apps, facts)
    stories = _stories(findings, scene)
    out: list[Incident] = []
    free = list(stories)
    for kind in KINDS:
        for key, sharing in _sharing(kind, free).items():
            found = [s for s in sharing if any(s is f for f in free)]
            for number, answer in enumerate(CHECKS[kind](kind, key[1], found, scene) if several(found) else ()):
                out.append(_merged(kind, key, number, answer))
                free = [f for f in free if not any(f is s for s in answer.stories)]
    out.extend(_single(story, scene) for story in free)
    out.sort(key=lambda i: (SEVERITY_ORDER[i.severity], i.since if i.since is not None else float("inf"), i.key))
    return tuple(out)


def _stories(findings: Sequence[Finding], scene: Scene) -> list[Story]:
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


def _story(part: list[Finding], known: dict[str, Finding], scene: Scene) -> Story:
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
    return {k: v for k, v in sorted(out.items(), key=lambda p: (-len(p[1]), p[0])) if several(v)}


def _at_once(free: Sequence[Story]) -> dict[tuple[str, str, str], list[Story]]:
    out: dict[tuple[str, str, str], list[Story]] = {}
    for story in free:
        code = story.roots[0].code
        if code in ENDED_OUTSIDE or code in ("fetch-failed", "object-store-unreachable", "metastore-down"):
            out.setdefault(("time", "", code), []).append(story)
    return out


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


def _merged(kind: str, key: tuple[str, str, str], number: int, answer: CommonCause) -> Incident:
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


def _single(story: Story, scene: Scene) -> Incident:
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


def _alone(story: Story, scene: Scene) -> tuple[list[str], list[str]]:
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
