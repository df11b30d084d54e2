"""What the rules of one application may see of everything else, and a memory of what they saw.

A rule reads its own application through `Case`, and whatever lies beyond it only through `Surroundings`: each question
is noted with its answer. A verdict stays true as long as its questions have the same answers, so the engine's memory
follows from what the rules read, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from console.apps.groups import identical
from console.facts.logs import Hit, Text
from console.facts.model import Event, Facts, Node, Pod, RestDocument, Sample, Workload
from console.findings.joined import NOWHERE, JoinedFacts, KueuePlace

QuestionKey = tuple[Any, ...]
"""Name of a method of `JoinedFacts`, and its arguments."""


class Surroundings:
    """The rest of the cluster, seen from one application. `seen`: every question asked so far, with its answer."""

    def __init__(self, view: JoinedFacts) -> None:
        self._view = view
        self.seen: dict[QuestionKey, Any] = {}

    def _ask(self, *question: Any) -> Any:
        if question not in self.seen:
            self.seen[question] = answer(self._view, question)
        return self.seen[question]

    @property
    def now(self) -> float:
        """The time of the facts, epoch seconds. Who reads it is judged anew whenever time has passed; who only waits
        for a moment asks `past`."""
        return self._ask("clock")  # type: ignore[no-any-return]

    def past(self, moment: float) -> bool:
        """Whether it is so late already (epoch seconds)."""
        return self._ask("is_past", moment)  # type: ignore[no-any-return]

    @property
    def nodes(self) -> Mapping[str, Node]:
        return self._ask("nodes_by_name")  # type: ignore[no-any-return]

    @property
    def saved(self) -> bool:
        """Whether it is saved evidence, which gets no older."""
        return self._ask("is_saved")  # type: ignore[no-any-return]

    @property
    def measured(self) -> bool:
        """Whether any series was read at all."""
        return self._ask("measured")  # type: ignore[no-any-return]

    @property
    def alone(self) -> bool:
        """Whether this is the only application."""
        return self._ask("one_application")  # type: ignore[no-any-return]

    @property
    def shared_rest(self) -> Sequence[RestDocument]:
        """REST answers of no single application: masters, lists of applications."""
        return self._ask("documents_of_none")  # type: ignore[no-any-return]

    @property
    def rest(self) -> Sequence[RestDocument]:
        """REST answers of all applications."""
        return self._ask("documents")  # type: ignore[no-any-return]

    def workloads(self, kind: str) -> Sequence[Workload]:
        return self._ask("workloads_of", kind)  # type: ignore[no-any-return]

    def kueue_workload(self, namespace: str, kind: str, name: str, uid: str) -> Workload | None:
        """Kueue's Workload of an object."""
        return self._ask("kueue_workload_of", namespace, kind, name, uid)  # type: ignore[no-any-return]

    def kueue_queue(self, own: Workload, queue: str) -> KueuePlace:
        """Where a Workload stands in its queue."""
        return self._ask("kueue_place", own.namespace, own.name, queue) or NOWHERE

    def kueue_holders(self, cluster: str, resource: str) -> tuple[str, ...]:
        """Who has quota of a cluster queue, those with most of the resource first."""
        return self._ask("kueue_holders_of", cluster, resource)  # type: ignore[no-any-return]

    def kueue_named(self, uid: str) -> str:
        """Who the Workload with this uid was made for."""
        return self._ask("kueue_name_of", uid)  # type: ignore[no-any-return]

    def spark_holders(self, resource: str, namespace: str, but: str) -> tuple[str, ...]:
        """Spark applications (of a namespace, or all) that hold most of a resource, without one."""
        return self._ask("shares_of", resource, namespace, but)  # type: ignore[no-any-return]

    def spark_queue_holders(self, queue: str, resource: str, but: str) -> tuple[str, ...]:
        """The same for a queue of YuniKorn."""
        return self._ask("shares_in_queue", queue, resource, but)  # type: ignore[no-any-return]

    def on_nodes(self, nodes: frozenset[str], but: str) -> tuple[str, ...]:
        """Keys of the Spark applications with pods on these nodes, without one."""
        return self._ask("applications_on", nodes, but)  # type: ignore[no-any-return]

    @property
    def unsubmitted(self) -> tuple[str, ...]:
        """Keys of applications that no operator has submitted, the oldest first."""
        return self._ask("new_applications")  # type: ignore[no-any-return]

    @property
    def operator_pods(self) -> tuple[str, ...]:
        """Pods of operators with their phase, three at most."""
        return self._ask("operator_names")  # type: ignore[no-any-return]

    def events(self, about: str) -> Sequence[Event]:
        """Events by the key of the object that they are about."""
        return self._ask("events_about", about)  # type: ignore[no-any-return]

    def leaving(self, node: str) -> Sequence[Pod]:
        """Pods of a node whose deletion was asked for."""
        return self._ask("pods_leaving", node)  # type: ignore[no-any-return]

    def series(self, part: str, end: str) -> Mapping[str, Sequence[Sample]]:
        """Samples of all applications by the name of their series, which holds `part` and ends with `end`."""
        return self._ask("series_named", part, end)  # type: ignore[no-any-return]

    def samples(self, name: str, app_ids: frozenset[str], pods: frozenset[tuple[str, str]]) -> Sequence[Sample]:
        """Samples of a series that carry one of these application ids or (namespace, pod) names."""
        return self._ask("samples_of", name, app_ids, pods)  # type: ignore[no-any-return]

    def shared_texts(self, *roles: str) -> Sequence[Text]:
        """Logs of no single application, of these roles."""
        return self._ask("texts_of_none", *roles)  # type: ignore[no-any-return]

    def shared_hits(self, wording: str) -> Sequence[Hit]:
        """Places in the logs of no single application."""
        return self._ask("shared_hits", wording)  # type: ignore[no-any-return]


def answer(view: JoinedFacts, question: QuestionKey) -> Any:
    """What a view answers to a question now."""
    method, *arguments = question
    return getattr(view, method)(*arguments)


_PART: Final = {
    "clock": "at",
    "is_past": "at",
    "is_saved": "saved",
    "measured": "samples",
    "nodes_by_name": "nodes",
    "workloads_of": "workloads",
    "kueue_workload_of": "workloads",
    "kueue_place": "workloads",
    "kueue_holders_of": "workloads",
    "kueue_name_of": "workloads",
    "new_applications": "spark",
    "events_about": "events",
    "documents": "rest",
    "pods_leaving": "pods",
    "series_named": "samples",
    "samples_of": "samples",
}
"""Method of `JoinedFacts` → the part of `Facts` that its answer follows from. Others follow from more than one."""


def parts_of(questions: Iterable[QuestionKey]) -> frozenset[str]:
    """The parts of the facts that the answers follow from; `` for those that follow from more than one."""
    return frozenset(_PART.get(question[0], "") for question in questions)


def still_true(seen: Mapping[QuestionKey, Any], view: JoinedFacts, same: frozenset[str]) -> bool:
    """Whether a view answers what was seen before. `same`: parts of the facts that are as they were then."""
    return all(_PART.get(asked[0]) in same or answer(view, asked) == was for asked, was in seen.items())


def unchanged(before: Facts, now: Facts) -> frozenset[str]:
    """Parts of the facts that are the same in both."""
    parts = set(_PART.values())
    return frozenset(part for part in parts if _same(getattr(before, part), getattr(now, part)))


def _same(one: Any, other: Any) -> bool:
    """The same value, or the very same facts in the same order."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return one is other or identical(one, other)
    return bool(one == other)
