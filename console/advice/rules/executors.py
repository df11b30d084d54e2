"""How executors come, are named and go: names of pods, dynamic allocation, decommissioning."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from console.advice.ground import Ground
from console.advice.model import Advice
from console.advice.rule import AdviceAnswer, AppRule, GroundRule
from console.advice.view import View
from console.base.text import listed

K8S = "https://spark.apache.org/docs/latest/running-on-kubernetes.html"
DYNAMIC = "https://spark.apache.org/docs/latest/job-scheduling.html#dynamic-resource-allocation"
PREFIX = "spark.kubernetes.executor.podNamePrefix"
LONGEST = 237
"""A pod's name has at most 253 characters; `-exec-` and ten digits come after the prefix."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_ON_KUBERNETES = ("kubeflow", "apache", "submit", "connect")


def prefix(view: View) -> AdviceAnswer:
    """A prefix that makes no valid pod name: the driver refuses to start."""
    said = view.conf.get(PREFIX)
    if said is None or "${" in said:
        return
    wrong = ""
    if len(said) > LONGEST:
        wrong = f"has {len(said)} characters; at most {LONGEST} leave room for the executor's number"
    elif not _NAME.match(said):
        wrong = "is no DNS name: lower-case letters, digits, '-' and '.', with a letter or digit at both ends"
    if wrong:
        yield view.advise(
            "pod-name-prefix",
            "configuration",
            "high",
            f"{PREFIX} {wrong}",
            because="Spark checks it and the application fails before its first executor",
            do="shorten it, or remove it: Spark makes one of the application's name",
            holds_for="Spark 3.0.2 and later",
            source=f"{K8S}#spark-properties",
            about=PREFIX,
            keys=(PREFIX,),
        )


def shared_prefix(ground: Ground) -> AdviceAnswer:
    """Applications that live at the same time in one namespace and name their executors alike."""
    users: dict[tuple[str, str], list[View]] = defaultdict(list)
    for view in ground.views:
        if PREFIX in view.conf and view.app.live:
            users[view.app.namespace, view.conf[PREFIX]].append(view)
    for (_, said), views in sorted(users.items()):
        if len(views) > 1:
            yield from _shared(said, views)


def _shared(said: str, views: list[View]) -> Iterator[Advice]:
    first, *others = sorted(views, key=lambda v: v.app.key)
    names = listed((v.app.name for v in others), 5)
    yield first.advise(
        "pod-name-prefix-shared",
        "configuration",
        "high",
        f"{len(views)} living applications name their executors {said}-exec-N",
        because="two pods of one name cannot be: executor 1 of the second application is refused (AlreadyExists)",
        do=f"remove {PREFIX} from {first.app.name} and {names}, or make it unique for each run",
        holds_for="every Spark version on Kubernetes",
        source=f"{K8S}#client-mode-executor-pod-garbage-collection",
        about=PREFIX,
        keys=(PREFIX,),
        evidence=tuple(v.place(PREFIX) for v in others[:5]),
    )


def dynamic(view: View) -> AdviceAnswer:
    """Dynamic allocation with nothing that keeps shuffle files when executors go."""
    on = "spark.dynamicAllocation.enabled"
    tracking, service = "spark.dynamicAllocation.shuffleTracking.enabled", "spark.shuffle.service.enabled"
    if view.app.launcher not in _ON_KUBERNETES:
        return
    if view.flag(service):
        yield view.advise(
            "shuffle-service",
            "configuration",
            "high",
            "an external shuffle service is asked for, and Kubernetes has none",
            because="executors register with a service on their node that nobody runs there, and fail",
            do=f"remove {service}; use {tracking}, or a remote shuffle service with its own shuffle manager",
            holds_for="every Spark version on Kubernetes",
            source=f"{K8S}#future-work",
            about=service,
            keys=(service, "spark.shuffle.manager"),
        )
    if not view.flag(on) or _keeps_shuffle(view):
        return
    if view.flag(tracking) is None:
        if view.version is None:
            yield view.unjudged(
                "configuration",
                "whether dynamic allocation tracks shuffle files",
                "it does by default since Spark 3.4, and the version is not known",
                f"the version, or {tracking}",
            )
            return
        if view.version >= (3, 4):
            return
    elif view.flag(tracking):
        return
    yield view.advise(
        "dynamic-allocation",
        "configuration",
        "high",
        "dynamic allocation without shuffle tracking",
        because="without an external shuffle service, tracking or decommissioning with migration of shuffle blocks "
        "Spark refuses to start",
        do=f"set {tracking}=true",
        holds_for="Spark 3.0 and later on Kubernetes; tracking is on by default since 3.4",
        source=DYNAMIC,
        about=on,
        keys=(on, tracking),
    )


def _keeps_shuffle(view: View) -> bool:
    """Whether blocks are moved before an executor goes, or are kept elsewhere by a plugin."""
    if view.flag("spark.shuffle.service.enabled"):
        return True
    moved = view.flag("spark.storage.decommission.shuffleBlocks.enabled") is not False
    if view.flag("spark.decommission.enabled") and moved:
        return True
    plugin = view.conf.get("spark.shuffle.sort.io.plugin.class", "")
    manager = view.conf.get("spark.shuffle.manager", "sort")
    return (bool(plugin) and not plugin.endswith("LocalDiskShuffleDataIO")) or manager not in ("sort", "tungsten-sort")


def decommission(view: View) -> AdviceAnswer:
    """Executors say good-bye but leave their blocks behind."""
    on, storage = "spark.decommission.enabled", "spark.storage.decommission.enabled"
    if view.flag(on) and not view.flag(storage) and (view.whole or view.flag(storage) is False):
        yield view.advise(
            "decommission-without-storage",
            "configuration",
            "medium",
            "decommissioned executors do not hand over their blocks",
            because="they get no more tasks, but their shuffle files and cached blocks are lost all the same",
            do=f"set {storage}=true",
            holds_for="Spark 3.1 and later",
            source="https://spark.apache.org/docs/latest/configuration.html#execution-behavior",
            about=on,
            keys=(on, storage),
        )


RULES = [
    AppRule("pod-name-prefix", "configuration", prefix),
    GroundRule("pod-name-prefix-shared", "configuration", shared_prefix),
    AppRule("dynamic-allocation", "configuration", dynamic),
    AppRule("decommission-without-storage", "configuration", decommission),
]
