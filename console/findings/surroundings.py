"""What the rules of one application may see of everything else, and a memory of what they saw.

A rule reads its own application through `Case`, and whatever lies beyond it only through `Surroundings`: each question
is noted with its answer. A verdict stays true as long as its questions have the same answers, so the engine's memory
follows from what the rules read, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.facts.logs import Hit, Text
from console.facts.model import Event, Node, Pod, RestDocument, Sample, Workload
from console.findings.joined import JoinedFacts

Question = tuple[Any, ...]
"""Name of a method of `JoinedFacts`, and its arguments."""


class Surroundings:
    """The rest of the cluster, seen from one application. `seen`: every question asked so far, with its answer."""

    def __init__(self, view: JoinedFacts) -> None:
        self._view = view
        self.seen: dict[Question, Any] = {}

    def _ask(self, *question: Any) -> Any:
        if question not in self.seen:
            self.seen[question] = answer(self._view, question)
        return self.seen[question]

    @property
    def now(self) -> float:
        """The time of the facts, epoch seconds. Who reads it is judged anew whenever time has passed."""
        return self._ask("clock")  # type: ignore[no-any-return]

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


def answer(view: JoinedFacts, question: Question) -> Any:
    """What a view answers to a question now."""
    method, *arguments = question
    return getattr(view, method)(*arguments)
