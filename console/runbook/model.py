"""A parsed runbook: identity, triggers, typed inputs, steps of a closed set of kinds. Immutable.

Expressions (`when`, `until`, …) are Jinja expressions without braces; texts are Jinja templates. Both run in the
sandbox of `console.runbook.template` over the plain data of `console.runbook.context`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.actions.effects import CallVerb, Subresource

Outcome = Literal["resolved", "mitigated", "handed_over", "not_applicable", "unresolved"]
InputType = Literal[
    "string", "int", "float", "bool", "enum", "duration", "quantity", "jvm_size", "k8s_name", "namespace", "node",
    "pod", "spark_app", "promql",
]  # fmt: skip
CheckState = Literal["pass", "warn", "fail", "unknown"]
StepKind = Literal[
    "note", "ask", "check", "decide", "change", "script", "verify", "wait", "manual", "escalate", "each", "run", "end"
]
AboutKind = Literal["app", "component", "node", "nodes", "schedule", "object", "cluster"]


class AlertMatch(Struct, frozen=True):
    """An alert name (exact) with label equalities; `~` before a value means a full-match regular expression."""

    name: str
    labels: dict[str, str] = {}


class RunbookMatch(Struct, frozen=True):
    findings: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    alerts: tuple[AlertMatch, ...] = ()
    slos: tuple[str, ...] = ()


class About(Struct, frozen=True):
    """What a walk may be about. `of`: component: its id; object: its kind, e.g. `PersistentVolumeClaim`; `` any."""

    kind: AboutKind
    of: str = ""


class NamedObject(Struct, frozen=True):
    """A live object, or a list of them, that expressions and changes call by a name.

    Attributes:
        kind, api_version, object, namespace: which one; `object` (its name) and `namespace` are templates.
        workload: it is the workload of the component that the walk is about, and the other fields are empty.
        listed: all of them that have `labels` (templates by key), instead of one.
    """

    name: str
    kind: str = ""
    api_version: str = ""
    object: str = ""
    namespace: str = ""
    workload: bool = False
    listed: bool = False
    labels: dict[str, str] = {}


class Probe(Struct, frozen=True):
    """What a port of an object answers, under a name of its own.

    Attributes:
        of: the object: a Service, a Pod, or a workload of which one pod is asked.
        port: number or name. `get`: the path of an HTTP request; `` asks only whether connections are taken.
    """

    name: str
    of: str
    port: str
    get: str = ""
    scheme: str = "http"

    @property
    def words(self) -> str:
        """`GET /api/v1/version on port 18080 of server`."""
        asked = f"GET {self.get} on port {self.port}" if self.get else f"port {self.port}"
        return f"{asked} of {self.of}{' by TLS' if self.scheme == 'https' else ''}"


class Input(Struct, frozen=True):
    """A typed input. `sources` are tried in order: `selection.app`, `alert.labels.NAME`, `finding.data.NAME`,
    `app.FIELD`, `default`. The origin of what was taken is shown and journalled."""

    name: str
    type: InputType
    title: str = ""
    required: bool = True
    default: Any = None
    sources: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None


class Branch(Struct, frozen=True):
    """`when` holds (an expression; `` is the else) → `goto` with the sentence `because` and a judgement."""

    when: str
    goto: str
    because: str = ""
    status: CheckState = "pass"


class Choice(Struct, frozen=True):
    value: str
    label: str
    goto: str = ""
    hint: str = ""


class TargetTemplate(Struct, frozen=True):
    """What a change touches. All fields are templates."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""


class CallTemplate(Struct, frozen=True):
    """What a script step lets its script send to one object. The fields of `target` are templates."""

    verbs: tuple[CallVerb, ...]
    target: TargetTemplate
    subresource: Subresource = ""


class Argument(Struct, frozen=True):
    """One typed argument of a script: its own argv word, after `flag` where given. Never through a shell.

    `type` is `` where it is the one that the script declares.
    """

    name: str
    type: InputType | Literal[""]
    value: str
    flag: str = ""


class Edit(Struct, frozen=True):
    """What of a change a person may set otherwise before they confirm it: an input, with templates of the value that is
    proposed and of its limits."""

    input: str
    value: str
    minimum: str
    maximum: str


SIZED: tuple[InputType, ...] = ("int", "float", "duration", "quantity", "jvm_size")
"""Types of inputs that have a size, so that there can be limits."""


WAYS = (
    "next", "verify", "on_refused", "on_failed", "on_effective", "on_ineffective", "on_worse", "on_unknown",
    "on_unanswered",
)  # fmt: skip
"""Fields of a step that name another one."""


