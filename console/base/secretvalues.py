"""Keys and their values on one line: assignments, headers, flags, pairs; and what a line leaves open below it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.base.secretkeys import (
    is_no_secret,
    is_object_name,
    is_password_key,
    is_said_of_it,
    is_secret_key,
    looks_random,
    words,
)
from console.base.secretshapes import MARK

_KEY = re.compile(
    r"(?<![\w.\-$/])([\w.\-]++|//[\w./\-]{1,100}:_\w+)"
    r"(\\*[\"']\]?\)?|&quot;|&#34;)?"
    r"([ \t]{0,20}(?:=>|->|:=|===?|=|:(?![:/])|%3[Dd])[ \t]{0,20}|[ \t]{0,4},[ \t]{0,4}|[ \t]{1,40}+(?=\S))"
)
_QUOTE = re.compile(r"\\*[\"'`]|&quot;|&#34;")
_PLAIN = re.compile(
    r"(?:\[redacted\]|[^\s\"'`)}\]&;,<>\\]|\\(?![nrt\"'])"
    r"|[,;)}\]](?=[^\s\"',;)}\]&|\\])(?![\w.\-]{1,60}[\"']?[ \t]{0,4}[=:])"
    r"|&(?![\w.\-]{1,60}=)(?=\w)|<(?!/)|>(?=\w))++"
)
_START = re.compile(
    r"\s*(?:(?:[-+*#>|]|export|set|setx|ENV|ARG|-e|declare|-x|SET|let|const|var|val|final|[0-9]{1,6}[:|])\s+"
    r"|[-+](?=\w))*[\"']?(?:\d{4}-\d\d-\d\dT[\d:.]+Z? (?:std(?:out|err) [FP] )?)?"
)
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}\s*(?:#.*)?")
_HEADER = re.compile(
    r"(?i)(?<![\w-])((?:proxy-)?authorization)((?:\\*[\"'])?\s{0,4}[:=]\s{0,4}|\\*[\"']\s{0,4},\s{0,4}|\s{1,4}(?=bearer|basic))"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,30}(?=\s+\S)")
_COOKIE = re.compile(r"(?i)(?<![\w-])((?:set-)?cookie(?:\\*[\"'])?\s{0,4}[:=]\s{0,4})(?=[^\s=]{1,100}=)")
_FLAG = re.compile(r"(?<![\w\-.])(-{1,2}[A-Za-z][\w.\-]{1,100}+)(\\*[\"']?,?[ \t]{1,8}|\\*[\"'],)(?=[^\s=:])")
_FAR = 4_096
"""Characters of a line in which the end of a value is looked for."""
_TO_BRACKET = re.compile(r"(?:\[redacted\]|[^)\]\n]){0,4096}+")
_WRAPPED = re.compile(r"(Some\(|\[(?!redacted\]))([^)\]\n]*+)")
_NOTHING = re.compile(r"\s*+\Z")
_AS_IT_IS = re.compile(
    r"\$\{[^{}\n]{1,200}\}|\$\([^()\n]{1,200}\)|\{\{[^{}\n]{1,200}\}\}|\{[a-z_]\w{0,60}\}|\*{3,}+(?:\(redacted\))?|\[\[redacted\]"
    r"|[A-Za-z_][\w.]{0,200}+\([^()\n]{0,400}\)"
)
"""A reference, what somebody else redacted, a call: there is no secret in it."""
_SENTENCE = re.compile(r"[ \t]{1,8}[\w(\"'<]")


@dataclass
class OpenValue:
    """A value that begins on one of the next lines.

    Attributes:
        pending: the key or flag whose value comes; `indent` is that of its line.
        block: indent of the key of a YAML block, of which `lines` were taken.
    """

    pending: str = ""
    indent: int = -1
    block: int | None = None
    lines: int = 0


def flags(line: str, opened: OpenValue) -> str:
    """`--password x`, also as items of a list."""
    stripped = line.strip().strip("\"',").removeprefix("- ").strip("\"',")
    if stripped.startswith("-") and " " not in stripped and "=" not in stripped and is_secret_key(stripped):
        opened.pending, opened.indent = stripped, len(line) - len(line.lstrip())
    out, at = [], 0
    for flag in _FLAG.finditer(line):
        if flag.start() < at or not is_secret_key(flag.group(1)):
            continue
        begin = flag.end()
        quote = _QUOTE.match(line, begin)
        end, shown = value_at(line, begin, flag.group(1), sure=True, start=False)
        word = line[begin:end].strip("\"'")
        if word.startswith("-") or (quote is None and is_said_of_it(word)) or is_no_secret(word, flag.group(1)):
            continue
        out += [line[at:begin], shown]
        at = end
    return "".join(out) + line[at:] if out else line


def assignments(line: str, opened: OpenValue) -> str:
    out, at = [], 0
    for found in _KEY.finditer(line):
        key = found.group(1)
        if found.start() < at or not is_secret_key(key):
            continue
        where = _assigned(line, found, opened)
        if where is None:
            continue
        begin, end, shown = where
        out += [line[at:begin], shown]
        at = end
    return "".join(out) + line[at:] if out else line


# complex: what stands before, behind and around a key decides together whether it has a value
def _assigned(line: str, found: re.Match[str], opened: OpenValue) -> tuple[int, int, str] | None:
    """Where the value of a secret key stands, and what is shown instead; None where there is none."""
    key, closing, separator = found.group(1), found.group(2) or "", found.group(3).strip()
    begin = found.end()
    before = line[max(0, found.start() - 60) : found.start()]
    inside = before.endswith(("{", "(", "[", '("', "('", '["', "['", '(\\"', '[\\"'))
    start = found.start() < 60 and _START.fullmatch(before) is not None
    if separator == "," or separator == "":
        if separator == "" and not closing and _QUOTE.match(line, begin) is None:
            return _property(line, key, begin, inside=inside, start=start)
        pair = separator == "," and inside and line[begin - 1] != "{" and _AS_IT_IS.match(line, begin) is None
        return _tuple(line, key, closing, begin) if pair else None
    if separator in ("==", "===") and not _QUOTE.match(line, begin):
        return None
    sure = separator != ":"
    if not sure and _is_of_a_grammar(before) and not looks_random(line[begin : begin + 80].split(" ")[0].strip("\"'")):
        return None
    alone = start or before.rstrip()[-1:] in (":", "(", "|", "=")
    if _NOTHING.match(line, begin):
        if alone or closing or is_password_key(key):
            opened.pending, opened.indent = key, len(line) - len(line.lstrip())
        return None
    if separator == ":" and _BLOCK.fullmatch(line, begin):
        opened.block, opened.lines = len(line) - len(line.lstrip(" -")), 0
        if line.lstrip().startswith("- "):
            opened.block = len(line) - len(line.lstrip())
        return None
    end, shown = value_at(line, begin, key, sure=sure, start=alone)
    return None if end == begin or shown == line[begin:end] else (begin, end, shown)


def _tuple(line: str, key: str, closing: str, begin: int) -> tuple[int, int, str] | None:
    """`(key,value)`, `["key", "value"]`; a list of keys is none."""
    quote = _QUOTE.match(line, begin)
    if quote is not None:
        close = line.find(quote.group(), quote.end(), begin + _FAR)
        end = close if close >= 0 else len(line)
        after = line[end + len(quote.group()) : end + 40].lstrip()[:1] if close >= 0 else ""
        inner = line[quote.end() : end]
        pair = after in (")", "]", "") and closing and not is_secret_key(inner)
        return (quote.end(), end, MARK) if pair and not is_no_secret(inner, key) else None
    found = _TO_BRACKET.match(line, begin)
    end = found.end() if found is not None else begin
    value = line[begin:end]
    if MARK in value or is_no_secret(value, key) or is_secret_key(value.strip()) or ", " in value:
        return None
    if line[begin - 1] == " " and "." not in key and not looks_random(value):
        return None
    return begin, end, MARK


# complex: a property and a sentence about one differ in many small things
def _property(line: str, key: str, begin: int, *, inside: bool, start: bool) -> tuple[int, int, str] | None:
    """`key  value` of a file of properties; a sentence about a key is none."""
    dotted, blank = "." in key.strip("."), line[begin - 1] in " \t"
    found = _PLAIN.match(line, begin) if dotted or "_" in key or (start and blank) else None
    if found is None:
        return None
    value, rest = found.group(), line[found.end() : found.end() + 80].strip(" )]}\"',.;")
    wide = line[begin - 2 : begin].isspace() or line[begin - 1] == "\t"
    begins = value[0].isalnum() or value[0] in "/+$!@#%^*"
    if value == MARK or not begins or is_no_secret(value, key) or is_said_of_it(value):
        return None
    random = looks_random(value)
    sure = (dotted and not rest and (start or wide or random)) or (start and wide and (dotted or not rest))
    named = dotted or start or inside or ("_" in key and len(value) >= 16)
    return (begin, found.end(), MARK) if sure or (random and named and len(value) >= 8) else None


# complex: one value has many spellings, and each is known by its beginning
def value_at(line: str, begin: int, key: str, *, sure: bool, start: bool) -> tuple[int, str]:
    """(end, what is shown) of the value that begins there; as it stands where it is no secret."""
    quote = _QUOTE.match(line, begin)
    if quote is not None:
        return _quoted(line, quote, key)
    if (found := _AS_IT_IS.match(line, begin)) is not None and not line.startswith("Some(", begin):
        return found.end(), found.group()
    if (found := _WRAPPED.match(line, begin)) is not None:
        inner = found.group(2).strip("\"' ")
        return found.end(), found.group() if is_no_secret(inner, key) or inner in MARK else found.group(1) + MARK
    if line[begin : begin + 1] in "{(":
        return begin, ""
    found = _PLAIN.match(line, begin)
    if found is None:
        return begin, ""
    end = found.end()
    value = found.group()
    if value.startswith("b'") or value == "b":
        return begin, ""
    if value.lower() in _KNOWN and key.lower().endswith("authorization"):
        return end, value
    if (start or is_password_key(key)) and (
        whole := _to_the_end(line, begin, end, key, sure=sure, alone=start)
    ) is not None:
        return len(line.rstrip()), whole
    none = is_no_secret(value, key) or _names_itself(value, key) or _is_key(value)
    if none or value.rstrip(":;,.") == MARK or not (sure or _is_said(line, begin, end, key)):
        return end, value
    return end, MARK


def _quoted(line: str, quote: re.Match[str], key: str) -> tuple[int, str]:
    word = quote.group()
    begin = quote.end()
    if len(word) == 1:
        at = begin
        while (at := line.find(word, at)) >= 0 and line[at - 1] == "\\" and at > begin:
            at += 1
        close = at
    else:
        close = line.find(word, begin)
    end = close if close >= 0 else len(line)
    inner = line[begin:end]
    shown = inner if is_no_secret(inner, key) else MARK
    return (end + len(word) if close >= 0 else end), word + shown + (word if close >= 0 else "")


def _to_the_end(line: str, begin: int, end: int, key: str, *, sure: bool, alone: bool) -> str | None:
    """The value of a line that holds nothing else (`password: two words`, `DB_PASS=a;b c`), redacted; None where it
    is a sentence, or where more follows."""
    if len(line) - begin > _FAR:
        return None
    rest = line[begin:].rstrip()
    if line[begin:end].strip() == rest:
        return None
    first = rest.split(None, 1)[0]
    if (
        rest == MARK
        or _is_key(first)
        or is_said_of_it(first)
        or is_no_secret(first.rstrip(",;.)]}'\"`"), key)
        or first.startswith(MARK)
    ):
        return None
    if not alone and (sure or looks_random(first) or len(rest.split(None, 4)) > 4 or not re.search(r"\d", rest)):
        return None
    if re.search(r"\s--?\w|[\s,;][\w.\-]{1,60}[\"']?\s{0,3}[=:]", rest[:2_000]) or rest[:1] in "{[(":
        return None
    if len(rest.split(None, 6)) > 5 or not (is_password_key(key) or looks_random(first)):
        return None
    return MARK + ("  " + rest[rest.index(" #") :].strip() if " #" in rest else "")


_NEXT_KEY = re.compile(r"[A-Za-z][A-Za-z_.-]{0,60}:")


def _is_key(word: str) -> bool:
    """Whether a word is the key of what stands behind it: `serviceAccountToken: expirationSeconds: 3607`."""
    return word.endswith(":") and (not looks_random(word) or _NEXT_KEY.fullmatch(word) is not None)


def _is_said(line: str, begin: int, end: int, key: str) -> bool:
    """Whether what follows `key: ` in the middle of a line is its value, and not how a sentence goes on."""
    value = line[begin:end]
    if is_said_of_it(value) or (key.lower() == "secret" and is_object_name(value)):
        return False
    if looks_random(value):
        return True
    goes_on = _SENTENCE.match(line, end) is not None or value[-1:] in ".:"
    return not goes_on and (is_password_key(key) or len(value) >= 12 or line[:begin].lstrip().startswith(key))


_LAST_WORD = re.compile(r"([A-Za-z]+)[\s'\"`]{1,3}$")


def _is_of_a_grammar(before: str) -> bool:
    """Whether a sentence speaks of a token as parsers do: `mismatched token: 'FROM'`."""
    found = _LAST_WORD.search(before[-40:])
    return found is not None and found.group(1).lower() in _OF_A_GRAMMAR


_OF_A_GRAMMAR = frozenset(
    words(r"""
    mismatched unexpected extraneous invalid bad wrong next last illegal near unknown secret
