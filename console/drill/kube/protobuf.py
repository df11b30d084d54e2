"""Access reviews in protobuf: kubectl sends them so. Only their few string fields are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.drill.state.objects import StatusError

Object = dict[str, Any]
MAGIC = b"k8s\x00"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_ATTRIBUTES = {1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name"}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise StatusError("the body is no protobuf", "BadRequest", 400)
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Length-delimited fields of a message; others are skipped."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 2:
            size, at = _varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size
        elif kind == 0:
            _, at = _varint(data, at)
        else:
            at += {1: 8, 5: 4}.get(kind, len(data))


def review(body: bytes) -> Object:
    """A SelfSubjectAccessReview or SelfSubjectRulesReview as its JSON form.

    Raises:
        StatusError: 400, it is none.
    """
    if not body.startswith(MAGIC):
        raise StatusError("the body is no Kubernetes protobuf", "BadRequest", 400)
    envelope = dict(_fields(body[len(MAGIC) :]))
    kind = dict(_fields(envelope.get(1, b""))).get(2, b"").decode()
    spec = dict(_fields(dict(_fields(envelope.get(2, b""))).get(2, b"")))
    if kind == "SelfSubjectRulesReview":
        return {"spec": {"namespace": spec.get(1, b"").decode()}}
    if kind == "SelfSubjectAccessReview":
        if 1 in spec:
            named = {_ATTRIBUTES[number]: text.decode() for number, text in _fields(spec[1]) if number in _ATTRIBUTES}
            return {"spec": {"resourceAttributes": named}}
        wanted = dict(_fields(spec.get(2, b"")))
        path, verb = wanted.get(1, b"").decode(), wanted.get(2, b"").decode()
        return {"spec": {"nonResourceAttributes": {"path": path, "verb": verb}}}
    if kind == "SelfSubjectReview":
        return {}
    raise StatusError("415: Unsupported Media Type", "UnsupportedMediaType", 415)
