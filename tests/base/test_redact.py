"""Redaction finds secrets wherever they stand, leaves the rest alone, and costs linear time on hostile text."""

from __future__ import annotations

import time

import pytest

from console.base.redact import MARK, is_secret_key, redact, redact_argv, redact_value

JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "gone", "stays"),
    [
        (f"Authorization: Bearer {JWT}", JWT, "Authorization"),
        ("args: --password=hunter2 --verbose", "hunter2", "--verbose"),
        ("--conf=spark.hadoop.fs.s3a.secret.key=hunter2", "hunter2", "spark.hadoop.fs.s3a.secret.key"),
        ("spark.hadoop.fs.s3a.access.key hunter / AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP", "access.key"),
        ('{"db_password": "two words", "user": "x"}', "two words", '"user": "x"'),
        ("jdbc:mysql://db/x?user=app&password=hunter2&ssl=true", "hunter2", "ssl=true"),
        ("url=https://bob:hunter2@host/x", "hunter2", "bob"),
        ("https://s/x?X-Amz-Signature=abcdef123456&y=1", "abcdef123456", "y=1"),
        ("foo=bar_token=hunter2", "hunter2", "foo=bar_token="),
        ("apiKey : 'a b c', next", "a b c", "next"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\ntail", "MIIE", "tail"),
        ("env: [{name: DB_PASSWORD, value: hunter2}, {name: A, value: b}]", "hunter2", "{name: A, value: b}"),
        ('{"env":[{"name":"DB_PASSWORD","value":"hunter2"}]}', "hunter2", '"name":"DB_PASSWORD"'),
        ("  - name: DB_PASSWORD\n    value: 'hunter2'\n  - name: x", "hunter2", "- name: x"),
        ("glpat-abcdefghijklmnopqrst and sha256~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "glpat-abc", " and "),
    ],
)
def test_secrets_go_and_the_rest_stays(text: str, gone: str, stays: str) -> None:
    out = redact(text)
    assert gone not in out and stays in out and MARK in out


@pytest.mark.parametrize(
    "text",
    [
        "secretName: spark-tls",
        "spark.authenticate=true",
        "tokenExpirationSeconds: 3607",
        "ERROR TaskSetManager: Lost task 3.0 in stage 1.0",
        "https://history.example:18080/api?status=failed",
        "keys=3",
        "name: MODE, value: fast",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_pairs_flags_and_keys() -> None:
    assert redact_value({"name": "DB_PASSWORD", "value": "x"})["value"] == MARK
    assert redact_value({"kind": "Secret", "data": {"a": "b"}})["data"] == {"a": MARK}
    assert redact_argv(["--token", "x", "--n=1"]) == ["--token", MARK, "--n=1"]
    assert is_secret_key("SPARK_AUTH_SECRET") and not is_secret_key("secretName")


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "a.",
        "eyJ-",
        "token",
        "k =",
        "a:",
        "x://",
        "Bearer ",
        "://a:",
        "key\t",
        "'",
        "-",
        "name: a, ",
        "name:token ",
    ],
)
def test_hostile_lines_cost_linear_time(unit: str) -> None:
    began = time.process_time()
    redact(unit * (200_000 // len(unit)))
    assert time.process_time() - began < 10, "what grows with the square takes minutes"


def test_redacting_twice_is_redacting_once() -> None:
    for text in ("password=hunter2", "a: {token: 'x y'}", "{name: DB_PASSWORD, value: x}", f"Bearer {JWT}"):
        assert redact(redact(text)) == redact(text)
