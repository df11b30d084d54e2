"""What a runbook can say: every word with what it means and an example. Read from what knows it, so that it is true."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec import inspect as types

from console.actions import verbs
from console.findings.figures import Figures, figures_of
from console.runbook import filters
from console.runbook.catalogue import Catalogue
from console.runbook.catalogue.codes import codes
from console.runbook.documents import ABOUT_WORDS
from console.runbook.language.ends import ENDS
from console.runbook.language.shapes import SHORT
from console.runbook.language.targets import KINDS


class Term(Struct, frozen=True):
    """`topic`: what kind of word it is. `keys`: what may stand beside or below it."""

    topic: str
    word: str
    says: str
    example: str = ""
    keys: tuple[str, ...] = ()


TOPICS = ("steps", "ends", "about", "verbs", "names", "findings", "filters", "tests", "functions", "kinds", "probes",
          "objectives", "alerts", "faults")  # fmt: skip
NAMES: dict[str, tuple[str, str]] = {
    "now": ("the time, in seconds", "(now - app.started)|duration"),
    "subject": ("what the walk is about: kind, namespace, name, words", "{{ subject.words }}"),
    "applies": ("whether what the runbook is for is seen now, and because of what", "{{ applies.because }}"),
    "app": ("the application that the walk is about", "app.state == 'FAILED'"),
    "node": ("the live Node that the walk is about", "node.spec.unschedulable"),
    "schedule": ("the live schedule that the walk is about", "schedule.spec.suspend"),
    "object": ("the live object that the walk is about", "object.metadata.labels.team"),
    "finding": ("the finding that led here, with its figures in `data`", "finding.data.limit > 0"),
    "found": ("findings about the subject, by code", "'image-pull' in found"),
    "findings": ("all findings about the subject", "findings|length > 0"),
    "elsewhere": ("the same findings of others", "elsewhere|pick('app')|unique|length > 1"),
    "inputs": ("values of the runbook's inputs", "inputs.hold"),
    "values": ("expressions that the runbook names", "values.new_heap|jvm_size"),
    "saved": ("what `save` steps kept", "saved.wanted"),
    "steps": ("what earlier steps left: answer, verdict, because", "steps.which.answer == 'raise'"),
    "walk": ("what happened so far, in words", "{{ walk.happened }}"),
    "after": ("the application since the change", "after.oom_deaths == 0"),
    "seen": ("how reading a named object went: found, absent, forbidden, unreachable", "seen.pod.state == 'absent'"),
    "created": ("when a named object was made, in seconds", "now - created.operator < 3600"),
    "changed": ("when a named object was changed last, in seconds", "now - changed.operator < 3600"),
    "changed_by": ("who changed a named object last", "changed_by.operator == 'helm'"),
    "writers": (
        "who wrote which fields of a named object: manager, at, fields; the latest last",
        "(writers.operator|where('fields', 'contains', 'spec.replicas')|last).manager",
    ),
    "before": ("values and fields as they were right before the last change", "values.restarts <= before.restarts"),
    "query": ("the answer of the step's own query; without data it has no `value`", "query.value > 3"),
    "slos": ("objectives by id, `-` as `_`", "slos.job_success.state == 'burning'"),
    "recovery": ("the objectives that the runbook answers for", "recovery.state == 'recovered'"),
    "alert": ("the alert that led here", "alert.labels.namespace"),
    "cluster": ("the cluster: name, version", "{{ cluster.name }}"),
    "nodes": ("all nodes; `true` holds conditions that are True", "nodes|where('true', 'contains', 'DiskPressure')"),
    "components": ("systems of the platform by id, `-` as `_`", "components.hive_metastore.state == 'healthy'"),
    "sources": ("what is read from, and how fresh it is", "sources.prometheus.state == 'fresh'"),
}
_STEPS = {
    "check": "- check: Can its image be pulled?\n  finding: image-pull\n  then: handed over",
    "ask": "- ask: What now?\n  choices:\n  - {leave: Leave it, then: handed over}\n  - {raise: Give it more}",
    "do": "- do: {patch: operator, merge: {spec: {replicas: 1}}}\n  then: verify",
    "manual": "- manual: Renew the password in the vault\n  until: changed.credentials > walk.started",
    "note": "- note: The team of the table has to know",
    "wait": "- wait: until it is there\n  until: operator.status.availableReplicas >= 1",
    "save": "- save: {wanted: operator.spec.replicas}",
    "run": "- run: image-pull",
    "escalate": "- escalate: the storage team\n  because: Only they can make it larger.\n  within: 15m",
    "each": "- each: pods\n  as: pod\n  steps:\n  - note: Look at {{ pod.metadata.name }}",
    "end": "- end: handed over\n  text: Call the platform team.",
}
_COMMON = {
    "bytes": "bytes for people (`1.5 GiB`)", "duration": "seconds for people (`16m`)", "time": "a time for people",
    "percent": "a share as a percentage", "round": "rounded to so many digits", "int": "a whole number",
    "float": "a number", "abs": "without its sign", "max": "the largest", "min": "the smallest", "sum": "all together",
    "length": "how many", "count": "how many", "first": "the first item", "last": "the last item",
    "join": "items as one text", "sort": "items in order", "unique": "each item once", "keys": "names of the fields",
    "values": "values of the fields", "items": "pairs of name and value", "string": "as text", "upper": "in capitals",
    "lower": "in small letters", "trim": "without blanks around it", "replace": "one text for another",
    "shorten": "at most so many characters", "plural": "a count with its noun (`2 nodes`)", "tojson": "as JSON",
    "ceil": "rounded up", "floor": "rounded down", "range": "numbers from 0", "defined": "whether it is known",
    "undefined": "whether it is not known", "number": "whether it is a number", "string ": "whether it is text",
}  # fmt: skip
PROBES = {
    "open": ("whether anything takes connections at the port", "probes: {answers: {of: operator, port: 8080}}"),
    "status": ("the HTTP status, where the probe says `get`", "answers.status == 200"),
    "seconds": ("how long the answer took", "answers.seconds < 2"),
    "text": ("its first 4000 characters", "'ok' in answers.text"),
    "json": ("the answer as a tree, where it is JSON", "answers.json.spark"),
    "because": ("why it is shut, or answers otherwise", "{{ answers.because }}"),
}
"""What a probe has, with an example of each."""
_OF_PODS = {"requests": "pods|requests('memory')|bytes", "limits": "pods|limits('cpu') > 8"}
"""Examples of filters whose value is not any."""
_TESTED = {"filters": "{value}|{word}", "tests": "{value} is {word}", "functions": "{word}({value})"}


def terms(catalogue: Catalogue, more: Iterable[Term] = ()) -> tuple[Term, ...]:
    """Every word, by topic. `more`: what only those above this room know, like the faults of drills."""
    out = [
        *(Term("steps", verb, _first(doc), _STEPS[verb], _keys(doc)) for verb, doc in SHORT.items()),
        *(Term("ends", end.replace("-", " "), f"outcome {told.outcome}", f"then: {end.replace('-', ' ')}")
          for end, told in ENDS.items()),
        *(Term("about", word.split()[0], f"a walk about {word}", f"about: {word}") for word in ABOUT_WORDS.split(", ")),
        *(Term("names", name, says, example) for name, (says, example) in NAMES.items()),
        *_verbs(),
        *_findings(),
        *_filters(),
        *(Term("kinds", kind, version, f"objects: {{it: {{kind: {kind}, name: x}}}}")
          for kind, version in KINDS.items()),
        *(Term("probes", word, says, example) for word, (says, example) in PROBES.items()),
        *(Term("objectives", id, "an objective of a preset", f"match: {{objectives: [{id}]}}")
          for id in sorted(catalogue.objectives)),
        *(Term("alerts", name, "an alert of a rule or a drill", f"match: {{alerts: [{name}]}}")
          for name in sorted(catalogue.alerts)),
        *more,
    ]  # fmt: skip
    return tuple(sorted(out, key=lambda term: TOPICS.index(term.topic)))


def search(all_terms: Iterable[Term], wanted: str) -> tuple[Term, ...]:
    """Terms of a topic, else those whose word is the wanted one, else those that speak of it; all for ``."""
    pool, word = tuple(all_terms), wanted.strip().lower()
    for fits in (
        lambda term: not word or term.topic == word or term.topic == f"{word}s",
        lambda term: term.word.lower() == word,
        lambda term: word in term.word.lower(),
        lambda term: any(word in text.lower() for text in (term.says, term.example, *term.keys)),
    ):
        if found := tuple(term for term in pool if fits(term)):
            return found
    return ()


def _first(thing: Any) -> str:
    """The first paragraph of what the code says of it."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return "" if text.startswith("Attributes:") else text


