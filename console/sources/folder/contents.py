"""Files of an evidence folder → text, within bounds: no symlink out of it, no device, no bomb, no endless log.

A file that is too large is read at its head and its end; compressed files and members of archives are opened as far as
the same bounds allow. What could not be read is reported with the reason, never raised.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import zstandard

from console.base.text import shorten

MIB = 2**20
MAX_FILES = 20_000
MAX_DEPTH = 12
MAX_TEXT = 64 * MIB
_DIGITS = re.compile(r"(\d{1,18})")
HEAD, TAIL = 8 * MIB, 24 * MIB
MAX_TOTAL = 768 * MIB
MAX_MEMBERS = 20_000
MAX_UNPACKED = 4_096 * MIB
"""Bytes that one compressed file may become, those that are passed over too."""

_GZIP, _ZSTD, _ZIP, _BZ2, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00"
_LZ4_BLOCK, _LZ4_FRAME, _SNAPPY = b"LZ4Block", b"\x04\x22\x4d\x18", b"\x82SNAPPY\x00"
_FOREIGN = {
    _LZ4_BLOCK: "compressed with lz4: only zstd, gzip and plain files are read",
    _LZ4_FRAME: "compressed with lz4: only zstd, gzip and plain files are read",
    _SNAPPY: "compressed with snappy: only zstd, gzip and plain files are read",
    b"\xff\x06\x00\x00sNaPpY": "compressed with snappy: only zstd, gzip and plain files are read",
    b"ZV\x00": "compressed with lzf: only zstd, gzip and plain files are read",
    b"ZV\x01": "compressed with lzf: only zstd, gzip and plain files are read",
    _BZ2: "compressed with bzip2: only zstd, gzip and plain files are read",
    _XZ: "compressed with xz: only zstd, gzip and plain files are read",
}


@dataclass
class Piece:
    """The text of one file or archive member. `cut` says that its middle or end is missing."""

    locator: str
    text: str
    cut: str = ""


@dataclass
class FolderContents:
    """Reads a folder within one budget. `unread` collects (locator, reason)."""

    root: Path
    unread: list[tuple[str, str]] = field(default_factory=list)
    spent: int = 0

    def pieces(self) -> Iterator[Piece]:
        """Every readable file in name order."""
        for path, locator in self._files():
            yield from self._file(path, locator)

    def of_file(self, path: Path) -> Iterator[Piece]:
        """What one file holds, or the members of an archive."""
        yield from self._file(path, path.name)

    def of_stream(self, stream: IO[bytes], locator: str) -> Iterator[Piece]:
        """What is piped in, as far as the bound of one text allows."""
        data = stream.read(MAX_TEXT + 1)
        if len(data) > MAX_TEXT:
            self.unread.append((locator, f"only the first {MAX_TEXT // MIB} MiB were read"))
        if data:
            yield from self._stream(io.BytesIO(data[:MAX_TEXT]), locator, min(len(data), MAX_TEXT), 0)

    def _files(self) -> Iterator[tuple[Path, str]]:
        root = self.root.resolve()
        count = 0
        for folder, folders, files in os.walk(root, followlinks=False, onerror=self._walk_error):
            here = Path(folder)
            folders.sort()
            if len(here.relative_to(root).parts) >= MAX_DEPTH:
                self.unread.append((str(here.relative_to(root)), f"more than {MAX_DEPTH} folders deep"))
                folders.clear()
            for name in sorted(files, key=_natural):
                count += 1
                path = here / name
                locator = str(path.relative_to(root))
                if count > MAX_FILES:
                    self.unread.append((locator, f"more than {MAX_FILES} files: this one and those after it"))
                    return
                if path.is_symlink() and not _inside(path, root):
                    self.unread.append((locator, "a link that leads out of the folder"))
                    continue
                yield path, locator

    def _walk_error(self, error: OSError) -> None:
        name = error.filename or ""
        self.unread.append((os.path.relpath(name, self.root.resolve()) if name else "?", _reason(error)))

    def _file(self, path: Path, locator: str) -> Iterator[Piece]:
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                self.unread.append((locator, "no regular file"))
                return
            if status.st_size == 0:
                return
            with path.open("rb") as file:
                yield from self._stream(file, locator, status.st_size, 0)
        except OSError as error:
            self.unread.append((locator, _reason(error)))

    def _stream(self, file: IO[bytes], locator: str, size: int, depth: int) -> Iterator[Piece]:
        if self.spent > MAX_TOTAL:
            self.unread.append((locator, f"the folder holds more than {MAX_TOTAL // MIB} MiB of evidence"))
            return
        start = file.read(600)
        file.seek(0)
        foreign = next((why for magic, why in _FOREIGN.items() if start.startswith(magic)), "")
        if foreign:
            self.unread.append((locator, foreign))
        elif start.startswith(_GZIP) or start.startswith(_ZSTD):
            yield from self._compressed(file, locator, start, depth)
        elif start.startswith(_ZIP):
            yield from self._zip(file, locator, depth)
        elif start[257:262] == b"ustar":
            yield from self._tar(file, locator, depth)
        else:
            data, cut = _bounded(file, size)
            yield from self._text(data, locator, cut)

    def _compressed(self, file: IO[bytes], locator: str, start: bytes, depth: int) -> Iterator[Piece]:
        unpacked = _Unpacked(_gunzip(file) if start.startswith(_GZIP) else _unzstd(file))
        if unpacked.peek()[257:262] == b"ustar" and depth < 2:
            yield from self._tar(unpacked, locator, depth)
            return
        data = unpacked.read(MAX_TEXT)
        cut = f"cut off or damaged while unpacking: {unpacked.broken}" if unpacked.broken else ""
        if not cut and unpacked.peek():
            cut = f"only the first {MAX_TEXT // MIB} MiB were unpacked"
        if not data:
            self.unread.append((locator, cut or "nothing in it"))
        else:
            yield from self._text(data, locator, cut)

    def _tar(self, file: Any, locator: str, depth: int) -> Iterator[Piece]:
        """The members of an archive, one after the other as they come: it may be larger than what is kept of it."""
        if depth >= 2:
            self.unread.append((locator, "an archive in an archive in an archive"))
            return
        try:
            with tarfile.open(fileobj=file, mode="r|") as archive:
                for index, member in enumerate(archive):
                    if index >= MAX_MEMBERS or self.spent > MAX_TOTAL:
                        most = f"{MAX_MEMBERS} members" if index >= MAX_MEMBERS else f"{MAX_TOTAL // MIB} MiB"
                        self.unread.append((locator, f"more than {most}: {member.name} and those after it"))
                        return
                    inner = archive.extractfile(member) if member.isfile() else None
                    if inner is not None and member.size:
                        data, name = inner.read(MAX_TEXT), f"{locator}!{member.name}"
                        if member.size > MAX_TEXT:
                            self.unread.append((name, f"only the first {MAX_TEXT // MIB} MiB were read"))
                        yield from self._stream(io.BytesIO(data), name, len(data), depth + 1)
        except (tarfile.TarError, OSError, EOFError) as error:
            self.unread.append((locator, f"damaged archive: {_short(error)}"))
        if getattr(file, "broken", ""):
            self.unread.append((locator, f"cut off or damaged while unpacking: {file.broken}"))

    def _zip(self, file: IO[bytes], locator: str, depth: int) -> Iterator[Piece]:
        if depth >= 2:
            self.unread.append((locator, "an archive in an archive in an archive"))
            return
        try:
            with zipfile.ZipFile(file) as archive:
                for index, info in enumerate(archive.infolist()):
                    if index >= MAX_MEMBERS:
                        self.unread.append((locator, f"more than {MAX_MEMBERS} members"))
                        return
                    if info.is_dir():
                        continue
                    with archive.open(info) as inner:
                        data = inner.read(MAX_TEXT)
                    if info.file_size > MAX_TEXT:
                        why = f"only the first {MAX_TEXT // MIB} MiB were read"
                        self.unread.append((f"{locator}!{info.filename}", why))
                    yield from self._stream(io.BytesIO(data), f"{locator}!{info.filename}", len(data), depth + 1)
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error, NotImplementedError) as error:
            self.unread.append((locator, f"damaged or protected archive: {_short(error)}"))

    def _text(self, data: bytes, locator: str, cut: str) -> Iterator[Piece]:
        self.spent += len(data)
        text, reason = decode_text(data)
        if reason:
            self.unread.append((locator, reason))
        if text is None:
            return
        if cut:
            self.unread.append((locator, cut))
        yield Piece(locator, text, cut)


class _Unpacked:
    """What a compressed file holds, read forward. `broken` says why it ended early, `` where it did not."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held, self._given = chunks, bytearray(), 0
        self.broken = ""

    def peek(self) -> bytes:
        """The next bytes, which stay to be read."""
        self._fill(600)
        return bytes(self._held[:600])

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end."""
        self._fill(size)
        out = bytes(self._held[:size])
        del self._held[:size]
        return out

    def _fill(self, size: int) -> None:
        while len(self._held) < size and not self.broken:
            try:
                chunk = next(self._chunks, b"")
            except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
                self.broken = _short(error)
                return
            if not chunk:
                return
            self._given += len(chunk)
            if self._given > MAX_UNPACKED:
                self.broken = f"more than {MAX_UNPACKED // MIB} MiB"
                return
            self._held += chunk


def _gunzip(file: IO[bytes]) -> Iterator[bytes]:
    """What a gzip file holds, as far as it goes.

    Raises:
        EOFError: it is cut off.
        zlib.error: it is damaged.
    """
    unpacker = zlib.decompressobj(wbits=31)
    while block := file.read(64 * 1024):
        while block:
            yield unpacker.decompress(block, MIB)
            block = unpacker.unconsumed_tail
            if unpacker.eof:
                block = unpacker.unused_data
                if not block.startswith(_GZIP):
                    return
                unpacker = zlib.decompressobj(wbits=31)
    if not unpacker.eof:
        raise EOFError("the compressed data ends early")


def _unzstd(file: IO[bytes]) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file, read_across_frames=True)
    while chunk := reader.read(MIB):
        yield chunk


def decode_text(data: bytes) -> tuple[str | None, str]:
    """(text, what was wrong with it). None for text means that it is none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), ""
        except UnicodeDecodeError:
            return data.decode("utf-16", "replace"), "damaged UTF-16: unreadable characters were replaced"
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    sample = data[:8_192]
    zeros = sample.count(0)
    if (wide := _wide(sample)) and zeros:
        return data.decode(wide, "replace"), ""
    if zeros > len(sample) // 100 + 1 or (zeros and not sample.strip(b"\0")):
        return None, "binary"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if bad > len(text) // 5:
        return None, "binary, or text of an unknown encoding"
    if bad > 2:
        return text, f"no clean UTF-8: {bad} characters were replaced"
    return text, ""


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: every other byte of plain text is zero, always on the same side."""
    pairs = len(sample) // 2
    low, high = sample[1 : 2 * pairs : 2].count(0), sample[0 : 2 * pairs : 2].count(0)
    if pairs >= 8 and low > 0.9 * pairs and not high:
        return "utf-16-le"
    return "utf-16-be" if pairs >= 8 and high > 0.9 * pairs and not low else ""


def _bounded(file: IO[bytes], size: int) -> tuple[bytes, str]:
    if size <= MAX_TEXT:
        data = file.read(MAX_TEXT + 1)
        return data[:MAX_TEXT], ("" if len(data) <= MAX_TEXT else f"only the first {MAX_TEXT // MIB} MiB were read")
    head = file.read(HEAD)
    file.seek(size - TAIL)
    tail = file.read(TAIL)
    head = head[: head.rfind(b"\n") + 1] or head
    tail = tail[tail.find(b"\n") + 1 :]
    return head + tail, f"{size // MIB} MiB: only the first {HEAD // MIB} and the last {TAIL // MIB} MiB were read"


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which `events_10` comes after `events_9`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name)]


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _short(error: Exception) -> str:
    return shorten((str(error) or type(error).__name__).splitlines()[0], 120)
