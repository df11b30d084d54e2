"""Lines of a text, one after the other, without their secrets; most are spared by a plain search for hints."""

from __future__ import annotations

import re

from console.base.secretkeys import is_no_secret, is_password_key, is_secret_key, looks_random, words
from console.base.secretshapes import MARK, known_shapes
from console.base.secretvalues import OpenValue, assignments, flags, headers, value_at

_KEY_HINTS = words(r"""
    pass pwd psw secr token key cred auth cookie jwt sas jsess
""")
"""What stands in every key that names a secret, in lower case."""
_HINTS = (
    *words(r"""
    pass pwd psw secr token key cred authoriz _auth auth= auth: auth" auth' cookie jwt sas. jsess sig= signature
    bearer basic negotiate webhook hooks/ hooks. hook/ @ /bot chat.google ifttt opsgenie pagerduty hc-ping eyj
    akia asia abia acca iqojb fwogz fqogz k8s-aws ghp_ gho_ ghu_ ghs_ ghr_ xox xapp- glpat- glrt- gldt- glptt-
    glft- glcbt- glsoat- glagent- aiza ya29 1//0 gocspx sha256~ sk- dapi dapk dose dkea hvs. hvb. hvr. pypi- sg.
    atatt3 atctt3 atbb ----- nrak- nrjs- nrra- pmak- ltai tskey pplx- pul- flyv1 eaac :aa $2a$ $2b$ $2x$ $2y$ $5$
    $6$ mysql mariadb redis-cli curl wget login beeline ldap smbclient kinit sqlcmd nral identified masterauth
    primaryauth user_ private-lines
"""),
    "zip -",
)
"""What stands in every text that may hold a secret, in lower case: a plain search for these spares most text."""
_LONG_WORD = re.compile(r"_[a-z0-9]{16}|[^\w.]s\.[a-z0-9]{24}")
"""Tokens of many products: a name, an underscore, a long word."""


def suspect_lines(low: str) -> list[int]:
    """Numbers of the lines (from 0) of a text in lower case that hold a hint, in order."""
    places: set[int] = set()
    newline, rfind = low.find, low.rfind
    for hint in _HINTS:
        at = newline(hint)
        while at >= 0:
            places.add(rfind("\n", 0, at) + 1)
            at = newline("\n", at)
            at = newline(hint, at) if at >= 0 else -1
    for found in _LONG_WORD.finditer(low):
        places.add(rfind("\n", 0, found.start()) + 1)
    if not places:
        return []
    numbers: list[int] = []
    number = at = 0
    for place in sorted(places):
        number += low.count("\n", at, place)
        at = place
        numbers.append(number)
    return numbers


def _suspect(low: str) -> bool:
    return any(hint in low for hint in _HINTS) or _LONG_WORD.search(low) is not None


_XML_NAME = re.compile(r"(?i)<(?:name|key)>\s{0,40}([^<>\s]{1,200})\s{0,40}</")
_XML_VALUE = re.compile(r"(?i)(<value>\s{0,40}(?:<!\[CDATA\[)?)((?:\[redacted\]|[^<\]])*+)")
_XML_ELEMENT = re.compile(r"<([A-Za-z][\w.:-]{0,100})(?:\s[^<>]{0,200})?>([^<>]{1,4000}+)</\1>")
_XML_KEYED = re.compile(
    r"(?i)<[a-z]\w{0,40}\s{1,20}(?:key|name)=[\"']([\w.\-]{1,200})[\"'][^<>]{0,200}>([^<>]{1,4000}+)</"
)
_XML_ATTRIBUTES = re.compile(r"(?i)\b(?:name|key)=([\"'])([\w.\-]{1,200})\1(\s{1,20}value=)([\"'])([^\"']*+)\4")
_ESCAPED_XML = re.compile(
    r"(?i)(&lt;(?:name|key)&gt;([^&\s]{1,200})&lt;/(?:name|key)&gt;\s{0,40}&lt;value&gt;)([^&]*+)"
)
_PAIR_NAME = re.compile(
    r"(?i)(?<![\w.])(?:name|key|property|header|var)(?:\\*[\"'])?[ \t]{0,3}[:=][ \t]{0,3}"
    r"(?:\\*[\"'])?([\w.\-]{1,160})(?:\\*[\"'])?"
)
_PAIR_VALUE = re.compile(r"(?i)\s{0,80}(?:,\s{0,80})?(?:\\*[\"'])?value(?:\\*[\"'])?[ \t]{0,3}[:=][ \t]{0,3}")
_BEGIN, _END = "-----BEGIN", "-----END"
_PRIVATE = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(r"Private-Lines:\s{0,3}([0-9]{1,3})\s*")
_BODY = re.compile(r"(?:\\[nr]|[A-Za-z0-9+/=\s])*+")
_BODY_LINE = re.compile(
    r"[^A-Za-z0-9+/=]{0,60}(?:\S{0,60}\s)?"
    r"([A-Za-z0-9+/=]{1,100}|(?:Proc-Type|DEK-Info|Version|Comment):.{0,200})\W{0,10}"
)
_MOST_LINES = 400
"""Lines that a private key or a YAML block may have."""
_SECRET_KIND = re.compile(r"[\"']?kind[\"']?\s{0,3}:\s{0,3}[\"']?Secret\b[\"']?")
_SECRET_DATA = re.compile(r"([\"'](?:data|stringData)[\"']\s{0,3}:\s{0,3}\{)([^{}]*+)")
_STRING_VALUE = re.compile(r"(:\s{0,3})\"(?:[^\"\\]|\\.)*+\"")
_YAML_DATA = re.compile(r"(\s*)(?:data|stringData):\s*")
_YAML_LEAF = re.compile(r"(\s*[^\s:#][^:]{0,250}:\s{1,20})\S.*")
_ENDS_THERE = re.compile(r"[\s,\"']*+\Z")


