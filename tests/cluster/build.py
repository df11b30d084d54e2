"""Builds the real parts from package registries: `python -m tests.cluster.build [STEP...]`.

    python -m tests.cluster.build                 everything that is missing (from nothing about 12 minutes on 2 cores)
    python -m tests.cluster.build kubernetes      only this step and what it needs
    python -m tests.cluster.build kueue           Kueue too, which is made only where it is asked for (3 minutes more)
    python -m tests.cluster.build --list          each part and where it is found

Needs Go 1.26, a C compiler, Java 17, and Debian's apt with `apt-get update` done; the steps `rootfs` and `image`
need root. Every step writes below a temporary name and renames at the end, so it may be interrupted and run again,
and two runs at once wait for each other. Sources come by the ordinary clients (apt, pip, go) as this machine has
them set up.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import image, java
from tests.cluster.inventory import (
    CONTAINERD,
    HERE,
    KUBERNETES,
    PARTS,
    SPARK,
    codename,
    image_key,
    parts_root,
    require,
    spark_home,
)

_OPERATOR_MODULE = "github.com/kubeflow/spark-operator/v2"


class StepFailed(Exception):
    """A step did not work; the message holds the end of what its command printed."""


def _run(command: Sequence[str | Path], *, cwd: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        tail = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-15:])
        raise StepFailed(f"{' '.join(map(str, command))} ended with {done.returncode}\n{tail}")
    return done.stdout


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A fresh temporary folder beside `target`. What was made as its entry `made` becomes `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    folder.chmod(0o755)
    try:
        yield folder / "made"
        if target.is_dir():
            shutil.rmtree(target)
        (folder / "made").rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _go(module: str, package: str, name: str, *, stamp: Sequence[str] = (), tags: str = "") -> None:
    """Compile one program with the module's pinned versions, unless it is here or the user's own is.

    The same flags serve every program: builds with and without -trimpath share no compiled packages.
    """
    if PARTS[name].find():
        return
    flags = " ".join(["-s", "-w", *(f"-X {value}" for value in stamp)])
    with _replacing(PARTS[name].built) as made:
        command: list[str | Path] = [
            "go",
            "build",
            "-mod=readonly",
            "-trimpath",
            "-ldflags",
            flags,
            "-tags",
            tags,
            "-o",
            made,
            package,
        ]
        _run(command, cwd=HERE / "modules" / module, CGO_ENABLED="0", GOTOOLCHAIN="local")


def _module_folder(module: str, path: str) -> Path:
    folder = HERE / "modules" / module
    _run(["go", "mod", "download", path], cwd=folder, GOTOOLCHAIN="local")
    return Path(_run(["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", path], cwd=folder).strip())


def _unpack_debs(target: Path, *packages: str) -> None:
    """Download Debian packages and unpack them without installing anything."""
    if target.exists():
        return
    with _replacing(target) as made, tempfile.TemporaryDirectory(dir=target.parent) as downloads:
        Path(downloads).chmod(0o777)  # apt drops its rights to a user of its own for the download
        _run(["apt-get", "download", *packages], cwd=Path(downloads))
        for deb in sorted(Path(downloads).glob("*.deb")):
            _run(["dpkg", "-x", deb, made])


def build_kubernetes() -> None:
    """etcd, the control plane, the kubelet, kubectl, and kwok, which plays kubelets."""
    major, minor, _ = KUBERNETES.split(".")
    version = "k8s.io/component-base/version"
    stamp = (
        f"{version}.gitVersion=v{KUBERNETES}",  # without it every component calls itself v0.0.0-master
        f"{version}.gitMajor={major}",
        f"{version}.gitMinor={minor}",
        f"{version}.gitTreeState=clean",
    )
    _go("kubernetes", "go.etcd.io/etcd/server/v3", "etcd", stamp=stamp)
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"):
        _go("kubernetes", f"k8s.io/kubernetes/cmd/{name}", name, stamp=stamp)
    _go("kubernetes", "sigs.k8s.io/kwok/cmd/kwok", "kwok", stamp=stamp)


def build_containerd() -> None:
    """The container runtime and its shim and client."""
    stamp = (f"github.com/containerd/containerd/v2/version.Version=v{CONTAINERD}",)
    for name in ("containerd", "containerd-shim-runc-v2", "ctr"):
        package = f"github.com/containerd/containerd/v2/cmd/{name}"
        _go("containerd", package, name, stamp=stamp, tags="no_btrfs,no_devmapper,no_zfs")


def build_operator() -> None:
    """The Spark operator."""
    _go("spark-operator", f"{_OPERATOR_MODULE}/cmd/operator", "spark-operator")


def build_crds() -> None:
    """The custom resource definitions of the Spark operator."""
    if PARTS["spark-operator-crds"].find():
        return
    _crds(_module_folder("spark-operator", _OPERATOR_MODULE) / "config" / "crd" / "bases", "spark-operator-crds")


def _crds(source: Path, part: str) -> None:
    with _replacing(PARTS[part].built) as made:
        made.mkdir()
        for path in sorted(source.glob("*.yaml")):
            (made / path.name).write_bytes(path.read_bytes())


def build_kube_state_metrics() -> None:
    """kube-state-metrics."""
    _go("kube-state-metrics", "k8s.io/kube-state-metrics/v2", "kube-state-metrics")


def build_kueue() -> None:
    """Kueue and its custom resource definitions."""
    _go("kueue", "sigs.k8s.io/kueue/cmd/kueue", "kueue")
    if PARTS["kueue-crds"].find() is None:
        _crds(_module_folder("kueue", "sigs.k8s.io/kueue") / "config" / "components" / "crd" / "bases", "kueue-crds")


def build_node() -> None:
    """runc, the network plugins and debootstrap, unpacked from Debian's packages."""
    _unpack_debs(parts_root() / f"node-{codename()}", "runc", "containernetworking-plugins", "debootstrap")


