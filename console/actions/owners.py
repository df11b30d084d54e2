"""Who else writes an object, and what that means for a change of it: does it survive, and until when?"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from console.actions import patches
from console.actions.effects import Consequence
from console.actions.secrets import seal_value
from console.apps.owners import declared_owners
from console.base.clock import parse_time, rfc3339
from console.base.redact import redact_value
from console.base.shapes import mappings
from console.base.text import clean, shorten

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SCHEDULED = "ScheduledSparkApplication"
OURS = "console-oncall"
_WHO = {
    "kubectl-client-side-apply": "kubectl apply",
    "kubectl": "kubectl apply --server-side",
    "argocd-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "helm": "Helm",
    "kubectl-edit": "kubectl edit",
    "kubectl-patch": "kubectl patch",
    "spark-operator": "the Spark operator",
    "spark-kubernetes-operator": "the Spark operator of Apache",
    OURS: "Console",
}
_AGAIN = frozenset(
    {"kubectl-client-side-apply", "kubectl", "argocd-controller", "kustomize-controller", "helm-controller", "helm"}
)
_RECONCILE = frozenset({"argocd-controller", "kustomize-controller", "helm-controller"})


class Manager(Struct, frozen=True):
    """A field manager that owns a field. `time` is RFC 3339 as the server wrote it."""

    name: str
    operation: str
    time: str = ""

    @property
    def words(self) -> str:
        return called(self.name)

    @property
    def ours(self) -> bool:
        """Whether it is Console, in any walk."""
        return self.name == OURS

    @property
    def reconciles(self) -> bool:
        """Whether it writes its value again by itself, soon, with nobody asking it to."""
        return self.name in _RECONCILE or (self.operation == "Apply" and self.name not in _WHO)

    @property
    def again(self) -> bool:
        """Whether this manager is known to write its own value again."""
        return self.name in _AGAIN or self.operation == "Apply"


def called(manager: str) -> str:
    """A field manager in words, with its name."""
    known = _WHO.get(manager)
    return f"{known} ({clean(manager)})" if known else clean(shorten(manager, 60))


def managers(obj: dict[str, Any], pointer: str) -> tuple[Manager, ...]:
    """Who owns the field at a JSON pointer, by `metadata.managedFields`. Inside lists the list itself counts."""
    found = []
    for entry in mappings((obj.get("metadata") or {}).get("managedFields")):
        fields = entry.get("fieldsV1") if isinstance(entry, dict) else None
        if not isinstance(fields, dict) or entry.get("subresource"):
            continue
        owns = bool(patches.parts(pointer))
        for part in patches.parts(pointer):
            step = fields.get(f"f:{part}")
            if step is None:
                owns = bool(fields) and (part.isdigit() or part == "-")
                break
            fields = step
            if not fields:
                break
        if owns:
            found.append(
                Manager(
                    str(entry.get("manager") or "?"), str(entry.get("operation") or ""), str(entry.get("time") or "")
                )
            )
    return tuple(found)


def written_at(obj: dict[str, Any], manager: str) -> float | None:
    """When a field manager wrote to the object last, by the server's clock in whole seconds; None: it never did."""
    entries = mappings((obj.get("metadata") or {}).get("managedFields"))
    times = [parse_time(entry.get("time")) for entry in entries if entry.get("manager") == manager]
    return max((at for at in times if at is not None), default=None)


def schedule_of(obj: dict[str, Any]) -> str:
    """Name of the ScheduledSparkApplication that makes this object, ``: of a schedule itself there is none."""
    if obj.get("kind") == SCHEDULED:
        return ""
    meta = obj.get("metadata") or {}
    for owner in mappings(meta.get("ownerReferences")):
        if owner.get("kind") == SCHEDULED:
            return str(owner.get("name") or "")
    return str((meta.get("labels") or {}).get("sparkoperator.k8s.io/scheduled-app-name") or "")


