"""The command `console` as a person runs it: a process of its own, with folders and settings of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


class Console:
    """The command with a state folder below `folder` and, where `mode` allows them, changes in one context."""

    def __init__(self, folder: Path, kubeconfig: Path, context: str, *, mode: str = "guarded") -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "config.yaml"
        self.config.write_text(f"contexts:\n  {context}:\n    mode: {mode}\n")
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "CONSOLE_CONFIG": str(self.config),
            "CONSOLE_STATE_DIR": str(self.state),
        }

    def __call__(self, *argv: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "console", *argv],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