""")
)


def _names_itself(value: str, key: str) -> bool:
    """`token=self.token` of code."""
    return value.rstrip(",;)").rpartition(".")[2].lower() == key.rpartition(".")[2].lower()


def headers(line: str) -> str:
    """`Authorization: …` up to the end of what is quoted, or of the line; cookies."""
    out, at = [], 0
    for found in _HEADER.finditer(line):
        if found.start() < at:
            continue
        begin = found.end()
        quote = _QUOTE.match(line, begin)
        begin = quote.end() if quote else begin
        scheme = _SCHEME.match(line, begin)
        first = _BLANKS.match(line, scheme.end()).end() if scheme else begin  # type: ignore[union-attr]
        whole = scheme is not None and scheme.group().lower() not in _SINGLE
        end = _header_end(
            line, first, whole=whole, quote=quote.group() if quote else line[max(0, found.start() - 1) : found.start()]
        )
        value = line[first:end]
        word = value.split(None, 1)[0] if value.strip() else ""
        said = is_said_of_it(line[begin:first]) or is_said_of_it(word) or is_no_secret(value)
        if said or value == MARK or not (scheme or looks_random(word)):
            continue
        if scheme and line[begin:first].strip().lower() not in _KNOWN and not looks_random(word):
            continue
        out += [line[at:first], MARK]
        at = end
    return _cookies("".join(out) + line[at:] if out else line)


def _cookies(line: str) -> str:
    found_cookie = _COOKIE.search(line) if "ookie" in line or "OOKIE" in line else None
    if found_cookie is None:
        return line
    end = _header_end(line, found_cookie.end(), whole=True)
    return line[: found_cookie.end()] + MARK + line[end:]


_BLANKS = re.compile(r"\s*+")
_SINGLE = frozenset(
    words(r"""
    bearer basic token negotiate apikey geniekey splunk
""")
)
_KNOWN = _SINGLE | frozenset(
    words(r"""
    digest aws4-hmac-sha256 oauth sharedkey sharedkeylite hmac aws ntlm snowflake
""")
)


_TO_QUOTE = re.compile(r"[^\n\"'\\)\]}]*+")
_ONE_WORD = re.compile(r"[^\s\"'\\,;)}]*+")


def _header_end(line: str, begin: int, *, whole: bool, quote: str = "?") -> int:
    """Where what follows a header ends: at the quote that it stands in, at the end of the line; or of one word."""
    if line.startswith(MARK, begin):
        return begin + len(MARK)
    if whole and quote[-1:] in ('"', "'"):
        end = line.find(quote, begin)
        return end if end >= 0 else len(line)
    if whole and quote != "?":
        return len(line.rstrip())
    found = (_TO_QUOTE if whole else _ONE_WORD).match(line, begin)
    return begin + len(found.group().rstrip()) if found is not None else begin
