"""The library of runbooks as the settings say, and the names that its runbooks may wait for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.options import Where

if TYPE_CHECKING:
    from console.sources.files.runbooks import Library


def read_library(where: Where) -> Library:
    """The library as the settings say: the user's folders, then what travels with the program."""
    from console.settings.load import load
    from console.sources.files.runbooks import Library

    settings = load(Path(where.config) if where.config else None)
    return Library.read(settings.folders("runbook_paths"))


def known_names(where: Where) -> tuple[set[str], set[str], set[str]]:
    """Names of alerts and of objectives that presets make, of alerts that drills fire, and of components."""
    from console.drill.scenario import files
    from console.settings.load import load
    from console.settings.presets import load_library
    from console.slo.rules import alert_name

    settings = load(Path(where.config) if where.config else None)
    library = load_library(settings.folders("preset_paths"))
    presets = library.presets.values()
    specs = [spec for preset in presets for spec in preset.specs()]
    alerts = {alert_name(spec, what) for spec in specs for what in ("BudgetBurn", "NoData")}
    drills = [files.load(name) for name in files.names()]
    alerts |= {rule.alert for drill in drills for rule in drill.world.rules}
    components = {*library.components, *(id for preset in presets for id in preset.components)}
    return alerts, {spec.id for spec in specs}, components