def consequences(
    obj: dict[str, Any],
    touched: tuple[str, ...],
    before: dict[str, Any],
    *,
    schedule: dict[str, Any] | None,
    schedule_error: str = "",
) -> tuple[Consequence, ...]:
    """Owner, fate at the next run, and field managers.

    Args:
        obj: the object as it is.
        touched: JSON pointers that the change sets.
        before: their present values.
        schedule: the ScheduledSparkApplication above it where there is one and it could be read.
        schedule_error: why it could not be read.
    """
    out: list[Consequence] = []
    meta = obj.get("metadata") or {}
    labels, notes = _texts(meta.get("labels")), _texts(meta.get("annotations"))
    named = schedule_of(obj)
    if named:
        out += _of_schedule(named, touched, before, schedule, schedule_error)
    spec = obj.get("spec") if isinstance(obj.get("spec"), dict) else {}
    driver = spec.get("driver") if isinstance(spec, dict) else None
    if isinstance(driver, dict):
        labels = {**_texts(driver.get("labels")), **labels}
    again = bool(named)
    for owner in declared_owners(str(meta.get("namespace") or ""), labels, notes):
        if owner.kind == SCHEDULED:
            continue
        again = True
        out.append(Consequence("owner", "warning", f"owned by {owner.kind} {clean(owner.name)}"))
        out.append(Consequence("next run", "warning", _FATE[owner.kind.split()[0]]))
    for one in mappings(meta.get("ownerReferences")):
        if one.get("kind") != SCHEDULED:
            words = f"owned by {clean(str(one.get('kind')))} {clean(str(one.get('name')))}"
            out.append(Consequence("owner", "info", words))
    if APPLIED in notes and not again:
        again = True
        out.append(
            Consequence(
                "next run", "warning", "kept in a file for kubectl apply: applying it again brings its values back"
            )
        )
    fields = _of_managers(obj, touched)
    out += fields
    if not again and not any(c.level == "warning" for c in fields):
        out.append(
            Consequence("next run", "info", "nothing was found that would write these fields again: the change stays")
        )
    return tuple(out)


_FATE = {
    "Argo": "does not last where self-heal is on, and not beyond the next sync: change it in Git as well",
    "Flux": "does not last beyond the next reconciliation: change it in Git as well",
    "Helm": "does not last beyond the next helm upgrade: change the chart's values as well",
    "Airflow": "does not last: Airflow makes a new application for each task run, with the values of the DAG",
}


def _of_schedule(
    name: str, touched: tuple[str, ...], before: dict[str, Any], schedule: dict[str, Any] | None, error: str
) -> list[Consequence]:
    if schedule is None:
        why = clean(error) or "it was not found"
        return [
            Consequence("owner", "warning", f"owned by {SCHEDULED} {clean(name)}", maker=name),
            Consequence("next run", "unknown", f"whether the next run keeps it is not known: {SCHEDULED}: {why}"),
        ]
    spec, status = schedule.get("spec") or {}, schedule.get("status") or {}
    when = clean(str(status.get("nextRun") or "not known"))
    paused = " (suspended)" if spec.get("suspend") is True else ""
    cron = clean(str(spec.get("schedule") or "?"))
    owner = f"owned by {SCHEDULED} {clean(name)}, schedule {cron}{paused}, next run {when}"
    out = [Consequence("owner", "warning", owner, maker=name)]
    template = {"spec": spec.get("template") or {}}
    for at in touched:
        if not at.startswith("/spec/"):
            continue
        theirs, ours = patches.get(template, at), before.get(at, patches.MISSING)
        said = "has no value there" if theirs is patches.MISSING else f"says {_shown(theirs, at)}"
        if theirs == ours or theirs is patches.MISSING:
            out.append(
                Consequence(
                    "next run", "warning",
                    f"the next run brings the old value back: its template {said} for {dotted(at)}; change it too",
                )
            )  # fmt: skip
        else:
            out.append(Consequence("next run", "info", f"the template of the next run {said} for {dotted(at)}"))
    return out


def _of_managers(obj: dict[str, Any], touched: tuple[str, ...]) -> list[Consequence]:
    """Who set the fields that matter, the last one first; fields of the same managers together."""
    who: dict[tuple[Manager, ...], list[str]] = {}
    for at in touched:
        if those := managers(obj, at):
            who.setdefault(tuple(sorted(those, key=_written, reverse=True)), []).append(dotted(at))
    out = []
    for those, fields in who.items():
        again = any(manager.again for manager in those)
        tail = ", which may write its own value again" if again else ""
        words = f"{', '.join(fields)} was last set by {_last_and_before(those)}{tail}"
        out.append(Consequence("fields", "warning" if again else "info", words))
    return out


def _written(manager: Manager) -> float:
    """When it wrote to the object last; a server that says no time says nothing of the order."""
    return parse_time(manager.time) or 0.0


def _last_and_before(those: tuple[Manager, ...]) -> str:
    """`Console (console-oncall), which wrote last at 2026-11-27 17:12Z; before it by kubectl apply (…)`."""
    last, *before = those
    if any(_written(other) == _written(last) for other in before):
        return f"{' or '.join(m.words for m in those)} (their times do not say which)"
    at = rfc3339(_written(last) or None)
    when = f", which wrote last at {at[:16].replace('T', ' ')}Z" if at else ""
    return last.words + when + (f"; before it by {' and '.join(m.words for m in before)}" if before else "")


def dotted(pointer: str) -> str:
    """`spec.executor.memoryOverhead` of a JSON pointer."""
    return clean(".".join(patches.parts(pointer)))


def _shown(value: Any, pointer: str) -> str:
    sealed = seal_value(redact_value(value), pointer)
    return clean(shorten(str(sealed), 60))


def _texts(value: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}
