"""From a YAML document to typed values: every problem with its place, the nearest valid key, and a JSON Schema.

The types are msgspec structs with `forbid_unknown_fields`. `Duration` and `Size` are numbers that may be written as
text (`10m`, `512Mi`). A struct may say which keys exclude each other (`EXCLUSIVE`) or of which exactly one is needed
(`EXACTLY_ONE`), as class variables holding tuples of key names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta
from msgspec import inspect as shape

from console.base.document import Document, Path
from console.base.errors import DocumentError, did_you_mean
from console.base.shapes import is_number
from console.base.text import shorten
from console.base.units import MOST, MOST_SECONDS, parse_duration, parse_number, parse_quantity

T = TypeVar("T")

DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|min|[smhdwy]))+$"
SIZE_PATTERN = r"^[0-9]+(\.[0-9]+)?([kMGTP]|[KMGTP]i)?$"

Duration = Annotated[
    float, Meta(ge=0, le=MOST_SECONDS, extra={"text": "duration"}, extra_json_schema={"x-text": "duration"})
]
"""Seconds; a document may say `90s`, `10m`, `1h30m`, `28d` or a plain number of seconds."""

Size = Annotated[int, Meta(ge=0, le=MOST, extra={"text": "size"}, extra_json_schema={"x-text": "size"})]
"""Bytes; a document may say `512Ki`, `20Mi` or a plain number."""

_PLAIN = re.compile(r"true|false|[-+]?[0-9.][-+0-9.a-fx]*", re.IGNORECASE)
"""Truth values and numbers of YAML 1.2. What 1.1 reads as such beside these (`no`, `22:15`) is text there."""

MOST_UNKNOWN = 100
"""Unknown keys of one mapping that are named, each with the nearest known one; the others are counted."""


class _TextForm(NamedTuple):
    """How a number is written as text: its pattern, its reader and its name for people."""

    pattern: str
    read: Callable[[str], float | int]
    words: str


_TEXTS: dict[str, _TextForm] = {
    "duration": _TextForm(DURATION_PATTERN, parse_duration, "a duration like 90s, 10m or 1h30m"),
    "size": _TextForm(SIZE_PATTERN, lambda text: int(parse_quantity(text)), "a size like 512Ki or 20Mi"),
}


def decode(document: Document, kind: type[T], path: Path = ()) -> T:
    """The value at `path` of the document as `kind`.

    Raises:
        DocumentError: the first problem, at its line and column.
    """
    tree, problems = check(document, kind, path)
    if problems:
        raise problems[0]
    return msgspec.convert(tree, kind)


def check(
    document: Document, kind: Any, path: Path = (), *, whole: bool = True, lenient: bool = False
) -> tuple[Any, list[DocumentError]]:
    """The plain tree at `path` with texts turned to numbers, only the keys that were written; and all problems.

    Without `whole` the document is a part that is laid over another one: keys may be missing. `lenient` takes what was
    written where a text is due, since nobody thinks of quotes: `no` and `22:15`, which are texts to YAML 1.2 and to
    editors, everywhere; `true` and `1.10` in prose, which is text without a form.
    """
    value = document.data
    for part in path:
        value = value[part]
    checker = _Checker(document, whole=whole, lenient=lenient)
    tree = checker.value(value, _type(kind), path)
    return tree, sorted(checker.problems, key=lambda error: (error.line, error.column))


def schema(kind: Any, *, lenient: bool = False) -> dict[str, Any]:
    """The JSON Schema that accepts what `check` accepts."""
    out: dict[str, Any] = msgspec.json.schema(kind)
    rules = {info.cls.__name__: info.cls for info in _structs(_type(kind), set())}
    for name, definition in out.get("$defs", {}).items():
        cls = rules.get(name)
        alone = [{"not": {"required": list(pair)}} for keys in getattr(cls, "EXCLUSIVE", ()) for pair in _pairs(keys)]
        one = [{"oneOf": [{"required": [key]} for key in keys]} for keys in getattr(cls, "EXACTLY_ONE", ())]
        if alone or one:
            definition["allOf"] = [*alone, *one]
    _texts_too(out)
    if lenient:
        _prose(out)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **out}


def _texts_too(tree: Any) -> None:
    """Let the numbers that may be written as text be text."""
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _texts_too(value)
    if isinstance(tree, dict) and (word := tree.pop("x-text", None)):
        tree["pattern"] = _TEXTS[word].pattern
        tree["type"] = [tree["type"], "string"]


def _prose(tree: Any) -> None:
    """Let a text without a form be written like a number or a truth value."""
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        _prose(value)
    if isinstance(tree, dict) and tree.get("type") == "string" and "pattern" not in tree:
        tree["type"] = ["string", "number", "boolean"]


@cache
def _type(kind: Any) -> shape.Type:
    return shape.type_info(kind)


def _pairs(keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for index, first in enumerate(keys):
        for second in keys[index + 1 :]:
            yield first, second


def _structs(kind: shape.Type, seen: set[type]) -> Iterator[shape.StructType]:
    if isinstance(kind, shape.StructType):
        if kind.cls in seen:
            return
        seen.add(kind.cls)
        yield kind
        for field in kind.fields:
            yield from _structs(field.type, seen)
    for name in ("type", "item_type", "value_type"):
        if isinstance(inner := getattr(kind, name, None), shape.Type):
            yield from _structs(inner, seen)
    for inner in getattr(kind, "types", ()):
        yield from _structs(inner, seen)


def _said(value: Any) -> str:
    """What a document holds, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {shorten(value, 40)!r}"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    return f"the number {value}" if parse_number(value) is not None else "a number out of range"


