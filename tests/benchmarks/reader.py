"""Console's own reading of a cluster, without a terminal: `python -m tests.benchmarks.reader`, KUBECONFIG set.

Prints one JSON object: seconds from the start of the process (imports included) to the first picture with
applications and to the settled one, how many applications and pods that shows, and the peak resident size in MiB.
"""

from __future__ import annotations

import json
import resource
import threading
import time

BEGAN = time.perf_counter()


def main() -> None:
    from console.cli.connect import open_live
    from console.cli.options import Where
    from console.live import Situation

    first: list[float] = []
    seen = threading.Event()

    def look(situation: Situation) -> None:
        if situation.board.apps and not first:
            first.append(time.perf_counter() - BEGAN)
            seen.set()

    live = open_live(Where(all_namespaces=True))
    live.subscribe(look)
    with live:
        settled = live.settle(120)
        everything = time.perf_counter() - BEGAN
        seen.wait(5)
    print(
        json.dumps(
            {
                "first_rows": first[0] if first else None,
                "all_rows": everything,
                "applications": len(settled.board.apps),
                "pods": sum(1 + len(app.executors) for app in settled.board.apps),
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
