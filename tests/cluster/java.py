"""JVMs that live for a minute: compiled quickly rather than well, with Spark's classes out of an archive.

Measured with a small PySpark job on two cores: 39 seconds of processor time as it comes, 21 compiled quickly, 13 with
the archive too. An archive serves only the very class path that it was made with, so every JVM gets the same empty
configuration folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.inventory import PARTS, SPARK, parts_root

QUICK = "-XX:TieredStopAtLevel=1"
_UNUSED = "-Xlog:cds=off -Xlog:cds+dynamic=off"  # an archive of another JVM is left aside without a word on stdout


def conf_folder() -> Path:
    """The empty SPARK_CONF_DIR."""
    return parts_root() / f"spark-conf-{SPARK}"


def archive() -> Path:
    """Spark's classes, as `python -m tests.cluster.build classes` keeps them. It may be missing."""
    return PARTS["spark-classes"].built


def options() -> str:
    """Options for a JVM with Spark's class path."""
    return f"{QUICK} -XX:SharedArchiveFile={archive()} {_UNUSED}" if archive().exists() else QUICK


def environment(*more: str) -> dict[str, str]:
    """Variables for bin/spark-submit and bin/spark-class of this machine; `more` are options of daemons."""
    conf_folder().mkdir(parents=True, exist_ok=True)
    return {
        "SPARK_CONF_DIR": str(conf_folder()),
        "SPARK_LAUNCHER_OPTS": QUICK,
        "SPARK_SUBMIT_OPTS": options(),
        "SPARK_DAEMON_JAVA_OPTS": " ".join((options(), *more)),
    }


def recording(spark: Path, python: Path, target: Path, job: Path) -> tuple[Sequence[str], dict[str, str]]:
    """The command, and its environment, that runs a job and leaves the classes that it loaded in `target`."""
    command = [str(spark / "bin" / "spark-submit"), "--master", "local[2]", "--driver-memory", "512m", str(job)]
    variables = {
        **os.environ,
        **environment(),
        "SPARK_HOME": str(spark),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SUBMIT_OPTS": f"{QUICK} {_UNUSED} -XX:ArchiveClassesAtExit={target}",
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
    }
    return command, variables
