"""The git history of an index and of the workstream files: earlier versions, renames, what moved.

Only reading commands are run, as argv, without a shell, a pager, hooks, network or the user's configuration, each
under a deadline. History is that of the main line: a merge counts when it was merged.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from console.base.errors import ConsoleError, UsageError
from console.sources.files.workstreams import MAX_FILES, MAX_INDEX, repository_of
from console.workstreams.build import build
from console.workstreams.reports.history import Point, point

DEADLINE = 30.0
"""Seconds that all git commands of one question may take together."""
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.quotePath": "false",
    "core.attributesFile": os.devnull,
    "color.ui": "false",
    "diff.external": "",
    "diff.renames": "true",
    "diff.renameLimit": "5000",
    "diff.orderFile": os.devnull,
    "log.showSignature": "false",
    "log.showRoot": "true",
    "log.follow": "false",
    "log.mailmap": "false",
    "gc.auto": "0",
    "protocol.allow": "never",
}
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "true",
    "LC_ALL": "C",
}


class Version(Struct, frozen=True):
    """A version of the index: the commit, its time in seconds since the epoch, and the path it had there."""

    commit: str
    time: float
    path: str


class Rename(Struct, frozen=True):
    """A file of the later commit and the path that it had in the earlier one, empty for a new file."""

    path: str
    before: str


class History:
    """The repository around an index.

    Args:
        index: path of the index; it must lie in a git repository.

    Raises:
        UsageError: it lies in none, or git is missing.
    """

    def __init__(self, index: Path, *, deadline: float = DEADLINE) -> None:
        root = repository_of(index.resolve().parent)
        if root is None:
            raise UsageError(f"{index} lies in no git repository, so it has no history")
        self.root = root
        self.path = index.resolve().relative_to(root).as_posix()
        self.until = time.monotonic() + deadline
        self.deadline = deadline
        self.trusted: list[str] = []

    def head(self) -> str:
        """The commit that is checked out.

        Raises:
            UsageError: there is none yet.
        """
        try:
            return self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
        except _GitError:
            raise UsageError(f"the repository {self.root} has no commit yet") from None

    def shallow(self) -> bool:
        """Whether older history was not fetched."""
        return self.run("rev-parse", "--is-shallow-repository").decode().strip() == "true"

    def versions(self) -> list[Version]:
        """All versions of the index on the main line, the oldest first, under whatever path it had.

        Raises:
            UsageError: the index is not in the history.
        """
        self.head()
        out = self.run(
            *(
                "log",
                "--first-parent",
                "--diff-merges=first-parent",
                "--follow",
                "-M",
                "--no-ext-diff",
                "--no-textconv",
            ),
            *("--format=%x01%H%x20%ct", "--name-status", "-z", "HEAD", "--", self.path),
        )
        found: list[Version] = []
        for chunk in out.split(b"\x01")[1:]:
            head, _, rest = chunk.partition(b"\0")
            commit, _, moment = head.decode("ascii", "replace").strip().partition(" ")
            fields = [part.strip(b"\n") for part in rest.split(b"\0")]
            if not moment.isdigit() or len(fields) < 2 or not fields[0] or fields[0].startswith(b"D"):
                continue
            path = fields[2] if fields[0][:1] in (b"R", b"C") and len(fields) > 2 else fields[1]
            found.append(Version(commit, float(moment), os.fsdecode(path)))
        if not found:
            raise UsageError(
                f"{self.path} is not in the history of {self.root}", hint="commit it; history is read from git only"
            )
        found.reverse()
        latest = 0.0
        out_versions: list[Version] = []
        for version in found:
            latest = max(latest, version.time)
            out_versions.append(Version(version.commit, latest, version.path))
        return out_versions

    def contents(self, versions: Sequence[Version]) -> list[bytes | None]:
        """The bytes of the index in each version, None where they are not there (a partial clone)."""
        if not versions:
            return []
        if any("\n" in version.path for version in versions):
            raise UsageError("the index had a line break in its path, which git cannot be asked about")
        asked = b"".join(f"{v.commit}:".encode() + os.fsencode(v.path) + b"\n" for v in versions)
        out = self.run("cat-file", "--batch", given=asked)
        found: list[bytes | None] = []
        at = 0
        for _ in versions:
            end = out.find(b"\n", at)
            words = out[at:end].rsplit(b" ", 2) if end >= 0 else []
            if len(words) != 3 or words[1] != b"blob" or not words[2].isdigit():
                found.append(None)
                at = end + 1 if end >= 0 else len(out)
                continue
            size = int(words[2])
            found.append(out[end + 1 : end + 1 + size] if size <= MAX_INDEX else None)
            at = end + 1 + size + 1
        return found

    def commit_at(self, moment: float) -> str | None:
        """The last commit of the main line at or before a time, None if there is none."""
        out = self.run("rev-list", "--first-parent", "-1", f"--before={int(moment)}", "HEAD")
        return out.decode().strip() or None

    def renames(self, base: str | None, folder: Path) -> list[Rename]:
        """Files of HEAD below a folder that are new or were elsewhere at `base` (None: before everything)."""
        inside = folder.resolve().relative_to(self.root).as_posix()
        out = self.run(
            *("diff-tree", "-r", "-M", "--name-status", "-z", "--no-ext-diff", "--no-textconv"),
            *(base or EMPTY_TREE, "HEAD", "--", inside),
        )
        fields = out.split(b"\0")
        found: list[Rename] = []
        at = 0
        while at + 1 < len(fields) and len(found) < MAX_FILES:
            kind = fields[at][:1]
            if kind in (b"R", b"C"):
                found.append(Rename(os.fsdecode(fields[at + 2]), os.fsdecode(fields[at + 1])))
                at += 3
            else:
                if kind == b"A":
                    found.append(Rename(os.fsdecode(fields[at + 1]), ""))
                at += 2
        return found

    def run(self, *argv: str, given: bytes = b"") -> bytes:
        """The output of one git command.

        Raises:
            ConsoleError: git is missing, says no, or the deadline is over.
        """
        try:
            return self._run(argv, given)
        except _GitError as error:
            if "dubious ownership" not in str(error) or self.trusted:
                raise
            self.trusted = self._safe_directories()
            if not self.trusted:
                raise
            return self._run(argv, given)

    def _run(self, argv: Sequence[str], given: bytes) -> bytes:
        settings = [f"{key}={value}" for key, value in _SETTINGS.items()]
        settings += [f"safe.directory={folder}" for folder in self.trusted]
        options = [word for setting in settings for word in ("-c", setting)]
        command = ["git", "--no-pager", "--literal-pathspecs", "-C", str(self.root), *options, *argv]
        return self._call(command, given, _ENVIRONMENT)

    def _safe_directories(self) -> list[str]:
        """Folders that the user told git to trust: the one setting of theirs that is respected."""
        try:
            out = self._call(
                ["git", "config", "--get-all", "safe.directory"], b"", {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}, "/"
            )
        except ConsoleError:
            return []
        return out.decode("utf-8", "replace").split("\n")[:-1]

    def _call(self, argv: list[str], given: bytes, environment: dict[str, str], cwd: str | None = None) -> bytes:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        left = self.until - time.monotonic()
        try:
            if left <= 0:
                raise subprocess.TimeoutExpired(argv, self.deadline)
            done = subprocess.run(
                argv, input=given, capture_output=True, env=clean | environment, timeout=left, check=False, cwd=cwd
            )
        except FileNotFoundError:
            raise UsageError("git is not installed, so there is no history") from None
        except subprocess.TimeoutExpired:
            raise ConsoleError(f"git did not answer within {self.deadline:.0f} seconds") from None
        if done.returncode != 0:
            words = done.stderr.decode("utf-8", "replace").strip().split("\n")
            raise _GitError(f"git could not read {self.root}: {words[0] if words[0] else done.returncode}")
        return done.stdout


def progress(past: History, versions: Sequence[Version]) -> tuple[Point, ...]:
    """The figures of each of `versions`; those that are missing in this clone are left out."""
    return tuple(
        point(build(data, file=version.path), time=version.time, commit=version.commit, path=version.path)
        for version, data in zip(versions, past.contents(versions), strict=True)
        if data is not None
    )


class _GitError(ConsoleError):
    """git ran and failed."""


def sample(versions: Sequence[Version], most: int) -> list[Version]:
    """At most `most` versions, evenly chosen, the first and the last among them."""
    if len(versions) <= most:
        return list(versions)
    step = (len(versions) - 1) / (most - 1)
    return [versions[round(place * step)] for place in range(most)]
