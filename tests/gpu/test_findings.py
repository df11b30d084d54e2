"""What is found about GPUs, and what is not: each finding with its look-alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from console.facts.model import Sample, Workload
from console.facts.series import MARK, NOTE
from console.findings.model import Finding
from console.gpu.asks import CLAIMS, NAMED, NOW, PAST, STAT
from tests.findings import worlds as w
from tests.gpu.expositions import Card, exposition, scraped
from tests.gpu.test_model import TARGET, T, alive, asked, claim, counted, gpu_node, holder

HOUR = 3600.0
RECORDED = Path(__file__).parents[1] / "data" / "gpu"


def cards(**changes: Any) -> list[Card]:
    """Four cards of one node; `changes` are of the first, which the first executor holds."""
    first = {"busy": 0.8, "pod": "etl-exec-1", "namespace": w.NS, **changes}
    return [Card(0, **first), *(Card(i, busy=0.5, pod=f"etl-exec-{i + 1}", namespace=w.NS) for i in (1, 2, 3))]


def metrics(*mine: Card, renamed: bool = False, target: dict[str, str] | None = None) -> list[Sample]:
    answered = [*(asked(key) for key in (NOW, PAST, CLAIMS)), alive()]
    return [*scraped(exposition(mine, renamed=renamed), T, **(target or TARGET)), *answered]


def past(stat: str, value: float, index: int = 0, **more: str) -> Sample:
    labels = {"UUID": f"GPU-gpu-1-{index}", "gpu": str(index), "Hostname": "gpu-1", STAT: stat, MARK: PAST}
    return w.sample("", value, 600, **labels, **more)


def up(value: float = 1.0, instance: str = TARGET["instance"], **more: str) -> Sample:
    return w.sample("", value, 600, instance=instance, job="dcgm", **{STAT: "up", MARK: CLAIMS}, **more)


def world(count: int = 4, **node: Any) -> list[Any]:
    driver = w.driver(labels={"sparkoperator.k8s.io/app-name": "etl"})
    return [gpu_node(count=4, **node), driver, *(holder(i) for i in range(1, count + 1)), counted(), *claims()]


def claims() -> list[Sample]:
    return [claim("gpu-1", w.NS, f"etl-exec-{i}", 1) for i in range(1, 5)]


def found(*things: Any, now: float = 600) -> list[Finding]:
    return [f for f in w.judge(*things, now=now) if f.code.startswith("gpu-")]


def only(*things: Any) -> Finding:
    (one,) = found(*things)
    return one


def conf(**values: str) -> Workload:
    return w.cr(spec={"sparkConf": {"spark.plugins": "com.nvidia.spark.SQLPlugin", **values}})


def test_a_healthy_machine_has_no_finding() -> None:
    assert found(*world(), conf(), *metrics(*cards()), up()) == []
    assert found(*world(), conf(), *metrics(*cards(), renamed=True), up()) == []


# errors of the hardware -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("renamed", [False, True])
def test_an_xid_of_the_reset_class_names_the_right_action_and_who_is_hit(renamed: bool) -> None:
    seen = [past("xid", T - 900, xid="95"), past("xid-first", T - 6 * HOUR)]
    one = only(*world(), conf(), *metrics(*cards(xid=95), renamed=renamed), up(), *seen)
    assert (one.code, one.class_, one.severity, one.subject) == ("gpu-hardware", "I28", "critical", "GPU//GPU-gpu-1-0")
    assert "XID 95 (uncontained memory error)" in one.title and "gpu-1 GPU 0" in one.title
    assert "take every client off the GPU" in one.detail
    assert one.since == T - 900
    assert one.data.pods == ("etl-exec-1",) and one.data.action == "reset"
    assert "held until the driver is loaded again" in one.evidence[0].excerpt


def test_a_gauge_that_had_its_xid_when_the_data_begins_does_not_tell_when() -> None:
    seen = [past("xid", T - 6 * HOUR, xid="79"), past("xid-first", T - 6 * HOUR)]
    one = only(*world(), conf(), *metrics(*cards(xid=79, busy=0.0)), up(), *seen)
    assert (one.severity, one.since) == ("critical", None)
    assert "when it came is not known" in one.detail
    assert any("kernel log" in q for q in one.open_questions)


def test_an_old_xid_of_a_gpu_that_works_is_doubtful() -> None:
    seen = [past("xid", T - 6 * HOUR, xid="79"), past("xid-first", T - 6 * HOUR)]
    one = only(*world(), conf(), *metrics(*cards(xid=79)), up(), *seen)
    assert (one.severity, one.confidence) == ("warning", "low")
    assert any("repaired" in q for q in one.open_questions)


def test_gauge_counter_kernel_and_allocatable_are_one_finding() -> None:
    kernel = w.log("NVRM: Xid (PCI:0000:1b:00): 79, pid=4711, GPU has fallen off the bus.\n", "other", "gpu-1/kernel")
    card = cards(xid=79, busy=0.0)
    counter = w.sample(
        "DCGM_EXP_XID_ERRORS_TOTAL", 1, 600, UUID="GPU-gpu-1-0", gpu="0", xid="79", Hostname="gpu-1", **TARGET
    )
    one = only(*world(lost=1), conf(), *metrics(*card), counter, up(), kernel)
    sources = {e.source for e in one.evidence}
    assert {"prometheus", "log", "kubernetes"} <= sources
    assert any("not allocatable" in e.excerpt for e in one.evidence)
    assert one.data.action == "reboot"


def test_an_xid_that_the_device_plugin_ignores_does_not_explain_a_lost_gpu() -> None:
    codes = {f.code for f in found(*world(lost=1), conf(), *metrics(*cards(xid=109, busy=0.0)), up())}
    assert codes == {"gpu-hardware", "gpu-gone"}


def test_a_kernel_line_of_another_gpu_is_another_finding() -> None:
    kernel = w.log("NVRM: Xid (PCI:0000:1c:00): 48, pid=1, DBE\n", "other", "gpu-1/kernel")
    both = found(*world(), conf(), *metrics(*cards(xid=79, busy=0.0)), up(), kernel)
    assert sorted(f.subject for f in both) == ["GPU//GPU-gpu-1-0", "GPU//GPU-gpu-1-1"]


def test_an_xid_of_an_application_is_not_taken_for_hardware() -> None:
    seen = [past("xid", T - 300, xid="31"), past("xid-first", T - 6 * HOUR)]
    one = only(*world(), conf(), *metrics(*cards(xid=31)), up(), *seen)
    assert (one.code, one.class_, one.severity) == ("gpu-xid-application", "I27", "warning")
    assert "restart the application" in one.detail


def test_an_xid_of_an_application_that_only_an_old_gauge_remembers_is_no_finding() -> None:
    assert found(*world(), conf(), *metrics(*cards(xid=31)), up()) == []


def test_an_xid_that_a_later_one_overwrote_is_still_found() -> None:
    seen = [past("xid", T - 1200, xid="48"), past("xid", T - 1190, xid="45"), past("xid-first", T - 6 * HOUR)]
    one = only(*world(), conf(), *metrics(*cards(xid=45, busy=0.0)), up(), *seen)
    assert one.code == "gpu-hardware" and one.data.xid == 48
    assert any("before it was 45" in e.excerpt for e in one.evidence)


def test_an_xid_that_nobody_knows_is_not_taken_for_harmless() -> None:
    one = only(*world(), conf(), *metrics(*cards(xid=888, busy=0.0)), up())
    assert one.code == "gpu-hardware" and "not in the table" in one.title


def test_double_bit_errors_and_failed_remaps_are_one_fault_of_the_gpu() -> None:
    more = {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": 2, "DCGM_FI_DEV_ROW_REMAP_FAILURE": 1}
    one = only(*world(), conf(), *metrics(*cards(more=more)), up())
    assert "double-bit ECC errors, row remapping failed" in one.title
    assert len(one.evidence) == 2 and one.severity == "critical"


def test_a_row_remap_that_waits_is_a_warning_and_a_blank_value_is_none() -> None:
    one = only(*world(), conf(), *metrics(*cards(more={"DCGM_FI_DEV_ROW_REMAP_PENDING": 1})), up())
    assert (one.code, one.severity) == ("gpu-row-remap", "warning")
    blank = {"DCGM_FI_DEV_ROW_REMAP_PENDING": 2147483634, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": 9223372036854775794}
    assert found(*world(), conf(), *metrics(*cards(more=blank)), up()) == []


# heat and power -------------------------------------------------------------------------------------------------------


def throttled(name: str, rate: float, index: int = 0) -> Sample:
    labels = {"UUID": f"GPU-gpu-1-{index}", "gpu": str(index), "Hostname": "gpu-1", NAMED: f"DCGM_FI_DEV_{name}"}
    return w.sample("", rate, 600, **labels, **{STAT: "throttled", MARK: NOW})


def hot(value: float, index: int = 0) -> Sample:
    labels = {"UUID": f"GPU-gpu-1-{index}", "gpu": str(index), "Hostname": "gpu-1"}
    return w.sample("", value, 600, **labels, **{STAT: "hot", MARK: NOW})


def test_hot_gpus_of_one_node_are_one_finding_about_the_node() -> None:
    two = cards(temperature=92.0)
    two[1].temperature = 88.0
    one = only(*world(), conf(), *metrics(*two), up(), hot(91, 0), hot(87, 1))
    assert (one.code, one.subject, one.severity) == ("gpu-hot", "Node//gpu-1", "critical")
    assert "up to 92 °C" in one.title and len(one.evidence) == 2


def test_a_moment_of_heat_is_no_finding_and_the_cards_own_limit_counts() -> None:
    assert found(*world(), conf(), *metrics(*cards(temperature=92.0)), up(), hot(71)) == []
    near = cards(temperature=79.0, more={"DCGM_FI_DEV_SLOWDOWN_TEMP": 82})
    assert only(*world(), conf(), *metrics(*near), up(), hot(79)).code == "gpu-hot"


@pytest.mark.parametrize(("name", "rate"), [("THERMAL_VIOLATION", 3.5e8), ("GPU_THERMAL_THROTTLE_SECONDS_TOTAL", 0.35)])
def test_throttling_by_heat_in_both_generations(name: str, rate: float) -> None:
    one = only(*world(), conf(), *metrics(*cards(temperature=80.0)), up(), throttled(name, rate))
    assert (one.code, one.severity) == ("gpu-hot", "critical")
    assert "slowed down for 35% of the time" in one.title


def test_a_counter_of_unknown_unit_is_doubted() -> None:
    one = only(*world(), conf(), *metrics(*cards()), up(), throttled("THERMAL_VIOLATION", 3.5e5))
    assert (one.severity, one.confidence) == ("warning", "low")
    assert any("microseconds" in q for q in one.open_questions)
    assert found(*world(), conf(), *metrics(*cards()), up(), throttled("THERMAL_VIOLATION", 3.5e4)) == []


def test_a_power_limit_is_not_heat() -> None:
    one = only(*world(), conf(), *metrics(*cards(power=700.0)), up(), throttled("POWER_VIOLATION", 5e8))
    assert (one.code, one.class_) == ("gpu-power-capped", "I29")
    assert "50%" in one.title and "700 W" in one.evidence[0].excerpt


def test_heat_of_long_ago_is_no_finding() -> None:
    assert found(*world(), conf(), *metrics(*cards(temperature=92.0)), up(), hot(91), now=1800) == []


# held and idle --------------------------------------------------------------------------------------------------------


def idle(since: float, index: int = 0, *, count: float = 73) -> list[Sample]:
    return [
        past("first", T - 6 * HOUR, index),
        past("count", count, index),
        past("busy", since, index),
    ]


def test_gpus_that_are_held_and_idle_are_one_finding_of_their_holder() -> None:
    mine = cards(busy=0.0)
    mine[1].busy = 0.02
    one = only(*world(), conf(), *metrics(*mine), up(), *idle(T - 2 * HOUR), *idle(T - 3 * HOUR, 1))
    assert (one.code, one.app, one.subject) == ("gpu-idle", "jobs/etl", "SparkApplication/jobs/etl")
    assert one.title.startswith("2 GPUs held by jobs/etl and idle for 2h")
    assert one.since == T - 2 * HOUR
    assert "5.0 GPU hours" in one.detail
    assert one.data.pods == ("etl-exec-1", "etl-exec-2")


def test_idleness_that_data_does_not_cover_is_not_claimed() -> None:
    mine = metrics(*cards(busy=0.0))
    assert found(*world(), conf(), *mine, up(), *idle(T - 2 * HOUR, count=45)) == []
    assert found(*world(), conf(), *mine, up(), *idle(T - 600)) == []
    assert found(*world(), conf(), *mine, up()) == []


def test_a_free_gpu_is_idle_without_a_finding() -> None:
    free = Card(0, busy=0.0)
    assert found(gpu_node(count=1), counted(), *metrics(free), up(), *idle(T - 2 * HOUR)) == []


def test_gpus_reserved_without_rapids() -> None:
    plain = w.cr(spec={"sparkConf": {"spark.executor.resource.gpu.amount": "1"}})
    mine = cards(busy=0.0)
    for card in mine:
        card.busy = 0.0
    one = only(*world(), plain, *metrics(*mine), up(), *idle(T - 2 * HOUR))
    assert (one.code, one.class_, one.app) == ("gpu-no-rapids", "I29", "jobs/etl")
    assert "spark.plugins does not name the plugin" in one.detail
    assert one.confidence == "medium" and "idle for 2h" in one.title
    blind = found(*world(), plain)
    assert [(f.code, f.confidence) for f in blind] == [("gpu-no-rapids", "low")]


def test_gpus_that_work_without_rapids_are_used_by_something_else() -> None:
    plain = w.cr(spec={"sparkConf": {"spark.executor.resource.gpu.amount": "1"}})
    assert found(*world(), plain, *metrics(*cards()), up()) == []


def test_a_plugin_that_the_image_lacks_is_told_by_the_drivers_log() -> None:
    log = w.log(w.line("SparkContext: java.lang.ClassNotFoundException: com.nvidia.spark.SQLPlugin", "ERROR"))
    one = only(*world(), conf(), log, *metrics(*cards()), up())
    assert one.code == "gpu-no-rapids" and "could not be loaded" in one.title
    assert one.evidence[0].source == "log"


def test_rapids_that_is_switched_off() -> None:
    off = conf(**{"spark.rapids.sql.enabled": "false"})
    mine = cards(busy=0.0)
    for card in mine:
        card.busy = 0.0
    assert "switched off" in only(*world(), off, *metrics(*mine), up(), *idle(T - 2 * HOUR)).title


# gone and unseen ------------------------------------------------------------------------------------------------------


def test_a_drop_of_allocatable_without_an_error() -> None:
    one = only(*world(lost=1), conf(), *metrics(*cards()), up())
    assert (one.code, one.class_, one.subject) == ("gpu-gone", "I30", "Node//gpu-1")
    assert "1 of 4 nvidia.com/gpu are not allocatable" in one.title


def test_a_device_plugin_that_offers_nothing_while_capacity_still_says_otherwise() -> None:
    series = "gpu_operator_node_device_plugin_devices_total"
    zero = w.sample(series, 0, 600, node="gpu-1", **{STAT: "operator", MARK: CLAIMS})
    one = only(*world(), conf(), *metrics(*cards()), up(), zero)
    assert one.code == "gpu-gone" and "device plugin offers no GPU" in one.title


def test_an_exporter_that_is_up_and_says_nothing() -> None:
    other = gpu_node("gpu-2")
    one = only(*world(), other, conf(), *metrics(*cards()), up(), up(instance="10.0.0.2:9400", node="gpu-2"))
    assert (one.code, one.subject, one.severity) == ("gpu-exporter-blind", "Node//gpu-2", "warning")
    unnamed = only(*world(), conf(), *metrics(*cards()), up(), up(instance="10.0.0.2:9400"))
    assert unnamed.subject == "Target//10.0.0.2:9400"


def test_an_exporter_that_is_down_and_a_node_without_one() -> None:
    other = gpu_node("gpu-2")
    down = only(*world(), other, conf(), *metrics(*cards()), up(), up(0.0, "10.0.0.2:9400", node="gpu-2"))
    assert down.code == "gpu-exporter-blind" and "does not answer" in down.title
    none = only(*world(), other, conf(), *metrics(*cards()), up())
    assert none.subject == "Node//gpu-2" and "no DCGM exporter is scraped" in none.title


def test_a_cluster_without_any_exporter_is_told_once_and_one_that_could_not_be_asked_not_at_all() -> None:
    busy = [*world(), gpu_node("gpu-2"), conf()]
    one = only(*busy, asked(NOW), asked(PAST), alive())
    assert (one.code, one.severity, one.data.nodes) == ("gpu-unmonitored", "info", ("gpu-1", "gpu-2"))
    assert found(gpu_node(), w.driver(), holder(1), conf()) == []
    note = w.sample("", float("nan"), 600, **{MARK: NOW, NOTE: "a store is missing"})
    assert found(gpu_node(), w.driver(), holder(1), conf(), note, alive()) == []
    assert found(gpu_node(), w.driver(), holder(1), conf(), asked(NOW), asked(PAST), asked(CLAIMS)) == []


def test_what_a_cluster_says_is_quoted_clean() -> None:
    evil = Card(0, busy=0.0, xid=79, pod="etl-exec-1", namespace=w.NS)
    samples = [
        Sample(s.name, {**s.labels, "modelName": "\x1b[2J[red]H100"}, s.value, s.at, s.origin) for s in metrics(evil)
    ]
    one = only(*world(1), conf(), *samples, up())
    assert "\x1b" not in "".join(e.excerpt for e in one.evidence)


def test_recorded_answers_of_a_real_prometheus_are_read_from_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """Answers of Prometheus 3.5 over hand-written expositions: five kinds of targets export the same two cards."""
    assert run(["diagnose", str(RECORDED), "-o", "json"]) == 1
    findings = {f["subject"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert len(findings) == 2 and {f["code"] for f in findings.values()} == {"gpu-hardware"}
    for one in findings.values():
        assert "XID 79" in one["title"] and "gpu-node-1" in one["title"]
        assert any("DCGM_FI_DEV_XID_ERRORS 79" in e["excerpt"] for e in one["evidence"])
        assert (one["severity"], one["confidence"], one["since"]) == ("warning", "low", None)
