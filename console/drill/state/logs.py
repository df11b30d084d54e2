"""What containers wrote: lines with the virtual time at which they were written."""

from __future__ import annotations

from console.drill.state.ids import log_stamp, stamp_micro


class ContainerLog:
    """The output of one container. Rendered only when somebody reads it."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, str]] = []
        self._ends: list[float] = []

    def ended(self, when: float) -> None:
        """The container ended; what is written from now on is another one's."""
        self._ends.append(when)

    def lives(self, when: float) -> tuple[float, float, float]:
        """When the container before the one of that time began, when it ended, and when this one began: epoch
        seconds, 0 where there was none."""
        ends = [0.0, 0.0, *(end for end in self._ends if end <= when)]
        return ends[-2], ends[-1], ends[-1]

    def __len__(self) -> int:
        return len(self._lines)

    def raw(self, when: float, text: str) -> None:
        """Lines as they are, without the layout of a log line."""
        self._lines.append((when, "", text))

    def info(self, when: float, text: str) -> None:
        """An INFO line; `text` starts with the logger's short name."""
        self._lines.append((when, "INFO", text))

    def warn(self, when: float, text: str) -> None:
        """A WARN line."""
        self._lines.append((when, "WARN", text))

    def error(self, when: float, text: str) -> None:
        """An ERROR line."""
        self._lines.append((when, "ERROR", text))

    def lines(self, *, since: float | None = None, start: int = 0) -> list[tuple[float, str]]:
        """(time, line) of what was written at or after `since`, from entry `start` on."""
        out: list[tuple[float, str]] = []
        for when, level, text in self._lines[start:]:
            if since is not None and when < since:
                continue
            head = f"{log_stamp(when)} {level} " if level else ""
            out.extend((when, line) for line in (head + text).split("\n"))
        return out


class ContainerLogs:
    """The logs of main containers, by the uid of their pod."""

    def __init__(self) -> None:
        self._by_uid: dict[str, ContainerLog] = {}

    def of(self, uid: str) -> ContainerLog:
        """The log of a pod's main container."""
        found = self._by_uid.get(uid)
        if found is None:
            found = self._by_uid[uid] = ContainerLog()
        return found

    def forget(self, uid: str) -> None:
        """The pod is gone and its log with it."""
        self._by_uid.pop(uid, None)


def render(
    lines: list[tuple[float, str]], *, tail: int | None, timestamps: bool, limit_bytes: int | None = None
) -> bytes:
    """The body of a log answer."""
    if tail is not None:
        lines = lines[-tail:] if tail else []
    text = "".join(f"{stamp_micro(when)[:-1]}000Z {line}\n" if timestamps else f"{line}\n" for when, line in lines)
    data = text.encode()
    return data[:limit_bytes] if limit_bytes is not None else data
