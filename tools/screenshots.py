"""Every screen as a picture: `python -m tools.screenshots [NAME...]` writes `screenshots/NAME-WIDTHxHEIGHT.png`.

The pictures are taken of the real program over the simulated cluster, stopped at a moment of its incident.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import cairosvg

from console.live import Live, Pace
from console.live.plan import Plan
from console.rehearse.playing import Rehearsal
from console.sources.files.runbooks import Library
from console.tui.app import ConsoleApp
from console.tui.navigation import root_pages
from console.tui.palette import Palette
from tools.platform_world import plan_of

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
FONT = "DejaVu Sans Mono"
PATIENCE = 60.0


class Shot(NamedTuple):
    """One picture: the keys that lead there, and what must be on the screen before it is taken. `world` and `case` are
    of the simulated cluster, `opens` is what shows that it was read; `plan` may put more into it."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...]
    until: str
    world: str = "spark-oom"
    case: str = "default"
    opens: str = "ALERT"
    plan: Callable[[Rehearsal, Pace], Plan] = lambda rehearsal, pace: rehearsal.plan(pace=pace)


GPUS = str(Path(__file__).resolve().parents[1] / "tests" / "gpu" / "world.yaml")
INDEX = Path("tests", "data", "workstreams", "harbour.md")
"""Found from the root of the source tree, so that no picture names a folder of somebody's machine."""
SHOTS = (
    Shot("now", (120, 36), (), "ALERT"),
    Shot("now", (80, 24), (), "ALERT"),
    Shot("now", (160, 50), (), "ALERT"),
    Shot("apps", (120, 36), ("2",), "NAMESPACE"),
    Shot("application", (120, 36), ("2", "g", "enter"), "executors"),
    Shot("application", (80, 24), ("2", "g", "enter"), "executors"),
    Shot("times", (120, 36), ("2", "g", "enter", "8"), "critical path"),
    Shot("evidence", (120, 36), ("e",), "seen"),
    Shot("slo", (120, 36), ("3",), "WINDOW"),
    Shot("slo", (80, 24), ("3",), "WINDOW"),
    Shot("components", (120, 36), ("5",), "COMPONENT"),
    Shot("presets-that-fit", (120, 36), ("5", "m"), "FITS"),
    Shot("gpu", (120, 36), ("8",), "wasted", GPUS, "day", "GPU"),
    Shot("gpu", (80, 24), ("8",), "wasted", GPUS, "day", "GPU"),
    Shot("gpu", (160, 50), ("8",), "wasted", GPUS, "day", "GPU"),
    Shot("gpu-table", (120, 36), ("8", "t", "until:wasted"), "SLOWED", GPUS, "day", "GPU"),
    Shot("runbooks", (120, 36), ("4",), "RUNBOOK"),
    Shot("advice", (120, 36), ("colon", *"advice", "enter", "until:why"), "why"),
    Shot("advice", (80, 24), ("2", "g", "enter", "a", "until:why"), "why"),
    Shot("advice", (160, 50), ("colon", *"advice", "enter", "until:why"), "why"),
    Shot("workstreams", (120, 36), ("7",), "DECLARED"),
    Shot("help", (120, 50), ("question_mark",), "everywhere"),
    Shot("platform", (120, 36), (), "NetworkPolicies", case="healthy", opens="NetworkPolicies", plan=plan_of),
    Shot("platform-components", (120, 36), ("5",), "COMPONENT", case="healthy", opens="NetworkPolicies", plan=plan_of),
    Shot("platform-presets", (120, 36), ("5", "m"), "FITS", case="healthy", opens="NetworkPolicies", plan=plan_of),
    Shot(
        "platform-advice",
        (120, 36),
        ("colon", *"advice", "enter", "until:why"),
        "why",
        case="healthy",
        opens="NetworkPolicies",
        plan=plan_of,
    ),
    Shot("walk", (120, 44), ("r", "until:Change nothing", "1"), "server dry run"),
    Shot("walk", (80, 24), ("r", "until:Change nothing", "1"), "refuses it"),
)


def shots() -> tuple[Shot, ...]:
    """The pictures above, and one of each root page that has none there."""
    named = {shot.name for shot in SHOTS}
    rest = [name for name in root_pages() if name not in named]
    return (*SHOTS, *(Shot(name, (120, 36), ("colon", *name, "enter"), f"› {name}") for name in rest))


async def until(holds: Callable[[], bool], pilot: Any) -> None:
    """Wait until `holds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not holds():
        if loop.time() > end:
            raise TimeoutError("the screen never showed it:\n" + "\n".join(screen(pilot.app)))
        await pilot.pause(0.1)


def screen(app: ConsoleApp) -> list[str]:
    return ["".join(s.text for s in strip).rstrip() for strip in app.main._compositor.render_strips()]


async def take(live: Live, shot: Shot, save: Callable[[str], Awaitable[None]]) -> None:
    """Drive the program to the shot and hand its SVG to `save`."""
    library = Library.read()
    app = ConsoleApp(live, library.runbooks, palette=Palette("truecolor"), actor="sre", index=INDEX)
    async with app.run_test(size=shot.size) as pilot:

        def shows(text: str) -> Callable[[], bool]:
            return lambda: any(text in line for line in screen(app))

        await until(shows(shot.opens), pilot)
        for key in shot.keys:
            if key.startswith("until:"):
                await until(shows(key.removeprefix("until:")), pilot)
            else:
                await pilot.press(key)
                await pilot.pause()
        await until(shows(shot.until), pilot)
        await pilot.pause(0.5)
        await save(app.export_screenshot(title=f"console {shot.name}"))


def write(svg: str, path: Path) -> None:
    svg = re.sub(r"font-family: *[^;]*;", f"font-family: {FONT};", svg).replace("Fira Code", FONT)
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(path), scale=1.0)


def main() -> int:
    wanted = set(sys.argv[1:])
    FOLDER.mkdir(exist_ok=True)
    for shot in shots():
        if wanted and shot.name not in wanted:
            continue
        path = FOLDER / f"{shot.name}-{shot.size[0]}x{shot.size[1]}.png"
        with tempfile.TemporaryDirectory() as state, Rehearsal(shot.world, shot.case, step=True) as rehearsal:
            os.environ["CONSOLE_STATE_DIR"] = state
            live = Live(shot.plan(rehearsal, Pace(heartbeat=1.0, metrics=1.0, reads=2.0)))

            async def save(svg: str, path: Path = path) -> None:
                write(svg, path)

            asyncio.run(take(live, shot, save))
    return 0


if __name__ == "__main__":
    sys.exit(main())
