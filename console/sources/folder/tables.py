"""Tables that kubectl prints → objects. They tell less than JSON, and where both are there, JSON wins.

A table is read by the places of its columns; one whose spaces were lost on the way, by its words.
"""

from __future__ import annotations

import re
from typing import Any

from console.base.text import listed
from console.base.units import parse_count
from console.facts.podnames import role_of_name

Tree = dict[str, Any]
_HEADER = re.compile(r"^(?:NAMESPACE\s+)?(?:NAME\s+[A-Z]|LAST SEEN\s+TYPE)[A-Z \t()/-]*$")
_COLUMN = re.compile(r"[A-Z()/-]+(?: [A-Z()/-]+)*")
_AGO = re.compile(r"\s*\(\d+\w* ago\)")


class KubectlTable:
    """A table of text: `columns` are its headings, `rows` its cells by heading."""

    def __init__(self, text: str) -> None:
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        head = lines[0].expandtabs() if lines else ""
        found = list(_COLUMN.finditer(re.sub(r" {2,}", lambda m: "\0" * len(m[0]), head)))
        self.columns = [one.group() for one in found]
        starts = [one.start() for one in found]
        self.rows = [row for line in lines[1:] if (row := self._row(line.expandtabs(), starts))]

    def _row(self, line: str, starts: list[int]) -> dict[str, str]:
        aligned = all(start == 0 or line[start - 1 : start] in ("", " ") for start in starts)
        if aligned:
            ends = [*starts[1:], None]
            cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        else:
            cells = _worded(_AGO.sub("", line), len(starts))
        return dict(zip(self.columns, cells, strict=False)) if cells and cells[0] else {}


def _worded(line: str, count: int) -> list[str]:
    cells = re.split(r"\s{2,}", line.strip(), maxsplit=count - 1)
    return cells if len(cells) >= min(count, 4) else line.split(maxsplit=count - 1)


def is_table(text: str) -> bool:
    """Whether a text begins with the headings of a table of kubectl."""
    return _HEADER.match(text.lstrip("\r\n").partition("\n")[0].rstrip()) is not None


def table_objects(text: str) -> tuple[list[Tree], list[Tree], str]:
    """(objects, events, what was wrong) of a table in text."""
    table = KubectlTable(text.lstrip("\r\n"))
    columns = set(table.columns)
    if {"TYPE", "REASON", "OBJECT", "MESSAGE"} <= columns:
        return [], [event for row in table.rows if (event := _event(row))], ""
    if {"NAME", "READY", "STATUS", "RESTARTS"} <= columns:
        return [pod for row in table.rows if (pod := _pod(row))], [], ""
    if {"NAME", "STATUS", "ROLES", "VERSION"} <= columns:
        return [_node(row) for row in table.rows], [], ""
    if {"NAME", "STATUS", "ATTEMPTS", "START", "FINISH"} <= columns:
        return [_application(row) for row in table.rows], [], ""
    if {"NAME", "QUEUE", "RESERVED IN", "ADMITTED"} <= columns:
        return [_workload(row) for row in table.rows], [], ""
    return [], [], f"a table of {listed(table.columns, 6)}: of none of the kinds that are read from tables"


_ENDS = frozenset(
    {
        *("OOMKilled", "Error", "Completed", "ContainerStatusUnknown", "StartError", "ContainerCannotRun"),
        *("DeadlineExceeded", "Evicted", "NodeLost", "NodeShutdown", "Terminated", "NodeAffinity", "Shutdown"),
        *("UnexpectedAdmissionError", "Preempting", "TopologyAffinityError"),
    }
)
_OF_POD = frozenset(
    {
        *("Evicted", "NodeLost", "NodeShutdown", "Terminated", "NodeAffinity", "Shutdown", "DeadlineExceeded"),
        *("UnexpectedAdmissionError", "Preempting", "TopologyAffinityError"),
    }
)
"""Words that are the reason of the pod, not of its container."""
_PHASES = frozenset({"Pending", "Running", "Failed", "Succeeded", "Unknown"})


def _pod(row: dict[str, str]) -> Tree | None:
    """A pod as its row tells it. `Completed` is an end with exit code 0: the kubelet's word for it."""
    name, word = row.get("NAME", ""), row.get("STATUS", "")
    if not name or not word:
        return None
    role = role_of_name(name)
    container = f"spark-kubernetes-{role}" if role else "main"
    phase, reason, state = _shown(word)
    restarts = parse_count(_AGO.sub("", row.get("RESTARTS", "")).strip()) or 0
    ready = row.get("READY", "").partition("/")
    status: Tree = {"name": container, "state": state, "restartCount": restarts}
    status["ready"] = bool(ready[2]) and ready[0] == ready[2]
    conditions = []
    if word == "SchedulingGated":
        conditions.append({"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"})
    node = row.get("NODE", "")
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": row.get("NAMESPACE", ""),
            "labels": {"spark-role": role} if role else {},
        },
        "spec": {"containers": [{"name": container}], "nodeName": "" if node.startswith("<") else node},
        "status": {"phase": phase, "reason": reason, "conditions": conditions, "containerStatuses": [status]},
    }


