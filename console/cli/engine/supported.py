"""Supported mitigation: the share of faults that end in a safe and sufficient change, or with who can mend them.

A fault is a case in which something is wrong that its runbook is for. A healthy case, one that only looks like a fault,
and one in which a wrong answer must be seen to fail, is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct

ENDS = {"resolved": "changed", "mitigated": "changed", "handed_over": "owner"}
"""How a fault may end: the world is well again, or whoever can mend it has what they need."""
NO_FAULT = ("healthy", "look-alike")
"""Cases in which nothing is wrong that the runbook is for; what follows a dash says which."""


class EndedCase(Protocol):
    """How a case of a drill ended, and may end."""

    @property
    def drill(self) -> str: ...
    @property
    def case(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def expected(self) -> tuple[str, ...]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class Supported(Struct, frozen=True):
    """Faults that were played.

    Attributes:
        changed, owner: those that ended as they should, well again or with the right owner.
        failed: the others, `drill case`.
    """

    changed: int
    owner: int
    failed: tuple[str, ...]

    @property
    def faults(self) -> int:
        return self.changed + self.owner + len(self.failed)

    @property
    def share(self) -> float | None:
        """None where no fault was played."""
        return (self.changed + self.owner) / self.faults if self.faults else None

    @property
    def words(self) -> str:
        """The figure in one line."""
        good = self.changed + self.owner
        share = f"{int(100 * good / self.faults)}%" if self.faults else "none"
        how = f"{self.changed} well again, {self.owner} with the right owner"
        return f"supported mitigation: {good} of {self.faults} faults ({share}): {how}"

    def document(self) -> dict[str, Any]:
        """The figure for scripts."""
        counted = {"faults": self.faults, "changed": self.changed, "owner": self.owner}
        return {**counted, "share": self.share, "failed": list(self.failed)}


def of(played: Iterable[EndedCase]) -> Supported:
    """The figure over these cases."""
    count, failed = {"changed": 0, "owner": 0}, []
    for one in (one for one in played if _is_fault(one)):
        how = "" if one.problems else ENDS.get(one.outcome, "")
        if how:
            count[how] += 1
        else:
            failed.append(f"{one.drill} {one.case}")
    return Supported(count["changed"], count["owner"], tuple(failed))


def _is_fault(one: EndedCase) -> bool:
    return not one.case.startswith(NO_FAULT) and not set(one.expected).isdisjoint(ENDS)
