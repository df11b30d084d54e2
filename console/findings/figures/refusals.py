"""What the API refused."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures
from console.findings.figures.waits import WaitFigures


class QuotaFigures(WaitFigures, frozen=True, kw_only=True):
    """Attributes:
    quota: name of the ResourceQuota; `?` where the refusal does not name it.
    """

    CODES: ClassVar[tuple[str, ...]] = ("quota-exceeded",)

    quota: str


class RightFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    account: who lacks it, e.g. `system:serviceaccount:jobs:default`.
    verb: what it may not do, e.g. `create`.
    resource: with what, e.g. `pods`. All three are `` where the refusal does not say.
    """

    CODES: ClassVar[tuple[str, ...]] = ("rbac-denied",)

    account: str
    verb: str
    resource: str


class PodRefusalFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    by: what refuses the pods: `pod-security`, `security-context-constraint`, `quota`, `limit-range`,
        `service-account`, `priority-class`, `webhook`, `rights`, `invalid` or `other`.
    fields: what of the pod it is about, as the API names it.
    remedy: what lets the pods pass; `` where it is not known.
    """

    CODES: ClassVar[tuple[str, ...]] = ("pods-refused",)

    by: str
    fields: tuple[str, ...]
    remedy: str
