"""JSON in and out: what comes from outside fails in one way only, and what goes out can always be encoded."""

from __future__ import annotations

import re
from typing import Any, TypeVar, overload

import msgspec
from msgspec import Raw

from console.base.text import is_unseen, utf8
from console.base.units import parse_number

T = TypeVar("T")


@overload
def decode_json(body: bytes | str) -> Any: ...
@overload
def decode_json(body: bytes | str, kind: type[T]) -> T: ...
def decode_json(body: bytes | str, kind: Any = Any) -> Any:
    """What a JSON text says, as `kind`. Whole numbers beyond 64 bits come as they are where `kind` says nothing.

    Raises:
        msgspec.DecodeError: it is no JSON, no UTF-8, nested too deeply, or no `kind` (ValidationError).
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        raise msgspec.DecodeError("JSON is nested too deeply") from None
    except UnicodeError:
        raise msgspec.DecodeError("JSON is no UTF-8") from None


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[][{}]', re.DOTALL)
_UNUSUAL = re.compile(r"[0-9]{17}|[0-9][eE]|NaN|Infinity")
_UNUSUAL_BYTES = re.compile(_UNUSUAL.pattern.encode())


def elements(body: bytes, key: str = "", *, cut_off: bool = False) -> list[bytes]:
    """The JSON of each element of a list: of the one that `key` of the outermost object holds, or of the text itself.

    One element that is nested too deeply, or that is no UTF-8, does not hide the others.

    Args:
        cut_off: a text that ends in its middle gives what stands before.

    Raises:
        msgspec.DecodeError: there is no such list, or its end is missing.
    """
    try:
        raw = decode_json(body, dict[str, Raw]).get(key, Raw(b"null")) if key else body
        return [bytes(one) for one in decode_json(raw, list[Raw] | None) or ()]  # type: ignore[arg-type]
    except msgspec.DecodeError:
        found, whole = _cut(body, key.encode())
        if not found or not (whole or cut_off):
            raise
        return found


def _cut(body: bytes, key: bytes) -> tuple[list[bytes], bool]:
    """The objects of a list, found by their brackets, and whether every bracket is closed."""
    found: list[bytes] = []
    level, outer = 0, 1 if key else 0
    inside, start = False, 0
    for token in _TOKEN.finditer(body):
        word = token.group()
        if word in (b"{", b"["):
            before = body[: token.start()].rstrip().removesuffix(b":").rstrip() if level == outer else b""
            if level == outer and word == b"[" and before.endswith(b'"' + key + b'"' if key else b""):
                inside = True
            elif inside and level == outer + 1:
                start = token.start()
            level += 1
        elif word in (b"}", b"]"):
            level -= 1
            if inside and level == outer + 1:
                found.append(body[start : token.end()])
            elif level == outer:
                inside = False
    return found, level == 0


def decode_elements(body: bytes, kind: type[T], key: str = "") -> tuple[list[T], list[str]]:
    """The elements of a list that are a `kind`, and why others are none (see `elements`).

    Raises:
        msgspec.DecodeError: there is no such list.
    """
    out: list[T] = []
    wrong: list[str] = []
    for raw in elements(body, key):
        try:
            out.append(decode_json(raw, kind))
        except msgspec.DecodeError as error:
            wrong.append(str(error))
    return out, wrong


def bounded(tree: Any) -> Any:
    """A plain tree whose numbers are finite and below 2**63 in size; others are null, as is a whole number or a
    fraction that no field of anything can mean. Texts are UTF-8."""
    if isinstance(tree, str):
        return utf8(tree)
    if isinstance(tree, dict):
        return {bounded(key): bounded(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [bounded(item) for item in tree]
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        return tree if parse_number(tree) is not None else None
    return tree


def decode_tree(body: bytes | str) -> Any:
    """What a JSON text says, as a plain tree within the bounds of `bounded`.

    Raises:
        msgspec.DecodeError: it is no JSON, no UTF-8, or nested too deeply.
    """
    tree = decode_json(body)
    unusual = _UNUSUAL.search(body) if isinstance(body, str) else _UNUSUAL_BYTES.search(body)
    return bounded(tree) if unusual else tree


def encode_json(value: Any) -> bytes:
    """JSON of a value. Names of files that are no UTF-8 are in it as `utf8` shows them."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_utf8(msgspec.to_builtins(value)))


_UNUSUAL_CHARACTER = re.compile("[^\x20-\x7e\n]")


def json_text(value: Any, *, ascii_only: bool = False) -> str:
    """JSON of a value for whoever reads it, indented. What is no visible sign (C1 controls, direction marks) is in it
    as `\\uXXXX`: a parser reads what was there, a terminal shows nothing else."""
    text = msgspec.json.format(encode_json(value), indent=2).decode()
    return _UNUSUAL_CHARACTER.sub(_escaped_ascii if ascii_only else _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    return _unit_escapes(char) if is_unseen(char) else char


def _escaped_ascii(found: re.Match[str]) -> str:
    return _unit_escapes(found.group())


def _unit_escapes(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _utf8(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {_utf8(key): _utf8(item) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return [_utf8(item) for item in tree]
    return utf8(tree) if isinstance(tree, str) else tree
