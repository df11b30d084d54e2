"""Applications to advise: built as Kubernetes objects, decoded as real ones are."""

from __future__ import annotations

from typing import Any

from console.health.advice.engine import advise
from console.health.advice.model import Advice, Report
from console.health.advice.objects import Posture
from console.health.apps import assemble
from console.health.facts import Pod, RestDocument
from console.sources.advice import catalogue
from tests.health import worlds
from tests.health.worlds import cr, facts, rest

NO_POSTURE = Posture()


def app(conf: dict[str, str] | None = None, *, version: str = "4.1.4", language: str = "Python", **spec: Any) -> Any:
    """A running SparkApplication of the kubeflow operator with this `sparkConf`. `version` `` leaves it out."""
    name = spec.pop("name", "etl")
    return cr(name=name, spec={"sparkConf": conf or {}, "sparkVersion": version, "type": language, **spec})


def driver(**rest: Any) -> Pod:
    """The driver pod of `app`, as the operator makes it."""
    return worlds.driver(**_made_by_the_operator(rest))


def executor(number: int, **rest: Any) -> Pod:
    """An executor pod of `app`."""
    return worlds.executor(number, **_made_by_the_operator(rest))


def _made_by_the_operator(rest: dict[str, Any]) -> dict[str, Any]:
    return {**rest, "labels": {"sparkoperator.k8s.io/app-name": "etl", **rest.get("labels", {})}}


def environment(conf: dict[str, str]) -> RestDocument:
    """What the driver's REST API says of its configuration."""
    return rest("environment", {"sparkProperties": [[k, v] for k, v in conf.items()]})


def report(*things: Any, posture: Posture = NO_POSTURE, **options: Any) -> Report:
    world = facts(*things)
    return advise(world, assemble(world), catalogue(), posture, **options)


def advised(*things: Any, **options: Any) -> dict[str, Advice]:
    """Advice by rule, one each; the test fails where a rule speaks twice."""
    items = report(*things, **options).items
    assert len({i.id for i in items}) == len(items), [i.key for i in items]
    return {i.id: i for i in items}


def ids(*things: Any, **options: Any) -> list[str]:
    return sorted(i.id for i in report(*things, **options).items)
