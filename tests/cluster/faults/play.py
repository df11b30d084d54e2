"""Making one fault, having it diagnosed by the real command, and saving its evidence."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console.live import Live, Plan
from console.settings.load import load
from console.sources.cluster.captured import redact_pod
from console.wire.config import ContextRef
from tests.cluster.command import Console
from tests.cluster.faults.model import Fault, Outcome, Verdict
from tests.cluster.node import SparkNode
from tests.cluster.processes import PartFailed
from tests.cluster.spark import ENDED, SparkApplication


@contextlib.contextmanager
def open_console(folder: Path, node: SparkNode) -> Iterator[Console]:
    """The command, and beside it a console that stays open on the same cluster with the same state."""
    context = json.loads(node.kubeconfig.read_text())["current-context"]
    console = Console(folder, node.kubeconfig, context, mode="read-only")
    ref = ContextRef(context=context, kubeconfig=str(node.kubeconfig))
    with Live(Plan(load(console.config, context=context, flags={}), ref, state=console.state)) as live:
        live.settle(60)
        yield console


def play(fault: Fault, node: SparkNode, console: Console, *, keep: Path | None = None) -> Outcome:
    """Make the fault and have it diagnosed. What is left of the application is removed.

    Raises:
        PartFailed, TimeoutError: the fault could not be made.
    """
    with fault.around(node):
        app = fault.submit(node, f"job-{fault.name}")
        try:
            _await(fault, app)
            outcome = _diagnosed(fault, app, console)
            if keep is not None:
                _keep(app, console, keep / fault.name)
            return outcome
        finally:
            app.delete()


def _await(fault: Fault, app: SparkApplication) -> None:
    """Wait until the cluster shows the fault.

    Raises:
        PartFailed: it did not in time, or the application ended without it.
    """
    deadline = time.monotonic() + fault.patience
    while not fault.shown(app):
        if app.state() in ENDED and not fault.shown(app):
            raise PartFailed(f"{app.name} ended, and the cluster does not show the fault\n{app.story()}")
        if time.monotonic() > deadline:
            raise PartFailed(f"the cluster does not show the fault of {app.name}\n{app.story()}")
        time.sleep(0.5)


def _diagnosed(fault: Fault, app: SparkApplication, console: Console) -> Outcome:
    outcome = Outcome(fault)
    began = time.monotonic()
    allowed = {*fault.expected, *fault.also}
    while True:
        ran = console("diagnose", f"{app.kube.namespace}/{app.name}", "-o", "json", seconds=120)
        if not ran.stdout:
            raise PartFailed(f"console diagnose said nothing:\n{ran.stderr}")
        findings = json.loads(ran.stdout)["findings"]
        outcome.said = tuple((f["class"], f["code"]) for f in findings)
        outcome.confidence = findings[0]["confidence"] if findings else ""
        outcome.title = findings[0]["title"] if findings else ""
        outcome.wrong += [f"{f['code']}: {f['title']}" for f in findings if _misleads(f, allowed)]
        found = outcome.said[: len(fault.expected)] == fault.expected and set(outcome.said) <= allowed
        if found:
            outcome.took = time.monotonic() - began
        if found or time.monotonic() - began > fault.answer:
            return outcome
        time.sleep(1)


def _misleads(finding: dict[str, Any], allowed: set[Verdict]) -> bool:
    return finding["confidence"] == "high" and (finding["class"], finding["code"]) not in allowed


def _keep(app: SparkApplication, console: Console, folder: Path) -> None:
    """Save what is known of the application: its object, pods, events and driver log, and what the console kept."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    space = f"/api/v1/namespaces/{app.kube.namespace}"
    kept = [place for place in console.state.glob(f"evidence/*/{app.kube.namespace}/*") if _of(place, app)]
    pods = {"apiVersion": "v1", "kind": "PodList", "items": [redact_pod(pod) for pod in app.pods()]}
    claims = app.kube.get(f"{space}/persistentvolumeclaims")
    own = [
        app.read(),
        *claims["items"],
        *pods["items"],
        *(json.loads((place / "pod.json").read_text()) for place in kept),
    ]
    uids = {tree["metadata"]["uid"] for tree in own}
    events = app.kube.get(f"{space}/events")
    events["items"] = [_lean(e) for e in events["items"] if e["involvedObject"].get("uid") in uids]
    saved = {"app": _lean(own[0]), "pods": pods, "events": events}
    for name, tree in (saved | ({"claims": claims} if claims["items"] else {})).items():
        (folder / f"{name}.json").write_text(json.dumps(tree, indent=1))
    if log := app.log():
        (folder / "driver.log").write_text(log)
    for place in kept:
        (folder / f"kept-{place.name}.json").write_bytes((place / "pod.json").read_bytes())
        for log_file in place.glob("log-*.txt"):
            if "driver" not in place.name:
                (folder / f"kept-{place.name}.log").write_bytes(log_file.read_bytes())


def _of(place: Path, app: SparkApplication) -> bool:
    labels = json.loads((place / "pod.json").read_text())["metadata"].get("labels") or {}
    return bool(labels.get("sparkoperator.k8s.io/app-name") == app.name)


def _lean(tree: dict[str, Any]) -> dict[str, Any]:
    tree["metadata"].pop("managedFields", None)
    return tree
