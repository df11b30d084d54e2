"""Texts that people save from kubectl and curl → objects: `describe`, tables, YAML, metrics, a driver's status in the
log of spark-submit. What they tell is less than JSON; where both are there, JSON wins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import yaml

from console.base.clock import rfc3339
from console.health.facts import Origin, Sample

MAX_YAML = 8_000_000
MAX_SAMPLES = 100_000
_SECTION = re.compile(r"^([A-Z][\w -]*?):(?:\s+(.*))?$")
_FIELD = re.compile(r"^(\s*)([A-Za-z][\w ./()-]*?):(?:\s+(.*))?$")
_POD_TABLE = re.compile(r"^(?:NAMESPACE\s+)?NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE")
_EVENT_TABLE = re.compile(r"^(?:NAMESPACE\s+)?LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+(?:SUBOBJECT\s+SOURCE\s+)?MESSAGE")
_EXPOSITION = re.compile(
    r"^([a-zA-Z_:][\w:]*)(\{[^}]*(?:\"[^\"]*\"[^}]*)*\})?\s+(NaN|[+-]?Inf|[+-]?[\d.eE+-]+)(?:\s+(-?\d+))?\s*$"
)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def is_describe(text: str) -> bool:
    head = text[:3_000]
    return head.startswith("Name:") and "\nNamespace:" in head and ("\nContainers:" in text or "\nStatus:" in head)


def is_pod_table(text: str) -> bool:
    return _POD_TABLE.match(text) is not None


def is_event_table(text: str) -> bool:
    return _EVENT_TABLE.match(text) is not None


def is_exposition(text: str) -> bool:
    """Whether the first lines are samples of the Prometheus text format."""
    seen = good = 0
    for line in text[:20_000].splitlines()[:40]:
        line = line.strip()
        if not line or line.startswith("#"):
            good += line.startswith(("# HELP", "# TYPE"))
            continue
        seen += 1
        good += _EXPOSITION.match(line) is not None
    return good > 0 and good >= seen * 0.8


def is_yaml(text: str) -> bool:
    head = text.lstrip()[:4_000]
    return bool(re.match(r"(?:---\s*\n|#[^\n]*\n)*\s*(?:- )?(?:apiVersion|kind|items|metadata)\s*:", head))


def yaml_documents(text: str) -> tuple[list[Any], str]:
    """(documents, what was wrong). Aliases are refused: a few lines of them can stand for gigabytes."""
    if len(text) > MAX_YAML:
        return [], f"YAML of more than {MAX_YAML // 1_000_000} MB"
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    out: list[Any] = []
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                return [], "YAML with aliases"
        for document in yaml.load_all(text, Loader=loader):
            out.append(_plain(document))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = f"no clean YAML: {str(error).splitlines()[0][:100]}"
        rescued = _items(text, loader) if not out else []
        return out + rescued, f"{why}; {len(rescued)} items of it were read" if rescued else why
    return out, ""


_ITEM = re.compile(r"(?m)^-[ ](?=apiVersion:|metadata:|kind:)|^---\s*$")


def _items(text: str, loader: Any) -> list[Any]:
    """The sound items of a damaged list, and the sound ones of several documents."""
    out: list[Any] = []
    for part in _ITEM.split(text)[:20_000]:
        body = part if part.startswith(("apiVersion", "kind")) else f"  {part}"
        try:
            value = _plain(yaml.load("\n".join(_outdented(body)), Loader=loader))  # noqa: S506
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("metadata"), dict):
            out.append(value)
    return out


def _outdented(item: str) -> Iterator[str]:
    """Lines of a list's item as a document of their own; what follows the list is left out."""
    for number, line in enumerate(item.splitlines()):
        if number and line and line[0] not in " \t":
            return
        yield line[2:] if number else line.lstrip()


