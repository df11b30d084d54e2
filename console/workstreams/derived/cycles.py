"""Workstreams that wait for each other."""

from __future__ import annotations

from collections import deque

from console.workstreams.derived.graph import Graph


def cycles(graph: Graph) -> list[tuple[int, ...]]:
    """One shortest cycle per set of workstreams that wait for each other, from the first in the file on."""
    found = []
    for component in _components(graph):
        numbers = sorted(node for node in component if node < graph.size)
        if numbers and (len(component) > 1 or numbers[0] in graph.needs[numbers[0]]):
            found.append(_shortest(graph, numbers[0], set(component)))
    return sorted(found)


def _components(graph: Graph) -> list[list[int]]:
    """Strongly connected components (Tarjan, without recursion)."""
    total = graph.size + len(graph.groups)
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
        work = [(root, iter(graph.below(root)))]
        while work:
            node, rest = work[-1]
            deeper = False
            for other in rest:
                if index[other] == -1:
                    index[other] = low[other] = count
                    count += 1
                    stack.append(other)
                    on_stack[other] = 1
                    work.append((other, iter(graph.below(other))))
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


def _shortest(graph: Graph, start: int, component: set[int]) -> tuple[int, ...]:
    parent: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in graph.below(node):
            if other == start:
                path = [node]
                while path[-1] != start:
                    path.append(parent[path[-1]])
                return tuple(step for step in reversed(path) if step < graph.size)
            if other in component and other not in parent:
                parent[other] = node
                queue.append(other)
    return (start,)
