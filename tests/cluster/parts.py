"""Real parts as pytest fixtures. `tests/conftest.py` makes them known to all tests.

Mark a test that uses one with `@pytest.mark.parts`. Where a part is missing the test skips with the command that
makes it; with CONSOLE_REQUIRE_PARTS=1 it fails instead. A part that is there and does not start always fails, with
the last lines of its log.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

import pytest

from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.inventory import CONTROL_PLANE, NODE, PartMissing, require
from tests.cluster.monitoring import Alertmanager, KubeStateMetrics, Prometheus
from tests.cluster.node import SparkNode, obstacle
from tests.cluster.processes import PartFailed
from tests.cluster.shared import using
from tests.cluster.spark import PySpark


def _absent(reason: str) -> NoReturn:
    if os.environ.get("CONSOLE_REQUIRE_PARTS") == "1":
        pytest.fail(f"CONSOLE_REQUIRE_PARTS=1, but this test {reason}", pytrace=False)
    pytest.skip(reason)


def require_parts(*names: str) -> dict[str, Path]:
    """The paths of these parts; skips the test, or fails it, where one is missing."""
    try:
        return require(*names)
    except PartMissing as missing:
        _absent(str(missing))


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this test session."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def _shared(kind: str, folder: Path, seconds: float, stack: ExitStack) -> dict[str, Any]:
    try:
        return stack.enter_context(using(kind, folder, seconds=seconds))
    except PartFailed as failure:
        pytest.fail(str(failure), pytrace=False)


@pytest.fixture(scope="session")
def kube_api(session_folder: Path) -> Iterator[KubeApi]:
    """A real API server that all tests of the session share: work in `kube_api.new_namespace()`."""
    require_parts(*CONTROL_PLANE)
    with ExitStack() as stack:
        yield KubeApi(_shared("control-plane", session_folder / "control-plane", 120, stack))


@pytest.fixture
def own_control_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane of this test's own, not started: for tests that stop or restart a server."""
    require_parts(*CONTROL_PLANE)
    plane = ControlPlane(tmp_path / "control-plane")
    yield plane
    plane.stop()


@pytest.fixture(scope="session")
def spark_node(session_folder: Path) -> Iterator[SparkNode]:
    """A real node with Spark and its operator, shared by the session. Give each application a name of its own.

    Tests that use it belong to one xdist group, so that they do not share two cores:
    `@pytest.mark.xdist_group("node")`.
    """
    if why := obstacle():
        _absent(why)
    require_parts(*NODE)
    with ExitStack() as stack:
        yield SparkNode(_shared("node", session_folder / "node", 1500, stack))


@pytest.fixture(scope="session")
def pyspark_home() -> PySpark:
    """PySpark for applications in local or local-cluster mode."""
    require_parts("pyspark")
    return PySpark()


@pytest.fixture
def prometheus_server(tmp_path: Path) -> Iterator[Callable[..., Prometheus]]:
    """Starts a Prometheus: `prometheus_server(config)`; several in one test have folders of their own."""
    require_parts("prometheus", "promtool")
    with ExitStack() as stack:

        def start(config: dict[str, Any] | str, **options: Any) -> Prometheus:
            folder = tmp_path / f"prometheus-{uuid.uuid4().hex[:6]}"
            return _started(lambda: Prometheus(folder, config, **options), stack)

        yield start


@pytest.fixture
def alertmanager_server(tmp_path: Path) -> Iterator[Callable[..., Alertmanager]]:
    """Starts an Alertmanager: `alertmanager_server()`, or with a configuration."""
    require_parts("prometheus-alertmanager")
    with ExitStack() as stack:

        def start(config: dict[str, Any] | str | None = None) -> Alertmanager:
            folder = tmp_path / f"alertmanager-{uuid.uuid4().hex[:6]}"
            return _started(lambda: Alertmanager(folder, config), stack)

        yield start


@pytest.fixture
def kube_state_metrics(tmp_path: Path) -> Iterator[Callable[..., KubeStateMetrics]]:
    """Starts kube-state-metrics: `kube_state_metrics(kubeconfig, resources="pods,nodes", namespaces="a,b")`."""
    require_parts("kube-state-metrics")
    with ExitStack() as stack:

        def start(kubeconfig: Path, **options: str) -> KubeStateMetrics:
            folder = tmp_path / f"kube-state-metrics-{uuid.uuid4().hex[:6]}"
            return _started(lambda: KubeStateMetrics(folder, kubeconfig, **options), stack)

        yield start


class _Stoppable(Protocol):
    def stop(self) -> None: ...


Server = TypeVar("Server", bound=_Stoppable)


def _started(make: Callable[[], Server], stack: ExitStack) -> Server:
    try:
        server = make()
    except PartFailed as failure:
        pytest.fail(str(failure), pytrace=False)
    stack.callback(server.stop)
    return server
