"""`console waits`: every application that waits: for whom, in which queue, how much is missing, who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.base.errors import Exit
from console.board.waits import lacks
from console.cli.options import Where, output_option, where_options
from console.cli.output import left_out_json, left_out_lines, plain, print_json, say, table
from console.live.shown import age, no_app_because

if TYPE_CHECKING:
    from console.board.model import Board
    from console.board.waits import AppWait


@click.command("waits")
@where_options
@output_option()
def command(where: Where, output: str) -> int:
    """Applications that wait for a queue, a node, a quota, an operator or a person, the longest first.

    The exit code is 1 where one waits, or where it can't be known.
    """
    from console.board.waits import waits_of
    from console.cli.connect import settled

    board = settled(where).board
    waiting = waits_of(board)
    if output == "json":
        items = [{**plain(one), "told": plain(one.told)} for one in waiting]
        print_json({"items": items, "sources": plain(list(board.sources)), "left_out": left_out_json(board.left_out)})
    else:
        say(page(board, waiting))
    return Exit.UNHEALTHY if waiting or no_app_because(board) else Exit.OK


def page(board: Board, waiting: tuple[AppWait, ...]) -> str:
    """All of them as plain text: a row each, then what would let each in."""
    if not waiting:
        blind = no_app_because(board)
        return f"no Spark application can be seen: {blind[0]}" if blind else "no application waits"
    head = ("APPLICATION", "FOR", "QUEUE", "PLACE", "MISSING", "SINCE", "HELD BY")
    lines = [table(head, (row(board, one) for one in waiting)), ""]
    for one in waiting:
        lines.append(f"{one.app}: {one.line}")
        lines += [f"  not: {one.told.forbids}"] if one.told.forbids else []
    return "\n".join([*lines, *left_out_lines(board.left_out)])


def row(board: Board, one: AppWait) -> tuple[str, ...]:
    """One that waits as cells; what is not known is `-`."""
    told = one.told
    place = f"{'~' if told.reckoned else ''}{told.position}/{told.of}" if told.position else "-"
    return (
        one.app, told.keeper, told.queue or "-", place, lacks(told), age(board, one.since),
        ", ".join(told.holders) or "-",
    )  # fmt: skip
