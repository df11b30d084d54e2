"""What is asked of Prometheus about GPUs: three queries for all GPUs of a cluster, both generations of names in one.

`PAST` looks back six hours and is asked every few minutes; `NOW` and `CLAIMS` with every refresh. Series that a query
derives carry the label `STAT`, so that they are told from the exporter's own.
"""

from __future__ import annotations

from console.facts.series import Ask
from console.gpu.names import NAMES, THROTTLES

STAT = "console_stat"
NAMED = "console_name"
"""Label that keeps the name of a series through functions that drop it."""
NOW, PAST, CLAIMS = "gpu|now|0", "gpu|past|21600", "gpu|claims|0"
REACH, STEP = 21600.0, 300.0
"""How far `PAST` looks back, and its grid, in seconds."""
BUSY_ABOVE = 0.05

_WHO = "UUID, gpu, Hostname, hostname, GPU_I_ID"
_LABELS = (
    f"__name__, {_WHO}, GPU_I_PROFILE, modelName, pci_bus_id, node, instance, job, xid, namespace, pod, container, "
    "exported_namespace, exported_pod, exported_container"
)
_RATIOS = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", "DCGM_FI_DEV_GPU_UTIL_RATIO")
_PERCENT = "DCGM_FI_DEV_GPU_UTIL"
_XIDS = "DCGM_FI_DEV_XID_ERRORS?"
_REAL = "< 1e9"
"""Leaves out the blank values that say "not supported"."""


def _selector(pattern: str) -> str:
    return f'{{__name__=~"{pattern}"}}'


def _stat(expr: str, stat: str) -> str:
    return f'label_replace({expr}, "{STAT}", "{stat}", "", "")'


def _exporter() -> str:
    names = sorted(NAMES)
    fields = "|".join(name.removeprefix("DCGM_FI_") for name in names if name.startswith("DCGM_FI_"))
    counted = "|".join(name for name in names if not name.startswith("DCGM_FI_"))
    return f"max by ({_LABELS}) ({_selector(f'DCGM_FI_({fields})|{counted}')})"


def _throttled() -> str:
    named = f'label_replace({_selector("|".join(sorted(THROTTLES)))}, "{NAMED}", "$1", "__name__", "(.+)")'
    return f"rate(max by ({NAMED}, {_WHO}) ({named})[10m:1m])"


def _past() -> str:
    grid = f"[{REACH / 3600:.0f}h:{STEP / 60:.0f}m]"
    known = f"max by ({_WHO}) ({_selector('|'.join((_PERCENT, *_RATIOS)))} {_REAL})"
    # each series alone, since a function that drops the name cannot take two of them; the highest value between two
    # points of the grid, so that no short work is missed
    ratios = [f"max_over_time({name}[{STEP / 60:.0f}m]) > {BUSY_ABOVE} {_REAL}" for name in _RATIOS]
    share = f"max_over_time({_PERCENT}[{STEP / 60:.0f}m])"
    percent = [f"{share} > {BUSY_ABOVE * 100:g} {_REAL}", f"{share} > {BUSY_ABOVE} < 1"]
    busy = f"max by ({_WHO}) ({' or '.join([*ratios, *percent])})"
    xids = f"{_selector(_XIDS)} > 0 < 1000"
    parts = (
        ("busy", f"max_over_time(timestamp({busy}){grid})"),
        ("first", f"min_over_time(timestamp({known}){grid})"),
        ("count", f"count_over_time({known}{grid})"),
        ("most", f"max_over_time(max by ({_WHO}) ({_PERCENT} {_REAL}){grid})"),
        ("xid", f'min_over_time(timestamp(count_values by ({_WHO}) ("xid", {xids})){grid})'),
        ("xid-first", f"min_over_time(timestamp(max by ({_WHO}) ({_selector(_XIDS)} {_REAL})){grid})"),
        (
            "xid-total",
            f'min_over_time(timestamp(count_values by ({_WHO}, xid) ("count", DCGM_EXP_XID_ERRORS_TOTAL > 0)){grid})',
        ),
    )
    return " or ".join(_stat(expr, stat) for stat, expr in parts)


def _claims() -> str:
    alive = 'max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)'
    asked = 'kube_pod_container_resource_requests{resource=~"nvidia_com_(gpu.*|mig.+)|amd_com_gpu|gpu_intel_com_.+"}'
    ready = "node_(driver_ready|toolkit_ready|plugin_ready|device_plugin_devices_total)"
    operator = _selector(f"gpu_operator_(reconciliation_status|{ready})")
    parts = (
        ("claim", f"sum by (node, namespace, pod, resource) ({asked}) * on (namespace, pod) group_left () {alive}"),
        ("up", 'max by (job, instance, node, pod) (up{job=~".*(dcgm|gpu-?(metrics-)?exporter).*"})'),
        ("alive", "count(up)"),
        ("operator", f"max by (__name__, node, instance) ({operator})"),
        ("ksm", 'count(kube_pod_container_resource_requests{resource="cpu"})'),
    )
    return " or ".join(_stat(expr, stat) for stat, expr in parts)


def asks() -> tuple[Ask, ...]:
    """The three questions. They are asked together with all others, and their answers are marked with their keys."""
    hot = f"min_over_time(max by ({_WHO}) ({_selector('DCGM_FI_DEV_GPU_TEMP(_CELSIUS)?')} < 1000)[5m:1m])"
    now = " or ".join((_exporter(), _stat(_throttled(), "throttled"), _stat(hot, "hot")))
    return (
        Ask(NOW, now, kept=True),
        Ask(PAST, _past(), slow=True, kept=True),
        Ask(CLAIMS, _claims(), kept=True),
    )
