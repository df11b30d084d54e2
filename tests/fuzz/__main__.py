"""`python -m tests.fuzz [N] [SEED] [EDGE]`: N broken inputs in turn at every edge; the first failures are printed."""

from __future__ import annotations

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
    words = sys.argv[1:]
    sys.exit(main(int(words[0]) if words else 10_000, int(words[1]) if len(words) > 1 else 1, "".join(words[2:3])))
