from console.base.clock import parse_time, rfc3339


def test_spark_and_kubernetes_times_are_epoch_seconds_and_not_yet_is_none() -> None:
    assert parse_time("2026-11-23T08:34:47.123GMT") == parse_time("2026-11-23T08:34:47.123Z") == 1795422887.123
    assert parse_time("1969-12-31T23:59:59.999GMT") is None
    assert parse_time("never") is None
    assert rfc3339(1795422887.9) == "2026-11-23T08:34:47Z"
    assert rfc3339(None) is None
