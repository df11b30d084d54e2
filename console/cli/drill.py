"""`console drill NAME`: an incident on a simulated cluster, for a person, alone, or for other tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit, UsageError
from console.cli.output import narrate, plain, print_json, say, table

if TYPE_CHECKING:
    from console.rehearse.playing import Score


@click.command()
@click.argument("name")
@click.option(
    "--case",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Which variant of the incident; `console drills` lists them.",
)
@click.option("--auto", is_flag=True, help="Play it without a person and judge how it ended.")
@click.option(
    "--serve",
    is_flag=True,
    help="Only run the simulated cluster, until Ctrl-C, for other terminals: print the KUBECONFIG for them.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1, max=600),
    metavar="FACTOR",
    help="Virtual seconds per second, for a person.  [default: the drill's own; with --serve 1]",
)
@click.option("--seed", type=int, metavar="N", help="Seed of everything random in the world.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(name: str, case: str, auto: bool, serve: bool, speed: float | None, seed: int | None, output: str) -> int:
    """Practise an incident on a simulated cluster inside this program.

    NAME is one that `console drills` lists, each with its cases. With --serve, other terminals work on that cluster
    once they have its KUBECONFIG: kubectl, and as many Consoles as there are people.
    """
    if auto and serve:
        raise UsageError("--auto and --serve exclude each other")
    if auto:
        from console.rehearse.playing import play

        return _report(play(name, case, seed=seed), output)
    if serve:
        return _serve(name, case, speed, seed)
    if output == "json":
        raise UsageError("-o json needs --auto", hint=f"console drill {name} --auto -o json")
    return _by_hand(name, case, speed, seed)


def _by_hand(name: str, case: str, speed: float | None, seed: int | None) -> int:
    from console.cli.ui import run_ui, terminal
    from console.live import Live
    from console.rehearse.playing import Rehearsal

    if not terminal():
        raise UsageError("a drill for a person needs a terminal", hint=f"console drill {name} --auto plays it alone")
    with Rehearsal(name, case, speed=speed, seed=seed, keep=True) as rehearsal:
        code = run_ui(Live(rehearsal.plan()))
    narrate(f"{rehearsal.scenario.title}: {rehearsal.case.title}")
    if rehearsal.case.truth.cause:
        narrate(f"what was the matter: {rehearsal.case.truth.cause}")
    if rehearsal.kept is not None and (rehearsal.kept / "journal.db").exists():
        narrate("your walks can be read, and not be taken up again, as their cluster is gone:")
        narrate(f"CONSOLE_STATE_DIR={rehearsal.kept} console incident list")
    return code


def _serve(name: str, case: str, speed: float | None, seed: int | None) -> int:
    import threading

    from console.rehearse.playing import Rehearsal

    fast = speed is not None and speed > 1
    with Rehearsal(name, case, speed=speed, seed=seed, now=not fast) as rehearsal:
        session = rehearsal.session
        narrate(
            "its time runs faster, so it begins in the past: other tools will find everything old"
            if fast
            else "its time goes as yours does"
        )
        say(f"export KUBECONFIG={session.tools_kubeconfig}")
        say(f"# prometheus {session.prometheus_url}")
        say(f"# alertmanager {session.alertmanager_url}")
        mode = f"contexts: {{{rehearsal.scenario.world.cluster}: {{mode: guarded}}}}"
        narrate(f"Console looks at it read-only; to change something there, --config with a file that says {mode}")
        sys.stdout.flush()
        narrate("the simulated cluster runs until Ctrl-C")
        threading.Event().wait()
    return Exit.OK


def document(score: Score) -> dict[str, Any]:
    """How a case was played, for scripts."""
    return {
        "drill": score.scenario,
        "case": score.case,
        "runbook": score.runbook,
        "outcome": score.outcome,
        "expected": list(score.expected),
        "ok": score.ok,
        "because": score.because,
        "path": list(score.path),
        "writes": plain(list(score.writes)),
        "slo": score.slo,
        "problems": list(score.problems),
        "seconds": round(score.seconds, 1),
        "timeline": score.timeline,
    }


def _report(score: Score, output: str) -> int:
    if output == "json":
        print_json(document(score))
    else:
        say(score.timeline)
        from console.timeline.prose import OUTCOMES

        ended = OUTCOMES.get(score.outcome or "", "not ended")
        narrate(f"{score.scenario} ({score.case}): {ended}, {'as it should' if score.ok else 'not as it should'}")
        for problem in score.problems:
            narrate(f"  {problem}")
    return Exit.OK if score.ok else Exit.UNHEALTHY


@click.command()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def drills(output: str) -> int:
    """The drills that can be played, with their cases."""
    from console.drill.scenario.files import load, names

    scenarios = [load(name) for name in names()]
    if output == "json":
        items = [
            {
                "name": s.name,
                "title": s.title,
                "runbook": s.runbook,
                "minutes": s.minutes,
                "cases": [{"name": c.name, "title": c.title} for c in s.cases.values()],
            }
            for s in scenarios
        ]
        print_json({"items": items})
    else:
        rows = [(s.name, c.name, c.title, s.runbook) for s in scenarios for c in s.cases.values()]
        say(table(("DRILL", "CASE", "TITLE", "RUNBOOK"), rows))
    return Exit.OK
