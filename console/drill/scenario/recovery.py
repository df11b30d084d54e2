"""Whether an incident is over: conditions over series and states of applications, never steps that were taken."""

from __future__ import annotations

from console.drill.control.operator import state_of
from console.drill.prometheus.metrics.world_series import WorldStorage
from console.drill.prometheus.promql.engine import Evaluator, parse
from console.drill.scenario.model import RecoveryCriteria
from console.drill.state.resources import SPARKAPPS


def recovered(wanted: RecoveryCriteria, namespace: str, storage: WorldStorage) -> bool:
    """Whether every condition holds now; the applications that it names are those of `namespace`."""
    for name, state in wanted.states.items():
        app = storage.cluster.store.get(SPARKAPPS, namespace, name)
        if app is None or state_of(app) != state:
            return False
    now = int(storage.now * 1000)
    return all(Evaluator(storage, now, now).vector(parse(text), now) for text in wanted.conditions)
