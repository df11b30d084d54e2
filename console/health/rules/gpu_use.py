"""GPUs that are slowed down, held and idle, or reserved for a program that cannot use them (I29)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from console.base.clock import rfc3339
from console.base.text import plural
from console.base.units import human_duration
from console.health.case import World
from console.health.evidence import of_hit, of_sample
from console.health.gpu.asks import BUSY_ABOVE
from console.health.gpu.model import Gpu, GpuNode, Holder, Slice
from console.health.gpu.summary import STALE_AFTER
from console.health.model import Evidence, Finding, Severity, SparkApp
from console.health.rule import Answer, WorldRule, finding
from console.health.rules.gpu_hardware import place

HOT, TOO_HOT = 85.0, 90.0
NEAR_SLOWDOWN = 5.0
"""°C below the temperature at which the card slows itself down."""
SLOWED, SLOWED_MUCH = 0.1, 0.3
IDLE, COVERED = 1800.0, 0.8
"""Seconds without work, and the share of them with data, from which a held GPU is said to be idle."""
PLUGIN = "com.nvidia.spark.SQLPlugin"
_JARS = ("spark.jars", "spark.jars.packages", "spark.driver.extraClassPath", "spark.executor.extraClassPath")


def slowed(world: World) -> Answer:
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


def _heat(world: World, node: GpuNode, hot: Sequence[Gpu]) -> Finding:
    worst = max(hot, key=lambda g: (g.temperature or 0.0, g.thermal or 0.0))
    slowed = max((g.thermal or 0.0 for g in hot), default=0.0)
    level: Severity = "critical" if (worst.temperature or 0.0) > TOO_HOT or slowed > SLOWED_MUCH else "warning"
    unsure = slowed > SLOWED and all(g.throttle_unsure for g in hot if (g.thermal or 0.0) > SLOWED)
    words = f" (up to {worst.temperature:.0f} °C)" if worst.temperature is not None else ""
    if slowed > SLOWED:
        words += f", slowed down for {slowed:.0%} of the time"
    others = [g for g in node.gpus if g not in hot and g.temperature is not None]
    found = finding(
        None,
        "gpu-hot",
        "I29",
        "warning" if unsure else level,
        "low" if unsure and not any(map(_hot, hot)) else "high" if len(hot) > 1 else "medium",
        f"{plural(len(hot), 'GPU')} of {node.name} too hot{words}"
        if len(hot) > 1
        else f"{place(worst)} is too hot{words}",
        subject=_subject(node, hot),
        detail="several GPUs of one node: its cooling; one alone: the card",
        evidence=[e for g in hot[:3] for e in _thermal_proof(world, g)],
        ruled_out=[("card", f"{len(hot)} of {len(node.gpus)} GPUs of the node are hot")] if len(hot) > 1 else [],
        questions=[
            *(["cooling of the node or the card: the other GPUs of the node say no more"] if not others else []),
            *(["the unit of the violation counter: microseconds, or nanoseconds of almost nothing"] if unsure else []),
        ],
        data={"nodes": [node.name], "gpus": [g.id for g in hot], "pods": _pods(hot)},
    )
    return replace(found, since=None)


def _thermal_proof(world: World, gpu: Gpu) -> list[Evidence]:
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


def _power(world: World, node: GpuNode, capped: Sequence[Gpu]) -> Finding:
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
            *(["the unit of the violation counter: microseconds, or nanoseconds of almost nothing"] if unsure else []),
        ],
        data={"nodes": [node.name], "gpus": [g.id for g in capped], "pods": _pods(capped)},
    )
    return replace(found, since=None)


def _pods(gpus: Sequence[Gpu]) -> list[str]:
    return sorted({c.holder.pod for g in gpus for c in g.cells if c.holder is not None})


# held and idle --------------------------------------------------------------------------------------------------------


def wasted(world: World) -> Answer:
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


Held = tuple[Gpu, "Gpu | Slice", Holder]


def _idle_cells(world: World) -> dict[str, list[Held]]:
    """Idle GPUs and instances by holder; only where the time is long and covered by data."""
    out: dict[str, list[Held]] = {}
    for gpu in world.gpus.fleet.gpus:
        for cell in gpu.cells:
            if cell.state != "idle" or cell.holder is None or cell.idle_since is None:
                continue
            if world.now - cell.idle_since >= IDLE and (cell.covered or 0.0) >= COVERED:
                out.setdefault(cell.holder.name, []).append((gpu, cell, cell.holder))
    return out


def _idle(world: World, mine: Sequence[Held]) -> Finding:
    holder = mine[0][2]
    app = next((a for a in world.apps if a.key == holder.app), None)
    since = max(cell.idle_since or 0.0 for _, cell, _ in mine)
    bound = any(cell.idle_bound for _, cell, _ in mine)
    long = human_duration(world.now - since)
    seconds = sum(world.now - (cell.idle_since or world.now) for _, cell, _ in mine)
    case = world.case_of.get(holder.app)
    fallback = case.hits("gpu-fallback", roles=("driver",))[:2] if case is not None else []
    found = finding(
        None,
        "gpu-idle",
        "I29",
        "warning",
        "medium",
        f"{plural(len(mine), 'GPU')} held by {holder.name} and idle for {'at least ' if bound else ''}{long}",
        subject=app.subject if app is not None else f"Pod/{holder.namespace}/{holder.pod}",
        since=since,
        detail=f"{seconds / 3600:.1f} GPU hours so far; others wait for GPUs while these do nothing",
        evidence=[*(e for held in mine[:3] for e in _idle_proof(world, held)), *(of_hit(h) for h in fallback)],
        ruled_out=[("no data", f"{min(c.covered or 0.0 for _, c, _ in mine):.0%} of that time is covered by data")],
        questions=[]
        if fallback
        else ["whether the plan runs on the GPU at all: `cannot run on GPU because` in the driver's log"],
        data=_idle_data(mine, seconds),
    )
    return replace(found, app=holder.app)


def _idle_data(mine: Sequence[Held], seconds: float) -> dict[str, object]:
    return {
        "pods": sorted({holder.pod for _, _, holder in mine}),
        "gpus": [gpu.id for gpu, _, _ in mine],
        "nodes": sorted({gpu.node for gpu, _, _ in mine}),
        "seconds": round(seconds),
        "pod": mine[0][2].pod if mine else "",
    }


def _idle_proof(world: World, held: Held) -> list[Evidence]:
    gpu, cell, holder = held
    entity = world.gpus.entities.get(gpu.id)
    sample = next((entity.samples[f] for f in ("engine", "util") if f in entity.samples), None) if entity else None
    what = place(gpu) + (f" instance {cell.id} ({cell.profile})" if isinstance(cell, Slice) else "")
    since = f"{'at least since' if cell.idle_bound else 'since'} {rfc3339(cell.idle_since)}"
    words = f"{what}, held by {holder.pod}: never above {BUSY_ABOVE:.0%} {since}"
    if sample is None:
        return [Evidence("prometheus", gpu.series, words, gpu.at)]
    return [of_sample(sample, words)]


# reserved without a use -----------------------------------------------------------------------------------------------


def _without_plugin(world: World, app: SparkApp, idle: Sequence[Held]) -> Finding | None:
    """An application that has GPUs and cannot use them: the plugin was not loaded, or was never asked for."""
    case = world.case_of.get(app.key)
    missing = case.hits("rapids-missing", roles=("driver", "executor")) if case is not None else []
    loaded = case.hits("rapids-loaded", roles=("driver", "executor")) if case is not None else []
    named = PLUGIN in app.conf.get("spark.plugins", "")
    jars = [key for key in _JARS if "rapids" in app.conf.get(key, "").lower()]
    off = app.conf.get("spark.rapids.sql.enabled", "").lower() == "false"
    held = world.gpus.fleet.of(app.key)
    if not missing and (loaded or (named and not off) or not app.conf):
        return None
    if not missing and any(cell.state == "busy" for gpu in held for cell in gpu.cells):
        return None
    if not missing and any(s.name == "prometheus" and s.state == "loading" for s in world.facts.sources):
        return None  # whether its GPUs work is about to be known
    if missing:
        title = "RAPIDS could not be loaded"
        reason = "the driver's log says that the class of the plugin is not there"
    elif off:
        title = "RAPIDS is switched off"
        reason = "spark.rapids.sql.enabled is false"
    else:
        title = "RAPIDS is not loaded"
        reason = "spark.plugins does not name the plugin" + (
            f", though {jars[0]} has its jar" if jars else ", and no jar of it is named"
        )
    proof = [of_hit(h) for h in missing[:2]]
    if not missing:
        said = app.conf.get("spark.plugins") or "not set"
        proof.append(Evidence("kubernetes", app.subject, f"spark.plugins: {said}; {reason}"))
    proof += [e for one in idle[:2] for e in _idle_proof(world, one)]
    count = f"{app.gpus_requested:g}"
    seconds = sum(world.now - (cell.idle_since or world.now) for _, cell, _ in idle)
    since = max((cell.idle_since or 0.0 for _, cell, _ in idle), default=None)
    least = "at least " if any(cell.idle_bound for _, cell, _ in idle) else ""
    idle_for = f", idle for {least}{human_duration(world.now - since)}" if since is not None else ""
    found = finding(
        None,
        "gpu-no-rapids",
        "I29",
        "warning",
        "high" if missing else "medium" if idle else "low",
        f"{app.name} holds {count} GPUs, but {title}{idle_for}",
        subject=app.subject,
        since=since,
        detail=f"{reason}: SQL and DataFrames run on the CPU while the GPUs are reserved",
        evidence=proof,
        ruled_out=[("busy", "none of its GPUs does anything")] if idle else [],
        questions=[]
        if missing
        else ["whether its own Python or Scala code uses CUDA without RAPIDS: its GPUs would not be idle then"],
        data={"count": app.gpus_requested, "reason": reason, **(_idle_data(idle, seconds) if idle else {})},
    )
    return replace(found, app=app.key, since=since)


RULES = [WorldRule("gpu-hot", "I29", slowed), WorldRule("gpu-idle", "I29", wasted)]