class _Checker:
    def __init__(self, document: Document, *, whole: bool, lenient: bool = False) -> None:
        self.document, self.whole, self.lenient = document, whole, lenient
        self.problems: list[DocumentError] = []

    def fail(self, path: Path, message: str, hint: str | None = None) -> None:
        self.problems.append(self.document.error(path, message, hint=hint))

    def wrong(self, path: Path, wanted: str, value: Any) -> None:
        quote = isinstance(value, bool | int | float) and "text" in wanted
        self.fail(path, f"{wanted} is expected here, found {_said(value)}", "put it in quotes" if quote else None)

    def value(self, value: Any, kind: shape.Type, path: Path, extra: dict[str, Any] | None = None) -> Any:
        match kind:
            case shape.Metadata():
                return self.value(value, kind.type, path, {**(extra or {}), **(kind.extra or {})})
            case shape.AnyType():
                return value
            case shape.StructType():
                return self.struct(value, kind, path)
            case shape.UnionType():
                return self.union(value, kind, path)
            case shape.LiteralType():
                return self.literal(value, kind, path)
            case shape.DictType():
                return self.mapping(value, kind, path)
            case shape.ListType() | shape.VarTupleType():
                return self.items(value, kind, path)
            case shape.StrType():
                return self.text(value, kind, path, extra or {})
            case shape.BoolType():
                if not isinstance(value, bool):
                    self.wrong(path, "true or false", value)
                return value
            case shape.IntType() | shape.FloatType():
                return self.number(value, kind, path, extra or {})
            case shape.NoneType():
                if value is not None:
                    self.wrong(path, "nothing", value)
                return value
        raise TypeError(f"documents have no {type(kind).__name__}")

    def struct(self, value: Any, kind: shape.StructType, path: Path) -> Any:
        if not isinstance(value, dict):
            self.wrong(path, "a mapping", value)
            return value
        fields = {field.encode_name: field for field in kind.fields}
        out = {k: self.value(item, fields[k].type, (*path, k)) for k, item in value.items() if k in fields}
        unknown = [key for key in value if key not in fields]
        self.problems += [self.document.unknown_key(path, key, fields) for key in unknown[:MOST_UNKNOWN]]
        if len(unknown) > MOST_UNKNOWN:
            more = f"{len(unknown) - MOST_UNKNOWN} more unknown keys stand in the same mapping"
            self.fail((*path, unknown[MOST_UNKNOWN]), more, "is this a file for Console?")
        for name, field in fields.items():
            if self.whole and field.required and name not in value:
                self.fail(path, f"key {name!r} is missing", f"expected keys: {', '.join(fields)}")
        for keys in getattr(kind.cls, "EXCLUSIVE", ()):
            self.one_of(value, keys, path, needed=False)
        for keys in getattr(kind.cls, "EXACTLY_ONE", ()):
            self.one_of(value, keys, path, needed=True)
        return out

    def one_of(self, value: dict[str, Any], keys: tuple[str, ...], path: Path, *, needed: bool) -> None:
        there = [key for key in keys if key in value]
        if len(there) > 1:
            self.fail((*path, there[1]), f"{there[0]!r} and {there[1]!r} exclude each other", "keep one of them")
        elif needed and self.whole and not there:
            self.fail(path, f"one of the keys {', '.join(keys)} is needed")

    def union(self, value: Any, kind: shape.UnionType, path: Path) -> Any:
        if value is None and any(isinstance(inner, shape.NoneType) for inner in kind.types):
            return None
        inner_types = [inner for inner in kind.types if not isinstance(inner, shape.NoneType)]
        value, fitting = self.fitting(value, inner_types, path)
        if len(fitting) == 1 or (len(inner_types) == 1 and not fitting):
            return self.value(value, (fitting or inner_types)[0], path)
        for inner in fitting:
            trial = _Checker(self.document, whole=self.whole, lenient=self.lenient)
            out = trial.value(value, inner, path)
            if not trial.problems:
                return out
        self.wrong(path, " or ".join(_wanted(inner) for inner in inner_types), value)
        return value

    def fitting(self, value: Any, kinds: list[shape.Type], path: Path) -> tuple[Any, list[shape.Type]]:
        """The kinds that a value may be of; where there is none, the value as the text that was written."""
        found = [kind for kind in kinds if _fits(value, kind)]
        texts = [text for kind in kinds if isinstance(text := _bare(kind), shape.StrType)]
        if found or not texts:
            return value, found
        value = self.as_text(value, path, prose=any(text.pattern is None for text in texts))
        return value, [kind for kind in kinds if _fits(value, kind)]

    def literal(self, value: Any, kind: shape.LiteralType, path: Path) -> Any:
        value = self.as_text(value, path, prose=False)
        if value not in kind.values or isinstance(value, bool):
            words = [str(choice) for choice in kind.values]
            self.fail(path, f"{_said(value)} is not one of the choices", did_you_mean(str(value), words))
        return value

    def mapping(self, value: Any, kind: shape.DictType, path: Path) -> Any:
        if not isinstance(value, dict):
            self.wrong(path, "a mapping", value)
            return value
        out = {}
        for key, item in value.items():
            out[self.value(key, kind.key_type, (*path, key))] = self.value(item, kind.value_type, (*path, key))
        self.length(len(value), kind, path)
        return out

    def items(self, value: Any, kind: shape.ListType | shape.VarTupleType, path: Path) -> Any:
        if not isinstance(value, list):
            self.wrong(path, "a list", value)
            return value
        self.length(len(value), kind, path)
        return [self.value(item, kind.item_type, (*path, index)) for index, item in enumerate(value)]

    def length(self, count: int, kind: Any, path: Path) -> None:
        if kind.min_length is not None and count < kind.min_length:
            self.fail(path, f"at least {kind.min_length} entries are needed here")
        if kind.max_length is not None and count > kind.max_length:
            self.fail(path, f"at most {kind.max_length} entries may stand here, found {count}")

    def as_text(self, value: Any, path: Path, *, prose: bool) -> Any:
        """What was written, where `value` is no text only because of how YAML 1.1 reads it."""
        if not self.lenient or not isinstance(value, bool | int | float):
            return value
        written = self.document.written(path, value)
        return written if prose or not _PLAIN.fullmatch(str(written)) else value

    def text(self, value: Any, kind: shape.StrType, path: Path, extra: dict[str, Any]) -> Any:
        says = extra.get("says", "")
        value = self.as_text(value, path, prose=kind.pattern is None)
        if not isinstance(value, str):
            self.wrong(path, f"text ({says})" if says else "text", value)
        elif kind.pattern is not None and not re.search(kind.pattern, value):
            self.fail(path, f"{_said(value)} is not {says or f'of the form {kind.pattern}'}", extra.get("hint"))
        elif kind.min_length is not None and len(value) < kind.min_length:
            self.fail(path, "the text is empty" if not value else f"the text is shorter than {kind.min_length}")
        elif kind.max_length is not None and len(value) > kind.max_length:
            self.fail(path, f"the text is longer than {kind.max_length} characters")
        return value

    def number(self, value: Any, kind: shape.IntType | shape.FloatType, path: Path, extra: dict[str, Any]) -> Any:
        form, whole = _TEXTS.get(extra.get("text", "")), isinstance(kind, shape.IntType)
        if form and isinstance(value, str) and not re.search(form.pattern, value):
            self.fail(path, f"{_said(value)} is not {form.words}")
            return value
        try:
            number = _number(form.read(value) if form and isinstance(value, str) else value, whole=whole)
        except ValueError as error:
            self.fail(path, str(error))
            return value
        if number is None:
            self.wrong(path, form.words if form else "a whole number" if whole else "a number", value)
            return value
        self.range(number, kind, path, extra.get("hint"))
        return number

    def range(self, value: int | float, kind: shape.IntType | shape.FloatType, path: Path, hint: str | None) -> None:
        """Complain where `value` lies outside the bounds that its type states."""
        low, high = kind.ge if kind.ge is not None else kind.gt, kind.le if kind.le is not None else kind.lt
        if low is not None and (value < low or (kind.ge is None and value == low)):
            bound = f"{'at least' if kind.ge is not None else 'above'} {low:g}"
            self.fail(path, f"{value} is too small: {bound} is needed", hint)
        if high is not None and (value > high or (kind.le is None and value == high)):
            bound = f"{'at most' if kind.le is not None else 'below'} {high:g}"
            self.fail(path, f"{value} is too large: {bound} is allowed", hint)


