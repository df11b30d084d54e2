"""What the server remembers of every mutating request, so that a test can count and compare them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Write:
    """One mutating request as the server received it.

    Attributes:
        at: virtual epoch seconds.
        method: HTTP method.
        path: path without the query.
        query: the query.
        body: the body as it came.
        user: who.
        agent: User-Agent.
        dry_run: whether nothing was to be stored.
        resource: plural and group, with a subresource after a slash.
        namespace, name: the object.
        code: HTTP status of the answer; 0 while unanswered.
        version: resourceVersion of the result; 0 where there is none.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str
    user: str
    agent: str
    dry_run: bool
    resource: str
    namespace: str
    name: str
    code: int = 0
    version: int = 0

    @property
    def changed(self) -> bool:
        """Whether it was a real write that was accepted."""
        return not self.dry_run and 200 <= self.code < 300
