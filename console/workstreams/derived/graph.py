"""What waits for what: cycles, the critical path, waves, what finishing one workstream unlocks, what a delay moves.

Nodes are workstreams by number. A dependency that stands for many (a feature, a range) is one node between, shared by
all who name it, so that the graph stays as small as the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from console.workstreams.model import Index, Link, Workstream


class CriticalPath(Struct, frozen=True):
    """The longest chain of unfinished workstreams.

    Attributes:
        numbers: in the order of work.
        length: how many they are; `weight` the sum of their LOC where that was asked for.
        unweighted: numbers on the path without LOC; they count as 0.
        left_out: how many unfinished ones have no place because they wait for each other, or for such.
    """

    numbers: tuple[int, ...]
    length: int
    weight: int
    unweighted: tuple[int, ...] = ()
    left_out: int = 0


class Waves(Struct, frozen=True):
    """Unfinished workstreams by the earliest step in which they can be done, all of one step in parallel.

    Attributes:
        steps: numbers per step, the first being what is ready now.
        never: numbers that no step reaches: behind an unknown or ambiguous dependency, an unread row, or a cycle.
    """

    steps: tuple[tuple[int, ...], ...]
    never: tuple[int, ...]


class Unlocks(Struct, frozen=True):
    """What finishing a workstream does: `now` becomes ready at once, `later` waits for it and for others too."""

    number: int
    now: tuple[int, ...]
    later: tuple[int, ...]


class Delay(Struct, frozen=True):
    """What happens when a workstream takes longer.

    Attributes:
        by: how much longer, in the unit of the weights (workstreams, or LOC).
        slack: how much it may slip before the end moves.
        end, end_after: length of the longest chain before and after.
        moved: (number, by how much its earliest end moves), itself not included.
    """

    number: int
    by: int
    slack: int
    end: int
    end_after: int
    moved: tuple[tuple[int, int], ...]


class Graph:
    """The graph of an index."""

    def __init__(self, index: Index) -> None:
        self.items: Sequence[Workstream] = index.workstreams
        self.links: Sequence[Sequence[Link]] = index.links
        self.size = len(self.items)
        self.groups: list[tuple[int, ...]] = []
        self.needs: list[list[int]] = []
        known: dict[int, int] = {}
        for links in self.links:
            wanted: list[int] = []
            for link in links:
                if len(link.members) == 1:
                    wanted.append(link.members[0])
                elif link.members:
                    node = known.get(id(link.members))
                    if node is None:
                        node = known[id(link.members)] = self.size + len(self.groups)
                        self.groups.append(link.members)
                    wanted.append(node)
            self.needs.append(list(dict.fromkeys(wanted)))
        self.used_by: list[list[int]] = [[] for _ in range(self.size + len(self.groups))]
        for number, wanted in enumerate(self.needs):
            for node in wanted:
                self.used_by[node].append(number)
        for place, members in enumerate(self.groups):
            for number in members:
                self.used_by[number].append(self.size + place)
        self.open = [not item.completed for item in self.items]
        self.open += [any(self.open[number] for number in members) for members in self.groups]
        self._order: list[int] | None = None

    def below(self, node: int) -> Sequence[int]:
        """What a node waits for directly."""
        return self.needs[node] if node < self.size else self.groups[node - self.size]

    def dependents(self, number: int) -> list[int]:
        """Numbers of the workstreams that name this one, alone or as part of a feature or range, in file order."""
        out: set[int] = set()
        for node in self.used_by[number]:
            out.update(self.used_by[node] if node >= self.size else (node,))
        return sorted(out)

    def downstream(self, number: int) -> list[int]:
        """Numbers of all that wait for this one, directly or through others, in file order; itself only in a cycle."""
        seen: set[int] = set()
        todo = list(self.used_by[number])
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo.extend(self.used_by[node])
        return sorted(node for node in seen if node < self.size)

    def order(self) -> list[int]:
        """Unfinished nodes, each after all that it waits for; those in or behind a cycle are missing."""
        if self._order is None:
            total = self.size + len(self.groups)
            is_open = self.open
            left = [sum(is_open[other] for other in self.below(node)) if is_open[node] else 0 for node in range(total)]
            queue = deque(node for node in range(total) if is_open[node] and not left[node])
            out: list[int] = []
            while queue:
                node = queue.popleft()
                out.append(node)
                for other in self.used_by[node]:
                    if is_open[other]:
                        left[other] -= 1
                        if not left[other]:
                            queue.append(other)
            self._order = out
        return self._order

    def critical_path(self, *, loc: bool = False, within: Callable[[Workstream], bool] | None = None) -> CriticalPath:
        """The longest chain of unfinished workstreams; between equal ones the earliest in the file wins.

        Args:
            loc: measure by LOC; workstreams without LOC count 0, and equal sums are decided by their number.
            within: only these workstreams.
        """
        items = self.items
        chosen = [node for node in self.order() if node >= self.size or within is None or within(items[node])]
        ahead = self._ahead(chosen, loc)
        path = self._heaviest(ahead, loc)
        wanted = sum(not item.completed and (within is None or within(item)) for item in items)
        return CriticalPath(
            numbers=tuple(path),
            length=len(path),
            weight=sum(items[number].loc or 0 for number in path),
            unweighted=tuple(number for number in path if loc and items[number].loc is None),
            left_out=wanted - sum(node < self.size for node in ahead),
        )

    def _weight(self, node: int, loc: bool) -> int:
        """What a node adds to a chain: its LOC or one; nothing where it only stands for others."""
        if node >= self.size:
            return 0
        return (self.items[node].loc or 0) if loc else 1

    def _ahead(self, nodes: Sequence[int], loc: bool) -> dict[int, tuple[int, int]]:
        """Weight and number of workstreams of the heaviest chain from each node on, itself included.

        Args:
            nodes: in an order where each stands after all that it waits for.
        """
        out: dict[int, tuple[int, int]] = {}
        for node in reversed(nodes):
            weight, count = max((out[other] for other in self.used_by[node] if other in out), default=(0, 0))
            out[node] = weight + self._weight(node, loc), count + (node < self.size)
        return out

    def _heaviest(self, ahead: dict[int, tuple[int, int]], loc: bool) -> list[int]:
        """The heaviest chain, workstream by workstream; between equal ones the earliest in the file."""
        path: list[int] = []
        choice = sorted(node for node in ahead if node < self.size)
        weight, count = max((ahead[number] for number in choice), default=(0, 0))
        while count:
            path.append(next(number for number in choice if ahead.get(number) == (weight, count)))
            weight, count = weight - self._weight(path[-1], loc), count - 1
            choice = self.dependents(path[-1])
        return path

    def waves(self) -> Waves:
        """Unfinished workstreams by the earliest parallel step."""
        level: dict[int, int] = {}
        steps: list[list[int]] = []
        for node in self.order():
            if node < self.size and any(link.missing for link in self.links[node]):
                continue
            below = [other for other in self.below(node) if self.open[other]]
            if any(other not in level for other in below):
                continue
            highest = max((level[other] for other in below), default=0)
            level[node] = highest + 1 if node < self.size else highest
            if node < self.size:
                while len(steps) <= highest:
                    steps.append([])
                steps[highest].append(node)
        never = tuple(item.number for item in self.items if not item.completed and item.number not in level)
        return Waves(tuple(tuple(sorted(step)) for step in steps), never)

    def unlocks(self, number: int) -> Unlocks:
        """What becomes ready when this workstream is completed, and what else waits for it further on."""
        now = [
            other
            for other in self.dependents(number)
            if other != number
            and not self.items[other].completed
            and all(not link.missing and all(w == number for w in link.waiting) for link in self.links[other])
        ]
        later = [
            other
            for other in self.downstream(number)
            if other != number and other not in now and not self.items[other].completed
        ]
        return Unlocks(number, tuple(now), tuple(later))

    def delay(self, number: int, by: int, *, loc: bool = False) -> Delay:
        """What moves when an unfinished workstream takes `by` longer."""
        before, after = self._ends(loc, {}), self._ends(loc, {number: by})
        end, end_after = max(before.values(), default=0), max(after.values(), default=0)
        longest = self._through(number, loc, before)
        moved = tuple(
            (other, after[other] - before[other])
            for other in sorted(before)
            if other < self.size and other != number and after[other] > before[other]
        )
        return Delay(number, by, end - longest, end, end_after, moved)

    def _ends(self, loc: bool, extra: dict[int, int]) -> dict[int, int]:
        """The earliest end of each unfinished node."""
        out: dict[int, int] = {}
        for node in self.order():
            start = max((out[other] for other in self.below(node) if other in out), default=0)
            out[node] = start + self._weight(node, loc) + extra.get(node, 0)
        return out

    def _through(self, number: int, loc: bool, ends: dict[int, int]) -> int:
        """Length of the longest chain through a workstream."""
        if number not in ends:
            return 0
        return ends[number] + self._ahead(self.order(), loc)[number][0] - self._weight(number, loc)
