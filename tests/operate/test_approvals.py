"""What a second person is asked for, what they leave, and who finds it: without a cluster."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from console.actions.effects import AllowedCall, Effect, ObjectRef, Preview
from console.base.errors import ConsoleError, ForbiddenError, RefusedError, UsageError
from console.operate.approvals.giving import FRESH, approve, chosen, requests, seen_here
from console.operate.approvals.request import (
    DIGEST,
    GROUP,
    LABEL,
    LEASES,
    MAX_REQUEST,
    REQUEST,
    Approval,
    ApprovalRequest,
    NoRequest,
    approval_of,
    created,
    noted,
    request_of,
    writing,
)
from console.operate.approvals.waiting import NobodyApproved, SecondPerson, question, waited
from console.operate.person import STOP_CHOICES, Reply
from console.operate.policy import ChangeRules
from console.wire.connection import Identity
from console.wire.errors import NotFoundError
from console.wire.reviews import AccessReview
from tests.operate.conftest import Says

PREVIEW = Preview(
    Effect("w-1/1", "raise", "Raise it", "patch", patch={"spec": {"a": 1}}), ("-a: 0", "+a: 1"), True, generation=3
)
ASKED = ApprovalRequest("w-1", "ada", "u-1", "approvals", PREVIEW, 2e9)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, walk="w-2"), replace(ASKED, walker="eve"), replace(ASKED, cluster="u-2"),
        replace(ASKED, place="elsewhere"), replace(ASKED, preview=replace(PREVIEW, diff=("-a: 0", "+a: 2"))),
        replace(ASKED, preview=replace(PREVIEW, generation=4)),
        replace(ASKED, preview=replace(PREVIEW, before={"/a": 0})),
        replace(ASKED, preview=replace(PREVIEW, effect=replace(PREVIEW.effect, patch={"spec": {"a": 2}}))),
    ],
)  # fmt: skip
def test_an_approval_is_of_one_change_of_one_walk_by_one_person_on_one_cluster(other: ApprovalRequest) -> None:
    assert other.digest != ASKED.digest
    assert "another change" in str(approval_of(lease(other), ASKED, time.time()))


def test_when_it_is_asked_and_what_is_said_around_it_is_not_what_is_approved() -> None:
    assert replace(ASKED, expires=1.0, preview=replace(PREVIEW, rollback_at=7.0, message="x")).digest == ASKED.digest


def lease(request: ApprovalRequest, by: str = "grace", *, ago: float = 0.0, lasts: Any = 60) -> dict[str, Any]:
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))
    return {
        "metadata": {"annotations": {DIGEST: request.digest}, "creationTimestamp": made},
        "spec": {"holderIdentity": by, "leaseDurationSeconds": lasts},
    }


def test_an_approval_counts_up_to_its_last_second() -> None:
    made = lease(ASKED, lasts=60)
    at = created(made)
    assert at is not None and isinstance(approval_of(made, ASKED, at + 60), Approval)
    assert approval_of(made, ASKED, at + 61) == "what grace approved has expired"
    assert approval_of({"metadata": {"annotations": {DIGEST: ASKED.digest}}}, ASKED, 0.0) == (
        "it names nobody but who walks"
    )
    assert "about another change" in str(approval_of({}, ASKED, 0.0)) and created({}) is None


def test_an_approval_counts_as_long_as_it_says_from_when_the_server_had_it() -> None:
    found = approval_of(lease(ASKED), ASKED, time.time())
    assert isinstance(found, Approval) and found.by == "grace" and 50 < found.until - time.time() <= 60
    for made in (lease(ASKED, ago=90), lease(ASKED, lasts="60"), lease(ASKED) | {"metadata": {"annotations": {}}}):
        assert isinstance(approval_of(made, ASKED, time.time()), str)
    assert "who walks" in str(approval_of(lease(ASKED, by="ada"), ASKED, time.time()))
    assert "who walks" in str(approval_of(lease(ASKED, by=""), ASKED, time.time()))


def test_a_request_that_was_changed_on_its_way_is_none() -> None:
    notes = noted(ASKED)
    assert request_of({"metadata": {"annotations": notes}}) == ASKED
    forged = notes | {REQUEST: notes[REQUEST].replace("+a: 1", "+a: 9")}
    unknown = noted(replace(ASKED, preview=replace(PREVIEW, effect=replace(PREVIEW.effect, action="explode"))))
    for bad, said in (
        (forged, "what it asks for is not what its digest was made of"),
        ({}, "it is no request: Input data was truncated"),
        ({REQUEST: "[]"}, "it is no request: Expected `object`, got `array`"),
        (unknown, "it asks for 'explode', which this Console does not know"),
    ):
        with pytest.raises(NoRequest) as error:
            request_of({"metadata": {"annotations": bad}})
        assert error.value.message == said
    with pytest.raises(NoRequest):
        request_of({})


def test_what_stands_in_a_cluster_is_the_same_in_every_version() -> None:
    """Names, annotations and the digest: two people may have two versions of Console."""
    assert ASKED.digest == "31d6b4d73aaf0a85adc0941e2cbea5575be093dc0312443738229eccc7d80eab"
    assert (ASKED.short, ASKED.name, ASKED.approval) == (
        "31d6b4d73aaf", f"console-request-{ASKED.digest[:32]}", f"console-approval-{ASKED.digest[:32]}",
    )  # fmt: skip
    one, other = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert len({replace(ASKED, preview=replace(PREVIEW, before=each)).digest for each in (one, other)}) == 1
    assert set(noted(ASKED)) == {"console.oncall/request", "console.oncall/digest"}
    assert (LABEL, GROUP, LEASES, MAX_REQUEST) == ("console.oncall/approval", "coordination.k8s.io", "leases", 200_000)


def test_by_these_rights_one_could_approve_alone() -> None:
    """To write an approval, to take the right to, to run or become somebody who may."""
    assert [right.words for right in writing("approvals")] == [
        *(f"{verb} leases.coordination.k8s.io in namespace approvals" for verb in ("create", "update", "patch")),
        *(
            f"{verb} rolebindings.rbac.authorization.k8s.io in namespace approvals"
            for verb in ("create", "update", "patch")
        ),
        *(f"{verb} roles.rbac.authorization.k8s.io in namespace approvals" for verb in ("update", "patch")),
        "create pods in namespace approvals",
        "create serviceaccounts/token in namespace approvals",
        "impersonate users",
        "impersonate groups",
        "impersonate serviceaccounts",
    ]
    assert [right.group for right in writing("approvals")[-5:]] == [""] * 5


def test_a_request_of_exactly_the_most_is_taken_and_one_more_is_not() -> None:
    def long(more: int) -> ApprovalRequest:
        return replace(ASKED, preview=replace(PREVIEW, message="x" * more))

    room = MAX_REQUEST - len(noted(long(1))[REQUEST]) + 1
    assert len(noted(long(room))[REQUEST]) == MAX_REQUEST
    with pytest.raises(ConsoleError, match="too long for a request to a second person"):
        noted(long(room + 1))


def test_a_request_is_chosen_by_the_beginning_of_its_digest() -> None:
    other = replace(ASKED, walk="w-2")
    assert chosen([ASKED, other], ASKED.short) is ASKED
    for wrong in ("", "zz"):
        with pytest.raises(UsageError):
            chosen([ASKED, other], wrong)


async def test_a_review_that_could_not_be_made_is_no_proof() -> None:
    class Half:
        def __init__(self, access: AccessReview) -> None:
            self.access = access

        async def object(self, path: str) -> Any:
            return {}

        async def may(self, *what: Any, **more: Any) -> AccessReview:
            return self.access

    def second(access: AccessReview) -> SecondPerson:
        who = Identity("here", "https://x", "ca", "jobs", user="ada")
        return SecondPerson(Half(access), None, who, "w-1", "approvals", 1.0)  # type: ignore[arg-type]

    unsure = AccessReview(False, "x", error="the webhook did not answer")
    assert "is not known (the webhook did not answer)" in await second(unsure).lacking()
    assert await second(replace(unsure, denied=True)).lacking() == ""
    assert await second(AccessReview(False, "no")).lacking() == ""


async def test_a_place_that_is_not_there_is_named() -> None:
    class Empty:
        async def object(self, path: str) -> Any:
            raise NotFoundError(f"{path} is not there", status=404, reason="NotFound")

    who = Identity("here", "https://x", "ca", "jobs", user="ada")
    second = SecondPerson(Empty(), None, who, "w-1", "nowhere", 1.0)  # type: ignore[arg-type]
    assert "there is no namespace nowhere" in await second.lacking()
    nobody = SecondPerson(Empty(), None, Identity("here", "https://x", "ca", "jobs"), "w-1", "nowhere", 1.0)  # type: ignore[arg-type]
    assert "does not say as whom" in await nobody.lacking()


@pytest.mark.parametrize("held", range(len(writing("approvals"))))
async def test_each_right_by_which_one_could_approve_alone_is_asked_about(held: int) -> None:
    class Answers:
        async def object(self, path: str) -> Any:
            raise RefusedError("namespaces may not be read")

        async def may(self, verb: str, resource: str, **more: Any) -> Any:
            from console.wire.reviews import AccessReview

            right = writing("approvals")[held]
            asked = resource + (f"/{more['subresource']}" if more["subresource"] else "")
            return AccessReview((verb, asked, more["group"]) == (right.verb, right.resource, right.group))

    who = Identity("here", "https://x", "ca", "jobs", user="ada")
    second = SecondPerson(Answers(), None, who, "w-1", "approvals", 1.0)  # type: ignore[arg-type]
    assert f"you may {writing('approvals')[held].words} yourself" in await second.lacking()


# who finds it


class Server:
    """A connection of Grace to a cluster whose Leases are these, by namespace; some may not be read."""

    def __init__(self, leases: dict[str, list[Any]], *, closed: tuple[str, ...] = (), may: bool = True) -> None:
        self.identity = Identity("eu", "https://x", "ca", "jobs", user="grace", cluster_uid="u-1")
        self.leases, self.closed, self.asked, self.allowed = leases, closed, [], may
        self.reader = self

    async def pages(self, path: str, query: dict[str, str]) -> Any:
        self.asked.append((path, query))
        namespace = path.split("/namespaces/")[1].split("/")[0] if "/namespaces/" in path else ""
        if namespace in self.closed:
            raise ForbiddenError(f"you may not list leases in {namespace or 'all'}")
        found = [one for name, items in self.leases.items() if namespace in ("", name) for one in items]
        yield type("Page", (), {"body": msgspec.json.encode({"items": found})})

    async def may(self, verb: str, resource: str, **more: Any) -> AccessReview:
        return AccessReview(self.allowed)


def written(request: ApprovalRequest, **notes: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "jobs", "name": request.name, "annotations": noted(request) | notes}}


async def test_those_that_are_waited_for_on_this_cluster_are_found_the_most_urgent_first() -> None:
    late, soon = replace(ASKED, walk="w-2", expires=3e9), ASKED
    gone, elsewhere = replace(ASKED, expires=1.0), replace(ASKED, cluster="u-2")
    server = Server({"jobs": [written(late), written(gone)], "other": [written(soon), written(elsewhere)]})
    found = await requests(server)  # type: ignore[arg-type]
    assert found.open == (soon, late) and found.unread == ()
    assert server.asked == [("/apis/coordination.k8s.io/v1/leases", {"labelSelector": f"{LABEL}=request"})]
    assert (await requests(server, ("jobs",))).open == (late,)  # type: ignore[arg-type]
    assert (await requests(server, ("jobs", "other"))).open == (soon, late)  # type: ignore[arg-type]


async def test_where_all_may_not_be_looked_at_the_namespace_of_the_context_is_and_that_is_said() -> None:
    server = Server({"jobs": [written(ASKED)], "other": [written(replace(ASKED, walk="w-2"))]}, closed=("",))
    found = await requests(server)  # type: ignore[arg-type]
    assert found.open == (ASKED,) and found.unread == (("all namespaces", "you may not list leases in all"),)
    both = await requests(Server({}, closed=("jobs",)), ("jobs", "other"))  # type: ignore[arg-type]
    assert both.open == () and both.unread == (("jobs", "you may not list leases in jobs"),)


async def test_a_lease_that_makes_no_sense_is_named_and_hides_no_other() -> None:
    found = await requests(Server({"jobs": [written(ASKED, **{DIGEST: "0"}), written(ASKED)]}))  # type: ignore[arg-type]
    assert found.open == (ASKED,)
    assert found.unread == ((f"jobs/{ASKED.name}", "what it asks for is not what its digest was made of"),)


def test_who_walks_is_told_what_the_other_runs_as_whom_not_and_can_only_stop() -> None:
    asked = question(replace(ASKED, expires=time.time() + 600), context="eu", now=5.0)
    assert (asked.kind, asked.choices, asked.asked, asked.preview) == ("approval", STOP_CHOICES, 5.0, None)
    assert asked.shows[0] == f"they run: console approve {ASKED.short}"
    assert asked.shows[1] == "on eu, not as ada, and see this change: Raise it"
    assert asked.shows[2].startswith(f"the digest of what they approve is {ASKED.short}; at most ")


async def test_what_no_server_should_say_is_no_request_and_stops_nothing() -> None:
    odd: list[Any] = ["x", None, {"metadata": "x"}, {"metadata": {"annotations": "x"}}, {"metadata": None, "spec": 3}]
    found = await requests(Server({"jobs": [*odd, written(ASKED)]}))  # type: ignore[arg-type]
    assert found.open == (ASKED,) and len(found.unread) == 3
    for lease_ in odd[2:]:
        assert isinstance(approval_of(lease_, ASKED, 0.0), str) and created(lease_) is None


def test_a_request_lies_beside_what_it_is_about_and_is_not_longer_than_a_lease_may_be() -> None:
    target = ObjectRef("v1", "Node", "", "n")
    call = AllowedCall(("patch",), ObjectRef("v1", "ConfigMap", "etl", "c"))
    assert ASKED.namespace == "default"
    for effect, namespace in (
        (replace(PREVIEW.effect, target=target), "default"),
        (replace(PREVIEW.effect, calls=(call,)), "etl"),
        (replace(PREVIEW.effect, target=replace(target, namespace="jobs"), calls=(call,)), "jobs"),
    ):
        assert replace(ASKED, preview=replace(PREVIEW, effect=effect)).namespace == namespace
    long = replace(ASKED, preview=replace(PREVIEW, diff=("+" + "x" * MAX_REQUEST,)))
    with pytest.raises(Exception, match="too long"):
        noted(long)
    assert len({ASKED.name, ASKED.approval, ASKED.digest}) == 3 and ASKED.digest.startswith(ASKED.short)


@pytest.mark.parametrize(
    ("rules", "server", "said"),
    [
        (ChangeRules(), Server({}), "read-only"),
        (ChangeRules("guarded"), Server({}, may=False), "you may not create leases"),
        (ChangeRules("guarded"), Server({}), "was not typed at a terminal"),
    ],
)
async def test_who_may_not_approve_is_told_why(rules: ChangeRules, server: Server, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        await approve(server, rules, ASKED, Says(Reply("yes", "grace", "wrong", terminal=True)))  # type: ignore[arg-type]


async def test_who_walks_or_is_nobody_cannot_be_the_second_person() -> None:
    for user in ("ada", ""):
        server = Server({})
        server.identity = replace(server.identity, user=user)
        with pytest.raises(RefusedError, match="a second person is somebody else"):
            await approve(server, ChangeRules("guarded"), ASKED, Says())  # type: ignore[arg-type]


async def test_a_text_that_was_mistyped_is_asked_for_again_three_times_in_all() -> None:
    wrong = Reply("yes", "grace", "wrong", terminal=True)
    person = Says(wrong, wrong, wrong, wrong)
    with pytest.raises(RefusedError):
        await approve(Server({}), ChangeRules("guarded"), ASKED, person)  # type: ignore[arg-type]
    assert [one.reason for one in person.asked] == [
        "", f"'wrong' is not {ASKED.short!r}: 2 more tries", f"'wrong' is not {ASKED.short!r}: 1 more try",
    ]  # fmt: skip


async def test_what_was_waited_for_while_they_thought_is_not_approved() -> None:
    right = Reply("yes", "grace", ASKED.short, terminal=True)
    with pytest.raises(RefusedError, match="not waited for any more"):
        await approve(Server({}), ChangeRules("guarded"), replace(ASKED, expires=1.0), Says(right))  # type: ignore[arg-type]


class ApprovedLater:
    """A second person who approves some time after who walks was asked."""

    wait = 60.0

    def __init__(self, person: Says) -> None:
        self.person = person

    async def approved(self, request: ApprovalRequest, lease: dict[str, Any]) -> Approval:
        while not self.person.asked:
            await asyncio.sleep(0)
        for _ in range(50):  # the answer has been looked at long before
            await asyncio.sleep(0)
        return Approval("grace", 2e9)


@pytest.mark.parametrize("reply", [None, Reply("yes", "ada"), Reply("edit", "ada")])
async def test_only_a_no_of_who_walks_ends_the_waiting(reply: Reply | None) -> None:
    ada = Says(reply)
    second: Any = ApprovedLater(ada)
    asked = question(ASKED, context="eu", now=0.0)
    assert (await waited(second, ASKED, {}, asked, ada, None)).by == "grace"  # type: ignore[arg-type]
    nobody: Any = ApprovedLater(Says())
    with pytest.raises(NobodyApproved, match="ada stopped waiting"):
        await waited(nobody, ASKED, {}, asked, Says(Reply("no", "ada")), None)  # type: ignore[arg-type]


async def test_of_a_script_it_is_said_that_only_who_walks_can_tell_what_it_changes() -> None:
    script = replace(ASKED, preview=replace(PREVIEW, effect=replace(PREVIEW.effect, action="script")))
    (said,) = await seen_here(Server({}), ChangeRules("guarded"), script)  # type: ignore[arg-type]
    assert "what it may send" in said and FRESH > 0
