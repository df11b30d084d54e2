"""`python -m tests.kills [N] [SEED] [KIND]`: N kills; what was wrong is printed. KIND: patch, script or drill alone."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.kills.killing import SHARES, kill


def main(count: int, seed: int, only: str) -> int:
    shares = {only: 1.0} if only else SHARES
    with tempfile.TemporaryDirectory(prefix="console-kills-") as folder:
        tally = asyncio.run(kill(count, seed, Path(folder), shares, lambda words: print(words, flush=True)))
    print(tally.words)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    asked = argparse.ArgumentParser("python -m tests.kills", description=__doc__)
    asked.add_argument("count", metavar="N", type=int, nargs="?", default=1_000)
    asked.add_argument("seed", metavar="SEED", type=int, nargs="?", default=1)
    asked.add_argument("only", metavar="KIND", nargs="?", default="", choices=["", *SHARES])
    sys.exit(main(**vars(asked.parse_args())))
