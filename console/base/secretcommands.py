"""Secrets in what people type: options of commands, what is piped into them, statements of databases, settings."""

from __future__ import annotations

import re

from console.base.secretkeys import is_no_secret, looks_random, words

MARK = "[redacted]"

_TOOLS = re.compile(
    r"\b(?:(?:mysql(?:dump|admin|import)?|mariadb)\b[^\n|;&]{0,200}?\s-p|sshpass\b\s{1,4}-p\s{0,4}"
    r"|(?:redis-cli)\b[^\n|;&]{0,200}?\s-a\s{1,4}|(?:docker|podman|helm|skopeo|oras|nerdctl|az|argocd|ibmcloud)\b[^\n|;&]{0,40}?\blogin\b[^\n|;&]{0,200}?\s-p\s{1,4}"
    r"|(?:beeline|sqlline)\b[^\n|;&]{0,200}?\s-p\s{1,4}|(?:sqlcmd|bcp|isql)\b[^\n|;&]{0,200}?\s-P\s{0,4}"
    r"|ldap(?:search|modify|add|delete|passwd|whoami)\b[^\n|;&]{0,200}?\s-w\s{1,4}|(?:smbclient|kinit)\b[^\n|;&]{0,200}?\s-U\s{1,4}[^\s%]{1,60}%"
    r"|zip\b[^\n|;&]{0,200}?\s-P\s{1,4}|(?:curl|wget|http)\b[^\n|;&]{0,200}?\s(?:-u|--user|-a)(?:\s{1,4}|=)[\"']?[^\s:\"']{1,80}:)([\"']?)([^\s\"']{1,400}+)\1"
)
_TOOL_HINTS = words(r"""
    mysql mariadb sshpass redis-cli login beeline sqlline sqlcmd bcp isql ldap smbclient kinit curl wget http zip
""")
_PIPED = re.compile(
    r"\b((?:echo|printf)\s{1,4}(?:-\w\s{1,4})?)([\"']?)([^\s\"'|]{1,400}+)\2"
    r"(?=\s{0,4}\|[^|\n]{0,200}?(?:--password-stdin|passwd --stdin|sudo -S))"
)
_IN_SQL = re.compile(
    r"(?i)\b((?:identified\s{1,4}(?:with\s{1,4}\S{1,40}\s{1,4})?by|(?:with|encrypted|login|set)\s{1,4}password)"
    r"\s{1,4}(?:=\s{0,4})?)([\"'])([^\"'\n]{1,400}+)\2"
)
_AFTER_NAME = re.compile(
    r"(?i)\b((?:login|user|username|account|bind|\w{1,20}=\S{1,200})\s{1,4}(?:\S{1,100}\s{1,4})?pass(?:word|wd)?\s{1,4})"
    r"([\"'])?(?(2)([^\"'\n]{1,400}+)\2|(\S{1,400}+))"
)
"""`login etl password x`: .netrc, settings of directories and brokers."""
_DIRECTIVE = re.compile(
    r"(?i)(?<![\w.-])((?:requirepass|masterauth|primaryauth|insecure-password)\s{1,20})([\"']?)([^\s\"')]{5,400}+)\2"
)
"""Settings of Redis and HAProxy."""
_VERBS = frozenset(words("must be is are was were has have cannot should"))
_GOES_ON = re.compile(rf"\s{{1,4}}(?:{'|'.join(sorted(_VERBS))})\b")
_JAAS_USER = re.compile(r"(\buser_\w{1,60}=)([\"'])([^\"'\n]{1,400}+)\2")


def in_commands(line: str, low: str) -> str:
    """One line without the secrets of commands and statements. `low` is the line in lower case."""
    if " -" in line and any(tool in low for tool in _TOOL_HINTS):
        line = _TOOLS.sub(_tool, line)
    if "|" in line and ("echo" in low or "printf" in low):
        line = _PIPED.sub(_value, line)
    if "pass" in low or "masterauth" in low or "primaryauth" in low:
        line = _DIRECTIVE.sub(_chosen, _AFTER_NAME.sub(_chosen, line))
    if "identified" in low or "password" in low:
        line = _IN_SQL.sub(_value, line)
    if "user_" in line and ("LoginModule" in line or '";' in line):
        line = _JAAS_USER.sub(_value, line)
    return line


def _is_said(value: str, found: re.Match[str]) -> bool:
    """Whether what is quoted belongs to a sentence about a password: `'must be set'`, `"user" was given alone`."""
    said = value.split()
    if not all(word.isalpha() and word.islower() for word in said):
        return False
    return bool(_VERBS & set(said) and len(said) > 1) or _GOES_ON.match(found.string, found.end()) is not None


def _tool(found: re.Match[str]) -> str:
    quote, value = found.groups()
    whole = found.group(0)
    if value.startswith("-") or is_no_secret(value):
        return whole
    return whole[: found.start(2) - found.start()] + MARK + quote


def _value(found: re.Match[str]) -> str:
    before, quote, value = found.groups()
    return found.group(0) if is_no_secret(value) else f"{before}{quote}{MARK}{quote}"


def _chosen(found: re.Match[str]) -> str:
    """A word that nobody quoted may be one of a sentence."""
    before, quote, *values = found.groups("")
    value = next(value for value in values if value)
    if is_no_secret(value) or not (quote or looks_random(value)) or (quote and _is_said(value, found)):
        return found.group(0)
    return f"{before}{quote}{MARK}{quote}"
