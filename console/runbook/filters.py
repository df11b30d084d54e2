"""What a template may use: filters, tests and functions over plain data. Each pays for its work and caps its result.

None is a value that a source did not have; the context leaves such keys out, so filters need not handle it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import jinja2

from console.base import units
from console.base.clock import rfc3339
from console.base.shapes import is_number
from console.base.text import clean, listed, shorten
from console.runbook.budget import MAX_TEXT, TooMuchError, capped, items_of, kind_of, number_of, short, text_of
from console.runbook.context import podsums

MI = 2**20
MOST_NAMED = 5
"""Members of a list or an object that are said; how many more there are is said, too."""


_PART = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")


def _field(item: Any, path: str) -> Any:
    """A field of an item by its path; a key that has dots stands in brackets: `labels[app.kubernetes.io/name]`."""
    for part in (key or name for key, name in _PART.findall(path)):
        if not isinstance(item, dict) or part not in item:
            return jinja2.StrictUndefined(name=path)
        item = item[part]
    return item


def _figures(values: Iterable[Any]) -> list[float | int]:
    found = [number_of(v) for v in values]
    if not found:
        raise ValueError("there is nothing to choose from")
    return found


def to_bytes(value: Any) -> int:
    """Bytes of a JVM size or Kubernetes quantity (`2g`, `512Mi`); numbers are bytes already."""
    if isinstance(value, str):
        text = value.strip()[:40]
        if text.endswith("i") or (text[-1:] in "MGTPE" and not text[-1:].islower()):
            return int(units.parse_quantity(text))
        return units.parse_jvm_size(text)
    return int(number_of(value))


def jvm_size(value: Any) -> str:
    """Bytes as a JVM size that Spark reads, whole MiB at least (`2304m`, `2g`)."""
    count = math.ceil(number_of(value) / MI) * MI
    return units.jvm_size_text(count)


def quantity(value: Any) -> str:
    """Bytes as a Kubernetes quantity of whole MiB (`2304Mi`)."""
    return f"{math.ceil(number_of(value) / MI)}Mi"


def round_up_mi(value: Any, step: int = 128) -> int:
    """Bytes rounded up to a multiple of `step` MiB."""
    size = max(1, int(number_of(step))) * MI
    return math.ceil(number_of(value) / size) * size


def said(value: Any) -> str:
    """A value as people read it: sizes with their unit, objects by their names, lists in part."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return listed((said(one) for one in value), MOST_NAMED) or "none"
        case dict():
            meta = value.get("metadata")
            name = value.get("name") or (meta.get("name") if isinstance(meta, dict) else None)
            return shorten(clean(str(name)), 60) if name else _fields(value)
        case int() | float() if value >= MI and value % MI == 0:
            return units.human_bytes(value)
        case float():
            return f"{value:.6g}"
    return shorten(clean(str(value)), 60)


def _fields(value: dict[str, Any]) -> str:
    return shorten(listed((f"{clean(str(k))} {said(v)}" for k, v in value.items()), MOST_NAMED), 200) or "nothing"


def seconds(value: Any) -> float:
    """Seconds of a duration (`10m`)."""
    return units.parse_duration(value if isinstance(value, str) else number_of(value))


def default(value: Any, other: Any) -> Any:
    """`other` where the last step of the path is missing. It must be said: there is no silent default."""
    return other if isinstance(value, jinja2.Undefined) else value


def join(value: Any, separator: str = ", ", attribute: str = "") -> str:
    items = items_of(value)
    texts = [text_of(_field(item, attribute) if attribute else item) for item in items]
    if sum(map(len, texts)) + len(separator) * len(texts) > MAX_TEXT:
        raise TooMuchError(f"the text is longer than {MAX_TEXT} characters")
    return separator.join(texts)


def replace(value: Any, old: str, new: str) -> str:
    text = text_of(value)
    if not old:
        raise ValueError("there is nothing to replace")
    if len(text) + text.count(old) * max(0, len(new) - len(old)) > MAX_TEXT:
        raise TooMuchError(f"the text is longer than {MAX_TEXT} characters")
    return text.replace(old, new)


