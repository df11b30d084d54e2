"""What a component is and how one is told healthy: YAML with a schema, so that a new component needs no code.

A component is found by kind, labels, name pattern or image. Its health comes from *signals*. A signal that speaks of
the function (not only of replicas) says good, bad or nothing; where none says anything the component is unknown.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from console.base.decode import Duration
from console.slo.spec import SloBody, SloSpec, spec

NonEmptyText = Annotated[str, Meta(min_length=1)]
ComponentId = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", extra={"says": "a name of lower-case letters, digits and -"})
]
Pattern = Annotated[str, Meta(min_length=1, extra={"says": "a regular expression"})]
Verdict = Literal["degraded", "down"]


class Find(Struct, frozen=True, forbid_unknown_fields=True):
    """One way to find objects of a component. Everything that is given must hold.

    Attributes:
        kind: `Deployment`, `StatefulSet`, `Pod`, `SparkApplication`, `Node`, …; `api` the API group where kinds share
            a name (`spark.apache.org`).
        labels, annotations: key -> value; `*` stands for any text in a value, an empty text for "must be absent".
        name: patterns with `*`, one of which the name matches; `image` the same for the image of a container.
        namespace: patterns of namespaces, all if empty.
        resource: an extended resource (`nvidia.com/gpu`) that the node offers or the pod asks for.
        conf: pattern of a line `key=value` of a Spark configuration (`spec.sparkConf`, or the data of a ConfigMap).
        field: path of a field below `spec` -> pattern of its value, with `*`.
    """

    kind: NonEmptyText
    api: str = ""
    labels: dict[NonEmptyText, str] = {}
    name: tuple[NonEmptyText, ...] = ()
    image: tuple[NonEmptyText, ...] = ()
    namespace: tuple[NonEmptyText, ...] = ()
    resource: str = ""
    annotations: dict[NonEmptyText, str] = {}
    conf: str = ""
    field: dict[NonEmptyText, NonEmptyText] = {}


class Compare(Struct, frozen=True, forbid_unknown_fields=True):
    """A comparison with a number; exactly one is given."""

    EXACTLY_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("above", "below", "equals", "at_least", "at_most"),)

    above: float | None = None
    below: float | None = None
    equals: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        if self.above is not None:
            return value > self.above
        if self.below is not None:
            return value < self.below
        if self.equals is not None:
            return value == self.equals
        if self.at_least is not None:
            return value >= self.at_least
        return value <= (self.at_most if self.at_most is not None else value)

    @property
    def words(self) -> str:
        for name, word in (("above", ">"), ("below", "<"), ("equals", "="), ("at_least", "≥"), ("at_most", "≤")):
            if (number := getattr(self, name)) is not None:
                return f"{word} {number:g}"
        return ""


class Metric(Struct, frozen=True, forbid_unknown_fields=True):
    """PromQL that gives one number. No series says nothing, unless `absent` says what it means."""

    query: NonEmptyText
    bad: Compare
    absent: Literal["unknown", "bad"] = "unknown"


class LogPattern(Struct, frozen=True, forbid_unknown_fields=True):
    """A line in the log tail of a pod of the component. `good` lines after the last bad one lift it."""

    bad: Pattern
    good: Pattern | None = None


class Occurrence(Struct, frozen=True, forbid_unknown_fields=True):
    """A Kubernetes event within `within` seconds about an object or a pod of the component, or `anywhere` about
    anything in its namespaces."""

    reason: tuple[NonEmptyText, ...]
    message: Pattern | None = None
    within: Duration = 900.0
    anywhere: bool = False


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    """A field of the found objects, as a path: `status.ingress.0.conditions[type=Admitted].status`; with slashes where
    a name has dots: `/metadata/annotations/autoscaling.keda.sh~1paused-replicas`.

    `good` and `bad` are lists of texts; a value in neither says nothing. `older` counts a value as bad when it is a
    time further back than this; `number` when it is a number for which the comparison holds.
    """

    EXACTLY_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("good", "bad", "older", "number"),)

    path: NonEmptyText
    good: tuple[str, ...] | None = None
    bad: tuple[str, ...] | None = None
    older: Duration | None = None
    number: Compare | None = None
    absent: Literal["unknown", "bad"] = "unknown"


class Stuck(Struct, frozen=True, forbid_unknown_fields=True):
    """Objects that the component should have moved on: their field has one of `values` for longer than `after`.

    `since` is the path of the time from which it counts: without one, the creation of the object. Of an object that
    has no such time nobody knows how long it waits, and nothing is said of it.
    """

    kind: NonEmptyText
    path: NonEmptyText
    values: tuple[str, ...]
    after: Duration
    api: str = ""
    since: str = ""


class Rest(Struct, frozen=True, forbid_unknown_fields=True):
    """A number or text in a JSON answer that was read from the component (`master`, `applications`)."""

    document: NonEmptyText
    path: NonEmptyText
    bad: Compare


class Needs(Struct, frozen=True, forbid_unknown_fields=True):
    """Another component without which this one cannot serve; its trouble is this one's.

    With `conf` only where a line of its Spark configuration matches (a hadoop catalog needs no metastore).
    """

    component: ComponentId
    conf: str = ""


class Signal(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is looked at.

    Attributes:
        id: short name, shown with the evidence.
        says: what is wrong, when it is.
        level: what a bad signal makes of the component.
        ready: readiness as the kubelet probes it; it says something only where a container has a readiness probe.
        source: name of a source of Console that reads from the component: it notices what any client would.
    """

    EXACTLY_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("ready", "metric", "log", "event", "field", "stuck", "rest", "needs", "source"),
    )

    id: ComponentId
    says: NonEmptyText
    level: Verdict = "degraded"
    ready: bool | None = None
    metric: Metric | None = None
    log: LogPattern | None = None
    event: Occurrence | None = None
    field: Field | None = None
    stuck: Stuck | None = None
    rest: Rest | None = None
    needs: Needs | None = None
    source: NonEmptyText | None = None


