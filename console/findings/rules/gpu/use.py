"""GPUs that are slowed down, held and idle, or reserved for a program that cannot use them (I29)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from console.apps.evidence import of_hit, of_sample
from console.apps.model import SparkApp
from console.base.clock import rfc3339
from console.base.text import plural
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.findings.case import ClusterView
from console.findings.figures.gpu import GpuIdle, GpuSlowed, GpuWithoutPlugin
from console.findings.model import Confidence, Finding, Severity
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.gpu.hardware import place, pods_of
from console.gpu.asks import BUSY_ABOVE
from console.gpu.cells import Idleness, idleness
from console.gpu.model import Gpu, GpuNode, Holder, Slice
from console.gpu.summary import STALE_AFTER

HOT, TOO_HOT = 85.0, 90.0
NEAR_SLOWDOWN = 5.0
"""°C below the temperature at which the card slows itself down."""
SLOWED, SLOWED_MUCH = 0.1, 0.3
IDLE, COVERED = 1800.0, 0.8
"""Seconds without work, and the share of them with data, from which a held GPU is said to be idle."""
UNIT = "the unit of the violation counter: microseconds, or nanoseconds of almost nothing"
PLUGIN = "com.nvidia.spark.SQLPlugin"
_JARS = ("spark.jars", "spark.jars.packages", "spark.driver.extraClassPath", "spark.executor.extraClassPath")


def slowed(world: ClusterView) -> Answer:
    """GPUs that heat or the power limit slows down, or soon will."""
    out: list[Finding] = []
    fleet = world.gpus.fleet
    if fleet.measured is not None and world.now - fleet.measured > STALE_AFTER:
        return "what is known of GPUs is too old to say how hot they are"
    for node in fleet.nodes:
        hot = [g for g in node.gpus if _hot(g) or (g.thermal or 0.0) > SLOWED]
        if hot:
            out.append(_heat(world, node, hot))
        capped = [g for g in node.gpus if (g.power_capped or 0.0) > SLOWED_MUCH]
        if capped:
            out.append(_power(world, node, capped))
    return out or "no GPU is known to be hot or slowed down"


def _hot(gpu: Gpu) -> bool:
    """Hot for five minutes, where that is known; near the card's own limit, where it tells it."""
    now = gpu.temperature if gpu.hot_for is None else min(gpu.hot_for, gpu.temperature or gpu.hot_for)
    if now is None:
        return False
    return now >= gpu.slowdown - NEAR_SLOWDOWN if gpu.slowdown else now > HOT


def _subject(node: GpuNode, gpus: Sequence[Gpu]) -> str:
    return f"Node//{node.name}" if len(gpus) > 1 and node.known else f"GPU//{gpus[0].id}"


def _heat(world: ClusterView, node: GpuNode, hot: Sequence[Gpu]) -> Finding:
    worst = max(hot, key=lambda g: (g.temperature or 0.0, g.thermal or 0.0))
    words = f" (up to {worst.temperature:.0f} °C)" if worst.temperature is not None else ""
    slowed = max((g.thermal or 0.0 for g in hot), default=0.0)
    if slowed > SLOWED:
        words += f", slowed down for {slowed:.0%} of the time"
    unsure = slowed > SLOWED and all(g.throttle_unsure for g in hot if (g.thermal or 0.0) > SLOWED)
    severity, confidence = _how_hot(hot, worst, slowed, unsure)
    found = finding(
        None,
        "gpu-hot",
        "I29",
        severity,
        confidence,
        f"{plural(len(hot), 'GPU')} of {node.name} too hot{words}"
        if len(hot) > 1
        else f"{place(worst)} is too hot{words}",
        subject=_subject(node, hot),
        detail="several GPUs of one node: its cooling; one alone: the card",
        evidence=[e for g in hot[:3] for e in _thermal_proof(world, g)],
        ruled_out=[("card", f"{len(hot)} of {len(node.gpus)} GPUs of the node are hot")] if len(hot) > 1 else [],
        questions=_heat_questions(node, hot, unsure),
        data=GpuSlowed(nodes=(node.name,), gpus=tuple(g.id for g in hot), pods=pods_of(hot)),
    )
    return replace(found, since=None)


def _how_hot(hot: Sequence[Gpu], worst: Gpu, slowed: float, unsure: bool) -> tuple[Severity, Confidence]:
    """`unsure`: the unit of the counter is not certain, and nothing else says that they are slowed down."""
    if unsure:
        return "warning", "low" if not any(map(_hot, hot)) else "high" if len(hot) > 1 else "medium"
    too_hot = (worst.temperature or 0.0) > TOO_HOT or slowed > SLOWED_MUCH
    return "critical" if too_hot else "warning", "high" if len(hot) > 1 else "medium"


def _heat_questions(node: GpuNode, hot: Sequence[Gpu], unsure: bool) -> list[str]:
    out = []
    if not any(g not in hot and g.temperature is not None for g in node.gpus):
        out.append("cooling of the node or the card: the other GPUs of the node say no more")
    if unsure:
        out.append(UNIT)
    return out


