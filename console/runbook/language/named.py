"""What a runbook calls by names of its own: live objects, and what their ports answer."""

from __future__ import annotations

from collections.abc import Mapping

from console.base.document import Document
from console.base.errors import DocumentError, did_you_mean
from console.base.text import shorten
from console.runbook.documents import RunbookDoc
from console.runbook.language.targets import GENERAL
from console.runbook.language.targets import KINDS as API_VERSIONS
from console.runbook.model import NamedObject, Probe

PROBED = ("Service", "Pod", "Deployment", "StatefulSet", "DaemonSet")
"""Kinds of which a port can be asked."""


def named_objects(document: Document, head: RunbookDoc) -> tuple[dict[str, NamedObject], list[DocumentError]]:
    """The objects that the file names, and what is wrong with them."""
    out: dict[str, NamedObject] = {}
    problems: list[DocumentError] = []
    for name, doc in head.objects.items():
        at = ("objects", name)
        if name in GENERAL:
            problems.append(
                document.error(at, f"{name!r} is something else in every runbook", hint="call it otherwise")
            )
        elif isinstance(doc, str):
            out[name] = NamedObject(name, workload=True)
        elif not (doc.name or doc.labels or doc.all):
            problems.append(document.error(at, "`labels: {}` names nothing", hint="all: true"))
        elif not (version := doc.api_version or API_VERSIONS.get(doc.kind, "")):
            hint = did_you_mean(doc.kind, API_VERSIONS)
            problems.append(
                document.error((*at, "kind"), f"say the apiVersion of {shorten(doc.kind, 40)!r}", hint=hint)
            )
        else:
            out[name] = NamedObject(
                name,
                doc.kind,
                version,
                doc.name,
                doc.namespace,
                listed=bool(doc.labels) or doc.all,
                labels=dict(doc.labels),
            )
    return out, problems


def named_probes(
    document: Document, head: RunbookDoc, objects: Mapping[str, NamedObject]
) -> tuple[tuple[Probe, ...], list[DocumentError]]:
    """The probes that the file names, and what is wrong with them."""
    out: list[Probe] = []
    problems: list[DocumentError] = []
    for name, doc in head.probes.items():
        at, one = ("probes", name), objects.get(doc.of)
        if name in GENERAL or name in objects:
            said = "an object of this runbook" if name in objects else "something else in every runbook"
            problems.append(document.error(at, f"{name!r} is {said}", hint="call it otherwise"))
        elif one is None and doc.of != "object":
            known = ["object", *objects]
            said = f"{shorten(doc.of, 40)!r} is no name of `objects`"
            problems.append(document.error((*at, "of"), said, hint=did_you_mean(doc.of, known)))
        elif one is not None and not one.workload and (one.listed or one.kind not in PROBED):
            said = f"{doc.of!r} has no port that can be asked: it is {'a list' if one.listed else f'a {one.kind}'}"
            problems.append(document.error((*at, "of"), said, hint=f"one of {', '.join(PROBED)}, by its name"))
        elif doc.scheme == "https" and not doc.get:
            said = "`scheme` is asked of HTTP, and there is no `get`"
            problems.append(document.error((*at, "scheme"), said, hint="get: /"))
        else:
            out.append(Probe(name, doc.of, str(doc.port), doc.get, doc.scheme))
    return tuple(out), problems
