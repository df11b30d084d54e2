"""`console doctor` and `console info`: whether Console can work here, and where its files lie."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

import console
from console.base.errors import Exit
from console.base.paths import cache_dir, config_dir, library, state_dir
from console.cli.options import Where, output_option, where_options
from console.cli.output import plain, print_json, say, table

if TYPE_CHECKING:
    from console.live.doctor.machine import Check


@click.command()
@click.option("--rbac", is_flag=True, help="Print the ClusterRole that lets Console read what it looks at, and end.")
@where_options
@output_option()
def command(rbac: bool, where: Where, output: str) -> int:
    """Whether Console can see and do what it needs here, and what to fix."""
    if rbac:
        return _rbac(output)
    from console.cli.connect import make_plan
    from console.live.doctor.checks import checks

    async def gather() -> list[Check]:
        return [check async for check in checks(make_plan(where))]

    found = asyncio.run(gather())
    if output == "json":
        print_json({"items": [plain(c) for c in found]})
    else:
        say(table(("CHECK", "STANDING", "DETAIL"), [(c.name, c.standing, c.detail) for c in found]))
        for check in found:
            if check.hint and check.standing != "ok":
                say(f"{check.name}: {check.hint}")
    lost = next((c for c in found if c.name == "cluster" and c.standing == "missing"), None)
    if lost is not None:
        return Exit.UNREACHABLE
    return Exit.UNHEALTHY if any(c.standing == "missing" for c in found) else Exit.OK


def _rbac(output: str) -> int:
    import yaml

    from console.live.doctor.rights import reading

    role = reading()
    if output == "json":
        print_json(role)
        return Exit.OK
    say(
        "# kubectl apply -f -, then bind it: kubectl create clusterrolebinding console-reader "
        "--clusterrole=console-reader --group=GROUP"
    )
    say("# It reads no Secret. Without them nothing is said of a Secret that is named and missing.")
    say(yaml.safe_dump(role, sort_keys=False, default_flow_style=None, width=110).rstrip())
    return Exit.OK


@click.command()
@where_options
@output_option()
def info(where: Where, output: str) -> int:
    """Version, folders and which files won."""
    from pathlib import Path

    from console.settings.load import load

    settings = load(Path(where.config) if where.config else None, context=where.context or "", flags={})
    document: dict[str, Any] = {
        "version": console.__version__,
        "folders": {
            "config": str(config_dir()),
            "state": str(state_dir()),
            "cache": str(cache_dir()),
            "runbooks": [str(p) for p in (*settings.folders("runbook_paths"), library("runbooks"))],
            "presets": [str(p) for p in (*settings.folders("preset_paths"), library("presets"))],
        },
        "config": {"file": str(settings.file), "exists": settings.exists},
    }
    if output == "json":
        print_json(document)
        return Exit.OK
    say(f"console {console.__version__}")
    for name, value in document["folders"].items():
        for path in value if isinstance(value, list) else [value]:
            say(f"{name:<9} {path}")
    say(f"file      {settings.file}{'' if settings.exists else ' (does not exist: defaults hold)'}")
    return Exit.OK