def _thermal_proof(world: ClusterView, gpu: Gpu) -> list[Evidence]:
    entity = world.gpus.entities.get(gpu.id)
    if entity is None:
        return []
    out = []
    sample = entity.samples.get("temperature")
    if sample is not None:
        lasting = f", at least {gpu.hot_for:.0f} for 5 minutes" if gpu.hot_for is not None else ""
        limit = f", slows down at {gpu.slowdown:.0f}" if gpu.slowdown else ""
        out.append(of_sample(sample, f"{place(gpu)}: {sample.value:.0f} °C{lasting}{limit}"))
    if gpu.thermal is not None and gpu.thermal > 0.01:
        words = f"{place(gpu)}: slowed down by heat for {gpu.thermal:.0%} of the last 10 minutes"
        out.append(Evidence("prometheus", "DCGM_FI_DEV_THERMAL_VIOLATION", words, gpu.at))
    return out


def _power(world: ClusterView, node: GpuNode, capped: Sequence[Gpu]) -> Finding:
    most = max(g.power_capped or 0.0 for g in capped)
    unsure = all(g.throttle_unsure for g in capped)
    watts = {round(g.power / 10) for g in capped if g.power is not None}
    found = finding(
        None,
        "gpu-power-capped",
        "I29",
        "warning",
        "low" if unsure else "medium",
        f"{plural(len(capped), 'GPU')} of {node.name} held back by the power limit for {most:.0%} of the time",
        subject=_subject(node, capped),
        detail="all at the same watts: a limit that was set; one alone: the card or its supply",
        evidence=[
            Evidence(
                "prometheus",
                "DCGM_FI_DEV_POWER_VIOLATION",
                f"{place(g)}: {g.power_capped or 0.0:.0%} of the last 10 minutes"
                + (f" at {g.power:.0f} W" if g.power is not None else ""),
                g.at,
            )
            for g in capped[:3]
        ],
        ruled_out=[("I29 heat", "these GPUs are not slowed down by heat")]
        if all((g.thermal or 0.0) <= SLOWED and g.thermal is not None for g in capped)
        else [],
        questions=[
            *(["whether the limit is wanted: all draw the same power"] if len(capped) > 1 and len(watts) == 1 else []),
            *([UNIT] if unsure else []),
        ],
        data=GpuSlowed(nodes=(node.name,), gpus=tuple(g.id for g in capped), pods=pods_of(capped)),
    )
    return replace(found, since=None)


# held and idle --------------------------------------------------------------------------------------------------------


def wasted(world: ClusterView) -> Answer:
    """GPUs that are held and do nothing; and those that are reserved for SQL without the plugin that could use them."""
    cells = _idle_cells(world)
    out: list[Finding] = []
    for app in world.apps:
        if app.live and app.gpus_requested > 0 and (found := _without_plugin(world, app, cells.get(app.key, []))):
            out.append(found)
            cells.pop(app.key, None)
    for mine in cells.values():
        out.append(_idle(world, mine))
    return out or "no GPU is known to be held and idle, or reserved without a use"


IdleCell = tuple[Gpu, "Gpu | Slice", Holder]
"""A GPU, the cell of it that is idle (itself or a MIG instance), and who holds that."""


def _idle_cells(world: ClusterView) -> dict[str, list[IdleCell]]:
    """Idle GPUs and instances by holder; only where the time is long and covered by data."""
    out: dict[str, list[IdleCell]] = {}
    for gpu in world.gpus.fleet.gpus:
        for cell in gpu.cells:
            if cell.state != "idle" or cell.holder is None or cell.idle_since is None:
                continue
            if world.now - cell.idle_since >= IDLE and (cell.covered or 0.0) >= COVERED:
                out.setdefault(cell.holder.name, []).append((gpu, cell, cell.holder))
    return out


def _idle(world: ClusterView, mine: Sequence[IdleCell]) -> Finding:
    holder = mine[0][2]
    app = next((a for a in world.apps if a.key == holder.app), None)
    idle = idleness([cell for _, cell, _ in mine], world.now)
    case = world.case_of(holder.app)
    fallback = case.hits("gpu-fallback", roles=("driver",))[:2] if case is not None else []
    found = finding(
        None,
        "gpu-idle",
        "I29",
        "warning",
        "medium",
        f"{plural(len(mine), 'GPU')} held by {holder.name} and idle for {_how_long(idle, world.now)}",
        subject=app.subject if app is not None else f"Pod/{holder.namespace}/{holder.pod}",
        since=idle.since,
        detail=f"{idle.seconds / 3600:.1f} GPU hours so far; others wait for GPUs while these do nothing",
        evidence=[*(e for cell in mine[:3] for e in _idle_proof(world, cell)), *(of_hit(h) for h in fallback)],
        ruled_out=[("no data", f"{idle.covered:.0%} of that time is covered by data")],
        questions=[]
        if fallback
        else ["whether the plan runs on the GPU at all: `cannot run on GPU because` in the driver's log"],
        data=_figures(mine, idle),
    )
    return replace(found, app=holder.app)


def _how_long(idle: Idleness, now: float) -> str:
    return f"{'at least ' if idle.bound else ''}{human_duration(now - idle.since)}"


