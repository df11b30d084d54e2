"""The journal: append-only SQLite, one hash chain per walk, every record on the disk before `append` returns.

A record's hash covers the walk, its number, the hash before it and its payload, so an edit shows unless everything
after it was computed anew: that is why heads are written into timelines and Kubernetes Events. The last record of each
walk stands a second time in `heads`, written in the same commit, so that a cut tail shows as well.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from console.actions.effects import Effect
from console.base import paths
from console.base.errors import ConsoleError, UsageError, did_you_mean
from console.base.text import listed
from console.operate.chain import GENESIS, Chain, check, digest
from console.operate.sealing import seal
from console.runbook.walk import AnyEvent, Applied, Intent, decode, encode, fold

BUSY_SECONDS = 15.0
_APPLICATION, _VERSION = 0x434F4E53, 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS records (
  walk TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL,
  prev TEXT NOT NULL, hash TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (walk, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads (walk TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, at);
CREATE TRIGGER IF NOT EXISTS records_stay BEFORE UPDATE ON records
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS records_remain BEFORE DELETE ON records
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class JournalError(ConsoleError):
    """The journal cannot be written or read, or it is not what was written."""


class WalkSummary(Struct, frozen=True):
    """One walk of the journal: how long its chain is and where it ends. Times are epoch seconds of the walk's clock."""

    walk: str
    runbook: str
    subject: str
    records: int
    head: str
    began: float
    last: float


class JournalledChange(Struct, frozen=True):
    """A change that was made, or may have been made: an intent that did not fail; and what was walked, on what."""

    walk: str
    at: float
    effect: Effect
    runbook: str
    subject: str


class _Begun(Struct, frozen=True):
    runbook: str = ""
    subject: str = ""
    at: float = 0.0
    cluster: dict[str, Any] = {}


