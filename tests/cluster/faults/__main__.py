"""Real faults on a real node, each diagnosed by the real command: `python -m tests.cluster.faults [NAME...]`.

For each fault a real Spark application is submitted to the node's operator and something real goes wrong. As soon as
the cluster shows it, `console diagnose NAMESPACE/NAME -o json` is run, again and again until it says what is right or
its time is over, while another console is open, as one would be on a wall, and keeps the evidence of what vanishes.
An answer that is confidently wrong on the way counts as wrong. The table says what was expected and what was said;
the exit code is 1 where a row is wrong. Needs root and the parts of the node (tests/cluster/build.py).

The node is started and stopped, or the one is used that `python -m tests.cluster.up node` has started, where
KUBECONFIG names its file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.command import Console
from tests.cluster.faults.catalogue import FAULTS
from tests.cluster.faults.model import Fault, Outcome, Verdict
from tests.cluster.faults.play import open_console, play
from tests.cluster.inventory import PartMissing
from tests.cluster.kube import KubeError
from tests.cluster.node import SparkNode
from tests.cluster.processes import PartFailed
from tests.cluster.shared import using


@contextlib.contextmanager
def node_in_use() -> Iterator[SparkNode]:
    """The node that KUBECONFIG names, where one runs there; else a new one."""
    folder = Path(os.environ.get("KUBECONFIG", "")).parent
    if (folder / "ready.json").exists() and json.loads((folder / "ready.json").read_text()).get("node"):
        with using("node", folder, seconds=60) as ready:
            yield SparkNode(ready)
        return
    with (
        tempfile.TemporaryDirectory(prefix="parts-") as name,
        using("node", Path(name) / "node", seconds=1500) as ready,
    ):
        yield SparkNode(ready)


_HEAD = ("fault", "expected", "said", "sure", "after", "verdict")


def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    return " + ".join(f"{class_ or 'null'} {code}" for class_, code in verdicts) or "nothing"


def row(outcome: Outcome) -> tuple[str, ...]:
    took = f"{outcome.took:.1f} s" if outcome.took is not None else "-"
    verdict = "right" if outcome.right else "WRONG"
    expected = _verdicts(outcome.fault.expected)
    return (outcome.fault.name, expected, _verdicts(outcome.said), outcome.confidence or "-", took, verdict)


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows as a Markdown table."""
    widths = [max(len(line[i]) for line in (_HEAD, *rows)) for i in range(len(_HEAD))]
    rule = tuple("-" * width for width in widths)
    lines = (_HEAD, rule, *rows)
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)


def _played(fault: Fault, node: SparkNode, console: Console, keep: Path | None) -> Outcome:
    began = time.monotonic()
    try:
        try:
            outcome = play(fault, node, console, keep=keep)
        except PartFailed:  # a busy machine may not get an application submitted in time
            outcome = play(fault, node, console, keep=keep)
    except (PartFailed, TimeoutError, KubeError) as failure:
        said = "\n    ".join(line[:200] for line in str(failure).splitlines()[:12])
        outcome = Outcome(fault, wrong=[f"could not be made: {said}"])
    print(" | ".join(row(outcome)), f"({time.monotonic() - began:.0f} s in all)", flush=True)
    for line in outcome.wrong:
        print(f"    {line}", flush=True)
    return outcome


def main() -> int:
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster.faults",
        description=summary,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(fault.name for fault in FAULTS))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="save the evidence of each fault below this folder")
    arguments = parser.parse_args()
    known = {fault.name: fault for fault in FAULTS}
    for name in arguments.names:
        if name not in known:
            parser.error(f"no fault {name!r}; there are: {', '.join(known)}")
    chosen = [known[name] for name in arguments.names] or list(FAULTS)
    outcomes: list[Outcome] = []
    try:
        with (
            node_in_use() as node,
            tempfile.TemporaryDirectory(prefix="faults-") as folder,
            open_console(Path(folder), node) as console,
        ):
            for fault in chosen:
                outcomes.append(_played(fault, node, console, arguments.keep))
    except (PartFailed, PartMissing) as failure:
        print(failure, file=sys.stderr)
        return 1
    print()
    print(table([row(outcome) for outcome in outcomes]))
    return 0 if all(outcome.right for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