def _figures(mine: Sequence[IdleCell], idle: Idleness) -> GpuIdle:
    return GpuIdle(
        pods=tuple(sorted({holder.pod for _, _, holder in mine})),
        gpus=tuple(gpu.id for gpu, _, _ in mine),
        nodes=tuple(sorted({gpu.node for gpu, _, _ in mine})),
        seconds=round(idle.seconds),
        pod=mine[0][2].pod,
    )


def _idle_proof(world: ClusterView, idle: IdleCell) -> list[Evidence]:
    gpu, cell, holder = idle
    entity = world.gpus.entities.get(gpu.id)
    sample = next((entity.samples[f] for f in ("engine", "util") if f in entity.samples), None) if entity else None
    what = place(gpu) + (f" instance {cell.id} ({cell.profile})" if isinstance(cell, Slice) else "")
    since = f"{'at least since' if cell.idle_bound else 'since'} {rfc3339(cell.idle_since)}"
    words = f"{what}, held by {holder.pod}: never above {BUSY_ABOVE:.0%} {since}"
    if sample is None:
        return [Evidence("prometheus", gpu.series, words, gpu.at)]
    return [of_sample(sample, words)]


# reserved without a use -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Unused:
    """Why the plugin that could use GPUs does not work. `log`: the driver's own words, where it has any."""

    title: str
    reason: str
    log: Sequence[Hit] = ()


def _without_plugin(world: ClusterView, app: SparkApp, cells: Sequence[IdleCell]) -> Finding | None:
    """An application that has GPUs and cannot use them: the plugin was not loaded, or was never asked for."""
    unused = _unloaded(world, app) or _unasked(world, app)
    if unused is None:
        return None
    idle = idleness([cell for _, cell, _ in cells], world.now) if cells else None
    proof = [of_hit(h) for h in unused.log[:2]]
    if not unused.log:
        said = app.conf.get("spark.plugins") or "not set"
        proof.append(Evidence("kubernetes", app.subject, f"spark.plugins: {said}; {unused.reason}"))
    proof += [e for one in cells[:2] for e in _idle_proof(world, one)]
    idle_for = f", idle for {_how_long(idle, world.now)}" if idle is not None else ""
    count = app.gpus_requested
    found = finding(
        None,
        "gpu-no-rapids",
        "I29",
        "warning",
        "high" if unused.log else "medium" if idle is not None else "low",
        f"{app.name} holds {count:g} GPUs, but {unused.title}{idle_for}",
        subject=app.subject,
        detail=f"{unused.reason}: SQL and DataFrames run on the CPU while the GPUs are reserved",
        evidence=proof,
        ruled_out=[("busy", "none of its GPUs does anything")] if idle is not None else [],
        questions=[]
        if unused.log
        else ["whether its own Python or Scala code uses CUDA without RAPIDS: its GPUs would not be idle then"],
        data=_reserved(count, unused.reason, _figures(cells, idle) if idle is not None else None),
    )
    return replace(found, app=app.key, since=idle.since if idle is not None else None)


def _reserved(count: float, reason: str, idle: GpuIdle | None) -> GpuWithoutPlugin:
    if idle is None:
        return GpuWithoutPlugin(count=count, reason=reason)
    return GpuWithoutPlugin(
        count=count,
        reason=reason,
        pods=idle.pods,
        gpus=idle.gpus,
        nodes=idle.nodes,
        seconds=idle.seconds,
        pod=idle.pod,
    )


def _unloaded(world: ClusterView, app: SparkApp) -> _Unused | None:
    """The plugin was asked for and its class is not there."""
    case = world.case_of(app.key)
    missing = case.hits("rapids-missing", roles=("driver", "executor")) if case is not None else []
    if not missing:
        return None
    return _Unused(
        "RAPIDS could not be loaded", "the driver's log says that the class of the plugin is not there", missing
    )


def _unasked(world: ClusterView, app: SparkApp) -> _Unused | None:
    """The configuration is known and does not ask for the plugin, and nothing says that its GPUs are used."""
    case = world.case_of(app.key)
    loaded = case is not None and bool(case.hits("rapids-loaded", roles=("driver", "executor")))
    off = app.conf.get("spark.rapids.sql.enabled", "").lower() == "false"
    if loaded or not app.conf or (PLUGIN in app.conf.get("spark.plugins", "") and not off):
        return None
    if any(cell.state == "busy" for gpu in world.gpus.fleet.of(app.key) for cell in gpu.cells):
        return None
    if any(s.name == "prometheus" and s.state == "loading" for s in world.facts.sources):
        return None  # whether its GPUs work is about to be known
    if off:
        return _Unused("RAPIDS is switched off", "spark.rapids.sql.enabled is false")
    jars = [key for key in _JARS if "rapids" in app.conf.get(key, "").lower()]
    rest = f", though {jars[0]} has its jar" if jars else ", and no jar of it is named"
    return _Unused("RAPIDS is not loaded", f"spark.plugins does not name the plugin{rest}")


RULES = [WorldRule("gpu-hot", "I29", slowed), WorldRule("gpu-idle", "I29", wasted)]
