"""The gate, simulated and real: every stage says no in its place, and what passes is exactly what was seen."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from console.actions.effects import STAMP, ObjectRef
from console.operate.gate import pass_gate
from console.operate.person import Question, Reply
from console.operate.policy import ChangeRules
from console.runbook.walk import Applied, ChangeRefused, Intent, Previewed
from tests.operate.conftest import NO, YES, Cluster, Passage, Says
from tests.operate.objects import NEW, OLD, create, raise_overhead, running, spark_path


def overhead(cluster: Cluster, name: str = "etl-orders") -> str:
    return str(cluster.kube.get(spark_path(cluster.namespace, name))["spec"]["executor"]["memoryOverhead"])


async def test_a_confirmed_change_is_applied_once_and_stamped(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    person = Says(YES)
    ended = await pass_gate(raise_overhead(made), passage.gate(person))
    assert isinstance(ended, Applied), ended
    assert (ended.ok, ended.generation, ended.goto) == (True, 2, "verify")
    assert passage.kinds == ["Previewed", "Confirmed", "Intent", "Applied"]
    obj = cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))
    assert obj["spec"]["executor"]["memoryOverhead"] == NEW
    assert obj["metadata"]["annotations"][STAMP] == "w-1/1"
    assert obj["metadata"]["generation"] == 2
    assert len(cluster.relay.on("sparkapplications")) == 1, "one write"
    assert [w.words for w in cluster.relay.writes] == [
        "POST leases",
        "PATCH sparkapplications (dry run)",
        "PUT leases",
        "PATCH sparkapplications (dry run)",
        "PATCH sparkapplications",
        "POST events",
        "DELETE leases",
    ]


async def test_the_person_sees_the_diff_and_what_follows(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    person = Says(NO)
    ended = await pass_gate(raise_overhead(made), passage.gate(person))
    assert isinstance(ended, ChangeRefused)
    assert (ended.by, ended.because, ended.goto) == ("person", "ada said no", "refused")
    [question] = person.asked
    preview = question.preview
    assert preview is not None
    moved = [line for line in preview.diff if line[0] in "-+"]
    assert moved == [f"-    memoryOverhead: {OLD}", f"+    memoryOverhead: {NEW}"]
    assert " spec:" in preview.diff
    assert "   executor:" in preview.diff
    assert (preview.accepted, preview.tier, question.expect, preview.generation) == (True, "diff", "", 1)
    said = {(c.topic, c.level): c.text for c in preview.consequences}
    assert "submits the job from the start" in said["restart", "warning"]
    assert re.search(
        r"the work since \S+ on 2 executors is lost: \w+ at \S+Z \(state RUNNING\)", said["loss", "warning"]
    )
    assert said["sink", "unknown"]
    assert "nothing was found that would write" in said["next run", "info"]
    assert said["quota", "info"]
    assert overhead(cluster) == OLD


async def test_an_event_on_the_object_anchors_the_journal(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    await pass_gate(raise_overhead(made), passage.gate(Says(YES)))
    events = cluster.kube.get(f"/api/v1/namespaces/{cluster.namespace}/events")["items"]
    [event] = [e for e in events if e["reason"] == "ConsoleChange"]
    assert event["involvedObject"]["name"] == "etl-orders"
    assert "sha256:" + "f" * 64 in event["message"]
    assert "Changed by ada" in event["message"]


async def test_the_lock_is_given_back_whatever_the_end(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    for reply in (NO, None, YES):
        await pass_gate(raise_overhead(made), passage.gate(Says(reply)))
        leases = cluster.kube.get(f"/apis/coordination.k8s.io/v1/namespaces/{cluster.namespace}/leases")["items"]
        assert leases == []


# -- each stage says no, in this order ------------------------------------------------------------------------------


async def test_each_stage_refuses_before_the_next_one_is_asked(cluster: Cluster, passage: Passage) -> None:
    """Everything is wrong at once; what says no is what stands first, and it is mended one by one."""
    made = create(cluster.kube, cluster.namespace)
    effect = raise_overhead(made)
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{cluster.namespace}/leases"
    from console.operate.locks import lock_name

    assert effect.target is not None
    cluster.kube.create(
        lease,
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": lock_name(effect.target)},
            "spec": {
                "holderIdentity": "grace@elsewhere/w-9",
                "leaseDurationSeconds": 30,
                "renewTime": "2999-01-01T00:00:00.000000Z",
            },
        },
    )
    wrong = replace(
        effect, target=replace(effect.target, uid="another"), patch={"spec": {"executor": {"memoryOverhead": 7}}}
    )

    async def elsewhere() -> str:
        return "this is not the cluster of the walk"

    said = []

    async def attempt(what: Any, rules: ChangeRules, **changes: Any) -> None:
        ended = await pass_gate(what, passage.gate(Says(), rules, **changes))
        assert isinstance(ended, ChangeRefused)
        said.append((ended.by, ended.because.split(":")[0][:48]))

    denied = ChangeRules(mode="write", deny=("SparkApplication",))
    await attempt(wrong, replace(denied, mode="read-only"), other_cluster=elsewhere)
    await attempt(wrong, denied, other_cluster=elsewhere)
    await attempt(wrong, ChangeRules(mode="write"), other_cluster=elsewhere)
    await attempt(wrong, ChangeRules(mode="write"))
    right = replace(wrong, target=effect.target)
    await attempt(right, ChangeRules(mode="write"))
    cluster.kube.delete(f"{lease}/{lock_name(effect.target)}")
    await attempt(right, ChangeRules(mode="write"))
    await attempt(effect, ChangeRules(mode="write"))
    assert [by for by, _ in said] == ["mode", "policy", "changed", "changed", "lock", "server", "person"], said
    assert said[2][1].startswith("this is not the cluster")
    assert said[3][1].startswith(f"SparkApplication {cluster.namespace}")
    assert overhead(cluster) == OLD
    assert cluster.relay.on("sparkapplications") == []


async def test_read_only_shows_the_change_and_never_reaches_the_writer(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    ended = await pass_gate(raise_overhead(made), passage.gate(Says(YES), ChangeRules()))
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "mode"
    shown = passage.events[0]
    assert isinstance(shown, Previewed)
    assert f"+    memoryOverhead: {NEW}" in shown.preview.diff
    assert shown.preview.accepted is None
    assert "read-only" in shown.preview.read_only
    assert cluster.relay.writes == [], "not even a dry run"


async def test_guarded_refuses_what_cannot_be_undone(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = raise_overhead(
        made, action="delete", patch=None, patch_type="", touched=(), reversible=False, reason="gone is gone"
    )
    ended = await pass_gate(effect, passage.gate(Says(YES), ChangeRules(mode="guarded")))
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "mode"
    assert cluster.relay.writes == []


async def test_guarded_asks_again_once_the_preview_knows_whether_there_is_a_way_back(
    cluster: Cluster, passage: Passage
) -> None:
    """The runbook says that it can be rolled back; a change of one item of a list has no inverse."""
    create(cluster.kube, cluster.namespace)
    made = cluster.kube.merge(spark_path(cluster.namespace, "etl-orders"), {"spec": {"arguments": ["--fast"]}})
    replaced = [{"op": "replace", "path": "/spec/arguments/0", "value": "--slow"}]
    effect = raise_overhead(made, patch_type="json", patch=replaced, touched=("/spec/arguments/0",))
    assert effect.reversible
    person = Says(YES)
    ended = await pass_gate(effect, passage.gate(person, ChangeRules(mode="guarded")))
    assert isinstance(ended, ChangeRefused)
    assert (ended.by, person.asked) == ("mode", [])
    assert ended.because.endswith("(there is no inverse of this change)")
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["arguments"] == ["--fast"]


async def test_another_object_of_the_same_name_is_not_changed(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    cluster.kube.delete(spark_path(cluster.namespace, "etl-orders"))
    create(cluster.kube, cluster.namespace)
    ended = await pass_gate(raise_overhead(made), passage.gate(Says(YES)))
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "changed"
    assert "deleted and created again" in ended.because
    assert overhead(cluster) == OLD


async def test_it_is_pinned_while_the_person_thinks(cluster: Cluster, passage: Passage) -> None:
    """The object is replaced by another one of its name after the person saw the diff."""
    made = create(cluster.kube, cluster.namespace)

    async def replaced(question: Question) -> Reply:
        cluster.kube.delete(spark_path(cluster.namespace, "etl-orders"))
        create(cluster.kube, cluster.namespace)
        return YES

    ended = await pass_gate(raise_overhead(made), passage.gate(Says(replaced)))
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "changed"
    assert overhead(cluster) == OLD


async def test_a_diff_that_changed_is_asked_again(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)

    async def somebody_else(question: Question) -> Reply:
        cluster.kube.merge(
            spark_path(cluster.namespace, "etl-orders"), {"spec": {"executor": {"memoryOverhead": "300m"}}}
        )
        return YES

    person = Says(somebody_else, YES)
    ended = await pass_gate(raise_overhead(made), passage.gate(person))
    assert isinstance(ended, Applied)
    first, second = person.asked
    assert first.reason == ""
    assert second.reason == "what would change is not what you saw"
    assert second.preview is not None
    assert "-    memoryOverhead: 300m" in second.preview.diff
    assert passage.kinds == ["Previewed", "Confirmed", "Previewed", "Confirmed", "Intent", "Applied"]
    intent = passage.events[4]
    assert isinstance(intent, Intent)
    assert intent.rollback is not None
    assert intent.rollback.patch == {"spec": {"executor": {"memoryOverhead": "300m"}}}, "the way back is the latest"


async def test_another_change_of_the_spec_is_told_although_the_diff_is_the_same(
    cluster: Cluster, passage: Passage
) -> None:
    made = create(cluster.kube, cluster.namespace)

    async def somebody_else(question: Question) -> Reply:
        cluster.kube.merge(spark_path(cluster.namespace, "etl-orders"), {"spec": {"driver": {"memory": "1g"}}})
        return YES

    person = Says(somebody_else, NO)
    await pass_gate(raise_overhead(made), passage.gate(person))
    assert person.asked[1].reason == "its spec was changed meanwhile (generation 1 → 2)"
    assert overhead(cluster) == OLD


async def test_a_status_that_moves_does_not_ask_again(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)

    async def operator_writes(question: Question) -> Reply:
        running(cluster.kube, cluster.namespace)
        return YES

    person = Says(operator_writes)
    assert isinstance(await pass_gate(raise_overhead(made), passage.gate(person)), Applied)
    assert len(person.asked) == 1


async def test_a_change_between_the_last_look_and_the_write_is_not_overwritten(
    cluster: Cluster, passage: Passage
) -> None:
    made = create(cluster.kube, cluster.namespace)

    async def just_before(write: Any) -> None:
        if write.words == "PATCH sparkapplications":
            cluster.kube.merge(
                spark_path(cluster.namespace, "etl-orders"), {"spec": {"executor": {"memoryOverhead": "300m"}}}
            )

    cluster.relay.received = just_before
    ended = await pass_gate(raise_overhead(made), passage.gate(Says(YES)))
    assert isinstance(ended, Applied)
    assert (ended.ok, ended.goto) == (False, "failed")
    assert "changed meanwhile" in ended.message
    assert overhead(cluster) == "300m"


async def test_it_ends_when_it_changes_again_and_again(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    sizes = iter(range(300, 400))

    async def restless(question: Question) -> Reply:
        body = {"spec": {"executor": {"memoryOverhead": f"{next(sizes)}m"}}}
        cluster.kube.merge(spark_path(cluster.namespace, "etl-orders"), body)
        return YES

    ended = await pass_gate(raise_overhead(made), passage.gate(Says(*[restless] * 9)))
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "changed"
    assert "5 times" in ended.because


async def test_silence_is_no(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    ended = await pass_gate(raise_overhead(made), passage.gate(Says(None)))
    assert isinstance(ended, ChangeRefused)
    assert ended.because == "nobody answered, which counts as no"

    async def never(question: Question) -> Reply:
        import asyncio

        await asyncio.Event().wait()
        raise AssertionError

    ended = await pass_gate(raise_overhead(made), passage.gate(Says(never), ChangeRules(mode="write", patience=0.05)))
    assert isinstance(ended, ChangeRefused)
    assert ended.because == "nobody answered, which counts as no"
    assert overhead(cluster) == OLD


async def test_production_wants_the_name_typed(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    rules = ChangeRules(mode="write", production_namespaces=(cluster.namespace,))
    name = f"{cluster.namespace}/etl-orders"
    for reply in (YES, Reply("yes", "ada", "etl-orders"), Reply("yes", "ada", name.upper())):
        person = Says(reply, reply, reply)
        ended = await pass_gate(raise_overhead(made), passage.gate(person, rules))
        assert isinstance(ended, ChangeRefused)
        assert ended.because == f"ada did not type {name!r} in 3 tries"
        assert (person.asked[0].expect, person.asked[0].cluster) == (name, "test-cluster")
    assert overhead(cluster) == OLD
    piped = await pass_gate(raise_overhead(made), passage.gate(Says(Reply("yes", "ada", name)), rules))
    assert isinstance(piped, ChangeRefused) and "by a person at a terminal" in piped.because
    assert overhead(cluster) == OLD
    typed = Reply("yes", "ada", name, terminal=True)
    assert isinstance(await pass_gate(raise_overhead(made), passage.gate(Says(typed), rules)), Applied)


async def test_where_a_second_person_cannot_be_had_nothing_is_changed(cluster: Cluster, passage: Passage) -> None:
    """A second name typed by the first person proves nobody."""
    made, person = create(cluster.kube, cluster.namespace), Says(YES, Reply("yes", "grace"))
    ended = await pass_gate(
        raise_overhead(made), passage.gate(person, ChangeRules(mode="write", second_person="always"))
    )
    assert isinstance(ended, ChangeRefused)
    assert (ended.by, "cannot be had" in ended.because, person.asked) == ("policy", True, [])
    assert overhead(cluster) == OLD


async def test_a_field_that_the_kind_does_not_have_is_an_error(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = raise_overhead(made, patch={"spec": {"executor": {"memoryOverhed": NEW}}}, touched=())
    ended = await pass_gate(effect, passage.gate(Says(YES)))
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "server"
    assert "memoryOverhed" in ended.because


async def test_a_change_that_changes_nothing_is_not_made(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = raise_overhead(made, patch={"spec": {"executor": {"memoryOverhead": OLD}}})
    ended = await pass_gate(effect, passage.gate(Says(YES)))
    assert isinstance(ended, ChangeRefused)
    assert "nothing would change" in ended.because


async def test_a_pod_is_deleted_only_when_its_name_was_typed(cluster: Cluster, passage: Passage) -> None:
    pod = cluster.kube.create(
        f"/api/v1/namespaces/{cluster.namespace}/pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "etl-exec-1", "labels": {"spark-role": "executor"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    )
    target = ObjectRef("v1", "Pod", cluster.namespace, "etl-exec-1", pod["metadata"]["uid"])
    effect = replace(
        raise_overhead(pod), target=target, action="delete", patch=None, patch_type="", touched=(), reversible=False
    )
    person = Says(YES)
    ended = await pass_gate(effect, passage.gate(person))
    assert isinstance(ended, ChangeRefused)
    preview = person.asked[0].preview
    assert preview is not None
    assert preview.diff[0] == f"-Pod {cluster.namespace}/etl-exec-1"
    assert any("driver asks for another executor" in c.text for c in preview.consequences)
    ended = await pass_gate(effect, passage.gate(Says(Reply("yes", "ada", target.words))))
    assert isinstance(ended, Applied), ended
    assert cluster.kube.find(f"/api/v1/namespaces/{cluster.namespace}/pods/etl-exec-1") is None
