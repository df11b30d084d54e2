"""What speaks for and against a common cause of several stories, by the kind of thing that they share."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from console.health.incident_scene import Scene
from console.health.incident_stories import GAP, Story, runs_of, several, when_begun

TOGETHER = 120.0
"""Seconds within which everything must begin where nothing but the time is shared."""
KINDS = (
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
"""Kinds of things that stories may share, in the order in which they are tried."""


class CommonCause(Struct):
    """Stories of one cause, what speaks for that, and what against it."""

    stories: list[Story]
    speaks_for: list[str]
    against: list[str] = []


def _target(kind: str, value: str, stories: list[Story], scene: Scene) -> list[CommonCause]:
    """One thing that all of them use and that fails in the same way: to share it is to share the cause."""
    lasting = any(t.kind == kind and t.value == value and t.lasting for s in stories for t in s.traits)
    out = []
    unknown = [s for s in stories if s.since is None]
    runs = [stories] if lasting else runs_of(stories, GAP)
    if not lasting and unknown:
        runs = [[*runs[0], *unknown], *runs[1:]] if len(runs) == 1 else [*runs, *([unknown] if not runs else [])]
    for run in runs:
        if not several(run):
            continue
        said = [f"all of them name the same {_NAMES.get(kind, kind)}: {value}"]
        against = []
        if not lasting:
            said.append(when_begun(run))
            if any(s.since is None for s in run):
                against.append("not all of them say when it began")
        if any(f.data.get("cause") == "policy" for s in run for f in s.roots):
            against.append("whether they use the same identity is not known")
        out.append(CommonCause(run, said, against))
    return out


def _capacity(kind: str, value: str, stories: list[Story], scene: Scene) -> list[CommonCause]:
    """Waiting for the same resource at the same time. A pod that fits no node has a cause of its own."""
    fits = [s for s in stories if not any(scene.too_large(f) for f in s.roots)]
    out = []
    for run in runs_of(fits, 0.0):
        if several(run):
            said = [f"they wait at the same time for the same: {value}", when_begun(run)]
            against = (
                [] if scene.facts.nodes else ["the nodes are not known: a request may be too large for any of them"]
            )
            alone = [s for s in stories if s not in fits]
            if alone:
                said.append(f"left out: {len(alone)} that would fit on no node at all")
            out.append(CommonCause(run, said, against))
    return out


def _operator(kind: str, value: str, stories: list[Story], scene: Scene) -> list[CommonCause]:
    """Several applications stand still, and none of the same operator moves."""
    out = []
    for run in runs_of(stories, GAP):
        begin = min((s.since for s in run if s.since is not None), default=None)
        moved = [
            a.name
            for a in scene.all
            if a.launcher == value and begin is not None and a.started is not None and a.started > begin + 60
        ]
        if len(run) >= 3 and several(run) and not moved:
            out.append(
                CommonCause(
                    run,
                    ["no application of this operator has moved since", when_begun(run)],
                    ["the operator itself shows nothing"],
                )
            )
    return out


def _node(kind: str, value: str, stories: list[Story], scene: Scene) -> list[CommonCause]:
    """Pods of several applications lost on one node, and the node stands out: it is in trouble itself, or what the same
    applications run elsewhere is well."""
    out = []
    for run in runs_of(stories, GAP):
        if not several(run):
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
        out.append(CommonCause(run, [*said, when_begun(run)], against))
    return out


def _content(kind: str, value: str, stories: list[Story], scene: Scene) -> list[CommonCause]:
    """The same fault in everything that has this image or version, and in nothing that has another."""
    if not several(stories):
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
    return [CommonCause(stories, said, [] if other else ["no application with another one is known to compare with"])]


def _time(kind: str, value: str, stories: list[Story], scene: Scene) -> list[CommonCause]:
    """Nothing but the time: only where most of what lives is hit alike within two minutes."""
    out: list[CommonCause] = []
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
            said = [f"{len(hit)} of {max(len(ran), len(hit))} applications were hit alike", when_begun(run)]
            out.append(CommonCause(run, said, ["no node, image or service that all of them share is known"]))
    return out


CHECKS: dict[str, Callable[[str, str, list[Story], Scene], list[CommonCause]]] = {
    **dict.fromkeys(KINDS, _target),
    "capacity": _capacity,
    "operator": _operator,
    "node": _node,
    "image content": _content,
    "version": _content,
    "time": _time,
}
"""Kind → what must hold for it: (kind, value, stories that share it, scene) → the stories of that cause."""
_NAMES = {"right": "missing right", "gpu": "GPU", "namespace": "namespace", "credentials": "namespace's credentials"}
