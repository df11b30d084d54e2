"""Entry point `console`: finds the command, turns every error into one message and an exit code.

Command modules are imported only when they run, so that `--help` costs nothing.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any, NamedTuple, NoReturn

import click

import console
from console.base.errors import ConsoleError, Exit, did_you_mean
from console.base.redact import redact
from console.base.text import clean, utf8


class Lazy(NamedTuple):
    """Where a command lives and the line that `--help` shows for it."""

    place: str
    help: str


COMMANDS: dict[str, Lazy] = {
    "status": Lazy(
        "console.cli.board.status:status", "What is burning, since when, and how far each source can be trusted."
    ),
    "apps": Lazy(
        "console.cli.board.apps:apps", "Spark applications with drivers, executors and what is wrong with them."
    ),
    "alerts": Lazy("console.cli.board.status:alerts", "Firing alerts and the runbook of each."),
    "components": Lazy("console.cli.components:command", "The systems of the platform and whether they work."),
    "gpu": Lazy("console.cli.gpu:command", "GPUs: who holds each, which are broken, which are wasted."),
    "waits": Lazy("console.cli.board.waits:command", "Who waits: for which queue, how much is missing, who holds it."),
    "slo": Lazy("console.cli.slo:command", "Objectives, error budgets and burn rates, with their arithmetic."),
    "diagnose": Lazy(
        "console.cli.diagnose:command",
        "Findings from saved evidence (a folder, a file, a pipe), or of one application.",
    ),
    "exam": Lazy("console.cli.exam:command", "How well labelled cases of failures are answered."),
    "advise": Lazy("console.cli.advise:command", "What could be set better or safer, before anything breaks."),
    "runbook": Lazy(
        "console.cli.runbook:command", "Walk a runbook: evidence, decisions, guarded changes, verification."
    ),
    "approve": Lazy("console.cli.approve:command", "Approve, as the second person, a change that somebody else makes."),
    "runbooks": Lazy("console.cli.runbooks:group", "The library of runbooks: list, show, lint, test, new."),
    "incident": Lazy("console.cli.incident:group", "Walks that were made, and their timelines."),
    "drill": Lazy("console.cli.drill:command", "Practise an incident on a simulated cluster."),
    "drills": Lazy("console.cli.drill:drills", "The drills that can be played, with their cases."),
    "preset": Lazy("console.cli.preset:group", "What a deployment of a given shape should contain."),
    "workstreams": Lazy(
        "console.cli.workstreams.commands:group",
        "Progress of the platform's workstreams, and whether the index is true.",
    ),
    "config": Lazy(
        "console.cli.config:group", "The config file: path, validation, schema, where each value comes from."
    ),
    "doctor": Lazy("console.cli.doctor:command", "Whether Console can see and do what it needs here, and what to fix."),
    "info": Lazy("console.cli.doctor:info", "Version, folders and which files won."),
}
ALIASES = {
    "runbook-library": "runbooks",
    "incidents": "incident",
    "presets": "preset",
    "gpus": "gpu",
    "component": "components",
}


class Root(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if lazy is None:
            return None
        module, attribute = lazy.place.split(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args and self.get_command(ctx, args[0]) is None:
                raise click.UsageError(
                    f"no such command {clean(args[0])!r}; {did_you_mean(args[0], self.list_commands(ctx))}", ctx
                ) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


def _build() -> click.Group:
    from console.cli.options import Where, where_options

    @click.command(cls=Root, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(console.__version__, "--version", message="console %(version)s")
    @where_options
    @click.pass_context
    def root(ctx: click.Context, where: Where) -> None:
        """The on-call console for Apache Spark on Kubernetes.

        Without a command it opens the terminal UI on the current cluster.
        """
        ctx.obj = where
        if ctx.invoked_subcommand is None:
            from console.cli.ui import open_ui

            ctx.exit(open_ui(where))

    assert isinstance(root, click.Group)
    return root


def main(argv: list[str] | None = None) -> NoReturn:
    """Run and exit with a code of `console.base.errors.Exit`; SIGTERM ends it in order, too."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def _terminated(signum: int, frame: object) -> None:
    """Leave by way of everything that is open; a second signal does not wait for that."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(Exit.TERMINATED)


def run(argv: list[str]) -> int:
    """The exit code of one call. No exception leaves it."""
    try:
        code: Any = _build().main(args=argv, prog_name="console", standalone_mode=False)
        return int(code) if isinstance(code, int) else int(Exit.OK)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.Abort:
        return int(Exit.INTERRUPTED)
    except click.ClickException as error:
        _complain(error.format_message())
        return int(Exit.USAGE)
    except ConsoleError as error:
        _complain(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        return int(Exit.OK)
    except OSError as error:
        if error.filename is None or error.strerror is None:
            return _failed(error)
        _complain(f"{utf8(str(error.filename))} cannot be used: {error.strerror}")
        return int(Exit.UNHEALTHY)
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    """What nobody thought of."""
    _complain(f"internal error: {type(error).__name__}: {error}\n  details: {_crash_report(error)}")
    return int(Exit.UNHEALTHY)


def _complain(text: str) -> None:
    sys.stderr.write("console: " + clean(redact(text), lines=True) + "\n")


def _crash_report(error: Exception) -> str:
    """Keep the traceback in a file, where a user can send it from; the screen gets its path."""
    from console.facts.notjudged import not_judged
    from console.live.crashes import CrashFiles

    files, crash = CrashFiles(), not_judged("console", "the command", error)
    files.keep([crash])
    path = files.folder / crash.reference
    try:
        written = path.exists()
    except OSError:
        written = False
    return str(path) if written else "could not be written"
