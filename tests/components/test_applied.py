"""Components and presets as they are read from an API server: applied as manifests, watched, found, judged, compared.

The same assertions on a real kube-apiserver and on the simulated one.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.base.clock import WallClock
from console.components.find import find, marks
from console.components.judge import judge
from console.components.match import conformance, detect
from console.components.spec import Preset
from console.drill.session import DrillSession
from console.facts.model import Facts
from console.settings.presets import load_library
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.processes import wait_until
from tests.components.manifests import CRDS, crd, manifests
from tests.components.test_presets import NAMES
from tests.components.test_shipped import WORLD, replicated
from tests.components.worlds import MARKED
from tests.components.worlds import facts as marked_world
from tests.drill.conftest import Api

LIBRARY = load_library()
DEFINITIONS = tuple(LIBRARY.components.values())
MERGE = "application/merge-patch+json"


@asynccontextmanager
async def watched(kubeconfig: Path, namespace: str) -> AsyncIterator[ClusterSource]:
    connection = await Connection.open(ContextRef(kubeconfig=str(kubeconfig), request_timeout=60.0))
    source = ClusterSource(connection, Scope(namespaces=(namespace,)), WallClock())
    await source.start()
    try:
        async with asyncio.timeout(60):
            await source.synced()
        yield source
    finally:
        await source.stop()
        await connection.close()


async def facts_when(source: ClusterSource, holds: Callable[[Facts], bool]) -> Facts:
    """The facts of the first picture for which `holds` is true."""
    async with asyncio.timeout(30):
        while not holds(facts := source.snapshot().facts()):
            await source.changed.wait()
            source.changed.clear()
    return facts


def only(facts: Facts, preset: Preset) -> Facts:
    """The facts without the objects of components that the preset does not expect."""
    kept = {thing.key for id, found in find(facts, DEFINITIONS).items() if id in preset.expected
            for thing in found.things}  # fmt: skip
    return replace(
        facts,
        workloads=tuple(w for w in facts.workloads if w.key in kept),
        spark=tuple(w for w in facts.spark if w.key in kept),
        nodes=tuple(n for n in facts.nodes if f"Node//{n.name}" in kept),
        pods=(),
    )


def marked(preset: Preset) -> frozenset[str]:
    """The marks of the presets that hold where those of this one do."""
    presets = LIBRARY.presets.values()
    return marks(marked_world(*(MARKED[m.says] for m in preset.marks.values() if m.presence == "required")), presets)


def every_preset_is_recognised(facts: Facts) -> None:
    for name in NAMES:
        preset = LIBRARY.preset(name)
        components = judge(only(facts, preset), DEFINITIONS, preset)
        found = detect([c.id for c in components if c.state != "absent"], LIBRARY.presets.values(), marked(preset))
        assert found.best == (name,), (name, found.matches[:2])
        compared = conformance(preset, components, DEFINITIONS)
        assert {row.verdict for row in compared.rows} <= {"as declared", "unknown", "not used"}, (name, compared.rows)


def expected_states(ids: set[str]) -> dict[str, str]:
    return dict.fromkeys(ids, "healthy or unknown")


def judged(facts: Facts) -> dict[str, str]:
    words = {"healthy": "healthy or unknown", "unknown": "healthy or unknown"}
    return {c.id: words.get(c.state, f"{c.state}: {c.reason}") for c in judge(facts, DEFINITIONS)}


@pytest.mark.parts
async def test_every_component_and_preset_on_a_real_api_server(own_control_plane: ControlPlane) -> None:
    kube_api = KubeApi(own_control_plane.start())  # its nodes are no business of other tests
    for group, version, kind in CRDS:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        if kube_api.find(f"{path}/{kind.lower()}s.{group}") is None:
            kube_api.create(path, crd(group, version, kind))
        served = f"/apis/{group}/{version}/{kind.lower()}s"
        wait_until(f"{kind} is served", lambda served=served: kube_api.serves(served), seconds=30)  # type: ignore[misc]
    namespace = kube_api.new_namespace("components")
    for id in WORLD:
        for path, body, status in manifests(id, namespace):
            kube_api.create(path, body)
            if status:
                kube_api.merge(f"{path}/{body['metadata']['name']}/status", {"status": status})
    async with watched(kube_api.kubeconfig, namespace) as source:
        facts = await facts_when(source, lambda f: set(find(f, DEFINITIONS)) == set(WORLD))
        assert judged(facts) == expected_states(set(WORLD))
        every_preset_is_recognised(facts)
        down = {id for id in WORLD if replicated(id)}
        for id in down:
            for path, body, _ in manifests(id, namespace):
                none = {"numberReady": 0, "numberAvailable": 0} if body["kind"] == "DaemonSet" else {
                    "readyReplicas": 0, "availableReplicas": 0}  # fmt: skip
                kube_api.merge(f"{path}/{body['metadata']['name']}/status", {"status": none})
        facts = await facts_when(source, lambda f: all(judged(f)[id].startswith("down") for id in down))
        assert "0 of 1 replica of minio ready" in judged(facts)["minio"]


async def test_components_and_presets_on_the_simulated_cluster() -> None:
    """Every component is found and judged there, and every preset recognised."""
    async with DrillSession.open("spark-oom", "healthy", step=True) as session, _http(session) as api:
        namespace = f"components-{uuid.uuid4().hex[:6]}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        assert (await api.call("POST", "/api/v1/namespaces", body))[0] == 201
        there = set(WORLD)
        for id in WORLD:
            for path, body, status in manifests(id, namespace):
                code, said = await api.call("POST", path, body)
                assert code == 201, said
                name = body["metadata"]["name"]
                if status:
                    code, said = await api.call("PATCH", f"{path}/{name}/status", {"status": status}, kind=MERGE)
                    assert code == 200, said
        async with watched(session.kubeconfig, namespace) as source:
            facts = await facts_when(source, lambda f: there <= set(find(f, DEFINITIONS)))
        assert {id: state for id, state in judged(facts).items() if id in there} == expected_states(there)
        fitting = [LIBRARY.preset(name) for name in NAMES if set(LIBRARY.preset(name).expected) <= there]
        assert len(fitting) == len(NAMES)
        for preset in fitting:
            components = judge(only(facts, preset), DEFINITIONS, preset)
            found = detect([c.id for c in components if c.state != "absent"], LIBRARY.presets.values(), marked(preset))
            assert found.best == (preset.name,), (preset.name, found.matches[:2])


@asynccontextmanager
async def _http(session: DrillSession) -> AsyncIterator[Api]:
    import aiohttp

    async with aiohttp.ClientSession() as http:
        yield Api(session, http)


def test_every_kind_by_which_a_component_is_found_is_watched_where_there_is_one() -> None:
    from console.sources.cluster.kinds import ALL

    wanted: set[Any] = {way.kind for definition in DEFINITIONS for way in definition.find}
    assert wanted <= {kind.kind for kind in ALL}
