"""Who stands above an application and would write it again, and why it cannot be changed."""

from __future__ import annotations

from console.apps.groups import Group
from console.facts.model import Owner


def why_not(group: Group) -> str:
    """Why nothing may be changed; empty where something may."""
    if group.launcher == "kubeflow":
        return "" if group.cr is not None else "the SparkApplication object could not be read"
    return {
        "apache": "applications of the Apache operator are read only",
        "submit": "started by spark-submit: there is no object whose change would outlive this run",
        "connect": "Spark Connect servers are read only",
        "standalone": "applications of a standalone master are read only",
    }.get(group.launcher, "nothing is known that could be changed")


def owners_of(group: Group) -> tuple[Owner, ...]:
    """What stands above the application: who would write it again."""
    root = group.root
    if root is None:
        return ()
    out = [o for o in root.owners if o.kind not in ("ReplicaSet",)]
    out.extend(declared_owners(root.namespace, root.labels, root.annotations))
    return tuple(out)


def declared_owners(namespace: str, labels: dict[str, str], annotations: dict[str, str]) -> list[Owner]:
    """Owners that labels and annotations name: Argo CD, Flux, Helm, Airflow, a ScheduledSparkApplication."""
    out: list[Owner] = []

    def add(kind: str, name: str, api: str = "") -> None:
        if name:
            out.append(Owner(api_version=api, kind=kind, name=name))

    add(
        "ScheduledSparkApplication",
        labels.get("sparkoperator.k8s.io/scheduled-app-name", ""),
        "sparkoperator.k8s.io/v1beta2",
    )
    argo = annotations.get("argocd.argoproj.io/tracking-id", "").split(":", 1)[0]
    add("Argo CD Application", argo or labels.get("argocd.argoproj.io/instance", ""), "argoproj.io")
    add("Flux Kustomization", labels.get("kustomize.toolkit.fluxcd.io/name", ""), "kustomize.toolkit.fluxcd.io")
    add("Flux HelmRelease", labels.get("helm.toolkit.fluxcd.io/name", ""), "helm.toolkit.fluxcd.io")
    dag = labels.get("dag_id") or annotations.get("dag_id") or labels.get("airflow-dag-id", "")
    add("Airflow DAG", dag or "")
    release = annotations.get("meta.helm.sh/release-name", "")
    if not release and labels.get("app.kubernetes.io/managed-by") == "Helm":
        release = labels.get("app.kubernetes.io/instance", "")
    add("Helm release", release)
    return out