class Step(Struct, frozen=True):
    """One step. Which fields mean something depends on `kind`; the schema refuses the others.

    Attributes:
        branches: check, decide: ordered, the last one is the else.
        shows: templates of lines that are shown as evidence beside the step.
        action: change, script: the verb. `settings`: change: the keys of that verb, templates in them.
        edit: change, script: what of it a person may set otherwise before they confirm it.
        verify: change, script(write): id of the verify step that must follow.
        rollback: change: `captured` (the touched fields as they were) or ``; with `` stands `irreversible`, a reason.
        restarts, loses: templates: consequences in words.
        until, progress: verify: expressions; `progress` must hold for `until` to count (not vacuous).
        rises: verify: a number that must be greater at the end of the hold than at its beginning.
        completed: verify: it is done (the application finished well), which ends the hold at once.
        fails, worse: verify: it is settled that the change did not help, or did harm; no need to wait longer.
        on_*: verify: where to go; `on_unknown`: check, decide too: a `when` could not be known.
        on_refused, on_failed: change, script: where a No leads, and where an error of the server or script does.
        at: where in the document it is written; empty where the file has only steps of the long form.
        saves: check: name → expression whose value is kept as `saved.NAME`.
        each: each: the expression of the list; `item` the name that a member has in the steps of the block, `most` how
            many there may be. Its branch leads to the first step of the block. `block`: id of the `each` that a step
            stands in.
        within: ids of the steps of the same block.
        runs: run: id of the runbook; `given` its inputs, templates; `scope`: prefix of a step that came from another
            runbook.
        whom, paste: escalate: templates: who is called, and what is sent to them; `text` says why. `answer_within`: how
            long an answer is waited for, `` for no time; `on_unanswered` leads on where none came.
        touches: script(write) with a `target`: JSON pointers of the fields that it changes, so that they can be
            captured before and restored.
        calls: script(write): what it may send after the confirmation, and nothing else. Empty: a patch of `target`.
    """

    id: str
    kind: StepKind
    title: str
    line: int = 0
    text: str = ""
    when: str = ""
    next: str = ""
    shows: tuple[str, ...] = ()
    # ask
    question: str = ""
    choices: tuple[Choice, ...] = ()
    # check, decide
    branches: tuple[Branch, ...] = ()
    query: str = ""
    # change
    target: TargetTemplate | None = None
    action: str = ""
    settings: dict[str, Any] = {}
    rollback: str = ""
    irreversible: str = ""
    restarts: str = ""
    loses: str = ""
    risk: Literal["low", "high"] = "low"
    edit: Edit | None = None
    verify: str = ""
    on_refused: str = ""
    on_failed: str = ""
    # script
    script: str = ""
    arguments: tuple[Argument, ...] = ()
    effect: Literal["", "read", "write"] = ""
    timeout: float = 60.0
    touches: tuple[str, ...] = ()
    calls: tuple[CallTemplate, ...] = ()
    # verify
    until: str = ""
    rises: str = ""
    completed: str = ""
    fails: str = ""
    progress: str = ""
    worse: str = ""
    hold: str = "0s"
    deadline: str = "30m"
    poll: float = 5.0
    on_effective: str = ""
    on_ineffective: str = ""
    on_worse: str = ""
    on_unknown: str = ""
    # wait
    duration: str = ""
    # escalate
    whom: str = ""
    paste: str = ""
    answer_within: str = ""
    on_unanswered: str = ""
    # check
    saves: dict[str, str] = {}
    # each
    each: str = ""
    item: str = ""
    most: int = 0
    block: str = ""
    within: tuple[str, ...] = ()
    # run
    runs: str = ""
    given: dict[str, str] = {}
    scope: str = ""
    at: tuple[str | int, ...] = ()
    # end
    outcome: Outcome | None = None

    @property
    def writes(self) -> bool:
        return self.kind == "change" or (self.kind == "script" and self.effect == "write")


class Runbook(Struct, frozen=True):
    """`text` is the source, `hash` its SHA-256: a walk keeps both and resumes with them.

    `metrics` names series that no known exporter has (recording rules, own applications) and that queries use.
    `values` are named expressions, worked out in order from the present data; templates read them as `values.NAME`,
    and one that cannot be known is absent.

    `about`: what a walk may be about; empty where an input names the application. `on_demand`: a walk begins whatever
    is wrong. `changes_nothing`: it promises to. `last`: steps that are walked before
    any end, once something was changed.
    """

    id: str
    version: str
    title: str
    file: str
    text: str
    hash: str
    owner: str = ""
    severity: str = ""
    tags: tuple[str, ...] = ()
    what: str = ""
    when_to_use: str = ""
    when_not_to_use: str = ""
    expected_duration: str = ""
    blast_radius: str = ""
    reviewed: str = ""
    metrics: tuple[str, ...] = ()
    values: dict[str, str] = {}
    match: RunbookMatch = RunbookMatch()
    inputs: tuple[Input, ...] = ()
    steps: tuple[Step, ...] = ()
    about: tuple[About, ...] = ()
    objects: tuple[NamedObject, ...] = ()
    probes: tuple[Probe, ...] = ()
    on_demand: bool = False
    changes_nothing: bool = False
    last: tuple[str, ...] = ()
    parts: dict[str, RunbookPart] = {}
    """Scope → the runbook whose steps came in under it."""

    def step(self, id: str) -> Step | None:
        """The step; `evict@2` is the step `evict` of the block's third member."""
        name, turn = turn_of(id)
        found = next((s for s in self.steps if s.id == name), None)
        return found if found is None or turn is None else at_turn(found, turn)

    @property
    def writes(self) -> bool:
        return any(s.writes for s in self.steps)


class RunbookPart(Struct, frozen=True):
    """A runbook that another one runs, and the inputs that it is given: templates by name."""

    runbook: Runbook
    given: dict[str, str] = {}


def turn_of(id: str) -> tuple[str, int | None]:
    """The step of the file, and which turn of its block it is (from 0); None where it is in no block."""
    name, found, turn = id.rpartition("@")
    return (name, int(turn)) if found and turn.isdigit() else (id, None)


def at_turn(step: Step, turn: int) -> Step:
    """A step of a block in one of its turns: what leads on within the block leads to the same turn."""

    def way(goto: str) -> str:
        if not goto or not (goto in step.within or goto == step.block):
            return goto
        return f"{goto}@{turn + 1 if goto == step.block else turn}"

    ways = {key: way(getattr(step, key)) for key in WAYS}
    branches = tuple(msgspec.structs.replace(b, goto=way(b.goto)) for b in step.branches)
    choices = tuple(msgspec.structs.replace(c, goto=way(c.goto)) for c in step.choices)
    return msgspec.structs.replace(step, id=f"{step.id}@{turn}", branches=branches, choices=choices, **ways)