def build_monitoring() -> None:
    """Prometheus and Alertmanager, unpacked from Debian's packages."""
    _unpack_debs(parts_root() / f"monitoring-{codename()}", "prometheus", "prometheus-alertmanager")


def build_pyspark() -> None:
    """A virtual environment with PySpark, which is also the SPARK_HOME of the operator."""
    if PARTS["pyspark"].find():
        return
    with _replacing(PARTS["pyspark"].built) as made:
        _run([sys.executable, "-m", "venv", made])
        _run([made / "bin" / "python", "-m", "pip", "install", "-q", f"pyspark=={SPARK}"])


def build_classes() -> None:
    """Spark's classes as an archive, so that its JVMs start with a third of the processor time."""
    build_pyspark()
    spark, python = spark_home(), require("pyspark")["pyspark"] / "bin" / "python"
    with _replacing(java.archive()) as made:
        command, environment = java.recording(spark, python, made, HERE / "warm.py")
        _run(command, cwd=made.parent, **environment)


def _mirror() -> str:
    """The Debian mirror that apt itself uses here."""
    query = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Codename: {codename()}"]
    sites = _run(query).split()
    if not sites:
        raise StepFailed(f"apt has no package list for {codename()}: run apt-get update")
    return sites[0]


def build_rootfs() -> None:
    """The root file system of the Spark image: Debian with a JRE and Python."""
    target = parts_root() / f"rootfs-{codename()}"
    if target.exists():
        return
    build_node()
    tools = parts_root() / f"node-{codename()}" / "usr"
    packages = "openjdk-17-jre-headless,python3-minimal,libpython3-stdlib,tini,ca-certificates"
    with _replacing(target) as made:
        _run(
            [tools / "sbin" / "debootstrap", "--variant=minbase", f"--include={packages}", codename(), made, _mirror()],
            DEBOOTSTRAP_DIR=str(tools / "share" / "debootstrap"),
        )


