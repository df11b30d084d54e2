"""Objectives from the files of Sloth, Pyrra and OpenSLO: what is said there is held here; what cannot be is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import promql_parser
import pytest
import yaml

from console.base.decode import check
from console.base.document import parse, parse_all
from console.cli.main import run
from console.settings.presets import load_library
from console.slo.imported import Imported, read
from console.slo.spec import SloBody, SloSpec, spec

DATA = Path(__file__).parents[1] / "data" / "slo"
OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}, displayName: Web}}
spec:
  service: web
  budgetingMethod: {method}
  timeWindow: [{{duration: {window}, isRolling: {rolling}}}]
  indicator:
    spec:
      {sli}
  objectives:
    - {objective}
"""
RATIO = (
    "ratioMetric: {counter: true, good: {metricSource: {type: Prometheus, spec: {query: 'sum(good_total{a=\"b\"})'}}}, "
    "total: {metricSource: {type: Prometheus, spec: {query: all_total}}}}"
)
THRESHOLD = "thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'max(latency)'}}}"


def text(**over: str) -> str:
    fields = {
        "name": "web",
        "method": "Occurrences",
        "window": "28d",
        "rolling": "true",
        "sli": RATIO,
        "objective": "{target: 0.99}",
    }
    return OPENSLO.format(**{**fields, **over})


def imported(source: str) -> Imported:
    return read(parse_all(source, "slo.yaml"))


def made(source: str) -> list[SloSpec]:
    """The objectives as the program holds them; each expression is PromQL for every window."""
    found = imported(source)
    assert found.problems == (), [str(problem) for problem in found.problems]
    out = []
    for id, tree in found.slos.items():
        plain, problems = check(parse(yaml.safe_dump(tree), "made"), SloBody)
        assert problems == []
        one = spec(id, msgspec.convert(plain, SloBody))
        for window in one.windows:
            for expr in (one.bad(window), one.total(window), one.ratio(window)):
                if expr is not None:
                    promql_parser.parse(expr)
        out.append(one)
    return out


def test_sloth() -> None:
    (one,) = made((DATA / "sloth-spec.yaml").read_text())
    assert (one.id, one.goal, one.period, one.recorded) == ("spark-job-success", 0.99, 2592000, ("spark-job-success",))
    assert one.bad(300) == "(sum(rate(failed_total[5m]))) * 300"


def test_sloth_as_an_object_of_the_cluster() -> None:
    source = """
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: x}
spec:
  service: web
  slos:
    - {name: a, objective: 99.9, sli: {raw: {errorRatioQuery: "avg_over_time(bad:ratio[{{ .window }}])"}}}
    - name: b
      objective: 99
      sli: {events: {errorQuery: "sum(increase(b[{{.window}}]))", totalQuery: "sum(increase(t[{{.window}}]))"}}
"""
    first, second = made(source)
    assert first.ratio(300) == "avg_over_time(bad:ratio[5m])"
    assert (second.id, second.bad(3600)) == ("web-b", "sum(increase(b[1h]))")


def test_pyrra_with_its_own_windows_and_factors() -> None:
    (one,) = made((DATA / "pyrra-slo.yaml").read_text())
    assert (one.id, one.goal, one.period) == ("spark-submission", 0.995, 28 * 86400)
    first = one.alerting.pairs[0]
    assert (first.long, first.short, first.factor) == (3600, 300, 14)
    assert one.total(300) == "sum(increase(submits_total[5m]))"


@pytest.mark.parametrize(
    ("indicator", "part", "promql"),
    [
        (
            "latency: {success: {metric: 'd_bucket{le=\"1\"}'}, total: {metric: d_count}}",
            "total",
            "sum(increase(d_count[5m]))",
        ),
        ("bool_gauge: {metric: probe_success}", "total", "sum(count_over_time(probe_success[5m]))"),
    ],
)
def test_other_indicators_of_pyrra(indicator: str, part: str, promql: str) -> None:
    head = "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: x}\n"
    source = f"{head}spec:\n  target: '99'\n  window: 2w\n  indicator:\n    {indicator}\n"
    (one,) = made(source)
    assert getattr(one, part)(300) == promql
    assert one.alerting.pairs[0].long == 1800


def test_openslo_occurrences_of_counters() -> None:
    (one,) = made(text())
    assert (one.id, one.title, one.goal, one.period) == ("web", "Web", 0.99, 28 * 86400)
    assert one.total(300) == "sum(increase(all_total[5m]))"
    assert one.bad(300) == '(sum(increase(all_total[5m]))) - (sum(increase(good_total{a="b"}[5m])))'


