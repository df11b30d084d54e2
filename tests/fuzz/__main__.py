"""`python -m tests.fuzz [N] [SEED] [EDGE]`: N broken inputs in turn at every edge; the first failures are printed."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from tests.fuzz.edges import EDGES
from tests.fuzz.run import SECONDS, one


def main(count: int, seed: int, only: str) -> int:
    names, failed, slowest = [only] if only else list(EDGES), 0, (0.0, "")
    begin = time.monotonic()
    for number in range(count):
        name = names[number % len(names)]
        started = time.monotonic()
        try:
            one(name, seed + number)
        except Exception:
            failed += 1
            print(f"--- {name} {seed + number}\n{traceback.format_exc(limit=-4)[-1500:]}", flush=True)
        slowest = max(slowest, (time.monotonic() - started, f"{name} {seed + number}"))
    spent = time.monotonic() - begin
    print(f"{count} inputs, {failed} failed, {spent:.0f}s; slowest {slowest[0]:.2f}s ({slowest[1]}), bound {SECONDS}s")
    return 1 if failed else 0


if __name__ == "__main__":
    asked = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    asked.add_argument("count", metavar="N", type=int, nargs="?", default=10_000)
    asked.add_argument("seed", metavar="SEED", type=int, nargs="?", default=1)
    asked.add_argument("only", metavar="EDGE", nargs="?", default="", choices=["", *EDGES])
    sys.exit(main(**vars(asked.parse_args())))
