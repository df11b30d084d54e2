"""The second person: what they are asked for and what they leave, as Leases that carry the words of it.

Who walks writes a request where they may write; somebody else approves in a namespace where who walks may not write, so
that the approval being there proves another. It names the request by a digest of everything that the change is.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import msgspec
from msgspec import Struct

from console.actions import verbs
from console.actions.effects import Preview
from console.actions.verb import Right
from console.base.clock import parse_time
from console.base.errors import ConsoleError
from console.base.jsontext import decode_json
from console.base.shapes import mapping
from console.base.text import clean

GROUP, LEASES = "coordination.k8s.io", "leases"
LABEL = "console.oncall/approval"
REQUEST, DIGEST = "console.oncall/request", "console.oncall/digest"
SHORT = 12
"""Characters of a digest that people say to each other."""
MAX_REQUEST = 200_000
"""Bytes of a request: a Lease may carry a little more."""


class ApprovalRequest(Struct, frozen=True):
    """What a second person is asked for. Everything but `expires` and the words around the change is in its digest.

    Attributes:
        walker: who walks, as the cluster knows them. `cluster`: UID of kube-system, else the server.
        place: the namespace where the approval is looked for.
        preview: as it was confirmed: effect, diff, the values before; without secrets.
        expires: epoch seconds after which nobody waits for it any more.
    """

    walk: str
    walker: str
    cluster: str
    place: str
    preview: Preview
    expires: float

    @property
    def digest(self) -> str:
        shown = self.preview
        said = (
            self.walk, self.walker, self.cluster, self.place, shown.effect, shown.diff, shown.before, shown.generation,
        )  # fmt: skip
        return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()

    @property
    def short(self) -> str:
        return self.digest[:SHORT]

    @property
    def name(self) -> str:
        return f"console-request-{self.digest[:32]}"

    @property
    def approval(self) -> str:
        """Name of the Lease that approves it."""
        return f"console-approval-{self.digest[:32]}"

    @property
    def namespace(self) -> str:
        """Where it is written: beside what it is about."""
        about = self.preview.effect.objects
        return next((one.namespace for one in about if one.namespace), "default")

    @property
    def left(self) -> float:
        """Seconds for which it is waited for."""
        return self.expires - time.time()


class Approval(Struct, frozen=True):
    """Somebody's yes: who they say they are, and until when it counts."""

    by: str
    until: float


class NoRequest(ConsoleError):
    """A Lease that calls itself a request and is none."""


def noted(request: ApprovalRequest) -> dict[str, str]:
    """The annotations of a request.

    Raises:
        ConsoleError: it is too long to be shown to somebody else.
    """
    text = msgspec.json.encode(request).decode()
    if len(text.encode()) > MAX_REQUEST:
        raise ConsoleError("what would change is too long for a request to a second person")
    return {REQUEST: text, DIGEST: request.digest}


def request_of(lease: dict[str, Any]) -> ApprovalRequest:
    """The request that a Lease carries.

    Raises:
        NoRequest: it makes no sense, or was changed since it was made.
    """
    notes = mapping(mapping(lease.get("metadata")).get("annotations"))
    try:
        found = decode_json(str(notes.get(REQUEST) or "").encode(), ApprovalRequest)
    except (msgspec.DecodeError, ValueError) as error:
        raise NoRequest(f"it is no request: {clean(str(error))}") from None
    if found.preview.effect.action not in verbs():
        raise NoRequest(f"it asks for {clean(found.preview.effect.action)!r}, which this Console does not know")
    if found.digest != notes.get(DIGEST):
        raise NoRequest("what it asks for is not what its digest was made of")
    return found


def created(lease: dict[str, Any]) -> float | None:
    """When the server had it, by its own clock; None where it does not say."""
    return parse_time(str(mapping(lease.get("metadata")).get("creationTimestamp")))


def approval_of(lease: dict[str, Any], request: ApprovalRequest, now: float) -> Approval | str:
    """What a Lease of the right name approves at a time of the server's clock; in words, why it does not."""
    notes, spec = mapping(mapping(lease.get("metadata")).get("annotations")), mapping(lease.get("spec"))
    by = clean(str(spec.get("holderIdentity") or ""))
    made, lasts = created(lease), spec.get("leaseDurationSeconds")
    if notes.get(DIGEST) != request.digest:
        return "it is about another change"
    if by == request.walker or not by:
        return "it names nobody but who walks"
    if made is None or not isinstance(lasts, int) or made + lasts < now:
        return f"what {by} approved has expired"
    return Approval(by, made + lasts)


def writing(place: str) -> tuple[Right, ...]:
    """Every right of which none may be had by who walks, or an approval proves nobody else: to write one, to take
    such a right, to become somebody else."""
    rbac = "rbac.authorization.k8s.io"
    return (
        *(Right(verb, GROUP, LEASES, place) for verb in ("create", "update", "patch")),
        *(Right(verb, rbac, "rolebindings", place) for verb in ("create", "update", "patch")),
        *(Right(verb, rbac, "roles", place) for verb in ("update", "patch")),
        Right("create", "", "pods", place),
        Right("create", "", "serviceaccounts/token", place),
        *(Right("impersonate", "", what) for what in ("users", "groups", "serviceaccounts")),
    )
