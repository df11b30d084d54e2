"""`action: restart`: every pod of a workload is replaced by one like it, as a rollout, as `kubectl rollout restart`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from console.actions import patches
from console.actions.beside import Beside
from console.actions.effects import Effect
from console.actions.proof import Proof, rolled_out
from console.actions.verb import Verb
from console.base.clock import rfc3339
from console.base.shapes import mapping

RESTARTED = "kubectl.kubernetes.io/restartedAt"
ROLLING = (("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"))
_AT = patches.pointer(("spec", "template", "metadata", "annotations", RESTARTED))


class Restart(Verb):
    name = "restart"
    noun = "a restart"
    asks = "Restart"
    does = "restart"
    kinds = ROLLING
    way_back = "never"
    late = True

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        return "pods that were restarted cannot be had back", "leave `rollback` out"

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return rolled_out(kind)

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        patch = patches.setting(_AT, rfc3339(now))
        return replace(effect, patch_type="merge", patch=patch, touched=(_AT,))

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        yield from held_back(obj)

    def inverse(self, effect: Effect, before: dict[str, Any]) -> Effect | None:
        return None


def held_back(obj: dict[str, Any]) -> Iterator[str]:
    """Why a change of the template would not roll out now."""
    spec = mapping(obj.get("spec"))
    if spec.get("paused") is True:
        yield "its rollout is paused: nothing would happen until it is resumed (`resume-rollout`)"
    if mapping(spec.get("updateStrategy")).get("type") == "OnDelete":
        yield "its updateStrategy is OnDelete: a pod is replaced only when somebody deletes it"


VERB = Restart()
