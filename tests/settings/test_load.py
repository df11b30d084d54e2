"""The settings: which layer wins, where each value comes from, and what a wrong file says."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from console.base.errors import DocumentError, UsageError, did_you_mean
from console.settings.load import load, read, validate
from console.settings.model import EndpointConfig

FULL = """\
preset: core-baseline
prometheus:
  url: http://general:9090
  token_file: /run/token
policy:
  max_targets: 5
  cooldown: 2m
holds: {verify: 5m}
production:
  contexts: [prod-eu]
  namespaces: [spark-prod]
runbook_paths: [books, /srv/books]
workstreams: {index: docs/INDEX.md}
contexts:
  prod-eu:
    mode: guarded
    prometheus: {service: "monitoring/prometheus-operated:9090"}
    policy: {max_targets: 1}
    evidence: {max_bytes: 20Mi}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(FULL)
    return path


def test_without_a_file_everything_is_default_and_read_only(tmp_path: Path) -> None:
    settings = load(env={"CONSOLE_CONFIG_DIR": str(tmp_path)})
    assert settings.mode == "read-only"
    assert settings.prometheus == EndpointConfig()
    assert {str(origin) for _, _, origin in settings.rows()} == {"default"}


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no config file"):
        load(tmp_path / "nothing.yaml", env={})


def test_the_file_is_laid_over_the_defaults_key_by_key(file: Path) -> None:
    settings = load(file, env={})
    assert settings.policy.max_targets == 5
    assert settings.policy.cooldown == 120.0
    assert settings.holds.verify == 300.0
    assert settings.holds.slo == 900.0
    assert str(settings.origin("policy.max_targets")) == "file config.yaml:6"
    assert str(settings.origin("holds.slo")) == "default"


def test_a_context_is_laid_over_the_file_and_only_it_grants_more_than_reading(file: Path) -> None:
    settings = load(file, env={})
    assert settings.mode == "read-only"
    there = settings.at("prod-eu")
    assert there.mode == "guarded"
    assert there.policy.max_targets == 1
    assert there.policy.cooldown == 120.0
    assert there.evidence.max_bytes == 20 * 2**20
    assert str(there.origin("policy.max_targets")) == "context config.yaml:18"
    assert there.at("other").policy.max_targets == 5


def test_an_endpoint_is_replaced_as_a_whole_so_that_a_token_never_goes_to_another_server(file: Path) -> None:
    there = load(file, env={}).at("prod-eu")
    assert there.prometheus.url is None
    assert there.prometheus.service == "monitoring/prometheus-operated:9090"
    assert there.prometheus.token_file is None
    flagged = load(file, env={}, flags={"prometheus.url": "http://mine:9090"})
    assert flagged.prometheus == EndpointConfig(url="http://mine:9090")


def test_flag_wins_over_environment_wins_over_context(file: Path) -> None:
    env = {"CONSOLE_PRESET": "gpu", "CONSOLE_PROMETHEUS_URL": "http://env:9090"}
    settings = load(file, env=env, context="prod-eu", flags={"preset": "iceberg", "mode": None})
    assert (settings.preset, str(settings.origin("preset"))) == ("iceberg", "flag --preset")
    assert settings.prometheus.url == "http://env:9090"
    assert str(settings.origin("prometheus")) == "env CONSOLE_PROMETHEUS_URL"


def test_environment_and_flags_may_lower_the_mode_but_never_raise_it(file: Path) -> None:
    assert load(file, env={"CONSOLE_MODE": "read-only"}, context="prod-eu").mode == "read-only"
    with pytest.raises(UsageError, match="not granted here") as caught:
        load(file, env={}, context="prod-eu", flags={"mode": "write"})
    assert "contexts.prod-eu.mode" in str(caught.value)


def test_a_wrong_value_in_the_environment_names_its_variable(file: Path) -> None:
    with pytest.raises(UsageError, match="CONSOLE_PROMETHEUS_URL"):
        load(file, env={"CONSOLE_PROMETHEUS_URL": "prometheus"})


def test_production_is_an_explicit_list_of_contexts_and_namespaces(file: Path) -> None:
    settings = load(file, env={})
    assert settings.at("prod-eu").is_production()
    assert not settings.at("prod-eu-2").is_production()
    assert settings.at("dev").is_production("spark-prod")
    assert settings.at("dev").badge("spark-prod") == "PROD"
    assert settings.at("dev").badge() == ""


def test_paths_of_the_file_are_relative_to_it(file: Path) -> None:
    settings = load(file, env={})
    assert settings.folders("runbook_paths") == (file.parent / "books", Path("/srv/books"))
    assert settings.workstreams_index == file.parent / "docs/INDEX.md"
    assert load(file, env={"CONSOLE_RUNBOOK_PATHS": "/a:/b"}).folders("runbook_paths") == (Path("/a"), Path("/b"))


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("prometheus:\n  url: http://u:s3cret@p:9090\n  headers: {Authorization: Bearer abcdefgh12345}\n")
    shown = str(load(path, env={}).as_json()) + str(load(path, env={}).rows())
    assert "s3cret" not in shown and "abcdefgh" not in shown


WRONG = [
    ("prometeus: {url: 'http://x'}", 1, "prometeus", "did you mean 'prometheus'?"),
    ("policy:\n  cooldwn: 5m", 2, "policy.cooldwn", "did you mean 'cooldown'?"),
    ("contexts:\n  a:\n    mode: gaurded", 3, "contexts.a.mode", "did you mean 'guarded'?"),
    ("mode: write", 1, "mode", "contexts.<name>.mode"),
    ("holds:\n  verify: soon", 2, "holds.verify", None),
    ("policy: {max_targets: 0}", 1, "policy.max_targets", None),
    ("prometheus:\n  url: http://x\n  service: a/b", 3, "prometheus.service", "keep one of them"),
    (
        "policy:\n  freeze:\n    weekly:\n    - {name: n, from: 16:30}",
        4,
        "policy.freeze.weekly[0].from",
        "put it in quotes",
    ),
    (
        "policy:\n  freeze:\n    weekly:\n    - name: n\n      timezone: Europe/Berln",
        5,
        "policy.freeze.weekly[0].timezone",
        "did you mean 'Europe/Berlin'?",
    ),
    ("runbook_paths: books", 1, "runbook_paths", None),
    ("contexts:\n  a:\n  b: {}", 2, "contexts.a", None),
    ("- a list", 1, "", None),
]


@pytest.mark.parametrize(("text", "line", "key", "hint"), WRONG, ids=[w[2] or "root" for w in WRONG])
def test_an_error_names_file_line_key_and_nearest_choice(
    tmp_path: Path, text: str, line: int, key: str, hint: str | None
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError) as caught:
        load(path, env={})
    error = caught.value
    assert (error.file, error.line, error.key) == (str(path), line, key)
    assert error.column > 0
    if hint:
        assert error.hint == hint


def test_a_file_of_wrong_keys_is_refused_at_once_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("".join(f"wrong{n}: 1\n" for n in range(5_000)))
    with mock.patch("console.base.document.did_you_mean", wraps=did_you_mean) as hints:
        _, problems = validate(read(path))
    assert len(problems) == 101 and hints.call_count == 100
    assert problems[-1].message == "4900 more unknown keys stand in the same mapping" and problems[-1].line == 101
