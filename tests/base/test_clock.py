from console.base.clock import moment, parse_time, rfc3339, time_of_day


def test_spark_and_kubernetes_times_are_epoch_seconds_and_not_yet_is_none() -> None:
    assert parse_time("2026-11-23T08:34:47.123GMT") == parse_time("2026-11-23T08:34:47.123Z") == 1795422887.123
    assert parse_time("1969-12-31T23:59:59.999GMT") is None
    assert parse_time("never") is None
    assert rfc3339(1795422887.9) == "2026-11-23T08:34:47Z"
    assert rfc3339(None) is None


def test_a_time_of_day_is_shown_in_utc_and_one_that_cannot_be_is_not_invented() -> None:
    assert (time_of_day(1_795_521_727.9), time_of_day(1_795_521_727, to_the_minute=True)) == ("12:02:07Z", "12:02Z")
    assert (moment(1_795_521_727), moment(1_795_521_727, to_the_minute=True)) == (
        "2026-11-24 12:02:07Z",
        "2026-11-24 12:02Z",
    )
    assert (moment(None), time_of_day(None), time_of_day(1e300), time_of_day(float("nan"))) == ("?",) * 4
