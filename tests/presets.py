"""`python -m tests.presets CHARTS`: renders every values file of the platform's charts and compares what Console sees.

CHARTS is the folder `charts` of a checkout, or one of rendered manifests (`3.5__presets_core-gpu.yaml`). Helm is taken
from HELM or PATH. It ends with 1 where a preset is detected wrongly or a component is missed or wrong.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from console.components.find import find, marks
from console.components.match import Detection, detect
from console.facts.model import Facts, Origin
from console.settings.presets import load_library
from console.sources.cluster.kinds import ALL, decoder_of

LIBRARY = load_library()
NAMES = (
    (r"Deployment .*-spark-35-connect", "connect-35"), (r"Deployment .*-spark-41-connect", "connect-41"),
    (r"Deployment .*-history", "history-server"), (r"Deployment .*metastore", "hive-metastore"),
    (r"Deployment .*-jupyter", "jupyter"), (r"Deployment (.*-)?minio", "minio"),
    (r"Deployment .*standalone-master", "standalone-master"), (r"Deployment .*standalone-worker", "standalone-worker"),
    (r"Deployment .*airflow-.*", "airflow"), (r"StatefulSet .*postgresql", "postgresql"),
    (r"Route .*", "openshift-routes"), (r"ScaledObject .*", "keda"), (r"CronJob .*backup.*", "backups"),
    (r"(External|Sealed)Secret .*|SecretStore .*", "external-secrets"),
)  # fmt: skip
"""Component by kind and name of an object: what a person reads in the manifests. Labels are not looked at."""
TRUE = {
    "default": ("3.5/values", "3.5/jupyter-connect-k8s-3.5.7", "3.5/airflow-connect-k8s-3.5.7", "4.1/values"),
    "dev": ("4.1/environments/dev/values",),
    "staging": ("4.1/environments/staging/values",),
    "prod": ("4.1/environments/prod/values",),
    "airflow-connect-k8s": ("*/*airflow-connect-k8s*",),
    "airflow-connect-standalone": ("*/*airflow-connect-standalone*",),
    "airflow-gpu-connect-k8s": ("*/*airflow-gpu-connect-k8s*",),
    "airflow-iceberg-connect-k8s": ("*/*airflow-iceberg-connect-k8s*",),
    "airflow-standalone": ("3.5/presets/scenarios/airflow-standalone*",),
    "jupyter-connect-k8s": (
        "*/*jupyter-connect-k8s*", "3.5/presets/scenarios/jupyter-connect-standalone-minimal",
        "4.1/values-scenario-airflow-k8s-submit", "4.1/values-scenario-airflow-operator",
    ),
    "jupyter-connect-standalone": (
        "*/*jupyter-connect-standalone*", "3.5/airflow-connect-standalone-3.5.7", "3.5/values-demo-full-pipeline",
    ),
    "connect-local": ("4.1/airflow-connect-k8s-4.1.*", "4.1/airflow-connect-standalone-4.1.*"),
    "jupyter-connect-local": ("4.1/jupyter-connect-k8s-4.1.*", "4.1/jupyter-connect-standalone-4.1.*"),
    "jupyter-gpu-local": ("4.1/jupyter-connect-k8s-gpu-*",),
    "jupyter-iceberg-local": ("4.1/jupyter-connect-k8s-iceberg-*",),
    "core-baseline": (
        "3.5/presets/core-baseline", "3.5/presets/core-iceberg", "4.1/presets/core-iceberg", "3.5/spark-infra",
        "3.5/spark-infra-values",
    ),
    "core-gpu": ("*/presets/core-gpu", "3.5/presets/core-gpu-iceberg", "4.1/values-test-gpu-no-rapids"),
    "core-gpu-iceberg": ("4.1/presets/core-gpu-iceberg",),
    "gpu": ("*/presets/gpu-values",),
    "iceberg": ("*/presets/iceberg-values",),
    "cost-optimized": ("*/presets/cost-optimized-values",),
    "load-testing-infra": ("*/presets/load-testing-infra",),
    "openshift-restricted": ("*/presets/openshift/restricted",),
    "openshift-anyuid": ("*/presets/openshift/anyuid",),
    "shared-infrastructure": ("4.1/presets/shared-only", "3.5/presets/spark-infra"),
    "shared-metastore": ("*/presets/shared-infrastructure", "4.1/presets/core-baseline"),
}  # fmt: skip
"""Preset -> values files whose manifests are of its shape, whatever their names promise; longer patterns first."""


def truth(file: str) -> str:
    """The preset whose shape the manifests of a values file have."""
    fitting = [(len(p.replace("*", "")) + 100 * ("*" not in p[:2]), name) for name, patterns in TRUE.items()
               for p in patterns if re.fullmatch(re.escape(p).replace(r"\*", ".*"), file)]  # fmt: skip
    return max(fitting, default=(0, "?"))[1]


def facts_of(text: str) -> Facts:
    """The objects as the watches of Console decode them."""
    kinds = {(kind.group, kind.kind): kind for kind in ALL}
    workloads: list[Any] = []
    for tree in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if not isinstance(tree, dict) or "kind" not in tree:
            continue
        group, _, version = str(tree.get("apiVersion", "v1")).rpartition("/")
        kind = kinds.get((group, tree["kind"]))
        if kind is None or kind.kind in ("Pod", "Node", "Event"):
            continue
        tree["metadata"].setdefault("namespace", "spark")
        made = decoder_of(kind, kind.api_version(version))._make(tree, Origin("kubernetes", "rendered", 0.0), False)  # type: ignore[attr-defined]
        workloads += [made] if made is not None else []
    return Facts(at=0.0, workloads=tuple(workloads))


def components_by_name(text: str) -> set[str]:
    """What a person who reads kinds and names of the manifests would say is there."""
    out = set()
    for tree in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if isinstance(tree, dict) and "kind" in tree:
            words = f"{tree['kind']} {tree['metadata']['name']}"
            out |= {id for pattern, id in NAMES if re.fullmatch(pattern, words)}
    return out


def detected(facts: Facts) -> tuple[set[str], Detection]:
    """Components that are found, and the preset."""
    found = set(find(facts, LIBRARY.components.values()))
    presets = LIBRARY.presets.values()
    return found, detect(found, presets, marks(facts, presets))


def manifests(charts: Path) -> Iterable[tuple[str, str | None]]:
    """(name of the values file, its manifests or None where it does not render)."""
    if rendered := sorted(charts.glob("*__*.yaml")):
        for path in rendered:
            version, _, name = path.stem.partition("__")
            name = re.sub(r"^(presets|environments)_", r"\1/", name)
            name = re.sub(r"/(scenarios|openshift|dev|staging|prod)_", r"/\1/", name)
            yield f"{version}/{name}", path.read_text()
        return
    for chart in ("spark-3.5", "spark-4.1"):
        folder = charts / chart
        files = [f for f in folder.glob("*.yaml") if f.name != "Chart.yaml"]
        files += [f for part in ("presets", "environments") for f in (folder / part).rglob("*.yaml")]
        for file in sorted(files):
            run = subprocess.run(
                [os.environ.get("HELM", "helm"), "template", "rel", str(folder), "-n", "spark", "-f", str(file)],
                capture_output=True, text=True,
            )  # fmt: skip
            name = f"{chart.removeprefix('spark-')}/{file.relative_to(folder).with_suffix('')}"
            yield name, run.stdout if run.returncode == 0 else None


def main(charts: Path) -> int:
    """Print the table; 1 where something is wrong."""
    counts = {"right": 0, "ambiguous": 0, "wrong": 0}
    missed = odd = rendered = 0
    rows = list(manifests(charts))
    for file, text in rows:
        if text is None:
            print(f"{file:62} does not render")
            continue
        rendered += 1
        found, detection = detected(facts_of(text))
        named = components_by_name(text)
        lacks, more = named - found, found - named - {"iceberg", "rapids", "dashboards", "budgets"}
        missed, odd = missed + len(lacks), odd + len(more)
        true = truth(file)
        word = "wrong" if true not in detection.best else "right" if len(detection.best) == 1 else "ambiguous"
        counts[word] += 1
        said = ", ".join(detection.best) or "none"
        print(f"{file:62} {len(named & found)} right {len(lacks)} missed {len(more)} wrong  {word:9} {said}"
              + (f" (it is {true})" if word == "wrong" else ""))  # fmt: skip
    print(f"{rendered} of {len(rows)} render; components missed {missed}, wrong {odd}; presets {counts}")
    return int(bool(missed or odd or counts["wrong"]))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