def _plain(value: Any) -> Any:
    """YAML turns bare times into datetimes; facts want their text."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def samples(text: str, origin: Origin) -> Iterator[Sample]:
    """Samples of a Prometheus exposition; values above 9e18 are how old exporters say "not supported"."""
    count = 0
    for line in text.splitlines():
        if not line or line[0] == "#":
            continue
        found = _EXPOSITION.match(line)
        if found is None:
            continue
        try:
            value = float(found.group(3).replace("Inf", "inf"))
        except ValueError:
            continue
        if abs(value) > 9e18 and value not in (float("inf"), float("-inf")):
            continue
        labels = {
            k: v.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
            for k, v in _LABEL.findall(found.group(2) or "")
        }
        stamp = found.group(4)
        yield Sample(found.group(1), labels, value, int(stamp) / 1000 if stamp else None, origin)
        count += 1
        if count >= MAX_SAMPLES:
            return


def _moment(text: str) -> str | None:
    """RFC 3339 of `Mon, 23 Nov 2026 16:51:39 +0000`."""
    try:
        return rfc3339(datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S %z").timestamp())
    except ValueError:
        return None


def _value(text: str | None) -> str:
    text = (text or "").strip()
    return "" if text in ("<none>", "<unset>", "<unknown>") else text


def described(text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(pod objects, event objects) of `kubectl describe pod`, as far as its text tells."""
    pods: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for part in re.split(r"(?m)^(?=Name:\s)", text):
        if not part.startswith("Name:"):
            continue
        pod = _described_pod(part)
        if pod is not None:
            pods.append(pod)
            events.extend(_described_events(part, pod))
    return pods, events


def _described_pod(text: str) -> dict[str, Any] | None:
    top: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        found = _SECTION.match(line)
        if found is not None:
            current = found.group(1)
            top[current] = [found.group(2) or ""]
        elif current and line[:1] in (" ", "\t"):
            top[current].append(line)
    name, namespace = _value(top.get("Name", [""])[0]), _value(top.get("Namespace", [""])[0])
    if not name or "Containers" not in top:
        return None
    status = _value(top.get("Status", [""])[0])
    controlled = _value(top.get("Controlled By", [""])[0])
    kind, _, owner = controlled.partition("/")
    terminating = status.startswith("Terminating")
    specs, states = _described_containers(top.get("Containers", []))
    inits, init_states = _described_containers(top.get("Init Containers", []))
    node = _value(top.get("Node", [""])[0]).split("/")[0]
    pod: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": dict(_pairs(top.get("Labels", []))),
            "annotations": dict(_pairs(top.get("Annotations", []), ":")),
            "ownerReferences": [{"kind": kind, "name": owner, "controller": True}] if owner else [],
        },
        "spec": {"nodeName": node, "containers": specs, "initContainers": inits},
        "status": {
            "phase": "Running" if terminating else status.split(" ")[0] or "Unknown",
            "reason": _value(top.get("Reason", [""])[0]),
            "message": _value(top.get("Message", [""])[0]),
            "podIP": _value(top.get("IP", [""])[0]),
            "startTime": _moment(top.get("Start Time", [""])[0]),
            "containerStatuses": states,
            "initContainerStatuses": init_states,
            "conditions": _described_conditions(top.get("Conditions", [])),
        },
    }
    return pod


def _pairs(lines: list[str], separator: str = "=") -> Iterator[tuple[str, str]]:
    for line in lines:
        key, found, value = line.strip().partition(separator)
        if found and key:
            yield key, value.strip()


def _described_conditions(lines: list[str]) -> list[dict[str, str]]:
    out = []
    for line in lines:
        parts = line.split()
        if len(parts) >= 2 and parts[1] in ("True", "False", "Unknown"):
            out.append({"type": parts[0], "status": parts[1]})
    return out


def _described_containers(lines: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    specs: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    path: list[tuple[int, str]] = []
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}
    for line in lines:
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped:
            continue
        while path and path[-1][0] >= indent:
            path.pop()
        found = _FIELD.match(line)
        if found is None:
            if path and path[-1][1] == "Args" and spec:
                spec["args"].append(stripped)
            continue
        key, value = found.group(2), _value(found.group(3))
        if indent <= 2 and not found.group(3):
            spec = {"name": key, "resources": {"limits": {}, "requests": {}}, "env": [], "args": []}
            status = {"name": key, "state": {}, "lastState": {}}
            specs.append(spec)
            states.append(status)
            path = [(indent, key)]
            continue
        if not spec:
            continue
        section = path[-1][1] if len(path) > 1 else ""
        _described_field(spec, status, section, key, value)
        path.append((indent, key))
    return specs, states


