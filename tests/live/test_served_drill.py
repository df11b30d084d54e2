"""A drill that another process serves: every face calls it a drill, and none shows the token in its address."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.board.compose import board
from console.board.model import Cluster
from console.cli.board.status import status_text
from console.drill.session import DrillSession
from console.facts.model import Facts
from console.live.connect import Connected
from console.live.doctor.checks import checks
from console.live.plan import Plan
from console.live.situation import Situation
from console.settings.load import load
from console.tui.views import frame
from console.wire.config import ContextRef
from console.wire.connection import Identity


def seen(server: str) -> Cluster:
    """What the faces know of a cluster at an address, from a process that does not serve it."""
    settings = SimpleNamespace(mode="guarded", is_production=lambda: False)
    plan = SimpleNamespace(kind="real")
    connection = SimpleNamespace(identity=Identity("here", server, "ca", "jobs", cluster_uid="u"))
    here: Any = SimpleNamespace(settings=settings, plan=plan, connection=connection, namespaces=())
    found: Any = Connected.cluster
    made: Cluster = found.fget(here)
    return made


def said(cluster: Cluster) -> tuple[str, str]:
    """The first line of the UI and of `console status`."""
    situation = Situation(board(Facts(at=0.0), cluster, (), ()), phase="live")
    top = "".join(part.text for part in frame.where(situation, (), 80).spans)
    return top, status_text(situation)


def test_a_drill_in_another_terminal_wears_the_badge_and_its_cluster_stays() -> None:
    cluster = seen("http://127.0.0.1:41234/drill/D59Sx-y_z")
    top, text = said(cluster)
    assert " DRILL " in top and "here [guarded, drill]" in text
    assert cluster.kind == "real", "it does not end with this window"
    assert "D59Sx" not in repr(cluster)


def test_a_cluster_that_is_no_drill_wears_none() -> None:
    top, text = said(seen("https://10.0.0.1:6443"))
    assert "DRILL" not in top and "here [guarded]" in text


async def test_the_doctor_names_the_address_of_a_drill_without_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_CONFIG_DIR", str(tmp_path))
    async with DrillSession.open("spark-oom", "default", step=True) as session:
        plan = Plan(load(), ContextRef(kubeconfig=str(session.tools_kubeconfig)), state=tmp_path / "state")
        async with aclosing(checks(plan)) as found:
            detail = next(one.detail for one in [check async for check in found] if one.name == "cluster")
        assert session.token not in detail and "/drill/…" in detail
