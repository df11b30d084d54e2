"""`console runbooks import`: a Markdown page becomes a runbook that passes lint, and nothing in it a change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.base.errors import DocumentError, UsageError
from console.cli.runbooks import group
from console.runbook import schema
from console.runbook.authors.checklist import checklist, markdown
from console.runbook.authors.importing import book, page
from console.runbook.authors.importing.evidence import proposal
from console.runbook.authors.importing.page import PageItem
from console.runbook.lint.run import lint
from console.runbook.model import Runbook
from tests.runbook.player import LIBRARY

PAGE = r"""---
title: A pod comes and goes
weight: 20
---

# SparkPodFlapping

## Meaning

The pod of a job [starts](https://example.org/x) and ends
again and again.

## Impact

<details>Jobs are late.</details>

## Diagnosis

- Look at the pod with `kubectl -n $NAMESPACE get pod $POD`.
- Who else is hit: `kubectl get pods -n <namespace> -l app=spark -o wide`

See how often it began:

```promql
kube_pod_container_status_restarts_total
```

## Mitigation

Delete it, and {{ hope }}:

```console
$ kubectl -n $NAMESPACE \
  delete pod $POD
pod "x" deleted
```

```yaml
kind: Pod
```

Talk to the team.
"""


def made(text: str, tmp_path: Path, answers: str = "", *more: str) -> tuple[Result, Path]:
    file = tmp_path / "SparkPodFlapping.md"
    file.write_text(text)
    args = ["import", str(file), "--folder", str(tmp_path), *more]
    return CliRunner().invoke(group, args, input=answers, standalone_mode=False), tmp_path / "spark-pod-flapping.yaml"


def loaded(file: Path) -> Runbook:
    read = schema.load(file.read_text(), str(file))
    assert [p for p in lint(read, scripts={}, catalogue=LIBRARY.catalogue) if p.severity == "error"] == []
    assert read.changes_nothing and not read.writes
    return read


def test_every_command_is_a_manual_step_and_no_change(tmp_path: Path) -> None:
    result, file = made(PAGE, tmp_path)
    assert result.exit_code == 0, result.output
    read = loaded(file)
    assert [a.name for a in read.match.alerts] == ["SparkPodFlapping"]
    assert read.what.startswith("The pod of a job starts (https://example.org/x) and ends")
    assert "Jobs are late." in read.what
    manual = {s.id: s.text for s in read.steps if s.kind == "manual"}
    assert len(manual) == 4 and not read.objects and not read.inputs
    assert any("kubectl -n $NAMESPACE delete pod $POD" in " ".join(text.split()) for text in manual.values())
    assert not any("deleted" in text for text in manual.values())
    notes = [s.text for s in read.steps if s.kind == "note"]
    assert any("Talk to the team." in text and "kind: Pod" in text for text in notes)
    again, _ = made(PAGE, tmp_path)
    assert isinstance(again.exception, UsageError) and "is there already" in again.exception.message


def test_what_only_reads_becomes_evidence_where_a_person_says_so(tmp_path: Path) -> None:
    result, file = made(PAGE, tmp_path, "y\ny\ny\n")
    assert result.exit_code == 0, result.output
    assert "delete" not in "".join(line for line in result.output.split("\n") if line.startswith("Shall Console"))
    read = loaded(file)
    one, many = read.objects
    assert (one.kind, one.object, one.namespace) == ("Pod", "{{ inputs.pod }}", "{{ inputs.namespace }}")
    assert many.listed and many.labels == {"app": "spark"}
    assert {i.name: i.sources for i in read.inputs} == {
        "namespace": ("alert.labels.namespace",),
        "pod": ("alert.labels.pod",),
    }
    assert [s.query for s in read.steps if s.query] == ["kube_pod_container_status_restarts_total"]
    assert [s.kind for s in read.steps if s.kind == "manual"] == ["manual"]


@pytest.mark.parametrize("answers", ["n\nn\nn\n", ""])
def test_no_answer_is_no(answers: str, tmp_path: Path) -> None:
    _, file = made(PAGE, tmp_path, answers)
    assert not loaded(file).objects


def test_a_page_that_show_wrote_keeps_the_ids_of_its_steps(tmp_path: Path) -> None:
    _, file = made(PAGE, tmp_path)
    before = loaded(file)
    shown = markdown(checklist(before))
    file.unlink()
    result, file = made(shown, tmp_path)
    assert result.exit_code == 0, result.output
    after = loaded(file)
    kept = [(s.id, s.kind) for s in before.steps if s.kind in ("manual", "note")]
    assert [(s.id, s.kind) for s in after.steps if s.kind in ("manual", "note")] == kept
    assert after.id == before.id and after.match == before.match


@pytest.mark.parametrize(
    "command",
    [
        "kubectl delete pod x", "kubectl get secret x", "kubectl get secrets -n a", "kubectl get pod x; rm -rf /",
        "kubectl get pod $(id)", "kubectl get pod x | xargs kubectl delete pod", "kubectl get pod x > /etc/passwd",
        "kubectl get pod x --kubeconfig /tmp/k", "kubectl get pod x --raw=/", "kubectl exec x -- ls",
        "kubectl get pod `id`",
        "kubectl get pod {{ inputs.x }}", "kubectl get pod 'x", "kubectl get nothing x", "kubectl get pod ../x",
        "kubectl get pod x -l a=b", "kubectl get pods -l 'a in (b)'", "kubectl get", "curl http://x", "etcdctl get x",
    ],
)  # fmt: skip
def test_nothing_that_writes_or_could_is_ever_proposed_as_evidence(command: str) -> None:
    assert proposal(PageItem("shell", command), LIBRARY.catalogue) is None


def test_a_query_of_a_series_that_nobody_exports_stays_by_hand() -> None:
    assert proposal(PageItem("query", "kube_no_such_series"), LIBRARY.catalogue) is None
    assert proposal(PageItem("query", "up == {{ 1 }}"), LIBRARY.catalogue) is None


HOSTILE = [
    "# A\n## Diagnosis\n{{ 7 * 7 }} {% for x in range(9) %}{# \x1b[31m\x00 ![x](javascript:alert(1)) [red]\n",
    "# A\n## Diagnosis\n" + "`kubectl get pods -n a` " * 5_000,
    "# A\n## " + "# " * 5_000 + "\n```\n" + "x\n" * 20_000,
    "# A\n## Diagnosis\n" + "<" * 60_000 + "[" * 60_000 + "]" * 60_000,
    "# A\n## Diagnosis\n```console\n$ : {a: !!python/object/apply:os.system [id]}\n- x: &a [*a]\n```\n",
    "---\ntitle: x\n# A\n## Diagnosis\n1. **next** `#next`\n2. **verify** `#verify`\n3. **a** `#a`\n3. **a** `#a`\n",
    "# A\n## Steps\n1. **CHANGE: x** `#cordon-node`\n   - do: {delete: app}\n",
    "# A\n## Ends\n\n## \n\n#### \n```",
    "\ufeff# A\r\n## Diagnosis\r\n`kubectl get pod x`\u202e\u2066\r\n",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_page_is_harmless_text(text: str) -> None:
    found = page.read(text, "A.md", "SomeAlert")
    written = book.text(found, {}, owner="me", day="2026-11-20")
    read = schema.load(written, "a.yaml")
    assert [p for p in lint(read, scripts={}, catalogue=LIBRARY.catalogue) if p.severity == "error"] == []
    assert not read.writes and len(read.steps) <= book.MOST_STEPS + 20
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", written)
    if "7 * 7" in text:
        assert "{{ '{{' }} 7 * 7 }}" in next(s.text for s in read.steps if s.kind == "note")


def test_what_is_too_large_or_names_no_alert_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="larger than 200 kB"):
        page.read("x" * 200_001, "a.md", "A")
    with pytest.raises(DocumentError, match="name of an alert"):
        page.read("# Two words\n", "a.md", "no alert")
    result, _ = made(PAGE.replace("# SparkPodFlapping", "# Two words"), tmp_path, "", "--alert", "Named")
    assert result.exit_code == 0 and (tmp_path / "named.yaml").exists()


def test_ids_are_those_of_runbooks() -> None:
    assert [book.id_of(a) for a in ("KubePodCrashLooping", "CPUThrottlingHigh", "etcdInsufficientMembers", "__x9")] == [
        "kube-pod-crash-looping", "cpu-throttling-high", "etcd-insufficient-members", "x-9",
    ]  # fmt: skip
