"""The shape of the config file and of the settings that hold for one context. Durations are seconds, sizes bytes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from console.base.decode import Duration, Size

Mode = Literal["read-only", "guarded", "write"]
MODES: tuple[Mode, ...] = ("read-only", "guarded", "write")
"""From the least to the most that may be changed."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Url = Annotated[str, Meta(pattern=r"^https?://[^\s/]+", extra={"says": "a URL like http://prometheus:9090"})]
ServiceRef = Annotated[
    str,
    Meta(
        pattern=r"^(https:)?[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?(:[a-z0-9][-a-z0-9]*)?$",
        extra={"says": "a service like monitoring/prometheus-operated:9090"},
    ),
]
ClockTime = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", extra={"says": "a time of day like 16:30"})
]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$",
        extra={"says": "a time with its zone like 2026-11-27T00:00:00Z"},
        extra_json_schema={"format": "date-time"},
    ),
]
Zone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]+$", extra={"says": "an IANA time zone like Europe/Berlin"})]
NonEmptyName = Annotated[str, Meta(min_length=1)]
Namespace = Annotated[
    str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", extra={"says": "a namespace like console-approvals"})
]


class EndpointConfig(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a server is: a URL, or a Service reached through the API server's proxy with the same credentials.

    With neither, Prometheus, Alertmanager and the History Server are looked for in the cluster. A context's endpoint
    replaces the general one as a whole. `standalone_masters` adds masters that are no component of the cluster.
    """

    EXCLUSIVE: ClassVar[tuple[tuple[str, ...], ...]] = (("url", "service"), ("token_file", "token_env"))

    url: Url | None = None
    service: ServiceRef | None = None
    path: Annotated[str, Meta(pattern=r"^/", extra={"says": "a path that starts with /"})] = "/"
    """Prefix under which the server answers (`/prometheus`)."""
    token_file: NonEmptyName | None = None
    token_env: NonEmptyName | None = None
    ca_file: NonEmptyName | None = None
    headers: dict[NonEmptyName, str] = {}
    """Sent with each request, for example `X-Scope-OrgID`."""
    timeout: Duration = 10.0

    @property
    def given(self) -> bool:
        return self.url is not None or self.service is not None


class Weekly(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A freeze that returns each week. `until` before `from` reaches into the next day."""

    name: NonEmptyName
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    from_: ClockTime = "00:00"
    until: ClockTime = "24:00"
    timezone: Zone = "UTC"
    reason: str = ""


class Dates(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A freeze from one moment to another."""

    name: NonEmptyName
    from_: Moment
    until: Moment
    reason: str = ""


class Freeze(Struct, frozen=True, forbid_unknown_fields=True):
    """When nothing is changed."""

    weekly: tuple[Weekly, ...] = ()
    dates: tuple[Dates, ...] = ()


class Approvals(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a second person approves: a namespace where who walks may not write, and others may create Leases."""

    namespace: Namespace | None = None
    wait: Duration = 1800.0
    """How long a change waits for them, and how long an approval counts."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes are allowed at all, beside the mode.

    Attributes:
        deny: `Kind`, `Kind/namespace` or `Kind/namespace/name` that is never changed; `*` stands for any one part.
        max_targets: how many objects one step may change.
        cooldown: seconds between two changes of the same object.
        second_person: who needs a second person's consent: nobody, irreversible changes, everything in production.
        approvals: where they give it.
        max_runs_per_hour: how many walks of one runbook may change something on one subject within an hour.
        stop_when_worse: whether a walk whose objectives burn more than when it began needs a reason to change more.
    """

    deny: tuple[NonEmptyName, ...] = ()
    max_targets: Annotated[int, Meta(ge=1)] = 10
    cooldown: Duration = 300.0
    second_person: Literal["never", "irreversible", "production", "always"] = "never"
    approvals: Approvals = Approvals()
    freeze: Freeze = Freeze()
    max_runs_per_hour: Annotated[int, Meta(ge=1)] = 6
    stop_when_worse: bool = True


class EvidenceLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much evidence is kept on disk, and how much of it is quoted."""

    max_bytes: Size = 200 * 2**20
    max_age: Duration = 14 * 86400.0
    log_bytes: Size = 256 * 2**10
    """The tail of one log."""
    log_lines: Annotated[int, Meta(ge=1)] = 2000
    excerpt: Annotated[int, Meta(ge=80)] = 2000
    """Characters of one quotation."""


class Holds(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a recovery must last before it counts, where a runbook does not say."""

    verify: Duration = 600.0
    slo: Duration = 900.0
    timeout: Duration = 1800.0
    """After this a verification that is still unknown ends as unresolved."""


class Production(Struct, frozen=True, forbid_unknown_fields=True):
    """What is production: exact names of contexts, and of namespaces in any context."""

    contexts: tuple[NonEmptyName, ...] = ()
    namespaces: tuple[NonEmptyName, ...] = ()
    badge: Annotated[str, Meta(min_length=1, max_length=12)] = "PROD"


class Workstreams(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the index of planned work lies."""

    index: NonEmptyName | None = None


class Ui(Struct, frozen=True, forbid_unknown_fields=True):
    """Taste. `auto` looks at the terminal."""

    theme: Literal["auto", "dark", "light", "ansi", "mono"] = "auto"
    shapes: Literal["auto", "unicode", "ascii"] = "auto"
    mouse: Literal["auto", "on", "off"] = "auto"


class ContextConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What is different in one kubeconfig context. Only here more than reading can be granted."""

    mode: Mode = "read-only"
    preset: NonEmptyName | None = None
    namespaces: tuple[NonEmptyName, ...] = ()
    badge: Annotated[str, Meta(min_length=1, max_length=12)] | None = None
    prometheus: EndpointConfig = EndpointConfig()
    alertmanager: EndpointConfig = EndpointConfig()
    history_server: EndpointConfig = EndpointConfig()
    standalone_masters: tuple[EndpointConfig, ...] = ()
    policy: Policy = Policy()
    evidence: EvidenceLimits = EvidenceLimits()
    holds: Holds = Holds()


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The config file."""

    preset: NonEmptyName | None = None
    namespaces: tuple[NonEmptyName, ...] = ()
    prometheus: EndpointConfig = EndpointConfig()
    alertmanager: EndpointConfig = EndpointConfig()
    history_server: EndpointConfig = EndpointConfig()
    standalone_masters: tuple[EndpointConfig, ...] = ()
    policy: Policy = Policy()
    evidence: EvidenceLimits = EvidenceLimits()
    holds: Holds = Holds()
    production: Production = Production()
    runbook_paths: tuple[NonEmptyName, ...] = ()
    preset_paths: tuple[NonEmptyName, ...] = ()
    workstreams: Workstreams = Workstreams()
    ui: Ui = Ui()
    contexts: dict[NonEmptyName, ContextConfig] = {}


class Values(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings that hold: defaults, file, context, environment and flags laid over each other."""

    mode: Mode = "read-only"
    preset: NonEmptyName | None = None
    namespaces: tuple[NonEmptyName, ...] = ()
    badge: str | None = None
    prometheus: EndpointConfig = EndpointConfig()
    alertmanager: EndpointConfig = EndpointConfig()
    history_server: EndpointConfig = EndpointConfig()
    standalone_masters: tuple[EndpointConfig, ...] = ()
    policy: Policy = Policy()
    evidence: EvidenceLimits = EvidenceLimits()
    holds: Holds = Holds()
    production: Production = Production()
    runbook_paths: tuple[str, ...] = ()
    preset_paths: tuple[str, ...] = ()
    workstreams: Workstreams = Workstreams()
    ui: Ui = Ui()


class Provenance(Struct, frozen=True):
    """Where a value comes from. `place` names it: `--preset`, `CONSOLE_PRESET`, `config.yaml:12`."""

    kind: Literal["flag", "env", "context", "file", "default"]
    place: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.place}".strip()
