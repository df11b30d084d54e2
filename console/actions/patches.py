"""Patches as data: which fields they touch, what stood there before, and the patch that puts it back."""

from __future__ import annotations

from typing import Any, Final


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()
"""The field does not exist, which is not the same as null."""


def pointer(path: tuple[str, ...]) -> str:
    """`/spec/sparkConf/a~1b` of a path of keys."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def parts(pointer: str) -> tuple[str, ...]:
    """The keys of a JSON pointer."""
    return tuple(p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:])


def touched(patch: Any, patch_type: str) -> tuple[str, ...]:
    """JSON pointers of the fields that a patch sets or removes, in the order of the patch, `test` left out."""
    if patch_type == "json":
        operations = patch if isinstance(patch, list) else []
        found = [str(o.get("path", "")) for o in operations if isinstance(o, dict) and o.get("op") != "test"]
        return tuple(dict.fromkeys(found))
    return tuple(_leaves(patch, ()))


def _leaves(tree: Any, path: tuple[str, ...]) -> list[str]:
    if isinstance(tree, dict) and (tree or not path):
        return [leaf for key, value in tree.items() for leaf in _leaves(value, (*path, str(key)))]
    return [pointer(path)]


def get(obj: Any, at: str) -> Any:
    """The value at a JSON pointer, or MISSING."""
    for part in parts(at):
        if isinstance(obj, dict) and part in obj:
            obj = obj[part]
        elif isinstance(obj, list) and part.isdigit() and int(part) < len(obj):
            obj = obj[int(part)]
        else:
            return MISSING
    return obj


def before(obj: Any, pointers: tuple[str, ...]) -> dict[str, Any]:
    """Pointer → present value; fields that do not exist are left out."""
    found = {at: get(obj, at) for at in pointers}
    return {at: value for at, value in found.items() if value is not MISSING}


def setting(at: str, value: Any) -> dict[str, Any]:
    """The merge patch that sets one field of objects; None removes it."""
    out: Any = value
    for key in reversed(parts(at)):
        out = {key: out}
    assert isinstance(out, dict), "a pointer has parts"
    return out


def restoring(touched: tuple[str, ...], before: dict[str, Any]) -> dict[str, Any] | None:
    """The merge patch that puts `before` back at these pointers; None where they name items of lists."""
    if any(part.isdigit() or part == "-" for at in touched for part in parts(at)):
        return None
    patch: dict[str, Any] = {}
    for at in touched:
        keys = parts(at)
        inner = patch
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = before.get(at)
    return patch
