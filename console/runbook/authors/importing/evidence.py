"""What a command only reads, as evidence that Console can read itself: an object, a list of them, a query."""

from __future__ import annotations

import re
import shlex

from msgspec import Struct

from console.runbook.authors.importing.page import PageItem
from console.runbook.catalogue import Catalogue
from console.runbook.language.targets import KINDS
from console.runbook.lint import promql

_SHORT = {
    "po": "Pod", "no": "Node", "deploy": "Deployment", "svc": "Service", "cm": "ConfigMap", "ns": "Namespace",
    "pvc": "PersistentVolumeClaim", "sts": "StatefulSet", "ds": "DaemonSet", "rs": "ReplicaSet", "cj": "CronJob",
    "ep": "Endpoints", "quota": "ResourceQuota", "hpa": "HorizontalPodAutoscaler", "pdb": "PodDisruptionBudget",
    "sa": "ServiceAccount", "ev": "Event", "ing": "Ingress",
}  # fmt: skip
_WORDS = {word: kind for kind in KINDS for word in (kind.lower(), f"{kind.lower()}s")} | _SHORT
_SHELL = re.compile(r"[|;&><`\n]|\$\(")
"""What makes a line more than one command. `<NAME>` is taken for a placeholder before."""
_HOLE = re.compile(r"\$\{?([A-Za-z_]\w{0,40})\}?|<([A-Za-z][\w .'-]{0,60})>")
WITH_VALUE = {"-n": "namespace", "--namespace": "namespace", "-l": "labels", "--selector": "labels",
              "-o": "output", "--output": "output"}  # fmt: skip
WITHOUT = frozenset({"-A", "--all-namespaces", "--show-labels"})
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}|\{\{ inputs\.\w+ \}\}")
_LABEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9./_-]{0,100})==?([A-Za-z0-9._-]{0,63}|\{\{ inputs\.\w+ \}\})")


class EvidenceProposal(Struct, frozen=True):
    """What would be read instead of typed. `inputs`: what has to be known for it. `words`: what the person is asked."""

    words: str
    query: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    inputs: tuple[str, ...] = ()


def proposal(item: PageItem, catalogue: Catalogue) -> EvidenceProposal | None:
    """The evidence that a command could be, where it certainly only reads, and reads no Secret."""
    if item.kind == "query":
        wrong = "{{" in item.text or "{%" in item.text or promql.check(item.text, catalogue, ())
        return None if wrong else EvidenceProposal(f"ask Prometheus: {item.text}", query=item.text)
    return _object(item.text) if item.kind == "shell" else None


def _object(command: str) -> EvidenceProposal | None:
    if "{{" in command or "{%" in command:
        return None
    inputs: list[str] = []

    def filled(hole: re.Match[str]) -> str:
        name = re.sub(r"\W+", "_", (hole[1] or hole[2]).lower()).strip("_").removesuffix("_name") or "name"
        inputs.append(name if name[0].isalpha() else f"the_{name}")
        return f"\x00{len(inputs) - 1}\x00"

    bare = _HOLE.sub(filled, command)
    if _SHELL.search(bare) or "$" in bare:
        return None

    def named(mark: re.Match[str]) -> str:
        return f"{{{{ inputs.{inputs[int(mark[1])]} }}}}"

    try:
        words = [re.sub(r"\x00(\d+)\x00", named, word) for word in shlex.split(bare)]
    except ValueError:
        return None
    return _kubectl(words, tuple(dict.fromkeys(inputs)))


def _kubectl(words: list[str], inputs: tuple[str, ...]) -> EvidenceProposal | None:
    read = _flags(words)
    if read is None:
        return None
    plain, said = read
    kind, _, name = plain[1].partition("/")
    name = name or (plain[2] if len(plain) == 3 else "")
    found = _WORDS.get(kind.lower(), "")
    labels = {m[1]: m[2] for part in said["labels"].split(",") if part and (m := _LABEL.fullmatch(part))}
    named = all(not word or _NAME.fullmatch(word) for word in (name, said["namespace"]))
    chosen = bool(labels) == bool(said["labels"]) and not (name and labels)
    if not (found and named and chosen) or found == "Secret":
        return None
    asked = f"read {found} {name or 'list'}"
    return EvidenceProposal(asked, "", found, name, said["namespace"], labels, inputs)


def _flags(words: list[str]) -> tuple[list[str], dict[str, str]] | None:
    """The words of a `get` or `describe`, and what its flags choose; None where a flag may mean more than that."""
    plain: list[str] = []
    said = {"namespace": "", "labels": "", "output": ""}
    rest = iter(words[1:])
    for word in rest:
        key, equals, value = word.partition("=")
        if key in WITH_VALUE:
            said[WITH_VALUE[key]] = value if equals else next(rest, "")
        elif word.startswith("-") and word not in WITHOUT:
            return None
        elif not word.startswith("-"):
            plain.append(word)
    reads = words[:1] in (["kubectl"], ["oc"]) and plain[:1] in (["get"], ["describe"])
    return (plain, said) if reads and len(plain) in (2, 3) else None
