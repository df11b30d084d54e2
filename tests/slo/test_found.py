"""Objectives that Sloth and Pyrra record already: read as they are, with the factors of their own rules."""

from __future__ import annotations

import pytest

from console.facts.model import Origin, Sample
from console.slo.arithmetic import evaluate
from console.slo.found import AlertRule, RecordedObjective, found

NOW = 1_800_000_000.0
HERE = Origin("prometheus", "test")
LABELS = {"sloth_id": "spark-jobs", "sloth_service": "spark", "sloth_slo": "jobs"}


def sloth_alert(*pairs: tuple[str, str, str]) -> str:
    """The expression of an alert as Sloth writes it: short window, long window, factor of each pair."""

    def above(window: str, factor: str) -> str:
        series = f'slo:sli_error:ratio_rate{window}{{sloth_id="spark-jobs", sloth_service="spark", sloth_slo="jobs"}}'
        return f"max({series} > ({factor} * 0.01)) without (sloth_window)"

    return "\nor\n".join(f"({above(short, f)} and {above(long, f)})" for short, long, f in pairs)


def sloth_page(one: str, other: str) -> str:
    return sloth_alert(("5m", "1h", one), ("30m", "6h", other))


PYRRA = 'submits:burnrate5m{slo="submit"} > (14 * (1-0.995)) and submits:burnrate1h{slo="submit"} > (14 * (1-0.995))'
PYRRA_SLOW = 'submits:burnrate2h{slo="submit"} > (2 * (1-0.995)) and submits:burnrate1d{slo="submit"} > (2 * (1-0.995))'


def sloth(period: str = "30d", days: float = 30, **over: float) -> list[Sample]:
    ratios = {"5m": 0.2, "30m": 0.01, "1h": 0.2, "2h": 0.01, "6h": 0.01, "1d": 0.01, "3d": 0.01, period: 0.004, **over}
    out = [
        Sample(f"slo:sli_error:ratio_rate{w}", {**LABELS, "sloth_window": w}, v, NOW, HERE) for w, v in ratios.items()
    ]
    for name, value in (
        ("slo:objective:ratio", 0.9900000000000001),
        ("slo:time_period:days", days),
        ("slo:period_error_budget_remaining:ratio", 0.6),
    ):
        out.append(Sample(name, LABELS, value, NOW, HERE))
    return out


def pyrra(*, generic: bool = True) -> list[Sample]:
    out = [
        Sample(f"submits:burnrate{w}", {"slo": "submit"}, 0.001, NOW, HERE)
        for w in ("5m", "30m", "1h", "2h", "6h", "1d", "4d")
    ]
    out += [
        Sample("pyrra_objective", {"slo": "submit"}, 0.995, NOW, HERE),
        Sample("pyrra_window", {"slo": "submit"}, 2419200, NOW, HERE),
    ]
    if generic:
        out.append(Sample("pyrra_availability", {"slo": "submit"}, 0.998, NOW, HERE))
    return out


def rule(query: str, **labels: str) -> AlertRule:
    return AlertRule("Burn", query, labels, 120.0)


def one(known: tuple[RecordedObjective, ...]) -> RecordedObjective:
    (only,) = known
    return only


def test_sloth_is_read_with_the_factors_of_its_rules() -> None:
    rules = [rule(sloth_page("14.4", "6"), sloth_severity="page")]
    known = one(found(sloth(), rules, NOW))
    status = evaluate(known.spec, known.measured, NOW)
    assert (status.id, status.title, status.objective) == ("spark-jobs", "jobs", 0.99)
    assert (status.state, status.severity, status.budget_left) == ("burning", "page", 0.6)
    assert status.bad is None and status.total is None
    assert status.arithmetic == "Sloth: mean of 5-minute ratios over 30d; factors 14.4, 6 read from its rules"


def test_sloth_over_twenty_eight_days_has_other_factors() -> None:
    rules = [rule(sloth_page("13.44", "5.6"), sloth_severity="page")]
    known = one(found(sloth("28d", 28), rules, NOW))
    assert [pair.threshold(known.spec.period) for pair in known.spec.alerting.pairs] == [13.44, 5.6]
    assert known.spec.period == 28 * 86400


def test_factors_that_somebody_changed_are_the_ones_that_count() -> None:
    rules = [rule(sloth_page("25", "10"), sloth_severity="page")]
    known = one(found(sloth(), rules, NOW))
    assert evaluate(known.spec, known.measured, NOW).state == "good"


def test_unread_rules_are_said_to_be_unread() -> None:
    known = one(found(sloth(), None, NOW))
    assert known.measured.arithmetic.endswith("factors 14.4, 6, 3, 1: Sloth's defaults, its rules could not be read")


def test_pyrra_is_read_with_its_own_factors_and_severities() -> None:
    known = one(found(pyrra(), [rule(PYRRA, severity="critical"), rule(PYRRA_SLOW, severity="warning")], NOW))
    pairs = [(p.long, p.short, p.factor, p.severity, p.hold) for p in known.spec.alerting.pairs]
    assert pairs == [(3600, 300, 14.0, "page", 120), (86400, 7200, 2.0, "ticket", 120)]
    status = evaluate(known.spec, known.measured, NOW)
    assert (status.state, status.period) == ("good", 28 * 86400)
    assert status.budget_left == pytest.approx(0.6)
    assert status.arithmetic == "Pyrra: events over 28d; factors 14, 2 read from its rules"


def test_pyrra_without_its_generic_rules_has_no_budget_figure() -> None:
    known = one(found(pyrra(generic=False), [], NOW))
    status = evaluate(known.spec, known.measured, NOW)
    assert status.budget_left is None
    assert "no series of its budget is recorded" in status.arithmetic


def test_a_ratio_that_is_no_number_is_no_data() -> None:
    samples = [Sample(s.name, s.labels, float("nan"), NOW, HERE) if "ratio_rate" in s.name else s for s in sloth()]
    known = one(found(samples, None, NOW))
    assert all(burn.rate is None for burn in evaluate(known.spec, known.measured, NOW).burns)


def test_what_is_no_objective_is_left_alone() -> None:
    stray = [Sample("some:burnrate5m", {"slo": "x"}, 0.1, NOW, HERE), Sample("slo:objective:ratio", {}, 1, NOW, HERE)]
    assert found(stray, [rule("this is no promql ((")], NOW) == ()
