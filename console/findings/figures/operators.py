"""Operators of Spark, what they submit and what they start on a schedule."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from console.findings.figures.base import Figures


class OperatorFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    why: reason of its containers, e.g. `OOMKilled`; `` where its pods were not looked at.
    """

    CODES: ClassVar[tuple[str, ...]] = ("operator-down", "operator-submit-killed", "operator-volume-missing")

    why: str = ""


class WebhookFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    webhook: its name in the configuration, which is the subject.
    service: `namespace/name` of the Service that is called.
    what: what does not fit: `service`, `port`, `endpoints`, `ca`, `expired`, `ends soon` or `certificate`.
    fails: whether the API server refuses what it is asked about while the webhook fails (failurePolicy).
    """

    CODES: ClassVar[tuple[str, ...]] = ("webhook-misfit",)

    webhook: str
    service: str
    what: str
    fails: bool


class SubmissionFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    why: what failed, in words; begins with `webhook NAME` where an admission webhook did.
    """

    CODES: ClassVar[tuple[str, ...]] = ("submission-failed", "submission-refused")

    why: str


class StuckStateFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    state: the state of the application that does not pass, as its operator spells it.
    terminating: whether the driver pod is being deleted and does not go.
    """

    CODES: ClassVar[tuple[str, ...]] = ("state-stuck",)

    state: str
    terminating: bool


class MissedRunFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    last_run: name of the application that the schedule started last; `` where it started none.
    policy: its concurrencyPolicy.
    """

    CODES: ClassVar[tuple[str, ...]] = ("schedule-missed",)

    last_run: str = field(name="lastRun")
    policy: str


class StartLatencyFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    share: share (0-1) of applications that took longer to start than they should.
    """

    CODES: ClassVar[tuple[str, ...]] = ("start-latency",)

    share: float
