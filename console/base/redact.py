"""Secrets do not leave the cluster through us: evidence, diffs, argv, journal, JSON and timelines pass here."""

from __future__ import annotations

import re
from typing import Any

MARK = "[redacted]"

_KEY = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase)?|secret|token|credential|api[-_.]?key|access[-_.]?key|private[-_.]?key"
    r"|auth(?:orization)?(?![a-z])|session[-_.]?key|sas[-_.]?token|account[-_.]?key)"
)
_KEY_EXEMPT = re.compile(
    r"(?i)(?:secretName|secretRef|secretKeyRef|tokenExpiration\w*|automountServiceAccountToken|passwordFile"
    r"|authenticate\.(?:driver|executor|submission)\.(?:serviceAccountName|caCertFile)|token[-_]?ttl"
    r"|authentication|keepAuthorized|authorization-mode)$"
)
_SHAPES = [
    re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*+"),  # JWT
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),  # AWS access key id
    re.compile(r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}\b|\bgithub_pat_[A-Za-z0-9_]{22,}\b"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b"),  # Slack
    re.compile(r"\bglpat-[A-Za-z0-9_-]{16,}\b"),
    re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    re.compile(r"\bhf_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bsha256~[A-Za-z0-9_-]{30,}"),  # OpenShift token
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
]
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_URL_PASSWORD = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,40}+://[^\s/:@]{0,256}+):([^\s/@]{1,1024}+)@")
_SIGNED_URL = re.compile(
    r"(?i)([?&](?:sig|signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|access_token|token)=)[^&\s\"']+"
)
# Words are entered at their beginning only and taken whole (possessive): a line of any length costs linear time.
_ASSIGN = re.compile(
    r"(?i)((?<![A-Za-z0-9_.\-])(?=[A-Za-z0-9_.\-]{0,160}?(?:pass(?:word|wd|phrase)|secret(?!Name|Ref|KeyRef)"
    r"|token(?!Expiration)|api[-_.]?key|access[-_.]?key|private[-_.]?key|account[-_.]?key|credential))"
    r"[A-Za-z0-9_.\-]{1,200}+[\"']?\s{0,20}+[=:]\s{0,20}+)"
    r"(\"[^\"\n]*+\"|'[^'\n]*+'|[^\s,;&}\]\"']++)"
)
_SUSPECT = re.compile(
    r"(?i)eyJ|AKIA|ASIA|gh[poursx]_|github_pat_|xox|glpat|AIza|hf_|sha256~|-----BEGIN|bearer|basic|://|[?&]"
    r"|pass|secret|token|key|credential"
)
_PAIR = re.compile(
    r"(?i)(\bname[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?([A-Za-z0-9_.\-]{1,100})[\"']?[ \t]{0,3}"
    r"(?:,\s{0,80}|\s{1,80})[\"']?value[\"']?[ \t]{0,3}:[ \t]{0,3})"
    r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&}\]\"']+)"
)
"""An environment variable as it stands in YAML or JSON: `name: DB_PASSWORD, value: x`, on one line or on two."""


_REFERENCE = re.compile(r"\$\{(?:env[:.])?[A-Za-z_][A-Za-z0-9_.]*(?::-)?\}$")
"""A value that names where the secret is (`${env.AWS_SECRET}`) is none."""


def is_secret_key(key: str) -> bool:
    """Whether a configuration key, environment name or flag names a secret value."""
    return bool(_KEY.search(key)) and not _KEY_EXEMPT.search(key)


def redact(text: str) -> str:
    """`text` without token shapes, passwords in URLs and the values of keys that name a secret."""
    if not _SUSPECT.search(text):
        return text
    for shape in _SHAPES:
        text = shape.sub(MARK, text)
    text = _BEARER.sub(rf"\1 {MARK}", text)
    text = _URL_PASSWORD.sub(rf"\1:{MARK}@", text)
    text = _SIGNED_URL.sub(rf"\1{MARK}", text)
    text = _PAIR.sub(_pair, text)
    return _ASSIGN.sub(_assignment, text)


def _pair(found: re.Match[str]) -> str:
    value = found.group(3)
    if not is_secret_key(found.group(2)) or value in (MARK, MARK[:-1]):
        return found.group(0)
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found.group(1)}{quote}{MARK}{quote}"


def _assignment(found: re.Match[str]) -> str:
    name = found.group(1).strip().rstrip("=: ").strip("\"'")
    if _KEY_EXEMPT.search(name) or found.group(2) in ("true", "false", "null", "None", MARK, MARK[:-1]):
        return found.group(0)
    quote = found.group(2)[0] if found.group(2)[0] in "\"'" else ""
    return f"{found.group(1)}{quote}{MARK}{quote}"


def redact_value(value: Any, key: str = "") -> Any:
    """A JSON-like value without secrets: string values under secret keys, and token shapes anywhere.

    `{"name": "DB_PASSWORD", "value": "x"}` (an environment variable) is understood as a pair. The `data` of a
    Kubernetes Secret is emptied of values.
    """
    if isinstance(value, dict):
        if value.get("kind") == "Secret":
            value = {
                k: (dict.fromkeys(v, MARK) if k in ("data", "stringData") and isinstance(v, dict) else v)
                for k, v in value.items()
            }
        name = value.get("name")
        pair = isinstance(name, str) and "value" in value and is_secret_key(name)
        return {k: (MARK if pair and k == "value" else redact_value(v, str(k))) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value(item, key) for item in value]
    if isinstance(value, str):
        return MARK if value and is_secret_key(key) and not _REFERENCE.match(value) else redact(value)
    return value


def redact_argv(argv: list[str]) -> list[str]:
    """A command line without secrets: `--password x`, `--token=x`, `-H 'Authorization: …'`."""
    out: list[str] = []
    hide = False
    for word in argv:
        if hide:
            out.append(MARK)
            hide = False
        elif word.startswith("-") and "=" in word and is_secret_key(word.split("=", 1)[0]):
            out.append(word.split("=", 1)[0] + "=" + MARK)
        else:
            hide = word.startswith("-") and is_secret_key(word)
            out.append(redact(word))
    return out