class Definition(Struct, frozen=True, forbid_unknown_fields=True):
    """One component file.

    Attributes:
        find: ways to find it; any of them is enough.
        unless: other components whose objects are not this one's (a 3.5 server is no 4.1 server).
        signals: what tells its health beside replicas.
        sli: objectives that speak of it, by id; a preset takes them with `hold`.
        replicas: whether ready replicas are judged at all (not for nodes, custom resources).
    """

    id: ComponentId
    title: Annotated[str, Meta(min_length=1, max_length=40)]
    find: Annotated[tuple[Find, ...], Meta(min_length=1)]
    description: str = ""
    unless: tuple[ComponentId, ...] = ()
    signals: tuple[Signal, ...] = ()
    sli: dict[ComponentId, SloBody] = {}
    runbooks: tuple[str, ...] = ()
    replicas: bool = True


class Expectation(Struct, frozen=True, forbid_unknown_fields=True):
    """What a preset says about a component.

    Attributes:
        presence: `required` (missing is a fault), `optional`, `unintended` (rendered by accident: shown when found).
        instead: components that serve as well (Connect 3.5 where 4.1 is expected).
        because: why, in one sentence.
        cannot: why it cannot work as the preset ships it, where that is known. That it is missing then says nothing
            against the preset.
        names: without it, what runs is another preset: it gives this one its name.
    """

    presence: Literal["required", "optional", "unintended"] = "required"
    instead: tuple[ComponentId, ...] = ()
    because: str = ""
    cannot: str = ""
    names: bool = False


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that tells presets of the same components apart: a backend, a scale, a security setting.

    Attributes:
        find: ways to see it; any of them is enough.
        presence: `required`, or `absent` where it speaks against the preset.
        says: what it is, in a few words.
        names: without it, what runs is another preset.
    """

    find: Annotated[tuple[Find, ...], Meta(min_length=1)]
    says: NonEmptyText
    presence: Literal["required", "absent"] = "required"
    names: bool = False


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers at which findings begin. Ratios are 0 to 1, temperatures degrees Celsius, durations seconds."""

    volume_used: Annotated[float, Meta(gt=0, le=1)] = 0.9
    object_store_used: Annotated[float, Meta(gt=0, le=1)] = 0.85
    gpu_idle: Annotated[float, Meta(ge=0, le=1)] = 0.05
    gpu_idle_for: Duration = 1800.0
    gpu_temperature: float = 85.0
    gpu_memory_temperature: float = 95.0
    gpu_memory_used: Annotated[float, Meta(gt=0, le=1)] = 0.98
    gpu_throttled: Annotated[float, Meta(gt=0, le=1)] = 0.1
    pending_for: Duration = 600.0
    backup_age: Duration = 93600.0


class Preset(Struct, frozen=True, forbid_unknown_fields=True):
    """What a deployment of a given shape should contain, and what it is held to. `name` is the name of its file.

    Attributes:
        extends: presets that this one is laid over, the later over the earlier; mappings are merged key by key, lists,
            `sli`, `alerting` and `contributors` are replaced, and a key with nothing after it removes what it inherits.
        abstract: a part of presets, no deployment of its own.
        marks: what else tells it from presets of the same components.
        hold: components whose own objectives are held; `slos` adds others or adjusts them.
        imports: files of Sloth, Pyrra or OpenSLO, relative to the preset, whose objectives are held.
        promises: what its values declare but cannot bring about, in sentences.
    """

    title: Annotated[str, Meta(min_length=1, max_length=60)]
    name: ComponentId = ""
    description: str = ""
    extends: tuple[ComponentId, ...] = ()
    abstract: bool = False
    components: dict[ComponentId, Expectation] = {}
    marks: dict[ComponentId, Mark] = {}
    hold: tuple[ComponentId, ...] = ()
    imports: tuple[NonEmptyText, ...] = ()
    slos: dict[ComponentId, SloBody] = {}
    thresholds: Thresholds = Thresholds()
    promises: tuple[str, ...] = ()
    origin: str = ""
    """The file."""

    def specs(self) -> tuple[SloSpec, ...]:
        """The objectives with their ids, in the order of the file."""
        return tuple(spec(id, body, f"preset {self.name}") for id, body in self.slos.items())

    @property
    def expected(self) -> tuple[str, ...]:
        """Ids of the components that must be there."""
        return tuple(id for id, what in self.components.items() if what.presence == "required")
