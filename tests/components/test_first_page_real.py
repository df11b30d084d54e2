"""The first page over a real API server says what it says over the simulated one: the same releases, the same words."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.base.clock import rfc3339
from console.cli.main import run
from console.findings.rules import policies
from tests.cluster.controlplane import KubeApi
from tests.cluster.processes import wait_until
from tests.components.manifests import crd
from tests.components.release import RealRelease
from tests.components.test_beside import CONNECT, DENY, credentials_are_told, give_away
from tests.components.test_first_page import (
    a_crash_loop_is_named,
    crash,
    every_refusal_is_named,
    nothing_is_wrong,
    refuse,
    sound,
)
from tests.components.test_references import nowhere, point, said
from tests.components.test_told_apart import RELEASES, an_image_is_named, is_named, nothing_is_contradicted, pull, store

pytestmark = pytest.mark.parts


def test_what_is_down_and_what_is_refused_stands_on_the_first_page(kube_api: KubeApi, tmp_path: Path) -> None:
    crashing = RealRelease(kube_api, "crashing", tmp_path)
    crash(crashing)
    a_crash_loop_is_named(crashing, crashing.looked())
    refused = RealRelease(kube_api, "refused", tmp_path)
    refuse(refused)
    every_refusal_is_named(refused, refused.looked())


def test_names_that_lead_nowhere_are_said(kube_api: KubeApi, tmp_path: Path) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    if kube_api.find(f"{definitions}/scaledobjects.keda.sh") is None:
        kube_api.create(definitions, crd("keda.sh", "v1alpha1", "ScaledObject"))
    wait_until("it is served", lambda: kube_api.serves("/apis/keda.sh/v1alpha1/scaledobjects"), seconds=30)
    release = RealRelease(kube_api, "pointing", tmp_path)
    point(release)
    assert said(release) == nowhere(release.namespace)


def test_a_sound_release_has_no_finding_and_its_commands_end_with_0(
    kube_api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    release = RealRelease(kube_api, "sound", tmp_path)
    sound(release)
    nothing_is_wrong(release.looked())
    where = ["--kubeconfig", str(kube_api.kubeconfig), "-n", release.namespace]
    assert run(["components", *where]) == 0
    assert run(["advise", *where, "--fail-on", "high"]) == 0
    shown = capsys.readouterr().out
    assert "connect-41" in shown and "partial" not in shown and "only namespace" not in shown


def test_executors_that_run_under_default_deny_speak_against_it(
    kube_api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = RealRelease(kube_api, "denied", tmp_path)
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    release.apply("NetworkPolicy", "default-deny", {"spec": DENY})
    stopped = [f.code for f in release.looked().board.findings if f.code == policies.BLOCKS]
    assert stopped == [policies.BLOCKS]
    main = {"name": "spark-kubernetes-executor", "image": "spark:4.1.0"}
    running = {**main, "imageID": "", "ready": True, "restartCount": 0,
               "state": {"running": {"startedAt": rfc3339(release.now + 60)}}}  # fmt: skip
    release.apply(
        "Pod", "rel-exec-1", {"spec": {"containers": [main], "automountServiceAccountToken": False}},
        labels={"spark-role": "executor", "spark-app-selector": "spark-1"},
        status={"phase": "Running", "containerStatuses": [running]},
    )  # fmt: skip
    monkeypatch.setattr(policies, "GIVES_UP", -3600.0)
    assert [f.code for f in release.looked().board.findings if f.code == policies.BLOCKS] == []


@pytest.mark.parametrize("name", RELEASES)
def test_the_preset_of_a_release_is_named_although_it_is_down(kube_api: KubeApi, tmp_path: Path, name: str) -> None:
    release = RealRelease(kube_api, name, tmp_path)
    RELEASES[name](release)
    is_named(name, release.looked())


def test_an_image_that_does_not_come_is_why_connect_is_down(kube_api: KubeApi, tmp_path: Path) -> None:
    release = RealRelease(kube_api, "pulling", tmp_path)
    pull(release)
    an_image_is_named(release, release.looked())


def test_of_what_is_there_no_page_says_that_it_is_not(kube_api: KubeApi, tmp_path: Path) -> None:
    release = RealRelease(kube_api, "stored", tmp_path)
    store(release)
    nothing_is_contradicted(release.looked("core-iceberg"))


def test_default_credentials_are_told_of_a_namespace_without_a_spark_pod(
    kube_api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    release = RealRelease(kube_api, "store", tmp_path)
    give_away(release)
    credentials_are_told(release, kube_api.kubeconfig, capsys)
