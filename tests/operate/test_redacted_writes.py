"""What was redacted for reading never comes back to a cluster, where it would take the place of a secret."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions.effects import Effect, ObjectRef
from console.actions.pins import Pin
from console.base.redact import MARK
from console.operate import kubernetes
from console.wire.reviews import ApiResource

TARGET = ObjectRef("v1", "ConfigMap", "jobs", "conf", "u-1")
OBJECT = {"metadata": {"name": "conf", "namespace": "jobs", "uid": "u-1"}, "data": {"a": f"old {MARK}", "b": "x"}}


class Silent:
    """A writer that must not be asked."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def patch(self, path: str, body: Any, kind: str, **options: Any) -> dict[str, Any]:
        self.sent.append(body)
        return OBJECT


def place() -> kubernetes.ObjectAddress:
    resource = ApiResource("configmaps", "ConfigMap", True)
    return kubernetes.ObjectAddress(TARGET, resource, "/api/v1/namespaces/jobs/configmaps/conf")


def change(value: str) -> Effect:
    patch = {"data": {"b": value}}
    return Effect("w/1", "s", "t", "patch", TARGET, patch_type="merge", patch=patch, touched=("/data/b",))


async def test_a_change_that_would_write_a_redacted_value_is_refused_in_the_preview_and_at_the_end() -> None:
    writer, pin = Silent(), Pin("u-1", 0)
    for value in (MARK, f"jdbc:x?password={MARK}&y=1"):
        with pytest.raises(kubernetes.RedactedWriteError, match="would write"):
            await kubernetes.dry_run(writer, place(), change(value), OBJECT, pin)  # type: ignore[arg-type]
        sent = await kubernetes.send(writer, place(), change(value), OBJECT, pin)  # type: ignore[arg-type]
        assert sent.ok is False and "would write" in sent.message
    assert writer.sent == []


async def test_a_value_that_the_server_itself_has_may_be_tested_for() -> None:
    writer, touched = Silent(), ("/data/a", "/data/b")
    pin = Pin("u-1", 0, touched, {"/data/a": f"old {MARK}", "/data/b": "x"})
    await kubernetes.dry_run(writer, place(), change("y"), OBJECT, pin)  # type: ignore[arg-type]
    assert len(writer.sent) == 1
