"""Since when something is wrong: the earliest proof that was ever seen of it, as long as it lasts. Pure.

Proof goes while the trouble stays: pods are deleted, logs roll, a session begins anew. `since` never moves forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from console.findings.model import Finding

GONE = 300.0
"""Seconds without the finding, while somebody looks, after which the trouble is over."""
UNSEEN = 6 * 3600.0
"""Seconds in which nobody looked, after which it may be another trouble of the same kind."""


class KnownTrouble(Struct, frozen=True):
    """The earliest proof of a finding, and when the finding stood on a board last (epoch seconds)."""

    since: float
    seen: float


def resumed(known: Mapping[str, KnownTrouble], now: float) -> dict[str, KnownTrouble]:
    """What an earlier session knew, as a new one begins with it: the time in which nobody looked does not count."""
    return {key: replace(one, seen=now) for key, one in known.items() if 0 <= now - one.seen <= UNSEEN}


def kept(
    findings: Iterable[Finding], known: Mapping[str, KnownTrouble], now: float
) -> tuple[tuple[Finding, ...], dict[str, KnownTrouble]]:
    """The findings with their earliest `since`, and what is known now, by the keys of the findings."""
    lasting = {key: one for key, one in known.items() if 0 <= now - one.seen <= GONE}
    out: list[Finding] = []
    for finding in findings:
        before = lasting.get(finding.key)
        proofs = [t for t in (finding.since, before.since if before is not None else None) if t is not None]
        if not proofs:
            out.append(finding)
            continue
        since = min(proofs)
        lasting[finding.key] = KnownTrouble(since, now)
        out.append(finding if finding.since == since else replace(finding, since=since))
    return tuple(out), lasting
