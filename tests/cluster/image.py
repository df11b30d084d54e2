"""Writes the Spark image and the pause image as archives that `ctr images import` reads; no container engine.

The Spark image has three layers: a Debian root file system with a JRE and Python, Spark out of the PySpark
package, and this project's entry point and workloads.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.cluster.inventory import HERE, IMAGE, PAUSE_IMAGE

_PAUSE_SOURCE = """
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void leave(int signal) { _exit(0); }
static void reap(int signal) { while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) {
  signal(SIGINT, leave);
  signal(SIGTERM, leave);
  signal(SIGCHLD, reap);
  for (;;) pause();
}
"""
_LEFT_OUT = ("dev", "proc", "sys", "var/cache", "var/lib/apt", "usr/share/doc", "usr/share/locale", "usr/share/man")


def _tar(source: Path, target: Path, *arguments: str) -> None:
    command = ["tar", "-C", str(source), "--numeric-owner", "-cf", str(target), *arguments]
    subprocess.run(command, check=True)


def _layer_of_root(rootfs: Path, target: Path) -> None:
    _tar(rootfs, target, *(f"--exclude=./{name}" for name in _LEFT_OUT), ".")


def _layer_of_spark(home: Path, target: Path) -> None:
    moved = ("--owner=0", "--group=0", "--transform=s,^\\./,./opt/spark/,")
    _tar(home, target, *moved, "./bin", "./sbin", "./jars", "./python")


def _layer_of_jobs(rootfs: Path, target: Path) -> None:
    # Spark runs as uid 185; without a passwd line with an absolute home, Ivy makes the driver fail.
    passwd = (rootfs / "etc/passwd").read_text() + "spark:x:185:0:spark:/home/spark:/bin/bash\n"
    with tarfile.open(target, "w") as tar:

        def add(name: str, mode: int, content: bytes | None) -> None:
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            entry.size = len(content or b"")
            tar.addfile(entry, io.BytesIO(content or b""))

        add("opt", 0o755, None)
        add("opt/jobs", 0o755, None)
        add("opt/entrypoint.sh", 0o755, (HERE / "entrypoint.sh").read_bytes())
        add("opt/jobs/workloads.py", 0o644, (HERE / "workloads.py").read_bytes())
        add("home/spark", 0o777, None)
        add("etc/passwd", 0o644, passwd.encode())


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _archive(tag: str, layers: list[Path], config: dict[str, object], target: Path) -> None:
    digests = [_sha256(layer) for layer in layers]
    document = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "history": [{"created_by": "tests/cluster/image.py"} for _ in layers],
        }
    ).encode()
    name = hashlib.sha256(document).hexdigest() + ".json"
    inside = [f"{digest}/layer.tar" for digest in digests]
    manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": inside}]).encode()
    with tarfile.open(target, "w") as tar:
        for entry, content in ((name, document), ("manifest.json", manifest)):
            info = tarfile.TarInfo(entry)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for layer, entry in zip(layers, inside, strict=True):
            tar.add(layer, entry)


def write_pause(target: Path) -> None:
    """Compile the program that holds a pod's namespaces and write its image."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        source, program, layer = (Path(folder) / name for name in ("pause.c", "pause", "layer.tar"))
        source.write_text(_PAUSE_SOURCE)
        compiler = shutil.which("gcc") or shutil.which("cc") or "gcc"
        subprocess.run([compiler, "-Os", "-s", "-static", "-o", str(program), str(source)], check=True)
        _tar(Path(folder), layer, "--owner=0", "--group=0", "pause")
        _archive(PAUSE_IMAGE, [layer], {"Entrypoint": ["/pause"], "User": "65535:65535"}, target)


def write_spark(rootfs: Path, spark_home: Path, target: Path) -> None:
    """Write the Spark image: about 780 MiB."""
    java_home = next(path for path in (rootfs / "usr/lib/jvm").glob("java-*-openjdk-*") if not path.is_symlink())
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SPARK_HOME": "/opt/spark",
        "JAVA_HOME": f"/{java_home.relative_to(rootfs)}",
        "PYSPARK_PYTHON": "/usr/bin/python3",
        "PYSPARK_DRIVER_PYTHON": "/usr/bin/python3",
        "HOME": "/home/spark",
    }
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        root, spark, jobs = (Path(folder) / f"{name}.tar" for name in ("root", "spark", "jobs"))
        _layer_of_root(rootfs, root)
        _layer_of_spark(spark_home, spark)
        _layer_of_jobs(rootfs, jobs)
        config: dict[str, object] = {
            "Entrypoint": ["/opt/entrypoint.sh"],
            "User": "185",
            "WorkingDir": "/opt/spark",
            "Env": [f"{key}={value}" for key, value in environment.items()],
        }
        _archive(IMAGE, [root, spark, jobs], config, target)
