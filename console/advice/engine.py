"""All rules over all facts: one report, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.advice.catalogue import KeyCatalogue, MinorVersion
from console.advice.ground import Ground
from console.advice.model import FAMILIES, PRIORITIES, Advice, AdviceReport, Unjudged
from console.advice.objects import Posture
from console.advice.rule import AppRule, GroundRule
from console.advice.rules import all_rules
from console.apps.model import SparkApp
from console.facts.model import Facts
from console.facts.notjudged import not_judged

_NOWHERE = Posture()


def advise(
    facts: Facts,
    apps: tuple[SparkApp, ...],
    catalogue: KeyCatalogue,
    posture: Posture = _NOWHERE,
    *,
    app: str = "",
    cluster: MinorVersion | None = None,
    looked: Iterable[str] = (),
) -> AdviceReport:
    """What could be better.

    Args:
        app: key of the one application that is asked about, `` for all.
        cluster: version of Kubernetes, where it is known.
        looked: namespaces that were looked at, whether Spark runs in them or not.
    """
    ground = Ground(facts, apps, catalogue, posture, app=app, cluster=cluster)
    mine, common = all_rules()
    said = [item for view in ground.views for rule in mine for item in _said(rule, view, view.app.key)]
    said += [item for rule in common for item in _said(rule, ground, "")]
    items = {item.key: item for item in said if isinstance(item, Advice)}
    unjudged = dict.fromkeys(item for item in said if isinstance(item, Unjudged))
    return AdviceReport(
        at=facts.at,
        items=tuple(sorted(items.values(), key=_order)),
        unjudged=tuple(unjudged),
        sources=tuple(posture.states.values()),
        apps=tuple(view.app.key for view in ground.views),
        namespaces=tuple(sorted({*ground.spaces, *looked})),
        left_out=facts.left_out,
    )


def _said(rule: AppRule | GroundRule, of: Any, subject: str) -> list[Advice | Unjudged]:
    """What a rule says; that it was not judged where it fails, which leaves the others their say."""
    try:
        return list(rule.check(of))
    except Exception as error:
        failed = not_judged(subject, f"rule {rule.id}", error)
        because = f"{failed.part} failed with {failed.error}: a fault of Console"
        return [Unjudged(rule.family, failed.part, because, subject=subject)]


def _order(item: Advice) -> tuple[int, int, str, str, str]:
    return PRIORITIES.index(item.priority), FAMILIES.index(item.family), item.subject, item.id, item.about
