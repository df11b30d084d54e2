"""The long form of a runbook loads to the steps that are walked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from console.runbook import schema
from console.runbook.language.expanded import text
from console.runbook.model import Runbook
from tests.runbook.longform import LONG
from tests.runbook.player import LIBRARY
from tests.runbook.test_bad_runbooks import BAD
from tests.runbook.test_checklist import BOOK

MENDED = {name: bad.text.replace(bad.old, bad.new) for name, bad in BAD.items()}
OBJECTIVE = """\
apiVersion: console/v1
kind: Runbook
id: slow
title: Slow
about: app
match: {objectives: [job-success]}
inputs: {size: {type: int, default: 2}}
steps:
- save: {wanted: app.name}
- manual: Raise it
  until: app.live
- do: {patch: app, merge: {spec: {executor: {instances: "{{ inputs.size }}"}}}}
  edit: {input: size, value: "{{ inputs.size }}", minimum: "1", maximum: "9"}
verify: {that: app.state == 'RUNNING', moves: after.tasks}
"""


def steps(book: Runbook) -> list[dict[str, Any]]:
    """Steps without their places."""
    return [{**msgspec.to_builtins(step), "at": (), "line": 0} for step in book.steps]


RUNS = """\
apiVersion: console/v1
kind: Runbook
id: down
title: Down
about: app
match: {objectives: [job-success]}
steps:
- check: Can its image be pulled?
  finding: image-pull
  then: run image-pull
  else: run quota
- run: history
  then: its end
- run: quota
- note: Look again
"""


@pytest.mark.parametrize(
    "book",
    [BOOK, schema.load(RUNS, "runs.yaml"), schema.load(OBJECTIVE, "o.yaml"), LONG, LIBRARY.runbooks["spark-oom"]]
    + [schema.load(written, f"{name}.yaml") for name, written in MENDED.items()],
    ids=lambda book: book.file,
)
def test_the_long_form_is_what_is_walked(book: Runbook) -> None:
    assert steps(schema.load(text(book), "long.yaml")) == steps(book)