class Journal:
    """One journal file. Several processes and threads may use it at once.

    Args:
        path: the file; None means `journal.db` in the state folder. It is created by the first `append`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else paths.state_dir() / "journal.db"
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._private = False

    def append(self, walk: str, event: AnyEvent, *, expected: int | None = None) -> AnyEvent:
        """Store the event without its secrets and return it as it was stored. It is on the disk afterwards.

        Args:
            expected: how many records the walk must have; another number means that somebody else writes to it.

        Raises:
            JournalError: it was not stored.
        """
        sealed = seal(event)
        payload = encode(sealed)
        kind = type(sealed).__struct_config__.tag
        with self._lock, self._reported():
            db = self._create()
            db.execute("BEGIN IMMEDIATE")
            try:
                seq, prev = self._tail(db, walk)
                if expected is not None and seq != expected:
                    raise JournalError(
                        f"walk {walk} has {seq} records in the journal, {expected} were expected",
                        hint="another process writes to this walk",
                    )
                mine = digest(walk, seq + 1, prev, payload)
                db.execute(
                    "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (walk, seq + 1, sealed.at, kind, prev, mine, payload),
                )
                db.execute("INSERT OR REPLACE INTO heads VALUES (?, ?, ?)", (walk, seq + 1, mine))
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        return sealed

    def read(self, walk: str) -> list[AnyEvent]:
        """All events of a walk in order; empty where there is none.

        Raises:
            JournalError: a record is not readable.
        """
        events: list[AnyEvent] = []
        for seq, _, _, payload in self._records(walk):
            try:
                events.append(decode(payload))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise JournalError(f"record {seq} of walk {walk} is not readable: {error}") from None
        return events

    def walks(self) -> tuple[WalkSummary, ...]:
        """All walks, the one that began last first."""
        out = []
        with self._lock, self._reported():
            db = self._open()
            rows = [] if db is None else db.execute(_HEADS).fetchall()
        for walk, seq, head, last, payload in rows:
            begun = _begun(payload)
            out.append(WalkSummary(walk, begun.runbook, begun.subject, seq, head, begun.at, last))
        return tuple(sorted(out, key=lambda head: (head.began, head.walk), reverse=True))

    def unfinished(self) -> tuple[str, ...]:
        """Ids of the walks that may not have ended, the one that began last first."""
        with self._lock, self._reported():
            db = self._open()
            rows = [] if db is None else db.execute(_UNFINISHED).fetchall()
        return tuple(walk for (walk,) in rows)

    def stamp(self) -> tuple[int, int] | None:
        """What differs when somebody has written to it, from whatever process; None where there is no journal yet."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size)

    def find(self, text: str) -> str:
        """The walk that is meant: its id, the beginning of it, or `latest`.

        Raises:
            UsageError: there is none, or several begin so.
        """
        return self._meant(text, [head.walk for head in self.walks()])

    def find_open(self, text: str) -> str:
        """The same, where `latest` is the newest walk that has not ended.

        Raises:
            UsageError: there is none, or several begin so.
        """
        known = [head.walk for head in self.walks()]
        if text == "latest":
            text = next((walk for walk in self.unfinished() if self._is_open(walk)), "")
            if not text:
                raise UsageError("no walk is unfinished", hint="console incident list shows those that ended")
        return self._meant(text, known)

    def _is_open(self, walk: str) -> bool:
        """Whether it can be read and has not ended."""
        try:
            return fold(self.read(walk)).status != "ended"
        except (JournalError, ValueError):
            return False

    def _meant(self, text: str, known: list[str]) -> str:
        if text in known:
            return text
        if text == "latest" and known:
            return known[0]
        found = [walk for walk in known if text and walk.startswith(text)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{text!r} is the beginning of {len(found)} walks", hint=listed(found, 5))
        if not known:
            raise UsageError("the journal holds no walk yet", hint=str(self.path))
        raise UsageError(f"no walk {text!r} in the journal", hint=did_you_mean(text, known))

    def verify(self, walk: str) -> Chain:
        """Compute the chain anew and compare."""
        records = self._records(walk)
        with self._lock, self._reported():
            db = self._open()
            noted = None if db is None else db.execute(_NOTED, (walk,)).fetchone()
        return check(walk, records, noted)

    def head(self, walk: str) -> str:
        """The hash of the last record, `` where there is none."""
        hashes = self.hashes(walk)
        return hashes[-1] if hashes else ""

    def hashes(self, walk: str) -> tuple[str, ...]:
        """The hash of each record, in order."""
        return tuple(said for _, _, said, _ in self._records(walk))

    def changes(self, since: float, cluster: Mapping[str, Any] | None = None) -> Iterator[JournalledChange]:
        """Changes that were made, or may have been, from `since` (epoch seconds of the walk's clock) on.

        Args:
            cluster: what a walk is pinned to (`uid`, else `server`); only changes of that cluster count. Another one
                may have an object of the same name.
        """
        with self._lock, self._reported():
            db = self._open()
            rows = [] if db is None else db.execute(_CHANGES, (since,)).fetchall()
            begun = {} if db is None else {walk: _begun(said) for walk, said in db.execute(_BEGUN, (since,))}
        failed: set[str] = set()
        intents: list[tuple[str, Intent]] = []
        for walk, payload in rows:
            try:
                event = decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError):  # `verify` says so of its walk
                continue
            if isinstance(event, Intent):
                intents.append((walk, event))
            elif isinstance(event, Applied) and not event.ok:
                failed.add(event.effect)
        for walk, intent in intents:
            first = begun.get(walk, _Begun())
            if intent.effect.id not in failed and (cluster is None or _same(first.cluster, cluster)):
                yield JournalledChange(walk, intent.at, intent.effect, first.runbook, first.subject)

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _records(self, walk: str) -> list[tuple[int, str, str, bytes]]:
        with self._lock, self._reported():
            db = self._open()
            if db is None:
                return []
            query = "SELECT seq, prev, hash, CAST(payload AS BLOB) FROM records WHERE walk = ? ORDER BY seq"
            return db.execute(query, (walk,)).fetchall()

    def _tail(self, db: sqlite3.Connection, walk: str) -> tuple[int, str]:
        noted = db.execute(_NOTED, (walk,)).fetchone()
        last = db.execute("SELECT seq, hash FROM records WHERE walk = ? ORDER BY seq DESC LIMIT 1", (walk,)).fetchone()
        if noted != last:
            raise JournalError(
                f"the journal of walk {walk} has lost its end; it is not continued", hint=f"look at {self.path}"
            )
        return (last[0], last[1]) if last else (0, GENESIS)

    def _create(self) -> sqlite3.Connection:
        """The open database, which exists afterwards: 0600 in a folder that only its owner may enter."""
        if self._db is None or not self._private:
            try:
                paths.private_dir(self.path.parent)
            except UsageError as error:
                raise JournalError(f"the journal cannot be used: {error.message}", hint=str(self.path)) from None
            handle = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            try:
                os.fchmod(handle, 0o600)
            finally:
                os.close(handle)
            _sync_folder(self.path.parent)
            self._private = True
        db = self._open()
        assert db is not None
        return db

    def _open(self) -> sqlite3.Connection | None:
        if self._db is None and self.path.is_symlink():
            raise JournalError(f"the journal {self.path} is a link; it is not followed", hint="move the link away")
        if self._db is None and self.path.exists():
            db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                db.execute("PRAGMA journal_mode = DELETE").fetchone()
                db.execute("PRAGMA synchronous = EXTRA")
                db.execute("PRAGMA trusted_schema = OFF")
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    db.executescript(_SCHEMA)
                elif version != _VERSION or db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
                    raise JournalError(
                        f"{self.path} was written by another version of Console (format {version})",
                        hint="move it aside; a new one is begun",
                    )
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """SQLite's and the system's errors as one sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise JournalError(
                    f"another process has held the journal for {BUSY_SECONDS:.0f}s", hint=str(self.path)
                ) from None
            raise JournalError(f"the journal cannot be used: {error}", hint=str(self.path)) from None
        except sqlite3.DatabaseError as error:
            raise JournalError(
                f"the journal is damaged: {error}", hint=f"keep {self.path} for a look, and move it aside"
            ) from None
        except OSError as error:
            raise JournalError(f"the journal cannot be used: {error.strerror}", hint=str(self.path)) from None


def _begun(payload: bytes) -> _Begun:
    """What a first record says; nothing where it cannot be read."""
    try:
        return msgspec.json.decode(payload, type=_Begun)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Begun()


def _same(theirs: Mapping[str, Any], cluster: Mapping[str, Any]) -> bool:
    """Whether a walk was on this cluster; one whose first record names none may be of any."""
    key = "uid" if theirs.get("uid") and cluster.get("uid") else "server"
    return not theirs.get(key) or not cluster.get(key) or theirs[key] == cluster[key]


_NOTED = "SELECT seq, hash FROM heads WHERE walk = ?"
_HEADS = """
SELECT h.walk, h.seq, h.hash, (SELECT at FROM records r WHERE r.walk = h.walk ORDER BY seq DESC LIMIT 1), f.payload
FROM heads h JOIN records f ON f.walk = h.walk AND f.seq = 1
"""
_BEGUN = """
SELECT walk, CAST(payload AS BLOB) FROM records
WHERE seq = 1 AND walk IN (SELECT walk FROM records WHERE kind = 'intent' AND at >= ?)
"""
_UNFINISHED = """
SELECT h.walk FROM heads h JOIN records f ON f.walk = h.walk AND f.seq = 1
JOIN records l ON l.walk = h.walk AND l.seq = h.seq
WHERE l.kind != 'ended' ORDER BY f.at DESC, h.walk DESC
"""
_CHANGES = "SELECT walk, payload FROM records WHERE kind IN ('intent', 'applied') AND at >= ? ORDER BY at, walk, seq"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
