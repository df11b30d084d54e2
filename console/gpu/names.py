"""DCGM series of both generations under one name and one unit, and the values that mean "not supported".

Names and units are those of dcgm-exporter's counter lists: the older ones count percent, MiB, nanoseconds and
millijoules; the ones that DCGM 4.7 added count ratios, bytes and seconds. A name never proves its scale: collectors
rescale `DCGM_FI_DEV_GPU_UTIL`, and older exporters count violations in microseconds.
"""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

Generation = Literal["legacy", "renamed", "both"]
MIB = 1048576.0


class DcgmSeries(Struct, frozen=True):
    """What a series means: its value times `factor` is in the unit of `field` (ratio, bytes, °C, W, s, count)."""

    field: str
    factor: float = 1.0
    generation: Literal["legacy", "renamed", "any"] = "any"


def _both(
    field: str, legacy: str, renamed: str, factor: float = 1.0, renamed_factor: float = 1.0
) -> dict[str, DcgmSeries]:
    return {
        f"DCGM_FI_{legacy}": DcgmSeries(field, factor, "legacy"),
        f"DCGM_FI_{renamed}": DcgmSeries(field, renamed_factor, "renamed"),
    }


NAMES: dict[str, DcgmSeries] = {
    **_both("engine", "PROF_GR_ENGINE_ACTIVE", "PROF_GR_ENGINE_UTIL_RATIO"),
    **_both("util", "DEV_GPU_UTIL", "DEV_GPU_UTIL_RATIO", 0.01),
    **_both("fb_used", "DEV_FB_USED", "DEV_FB_USED_BYTES", MIB),
    **_both("fb_free", "DEV_FB_FREE", "DEV_FB_FREE_BYTES", MIB),
    **_both("fb_reserved", "DEV_FB_RESERVED", "DEV_FB_RESERVED_BYTES", MIB),
    **_both("fb_total", "DEV_FB_TOTAL", "DEV_FB_CAPACITY_BYTES", MIB),
    **_both("temperature", "DEV_GPU_TEMP", "DEV_GPU_TEMP_CELSIUS"),
    **_both("memory_temperature", "DEV_MEMORY_TEMP", "DEV_MEMORY_TEMP_CELSIUS"),
    **_both("power", "DEV_POWER_USAGE", "DEV_BOARD_POWER_WATTS"),
    **_both("xid", "DEV_XID_ERRORS", "DEV_XID_ERROR"),
    **_both("remap_uncorrectable", "DEV_UNCORRECTABLE_REMAPPED_ROWS", "DEV_ROW_REMAP_UNCORRECTABLE_TOTAL"),
    **_both("remap_correctable", "DEV_CORRECTABLE_REMAPPED_ROWS", "DEV_ROW_REMAP_CORRECTABLE_TOTAL"),
    **_both("remap_failed", "DEV_ROW_REMAP_FAILURE", "DEV_ROW_REMAP_FAILED"),
    "DCGM_FI_DEV_ROW_REMAP_PENDING": DcgmSeries("remap_pending"),
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": DcgmSeries("ecc_double"),
    "DCGM_FI_DEV_SLOWDOWN_TEMP": DcgmSeries("slowdown"),
    "DCGM_EXP_XID_ERRORS_TOTAL": DcgmSeries("xid_total"),
    "DCGM_EXP_XID_ERRORS_COUNT": DcgmSeries("xid_count"),
}
"""Series by full name → meaning. Of a field the first name that has a value is taken."""

THROTTLES: dict[str, DcgmSeries] = {
    **_both("thermal", "DEV_THERMAL_VIOLATION", "DEV_GPU_THERMAL_THROTTLE_SECONDS_TOTAL", 1e-9),
    **_both("power", "DEV_POWER_VIOLATION", "DEV_GPU_POWER_THROTTLE_SECONDS_TOTAL", 1e-9),
}
"""Counters of time spent throttled. `factor` of the older ones is of the present counter list (nanoseconds)."""

USE = ("engine", "util")
"""Fields that say how busy a GPU is, the surest scale first."""

_INT32 = range(0x7FFFFFF0, 0x7FFFFFF4)
_FP64 = 2.0**47
_INT64 = 9.2e18


def unsupported(value: float) -> bool:
    """Whether a value is one of DCGM's blank values (blank, not found, not supported, not permitted).

    Prometheus keeps doubles: the 64-bit blanks arrive as 9223372036854775808.
    """
    if math.isnan(value) or value >= _INT64:
        return True
    return (value in _INT32) if value < _FP64 and value == int(value) else _FP64 <= value <= _FP64 + 3


def violation_share(name: str, rate: float) -> tuple[float, bool]:
    """(share of the time, whether the unit is sure) of a throttle counter's rate per second.

    No counter of time grows faster than time. A rate of an older name above 1e6 can only be nanoseconds; one below is
    nanoseconds of almost nothing, or microseconds of much: the larger share is given, as unsure where it matters.
    """
    series = THROTTLES[name]
    if series.generation == "renamed":
        return rate, True
    if rate > 1.05e6:
        return min(1.0, rate * 1e-9), True
    share = rate * 1e-6
    return (share, False) if share > 0.1 else (rate * 1e-9, True)


def generation_of(names: frozenset[str] | set[str]) -> Generation | None:
    """The generation that names belong to; None where they say nothing."""
    found = {NAMES[n].generation for n in names if n in NAMES} - {"any"}
    if not found:
        return None
    if len(found) == 2:
        return "both"
    return "legacy" if "legacy" in found else "renamed"