_STATES = {"Terminated": "terminated", "Running": "running", "Waiting": "waiting"}


def _described_field(spec: dict[str, Any], status: dict[str, Any], section: str, key: str, value: str) -> None:
    if key in ("State", "Last State"):
        word = _STATES.get(value.split(" ")[0])
        if word:
            status["state" if key == "State" else "lastState"][word] = {}
    elif section in ("State", "Last State"):
        holder = status["state" if section == "State" else "lastState"]
        inner = next(iter(holder.values()), None)
        if inner is None:
            return
        if key == "Exit Code" and value.lstrip("-").isdigit():
            inner["exitCode"] = int(value)
        elif key in ("Reason", "Message"):
            inner[key.lower()] = value
        elif key in ("Started", "Finished"):
            inner[f"{key.lower()}At"] = _moment(value)
    elif section in ("Limits", "Requests"):
        spec["resources"][section.lower()][key] = value
    elif section == "Environment":
        if value and not value.startswith("(") and not value.startswith("<set"):
            spec["env"].append({"name": key, "value": value.split(" (v1:")[0]})
    elif key == "Image":
        spec["image"] = value
    elif key == "Ready":
        status["ready"] = value == "True"
    elif key == "Restart Count" and value.isdigit():
        status["restartCount"] = int(value)


def _described_events(text: str, pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    _, found, part = text.partition("\nEvents:")
    if not found:
        return
    about = {"kind": "Pod", "namespace": pod["metadata"]["namespace"], "name": pod["metadata"]["name"]}
    for line in part.splitlines():
        cells = re.split(r"\s{2,}", line.strip(), maxsplit=4)
        if len(cells) == 5 and cells[0] in ("Normal", "Warning"):
            repeated = re.match(r"\S+ \(x(\d+) over", cells[2])
            yield {
                "metadata": {},
                "involvedObject": about,
                "type": cells[0],
                "reason": cells[1],
                "message": cells[4],
                "count": int(repeated.group(1)) if repeated else 1,
                "reportingComponent": cells[3],
            }


def pod_table(text: str) -> list[dict[str, Any]]:
    """Pods of `kubectl get pods` in text: phase words, restarts, node. Namespace only where it is printed."""
    out: list[dict[str, Any]] = []
    lines = text.splitlines()
    spaced = lines[0].startswith("NAMESPACE")
    wide = "NODE" in lines[0]
    for line in lines[1:]:
        cells = re.sub(r"\(\d+\w* ago\)", "", line).split()
        if spaced and cells:
            namespace, cells = cells[0], cells[1:]
        else:
            namespace = ""
        if len(cells) < 5:
            continue
        name, word = cells[0], cells[2]
        role = "driver" if name.endswith("-driver") else "executor" if re.search(r"-exec-\d+$", name) else ""
        if not role:
            continue
        container = f"spark-kubernetes-{role}"
        state: dict[str, Any] = {}
        phase = word if word in ("Pending", "Running", "Failed", "Succeeded", "Unknown") else "Running"
        if word in ("OOMKilled", "Error", "Completed", "Evicted", "ContainerStatusUnknown", "StartError"):
            phase = "Succeeded" if word == "Completed" else "Failed"
            if word != "Evicted":
                state = {"terminated": {"reason": word}}
        elif word not in ("Running", "Terminating", phase):
            phase, state = "Pending", {"waiting": {"reason": word}}
        out.append(
            {
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {"spark-role": role}},
                "spec": {"containers": [{"name": container}], "nodeName": cells[6] if wide and len(cells) > 6 else ""},
                "status": {
                    "phase": phase,
                    "reason": "Evicted" if word == "Evicted" else "",
                    "containerStatuses": [{"name": container, "state": state}],
                },
            }
        )
    return out


