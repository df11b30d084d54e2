"""`console approve`: the second person sees what others ask for, and says yes to it at their own terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.base.clock import rfc3339
from console.base.errors import Exit
from console.base.text import clean
from console.base.units import human_duration
from console.cli.options import Where, output_option, where_options
from console.cli.output import plain, print_json, say, table

if TYPE_CHECKING:
    from console.operate.approvals.giving import Requests
    from console.operate.approvals.request import ApprovalRequest


@click.command()
@click.argument("request", required=False)
@where_options
@output_option()
def command(request: str | None, where: Where, output: str) -> int:
    """Approve, as the second person, the change that somebody else is about to make.

    Without REQUEST: what is asked for. REQUEST is the beginning of its digest; the change is shown, with what your own
    Console makes of it, and its name is typed at a terminal. With `-o json` nothing is asked.
    """
    from console.cli.connect import make_plan
    from console.cli.plain import PlainPerson
    from console.live.approvals import approve, requests
    from console.operate.approvals.giving import chosen

    plan = make_plan(where)
    found = requests(plan)
    if request is None:
        return _list(found, output)
    one = chosen(found.open, request)
    if output == "json":
        print_json(document(one))
        return Exit.OK
    lasts = approve(plan, one, PlainPerson())
    say(f"approved {one.short} of walk {one.walk} for {human_duration(lasts)}: it goes on where it is walked")
    return Exit.OK


def _list(found: Requests, output: str) -> int:
    if output == "json":
        unread = [{"locator": clean(place), "reason": clean(why)} for place, why in found.unread]
        print_json({"items": [document(one) for one in found.open], "unread": unread})
        return Exit.OK
    rows = [
        (one.short, one.walker, one.preview.effect.about, one.preview.effect.title, human_duration(one.left))
        for one in found.open
    ]
    head = ("REQUEST", "ASKED BY", "OBJECT", "CHANGE", "LEFT")
    lines = [table(head, rows) if rows else "nobody asks for a second person"]
    say("\n".join([*lines, *(f"unread  {place}: {why}" for place, why in found.unread)]))
    return Exit.OK


def document(request: ApprovalRequest) -> dict[str, Any]:
    """A request as scripts read it."""
    shown = request.preview
    return {
        "request": request.short,
        "digest": request.digest,
        "walk": request.walk,
        "asked_by": request.walker,
        "cluster": request.cluster,
        "place": request.place,
        "expires": rfc3339(request.expires),
        "object": shown.effect.about,
        "title": shown.effect.title,
        "argv": list(shown.effect.argv),
        "diff": list(shown.diff),
        "consequences": plain(list(shown.consequences)),
    }
