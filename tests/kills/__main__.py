"""`python -m tests.kills [N] [SEED] [KIND]`: N kills; what was wrong is printed. KIND: patch, script or drill alone."""

from __future__ import annotations

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
    words = sys.argv[1:]
    sys.exit(main(int(words[0]) if words else 1_000, int(words[1]) if len(words) > 1 else 1, "".join(words[2:3])))