def _shown(word: str) -> tuple[str, str, Tree]:
    """(phase, reason of the pod, state of its container) of the word that kubectl prints as the status."""
    coded = re.fullmatch(r"(ExitCode|Signal):(\d{1,4})", word)
    if coded is not None:
        number = int(coded.group(2))
        return "Failed", "", {"terminated": {"exitCode": number if coded.group(1) == "ExitCode" else 128 + number}}
    if word.startswith("OutOf"):
        return "Failed", word, {}
    if word in _OF_POD:
        return "Failed", word, {}
    if word == "Completed":
        return "Succeeded", "", {"terminated": {"reason": word, "exitCode": 0}}
    if word in _ENDS:
        return "Failed", "", {"terminated": {"reason": word}}
    if word in ("Running", "Terminating", "NotReady"):
        return "Running", "", {"running": {}}
    if word in _PHASES:
        return word, "", {}
    if word == "SchedulingGated" or word.startswith("Init:"):
        return "Pending", "", {"waiting": {"reason": "PodInitializing"}} if word.startswith("Init:") else {}
    return "Pending", "", {"waiting": {"reason": word}}


_KINDS = {
    kind.lower(): kind
    for kind in (
        *("SparkApplication", "ScheduledSparkApplication", "SparkConnect", "SparkCluster", "ReplicaSet", "StatefulSet"),
        *("DaemonSet", "PersistentVolumeClaim", "PodGroup", "NodeClaim", "NodePool", "ResourceQuota", "ConfigMap"),
        *("ReplicationController", "CronJob", "ServiceAccount", "HorizontalPodAutoscaler", "EndpointSlice"),
        *("LocalQueue", "ClusterQueue", "ResourceClaim"),
    )
}


def _event(row: dict[str, str]) -> Tree | None:
    """An event; the ages of a table are relative, so that it carries no time."""
    kind, found, name = row.get("OBJECT", "").partition("/")
    if not found or not row.get("REASON"):
        return None
    namespace = row.get("NAMESPACE", "")
    kind = kind.partition(".")[0]
    out: Tree = {
        "metadata": {"namespace": namespace},
        "involvedObject": {
            "kind": _KINDS.get(kind.lower(), kind.capitalize()),
            "namespace": namespace,
            "name": name,
        },
        "type": row["TYPE"],
        "reason": row["REASON"],
        "message": row.get("MESSAGE", ""),
        "reportingComponent": row.get("SOURCE", "").partition(",")[0],
    }
    if (count := parse_count(row.get("COUNT", ""))) is not None:
        out["count"] = count
    return out


def _node(row: dict[str, str]) -> Tree:
    words = row["STATUS"].split(",")
    ready = "True" if "Ready" in words else "False" if "NotReady" in words else "Unknown"
    return {
        "kind": "Node",
        "metadata": {"name": row["NAME"]},
        "spec": {"unschedulable": "SchedulingDisabled" in words},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "nodeInfo": {"kubeletVersion": row.get("VERSION", "")},
        },
    }


def _application(row: dict[str, str]) -> Tree:
    """A SparkApplication of kubeflow's operator; where its state is empty the row says so with blanks."""
    state = row.get("STATUS", "")
    status: Tree = {"applicationState": {"state": state}} if state else {}
    if row.get("FINISH", "").startswith("2"):
        status["terminationTime"] = row["FINISH"]
    if row.get("START", "").startswith("2"):
        status["lastSubmissionAttemptTime"] = row["START"]
    if (attempts := parse_count(row.get("ATTEMPTS", ""))) is not None:
        status["executionAttempts"] = attempts
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"name": row["NAME"], "namespace": row.get("NAMESPACE", "")},
        "status": status,
    }


def _workload(row: dict[str, str]) -> Tree:
    """A Workload of Kueue."""
    held, admitted = row.get("RESERVED IN", ""), row.get("ADMITTED", "") == "True"
    conditions: list[Tree] = [{"type": "QuotaReserved", "status": "True" if held else "False"}]
    conditions.append({"type": "Admitted", "status": "True" if admitted else "False"})
    if row.get("FINISHED") == "True":
        conditions.append({"type": "Finished", "status": "True"})
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "Workload",
        "metadata": {"name": row["NAME"], "namespace": row.get("NAMESPACE", "")},
        "spec": {"queueName": row.get("QUEUE", "")},
        "status": {"conditions": conditions, **({"admission": {"clusterQueue": held}} if held else {})},
    }
