"""Labels and annotations that are not a person's to set: controllers write them, and find their objects by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.actions.owners import dotted, managers
from console.base.text import clean

_JOBS, _SPARK, _CONSOLE = "the Job controller", "Spark", "Console"
_NODES = "the kubelet"
_LABELS = {
    "pod-template-hash": "the Deployment controller",
    "controller-revision-hash": "the controllers of StatefulSets and DaemonSets",
    "statefulset.kubernetes.io/pod-name": "the StatefulSet controller",
    "apps.kubernetes.io/pod-index": "the StatefulSet controller",
    "controller-uid": _JOBS, "job-name": _JOBS, "batch.kubernetes.io/": _JOBS,
    "kubernetes.io/metadata.name": "the API server",
    "kubernetes.io/hostname": _NODES, "kubernetes.io/os": _NODES, "kubernetes.io/arch": _NODES,
    "spark-role": _SPARK, "spark-app-selector": _SPARK, "spark-exec-id": _SPARK,
    "sparkoperator.k8s.io/": "the Spark operator",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux", "kustomize.toolkit.fluxcd.io/namespace": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux", "helm.toolkit.fluxcd.io/namespace": "Flux",
    "console.oncall/": _CONSOLE,
}  # fmt: skip
_ANNOTATIONS = {
    "deployment.kubernetes.io/": "the Deployment controller",
    "kubectl.kubernetes.io/last-applied-configuration": "kubectl apply",
    "kubernetes.io/config.": _NODES,
    "pv.kubernetes.io/": "the volume controller",
    "control-plane.alpha.kubernetes.io/leader": "whoever leads",
    "batch.kubernetes.io/": _JOBS,
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "meta.helm.sh/": "Helm",
    "console.oncall/": _CONSOLE,
}
_WRITERS = {"labels": _LABELS, "annotations": _ANNOTATIONS}


def writer(field: str, key: str) -> str:
    """Who writes this key of `labels` or `annotations` for its own use; `` where anybody may."""
    known = _WRITERS[field]
    return known.get(key) or next((who for at, who in known.items() if at[-1] in "/." and key.startswith(at)), "")


def obstacles(field: str, keys: Iterator[str], obj: dict[str, Any], touched: tuple[str, ...]) -> Iterator[str]:
    """Why some of the keys are left alone: what they mean, or who would set them back."""
    for key in keys:
        if who := writer(field, key):
            yield f"{clean(key)} is written by {who}, which relies on it: choose a key of your own"
    for at in touched:
        if kept := next((one for one in managers(obj, at) if one.reconciles and not one.ours), None):
            yield f"{dotted(at)} is kept by {kept.words}, which would set it back: change it where that takes it from"
