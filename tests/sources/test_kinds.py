"""Kinds by which components are found cost nothing where a cluster does not serve them."""

from __future__ import annotations

from typing import Any

from console.sources.cluster.kinds import PARTS
from console.sources.cluster.versions import Versions

CUSTOM = [kind for kind in PARTS if "." in kind.group]


class Discovery:
    """A reader of a cluster that serves these groups, and counts what it is asked."""

    def __init__(self, **groups: tuple[str, ...]) -> None:
        self.known = groups
        self.asked: list[str] = []

    async def groups(self) -> dict[str, tuple[str, ...]]:
        self.asked.append("/apis")
        return self.known

    async def resources(self, api_version: str, *, fresh: bool = False) -> tuple[Any, ...]:
        self.asked.append(api_version)
        return ()


async def test_all_kinds_that_are_not_served_together_cost_one_look_at_the_groups() -> None:
    reader = Discovery(apps=("v1",))
    versions = Versions(reader)  # type: ignore[arg-type]
    assert [await versions.of(kind, fresh=True) for kind in CUSTOM] == [""] * len(CUSTOM) and len(CUSTOM) >= 5
    assert reader.asked == ["/apis"]


async def test_a_group_that_is_served_without_the_kind_is_asked_once_more() -> None:
    reader = Discovery(**{"external-secrets.io": ("v1",)})
    versions = Versions(reader)  # type: ignore[arg-type]
    assert {await versions.of(kind) for kind in CUSTOM} == {""}
    assert set(reader.asked) == {"/apis", "external-secrets.io/v1"}
