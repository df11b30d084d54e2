"""Folders as collectors lay them out: must-gather and support bundles; logs lie below the pod that wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.apps.assemble import assemble
from console.findings.diagnose import diagnose
from console.sources.folder.read import read_folder
from tests.findings.worlds import RUNNING, ended, line, raw_pod

FAILED = raw_pod(
    "etl-driver", "driver", state=ended(1), phase="Failed", labels={"sparkoperator.k8s.io/app-name": "etl"}
)
FINE = raw_pod(
    "fine-driver", "driver", state=RUNNING, app_id="spark-" + "b" * 32, labels={"sparkoperator.k8s.io/app-name": "fine"}
)
LOG = line('ApplicationMaster: Exception in thread "main" java.lang.OutOfMemoryError: Java heap space', "ERROR", 200)
STAMPED = "".join(f"2026-11-24T10:03:20.123456789Z {row}\n" for row in LOG.splitlines())
GATHERED = "must-gather.local.1/quay-io-x-sha256-abc/namespaces/jobs"
POD = f"{GATHERED}/pods/etl-driver"
BUNDLE = "support-bundle-2026-11-24T10_00_00"
LAYOUTS: dict[str, dict[str, str]] = {
    "must-gather": {
        f"{GATHERED}/core/pods.yaml": yaml.safe_dump({"apiVersion": "v1", "kind": "PodList", "items": [FAILED, FINE]}),
        f"{POD}/etl-driver.yaml": yaml.safe_dump(FAILED),
        f"{POD}/spark-kubernetes-driver/spark-kubernetes-driver/logs/current.log": STAMPED,
        f"{POD}/spark-kubernetes-driver/spark-kubernetes-driver/logs/previous.log": "",
    },
    "support bundle": {
        f"{BUNDLE}/cluster-resources/pods/jobs.json": json.dumps([FAILED, FINE]),
        f"{BUNDLE}/cluster-resources/pods/logs/jobs/etl-driver/spark-kubernetes-driver.log": LOG,
        f"{BUNDLE}/version.yaml": "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\n",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_log_belongs_to_the_pod_that_it_lies_below(layout: str, tmp_path: Path) -> None:
    for place, text in LAYOUTS[layout].items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    facts = read_folder(tmp_path)
    assert len(facts.pods) == 2, "an object that lies there twice is one"
    found: Any = diagnose(facts, assemble(facts))
    assert [(f.code, f.app) for f in found] == [("driver-oom-heap", "jobs/etl")]