def _number(value: Any, *, whole: bool) -> int | float | None:
    """The number that `value` is, an int where a `whole` one is wanted; None where it is no such number."""
    number = parse_number(value)
    if number is None or (whole and not number.is_integer()):
        return None
    return int(value) if whole or isinstance(value, int) else number


def _bare(kind: shape.Type) -> shape.Type:
    while isinstance(kind, shape.Metadata):
        kind = kind.type
    return kind


def _fits(value: Any, kind: shape.Type) -> bool:
    if isinstance(kind, shape.Metadata) and (kind.extra or {}).get("text") and isinstance(value, str):
        return True
    match _bare(kind):
        case shape.StructType() | shape.DictType():
            return isinstance(value, dict)
        case shape.ListType() | shape.VarTupleType():
            return isinstance(value, list)
        case shape.StrType():
            return isinstance(value, str)
        case shape.BoolType():
            return isinstance(value, bool)
        case shape.IntType() | shape.FloatType():
            return is_number(value)
        case shape.LiteralType() as literal:
            return value in literal.values
    return True


def _wanted(kind: shape.Type) -> str:
    match _bare(kind):
        case shape.StructType() | shape.DictType():
            return "a mapping"
        case shape.ListType() | shape.VarTupleType():
            return "a list"
        case shape.StrType():
            return "text"
        case shape.BoolType():
            return "true or false"
        case shape.LiteralType() as literal:
            return "one of " + ", ".join(str(value) for value in literal.values)
    return "a number"
