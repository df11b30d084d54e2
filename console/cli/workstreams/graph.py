"""`console workstreams graph|path|waves|unlocks|delay`: what waits for what."""

from __future__ import annotations

from typing import Any

import click

from console.base.errors import Exit, UsageError
from console.base.text import clean, plural, shorten
from console.cli.options import output_option
from console.cli.output import narrate, print_json, put, say
from console.cli.workstreams.common import (
    feature_named,
    index_argument,
    items,
    load_index,
    name_first,
    one,
)
from console.workstreams.model import Index

MEMBERS = 200
"""Members of one link that are named; `more` counts the others."""


@click.command("graph")
@index_argument
@click.option("--feature", metavar="ID", help="Only this feature, completed workstreams too.")
@click.option("--from", "start", metavar="WS-ID", help="Only this workstream and all that waits for it.")
@click.option("--all", "everything", is_flag=True, help="Completed workstreams too.")
@click.option("--width", type=click.IntRange(40, 400), default=80, show_default=True, help="Columns of the tree.")
@click.option("--ascii", "ascii_only", is_flag=True, help="No characters beyond ASCII.")
@click.option("--format", "form", type=click.Choice(["tree", "mermaid", "dot"]), default="tree", show_default=True)
@output_option()
def graph(
    file: str | None,
    feature: str | None,
    start: str | None,
    everything: bool,
    width: int,
    ascii_only: bool,
    form: str,
    output: str,
) -> Exit:
    """What waits for what: as a tree, as Mermaid, as DOT, or as JSON nodes and edges."""
    from console.workstreams.reports import draw, export, view

    index = load_index(file)
    chosen = feature_named(index, feature)
    number = one(index, start) if start else None
    if output == "table" and form == "tree":
        lines = view.graph_lines(
            index, feature=chosen, number=number, everything=everything, width=width, ascii_only=ascii_only
        )
        for line in lines:
            say(line.text)
        narrate(draw.LEGEND.format(**(draw.ASCII if ascii_only else draw.UNICODE)))
        return Exit.OK
    if number is not None:
        down = {number, *view.graph_of(index).downstream(number)}
        numbers = [n for n in sorted(down) if everything or not index.workstreams[n].completed]
    else:
        numbers = list(view.select(index, feature=chosen, open_only=not everything and chosen is None))
    if output == "json":
        print_json(_graph_document(index, numbers))
    else:
        put(export.mermaid(index, numbers) if form == "mermaid" else export.dot(index, numbers))
    return Exit.OK


def _graph_document(index: Index, numbers: list[int]) -> dict[str, Any]:
    from console.workstreams.reports import view

    rows = view.rows(index, numbers)
    edges = []
    for row in rows:
        for link in index.links[row.number]:
            members = [index.workstreams[n].key for n in link.members[:MEMBERS]]
            edges.append(
                {
                    "to": row.key,
                    "as": link.text,
                    "state": link.state,
                    "from": members,
                    "more": max(0, len(link.members) - MEMBERS),
                    "missing": list(link.missing),
                }
            )
    nodes = [
        {"feature": row.feature, "id": row.id, "name": row.name, "state": row.state, "loc": row.loc} for row in rows
    ]
    return {"nodes": nodes, "edges": edges}


@click.command("path")
@index_argument
@click.option("--weight", type=click.Choice(["count", "loc"]), default="count", show_default=True)
@click.option("--feature", metavar="ID", help="Only within this feature.")
@output_option()
def path(file: str | None, weight: str, feature: str | None, output: str) -> Exit:
    """The critical path: the longest chain of unfinished workstreams; ties go to the earliest in the file."""
    from console.workstreams.reports import view

    index = load_index(file)
    wanted = feature_named(index, feature)
    found = view.graph_of(index).critical_path(
        loc=weight == "loc", within=(lambda item: item.feature == wanted) if wanted else None
    )
    if output == "json":
        print_json(
            {
                "weight": weight,
                "length": found.length,
                "loc": found.weight,
                "without_loc": items(index, found.unweighted),
                "left_out": found.left_out,
                "items": items(index, found.numbers),
            }
        )
        return Exit.OK
    for row in view.rows(index, found.numbers):
        loc = f"~{row.loc} LOC" if row.loc is not None else "no LOC"
        say(f"{row.key}  {shorten(row.name, 50)}  ({row.state}, {loc})")
    narrate(f"{plural(found.length, 'workstream')}, about {found.weight} LOC")
    if found.unweighted:
        narrate(f"{len(found.unweighted)} of them have no LOC and count as 0")
    if found.left_out:
        narrate(f"{plural(found.left_out, 'workstream')} in or behind a cycle have no place in any order")
    return Exit.OK


