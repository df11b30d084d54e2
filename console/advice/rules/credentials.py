"""Credentials in plain sight. Their values are never shown, not even in part."""

from __future__ import annotations

import re
from typing import Any

from console.advice.ground import Ground
from console.advice.model import Advice
from console.advice.rule import AdviceAnswer, AppRule, GroundRule
from console.advice.view import View
from console.apps.evidence import of_workload
from console.base.redact import MARK
from console.facts.model import Workload
from console.facts.objectpaths import walk

SECRETS = "https://spark.apache.org/docs/latest/running-on-kubernetes.html#secret-management"
PRACTICES = "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"
_SECRET = re.compile(
    r"(?i)(?:access[.\-_]?key|secret[.\-_]?key|session[.\-_]?token|encryption\.key|client\.secret|account\.key\..+"
    r"|private\.key|password|passphrase|sas\.token(?:\..+)?|authenticate\.secret)$"
)
_REFERENCE = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)")


def in_conf(view: View) -> AdviceAnswer:
    """Access keys and passwords as values of configuration keys."""
    for key in sorted(view.conf):
        value = view.conf[key].strip()
        if not _SECRET.search(key) or not value or _REFERENCE.fullmatch(value) or _points(key):
            continue
        yield view.advise(
            "credential-in-conf",
            "security",
            "high",
            f"{key} holds a credential in plain text",
            because="who may read the application, its ConfigMap, its event log or its environment page can read it",
            do=_instead(key),
            holds_for="every Spark version on Kubernetes",
            source=SECRETS,
            about=key,
            keys=(key,),
        )


def in_env(view: View) -> AdviceAnswer:
    """Secrets as plain values of environment variables in the custom resource."""
    cr = view.case.group.cr if view.case.group is not None else None
    if cr is None:
        return
    for role in ("driver", "executor"):
        part = cr.spec.get(role)
        for name, place in _plain(part) if isinstance(part, dict) else ():
            yield view.advise(
                "credential-in-env",
                "security",
                "high",
                f"the environment variable {name} of the {role} holds a credential in plain text",
                because="who may read the application or its pods can read it",
                do="take it from a Secret: valueFrom.secretKeyRef, or "
                f"spark.kubernetes.{role}.secretKeyRef.{name}=SECRET:KEY",
                holds_for="every Spark version on Kubernetes",
                source=SECRETS,
                about=f"{role} {name}",
                evidence=(of_workload(cr, f"spec.{role}.{place} {name} (value not shown)"),),
            )


def _plain(part: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, field) of variables that name a secret and have a value of their own."""
    out = []
    listed = part.get("env")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str) and _holds(item["name"], item.get("value")):
            out.append((item["name"], "env"))
    mapped = part.get("envVars")
    for name, value in mapped.items() if isinstance(mapped, dict) else ():
        if _holds(str(name), value):
            out.append((str(name), "envVars"))
    return out


def _holds(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(_SECRET.search(name)) and not _REFERENCE.fullmatch(value)


def _points(key: str) -> bool:
    """Whether the key names where a secret is, not the secret."""
    return ".secretKeyRef." in key or ".secrets." in key or key.endswith((".file", "File", ".path"))


def _instead(key: str) -> str:
    if "s3a" in key:
        return (
            "give the service account a role of the cloud, or put the keys in a Secret and set "
            "spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY=SECRET:KEY (executor likewise); rotate the key"
        )
    return "put it in a Secret that the pods mount or take as an environment variable; change the credential"


_PLATFORM = re.compile(r"(?i)spark|hive|metastore|minio|postgres|jupyter|airflow|celeborn|mlflow|history-server|kafka")
_CONTAINERS = (
    "spec.template.spec.containers.*",
    "spec.template.spec.initContainers.*",
    "spec.jobTemplate.spec.template.spec.containers.*",
)


def in_platform(ground: Ground) -> AdviceAnswer:
    """Credentials as plain values in workloads and configurations of the platform, whether Spark pods run beside them
    or not."""
    for workload in ground.platform:
        found = _in_config(workload) if workload.kind == "ConfigMap" else _in_containers(workload)
        for where, name in dict.fromkeys(found):
            yield Advice(
                "credential-in-workload",
                "security",
                "high",
                workload.key,
                f"{name} holds a credential in plain text",
                because="who may read the object can read it, and it stands in every copy of its manifest",
                do="put it in a Secret and take it from there (valueFrom.secretKeyRef, or a mounted file); change the "
                "credential, for a default such as minioadmin is known to everybody",
                holds_for="every Kubernetes version",
                source=PRACTICES,
                about=name,
                evidence=(of_workload(workload, f"{where} {name} (value not shown)"),),
                namespace=workload.namespace,
            )


def _in_containers(workload: Workload) -> list[tuple[str, str]]:
    """(field, name) of variables that name a secret and have a value of their own, if it is part of the platform."""
    containers = [c for path in _CONTAINERS for c in walk({"spec": workload.spec}, path) if isinstance(c, dict)]
    said = [workload.name, *workload.labels.values(), *(str(c.get("image", "")) for c in containers)]
    if not any(_PLATFORM.search(text) for text in said):
        return []
    return [(f"{c.get('name', '')} {place}", name) for c in containers for name, place in _plain(c)]


def _in_config(workload: Workload) -> list[tuple[str, str]]:
    """(entry, key) of lines of Spark configuration that hold a secret."""
    data = workload.spec.get("data")
    out = []
    for entry, text in data.items() if isinstance(data, dict) else ():
        for line in str(text).splitlines():
            key, _, value = line.strip().replace("=", " ", 1).partition(" ")
            was_reference = value.strip() == f"{MARK}}}"  # what redaction leaves of `${NAME}` behind a blank
            if not was_reference and not _points(key) and _holds(key, value.strip()):
                out.append((str(entry), key))
    return out


RULES = [
    GroundRule("credential-in-workload", "security", in_platform),
    AppRule("credential-in-conf", "security", in_conf),
    AppRule("credential-in-env", "security", in_env),
]
