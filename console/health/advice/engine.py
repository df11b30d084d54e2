"""All rules over all facts: one report, the most urgent first."""

from __future__ import annotations

from console.health.advice.catalogue import Catalogue, Version
from console.health.advice.ground import Ground
from console.health.advice.model import FAMILIES, PRIORITIES, Advice, Report, Unjudged
from console.health.advice.objects import Posture
from console.health.advice.rules import all_rules
from console.health.facts import Facts
from console.health.model import SparkApp

_NOWHERE = Posture()


def advise(
    facts: Facts,
    apps: tuple[SparkApp, ...],
    catalogue: Catalogue,
    posture: Posture = _NOWHERE,
    *,
    app: str = "",
    cluster: Version | None = None,
) -> Report:
    """What could be better.

    Args:
        app: key of the one application that is asked about, `` for all.
        cluster: version of Kubernetes, where it is known.
    """
    ground = Ground(facts, apps, catalogue, posture, app=app, cluster=cluster)
    mine, common = all_rules()
    said: list[Advice | Unjudged] = [item for view in ground.views for rule in mine for item in rule.check(view)]
    said += [item for rule in common for item in rule.check(ground)]
    items = {item.key: item for item in said if isinstance(item, Advice)}
    unjudged = dict.fromkeys(item for item in said if isinstance(item, Unjudged))
    return Report(
        at=facts.at,
        items=tuple(sorted(items.values(), key=_order)),
        unjudged=tuple(unjudged),
        sources=tuple(posture.states.values()),
        apps=tuple(view.app.key for view in ground.views),
        namespaces=ground.spaces,
    )


def _order(item: Advice) -> tuple[int, int, str, str, str]:
    return PRIORITIES.index(item.priority), FAMILIES.index(item.family), item.subject, item.id, item.about
