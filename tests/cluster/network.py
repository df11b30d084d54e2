"""What stands in for cluster DNS and kube-proxy on the real node, and the way into the node's network.

The node lives in a network namespace of its own. `Forward` listens on loopback out here and connects in there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def _enter(namespace: Path) -> None:
    """Move the calling thread, and no other, into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with namespace.open("rb") as stream:
        if libc.setns(stream.fileno(), _CLONE_NEWNET):
            error = ctypes.get_errno()
            raise OSError(error, f"cannot enter {namespace}: {os.strerror(error)}")


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


class Forward:
    """A TCP forwarder in a thread of its own, which ends with the process or with `close()`.

    Args:
        target: host and port that connections are led to.
        namespace: a network namespace file such as /proc/PID/ns/net in which the target is; None for this one.
        listen: host and port to listen on; port 0 takes a free one, see `port`.
    """

    def __init__(
        self, target: tuple[str, int], *, namespace: Path | None = None, listen: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        self._target = target
        self._listener = socket.create_server(listen, backlog=128)  # made out here: it stays in this namespace
        self.port = int(self._listener.getsockname()[1])
        self._namespace = namespace
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"forward-{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._listener.close()

    def _run(self) -> None:
        if self._namespace:
            _enter(self._namespace)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            far_writer.close()
            writer.close()


def _question(packet: bytes) -> tuple[str, int, bytes]:
    """Name, type and raw bytes of the first question of a DNS query."""
    labels, at = [], 12
    while size := packet[at]:
        labels.append(packet[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    kind = int(struct.unpack_from(">H", packet, at + 1)[0])
    return ".".join(labels).lower(), kind, packet[12 : at + 5]


def answer(packet: bytes, resolve: Callable[[str], Sequence[str]]) -> bytes:
    """The answer to a DNS query: addresses for type A, an empty answer for other types of a known name."""
    name, kind, question = _question(packet)
    addresses = resolve(name)
    records = [
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + socket.inet_aton(address)
        for address in (addresses if kind == 1 else ())
    ]
    flags = 0x8580 if addresses else 0x8583  # authoritative; NXDOMAIN where the name is not known
    return packet[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)


class Names:
    """A DNS server in a thread of its own, for names that `resolve` knows."""

    def __init__(self, listen: tuple[str, int], resolve: Callable[[str], Sequence[str]]) -> None:
        self._resolve = resolve
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(listen)
        threading.Thread(target=self._run, name="dns", daemon=True).start()

    def _run(self) -> None:
        while True:
            packet, sender = self._socket.recvfrom(512)
            try:
                self._socket.sendto(answer(packet, self._resolve), sender)
            except (OSError, IndexError, struct.error, LookupError, ValueError) as error:
                print(f"dns: {error!r}", flush=True)
