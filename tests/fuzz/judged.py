"""What is said of healthy applications beside something broken, by everything that judges."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from console.advice.engine import advise
from console.apps.assemble import assemble
from console.base.jsontext import encode_json
from console.board.compose import board
from console.board.model import Cluster
from console.causes.incidents import group
from console.components.judge import judge
from console.facts.culprits import Aside
from console.facts.model import Facts
from console.facts.notjudged import Isolation
from console.findings.diagnose import Engine
from console.live.matches import matches
from console.settings.presets import load_library
from console.sources.cluster import decode
from console.sources.cluster.advice import catalogue
from console.sources.files.runbooks import Library
from tests.findings import worlds as w

DATA = Path(__file__).parents[1] / "data"
HEALTHY_APPS = (f"{w.NS}/etl", f"{w.NS}/other")
OTHER = f"spark-{1:032x}"
PODS = [
    w.raw_pod("etl-driver", "driver", state=w.RUNNING),
    w.raw_pod("etl-exec-1", state=w.ended(137, "OOMKilled"), phase="Failed", owner="etl-driver"),
    w.raw_pod("other-driver", "driver", state=w.RUNNING, app_id=OTHER),
    w.raw_pod("other-exec-1", state=w.ended(52, "Error"), phase="Failed", owner="other-driver", app_id=OTHER),
]
"""Two applications in which something is wrong, so that there is something to be said of them."""


@cache
def healthy() -> Facts:
    """The facts that every input is added to."""
    sample = w.sample("up", 1.0, 500, job="kubelet", instance="node-1")
    pods = [decode.pod(tree, w.HERE) for tree in PODS]
    return w.facts(*pods, w.node("node-1"), sample)


def said(facts: Facts, *, wide: bool = False) -> Any:
    """What is said of the healthy applications. Everything that pages and commands show is made.

    Args:
        wide: also components, advice and the runbooks that fit.
    """
    verdict, failed = Engine().judge(facts), Isolation()
    components: tuple[Any, ...] = ()
    if wide:
        library = load_library(())
        components = Aside().work(
            lambda sound: judge(sound, library.components.values(), library.preset("core-baseline"), failed=failed),
            facts,
            failed,
            "finding components",
        )
        advise(facts, assemble(facts), catalogue())
    incidents = group(verdict.findings, verdict.apps, facts, failed=failed)
    shown = board(facts, Cluster(), verdict.apps, verdict.findings, incidents, components=components, gpus=verdict.gpus)
    if wide:
        matches(tuple(_library().runbooks.values()), shown, facts.alerts, failed)
    encode_json(shown).decode("utf-8")
    unexpected = [f.error for f in failed.failed] + [f.error for f in verdict.not_judged]
    return _of(HEALTHY_APPS, shown), unexpected


@cache
def _library() -> Library:
    return Library.read(())


def _of(keys: Iterable[str], shown: Any) -> Any:
    apps = [a for a in shown.apps if a.key in keys]
    findings = [_but_for_nodes(msgspec.to_builtins(f)) for f in shown.findings if f.app in keys]
    return [msgspec.to_builtins(replace(a)) for a in apps], findings


def _but_for_nodes(finding: dict[str, Any]) -> dict[str, Any]:
    """Without the largest size that some node, quota or limit range allows: that is of the cluster, not of its own."""
    proposal = finding.get("data", {}).get("proposal")
    if isinstance(proposal, dict):
        finding["data"]["proposal"] = {k: v for k, v in proposal.items() if k not in ("bound", "value", "because")}
    return finding


@cache
def alone(wide: bool) -> Any:
    return said(healthy(), wide=wide)[0]


def unmoved(facts: Facts, *, wide: bool) -> None:
    """The healthy applications are judged as if the rest were not there."""
    found, _ = said(facts, wide=wide)
    wanted = alone(wide)
    assert found[0] == wanted[0], "the healthy applications look otherwise"
    assert found[1] == wanted[1], "other things are found of the healthy applications"
