"""Starts a real cluster on loopback and keeps it until Ctrl-C: `python -m tests.cluster.up [KIND] [-- COMMAND...]`.

KIND is `control-plane` (default; an API server without nodes) or `node` (a whole node with Spark and its operator,
as root). With a command, it runs that with KUBECONFIG set, then stops the cluster and ends with the command's code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cluster.inventory import PartMissing
from tests.cluster.processes import PartFailed
from tests.cluster.shared import using


def main() -> int:
    words, command = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1 :]
    kind = words[0] if words else "control-plane"
    if len(words) > 1 or kind not in ("control-plane", "node"):
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="parts-") as name:
        folder = Path(name)
        try:
            with using(kind, folder / kind, seconds=1500) as ready:
                environment = {**os.environ, "KUBECONFIG": f"{folder}/{kind}/admin.kubeconfig"}
                if command:
                    return subprocess.run(command, env=environment).returncode
                print(f"export KUBECONFIG={environment['KUBECONFIG']}   # read-only: viewer.kubeconfig beside it")
                for key in ("url", "namespace", "image", "operator_metrics"):
                    if key in ready:
                        print(f"# {key}: {ready[key]}")
                print("# Ctrl-C stops it", flush=True)
                signal.pause()
        except (PartFailed, PartMissing) as failure:
            print(failure, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
