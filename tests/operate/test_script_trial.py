"""The table of `test_trials` for a script: what it lacks the right to, what its dry run said, and the way back."""

from __future__ import annotations

from pathlib import Path

from console.operate.ahead.diff import diff
from console.operate.gate import pass_gate
from console.operate.journal import Journal
from console.operate.landing import landed
from console.runbook.events import ChangeRefused
from console.runbook.walk import Applied, Intent, Previewed
from console.wire.connection import Connection
from tests.operate.conftest import YES, Cluster, Passage, Says
from tests.operate.objects import create, running
from tests.operate.test_guarded_scripts import Bench, bench, runbook

__all__ = ["bench"]
CODE = "print(cores(3)[0]); sys.exit(0)"


async def test_a_script_does_what_its_dry_run_said_and_is_found_and_undone(bench: Bench, passage: Passage) -> None:
    before = bench.object
    walk, _ = await bench.walk(CODE, runbook(), YES)
    assert walk.outcome == "mitigated", walk.because
    (preview,) = [e.preview for e in bench.events if isinstance(e, Previewed)]
    (intent,) = [e for e in bench.events if isinstance(e, Intent)]
    shown = [line for line in preview.diff if line[:1] in "+-"]
    result = [line for line in diff(before, bench.object) if line[:1] in "+-"]
    assert "+    cores: 3" in shown and shown == result, "the result is what was shown"
    assert (await landed(passage.connection.reader, intent))[0] == "yes"
    assert intent.rollback is not None
    undone = await pass_gate(intent.rollback, passage.gate(Says(YES)))
    assert isinstance(undone, Applied) and undone.ok, undone
    assert bench.object["spec"] == before["spec"]


async def test_whoever_lacks_the_right_to_what_a_script_sends_is_told_which(cluster: Cluster, tmp_path: Path) -> None:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    connection = await Connection.open(cluster.without("sparkapplications", "patch"))
    lacking = Bench(cluster, connection, f"{cluster.namespace}/etl-orders", tmp_path)
    await lacking.walk(CODE, runbook(), YES)
    journal = Journal(tmp_path / "state" / "journal.db")
    (refused,) = [e for e in journal.read(journal.walks()[0].walk) if isinstance(e, ChangeRefused)]
    assert refused.by == "permission"
    assert "patch sparkapplications.sparkoperator.k8s.io" in refused.because
    assert lacking.stored == []
    for at in lacking.desks:
        await at.close()
    await connection.close()
