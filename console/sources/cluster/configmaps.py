"""ConfigMaps of the platform: what kind of content each holds, and those that no chart's label leads to.

Of most ConfigMaps nothing is kept. A dashboard is known by its label or its content, a budget and files of rules by
their content, a Spark configuration by its lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from console.base.clock import Clock
from console.base.errors import ConsoleError, ReachError
from console.base.jsontext import decode_tree
from console.base.shapes import mappings
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Origin, Workload
from console.monitoring import rulefiles
from console.sources.cluster import decode
from console.sources.cluster.lists import loose_page, named
from console.sources.cluster.names import METADATA
from console.wire.errors import NotFoundError
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

CHARTS = "helm.sh/chart"
"""The label by which ConfigMaps of charts are watched."""
MAX_READ = 200
"""ConfigMaps without that label whose content is read."""
_AT_ONCE = 4
_LABELS = ("grafana_dashboard", "grafana.dashboard")
_BUDGET = "app.kubernetes.io/component"
_TELLING = re.compile(
    r"dashboard|grafana|prometheus|rule|alert|budget|spark-(?:conf|defaults|properties)|connect-config"
    r"|\.(?:json|rules|conf|properties)(?:\s|$)|rules?\.ya?ml|alerts?\.ya?ml",
    re.IGNORECASE,
)
"""What in a name, a label or a key says that the content may be of concern."""
_NEVER = re.compile(r"^(?:spark-(?:drv|exec)-[0-9a-f]{16}-conf-map|kube-root-ca\.crt|.*\.v\d+)$")
"""What Spark, Kubernetes and Helm make for themselves."""
_PANELS = re.compile(r'"(?:panels|rows)"\s*:\s*\[')


def content(tree: Mapping[str, Any]) -> dict[str, Any] | None:
    """The object with what is kept of it: `content` says what it is (`dashboard`, `budget`, `rules`, `spark`). None
    where it is none of these."""
    data, labels = tree.get("data"), tree["metadata"].get("labels") or {}
    texts = {str(k): v for k, v in data.items() if isinstance(v, str)} if isinstance(data, Mapping) else {}
    kept = _kept(texts, labels)
    rest = {key: value for key, value in tree.items() if key not in ("data", "binaryData")}
    return {**rest, **kept} if kept is not None else None


def _kept(texts: Mapping[str, str], labels: Mapping[str, Any]) -> dict[str, Any] | None:
    if labels.get(_BUDGET) == "budget" or {"limit", "period"} <= texts.keys():
        return {"content": "budget", "data": texts}
    if any(labels.get(label) for label in _LABELS) or any(_is_dashboard(k, text) for k, text in texts.items()):
        return {"content": "dashboard", "data": {}}
    if rules := [rule for key, text in sorted(texts.items()) for rule in rulefiles.read(key, text) or ()]:
        faults = sum(1 for one in rules if one.get("error") or rulefiles.fault(one["expr"]) is not None)
        return {"content": "rules", "rules": rules, "faults": faults}
    lines = {key: [line for line in text.splitlines() if line.startswith("spark.")] for key, text in texts.items()}
    kept = {key: "\n".join(said) for key, said in lines.items() if said}
    return {"content": "spark", "data": kept} if kept else None


def _is_dashboard(key: str, text: str) -> bool:
    return key.endswith(".json") and text.lstrip().startswith("{") and _PANELS.search(text) is not None


@dataclass
class PlainConfigMaps:
    """ConfigMaps of some namespaces that have no label of a chart. Of all of them the metadata are read, and the
    content of those that may be of concern, anew only when it has changed. Belongs to one event loop.

    Attributes:
        names: of all ConfigMaps, by `ConfigMap/namespace`; complete or not there.
    """

    reader: Reader
    clock: Clock
    objects: tuple[Workload, ...] = ()
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    _known: dict[tuple[str, str, str], Workload | None] = field(default_factory=dict)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def refresh(self, namespaces: Iterable[str]) -> None:
        """Read what has changed.

        Raises:
            ReachError: what was known stays.
        """
        unread: list[tuple[str, str]] = []
        names: dict[str, frozenset[str]] = {}
        asked: list[tuple[str, str, str]] = []
        spaces = tuple(namespaces)
        for space, listed in zip(spaces, await asyncio.gather(*(self._listed(s, unread) for s in spaces)), strict=True):
            if listed is not None:
                names[f"ConfigMap/{space}"] = frozenset(name for name, _ in listed)
                asked += [(space, name, version) for name, version in listed if version]
        wanted, left_out = bounded(
            asked, MAX_READ, source="components", what="ConfigMaps without a chart's label are read",
            name=lambda key: f"{key[0]}/{key[1]}",
        )  # fmt: skip
        new = [key for key in wanted if key not in self._known]
        read = dict(zip(new, await asyncio.gather(*(self._read(*key, unread) for key in new)), strict=True))
        self._known = {key: read[key] if key in read else self._known[key] for key in wanted}
        self.objects = tuple(one for one in self._known.values() if one is not None)
        self.names, self.unread, self.left_out = names, tuple(unread), tuple(left_out)

    async def _listed(self, space: str, unread: list[tuple[str, str]]) -> list[tuple[str, str]] | None:
        """Names, each with its version where its content may be of concern, else with ``; None where it may not be
        read."""
        out: list[tuple[str, str]] = []
        try:
            async with (
                self._gate,
                contextlib.aclosing(
                    self.reader.pages(object_path("v1", "configmaps", space), accept=METADATA)
                ) as pages,
            ):
                async for page in pages:
                    for tree in filter(named, loose_page(page.body, "ConfigMap")[1]):
                        meta = tree["metadata"]
                        out.append((meta["name"], str(meta.get("resourceVersion") or "0") if _telling(meta) else ""))
        except ReachError:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            unread.append((f"configmaps in {space}", str(error)))
            return None
        return out

    async def _read(self, space: str, name: str, version: str, unread: list[tuple[str, str]]) -> Workload | None:
        path = f"{object_path('v1', 'configmaps', space)}/{name}"
        try:
            async with self._gate:
                tree = decode_tree(await self.reader.get(path))
            if not named(tree) or (kept := content(tree)) is None:
                return None
            whole = {"apiVersion": "v1", "kind": "ConfigMap", **kept}
            return decode.workload(whole, Origin("kubernetes", path, self.clock.now()))
        except NotFoundError:
            return None
        except ReachError:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            unread.append((f"ConfigMap {space}/{name}", str(error)))
            return None


def _telling(meta: Mapping[str, Any]) -> bool:
    """Whether name, labels or keys say that the content may be of concern. A chart's own are watched already."""
    labels = meta.get("labels")
    labels = labels if isinstance(labels, Mapping) else {}
    if CHARTS in labels or _NEVER.match(meta["name"]):
        return False
    words = [meta["name"], *(f"{key}={value}" for key, value in labels.items())]
    for one in mappings(meta.get("managedFields")):
        fields = one.get("fieldsV1") if isinstance(one, Mapping) else None
        keys = fields.get("f:data") if isinstance(fields, Mapping) else None
        words += [str(key) for key in keys] if isinstance(keys, Mapping) else []
    return _TELLING.search("\n".join(words)) is not None