def build_image() -> None:
    """The images of Spark and of the pod sandbox."""
    build_pyspark()
    build_rootfs()
    rootfs = parts_root() / f"rootfs-{codename()}"
    for name, write in (
        ("pause-image", image.write_pause),
        ("spark-image", lambda made: image.write_spark(rootfs, spark_home(), made)),
    ):
        target = PARTS[name].built
        if not target.exists():
            with _replacing(target) as made:
                write(made)
    for old in parts_root().glob(f"image-{SPARK}-*"):  # earlier workloads of the same Spark: 0.8 GB each
        if old.name != f"image-{image_key()}":
            shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Step:
    """`lane` orders the work: compilers share one lane, downloads and unpacking the other. What is to be `asked` for
    is too costly to be made for everyone: Kueue shares no compiled package with the rest, 5 to 6 minutes of a core."""

    name: str
    lane: str
    build: Callable[[], None]
    outcome: Sequence[str]
    asked: bool = False

    def unneeded(self) -> bool:
        """Whether every part is already here, built or the user's own."""
        return bool(self.outcome) and all(PARTS[name].find() for name in self.outcome)


def _made_by(step: str) -> tuple[str, ...]:
    return tuple(part.name for part in PARTS.values() if part.step == step)


STEPS = {
    step.name: step
    for step in (
        Step("kubernetes", "compile", build_kubernetes, _made_by("kubernetes")),
        Step("operator", "compile", build_operator, _made_by("operator")),
        Step("containerd", "compile", build_containerd, _made_by("containerd")),
        Step("kube-state-metrics", "compile", build_kube_state_metrics, _made_by("kube-state-metrics")),
        Step("kueue", "compile", build_kueue, _made_by("kueue"), asked=True),
        Step("crds", "unpack", build_crds, _made_by("crds")),
        Step("node", "unpack", build_node, _made_by("node")),
        Step("monitoring", "unpack", build_monitoring, _made_by("monitoring")),
        Step("pyspark", "unpack", build_pyspark, _made_by("pyspark")),
        Step("classes", "unpack", build_classes, _made_by("classes")),
        Step("image", "unpack", build_image, _made_by("image")),
    )
}


def _work(steps: Sequence[Step], failures: list[str]) -> None:
    for step in steps:
        if step.unneeded():
            print(f"{step.name:<20} here", flush=True)
            continue
        start = time.monotonic()
        try:
            step.build()
        except (StepFailed, OSError, subprocess.SubprocessError) as error:
            failures.append(f"{step.name}: {error}")
            print(f"{step.name:<20} FAILED after {time.monotonic() - start:.0f} s", flush=True)
        else:
            print(f"{step.name:<20} {time.monotonic() - start:.0f} s", flush=True)


def build(names: Sequence[str]) -> list[str]:
    """Run the named steps, both lanes at once. Answers what failed."""
    root = parts_root()
    root.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    with (root / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lanes = [[STEPS[name] for name in names if STEPS[name].lane == lane] for lane in ("unpack", "compile")]
        threads = [threading.Thread(target=_work, args=(lane, failures)) for lane in lanes if lane]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return failures


def main() -> int:
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster.build",
        description=summary,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"one of: {', '.join(STEPS)}")
    parser.add_argument("--list", action="store_true", help="only print where each part is found")
    arguments = parser.parse_args()
    for name in arguments.steps:
        if name not in STEPS:
            parser.error(f"no step {name!r}; there are: {', '.join(STEPS)}")
    if arguments.list:
        for part in PARTS.values():
            print(f"{part.name:<26} {part.find() or f'missing: python -m tests.cluster.build {part.step}'}")
        return 0
    os.nice(10)
    start = time.monotonic()
    failures = build(arguments.steps or [step.name for step in STEPS.values() if not step.asked])
    print(f"{'total':<20} {time.monotonic() - start:.0f} s, in {parts_root()}", flush=True)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
