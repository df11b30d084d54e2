"""A configuration that version 0.1.0 read still opens, and means the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.base.jsontext import decode_json, encode_json
from console.settings.load import Settings, load

OLD = Path(__file__).parents[1] / "data" / "old" / "config.yaml"

GENERAL: dict[str, Any] = {
    "mode": "read-only",
    "preset": "core-baseline",
    "namespaces": ["spark-prod", "spark-staging"],
    "badge": None,
    "prometheus": {
        "url": "https://prometheus.example.com",
        "path": "/prometheus",
        "token_file": "~/.config/console/prometheus.token",
        "ca_file": "/etc/ssl/company.pem",
        "headers": {"X-Scope-OrgID": "spark"},
        "timeout": 8.0,
    },
    "alertmanager": {"service": "monitoring/alertmanager-operated:9093"},
    "history_server": {"url": "http://history.example.com:18080", "token_env": "HISTORY_TOKEN"},
    "standalone_masters": [{"url": "http://master.example.com:8080"}, {"service": "spark/legacy-master:8080"}],
    "policy": {
        "deny": ["Node", "SparkApplication/spark-prod/ledger", "ConfigMap/*/core"],
        "max_targets": 5,
        "cooldown": 600.0,
        "second_person": "production",
        "freeze": {
            "weekly": [
                {
                    "name": "weekend",
                    "days": ["fri", "sat", "sun"],
                    "from": "16:30",
                    "until": "06:00",
                    "timezone": "Europe/Berlin",
                    "reason": "nobody is there",
                }
            ],
            "dates": [
                {
                    "name": "year end",
                    "from": "2026-12-20T00:00:00Z",
                    "until": "2027-01-04T06:00:00+01:00",
                    "reason": "closing of the books",
                }
            ],
        },
    },
    "evidence": {
        "max_bytes": 500 * 2**20,
        "max_age": 21 * 86400.0,
        "log_bytes": 512 * 2**10,
        "log_lines": 4000,
        "excerpt": 1500,
    },
    "holds": {"verify": 300.0, "slo": 1200.0, "timeout": 3600.0},
    "production": {"contexts": ["spark-prod"], "namespaces": ["ledger"], "badge": "LIVE"},
    "runbook_paths": ["runbooks", "/srv/runbooks"],
    "preset_paths": ["presets"],
    "workstreams": {"index": "docs/INDEX.md"},
    "ui": {"theme": "dark", "shapes": "ascii", "mouse": "off"},
}
STAGING = {
    **GENERAL,
    "mode": "write",
    "preset": "staging",
    "namespaces": ["spark-staging"],
    "badge": "STAGE",
    "prometheus": {"service": "monitoring/prometheus-operated:9090"},
    "alertmanager": {"url": "http://alerts.staging:9093"},
    "history_server": {"service": "https:spark/history:18480"},
    "standalone_masters": [],
    "policy": {**GENERAL["policy"], "max_targets": 20, "cooldown": 30.0, "second_person": "never"},
    "evidence": {**GENERAL["evidence"], "max_bytes": 50 * 2**20},
    "holds": {**GENERAL["holds"], "verify": 60.0},
}


def plain(settings: Settings) -> Any:
    return decode_json(encode_json(settings.values))


def known(values: object, keys: object) -> object:
    """The values of the keys that the old version knew; a later one may know more."""
    if isinstance(keys, dict) and isinstance(values, dict):
        return {key: known(values[key], inner) for key, inner in keys.items()}
    if isinstance(keys, list) and isinstance(values, list) and len(keys) == len(values):
        return [known(value, inner) for value, inner in zip(values, keys, strict=True)]
    return values


def test_every_key_of_an_old_configuration_is_read_as_it_was() -> None:
    settings = load(OLD, env={})
    assert known(plain(settings), GENERAL) == GENERAL
    assert {settings.origin(key).kind for key in GENERAL if key not in ("mode", "badge")} == {"file"}


def test_its_contexts_are_laid_over_it_as_they_were() -> None:
    settings = load(OLD, env={})
    assert settings.contexts == ("spark-staging", "spark-prod")
    staging, production = settings.at("spark-staging"), settings.at("spark-prod")
    assert known(plain(staging), STAGING) == STAGING
    guarded = {**GENERAL, "mode": "guarded"}
    assert known(plain(production), guarded) == guarded
    assert (production.badge(), staging.badge(), settings.at("dev").badge("ledger")) == ("LIVE", "STAGE", "LIVE")
    assert settings.folders("runbook_paths") == (OLD.parent / "runbooks", Path("/srv/runbooks"))
    assert settings.folders("preset_paths") == (OLD.parent / "presets",)
    assert settings.workstreams_index == OLD.parent / "docs" / "INDEX.md"


def test_the_configuration_of_the_readme_opens(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(text.partition("```yaml\n")[2].partition("```")[0])
    settings = load(file, env={})
    assert settings.at("spark-prod").mode == "guarded" and settings.at("spark-prod").badge() == "PROD"
    assert not settings.at("spark-staging").is_production()