def split(value: Any, separator: str = ",") -> list[str]:
    """The parts of a text between commas, without blanks around them; empty parts are left out."""
    if not separator:
        raise ValueError("there is nothing to split at")
    return short([part.strip() for part in text_of(value).split(separator) if part.strip()])


def where(value: Any, path: str, test: str = "defined", wanted: Any = None) -> list[Any]:
    """Items whose field `path` passes: `defined`, `==`, `!=`, `>`, `>=`, `<`, `<=`, `in`, `contains`.

    An item without the field does not pass.
    """
    out = []
    for item in items_of(value):
        field = _field(item, path)
        if isinstance(field, jinja2.Undefined):
            continue
        if _passes(field, test, wanted):
            out.append(item)
    return out


def without(value: Any, path: str, test: str = "defined", wanted: Any = None) -> list[Any]:
    """The items that `where` leaves out."""
    kept = {id(item) for item in where(value, path, test, wanted)}
    return [item for item in items_of(value) if id(item) not in kept]


def _passes(field: Any, test: str, wanted: Any) -> bool:
    if isinstance(wanted, jinja2.Undefined):
        raise TypeError("the value to compare with is not known")
    match test:
        case "defined":
            return True
        case "==":
            return bool(field == wanted)
        case "!=":
            return bool(field != wanted)
        case "in":
            return field in items_of(wanted)
        case "contains":
            return wanted in items_of(field)
        case ">":
            return number_of(field) > number_of(wanted)
        case ">=":
            return number_of(field) >= number_of(wanted)
        case "<":
            return number_of(field) < number_of(wanted)
        case "<=":
            return number_of(field) <= number_of(wanted)
    raise ValueError(f"there is no comparison {test!r}; there are defined, ==, !=, in, contains, >, >=, <, <=")


def pick(value: Any, path: str) -> list[Any]:
    """The field `path` of each item that has it."""
    found = [_field(item, path) for item in items_of(value)]
    return [f for f in found if not isinstance(f, jinja2.Undefined)]


def unique(value: Any) -> list[Any]:
    out: dict[Any, Any] = {}
    for item in items_of(value):
        out.setdefault(text_of(item), item)
    return list(out.values())


def ordered(value: Any, attribute: str = "", reverse: bool = False) -> list[Any]:
    items = items_of(value)
    return sorted(items, key=lambda i: _field(i, attribute) if attribute else i, reverse=bool(reverse))


def length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(items_of(value))


def first(value: Any) -> Any:
    items = items_of(value)
    return items[0] if items else jinja2.StrictUndefined(name="first of an empty list")


def last(value: Any) -> Any:
    items = items_of(value)
    return items[-1] if items else jinja2.StrictUndefined(name="last of an empty list")


def tojson(value: Any) -> str:
    left = MAX_TEXT

    def weigh(part: Any) -> None:
        nonlocal left
        left -= len(part) + 2 if isinstance(part, str) else 8
        if left < 0:
            raise TooMuchError(f"the text is longer than {MAX_TEXT} characters")
        if isinstance(part, dict):
            for key, item in part.items():
                weigh(str(key))
                weigh(item)
        elif isinstance(part, list | tuple):
            for item in part:
                weigh(item)
        elif not isinstance(part, str | int | float | bool) and part is not None:
            raise TypeError(f"a {kind_of(part)} is no data")

    weigh(value)
    return json.dumps(value, ensure_ascii=False)


def requests(value: Any, resource: str) -> float:
    """What pods that are not over ask for together of a resource: bytes, cores, or how many."""
    return podsums.total(items_of(value), "requests", text_of(resource))


def limits(value: Any, resource: str) -> float:
    """What pods that are not over may take together of a resource; a container without a limit counts nothing."""
    return podsums.total(items_of(value), "limits", text_of(resource))


def promql(value: Any) -> str:
    """Text that may stand between double quotes in PromQL."""
    return capped(text_of(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))


