"""Two pictures of runs → what changed, ranked by whether it can explain what is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from console.base.clock import rfc3339
from console.base.text import shorten
from console.base.units import human_bytes
from console.findings.against.explains import SPEAKS, Explains
from console.findings.against.run import FAMILIES, Picture
from console.findings.model import Finding

GREW, SHRANK = 1.3, 0.7
"""Times its size from which an input counts as changed."""
_WIDTH = 160
_OF_ENVIRONMENT = ("configuration", "version")
_BASE = {name: 30.0 - 2.0 * place for place, name in enumerate(FAMILIES)}
_WANT = 100.0
"""What a change gains that the finding itself speaks of: more than any order of families."""


class Change(Struct, frozen=True):
    """One difference between two runs.

    Attributes:
        what: the family (`image`, `configuration`, …); `key` names it within.
        before, after: `` where it was not there.
        because: why it can explain what is found; `` where nothing says so.
        score: what orders them.
    """

    what: str
    key: str
    before: str
    after: str
    score: float
    because: str = ""

    @property
    def line(self) -> str:
        if not self.before:
            return f"{self.what}: {self.key} is new: {self.after}"
        if not self.after:
            return f"{self.what}: {self.key} is gone, it was {self.before}"
        return f"{self.what}: {self.key}: {self.before} → {self.after}"


class Comparison(Struct, frozen=True):
    """Two runs compared.

    Attributes:
        unread: families that could not be read of both: nothing is known of those.
    """

    run: str
    app_id: str
    ended: float | None
    good: bool
    changes: tuple[Change, ...]
    read: tuple[str, ...]
    unread: tuple[str, ...]


def compared(
    bad: Picture, good: Picture, findings: Sequence[Finding] = (), others: Iterable[Picture] = ()
) -> Comparison:
    """What is otherwise in `bad` than in `good`.

    Args:
        findings: what is found about the run, by which changes are ranked.
        others: further good runs: what differs among those is no change.
    """
    shifting = _shifting([good, *others])
    rules = [rule for rule in SPEAKS if any(rule.holds(f) for f in findings)]
    found = [_ranked(one, rules) for one in _differences(bad, good) if (one.what, one.key) not in shifting]
    found.sort(key=lambda c: (-c.score, c.what, c.key))
    both = bad.read & good.read
    return Comparison(
        good.key, good.app_id, good.ended, good.good, tuple(found),
        tuple(f for f in FAMILIES if f in both), tuple(f for f in FAMILIES if f not in both),
    )  # fmt: skip


def _shifting(good: Sequence[Picture]) -> set[tuple[str, str]]:
    """What differs among good runs already."""
    out: set[tuple[str, str]] = set()
    for one, other in pairwise(good):
        out |= {(c.what, c.key) for c in _differences(one, other)}
    return out


def _differences(bad: Picture, good: Picture) -> Iterator[Change]:
    for family in FAMILIES:
        if family == "object":
            yield from _written(bad, good)
        elif family in bad.read and family in good.read:
            before, after = good.traits.get(family, {}), bad.traits.get(family, {})
            if family in _OF_ENVIRONMENT and bad.whole != good.whole:  # one of them only by what its spec says
                before = {key: value for key, value in before.items() if key in after}
                after = {key: value for key, value in after.items() if key in before}
            yield from _of_family(family, before, after)


def _of_family(family: str, before: dict[str, str | float], after: dict[str, str | float]) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, float) and isinstance(new, float):
            if old and not SHRANK < new / old < GREW:
                times = f" ({new / old:.1f} times)"
                yield Change(family, key, _size(key, old), _size(key, new) + times, _BASE[family])
        elif family in ("input", "plan") and (old is None or new is None):
            continue  # a run that failed has not come to all of it
        elif family == "version" and key.startswith("jar ") and (old is None or new is None):
            yield Change(family, key, _shown(old), _shown(new), _BASE[family] - 1)
        elif old != new and not (key.endswith(" image") and _same_digest(key, before, after)):
            yield Change(family, key, _shown(old), _shown(new), _BASE[family])


def _same_digest(key: str, before: dict[str, str | float], after: dict[str, str | float]) -> bool:
    """Whether another tag names the same image."""
    known = before.get(f"{key} digest")
    return known is not None and known == after.get(f"{key} digest")


def _size(key: str, value: float) -> str:
    return human_bytes(value) if "bytes" in key or "size" in key else f"{value:,.0f}"


def _shown(value: str | float | None) -> str:
    return "" if value is None else shorten(str(value), _WIDTH, middle=True)


def _written(bad: Picture, good: Picture) -> Iterator[Change]:
    """Objects beside the application that were written to between the two runs."""
    since, until = good.started, bad.ended or None
    for name in sorted(bad.changed.keys() | good.changed.keys()):
        at = bad.changed.get(name)
        if name not in bad.changed:
            if bad.changed and {n.partition(" ")[0] for n in bad.changed} & {name.partition(" ")[0]}:
                yield Change("object", name, "was there", "", _BASE["object"] + 1)
            continue
        if at is None or since is None or at <= since or (until is not None and at > until):
            continue
        if good.changed.get(name) == at and good.ended is not None and at <= good.ended:
            continue
        yield Change("object", name, "as it was", f"written to at {rfc3339(at)}", _BASE["object"])


def _ranked(change: Change, rules: Sequence[Explains]) -> Change:
    best = max(
        ((rule.gain(change.what, change.key), rule.because) for rule in rules),
        default=(0.0, ""),
        key=lambda pair: pair[0],
    )
    gain, because = best
    return Change(
        change.what, change.key, change.before, change.after, change.score + _WANT * gain, because if gain else ""
    )  # fmt: skip
