"""Fields of Kubernetes objects → values within bounds. A wrong type is read as missing; texts are redacted.

Values of environment variables other than Spark's own are not kept at all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from console.base.clock import parse_epoch, parse_time
from console.base.jsontext import bounded
from console.base.redact import MARK, is_secret_key, redact, redact_argv, redact_short, redact_value
from console.base.secretkeys import is_no_secret
from console.base.shapes import mapping, mappings
from console.base.units import parse_number, parse_quantity
from console.facts.model import Condition, DeviceHealth, Owner

_ENV_KEPT = ("SPARK_", "PYSPARK_", "NVIDIA_", "CUDA_", "JAVA_TOOL_OPTIONS", "AIRFLOW_CTX_", "HADOOP_USER_NAME")
_ANNOTATION_DROPPED = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
_TEXT_LIMIT = 4_000


def word(value: Any) -> str:
    """A text; `` where it is none."""
    return value if isinstance(value, str) else ""


def whole(value: Any, missing: int = 0) -> int:
    """A whole number of at most 64 bits."""
    number = integer(value)
    return missing if number is None else number


def integer(value: Any) -> int | None:
    """A whole number of at most 64 bits."""
    return value if isinstance(value, int) and parse_number(value) is not None else None


@lru_cache(maxsize=16_384)
def _time(text: str) -> float | None:
    return parse_time(text)


def moment(value: Any) -> float | None:
    """Epoch seconds of a time; None where it is none."""
    return _time(value) if isinstance(value, str) else None


@lru_cache(maxsize=4_096)
def _quantity(written: str | int | float) -> float | None:
    try:
        return parse_quantity(written)
    except (ValueError, ArithmeticError):
        return None


def quantities(value: Any) -> dict[str, float]:
    """A resource list as numbers of base units; what is no quantity is left out."""
    out: dict[str, float] = {}
    for key, raw in mapping(value).items():
        number = _quantity(raw) if isinstance(raw, str | int | float) else None
        if number is not None:
            out[str(key)] = number
    return out


@lru_cache(maxsize=8_192)
def redacted(text: str) -> str:
    """A text without secrets, at most 4,000 characters."""
    return redact(text[:_TEXT_LIMIT])


def said(value: Any) -> str:
    """A short text that a component wrote (a reason, the value of a label), redacted."""
    return redact_short(value[:_TEXT_LIMIT]) if isinstance(value, str) else ""


def prose(value: Any) -> str:
    """A text that people wrote, redacted, at most 4,000 characters."""
    return redacted(value) if isinstance(value, str) and value else ""


def string_map(value: Any) -> dict[str, str]:
    """Labels or annotations: string to string, secrets redacted, bulk dropped."""
    return {
        said(str(k)): (MARK if is_secret_key(str(k)) and not is_no_secret(v, str(k)) else redacted(v))
        for k, v in mapping(value).items()
        if isinstance(v, str) and k not in _ANNOTATION_DROPPED
    }


def arguments(value: Any) -> tuple[str, ...]:
    """The arguments of a container, redacted: what follows `--password` too."""
    words = [word[:_TEXT_LIMIT] for word in value if isinstance(word, str)] if isinstance(value, list) else []
    return tuple(redact_argv(words))


def kept_tree(value: Any) -> Any:
    """A part of an object that is kept as it is, within bounds and without secrets."""
    return redact_value(bounded(value))


@lru_cache(maxsize=4_096)
def _env_value(name: str, value: str) -> str:
    return MARK if is_secret_key(name) and not is_no_secret(value, name) else redact(value[:1_000])


def spark_env(value: Any) -> dict[str, str]:
    """Environment variables that Spark, Python, Java and the GPU runtime read."""
    out: dict[str, str] = {}
    for item in mappings(value):
        name, text = item.get("name"), item.get("value")
        if not isinstance(name, str) or not isinstance(text, str) or not name.startswith(_ENV_KEPT):
            continue
        if name == "SPARK_EXECUTOR_ID":  # the label spark-exec-id says it; without it the executors of a run are alike
            continue
        if name.startswith("SPARK_JAVA_OPT_") and text.startswith(("--add-", "--enable-", "-Djava.", "-Djdk.")):
            continue
        out[name] = _env_value(name, text)
    return out


def owners(meta: dict[str, Any]) -> tuple[Owner, ...]:
    """Who owns an object."""
    return tuple(
        Owner(
            api_version=word(ref.get("apiVersion")),
            kind=word(ref.get("kind")),
            name=word(ref.get("name")),
            uid=word(ref.get("uid")),
            controller=ref.get("controller") is True,
        )
        for ref in mappings(meta.get("ownerReferences"))
    )


def conditions(value: Any) -> tuple[Condition, ...]:
    """Conditions of a status."""
    return tuple(
        Condition(
            type=word(c.get("type")),
            status=word(c.get("status")),
            reason=said(c.get("reason")),
            message=prose(c.get("message")),
            since=moment(c.get("lastTransitionTime")),
        )
        for c in mappings(value)
    )


_VOLUME_KEPT = ("emptyDir", "persistentVolumeClaim", "hostPath", "ephemeral")


def volume_kinds(value: Any) -> tuple[dict[str, Any], ...]:
    """Names and kinds of volumes; what they hold only where it is judged."""
    out: list[dict[str, Any]] = []
    for volume in mappings(value):
        if word(volume.get("name")).startswith("kube-api-access-"):  # the token that every pod gets, named at random
            continue
        kept: dict[str, Any] = {"name": word(volume.get("name"))}
        for kind, body in volume.items():
            if kind == "name":
                continue
            if kind in _VOLUME_KEPT:
                kept[kind] = kept_tree(body)
            elif isinstance(body, dict) and kind in ("configMap", "secret"):
                key = "name" if kind == "configMap" else "secretName"
                kept[kind] = {key: word(body.get(key)), "optional": body.get("optional") is True}
            else:
                kept[kind] = {}
        out.append(kept)
    return tuple(out)


def gate_names(value: Any) -> tuple[str, ...]:
    """Names of scheduling gates."""
    return tuple(said(gate.get("name")) for gate in mappings(value))


def device_health(value: Any) -> tuple[DeviceHealth, ...]:
    """`allocatedResourcesStatus` of a container, flat."""
    return tuple(
        DeviceHealth(
            said(of.get("name")), said(one.get("resourceID")), word(one.get("health")), prose(one.get("message"))
        )
        for of in mappings(value)
        for one in mappings(of.get("resources"))
    )  # fmt: skip


HOSTS = ("hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken")


def security_of(spec: dict[str, Any]) -> dict[str, Any]:
    """What a pod may do: security contexts, namespaces of the host, its token."""
    out: dict[str, Any] = {}
    if context := mapping(spec.get("securityContext")):
        out["pod"] = kept_tree(context)
    per = {
        word(c.get("name")): kept_tree(c["securityContext"])
        for c in (*mappings(spec.get("containers")), *mappings(spec.get("initContainers")))
        if isinstance(c.get("securityContext"), dict) and c["securityContext"]
    }
    if per:
        out["containers"] = per
    out.update({k: True for k in HOSTS[:3] if spec.get(k) is True})
    if spec.get(HOSTS[3]) is False:
        out[HOSTS[3]] = False
    return out


def asked_before(timestamp: Any, grace: int | None) -> float | None:
    """When deletion was asked for: the API's deletionTimestamp lies a grace period (seconds) later."""
    at = moment(timestamp)
    return None if at is None else parse_epoch(at - (grace or 0))