def test_openslo_time_slices_of_a_ratio() -> None:
    (one,) = made(
        text(method="Timeslices", objective="{targetPercent: 99, timeSliceTarget: 0.95, timeSliceWindow: 5m}")
    )
    assert one.sli.slices is not None
    assert one.sli.slices.every == 300
    assert one.sli.slices.good.endswith(">= bool 0.95")
    assert "all_total[300s]" in one.sli.slices.good


def test_openslo_threshold() -> None:
    (one,) = made(text(sli=THRESHOLD, objective="{target: 0.95, op: lte, value: 0.5}"))
    assert one.sli.slices is not None and one.sli.slices.good == "(max(latency)) <= bool 0.5"


def test_openslo_refers_to_an_sli_in_another_document_and_may_have_several_objectives() -> None:
    source = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: ratio}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: Prometheus, spec: {query: bad_total}}}
    total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  indicatorRef: ratio
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}, {targetPercent: 95}]
"""
    assert [(one.id, one.objective) for one in made(source)] == [("web-1", 99), ("web-2", 95)]


def test_a_sum_that_hides_restarts_is_noted() -> None:
    rated = RATIO.replace("all_total", "sum(all_total) + sum(more_total)")
    (note,) = imported(text(sli=rated)).notes
    assert "summed before it is increased" in note


REFUSED: list[tuple[str, str, int, str]] = [
    (text(rolling="false"), "calendar window", 8, "spec.timeWindow"),
    (text(objective="{target: many}"), "a number is needed", 13, "spec.objectives[0].target"),
    (text(sli="thresholdMetric: {}"), "an indicator with good or bad", 5, "spec"),
    ("apiVersion: v1\nkind: Pod\n", "cannot be read from v1 Pod", 1, ""),
    (
        "version: prometheus/v1\nservice: a\nslos:\n- {name: x, objective: 99, sli: {plugin: {id: y}}}\n",
        "plugins",
        4,
        "slos[0].sli",
    ),
    (
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: x}\nspec:\n  target: '99'\n"
        "  indicator: {latencyNative: {latency: 1s}}\n",
        "found latencyNative",
        6,
        "spec.indicator",
    ),
]


@pytest.mark.parametrize(("source", "words", "line", "key"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_cannot_be_held_is_refused_at_its_place(source: str, words: str, line: int, key: str) -> None:
    (problem,) = imported(source).problems
    assert words in problem.message
    assert (problem.line, problem.key) == (line, key)


def test_one_bad_objective_does_not_hide_the_others() -> None:
    source = (
        "version: prometheus/v1\nservice: a\nslos:\n- {name: x, objective: 99, sli: {plugin: {id: y}}}\n"
        "- {name: z, objective: 99, sli: {raw: {error_ratio_query: 'r[{{.window}}]'}}}\n"
    )
    found = imported(source)
    assert list(found.slos) == ["a-z"] and len(found.problems) == 1


def test_a_preset_imports_files(tmp_path: Path) -> None:
    (tmp_path / "sloth.yaml").write_text((DATA / "sloth-spec.yaml").read_text())
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "title: Mine\nimports: [../sloth.yaml]\nslos:\n  spark-job-success: {objective: 98}\n"
    )
    library = load_library([folder])
    assert library.problems == ()
    assert [(s.id, s.objective) for s in library.preset("mine").specs()] == [("spark-job-success", 98)]
    (folder / "mine.yaml").write_text("title: Mine\nimports: [../nothing.yaml]\n")
    (problem,) = load_library([folder]).problems
    assert (problem.line, problem.key) == (2, "imports[0]")


def test_the_command_prints_a_preset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["slo", "import", str(DATA / "sloth-spec.yaml"), str(DATA / "pyrra-slo.yaml")]) == 0
    (tmp_path / "ours.yaml").write_text(capsys.readouterr().out)
    library = load_library([tmp_path])
    assert library.problems == ()
    assert [s.id for s in library.preset("ours").specs()] == ["spark-job-success", "spark-submission"]
    bad: Any = tmp_path / "pod.yaml"
    bad.write_text("apiVersion: v1\nkind: Pod\n")
    assert run(["slo", "import", str(bad)]) == 2
    assert "pod.yaml:1:1" in capsys.readouterr().err
