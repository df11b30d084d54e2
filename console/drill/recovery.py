"""Whether an incident is over: conditions over series and states of applications, never steps that were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.drill.controllers.operator import state_of
from console.drill.promql.engine import Evaluator, parse
from console.drill.resources import SPARKAPPS

if TYPE_CHECKING:
    from console.drill.session import DrillSession


def recovered(session: DrillSession) -> bool:
    """Whether every condition of the case holds now."""
    wanted = session.case.recovery
    namespace = session.scenario.world.namespace
    for name, state in wanted.states.items():
        app = session.world.store.get(SPARKAPPS, namespace, name)
        if app is None or state_of(app) != state:
            return False
    now = int(session.world.heap.now * 1000)
    return all(Evaluator(session.storage, now, now).vector(parse(text), now) for text in wanted.conditions)
