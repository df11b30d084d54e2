"""Figures, not verdicts: `python -m tests.benchmarks [--pods N] [NAME...]`. Never fails because a machine is slow.

    start      `console --help` and `--version` beside a bare Python, first frame of the UI, bytes and processor at rest
    cluster    a real API server with N Spark pods: kubectl, Console's reader, Console on a terminal

What cannot be measured (a part is missing, a command failed) is said in place of its figure.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.fill import PER_APPLICATION, Fill
from tests.benchmarks.measure import Cost, Terminal, best, cost
from tests.cluster.controlplane import KubeApi
from tests.cluster.inventory import HERE, PartMissing, require
from tests.cluster.pki import Authority, write_kubeconfig
from tests.cluster.processes import PartFailed, free_port
from tests.cluster.shared import using

RUNS = 5
REST_SECONDS = 10.0
STORM_RATE = 200.0
KEYS = 30


def say(what: str, figure: str, note: str = "") -> None:
    print(f"{what:<46} {figure:>14}   {note}".rstrip(), flush=True)


def ratio(mine: float, other: float, of: str) -> str:
    return f"{mine / other:.2f} of {of}" if other else ""


def _console() -> str:
    """The entry point beside this interpreter, else the one on the PATH."""
    own = Path(sys.executable).with_name("console")
    return str(own) if own.exists() else shutil.which("console") or "console"


def _isolated(folder: Path, kubeconfig: Path | None = None) -> dict[str, str]:
    """Nothing of this user's own settings, history or clusters."""
    home = {name: str(folder / name.lower()) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    return {**home, "KUBECONFIG": str(kubeconfig or folder / "no-kubeconfig"), "HOME": str(folder)}


def _say_run(what: str, run: Cost, note: str = "") -> None:
    if run.code:
        lines = run.output.decode(errors="replace").strip().splitlines() or [""]
        say(what, "failed", f"exit {run.code}: {lines[-1][:100]}")
    else:
        say(what, f"{run.seconds:.2f} s", f"{run.peak:.0f} MiB at most{', ' + note if note else ''}")


def _painted(text: str) -> bool:
    return any(line.strip() for line in text.splitlines())


def _at_rest(terminal: Terminal) -> None:
    """Wait for the screen to settle, then listen."""
    for _ in range(20):
        if terminal.quiet(1.0) == 0:
            break
    if terminal.ended():
        say("  at rest", "ended", terminal.text()[:200])
        return
    before = terminal.processor_seconds()
    came = terminal.quiet(REST_SECONDS)
    used = (terminal.processor_seconds() - before) / REST_SECONDS
    say("  bytes at rest", f"{came} B", f"in {REST_SECONDS:.0f} s, {used:.3f} of a core")
    say("  resident", f"{terminal.resident():.0f} MiB")


def start(folder: Path) -> None:
    """What it costs to start, with no cluster at all."""
    environment = _isolated(folder)
    bare = best(RUNS, [sys.executable, "-c", "pass"])
    _say_run("python -c pass", bare)
    for option in ("--help", "--version"):
        run = best(RUNS, [_console(), option], environment)
        _say_run(f"console {option}", run, ratio(run.seconds, bare.seconds, "a bare Python"))
    closed = write_kubeconfig(
        folder / "closed.kubeconfig",
        server=f"https://127.0.0.1:{free_port()}",
        authority=Authority(folder / "pki").certificate,
        user="nobody",
        token="none",
    )
    for what, command in (("console", []), ("console drill spark-oom", ["drill", "spark-oom"])):
        terminal = Terminal([_console(), *command], {**environment, "KUBECONFIG": str(closed)})
        try:
            first = terminal.wait(_painted, 20)
            note = "its cluster does not answer" if not command else "the simulated cluster"
            say(f"{what}, first frame", "none" if first is None else f"{first:.2f} s", note)
            _at_rest(terminal)
        finally:
            terminal.close()


@contextmanager
def _filled(folder: Path, pods: int) -> Iterator[tuple[KubeApi, Fill]]:
    with using("control-plane", folder / "control-plane", seconds=120) as ready:
        kube = KubeApi(ready)
        namespace = kube.new_namespace("scale")
        fill = Fill(kube, namespace, pods)
        say(f"filled with {pods} pods", f"{fill.run():.0f} s", f"{pods // PER_APPLICATION} applications")
        yield kube, fill


def cluster(folder: Path, pods: int) -> None:
    """The same API server read by kubectl and by Console."""
    with _filled(folder, pods) as (kube, fill):
        environment = _isolated(folder, kube.viewer.kubeconfig)
        kubectl = best(3, [str(require("kubectl")["kubectl"]), "get", "pods", "-A"], environment)
        _say_run("kubectl get pods -A", kubectl, f"{kubectl.output.count(b'Running')} rows")
        _reader(environment, kubectl)
        _terminal(environment, kubectl, fill)


def _reader(environment: dict[str, str], kubectl: Cost) -> None:
    run = cost([sys.executable, "-m", "tests.benchmarks.reader"], {**environment, "PYTHONPATH": str(HERE.parents[1])})
    try:
        figures: dict[str, Any] = json.loads(run.output.decode().splitlines()[-1])
    except (ValueError, IndexError):
        _say_run("Console's reader", run)
        print(run.output.decode(errors="replace")[-1500:])
        return
    if figures["first_rows"] is not None:
        first = figures["first_rows"]
        say("Console's reader, first applications", f"{first:.2f} s", ratio(first, kubectl.seconds, "kubectl"))
    every = figures["all_rows"]
    shown = f"{figures['applications']} applications, {figures['pods']} pods"
    say("Console's reader, all", f"{every:.2f} s", f"{ratio(every, kubectl.seconds, 'kubectl')}; {shown}")
    say("  peak", f"{figures['peak']:.0f} MiB", ratio(figures["peak"], kubectl.peak, "kubectl"))


def _terminal(environment: dict[str, str], kubectl: Cost, fill: Fill) -> None:
    terminal = Terminal([_console(), "-A"], environment)
    try:
        first = terminal.wait(_painted, 20)
        say("console -A, first frame", "none" if first is None else f"{first:.2f} s")
        terminal.send("2")  # the page of applications
        rows = terminal.wait(lambda text: "etl-0" in text, 60)
        if rows is None:
            say("console -A, first applications on screen", "none", terminal.text()[:200])
        else:
            say("console -A, first applications on screen", f"{rows:.2f} s", ratio(rows, kubectl.seconds, "kubectl"))
        _at_rest(terminal)
        if not terminal.ended():
            say("  key to paint", *_keys(terminal))
            _storm(terminal, fill)
    finally:
        terminal.close()


def _keys(terminal: Terminal) -> tuple[str, str]:
    """The 95th percentile of the time from a cursor key to the first bytes that it causes."""
    waits = sorted(terminal.press(key) for key in "jk" * KEYS)
    return f"{waits[int(len(waits) * 0.95)] * 1000:.0f} ms", f"95th percentile of {len(waits)} keys"


def _storm(terminal: Terminal, fill: Fill) -> None:
    """The same screen while pods change."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        changes = pool.submit(fill.storm, STORM_RATE, REST_SECONDS)
        before = terminal.processor_seconds()
        came = terminal.quiet(REST_SECONDS)
        used = (terminal.processor_seconds() - before) / REST_SECONDS
        rate = changes.result() / REST_SECONDS
    say("  bytes in a storm", f"{came / REST_SECONDS:.0f} B/s", f"{rate:.0f} changes/s, {used:.2f} of a core")
    say("  resident after it", f"{terminal.resident():.0f} MiB")


def main() -> int:
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=summary,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="start, cluster; default: both")
    parser.add_argument("--pods", type=int, default=10_000)
    arguments = parser.parse_args()
    known: dict[str, Callable[[Path], None]] = {"start": start, "cluster": lambda f: cluster(f, arguments.pods)}
    for name in arguments.names:
        if name not in known:
            parser.error(f"no benchmark {name!r}; there are: {', '.join(known)}")
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for name in arguments.names or known:
            try:
                known[name](Path(folder))
            except (PartMissing, PartFailed) as missing:
                say(name, "not measured", str(missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