class RedactedLines:
    """What a line leaves open for those below it: a private key, a YAML block, a name whose value comes."""

    def __init__(self) -> None:
        self._private = 0
        self._value = OpenValue()
        self._pair = 0
        self._secret = 0
        self._data: int | None = None

    @property
    def open(self) -> bool:
        """Whether the next line is looked at whatever it holds."""
        return bool(self._private or self._value.block is not None or self._value.pending or self._pair or self._secret)

    # complex: every kind of secret in the one order in which they may be looked for
    def line(self, line: str) -> str:
        """The next line without secrets."""
        low = line.lower()
        suspect = _suspect(low)
        if not suspect and not self.open:
            return line
        taken = self._of_above(line) if self.open else None
        if taken is not None:
            return taken
        if not suspect and not self._pair:
            return line
        if _BEGIN in line or _END in line:
            line = self._private_keys(line)
        if "Private-Lines" in line and (lines := _PUTTY.fullmatch(line)) is not None:
            self._private = int(lines.group(1))
            return line
        line = known_shapes(line, low)
        if not self._pair and not any(hint in low for hint in _KEY_HINTS):
            return line
        if "<" in line or "&lt;" in line:
            line = self._xml(line)
        if self._pair or any(word in low for word in ("name", "key", "property", "header", "var")):
            line = self._pairs(line)
        if "authorization" in low or "cookie" in low:
            line = headers(line)
        if "-" in line:
            line = flags(line, self._value)
        line = assignments(line, self._value)
        if "kind" in line and _SECRET_KIND.search(line):
            self._secret = _MOST_LINES
            line = _SECRET_DATA.sub(_emptied, line)
        return line

    # what spans lines ----------------------------------------------------------------------------------------------

    def _of_above(self, line: str) -> str | None:
        """A line that belongs to what a line above began; None where it stands for itself."""
        taken = self._private_line(line) if self._private else None
        if taken is None and self._value.block is not None:
            taken = self._block_line(line)
        if taken is None and self._secret:
            taken = self._secret_line(line)
        if taken is None and self._value.pending:
            taken = self._pending_line(line)
        return taken

    def _private_keys(self, line: str) -> str:
        out, at = [], 0
        while (found := _PRIVATE.search(line, at)) is not None:
            out += [line[at : found.start()], MARK]
            end = _PRIVATE_END.search(line, found.end(), found.end() + 20_000)
            if end is not None:
                at = end.end()
                continue
            body = _BODY.match(line, found.end())
            at = body.end() if body is not None else found.end()
            if at >= len(line):
                self._private = _MOST_LINES
        return "".join(out) + line[at:] if out else _PRIVATE_END.sub(MARK, line)

    def _private_line(self, line: str) -> str | None:
        """A line of a private key; None where it is none, and the key has ended."""
        end = _PRIVATE_END.search(line)
        if end is not None:
            self._private = 0
            return MARK + self.line(line[end.end() :])
        if line.strip() == "" or line.strip() == MARK or _BODY_LINE.fullmatch(line):
            self._private -= 1
            return MARK if line.strip() else line
        self._private = 0
        return None

    def _block_line(self, line: str) -> str | None:
        """A line of a YAML block under a secret key; None where the block has ended."""
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            return line
        assert self._value.block is not None
        if indent > self._value.block and self._value.lines < _MOST_LINES:
            self._value.lines += 1
            return line[:indent] + MARK
        self._value.block = None
        return None

    def _secret_line(self, line: str) -> str | None:
        """A line below `kind: Secret`: what its data hold; None for other lines."""
        self._secret -= 1
        indent = len(line) - len(line.lstrip())
        if line.startswith("---") or (line.strip().startswith("kind:") and "Secret" not in line):
            self._secret, self._data = 0, None
            return None
        if self._data is not None and line.strip():
            if indent > self._data:
                found = _YAML_LEAF.match(line)
                return found.group(1) + MARK if found else line[:indent] + MARK
            self._data = None
        if _YAML_DATA.fullmatch(line):
            self._data = indent
            return line
        return None if "{" not in line else _SECRET_DATA.sub(_emptied, line)

    def _pending_line(self, line: str) -> str | None:
        """The line below a key or flag without a value."""
        key, above = self._value.pending, self._value.indent
        self._value.pending = ""
        indent = len(line) - len(line.lstrip())
        word = line.strip()
        dash = word.startswith("- ") and key.startswith("-")
        core = word.removeprefix("- ").strip() if dash else word
        bare = core.strip("\"',")
        alone = " " not in bare and not bare.startswith(("-", "{", "[", "<", "at "))
        if (
            not alone
            or not bare
            or ":" in bare[-1:]
            or is_no_secret(bare, key)
            or (indent <= above and not dash and not key.startswith("-"))
        ):
            return None
        if not key.startswith("-") and not looks_random(bare) and not is_password_key(key):
            return None
        return line[:indent] + ("- " if dash else "") + core.replace(bare, MARK, 1)

    def _xml(self, line: str) -> str:
        if self._pair and (value := _XML_VALUE.match(line.lstrip())) is not None:
            self._pair = 0
            indent = line[: len(line) - len(line.lstrip())]
            rest = line.lstrip()[value.end() :]
            return indent + value.group(1) + (value.group(2) if is_no_secret(value.group(2)) else MARK) + rest
        out, at = [], 0
        for name in _XML_NAME.finditer(line):
            if name.start() < at or not is_secret_key(name.group(1)):
                continue
            value = _XML_VALUE.search(line, name.end(), name.end() + 2_000)
            if value is None:
                self._pair = 2
                continue
            out += [line[at : value.start(2)], value.group(2) if is_no_secret(value.group(2)) else MARK]
            at = value.end(2)
        line = "".join(out) + line[at:] if out else line
        line = _ESCAPED_XML.sub(_escaped_xml, line)
        line = _XML_ATTRIBUTES.sub(_attributes, line) if "value=" in line else line
        return _XML_KEYED.sub(_element, _XML_ELEMENT.sub(_element, line)) if "</" in line else line

    def _pairs(self, line: str) -> str:
        """`name: DB_PASSWORD, value: x`, on one line or on two."""
        if self._pair:
            self._pair -= 1
            found = _PAIR_VALUE.match(line)
            if found is not None:
                self._pair = 0
                end, shown = value_at(line, found.end(), "password", sure=True, start=True)
                return line[: found.end()] + shown + line[end:]
        out, at = [], 0
        for name in _PAIR_NAME.finditer(line):
            if name.start() < at or not is_secret_key(name.group(1)):
                continue
            found = _PAIR_VALUE.match(line, name.end())
            if found is None:
                if _ENDS_THERE.match(line, name.end()):
                    self._pair = 2
                continue
            end, shown = value_at(line, found.end(), name.group(1), sure=True, start=False)
            out += [line[at : found.end()], shown]
            at = end
        return "".join(out) + line[at:] if out else line


def _emptied(found: re.Match[str]) -> str:
    return found.group(1) + _STRING_VALUE.sub(rf'\1"{MARK}"', found.group(2))


def _element(found: re.Match[str]) -> str:
    name, value = found.groups()
    if not is_secret_key(name) or is_no_secret(value, name):
        return found.group(0)
    whole = found.group(0)
    at = found.start(2) - found.start()
    return whole[:at] + MARK + whole[at + len(value) :]


def _attributes(found: re.Match[str]) -> str:
    value = found.group(5)
    if not is_secret_key(found.group(2)) or is_no_secret(value):
        return found.group(0)
    return found.group(0)[: found.start(5) - found.start()] + MARK + found.group(4)


def _escaped_xml(found: re.Match[str]) -> str:
    before, name, value = found.groups()
    return before + (MARK if is_secret_key(name) and not is_no_secret(value) else value)
