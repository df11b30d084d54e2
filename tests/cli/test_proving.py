"""`console runbooks test`: the drills that lie beside runbooks, played and judged, from any folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from console.base.errors import UsageError
from console.cli.engine import proving, supported
from console.cli.engine.proving import PlayedCase, chosen, report
from console.cli.main import run

BOOK = """\
apiVersion: console/v1
kind: Runbook
id: operator-asleep
title: The operator is asleep
owner: me
what: Wakes it up.
when_not_to_use: It is awake.
reviewed: 2026-11-30
about: component spark-operator
match: {findings: [operator-down]}
objects: {operator: workload}
steps:
- do: {patch: operator, merge: {spec: {replicas: 1}}}
  when: operator.spec.replicas == 0
  then: verify
verify:
  that: operator.status.availableReplicas|default(0) >= 1
  for: 30s
"""
WATCHED_BOOK = BOOK.replace(
    "steps:\n",
    """\
values: {wanted: operator.spec.replicas}
steps:
- wait: until Prometheus sees it
  query: kube_deployment_status_replicas_available{deployment="spark-operator-controller"}
  until: query.value == 0
  within: 5m
""",
).replace("default(0) >= 1", "default(0) >= 1 and values.wanted > before.wanted")
DRILL = """\
apiVersion: console.drill/v1
kind: Scenario
name: operator-asleep
title: The operator is asleep
runbook: operator-asleep
warmup: 60s
world: platform
cases:
  default:
    title: Somebody scaled it to zero
    break:
    - {scale: Deployment/spark-operator/spark-operator-controller, to: 0, at: -30s}
    accepted:
    - {resource: deployments.apps, name: spark-operator-controller, fields: [spec.replicas]}
    answers: {patch-operator: yes}
    expect:
      outcomes: [resolved]
      end: resolved
      path: [applies, patch-operator, verify]
      writes: 1
      findings: [operator-down]
  wrong:
    title: It expects what does not happen
    break:
    - {scale: Deployment/spark-operator/spark-operator-controller, to: 0, at: -30s}
    accepted:
    - {resource: deployments.apps, name: spark-operator-webhook, fields: [spec.replicas]}
    answers: {patch-operator: yes}
    expect: {outcomes: [handed_over], end: handed-over, path: [patch-operator], writes: 2, findings: [operator-down]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "drills").mkdir()
    (tmp_path / "operator-asleep.yaml").write_text(BOOK)
    (tmp_path / "drills" / "operator-asleep.yaml").write_text(DRILL)
    return tmp_path


