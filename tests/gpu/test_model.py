"""One model over both generations of DCGM: one machine is one inventory, whatever its exporter calls things."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from console.apps.assemble import assemble
from console.facts.model import Sample
from console.facts.series import MARK, NOTE
from console.gpu.asks import CLAIMS, NOW, PAST, STAT, asks
from console.gpu.build import inventory
from console.gpu.model import Fleet, Gpu
from console.gpu.names import unsupported, violation_share
from console.gpu.xid import table
from tests.findings import worlds as w
from tests.gpu.expositions import MIB, UNSUPPORTED, Card, exposition, scraped

T = w.T0 + 600
EXPORTER = {"pod": "nvidia-dcgm-exporter-x7k2p", "namespace": "gpu-operator", "container": "nvidia-dcgm-exporter"}
TARGET = {"instance": "10.0.0.1:9400", "job": "dcgm"}
GPU = "nvidia.com/gpu"


def gpu_node(name: str = "gpu-1", count: int = 4, lost: int = 0, **labels: str) -> Any:
    return w.node(
        name,
        capacity={GPU: str(count)},
        allocatable={GPU: str(count - lost)},
        labels={k.replace("_", "/"): v for k, v in labels.items()},
    )


def holder(number: int, count: int = 1, node: str = "gpu-1") -> Any:
    return w.executor(number, limits={"memory": "8Gi", GPU: str(count)}, node=node)


def fleet_of(*things: Any, now: float = 600) -> Fleet:
    facts = w.facts(*things, now=now)
    return inventory(facts, assemble(facts)).fleet


def gpus(*things: Any) -> dict[str, Gpu]:
    return {gpu.index: gpu for gpu in fleet_of(*things).gpus}


CARDS = [
    Card(0, busy=0.97, used=60 * 1024 * MIB, pod="etl-exec-1", namespace=w.NS),
    Card(1, busy=0.0, used=2 * 1024 * MIB, pod="etl-exec-2", namespace=w.NS, temperature=38),
    Card(2, busy=0.0),
    Card(3, busy=0.31, pod="notebook-0", namespace="lab"),
]


def machine(renamed: bool, **options: Any) -> list[Sample]:
    return scraped(exposition(CARDS, renamed=renamed, **options), T, **TARGET, **EXPORTER)


def world() -> tuple[Any, ...]:
    return (gpu_node(), w.driver(), holder(1), holder(2))


@pytest.mark.parametrize("renamed", [False, True])
def test_both_generations_give_the_same_inventory(renamed: bool) -> None:
    fleet = fleet_of(*world(), *machine(renamed))
    (node,) = fleet.nodes
    assert (node.name, node.known, node.exporter, node.labelled) == ("gpu-1", True, "series", True)
    assert fleet.generation == ("renamed" if renamed else "legacy")
    assert [g.state for g in node.gpus] == ["busy", "idle", "free", "busy"]
    first = node.gpus[0]
    assert (first.utilisation, first.memory_used, first.memory_total) == (0.97, 60 * 1024 * MIB, 80 * 1024 * MIB)
    assert (first.temperature, first.power) == (45.0, 90.0)
    assert first.holder is not None and (first.holder.app, first.holder.member) == ("jobs/etl", "1")
    stranger = node.gpus[3].holder
    assert stranger is not None and (stranger.name, stranger.app) == ("lab/notebook-0", "")


def test_what_is_not_supported_is_a_state_and_no_number() -> None:
    hot = gpus(*world(), *machine(False))["0"]
    assert hot.memory_temperature is None and "memory_temperature" in hot.unsupported
    blanks = (9223372036854775794.0, 2147483632.0, 2147483635.0, 140737488355328.0, 140737488355330.0, float("nan"))
    assert all(map(unsupported, blanks))
    assert not any(map(unsupported, (0.0, 0.5, 100.0, 2147483631.0, 80 * 1024.0 * MIB, 3.2e14)))


def test_a_gpu_whose_use_is_not_supported_is_held_and_neither_idle_nor_busy() -> None:
    card = Card(0, busy=None, pod="etl-exec-1", namespace=w.NS, more={"DCGM_FI_DEV_GPU_UTIL": UNSUPPORTED})
    gpu = gpus(*world(), *scraped(exposition([card]), T, **TARGET, **EXPORTER))["0"]
    assert (gpu.state, gpu.utilisation) == ("held", None)
    assert "util" in gpu.unsupported


def test_the_pod_label_is_the_exporter_where_exported_pod_is_there() -> None:
    text = exposition(CARDS)
    plain = fleet_of(*world(), *scraped(text, T, **TARGET))
    honoured = fleet_of(*world(), *scraped(text, T, honor=True, **TARGET, **EXPORTER))
    renamed = fleet_of(*world(), *scraped(text, T, **TARGET, **EXPORTER))
    for fleet in (plain, honoured, renamed):
        held = [g.holder.name if g.holder else "" for g in fleet.gpus]
        assert held == ["jobs/etl", "jobs/etl", "", "lab/notebook-0"]


def test_an_exporter_of_an_unusual_name_holds_nothing_where_all_requests_are_known() -> None:
    own = {"pod": "telemetry-abcde", "namespace": "gpu-operator", "container": "main"}
    samples = scraped(exposition([Card(0), Card(1)], pods=False), T, **TARGET, **own)
    claims = [counted(), claim("gpu-1", w.NS, "etl-exec-1", 1)]
    assert [g.holder for g in fleet_of(gpu_node(count=2), *samples, *claims).gpus] == [None, None]


def test_one_gpu_that_several_targets_export_is_one_gpu() -> None:
    twice = [*machine(False), *scraped(exposition(CARDS, renamed=True, pods=False), T, instance="other:9400", job="x")]
    fleet = fleet_of(*world(), *twice)
    assert len(fleet.gpus) == 4
    assert fleet.generation == "both"
    assert [g.state for g in fleet.gpus] == ["busy", "idle", "free", "busy"]


def test_a_rescaled_utilisation_is_told_by_its_fractions() -> None:
    cards = [Card(i, busy=None, more={"DCGM_FI_DEV_GPU_UTIL": v}) for i, v in enumerate((0.42, 1.0, 0.0))]
    use = [g.utilisation for g in fleet_of(gpu_node(count=3), *scraped(exposition(cards), T, **TARGET)).gpus]
    assert use == [0.42, 1.0, 0.0]
    percent = [Card(i, busy=None, more={"DCGM_FI_DEV_GPU_UTIL": v}) for i, v in enumerate((42, 1, 0))]
    use = [g.utilisation for g in fleet_of(gpu_node(count=3), *scraped(exposition(percent), T, **TARGET)).gpus]
    assert use == [0.42, 0.01, 0.0]


def test_where_nothing_tells_one_percent_from_all_it_is_not_known() -> None:
    cards = [Card(i, busy=None, more={"DCGM_FI_DEV_GPU_UTIL": v}) for i, v in enumerate((1, 0))]
    fleet = fleet_of(gpu_node(count=2), *scraped(exposition(cards), T, **TARGET))
    assert [g.utilisation for g in fleet.gpus] == [None, 0.0]
    assert any("only ever 0 or 1" in note for note in fleet.notes)


def test_mig_instances_have_their_own_holder_and_use() -> None:
    def part(id: str, profile: str, engine: float, pod: str) -> Card:
        return Card(0, busy=None, engine=engine, pod=pod, namespace=w.NS, mig=(id, profile))

    cards = [
        part("1", "3g.40gb", 0.99, "etl-exec-1"),
        part("2", "2g.20gb", 0.0, "etl-exec-2"),
        part("3", "1g.10gb", 0.0, ""),
    ]
    node = w.node("gpu-1", capacity={"nvidia.com/mig-3g.40gb": "1"}, allocatable={"nvidia.com/mig-3g.40gb": "1"})
    (gpu,) = fleet_of(node, *scraped(exposition(cards), T, **TARGET)).gpus
    assert [(s.profile, s.state) for s in gpu.slices] == [("3g.40gb", "busy"), ("2g.20gb", "idle"), ("1g.10gb", "free")]
    assert [s.holder.pod if s.holder else "" for s in gpu.slices] == ["etl-exec-1", "etl-exec-2", ""]
    assert gpu.state == "idle"


# nodes, requests, what cannot be known --------------------------------------------------------------------------------


def claim(node: str, namespace: str, pod: str, count: float, resource: str = "nvidia_com_gpu") -> Sample:
    labels = {"node": node, "namespace": namespace, "pod": pod, "resource": resource}
    return w.sample("", count, 600, **labels, **{STAT: "claim", MARK: CLAIMS})


def counted() -> Sample:
    return w.sample("", 12, 600, **{STAT: "ksm", MARK: CLAIMS})


def alive() -> Sample:
    """The server has fresh samples of something."""
    return w.sample("", 9, 600, **{STAT: "alive", MARK: CLAIMS})


def asked(key: str) -> Sample:
    """A question that was answered, with no series."""
    return w.sample("", float("nan"), 600, **{MARK: key})


def test_without_an_exporter_capacity_allocatable_and_requests_speak() -> None:
    fleet = fleet_of(gpu_node(lost=1), w.driver(), holder(1, 2), asked(NOW), asked(PAST), alive())
    (node,) = fleet.nodes
    assert [g.state for g in node.gpus] == ["held", "held", "unknown", "lost"]
    assert node.gpus[0].holder is not None and node.gpus[0].holder.app == "jobs/etl"
    (total,) = fleet.resources()
    assert (total.capacity, total.allocatable, total.requested) == (4, 3, 2)
    assert (fleet.metrics, fleet.complete, node.exporter) == ("none", False, "none")
    assert any("no exporter of GPUs is scraped" in note for note in fleet.notes)
    assert any("only what Spark pods ask for" in note for note in fleet.notes)


def test_a_server_without_any_fresh_sample_proves_nothing() -> None:
    fleet = fleet_of(gpu_node(), asked(NOW), asked(PAST), asked(CLAIMS))
    assert (fleet.metrics, fleet.nodes[0].exporter) == ("unknown", "unknown")
    assert any("no fresh sample of anything" in note for note in fleet.notes)


def test_where_all_requests_are_known_the_rest_is_free() -> None:
    fleet = fleet_of(gpu_node(), counted(), claim("gpu-1", "lab", "notebook-0", 3), asked(NOW))
    assert [g.state for g in fleet.gpus] == ["held", "held", "held", "free"]
    assert fleet.complete


def test_an_exporter_that_names_no_pods_knows_holders_only_where_one_pod_has_them_all() -> None:
    text = exposition([Card(i, busy=0.0) for i in range(4)], pods=False)
    several = fleet_of(*world(), *scraped(text, T, **TARGET))
    assert [g.state for g in several.gpus] == ["unknown"] * 4
    assert any("names no holders on gpu-1" in note for note in several.notes)
    one = fleet_of(gpu_node(), w.driver(), holder(1, 4), *scraped(text, T, **TARGET))
    assert [(g.state, g.holder.source if g.holder else "") for g in one.gpus] == [("idle", "requests")] * 4
    nobody = fleet_of(gpu_node(), counted(), *scraped(text, T, **TARGET))
    assert [g.state for g in nobody.gpus] == ["free"] * 4


def test_the_node_is_found_by_its_short_name_or_by_who_holds_its_gpus() -> None:
    long = gpu_node("gpu-1.rack7.example.com")
    text = exposition(CARDS, hosts=False)
    by_name = fleet_of(long, *scraped(exposition(CARDS), T, **TARGET))
    assert [n.name for n in by_name.nodes] == ["gpu-1.rack7.example.com"]
    by_holder = fleet_of(gpu_node("knot-3"), w.driver(), holder(1, node="knot-3"), *scraped(text, T, **TARGET))
    assert [n.name for n in by_holder.nodes] == ["knot-3"]
    stranger = fleet_of(gpu_node("knot-3"), *scraped(text, T, **TARGET))
    assert [(n.name, n.known) for n in stranger.nodes] == [("10.0.0.1:9400", False), ("knot-3", True)]
    assert any("no node of this cluster" in note for note in stranger.notes)


def test_a_gpu_that_the_machine_has_and_nobody_exports_is_lost() -> None:
    text = exposition([Card(i) for i in range(3)])
    fleet = fleet_of(gpu_node(), *scraped(text, T, **TARGET))
    assert [g.state for g in fleet.gpus][-1] == "lost" and len(fleet.gpus) == 4


def test_a_shared_gpu_is_one_gpu() -> None:
    shared = w.node(
        "gpu-1",
        capacity={"nvidia.com/gpu.shared": "8"},
        allocatable={"nvidia.com/gpu.shared": "8"},
        labels={"nvidia.com/gpu.count": "2", "nvidia.com/gpu.replicas": "4"},
    )
    fleet = fleet_of(shared, *scraped(exposition([Card(0), Card(1)]), T, **TARGET))
    assert len(fleet.gpus) == 2
    assert fleet.resources()[0].capacity == 8


def test_an_answer_that_is_not_whole_is_said_to_be_so() -> None:
    partial = w.sample("", float("nan"), 600, **{MARK: NOW, NOTE: "a store is missing"})
    fleet = fleet_of(*world(), *machine(False), partial)
    assert fleet.metrics == "partial"
    assert "the figures are not whole: a store is missing" in fleet.notes
    assert fleet_of(gpu_node()).metrics == "unknown"


def test_the_parts_of_the_gpu_stack_and_what_the_operator_says() -> None:
    plugin = w.workload(
        "DaemonSet", "nvidia-device-plugin-daemonset", status={"numberReady": 1, "desiredNumberScheduled": 2}
    )
    other = w.workload("DaemonSet", "node-exporter", status={"numberReady": 2, "desiredNumberScheduled": 2})

    def says(series: str, value: float, **labels: str) -> Sample:
        return w.sample(f"gpu_operator_{series}", value, 600, **labels, **{STAT: "operator", MARK: CLAIMS})

    told = [says("reconciliation_status", 0), says("node_driver_ready", 0, node="gpu-1")]
    fleet = fleet_of(gpu_node(), plugin, other, *told)
    assert [(p.name, p.ready, p.wanted) for p in fleet.parts] == [("nvidia-device-plugin-daemonset", 1, 2)]
    assert fleet.operator == {"reconciliation_status": 0.0}
    assert fleet.nodes[0].operator == {"node_driver_ready": 0.0}


def test_old_figures_tell_nothing_of_now() -> None:
    fresh = fleet_of(*world(), *machine(False), now=600)
    old = fleet_of(*world(), *machine(False), now=1800)
    assert [g.state for g in fresh.gpus] == ["busy", "idle", "free", "busy"]
    assert [g.state for g in old.gpus] == ["held", "held", "free", "held"]
    assert (old.metrics, old.gpus[0].utilisation) == ("partial", None)
    assert any("figures are 20m old" in note for note in old.notes)


def test_no_gpus_no_nodes() -> None:
    assert fleet_of(w.node(), w.driver(), w.executor(1)).nodes == ()


# the past -------------------------------------------------------------------------------------------------------------


def past(index: int, stat: str, value: float, **more: str) -> Sample:
    labels = {"UUID": f"GPU-gpu-1-{index}", "gpu": str(index), "Hostname": "gpu-1", STAT: stat, MARK: PAST}
    return w.sample("", value, 600, **labels, **more)


def test_since_when_a_gpu_is_idle_and_how_much_of_that_is_covered() -> None:
    hours = 3600.0
    rows = [
        past(1, "first", T - 6 * hours),
        past(1, "count", 73),
        past(1, "busy", T - 2 * hours),
    ]
    gpu = gpus(*world(), *machine(False), *rows)["1"]
    assert (gpu.state, gpu.idle_since, gpu.idle_bound, gpu.covered) == ("idle", T - 2 * hours, False, 1.0)
    never = [past(1, "first", T - hours), past(1, "count", 7)]
    gpu = gpus(*world(), *machine(False), *never)["1"]
    assert (gpu.idle_since, gpu.idle_bound) == (T - hours, True)
    assert gpu.covered == pytest.approx(7 / 13)


def test_a_short_pause_is_no_idleness() -> None:
    rows = [past(1, "first", T - 3600), past(1, "count", 13), past(1, "busy", T - 120)]
    assert gpus(*world(), *machine(False), *rows)["1"].state == "busy"


def test_waste_is_summed_by_holder() -> None:
    rows = [past(1, "first", T - 7200), past(1, "count", 25)]
    fleet = fleet_of(*world(), *machine(False), *rows)
    (waste,) = fleet.waste
    assert (waste.holder.app, waste.gpus, waste.seconds, waste.bound) == ("jobs/etl", ("GPU-gpu-1-1",), 7200, True)


def test_a_violation_counter_cannot_outrun_time() -> None:
    name = "DCGM_FI_DEV_THERMAL_VIOLATION"
    assert violation_share(name, 4e8) == (pytest.approx(0.4), True)
    assert violation_share(name, 4e5) == (pytest.approx(0.4), False)
    assert violation_share(name, 10.0) == (pytest.approx(1e-8), True)
    assert violation_share("DCGM_FI_DEV_GPU_THERMAL_THROTTLE_SECONDS_TOTAL", 0.4) == (0.4, True)


def test_the_xid_table_is_whole() -> None:
    assert len(table()) >= 100
    assert [table()[x].action for x in (13, 79, 48, 63, 95, 109)] == [
        "restart-app", "reboot", "drain", "observe", "reset", "reset",
    ]  # fmt: skip
    assert table()[109].plugin_ignores and not table()[79].plugin_ignores


def test_three_questions_cover_all_gpus() -> None:
    import promql_parser

    questions = asks()
    assert len(questions) == 3
    for ask in questions:
        promql_parser.parse(ask.expr)
    assert [ask.slow for ask in questions] == [False, True, False]


def test_the_order_of_samples_does_not_matter() -> None:
    samples = [*machine(False), *machine(True, pods=False)][:40]
    base = [g.state for g in fleet_of(*world(), *samples).gpus]
    for turned in itertools.islice(itertools.permutations((samples[:15], samples[15:30], samples[30:])), 6):
        assert [g.state for g in fleet_of(*world(), *itertools.chain(*turned)).gpus] == base
