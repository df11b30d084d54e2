"""Evidence that version 0.1.0 kept of a pod still opens: live, and as a folder that is diagnosed."""

from __future__ import annotations

import shutil
from pathlib import Path

from console.findings.diagnose import Engine
from console.sources.cluster.captured import EvidenceFolder
from console.sources.folder.read import read_folder

OLD = Path(__file__).parents[1] / "data" / "old" / "evidence"
POD = "jvmoom-d23672a2097160ea-exec-1"


def test_what_was_kept_comes_back_with_its_object_its_events_and_its_log(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "kept")
    kept = EvidenceFolder(tmp_path / "kept").load(1795482700.0)
    (pod,), (event,), (log,) = kept.pods, kept.events, kept.logs
    assert (pod.namespace, pod.name, pod.gone) == ("spark-jobs", POD, True)
    assert pod.main is not None and pod.main.terminated is not None and pod.main.terminated.reason == "OOMKilled"
    assert (event.reason, event.name) == ("Killing", POD)
    assert (log.role, log.container) == ("executor", "spark-kubernetes-executor") and "Java heap space" in log.text
    assert kept.unread == ()


def test_it_is_diagnosed_as_a_folder(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "kept")
    found = Engine().judge(read_folder(tmp_path / "kept")).findings
    assert found[0].code in ("executor-oom-container", "executor-oom-heap")
