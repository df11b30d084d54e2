"""`console components`: the systems of the platform and whether they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.base.errors import Exit, UsageError, did_you_mean
from console.base.text import clean
from console.cli.options import Where, output_option, where_options
from console.cli.output import left_out_json, left_out_lines, plain, print_json, say, table

if TYPE_CHECKING:
    from console.components.model import Component


@click.command("components")
@click.argument("id", required=False)
@where_options
@output_option()
def command(id: str | None, where: Where, output: str) -> int:
    """The systems of the platform; with ID one of them with its objects and evidence.

    Unknown means that no signal says whether it works; ready replicas alone do not. The exit code is 1 where a
    component is down, degraded or expected and absent, and where one that the preset expects is unknown.
    """
    from console.cli.connect import settled

    board = settled(where).board
    components, left_out = board.components, [one for one in board.left_out if one.source in ("components", "pods")]
    if id is not None:
        components = tuple(c for c in components if c.id == id) or _none(id, components)
    if output == "json":
        document = {"kind": "ComponentList", "components": plain(list(components))}
        print_json({**document, "left_out": left_out_json(left_out)})
    elif id is not None:
        say("\n".join([component_page(components[0]), *left_out_lines(left_out)]))
    elif not components:
        say("no component was found, and the preset expects none")
    else:
        rows = [(c.id, c.state, "expected" if c.expected else "found", c.reason) for c in components]
        say("\n".join([table(("COMPONENT", "STATE", "PRESET", "WHY"), rows), *left_out_lines(left_out)]))
    return Exit.OK if all(_as_wanted(c) for c in components) else Exit.UNHEALTHY


def _as_wanted(component: Component) -> bool:
    """Of one that nobody asked for it is enough that nothing speaks against it."""
    return component.state == "healthy" or (component.state == "unknown" and not component.expected)


def _none(id: str, components: tuple[Component, ...]) -> tuple[Component, ...]:
    raise UsageError(f"component {id!r} was not found here", hint=did_you_mean(id, [c.id for c in components]))


def component_page(component: Component) -> str:
    """One component with everything that is known of it."""
    lines = [f"{component.title} ({component.id}): {component.state}", f"  {component.reason}", ""]
    lines += ["objects", *(f"  {clean(key)}" for key in component.found or ("none",))]
    if component.evidence:
        rows = [(e.source, e.locator, e.excerpt) for e in component.evidence]
        lines += ["", table(("EVIDENCE", "WHERE", "WHAT"), rows)]
    if component.runbooks:
        lines += ["", f"runbooks    {', '.join(component.runbooks)}"]
    return "\n".join(lines)