def promql_regex(value: Any) -> str:
    """Text that means itself in a PromQL regular expression between double quotes."""
    special = set("\\.+*?()|[]{}^$")
    return promql("".join("\\" + char if char in special else char for char in text_of(value)))


def rounded(value: Any, digits: int = 0) -> float | int:
    figure = round(float(number_of(value)), min(12, max(0, int(digits))))
    return int(figure) if not digits else figure


def _largest(*values: Any) -> Any:
    return max(_figures(items_of(values[0]) if len(values) == 1 else values))


def _least(*values: Any) -> Any:
    return min(_figures(items_of(values[0]) if len(values) == 1 else values))


def to_int(value: Any) -> int:
    return int(value[:40]) if isinstance(value, str) else int(number_of(value))


def to_float(value: Any) -> float:
    return float(value[:40]) if isinstance(value, str) else float(number_of(value))


FILTERS: dict[str, Callable[..., Any]] = {
    "bytes": lambda v: units.human_bytes(number_of(v)),
    "to_bytes": to_bytes,
    "jvm_size": jvm_size,
    "quantity": quantity,
    "round_up_mi": round_up_mi,
    "duration": lambda v: units.human_duration(number_of(v)),
    "seconds": seconds,
    "time": lambda v: rfc3339(float(number_of(v))),
    "percent": lambda v, digits=0: f"{number_of(v) * 100:.{min(6, max(0, int(digits)))}f}%",
    "round": rounded,
    "int": to_int,
    "float": to_float,
    "abs": lambda v: abs(number_of(v)),
    "max": _largest,
    "min": _least,
    "sum": lambda v: sum(number_of(i) for i in items_of(v)),
    "length": length,
    "count": length,
    "first": first,
    "last": last,
    "join": join,
    "sort": ordered,
    "unique": unique,
    "pick": pick,
    "requests": requests,
    "limits": limits,
    "where": where,
    "without": without,
    "keys": lambda v: short(sorted(v)) if isinstance(v, dict) else items_of(v),
    "values": lambda v: short(list(v.values())) if isinstance(v, dict) else items_of(v),
    "items": lambda v: short([[k, x] for k, x in v.items()]) if isinstance(v, dict) else items_of(v),
    "default": default,
    "said": lambda v: capped(said(v)),
    "string": lambda v: capped(text_of(v)),
    "upper": lambda v: text_of(v).upper(),
    "lower": lambda v: text_of(v).lower(),
    "trim": lambda v: text_of(v).strip(),
    "replace": replace,
    "split": split,
    "shorten": lambda v, width=80: shorten(clean(text_of(v)), max(1, int(width))),
    "plural": lambda v, noun, many=None: f"{text_of(v)} {noun if v == 1 else many or noun + 's'}",
    "tojson": tojson,
    "promql": promql,
    "promql_regex": promql_regex,
}
"""Filters by name."""

TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda v: not isinstance(v, jinja2.Undefined),
    "undefined": lambda v: isinstance(v, jinja2.Undefined),
    "true": lambda v: v is True,
    "false": lambda v: v is False,
    "number": lambda v: is_number(v),
    "string": lambda v: isinstance(v, str),
    "mapping": lambda v: isinstance(v, dict),
    "sequence": lambda v: isinstance(v, list | tuple),
    "startswith": lambda v, prefix: text_of(v).startswith(prefix),
    "endswith": lambda v, suffix: text_of(v).endswith(suffix),
    "containing": lambda v, part: part in (v if isinstance(v, list | tuple | dict) else text_of(v)),
    "in": lambda v, box: v in (box if isinstance(box, list | tuple | dict | str) else items_of(box)),
}
"""Tests by name."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "max": _largest,
    "min": _least,
    "ceil": lambda v: math.ceil(number_of(v)),
    "floor": lambda v: math.floor(number_of(v)),
    "round_up_mi": round_up_mi,
}
"""Functions by name; nothing else can be called."""