@click.command("waves")
@index_argument
@output_option()
def waves(file: str | None, output: str) -> Exit:
    """Unfinished workstreams in parallel steps: the first is ready now, each further one after those before it."""
    from console.workstreams.reports import view

    index = load_index(file)
    found = view.graph_of(index).waves()
    if output == "json":
        print_json({"waves": [items(index, step) for step in found.steps], "never": items(index, found.never)})
        return Exit.OK
    for place, step in enumerate(found.steps, 1):
        say(f"wave {place} ({len(step)})")
        for row in view.rows(index, step):
            say(f"  {row.key}  {shorten(row.name, 56)}")
    if found.never:
        say(f"never, as the index stands ({len(found.never)})")
        for row in view.rows(index, found.never):
            say(f"  {row.key}  waits for {shorten(', '.join(row.waits_for), 56)}")
    return Exit.OK


@click.command("unlocks")
@click.argument("name", metavar="WS-ID")
@index_argument
@output_option()
def unlocks(name: str, file: str | None, output: str) -> Exit:
    """What finishing a workstream makes ready at once, and what waits behind that."""
    from console.workstreams.reports import view

    name, file = name_first(name, file)
    index = load_index(file)
    number = one(index, name)
    found = view.graph_of(index).unlocks(number)
    if output == "json":
        own = items(index, [number])[0]
        print_json({"workstream": own, "now": items(index, found.now), "later": items(index, found.later)})
        return Exit.OK
    for label, numbers in (("ready at once", found.now), ("waits for others too, or further on", found.later)):
        say(f"{label} ({len(numbers)})")
        for row in view.rows(index, numbers):
            say(f"  {row.key}  {shorten(row.name, 56)}")
    return Exit.OK


@click.command("delay")
@click.argument("name", metavar="WS-ID")
@index_argument
@click.option("--by", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="How much longer it takes.")
@click.option("--weight", type=click.Choice(["count", "loc"]), default="count", show_default=True)
@output_option()
def delay(name: str, file: str | None, by: int, weight: str, output: str) -> Exit:
    """What moves when a workstream takes longer, in units of workstreams or of LOC."""
    from console.workstreams.reports import view

    name, file = name_first(name, file)
    index = load_index(file)
    number = one(index, name)
    if index.workstreams[number].completed:
        raise UsageError(f"{clean(index.workstreams[number].key)} is completed; nothing waits for it any more")
    found = view.graph_of(index).delay(number, by, loc=weight == "loc")
    if output == "json":
        moved = [
            item | {"by": more}
            for item, (_, more) in zip(items(index, [n for n, _ in found.moved]), found.moved, strict=True)
        ]
        print_json(
            {
                "workstream": items(index, [number])[0],
                "weight": weight,
                "by": by,
                "slack": found.slack,
                "end": found.end,
                "end_after": found.end_after,
                "moved": moved,
            }
        )
        return Exit.OK
    unit = "LOC" if weight == "loc" else "steps"
    say(f"end        {found.end} -> {found.end_after} {unit}")
    say(f"slack      {found.slack} {unit}")
    say(f"moved      {plural(len(found.moved), 'workstream')}")
    for row, (_, more) in zip(view.rows(index, [n for n, _ in found.moved]), found.moved, strict=True):
        say(f"  {row.key}  {shorten(row.name, 50)}  +{more}")
    return Exit.OK
