"""Identifiers that look real and come from the world's seed: the same seed gives the same bytes."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from functools import lru_cache


class Ids:
    """Source of names and uids."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._address = 1

    def uid(self) -> str:
        """A UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        """So many hexadecimal digits."""
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"

    def suffix(self, length: int = 5) -> str:
        """A suffix as Kubernetes appends it to generated names."""
        return "".join(self.random.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(length))

    def pod_ip(self) -> str:
        """The next pod address."""
        self._address += 1
        return f"10.244.{self._address // 250}.{self._address % 250 + 2}"

    def cluster_ip(self) -> str:
        """An address of the service network."""
        return f"10.96.{self.random.randrange(1, 250)}.{self.random.randrange(2, 250)}"

    def jitter(self, least: float, most: float) -> float:
        """A number between the two."""
        return self.random.uniform(least, most)


def stamp(seconds: float) -> str:
    """RFC 3339 to the second, as object metadata has it."""
    return _stamp(int(seconds))


@lru_cache(maxsize=1024)
def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_micro(seconds: float) -> str:
    """RFC 3339 with microseconds, as `eventTime` and Leases have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def log_stamp(seconds: float) -> str:
    """The time of a Spark log line with the default layout."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%y/%m/%d %H:%M:%S")


def spark_stamp(seconds: float) -> str:
    """A time of Spark's REST API."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}GMT"