def test_a_persons_own_runbook_is_walked_in_its_own_drill(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It waits for what Prometheus sees, and compares with what was before its change."""
    (folder / "operator-asleep.yaml").write_text(WATCHED_BOOK)
    junit = folder / "junit.xml"
    code = run(["runbooks", "test", str(folder), "--junit", str(junit), "-v", "-o", "json"])
    told = capsys.readouterr()
    cases: dict[str, Any] = {c["case"]: c for c in json.loads(told.out)["cases"]}
    assert cases["default"]["problems"] == [] and cases["default"]["ok"]
    begun = ["applies", "until-prometheus-sees", "patch-operator-before", "patch-operator"]
    assert cases["default"]["path"] == [*begun, "verify", "resolved"]
    assert code == 1 and not cases["wrong"]["ok"]
    said = " | ".join(cases["wrong"]["problems"])
    assert "ended resolved, not handed_over" in said and "not at handed-over" in said
    assert "1 writes instead of 2" in said and "belongs to no good solution" in said
    seen = cases["default"]["said"]
    assert "Patch operator" in " ".join(seen) and "  +  replicas: 1" in seen and "> yes" in seen
    assert seen[-1].startswith("resolved: Changed: ") and "  > yes" in told.err
    (suite,) = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


def test_a_fault_that_never_shows_fails_soon(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drill = folder / "drills" / "operator-asleep.yaml"
    drill.write_text(DRILL.replace("findings: [operator-down]", "findings: [gpu-xid]\n      within: 0.5", 1))
    assert run(["runbooks", "test", str(drill), "--case", "default"]) == 1
    assert "the drill did not show gpu-xid" in capsys.readouterr().err


BAD_BOOK = BOOK.replace("operator.spec.replicas == 0", "operator.spec.replcas == 0")


@pytest.mark.parametrize(
    ("book", "drill", "why"),
    [
        (BAD_BOOK, DRILL, "operator-asleep.yaml:14:3: error: operator.spec has no 'replcas' [steps[0].when]"),
        (BOOK.replace("steps:", "stes:"), DRILL, "error: unknown key 'stes'"),
        (BOOK, DRILL.replace("path: [applies, patch-", "path: [applies, pach-"), "has no step 'pach-operator'"),
    ],
    ids=["a runbook with an error", "a runbook that does not load", "a drill with an error"],
)
def test_what_does_not_lint_is_not_played_and_says_why(
    book: str, drill: str, why: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "operator-asleep.yaml").write_text(book)
    (folder / "drills" / "operator-asleep.yaml").write_text(drill)
    (folder / "another.yaml").write_text("broken: too\n")
    monkeypatch.setattr(proving, "one", lambda *_: pytest.fail("it was played"))
    assert run(["runbooks", "test", str(folder), "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)["cases"]
    assert {case["case"] for case in told} == {"default", "wrong"}
    for case in told:
        assert not case["ok"] and case["outcome"] == "-" and case["writes"] == 0
        assert any(one.startswith("not played: ") and why in one for one in case["problems"])
        assert not any("another.yaml" in one for one in case["problems"])


def test_drills_are_named_by_runbook_file_folder_and_drill(folder: Path) -> None:
    book, drill = folder / "operator-asleep.yaml", folder / "drills" / "operator-asleep.yaml"
    for name in (folder, folder / "drills", book, drill):
        assert [s.name for s in chosen([str(name)])] == ["operator-asleep"]
    assert [s.name for s in chosen(["spark-oom"])] == ["spark-oom"]
    assert "spark-oom" in {s.name for s in chosen([])}


@pytest.mark.parametrize(
    ("name", "words"), [("spark-om", "did you mean 'spark-oom'"), ("empty", "drills lie in a folder `drills`")]
)
def test_what_has_no_drill_is_said(tmp_path: Path, name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        chosen([name])
    assert words in (caught.value.hint or "")


def test_several_are_played_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Pool:
        def __init__(self, jobs: int, **_: Any) -> None:
            asked.append(jobs)

        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def submit(self, call: Any, *args: Any) -> Any:
            from concurrent.futures import Future

            done: Any = Future()
            done.set_result(PlayedCase(args[0], args[1], "r", "resolved", (), 0, (), 1.0))
            return done

    monkeypatch.setattr(proving, "ProcessPoolExecutor", Pool)
    played = list(proving._played([("a", "x"), ("b", "y"), ("c", "z")], 8))
    assert asked == [3] and {(one.drill, one.case) for one in played} == {("a", "x"), ("b", "y"), ("c", "z")}


def test_a_report_names_what_failed() -> None:
    good = PlayedCase("d", "default", "book", "resolved", ("a",), 1, (), 2.0)
    bad = PlayedCase("d", "healthy", "book", "resolved", ("a",), 1, ("1 writes instead of 0",), 2.0)
    (suite,) = ElementTree.fromstring(report([good, bad]))
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["healthy"]


def test_the_share_of_faults_that_come_right_or_reach_their_owner_is_told() -> None:
    def played(case: str, ended: str, *expected: str, problems: tuple[str, ...] = ()) -> PlayedCase:
        return PlayedCase("d", case, "book", ended, (), 0, problems, 1.0, (), expected)

    faults = [
        played("default", "resolved", "resolved"),
        played("pause", "mitigated", "mitigated", "resolved"),
        played("owner", "handed_over", "handed_over"),
        played("wrong-fix", "handed_over", "handed_over"),
    ]
    none = [
        played("healthy", "not_applicable", "not_applicable"),
        played("look-alike", "handed_over", "handed_over"),
        played("look-alike-ill", "resolved", "resolved"),
        played("wrong-fix", "unresolved", "unresolved"),
        played("slots-stay", "as expected"),
    ]
    whole = supported.of([*faults, *none])
    assert (whole.changed, whole.owner, whole.failed, whole.share) == (2, 2, (), 1.0)
    assert whole.words == "supported mitigation: 4 of 4 faults (100%): 2 well again, 2 with the right owner"
    wrong = played("disk", "resolved", "resolved", problems=("2 writes instead of 1",))
    missed = played("late", "unresolved", "resolved", problems=("ended unresolved, not resolved",))
    part = supported.of([*faults, wrong, missed])
    assert part.document() == {"faults": 6, "changed": 2, "owner": 2, "share": 4 / 6, "failed": ["d disk", "d late"]}
    assert part.words.startswith("supported mitigation: 4 of 6 faults (66%)"), "never rounded up"
    assert supported.of(none).share is None
