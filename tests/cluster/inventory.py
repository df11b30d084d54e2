"""Which real parts there are, in which versions, and where each is found.

A part is looked for in this order: the environment variable `CONSOLE_PART_<NAME>` (a path), the PATH (programs
only), the folder of built parts (`$CONSOLE_PARTS`, else `console-parts` in the user's cache folder). What is
built stands there under its version, so two checkouts with other versions never disturb each other.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

KUBERNETES = "1.37.2"
ETCD = "3.7.0"
KWOK = "0.8.0"
CONTAINERD = "2.4.2"
SPARK = "4.1.4"
SPARK_OPERATOR = "2.4.0"
KUBE_STATE_METRICS = "2.18.0"
KUEUE = "0.17.0"

IMAGE = f"parts.local/spark:{SPARK}"
PAUSE_IMAGE = "parts.local/pause:1"
HERE = Path(__file__).parent


def parts_root() -> Path:
    """The folder of built parts. It is not made here."""
    if given := os.environ.get("CONSOLE_PARTS"):
        return Path(given).absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "console-parts"


def codename() -> str:
    """The name of this system's Debian release, for example `bookworm`."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")


def image_key() -> str:
    """Names an image by everything that goes into it: Spark's version and the files laid over it."""
    digest = hashlib.sha256()
    for name in ("image.py", "workloads.py", "entrypoint.sh"):
        digest.update((HERE / name).read_bytes())
    return f"{SPARK}-{codename()}-{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class Part:
    """One program or folder that tests need.

    `step` is the step of `python -m tests.cluster.build` that makes it, `place` its path below `parts_root()`.
    """

    name: str
    step: str
    place: str
    program: bool = True

    @property
    def variable(self) -> str:
        return "CONSOLE_PART_" + self.name.upper().replace("-", "_")

    @property
    def built(self) -> Path:
        return parts_root() / self.place

    def find(self) -> Path | None:
        """Where the part is, or None."""
        if given := os.environ.get(self.variable):
            return Path(given) if Path(given).exists() else None
        if self.program and (found := shutil.which(self.name)):
            return Path(found)
        return self.built if self.built.exists() else None


def _parts() -> dict[str, Part]:
    kubernetes = f"kubernetes-{KUBERNETES}"
    node, monitoring = f"node-{codename()}", f"monitoring-{codename()}"
    spark_operator = f"spark-operator-{SPARK_OPERATOR}"
    image = f"image-{image_key()}"
    listed = [
        Part("etcd", "kubernetes", f"etcd-{ETCD}/etcd"),
        Part("kube-apiserver", "kubernetes", f"{kubernetes}/kube-apiserver"),
        Part("kube-controller-manager", "kubernetes", f"{kubernetes}/kube-controller-manager"),
        Part("kube-scheduler", "kubernetes", f"{kubernetes}/kube-scheduler"),
        Part("kubelet", "kubernetes", f"{kubernetes}/kubelet"),
        Part("kubectl", "kubernetes", f"{kubernetes}/kubectl"),
        Part("kwok", "kubernetes", f"kwok-{KWOK}/kwok"),
        Part("containerd", "containerd", f"containerd-{CONTAINERD}/containerd"),
        Part("containerd-shim-runc-v2", "containerd", f"containerd-{CONTAINERD}/containerd-shim-runc-v2"),
        Part("ctr", "containerd", f"containerd-{CONTAINERD}/ctr"),
        Part("runc", "node", f"{node}/usr/sbin/runc"),
        Part("cni-plugins", "node", f"{node}/usr/lib/cni", program=False),
        Part("pyspark", "pyspark", f"pyspark-{SPARK}", program=False),
        Part("spark-classes", "classes", f"spark-classes-{SPARK}.jsa", program=False),
        Part("spark-image", "image", f"{image}/spark.tar", program=False),
        Part("pause-image", "image", f"{image}/pause.tar", program=False),
        Part("spark-operator", "operator", f"{spark_operator}/spark-operator"),
        Part("spark-operator-crds", "crds", f"{spark_operator}/crds", program=False),
        Part("kube-state-metrics", "kube-state-metrics", f"kube-state-metrics-{KUBE_STATE_METRICS}/kube-state-metrics"),
        Part("kueue", "kueue", f"kueue-{KUEUE}/kueue"),
        Part("kueue-crds", "kueue", f"kueue-{KUEUE}/crds", program=False),
        Part("prometheus", "monitoring", f"{monitoring}/usr/bin/prometheus"),
        Part("promtool", "monitoring", f"{monitoring}/usr/bin/promtool"),
        Part("prometheus-alertmanager", "monitoring", f"{monitoring}/usr/bin/prometheus-alertmanager"),
    ]
    return {part.name: part for part in listed}


PARTS = _parts()


def spark_home() -> Path:
    """The SPARK_HOME inside the virtual environment with PySpark.

    Raises:
        PartMissing: there is no such environment, or no PySpark in it.
    """
    environment = require("pyspark")["pyspark"]
    for found in (environment / "lib").glob("python3*/site-packages/pyspark"):
        return found
    raise PartMissing(f"needs PySpark in {environment}: python -m tests.cluster.build pyspark")


CONTROL_PLANE = ("etcd", "kube-apiserver", "spark-operator-crds")
NODE = (
    *CONTROL_PLANE,
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubectl",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
    "cni-plugins",
    "pyspark",
    "spark-image",
    "pause-image",
    "spark-operator",
)


class PartMissing(Exception):
    """A part is neither given, nor on the PATH, nor built. The message is one line and says how to get it."""


def require(*names: str) -> dict[str, Path]:
    """The paths of these parts.

    Raises:
        PartMissing: naming every absent part and the one command that makes them.
    """
    found = {name: PARTS[name].find() for name in names}
    absent = [name for name, path in found.items() if path is None]
    if absent:
        steps = " ".join(dict.fromkeys(PARTS[name].step for name in absent))
        raise PartMissing(f"needs {', '.join(absent)}: python -m tests.cluster.build {steps}")
    return {name: path for name, path in found.items() if path is not None}