def event_table(text: str) -> list[dict[str, Any]]:
    """Events of `kubectl get events` in text; its ages are relative, so they carry no time."""
    out: list[dict[str, Any]] = []
    lines = text.splitlines()
    spaced = lines[0].startswith("NAMESPACE")
    for line in lines[1:]:
        cells = re.split(r"\s{2,}", line.strip(), maxsplit=5 if spaced else 4)
        namespace = cells.pop(0) if spaced and cells else ""
        if len(cells) < 5:
            continue
        kind, _, name = cells[3].partition("/")
        out.append(
            {
                "metadata": {"namespace": namespace},
                "involvedObject": {
                    "kind": _KINDS.get(kind.lower(), kind.capitalize()),
                    "namespace": namespace,
                    "name": name,
                },
                "type": cells[1],
                "reason": cells[2],
                "message": cells[4],
            }
        )
    return out


_KINDS = {
    "sparkapplication": "SparkApplication",
    "scheduledsparkapplication": "ScheduledSparkApplication",
    "replicaset": "ReplicaSet",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "persistentvolumeclaim": "PersistentVolumeClaim",
}
_STATUS_FIELD = re.compile(r"^\s*([a-z][a-z ]+?):\s*(.*)$")


def submitted_driver(text: str) -> dict[str, Any] | None:
    """The driver pod as the last status in a log of `spark-submit` describes it."""
    start = text.rfind("\t pod name: ")
    if start < 0:
        return None
    fields: dict[str, str] = {}
    container: dict[str, str] = {}
    for line in text[start : start + 8_000].splitlines():
        found = _STATUS_FIELD.match(line)
        if found is None or re.match(r"^\d\d/\d\d/\d\d ", line):
            if fields and line.strip() and not line.startswith(("\t", " ", "...")):
                break
            continue
        target = container if found.group(1).startswith(("container", "exit", "termination", "pending")) else fields
        target.setdefault(found.group(1), found.group(2).strip())
    if not fields.get("pod name") or not fields.get("namespace"):
        return None
    final = text.rfind("Container final statuses:")
    if final > start:
        ended = {
            m.group(1): m.group(2)
            for line in text[final : final + 2_000].splitlines()
            if (m := _STATUS_FIELD.match(line))
        }
        if ended.get("container name", container.get("container name")) == container.get(
            "container name", ended.get("container name")
        ):
            container.update(ended)
    phases = re.findall(r"\(phase: (\w+)\)", text[start:])
    if phases:
        fields["phase"] = phases[-1]
    labels = dict(part.split(" -> ", 1) for part in fields.get("labels", "").split(", ") if " -> " in part)
    word = container.get("container state", "")
    state: dict[str, Any] = {}
    if word == "terminated":
        code = container.get("exit code", "")
        state["terminated"] = {
            "exitCode": int(code) if code.lstrip("-").isdigit() else None,
            "reason": _value(container.get("termination reason")),
            "startedAt": container.get("container started at"),
            "finishedAt": container.get("container finished at"),
        }
    elif word == "waiting":
        state["waiting"] = {"reason": container.get("pending reason", "")}
    elif word == "running":
        state["running"] = {"startedAt": container.get("container started at")}
    name = container.get("container name", "spark-kubernetes-driver")
    return {
        "kind": "Pod",
        "metadata": {
            "name": fields["pod name"],
            "namespace": fields["namespace"],
            "uid": fields.get("pod uid", ""),
            "creationTimestamp": fields.get("creation time"),
            "labels": {"spark-role": "driver", **labels},
        },
        "spec": {
            "nodeName": _value(fields.get("node name")),
            "serviceAccountName": fields.get("service account name", ""),
            "containers": [{"name": name, "image": container.get("container image", "")}],
        },
        "status": {
            "phase": fields.get("phase", "Unknown"),
            "startTime": fields.get("start time"),
            "containerStatuses": [{"name": name, "state": state}],
        },
    }