def _keys(struct: type[Struct]) -> tuple[str, ...]:
    return tuple(struct.__struct_encode_fields__)


def _verbs() -> Iterator[Term]:
    for name, verb in verbs().items():
        if verb.step == "change":
            says = _first(inspect.getmodule(type(verb))).partition("`: ")[2] or verb.noun
            beside = ("merge", "json") if name == "patch" else _keys(verb.arguments)
            example = (
                "do: {patch: operator, merge: {spec: {replicas: 1}}}" if name == "patch" else f"do: {{{name}: pod}}"
            )
            yield Term("verbs", name, says, example, tuple(beside))


def _findings() -> Iterator[Term]:
    for code in sorted(codes()):
        figures = figures_of(code)
        own = [name for name in _keys(figures) if name not in _keys(Figures)]
        said = tuple(f"{name}: {_type(figures, name)}" for name in own)
        yield Term(
            "findings",
            code,
            (_first(figures) or "figures") if own else "no figures of its own",
            f"'{code}' in found",
            said,
        )


def _type(figures: type[Struct], name: str) -> str:
    kind = next(f.type for f in types.type_info(figures).fields if f.encode_name == name)  # type: ignore[attr-defined]
    parts = getattr(kind, "types", (kind,))
    names = {"Str": "text", "Int": "number", "Float": "number", "Bool": "true or false", "VarTuple": "list"}
    said = (names.get(type(part).__name__.removesuffix("Type"), "value") for part in parts)
    known = [word for word in dict.fromkeys(said) if word != "value"]
    return " or ".join(known) or "value"


def _filters() -> Iterator[Term]:
    groups = (("filters", filters.FILTERS), ("tests", filters.TESTS), ("functions", filters.FUNCTIONS))
    for topic, registry in groups:
        for word, function in registry.items():
            example = _OF_PODS.get(word) or _TESTED[topic].format(word=word, value="value")
            yield Term(topic, word, _own_words(function) or _COMMON.get(word, ""), example)


def _own_words(function: Any) -> str:
    """The first sentence of a function of ours; one of the template language speaks for itself."""
    return _first(function).partition(". ")[0] if getattr(function, "__module__", "").startswith("console") else ""
