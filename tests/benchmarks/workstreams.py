"""Figures for a large index: 10,000 workstreams in 500 features.

Run: `python tests/benchmarks/workstreams.py`. Exit code 1 when parse, lint and graph together take more than a second.
"""

from __future__ import annotations

import resource
import sys
import time

FEATURES, ROWS = 500, 20
BUDGET = 1.0


def index_text(features: int = FEATURES, rows: int = ROWS) -> str:
    """A consistent index: chains inside features, features that wait for features, drawings, a summary."""
    out = ["# Workstreams Index", ""]
    summary = []
    for f in range(features):
        done = rows if f < features // 2 else rows // 2 if f == features // 2 else 0
        state = "Completed" if done == rows else "In Progress" if done else "Backlog"
        out += [f"## Feature F{f:03d}: Part {f} of the platform", "", f"**Source:** `docs/drafts/part-{f}.md`"]
        out += [f"**Status:** {state}", f"**Total Workstreams:** {rows}", f"**Estimated LOC:** ~{rows * 100}", ""]
        out += ["| ID | Name | Scope | Dependency | Status |", "|----|------|-------|------------|--------|"]
        for r in range(rows):
            name = f"WS-{f:03d}-{r:02d}"
            needs = f"WS-{f:03d}-{r - 1:02d}" if r else (f"F{f - 1:03d}" if f else "-")
            if r > 3 and r % 5 == 0:
                needs = f"WS-{f:03d}-{r - 4:02d}..{r - 1:02d}, WS-{f:03d}-00"
            status = "completed" if r < done else "backlog"
            out.append(f"| {name} | Work {r} of part {f} | SMALL (~100 LOC) | {needs} | {status} |")
        out += ["", "### Dependency Graph", "", "```"]
        out += [" → ".join(f"WS-{f:03d}-{r:02d}" for r in range(rows)), "```", "", "---", ""]
        summary.append(f"| F{f:03d}: Part {f} | {rows} | {done} | 0 | {rows - done} |")
    total = features * rows
    completed = features // 2 * rows + rows // 2
    out += [
        "## Summary",
        "",
        "| Feature | Total WS | Completed | In Progress | Backlog |",
        "|---|---|---|---|---|",
        *summary,
    ]
    out += [f"| **TOTAL** | **{total}** | **{completed}** | **0** | **{total - completed}** |", ""]
    out += ["---", "", "*Last updated: 2026-02-13*", ""]
    return "\n".join(out)


def main() -> int:
    """Measure, print, compare with the budget."""
    text = index_text()
    from console.workstreams import build as building
    from console.workstreams.derived.graph import Graph
    from console.workstreams.grammar.parse import parse
    from console.workstreams.reports import view

    clock = time.perf_counter
    t0 = clock()
    parse(text)
    t1 = clock()
    index = building.build(text)
    t2 = clock()
    graph = Graph(index)
    path, waves = graph.critical_path(), graph.waves()
    graph.critical_path(loc=True)
    t3 = clock()
    found = view.rows(index, view.select(index, text="part 499"))
    t4 = clock()
    lines = view.graph_lines(index, feature="F400", width=80)
    t5 = clock()
    total = (t2 - t1) + (t3 - t2)
    print(f"index                       {len(text) / 1e6:.2f} MB, {index.counts()}")
    print(f"parse alone                 {t1 - t0:.3f} s")
    print(f"parse, look up, lint        {t2 - t1:.3f} s")
    print(f"graph, paths, waves         {t3 - t2:.3f} s   path {path.length}, waves {len(waves.steps)}")
    print(f"parse + lint + graph        {total:.3f} s   budget {BUDGET:.1f} s")
    print(f"filter by text              {t4 - t3:.3f} s   {len(found)} rows")
    print(f"draw one feature            {t5 - t4:.3f} s   {len(lines)} lines")
    print(f"peak memory                 {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0 if total <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
