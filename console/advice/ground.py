"""Everything that rules of advice look at together: facts, applications, and the security of namespaces."""

from __future__ import annotations

from functools import cached_property

from console.advice.catalogue import KeyCatalogue, MinorVersion
from console.advice.objects import Posture
from console.advice.view import View
from console.apps.groups import role_of
from console.apps.model import SparkApp
from console.facts.model import Facts, Pod, Workload
from console.findings.case import ClusterView

_SCHEDULED = "sparkoperator.k8s.io/scheduled-app-name"


class Ground:
    """The facts of one moment.

    Args:
        app: key of the one application that is asked about, `` for all. Namespaces and images of others stay out.
        cluster: version of Kubernetes, None where it is not known.
    """

    def __init__(
        self,
        facts: Facts,
        apps: tuple[SparkApp, ...],
        catalogue: KeyCatalogue,
        posture: Posture,
        *,
        app: str = "",
        cluster: MinorVersion | None = None,
    ) -> None:
        self.facts, self.catalogue, self.posture, self.cluster = facts, catalogue, posture, cluster
        self.world = ClusterView(facts, apps)
        self._app = app

    @cached_property
    def everyone(self) -> list[View]:
        """All applications; of a schedule only its newest run, for its runs are alike."""
        newest: dict[tuple[str, str], View] = {}
        out: list[View] = []
        for view in (View(case, self.catalogue) for case in self.world.cases):
            schedule = view.app.labels.get(_SCHEDULED, "")
            if not schedule:
                out.append(view)
                continue
            key = (view.app.namespace, schedule)
            old = newest.get(key)
            if old is None or (view.app.started or 0.0) >= (old.app.started or 0.0):
                newest[key] = view
        return sorted((*out, *newest.values()), key=lambda v: v.app.key)

    @cached_property
    def views(self) -> list[View]:
        """The applications that are asked about."""
        if not self._app:
            return self.everyone
        named = [View(case, self.catalogue) for case in self.world.cases if case.app.key == self._app]
        return named

    @cached_property
    def spaces(self) -> tuple[str, ...]:
        """Namespaces in which Spark runs, of those applications."""
        return tuple(sorted({view.app.namespace for view in self.views if view.app.namespace}))

    @property
    def platform(self) -> list[Workload]:
        """Living workloads and configurations; of one application that is asked about, those of its namespace."""
        space = self._app.partition("/")[0]
        return [w for w in self.facts.workloads if not w.gone and (not space or w.namespace == space)]

    def pods(self, namespace: str) -> list[Pod]:
        """Spark's living pods of a namespace."""
        return [p for p in self.facts.pods if p.namespace == namespace and not p.gone and role_of(p)]

    def workloads(self, kind: str, namespace: str) -> list[Workload]:
        return [w for w in self.world.workloads.get(kind, ()) if w.namespace == namespace and not w.gone]
