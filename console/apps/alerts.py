"""Whom an alert means: the application, or at least the namespace, that its labels name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from console.apps.model import SparkApp
from console.facts.model import Alert

_NAMES = ("app", "spark_app_name", "app_name", "application_name", "sparkapplication")
_IDS = ("application_id", "spark_app_selector", "spark_app_id")
_OBJECTIVES = ("slo", "sloth_slo", "sloth_id", "slo_name", "objective")
_WORKLOADS = ("deployment", "statefulset", "daemonset")
_POD = re.compile(r"(.+?)(?:-[0-9a-f]{16})?-(?:driver|exec-\d+)")
"""A driver's or an executor's pod begins with the name of its application."""


class NamedByAlert(Struct, frozen=True):
    """What the labels of an alert name.

    Attributes:
        apps: keys of the applications that they point at.
        words: what they name, for people; `` where they name neither an application nor a namespace.
        namespace: where that lies, `` where the alert does not say.
        whole: only a namespace is named, and applications are known there.
        workload: the name of the Deployment, StatefulSet or DaemonSet that it is about, where that is no application.
    """

    apps: tuple[str, ...] = ()
    words: str = ""
    namespace: str = ""
    whole: bool = False
    workload: str = ""

    @property
    def unknown(self) -> bool:
        """It names something, and that is not known here."""
        return bool(self.words) and not self.apps and not self.whole and not self.workload

    def may_mean(self, app: str) -> bool:
        """Whether the application with this key (`` for none) may be the one that is meant."""
        if self.apps:
            return app in self.apps
        if self.workload:
            return False
        if self.whole:
            return app.startswith(f"{self.namespace}/")
        return not self.words


def named_by(alert: Alert, apps: Sequence[SparkApp]) -> NamedByAlert:
    """What an alert names, among the applications that are known."""
    labels, namespace = alert.labels, _namespace(alert.labels)
    found = tuple(dict.fromkeys(app.key for app in apps if _points_at(labels, app)))
    who = _who(labels)
    where = f"namespace {namespace}" if namespace else ""
    words = " in ".join(part for part in (who, where) if part)
    whole = not who and bool(namespace) and any(app.namespace == namespace for app in apps)
    workload = "" if found or who else next((labels[key] for key in _WORKLOADS if labels.get(key)), "")
    return NamedByAlert(found, words, namespace, whole, workload)


def about_spark(alert: Alert, apps: Sequence[SparkApp], objectives: Iterable[str] = ()) -> bool:
    """Whether an alert is about a Spark workload, or about one of these objectives (their ids)."""
    named = named_by(alert, apps)
    if named.apps or named.whole:
        return True
    known = set(objectives)
    if any(alert.labels.get(key) in known for key in _OBJECTIVES):
        return True
    return any("spark" in text.lower() for text in (alert.name, *(alert.labels.get(key, "") for key in _SAYING)))


_SAYING = (*_NAMES, *_IDS, "job", "container", "exported_container", "component", "service")


def subject_of(alert: Alert) -> tuple[str, str]:
    """(namespace, name) that an alert is about by its labels alone: alerts of one application's pods have the same."""
    name = next((alert.labels[key] for key in (*_NAMES, *_IDS) if alert.labels.get(key)), "")
    return _namespace(alert.labels), name or _stem(_pod(alert.labels))


def _who(labels: Mapping[str, str]) -> str:
    for key in _NAMES:
        if labels.get(key):
            return f"application {labels[key]}"
    for key in _IDS:
        if labels.get(key):
            return f"application id {labels[key]}"
    return f"pod {_pod(labels)}" if _pod(labels) else ""


def _points_at(labels: Mapping[str, str], app: SparkApp) -> bool:
    """Whether labels name the application, its Spark id or one of its pods, in its namespace where they name one."""
    namespace = _namespace(labels)
    if namespace and app.namespace != namespace:
        return False
    if any(labels.get(key) == app.name for key in _NAMES):
        return True
    if app.kind.lower() in _WORKLOADS and labels.get(app.kind.lower()) == app.name:
        return True
    if app.app_id and any(labels.get(key) == app.app_id for key in _IDS):
        return True
    pod = _pod(labels)
    if not pod:
        return False
    known = any(m is not None and m.pod == pod for m in (app.driver, *app.executors))
    return known or (bool(namespace) and _stem(pod) == app.name != pod)  # executors vanish: the name of one stays


def _stem(pod: str) -> str:
    found = _POD.fullmatch(pod)
    return found.group(1) if found else pod


def _pod(labels: Mapping[str, str]) -> str:
    return labels.get("exported_pod") or labels.get("pod") or ""


def _namespace(labels: Mapping[str, str]) -> str:
    return labels.get("exported_namespace") or labels.get("namespace") or ""
