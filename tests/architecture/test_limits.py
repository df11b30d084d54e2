"""Every bound of the house is decided: what it leaves out is said, and where. A new one has to be decided too."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HOUSE = Path(__file__).parents[2] / "console"
BOUND = re.compile(
    r"^_?(MAX|MOST|LIMITS?|LISTED|KEEP|KEPT|REMEMBERED|PER_APP|OBJECTS|QUEUE|AT_START|LOAD_|MEMORY|FORMER)"
)
ASIDE = ("drill", "workstreams")
"""Rooms whose bounds are not those of what is read of a cluster: the simulated cluster has those of a real one."""

LEFT_OUT = "counted and named by a `LeftOut`, which stands where the answer is read"
UNREAD = "said in `unread`, which stands below the answer"
REFUSED = "what is larger is refused with a sentence that says how large it may be"
MORE = "the last line says how many more there are"
AGAIN = "what is dropped is read or made again when it is wanted"
CUT = "a text is shortened, with an ellipsis or a mark that it was cut"
EXAMPLES = "examples of what is counted in full beside them"
VALUE = "a value beyond it makes no sense and is taken for none"
GONE = "what has given way is said to be gone where it is asked for"
CONFIG = "the config says how much is kept, and `console info` where it lies"
VAGUE = "what is beyond it is told as `at least`"
NONE = "bounds nothing that is read"

DECIDED: dict[str, str] = {
    "advice/rules/sizes.py:LIMITS": NONE,
    "advice/rules/sizes.py:MEMORY": NONE,
    "apps/counting.py:KEPT_NUMBERS": VAGUE,
    "base/decode.py:MOST_UNKNOWN": MORE,
    "base/certificates.py:MOST_BYTES": NONE,
    "base/document.py:MAX_BYTES": REFUSED,
    "base/document.py:MAX_DEPTH": REFUSED,
    "base/document.py:MAX_NODES": REFUSED,
    "base/secretlines.py:_MOST_LINES": NONE,
    "base/units.py:MOST": VALUE,
    "base/units.py:MOST_SECONDS": VALUE,
    "cli/board/status.py:MOST_MEMBERS": MORE,
    "facts/culprits.py:MOST_ASIDE": MORE,
    "facts/logs.py:MAX_COUNTED": VAGUE,
    "facts/logs.py:MAX_HITS": EXAMPLES,
    "facts/notjudged.py:MOST": MORE,
    "facts/spots.py:MAX_PLACES": EXAMPLES,
    "findings/restlog.py:MAX_REASONS": EXAMPLES,
    "findings/rule.py:MAX_EVIDENCE": EXAMPLES,
    "findings/rules/operators/submission.py:_LIMITS": NONE,
    "findings/rules/scheduling/refusals.py:_LIMIT": NONE,
    "findings/diagnose.py:MOST_ANSWERS": LEFT_OUT,
    "findings/stacks.py:MOST_FRAMES": NONE,
    "findings/waits/model.py:KEEPERS": NONE,
    "gpu/claims.py:MOST_GPUS": VALUE,
    "gpu/faults.py:MAX_XID": VALUE,
    "live/against.py:MOST_NAMES": UNREAD,
    "live/crashes.py:MOST_BYTES": CUT,
    "live/crashes.py:MOST_FILES": AGAIN,
    "live/history.py:KEPT": AGAIN,
    "live/reads.py:MAX_APPS": LEFT_OUT,
    "live/reads.py:MOST_PEAKS": AGAIN,
    "live/remembered.py:MAX_BYTES": AGAIN,
    "live/remembered.py:MOST_COUNTED": VAGUE,
    "live/times.py:FORMER": MORE,
    "live/times.py:KEPT": AGAIN,
    "live/times.py:LISTED": MORE,
    "live/trends.py:MOST_PODS": MORE,
    "operate/bounds.py:_KEPT": NONE,
    "operate/ahead/beside.py:MOST_BESIDE": MORE,
    "operate/ahead/capacity.py:MAX_PAGES": REFUSED,
    "operate/ahead/diff.py:MAX_LINES": MORE,
    "operate/ahead/diff.py:MAX_WIDTH": CUT,
    "operate/approvals/request.py:MAX_REQUEST": REFUSED,
    "operate/ahead/rights.py:MOST": UNREAD,
    "operate/ahead/keeping.py:MAX_AGE": GONE,
    "operate/ahead/keeping.py:MAX_BYTES": GONE,
    "operate/ahead/keeping.py:MOST_EVENTS": EXAMPLES,
    "operate/ahead/keeping.py:MOST_PODS": MORE,
    "rehearse/playing.py:KEPT_DRILLS": NONE,
    "runbook/budget.py:MAX_ITEMS": REFUSED,
    "runbook/budget.py:MAX_TEXT": REFUSED,
    "runbook/budget.py:MAX_WORK": REFUSED,
    "runbook/context/after.py:MEMORY_KINDS": NONE,
    "runbook/authors/importing/book.py:MAX_TEXT": CUT,
    "runbook/authors/importing/book.py:MOST_STEPS": MORE,
    "runbook/authors/importing/page.py:MAX_BYTES": REFUSED,
    "runbook/authors/importing/page.py:MAX_LINE": CUT,
    "runbook/context/objects.py:MOST": REFUSED,
    "runbook/context/objects.py:MOST_OF_ALL": REFUSED,
    "runbook/context/writers.py:MOST_FIELDS": EXAMPLES,
    "runbook/steps/__init__.py:MOST_KEPT": REFUSED,
    "runbook/remarks.py:MOST": MORE,
    "runbook/filters.py:MOST_NAMED": MORE,
    "runbook/say.py:MAX_LINES": MORE,
    "runbook/steps/__init__.py:MAX_STEPS": REFUSED,
    "runbook/template.py:MAX_DEPTH": REFUSED,
    "runbook/template.py:MAX_LITERAL": REFUSED,
    "runbook/template.py:MAX_SOURCE": REFUSED,
    "runbook/types.py:MAX_STRING": REFUSED,
    "sources/cluster/advice.py:MAX_OBJECTS": UNREAD,
    "sources/cluster/captured.py:MAX_AGE": CONFIG,
    "sources/cluster/captured.py:MAX_BYTES": CONFIG,
    "sources/cluster/captured.py:MOST_ASIDE": UNREAD,
    "sources/cluster/captured.py:_LOAD_LOG": CUT,
    "sources/cluster/captured.py:_LOAD_LOGS": LEFT_OUT,
    "sources/cluster/captured.py:_LOAD_PODS": LEFT_OUT,
    "sources/cluster/component_pods.py:MAX_LOGS": LEFT_OUT,
    "sources/cluster/component_pods.py:MAX_PODS": LEFT_OUT,
    "sources/cluster/component_pods.py:MAX_WORKLOADS": LEFT_OUT,
    "sources/cluster/beside.py:MAX_NAMESPACES": LEFT_OUT,
    "sources/cluster/beside.py:MAX_OBJECTS": UNREAD,
    "sources/cluster/configmaps.py:MAX_READ": LEFT_OUT,
    "sources/cluster/names.py:MAX_NAMESPACES": LEFT_OUT,
    "sources/cluster/gone.py:LIMITS": LEFT_OUT,
    "sources/cluster/gone.py:MAX_AGE": AGAIN,
    "sources/cluster/keeper.py:OBJECTS": LEFT_OUT,
    "sources/cluster/keeper.py:PER_APP": LEFT_OUT,
    "sources/cluster/keeper.py:_AT_START": LEFT_OUT,
    "sources/cluster/keeper.py:_MEMORY": LEFT_OUT,
    "sources/cluster/keeper.py:_QUEUE": LEFT_OUT,
    "sources/cluster/logs.py:_MOST": CUT,
    "sources/cluster/pods.py:_LIMIT": AGAIN,
    "sources/cluster/scope.py:MAX_NAMESPACES": LEFT_OUT,
    "sources/cluster/kinds.py:QUEUED": NONE,
    "sources/cluster/kinds.py:QUEUES": NONE,
    "sources/cluster/source.py:MAX_EVENTS": LEFT_OUT,
    "sources/cluster/source.py:MAX_FOLLOWED": LEFT_OUT,
    "sources/cluster/source.py:MAX_QUEUED": LEFT_OUT,
    "sources/files/runbooks.py:MAX_BYTES": REFUSED,
    "sources/files/runbooks.py:MAX_FILES": UNREAD,
    "sources/files/workstreams.py:MAX_FILE": REFUSED,
    "sources/files/workstreams.py:MAX_FILES": REFUSED,
    "sources/files/workstreams.py:MAX_INDEX": REFUSED,
    "sources/folder/contents.py:MAX_DEPTH": UNREAD,
    "sources/folder/contents.py:MAX_FILES": UNREAD,
    "sources/folder/contents.py:MAX_MEMBERS": UNREAD,
    "sources/folder/contents.py:MAX_TEXT": UNREAD,
    "sources/folder/contents.py:MAX_TOTAL": UNREAD,
    "sources/folder/contents.py:MAX_UNPACKED": UNREAD,
    "sources/folder/harvest.py:MAX_SAMPLES": UNREAD,
    "sources/folder/jsontext.py:MAX_CUT": UNREAD,
    "sources/folder/jsontext.py:MAX_DOCUMENTS": UNREAD,
    "sources/folder/text.py:MAX_YAML": UNREAD,
    "sources/prometheus/alertmanager.py:MAX_ALERTS": LEFT_OUT,
    "sources/prometheus/alertmanager.py:MAX_PAYLOAD": REFUSED,
    "sources/prometheus/client.py:MAX_ANSWER": REFUSED,
    "sources/prometheus/joined.py:LIMIT": NONE,
    "sources/prometheus/monitoring.py:MAX_LOOKUPS": AGAIN,
    "sources/prometheus/readings.py:MAX_SAMPLES": UNREAD,
    "sources/prometheus/scrape_objects.py:MAX_PODS": LEFT_OUT,
    "sources/prometheus/scrape_objects.py:MAX_POD_MONITORS": LEFT_OUT,
    "sources/prometheus/scrape_objects.py:MAX_SPACES": LEFT_OUT,
    "sources/prometheus/scrape_objects.py:_KEPT": NONE,
    "sources/spark/eventlog.py:MAX_TASKS": UNREAD,
    "sources/spark/rest.py:MAX_ANSWER": UNREAD,
    "sources/spark/standalone.py:MAX_DRIVERS": LEFT_OUT,
    "sources/spark/standalone.py:MAX_MASTERS": LEFT_OUT,
    "sources/spark/standalone.py:MAX_WORKERS": LEFT_OUT,
    "sources/spark/standstill.py:MOST_EXECUTORS": EXAMPLES,
    "timeline/timeline.py:MAX_EXCERPT": CUT,
    "timeline/timeline.py:MOST_PLACES": MORE,
    "timing/plans.py:KEPT": NONE,
    "tui/clipboard.py:MAX_BYTES": REFUSED,
    "tui/workstreams_index.py:MOST_VERSIONS": EXAMPLES,
    "wire/guarded.py:MAX_BODY": REFUSED,
    "wire/guarded.py:MAX_CALLS": REFUSED,
    "wire/http.py:MAX_BODY": REFUSED,
    "wire/http.py:_MAX_WAIT": NONE,
    "wire/kubeconfig.py:_MAX_FILE": REFUSED,
    "wire/plugin.py:_MAX_OUTPUT": REFUSED,
    "wire/reader.py:MAX_LINE": REFUSED,
}


def bounds() -> set[str]:
    """`module:NAME` of every number of the house whose name says that it bounds something."""
    out = set()
    for path in sorted(HOUSE.rglob("*.py")):
        room = path.relative_to(HOUSE)
        if room.parts[0] in ASIDE:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign):
                named = node.targets
            elif isinstance(node, ast.AnnAssign):
                named = [node.target]
            else:
                continue
            names = [n.id for target in named for n in ast.walk(target) if isinstance(n, ast.Name)]
            out |= {f"{room}:{name}" for name in names if BOUND.match(name)}
    return out


def test_every_bound_is_decided() -> None:
    assert bounds() == set(DECIDED)


def test_what_is_decided_to_be_counted_is_counted_in_that_module() -> None:
    for bound in (bound for bound, how in DECIDED.items() if how == LEFT_OUT):
        text = (HOUSE / bound.partition(":")[0]).read_text()
        assert re.search(r"\b(bounded|LeftOut)\(", text), bound
