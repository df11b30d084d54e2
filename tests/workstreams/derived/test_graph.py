"""Ready, blocked, paths, waves, unlocks, delays: against their definitions, also on random graphs."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from console.workstreams.build import build
from console.workstreams.derived.cycles import cycles
from console.workstreams.derived.graph import Graph
from console.workstreams.model import Index
from console.workstreams.reports import export
from console.workstreams.reports.view import graph_lines, select


def index_of(*rows: str, feature: str = "A") -> Index:
    """Rows like `1:needs:status:loc`, ids `A-1`."""
    out = [f"## Feature {feature}: a", "", "| ID | Name | Scope | Dependency | Status |", "|-|-|-|-|-|"]
    for row in rows:
        name, needs, status, loc = (*row.split(":"), "", "", "")[:4]
        tokens = ", ".join(need if need.startswith(("F", "P")) else f"A-{need}" for need in needs.split())
        scope = f"SMALL (~{loc} LOC)" if loc else "SMALL"
        out.append(f"| A-{name} | work {name} | {scope} | {tokens or '-'} | {status or 'open'} |")
    return build("\n".join(out) + "\n")


def ids(index: Index, numbers: object) -> str:
    return " ".join(index.workstreams[n].id[2:] for n in numbers)  # type: ignore[attr-defined]


def test_ready_and_blocked() -> None:
    index = index_of("1::completed", "2:1:", "3:1 2:", "4:9:", "5::", "6:4:completed")
    assert ids(index, index.ready) == "2 5"
    assert ids(index, index.blocked) == "3 4"


def test_the_critical_path_is_the_longest_chain_of_the_unfinished() -> None:
    index = index_of("1::completed", "2:1:", "3:2:", "4::", "5:4:", "6:5:", "7::")
    assert ids(index, Graph(index).critical_path().numbers) == "4 5 6"


def test_ties_go_to_the_earliest_in_the_file_at_every_step() -> None:
    index = index_of("1::", "2::", "3:1:", "4:2:", "5:1:", "6:5:", "7:3:")
    assert ids(index, Graph(index).critical_path().numbers) == "1 3 7"


def test_weight_by_loc_prefers_the_heavier_and_says_what_has_none() -> None:
    index = index_of("1:::10", "2:1::10", "3:2::10", "4:::100", "5:4:", "6:5::1")
    assert ids(index, Graph(index).critical_path().numbers) == "1 2 3"
    heavy = Graph(index).critical_path(loc=True)
    assert (ids(index, heavy.numbers), heavy.weight, ids(index, heavy.unweighted)) == ("4 5 6", 101, "5")


def test_cycles_are_named_once_and_left_out_of_every_order() -> None:
    index = index_of("1::", "2:1 4:", "3:2:", "4:3:", "5:4:", "6:6:")
    graph = Graph(index)
    assert [ids(index, cycle) for cycle in cycles(graph)] == ["2 4 3", "6"]
    assert ids(index, graph.critical_path().numbers) == "1" and graph.critical_path().left_out == 5
    assert [ids(index, step) for step in graph.waves().steps] == ["1"]
    assert ids(index, graph.waves().never) == "2 3 4 5 6"


def test_a_feature_that_waits_for_itself_is_a_cycle() -> None:
    text = "## Feature F01: a\n\n| ID | Dependency | Status |\n|-|-|-|\n| A-1 | - | open |\n| A-2 | F01 | open |\n"
    index = build(text)
    assert [(p.code, p.line) for p in index.problems] == [("cycle", 6)]


def test_waves_are_the_earliest_steps_and_unresolved_dependencies_have_none() -> None:
    index = index_of("1::", "2::completed", "3:1 2:", "4:3:", "5:1:", "6:99:", "7:6:")
    waves = Graph(index).waves()
    assert [ids(index, step) for step in waves.steps] == ["1", "3 5", "4"]
    assert ids(index, waves.never) == "6 7"


def test_unlocks_now_and_later() -> None:
    index = index_of("1::", "2:1:", "3:1 4:", "4::", "5:2:", "6:1:completed", "7:1 99:")
    found = Graph(index).unlocks(0)
    assert (ids(index, found.now), ids(index, found.later)) == ("2", "3 5 7")


def test_a_delay_moves_what_hangs_on_it_and_the_end_beyond_the_slack() -> None:
    index = index_of("1::", "2:1:", "3:2:", "4::", "5:4:", "6::completed")
    short = Graph(index).delay(3, 1)
    assert (short.slack, short.end, short.end_after, ids(index, [n for n, _ in short.moved])) == (1, 3, 3, "5")
    long = Graph(index).delay(3, 5)
    assert (long.end_after, long.moved) == (7, ((4, 5),))
    assert Graph(index).delay(0, 2).end_after == 5
    by_loc = index_of("1:::100", "2:1::50", "3:::30")
    assert Graph(by_loc).delay(2, 200, loc=True).end_after == 230


@pytest.mark.parametrize("seed", range(25))
def test_random_graphs_against_plain_definitions(seed: int) -> None:
    chance = random.Random(seed)
    rows, needs, done = [], {}, {}
    for n in range(25):
        needs[n] = sorted(chance.sample(range(n), min(n, chance.randint(0, 2))))
        done[n] = chance.random() < 0.2
        rows.append(f"{n}:{' '.join(map(str, needs[n]))}:{'completed' if done[n] else 'open'}:{chance.randint(1, 9)}")
    index = index_of(*rows)
    graph = Graph(index)

    def length(n: int) -> int:
        return 0 if done[n] else 1 + max((length(m) for m in needs[n] if not done[m]), default=0)

    path = graph.critical_path().numbers
    assert len(path) == max(map(length, range(25)))
    assert all(a in needs[b] for a, b in pairwise(path))
    waves = graph.waves()
    assert {n: step for step, numbers in enumerate(waves.steps, 1) for n in numbers} == {
        n: length(n) for n in range(25) if not done[n]
    }
    for n in range(25):
        if not done[n]:
            without = {**done, n: True}
            expected = [m for m in range(25) if not done[m] and m not in index.ready and m != n]
            expected = [m for m in expected if all(without[k] for k in needs[m])]
            assert list(graph.unlocks(n).now) == expected
    drawn = [line.number for line in graph_lines(index, everything=True)]
    assert sorted(n for n in drawn if n is not None) == list(range(25))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_drawings_fit_their_width_and_hold_each_workstream_once(width: int) -> None:
    rows = ["0::"] + [f"{n}:{n // 2}:" for n in range(1, 300)] + [f"{n}:{n - 1}:" for n in range(300, 400)]
    index = index_of(*rows)
    lines = graph_lines(index, width=width)
    assert all(len(line.text) <= width for line in lines)
    assert {line.number for line in lines} == set(range(400))
    assert len(lines) == 400 + sum("(continued below)" in line.text for line in lines)


def test_a_small_drawing() -> None:
    index = index_of("1::completed", "2:1:", "3:1:", "4:2 3:", "5:4:", "6:9:")
    assert [line.text for line in graph_lines(index, everything=True, ascii_only=True)] == [
        "x A/A-1 work 1",
        "|- > A-2 work 2",
        "|  v . A-4 work 4  + A-3",
        "|  v . A-5 work 5",
        "`- > A-3 work 3",
        ". A/A-6 work 6  + A-9?",
    ]
    assert [line.text for line in graph_lines(index, number=2, ascii_only=True)][:2] == [
        "> A/A-3 work 3",
        "v . A-4 work 4  + A-2",
    ]


NASTY = 'a"b\\c#d<e>`f|g;h{i}[j](k)&l %%'


def test_exports_keep_names_as_data() -> None:
    index = index_of("1::", "2:1:", "3:1 9:")
    index = build(
        "## Feature A: "
        + NASTY.replace("|", "")
        + "\n\n| ID | Name | Dependency | Status |\n|-|-|-|-|\n| A-1 | "
        + NASTY.replace("|", "\\|")
        + " | - | open |\n| A-2 | b | A-1 | open |\n| A-3 | c | A-1..2, Z-9 | open |\n"
    )
    numbers = select(index)
    mermaid = export.mermaid(index, numbers)
    assert mermaid.startswith("flowchart LR\n") and "w0 --> w1" in mermaid and "g0 --> w2" in mermaid
    quoted = [line for line in mermaid.split("\n") if '"' in line]
    assert all(line.count('"') == 2 for line in quoted)
    assert all(not set(line.split('"')[1]) & set('"<>`|[]{}\\') for line in quoted)
    dot = export.dot(index, numbers)
    assert dot.count("{") == dot.count("}")
    assert '\\"b\\\\c' in dot and "w0 -> w1;" in dot and 'u0 [label="Z-9?"' in dot
