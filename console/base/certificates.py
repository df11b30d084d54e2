"""X.509 certificates, as far as one asks when they hold and who gave them: no chain is verified, no key looked at."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from msgspec import Struct

from console.base.clock import parse_time

MOST_BYTES = 256 * 2**10
"""Of a bundle; a CA bundle of a whole system has about as many."""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]{1,100000}?)-----END CERTIFICATE-----")
_SEQUENCE, _UTC, _GENERAL, _VERSION = 0x30, 0x17, 0x18, 0xA0
_TEXTS = frozenset({0x0C, 0x13, 0x14, 0x16})
_COMMON_NAME = b"\x55\x04\x03"


class HeldCertificate(Struct, frozen=True):
    """One certificate. Times are epoch seconds; names are common names, `` where there is none."""

    subject: str
    issuer: str
    begins: float
    ends: float


def read_bundle(encoded: str) -> tuple[HeldCertificate, ...]:
    """The certificates of a bundle, as base64 of PEM (`caBundle`) or as PEM.

    Raises:
        ValueError: it holds none, or one that is damaged.
    """
    text = encoded if "-----BEGIN" in encoded else _decoded(encoded)
    found = tuple(_certificate(body) for body in _PEM.findall(text[:MOST_BYTES]))
    if not found:
        raise ValueError("it holds no certificate")
    return found


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode("".join(encoded[:MOST_BYTES].split()), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("it is no base64 of a certificate") from None


def _certificate(body: str) -> HeldCertificate:
    try:
        der = base64.b64decode(body)
        whole = dict(enumerate(_parts(_only(der))))
        fields = [part for part in _parts(whole[0][1]) if part[0] != _VERSION]
        issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
        begins, ends = (_time(kind, value) for kind, value in list(_parts(validity))[:2])
    except (IndexError, KeyError, ValueError, StopIteration):
        raise ValueError("a certificate in it is damaged") from None
    return HeldCertificate(_name(subject), _name(issuer), begins, ends)


def _only(der: bytes) -> bytes:
    kind, value = next(_parts(der))
    if kind != _SEQUENCE:
        raise ValueError("no sequence")
    return value


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of each element that stands one after the other."""
    at = 0
    while at < len(der):
        kind, size, at = der[at], der[at + 1], at + 2
        if size & 0x80:
            more = size & 0x7F
            size, at = int.from_bytes(der[at : at + more]), at + more
        if at + size > len(der):
            raise ValueError("cut off")
        yield kind, der[at : at + size]
        at += size


def _time(kind: int, value: bytes) -> float:
    text = value.decode("ascii")
    if kind == _UTC:
        text = ("20" if text[:2] < "50" else "19") + text
    elif kind != _GENERAL:
        raise ValueError("no time")
    known = parse_time(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z")
    if known is None:
        raise ValueError("no time")
    return known


def _name(der: bytes) -> str:
    for _, of_set in _parts(der):
        for _, pair in _parts(of_set):
            (_, key), (kind, value) = list(_parts(pair))[:2]
            if key == _COMMON_NAME and kind in _TEXTS:
                return value.decode("utf-8", "replace")
    return ""
