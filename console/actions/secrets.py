"""What is stored or shown of a change: without secrets. What would lose something by it is known as such."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from console.actions.effects import Effect
from console.base.redact import MARK, is_secret_key, redact, redact_argv, redact_value

_ENVIRONMENT = re.compile(r"/env/[^/]+/value$")
_SECRET_DATA = ("data", "stringData")


def secret_pointer(pointer: str) -> bool:
    """Whether a JSON pointer names a value that is a secret, or may be one (the value of an environment variable)."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]
    return bool(_ENVIRONMENT.search(pointer)) or any(is_secret_key(part) for part in parts)


def seal_value(value: Any, pointer: str = "", *, kind: str = "") -> Any:
    """A value at `pointer` of an object of this kind, without secrets."""
    if kind == "Secret" and pointer.split("/")[1:2] in (["data"], ["stringData"]):
        return MARK
    if value is not None and secret_pointer(pointer):
        return MARK
    return redact_value(value)


def seal_effect(effect: Effect) -> Effect:
    """The effect without secrets in its patch, its argv and its words."""
    kind = effect.target.kind if effect.target else ""
    patch = effect.patch
    if isinstance(patch, list | tuple):
        patch = [_seal_operation(item, kind) for item in patch]
    elif isinstance(patch, dict):
        if kind == "Secret":
            patch = {k: (MARK if k in _SECRET_DATA else v) for k, v in patch.items()}
        patch = redact_value(patch)
    words = {key: redact(getattr(effect, key)) for key in ("title", "reason", "restarts", "loses")}
    argv = tuple(redact_argv(list(effect.argv)))
    arguments = effect.arguments if isinstance(effect.arguments, UnsetType) else redact_value(effect.arguments)
    return replace(effect, patch=patch, arguments=arguments, argv=argv, **words)


def _seal_operation(operation: Any, kind: str) -> Any:
    if not isinstance(operation, dict):
        return redact_value(operation)
    out = dict(operation)
    if "value" in out:
        out["value"] = seal_value(out["value"], str(out.get("path", "")), kind=kind)
    return out


def keeps(effect: Effect) -> bool:
    """Whether the effect can be stored without losing anything, so that it could be applied from the journal."""
    sealed = seal_effect(effect)
    plain = msgspec.to_builtins
    kept = all(plain(getattr(sealed, key)) == plain(getattr(effect, key)) for key in ("patch", "given"))
    return kept and sealed.argv == effect.argv


def seal_before(before: dict[str, Any], kind: str = "") -> dict[str, Any]:
    """Present values by pointer, without secrets."""
    return {pointer: seal_value(value, pointer, kind=kind) for pointer, value in before.items()}
