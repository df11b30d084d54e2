"""What the API server refuses to store: names, the shape of a SparkApplication, immutable fields."""

from __future__ import annotations

import re
from typing import Any

from console.drill.kube import sparkschema as schema
from console.drill.state.objects import StatusError
from console.drill.state.resources import PODS, SCHEDULED, SPARKAPPS, ServedResource

Object = dict[str, Any]
_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_NAME_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NAMELESS = "Required value: name or generateName is required"


def _invalid(resource: ServedResource, name: str, causes: list[tuple[str, str, str]]) -> StatusError:
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    listed = ", ".join(f"{field}: {text}" for _, field, text in causes)
    text = f"[{listed}]" if len(causes) > 1 else listed
    details: Object = {"name": name, "kind": resource.kind} if name else {"kind": resource.kind}
    if resource.group:
        details["group"] = resource.group
    details["causes"] = [{"reason": reason, "message": text, "field": field} for reason, field, text in causes]
    return StatusError(f'{kind} "{name}" is invalid: {text}', "Invalid", 422, **details)


def check_name(resource: ServedResource, name: str) -> None:
    """Refuse a name that is none.

    Raises:
        StatusError: 422.
    """
    if not _NAME.match(name) or len(name) > 253:
        raise _invalid(
            resource, name, [("FieldValueInvalid", "metadata.name", f'Invalid value: "{name}": {_NAME_TEXT}')]
        )


def nameless(resource: ServedResource) -> StatusError:
    """422 for an object without a name."""
    return _invalid(resource, "", [("FieldValueRequired", "metadata.name", NAMELESS)])


def prune(resource: ServedResource, obj: Object) -> Object:
    """Drop fields that the schema of a SparkApplication does not know, as structural schemas do."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return obj
    if resource is SPARKAPPS:
        return {**obj, "spec": _pruned(spec)}
    if resource is SCHEDULED:
        kept = {k: v for k, v in spec.items() if k in schema.SCHEDULED}
        if isinstance(kept.get("template"), dict):
            kept["template"] = _pruned(kept["template"])
        return {**obj, "spec": kept}
    return obj


def _pruned(spec: Object) -> Object:
    kept = {k: v for k, v in spec.items() if k in schema.SPEC}
    for role, known in (("driver", schema.DRIVER), ("executor", schema.EXECUTOR)):
        if isinstance(kept.get(role), dict):
            kept[role] = {k: v for k, v in kept[role].items() if k in known}
    return kept


def unknown_fields(before: Object, after: Object, path: str = "") -> list[str]:
    """Dotted names of what pruning dropped."""
    out: list[str] = []
    for key, value in before.items():
        at = f"{path}.{key}" if path else key
        if key not in after:
            out.append(at)
        elif isinstance(value, dict) and isinstance(after[key], dict):
            out.extend(unknown_fields(value, after[key], at))
    return out


def check(resource: ServedResource, obj: Object, old: Object | None) -> None:
    """Refuse an object that its schema forbids.

    Raises:
        StatusError: 422.
    """
    name = obj["metadata"]["name"]
    if resource is SPARKAPPS:
        causes = _spark_causes(obj.get("spec"), "spec")
        if causes:
            raise _invalid(resource, name, causes)
    elif resource is SCHEDULED:
        spec = obj.get("spec")
        causes = _spark_causes(spec.get("template") if isinstance(spec, dict) else None, "spec.template")
        if causes:
            raise _invalid(resource, name, causes)
    elif resource is PODS and old is not None and _frozen(old["spec"]) != _frozen(obj["spec"]):
        text = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)"
        )
        raise _invalid(resource, name, [("FieldValueForbidden", "spec", text)])


def _frozen(spec: Object) -> Object:
    out = {k: v for k, v in spec.items() if k not in ("tolerations", "activeDeadlineSeconds", "nodeName")}
    out["containers"] = [{k: v for k, v in c.items() if k != "image"} for c in spec.get("containers", ())]
    return out


def _spark_causes(spec: Any, path: str) -> list[tuple[str, str, str]]:
    if not isinstance(spec, dict):
        return [("FieldValueRequired", path, "Required value")]
    causes: list[tuple[str, str, str]] = []
    for key in schema.REQUIRED:
        if key not in spec:
            causes.append(("FieldValueRequired", f"{path}.{key}", "Required value"))
    if "type" in spec and spec["type"] not in schema.TYPES:
        supported = ", ".join(f'"{kind}"' for kind in schema.TYPES)
        text = f'Unsupported value: "{spec["type"]}": supported values: {supported}'
        causes.append(("FieldValueNotSupported", f"{path}.type", text))
    for role in ("driver", "executor"):
        part = spec.get(role)
        for key, value in part.items() if isinstance(part, dict) else ():
            at = f"{path}.{role}.{key}"
            if key in schema.STRINGS and not isinstance(value, str):
                causes.append(("FieldValueTypeInvalid", at, _type_text(at, value, "string")))
            elif key in schema.INTEGERS and (not isinstance(value, int) or isinstance(value, bool)):
                causes.append(("FieldValueTypeInvalid", at, _type_text(at, value, "integer")))
            elif key in schema.INTEGERS and value < 1:
                text = f"Invalid value: {value}: {at} in body should be greater than or equal to 1"
                causes.append(("FieldValueInvalid", at, text))
    conf = spec.get("sparkConf")
    for key, value in conf.items() if isinstance(conf, dict) else ():
        if not isinstance(value, str):
            at = f"{path}.sparkConf.{key}"
            causes.append(("FieldValueTypeInvalid", at, _type_text(at, value, "string")))
    return causes


def _type_text(path: str, value: Any, wanted: str) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    kind = names.get(type(value), "null")
    return f'Invalid value: "{kind}": {path} in body must be of type {wanted}: "{kind}"'
