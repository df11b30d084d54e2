"""Bytes to text to lines, in whatever encoding and with whatever line ends."""

from __future__ import annotations

import codecs
import re

from msgspec import Struct

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Decoded(Struct, frozen=True):
    """Text of a file.

    Attributes:
        encoding: what it was decoded as.
        note: what is wrong with the encoding, empty if nothing is; `line` is where it shows first.
    """

    text: str
    encoding: str
    note: str = ""
    line: int = 1


def decode(data: bytes) -> Decoded:
    """Text from bytes in whatever encoding they are; it never fails.

    UTF-8, UTF-16 and UTF-32 with a mark, UTF-16 without one, else Windows-1252. Single bytes that are wrong in a text
    that otherwise is UTF-8 become U+FFFD.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            text = data.decode(name, errors="replace")
            broken = "\ufffd" in text
            if name == "utf-8-sig":
                return _utf8(data[len(mark) :], "utf-8-sig")
            say = f"the file is {name.upper()}, not UTF-8" + (", and parts of it are broken" if broken else "")
            return Decoded(text, name, say)
    if len(data) >= 4 and b"\0" in data:
        sample = data[:4096]
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        half = len(sample) // 2
        if max(even, odd) > half * 0.4 and min(even, odd) < half * 0.1:
            name = "utf-16-le" if odd > even else "utf-16-be"
            return Decoded(data.decode(name, errors="replace"), name, "the file is UTF-16 without a mark, not UTF-8")
    return _utf8(data, "utf-8")


def _utf8(data: bytes, name: str) -> Decoded:
    try:
        return Decoded(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\n|\r", data[: error.start])) + 1
    text = data.decode("utf-8", errors="surrogateescape")
    if any(ord(char) > 127 and not 0xDC80 <= ord(char) <= 0xDCFF for char in text):
        shown = re.sub("[\udc80-\udcff]", "\ufffd", text)
        return Decoded(shown, name, "bytes that are no UTF-8 stand here; they are shown as \ufffd", line)
    try:
        return Decoded(data.decode("cp1252"), "cp1252", "the file is no UTF-8; it was read as Windows-1252", line)
    except UnicodeDecodeError:
        return Decoded(data.decode("latin-1"), "latin-1", "the file is no UTF-8; it was read as Latin-1", line)


def split_lines(text: str) -> list[str]:
    """Lines without their ends (`\\n`, `\\r\\n` or `\\r`). Form feeds and Unicode separators end no line."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")
