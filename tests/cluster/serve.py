"""The supervisor of one shared part: `python -m tests.cluster.serve KIND FOLDER`. Started by `shared.using`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cluster.controlplane import ControlPlane
from tests.cluster.node import Node
from tests.cluster.shared import Part, supervise

KINDS: dict[str, Callable[[Path], Part]] = {"control-plane": ControlPlane, "node": Node}


def main() -> int:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    supervise(folder, KINDS[kind](folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
