"""Who may change what, before anything is asked of the cluster: the mode of the context, then the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef
from console.base.clock import rfc3339
from console.base.paths import short
from console.base.text import clean
from console.base.units import human_duration
from console.operate.journal import JournalledChange
from console.settings.freeze import frozen
from console.settings.load import Settings
from console.settings.model import Freeze, Mode

NOWHERE = (
    "Console knows no place where only somebody else could agree; policy.approvals.namespace names a namespace where "
    "others may create Leases and who walks may not write"
)
HOUR = 3600.0
ALWAYS_DENIED = ("Secret",)
"""A change of a Secret could not be shown, confirmed, journalled or rolled back without its values."""


class ChangeRules(Struct, frozen=True):
    """The rules of one context.

    Attributes:
        mode: `read-only` changes nothing; `guarded` what can be rolled back; `write` whatever is confirmed.
        production: the whole context is; `production_namespaces` are in any context.
        deny: `Kind`, `Kind/namespace` or `Kind/namespace/name`; `*` stands for any one part.
        cooldown: seconds between two changes of one object by different walks.
        approvals: the namespace where a second person approves, `` where none is configured; `approval_wait`: real
            seconds that one is waited for.
        max_runs: walks of one runbook that may change something on one subject within an hour.
        stop_when_worse: whether a walk whose objectives burn more than when it began needs a reason to change more.
        granted_in: the key of the mode and its file, for whoever is to grant more.
        patience: real seconds that a confirmation waits for an answer before it counts as No.
    """

    mode: Mode = "read-only"
    production: bool = False
    production_namespaces: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    max_targets: int = 10
    cooldown: float = 300.0
    second_person: Literal["never", "irreversible", "production", "always"] = "never"
    freeze: Freeze = Freeze()
    approvals: str = ""
    approval_wait: float = 1800.0
    patience: float = 900.0
    max_runs: int = 6
    stop_when_worse: bool = True
    granted_in: str = "contexts.<name>.mode in the config"

    @classmethod
    def of(cls, settings: Settings, **changes: object) -> ChangeRules:
        """The rules that the settings of a context hold; `changes` replace single ones (a drill's, a test's)."""
        policy = settings.values.policy
        rules = cls(
            mode=settings.mode,
            production=settings.is_production(),
            production_namespaces=settings.values.production.namespaces,
            deny=policy.deny,
            max_targets=policy.max_targets,
            cooldown=policy.cooldown,
            second_person=policy.second_person,
            freeze=policy.freeze,
            approvals=policy.approvals.namespace or "",
            approval_wait=policy.approvals.wait,
            max_runs=policy.max_runs_per_hour,
            stop_when_worse=policy.stop_when_worse,
            granted_in=f"contexts.{clean(settings.context) or '<name>'}.mode in {short(settings.file)}",
        )
        return replace(rules, **changes)

    @property
    def read_only(self) -> str:
        """Why nothing may be changed here, and what would grant it; `` where something may."""
        return f"this context is read-only; {self.granted_in} grants more" if self.mode == "read-only" else ""

    def is_production(self, namespace: str) -> bool:
        return self.production or (bool(namespace) and namespace in self.production_namespaces)


class Denial(Struct, frozen=True):
    """A no, and what said it."""

    by: Literal["mode", "policy"]
    because: str


class Occasion(Struct, frozen=True):
    """What the rules look at beside the effect.

    Attributes:
        now: epoch seconds of the walk's clock.
        walk: the walk that asks; its own earlier changes start no cooldown.
        touched: objects that the present step has changed already, as words.
        recent: changes of the last hour, and of the last `cooldown` seconds.
        runbook, subject: what is walked, and what it is about.
    """

    now: float
    walk: str
    touched: frozenset[str]
    recent: tuple[JournalledChange, ...]
    runbook: str
    subject: str


def object_key(target: ObjectRef) -> str:
    """One object, whatever version of its kind is spoken."""
    return f"{target.kind}/{target.words}"


def mode(effect: Effect, rules: ChangeRules) -> Denial | None:
    """What the mode of the context says."""
    if rules.read_only:
        return Denial("mode", rules.read_only)
    if rules.mode == "guarded" and not effect.reversible and not effect.inverse_of:
        why = f" ({effect.reason})" if effect.reason else ""
        return Denial("mode", f"mode guarded allows only what can be rolled back, and this cannot{why}")
    return None


def deny(effect: Effect, rules: ChangeRules, occasion: Occasion) -> Denial | None:
    """Objects that are never changed."""
    for target in effect.objects:
        mine = (target.kind, target.namespace, target.name)
        for pattern in (*ALWAYS_DENIED, *rules.deny):
            parts = pattern.split("/")
            if len(parts) <= 3 and all(part in ("*", have) for part, have in zip(parts, mine, strict=False)):
                because = f"policy.deny holds {pattern!r}, which {target.kind} {target.words} is"
                return Denial("policy", because)
    return None


def freeze(effect: Effect, rules: ChangeRules, occasion: Occasion) -> Denial | None:
    """Times at which nothing is changed. A rollback is not held up by them."""
    held = None if effect.inverse_of else frozen(rules.freeze, occasion.now)
    if held is None:
        return None
    why = f": {held.reason}" if held.reason else ""
    return Denial("policy", f"changes are frozen until {rfc3339(held.until)} by {held.name!r}{why}")


def max_targets(effect: Effect, rules: ChangeRules, occasion: Occasion) -> Denial | None:
    """How many objects one step may change."""
    mine = {object_key(one) for one in effect.objects}
    count = len(occasion.touched | mine)
    if mine and count > rules.max_targets:
        return Denial("policy", f"this would be object {count} of the step; policy.max_targets is {rules.max_targets}")
    return None


def cooldown(effect: Effect, rules: ChangeRules, occasion: Occasion) -> Denial | None:
    """Two walks do not change one object shortly after each other. Rollbacks and the walk itself are exempt."""
    if effect.inverse_of:
        return None
    mine = {object_key(one): one for one in effect.objects}
    for change in reversed(occasion.recent):
        shared = next((mine[key] for one in change.effect.objects if (key := object_key(one)) in mine), None)
        ago = occasion.now - change.at
        if shared is not None and change.walk != occasion.walk and ago < rules.cooldown:
            return Denial(
                "policy",
                f"walk {change.walk} changed {shared.words} {human_duration(ago)} ago ({change.effect.title}); "
                f"policy.cooldown ends in {human_duration(rules.cooldown - ago)}",
            )
    return None


def max_runs(effect: Effect, rules: ChangeRules, occasion: Occasion) -> Denial | None:
    """A runbook that is walked again and again on one subject does not mend it. Rollbacks are exempt."""
    if effect.inverse_of or not occasion.runbook:
        return None
    mine = (occasion.runbook, occasion.subject)
    walks = {
        change.walk: change.at
        for change in occasion.recent
        if (change.runbook, change.subject) == mine and change.walk != occasion.walk and occasion.now - change.at < HOUR
    }
    if len(walks) < rules.max_runs:
        return None
    ends = HOUR - (occasion.now - sorted(walks.values())[-rules.max_runs])
    return Denial(
        "policy",
        f"{len(walks)} walks of {occasion.runbook} changed something on {occasion.subject or 'this'} within an hour; "
        f"policy.max_runs_per_hour is {rules.max_runs}, and the next may in {human_duration(ends)}",
    )


def needs_second(effect: Effect, rules: ChangeRules) -> bool:
    """Whether somebody else has to agree."""
    irreversible = not effect.reversible and not effect.inverse_of
    return {
        "never": False,
        "irreversible": irreversible,
        "production": is_production(effect, rules),
        "always": True,
    }[rules.second_person]


def no_second(rules: ChangeRules, because: str) -> Denial:
    """A second person has to agree, and none can be had: a name typed here proves nobody."""
    return Denial(
        "policy",
        f"policy.second_person ({rules.second_person}) asks for a second person, and one cannot be had: {because}",
    )


def second_person(effect: Effect, rules: ChangeRules) -> Denial | None:
    """Where a second person has to agree, there is a place for it. What they may there is asked of the cluster."""
    if not needs_second(effect, rules) or rules.approvals:
        return None
    return no_second(rules, NOWHERE)


def is_production(effect: Effect, rules: ChangeRules) -> bool:
    """Whether the context is production, or anything that the effect may change."""
    return rules.production or any(rules.is_production(one.namespace) for one in effect.objects)


PolicyRule = Callable[[Effect, ChangeRules, Occasion], Denial | None]
POLICY: tuple[tuple[str, PolicyRule], ...] = (
    ("deny", deny),
    ("freeze", freeze),
    ("max targets", max_targets),
    ("cooldown", cooldown),
    ("max runs", max_runs),
    ("second person", lambda effect, rules, occasion: second_person(effect, rules)),
)
"""The policy in the order in which it is asked."""


def policy(effect: Effect, rules: ChangeRules, occasion: Occasion) -> Denial | None:
    """The first rule that says no."""
    return next(filter(None, (rule(effect, rules, occasion) for _, rule in POLICY)), None)
