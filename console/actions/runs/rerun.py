"""`action: rerun`: an application runs once more, from its start, with the spec that it has.

Kubeflow's operator submits anew, whatever state the application is in, when a field of its spec changes (all but
`suspend` and `timeToLiveSeconds`): an annotation of the driver is one that changes nothing of the job. Apache's runs an
application once and does not look at its spec afterwards: there a copy is made, under a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from console.actions import patches
from console.actions.aftermath import SINK
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.making import Making, name_of, stamped
from console.actions.proof import Proof
from console.apps.states import over
from console.base.shapes import mapping
from console.base.text import clean

RERUN = patches.pointer(("spec", "driver", "annotations", "console.oncall/rerun"))
APACHE = "spark.apache.org"
_ENDED = frozenset(
    {"TERMINATEDWITHOUTRELEASERESOURCES", "RESOURCERELEASED", "SUCCEEDED", "FAILED", "SCHEDULINGFAILURE"}
)
_OF_OTHERS = ("app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "argocd.", "kustomize.", "helm.")
"""Beginnings of labels by which something else knows its own objects."""


class Rerun(Making):
    name = "rerun"
    noun = "a rerun"
    asks = "Run once more"
    does = "run once more"
    kinds = (("sparkoperator.k8s.io", "SparkApplication"), (APACHE, "SparkApplication"))
    way_back = "never"
    late = True

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        return "a run that was started over cannot be had back, and what it writes stays", "leave `rollback` out"

    def makes(self, effect: Effect) -> bool:
        return effect.target is not None and effect.target.api_version.startswith(f"{APACHE}/")

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        states = (
            "object.status.applicationState.state|default(object.status.currentState.currentStateSummary|default(''))"
        )
        return Proof(f"{states} in ['RUNNING', 'COMPLETED', 'RunningHealthy', 'Succeeded']", hold="2m", deadline="20m")

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        target = effect.target
        assert target is not None
        if not self.makes(effect):
            return replace(effect, patch_type="merge", patch=patches.setting(RERUN, effect.id), touched=(RERUN,))
        labels = {
            k: v for k, v in mapping(mapping(obj.get("metadata")).get("labels")).items() if not k.startswith(_OF_OTHERS)
        }
        meta = {"name": name_of(target.name, effect), "namespace": target.namespace, "labels": labels}
        made = {
            "apiVersion": target.api_version,
            "kind": target.kind,
            "metadata": meta,
            "spec": mapping(obj.get("spec")),
        }
        return stamped(effect, made)

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        if mapping(obj.get("spec")).get("suspend") is True:
            yield "it is suspended: it is submitted anew when it is resumed (`resume`)"
        state = _apache_state(obj)
        if self.makes(effect) and not over(state) and state.upper() not in _ENDED:
            yield f"it is not over ({clean(state) or 'no state yet'}): two of it would run at once"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        if not self.makes(effect):
            return super().consequences(effect, obj, touched, now, beside)
        trace = self.trace(effect)
        name = trace.name if trace is not None else "?"
        return [
            Consequence("restart", "info", f"a copy runs as {clean(name)}; the application itself stays as it is"),
            Consequence("sink", "unknown", SINK),
        ]


def _apache_state(obj: dict[str, Any]) -> str:
    return str(mapping(mapping(obj.get("status")).get("currentState")).get("currentStateSummary") or "")


VERB = Rerun()
