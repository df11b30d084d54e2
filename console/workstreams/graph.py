"""What waits for what: cycles, the critical path, waves, what finishing one workstream unlocks, what a delay moves.

Nodes are workstreams by number. A dependency that stands for many (a feature, a range) is one node between, shared by
all who name it, so that the graph stays as small as the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from console.workstreams.model import Index, Link, Workstream


class Path(Struct, frozen=True):
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

    def dependencies(self, number: int) -> list[int]:
        """Numbers of the workstreams that this one waits for or waited for, in file order."""
        out: set[int] = set()
        for link in self.links[number]:
            out.update(link.members)
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

    def cycles(self) -> list[tuple[int, ...]]:
        """One shortest cycle per set of workstreams that wait for each other, from the first in the file on."""
        found = []
        for component in self._components():
            numbers = sorted(node for node in component if node < self.size)
            if numbers and (len(component) > 1 or numbers[0] in self.needs[numbers[0]]):
                found.append(self._shortest(numbers[0], set(component)))
        return sorted(found)

    def _components(self) -> list[list[int]]:
        """Strongly connected components (Tarjan, without recursion)."""
        total = self.size + len(self.groups)
        index = [-1] * total
        low = [0] * total
        on_stack = bytearray(total)
        stack: list[int] = []
        out: list[list[int]] = []
        count = 0
        for root in range(total):
            if index[root] != -1:
                continue
            index[root] = low[root] = count
            count += 1
            stack.append(root)
            on_stack[root] = 1
            work = [(root, iter(self.below(root)))]
            while work:
                node, rest = work[-1]
                deeper = False
                for other in rest:
                    if index[other] == -1:
                        index[other] = low[other] = count
                        count += 1
                        stack.append(other)
                        on_stack[other] = 1
                        work.append((other, iter(self.below(other))))
                        deeper = True
                        break
                    if on_stack[other] and index[other] < low[node]:
                        low[node] = index[other]
                if deeper:
                    continue
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == index[node]:
                    component = []
                    while True:
                        other = stack.pop()
                        on_stack[other] = 0
                        component.append(other)
                        if other == node:
                            break
                    out.append(component)
        return out

    def _shortest(self, start: int, component: set[int]) -> tuple[int, ...]:
        parent: dict[int, int] = {}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for other in self.below(node):
                if other == start:
                    path = [node]
                    while path[-1] != start:
                        path.append(parent[path[-1]])
                    return tuple(step for step in reversed(path) if step < self.size)
                if other in component and other not in parent:
                    parent[other] = node
                    queue.append(other)
        return (start,)

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

    def critical_path(self, *, loc: bool = False, within: Callable[[Workstream], bool] | None = None) -> Path:
        """The longest chain of unfinished workstreams; between equal ones the earliest in the file wins.

        Args:
            loc: measure by LOC; workstreams without LOC count 0, and equal sums are decided by their number.
            within: only these workstreams.
        """
        items, order = self.items, self.order()
        best: dict[int, tuple[int, int]] = {}
        chosen = [node for node in order if node >= self.size or within is None or within(items[node])]
        for node in reversed(chosen):
            ahead = max((best[other] for other in self.used_by[node] if other in best), default=(0, 0))
            if node < self.size:
                weight = (items[node].loc or 0) if loc else 1
                ahead = (ahead[0] + weight, ahead[1] + 1)
            best[node] = ahead
        numbers = sorted(node for node in best if node < self.size)
        left_out = sum(1 for item in items if not item.completed and (within is None or within(item))) - len(numbers)
        if not numbers:
            return Path((), 0, 0, (), left_out)
        target = max(best[number] for number in numbers)
        path = [next(number for number in numbers if best[number] == target)]
        while True:
            weight = (items[path[-1]].loc or 0) if loc else 1
            target = (target[0] - weight, target[1] - 1)
            if target[1] == 0:
                break
            path.append(next(n for n in self.dependents(path[-1]) if best.get(n) == target))
        without = tuple(number for number in path if items[number].loc is None) if loc else ()
        return Path(tuple(path), len(path), sum(items[number].loc or 0 for number in path), without, left_out)

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
            weight = 0 if node >= self.size else ((self.items[node].loc or 0) if loc else 1)
            out[node] = start + weight + extra.get(node, 0)
        return out

    def _through(self, number: int, loc: bool, ends: dict[int, int]) -> int:
        """Length of the longest chain through a workstream."""
        tail: dict[int, int] = {}
        for node in reversed(self.order()):
            ahead = max((tail[other] for other in self.used_by[node] if other in tail), default=0)
            weight = 0 if node >= self.size else ((self.items[node].loc or 0) if loc else 1)
            tail[node] = ahead + weight
        own = (self.items[number].loc or 0) if loc else 1
        return ends.get(number, 0) + tail.get(number, 0) - (own if number in ends else 0)
