"""One connected cluster: the connection, what reads through it, and the journal. Made once, closed as a whole."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from console.base.errors import ForbiddenError, UsageError, did_you_mean
from console.base.paths import private_dir
from console.board.model import Cluster
from console.live.endpoints import endpoint_of
from console.live.metrics import Metrics
from console.live.plan import Plan
from console.live.reads import Reads
from console.live.remembered import Remembered
from console.live.times import TimesReader
from console.operate import identity
from console.operate.journal import Journal
from console.operate.policy import ChangeRules
from console.sources.cluster.beside import BesideComponents
from console.sources.cluster.captured import EvidenceFolder
from console.sources.cluster.component_pods import ComponentPods
from console.sources.cluster.names import ReferencedNames
from console.sources.cluster.scope import readable_namespaces
from console.sources.cluster.source import ClusterSource, Scope
from console.sources.files.runbooks import Library
from console.sources.spark.standalone import Standalone
from console.wire.connection import Connection
from console.wire.errors import NotFoundError
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.settings.load import Settings
    from console.wire.reader import Reader

COMPONENTS_AGAIN = 60.0
"""Seconds of the clock after which pods and logs of components are read again."""


class Connected:
    """Everything that reads one cluster, by the settings of its context. Nothing runs yet.

    Attributes:
        namespaces: those that are looked at; empty means all that may be read.
    """

    def __init__(self, plan: Plan, connection: Connection) -> None:
        self.plan, self.connection, self.clock = plan, connection, plan.clock
        with contextlib.suppress(UsageError, OSError):  # whoever writes there is told; to look, nothing is needed
            if plan.state.exists():
                private_dir(plan.state)
        self.settings: Settings = plan.settings.at(connection.identity.context)
        limits = self.settings.evidence
        self.evidence = EvidenceFolder(
            (plan.evidence or plan.state / "evidence") / connection.identity.slug,
            max_bytes=limits.max_bytes,
            max_age=limits.max_age,
        )
        self.namespaces: tuple[str, ...] = () if plan.all_namespaces else plan.named or self.settings.namespaces
        self.source = ClusterSource(
            connection,
            Scope(namespaces=self.namespaces),
            plan.clock,
            evidence=self.evidence,
            log_bytes=limits.log_bytes,
            log_lines=limits.log_lines,
        )
        self.library = Library.read(self.settings.folders("runbook_paths"))
        self.reads = Reads(connection.reader, plan.clock, plan.pace.reads)
        self.component_pods = ComponentPods(connection.reader, plan.clock, COMPONENTS_AGAIN)
        self.names = ReferencedNames(connection.reader, plan.clock, COMPONENTS_AGAIN)
        self.beside = BesideComponents(connection.reader, plan.clock, COMPONENTS_AGAIN)
        memory = self.evidence.folder.parent.with_name("remembered")
        self.remembered = Remembered(memory / f"{connection.identity.slug}.json", plan.clock.now())
        self.metrics = Metrics(plan, self.settings, connection.reader, self.library.catalogue, self.remembered.signs)
        given = [endpoint_of(address, connection.reader) for address in self.settings.standalone_masters]
        self.standalone = Standalone(
            connection.reader, plan.clock, plan.pace.reads * 2, [one for one in given if one is not None]
        )
        self.timing = TimesReader(connection.reader, self.settings, plan.clock)
        self.journal = Journal(plan.state / "journal.db")

    async def close(self) -> None:
        await self.source.stop()
        await self.beside.stop()
        await self.metrics.close()
        for endpoint in self.standalone.given:
            await endpoint.close()
        await self.timing.close()
        await self.connection.close()
        self.remembered.save(at_once=True)
        self.journal.close()

    @property
    def cluster(self) -> Cluster:
        """Which cluster, as whom, and what may be done there."""
        who = self.connection.identity
        return Cluster(
            context=who.context,
            server=identity.address(who.server),
            user=who.user,
            namespace=who.namespace,
            version=who.version,
            production=self.settings.is_production(),
            mode=self.settings.mode,
            kind=self.plan.kind,
            scope=self.namespaces,
            drill=self.plan.kind == "simulated" or identity.is_drill(who.server),
        )

    @property
    def pinned(self) -> dict[str, Any]:
        """What walks are pinned to, as the journal keeps it."""
        return identity.of(self.connection, ChangeRules.of(self.settings), self.plan.kind)


async def connect(plan: Plan) -> Connected:
    """Connect and say who we are there.

    Raises:
        ReachError, LoginNeeded, UsageError: as `Connection.open` does; there is no such namespace.
    """
    connection = await Connection.open(plan.ref)
    try:
        for namespace in plan.named:
            await _there(connection.reader, namespace)
        return Connected(plan, connection)
    except BaseException:
        await connection.close()
        raise


async def _there(reader: Reader, namespace: str) -> None:
    """Nothing in a namespace that does not exist is no answer. Whoever may not ask is believed.

    Raises:
        UsageError: there is no such namespace.
    """
    try:
        await reader.get(object_path("v1", "namespaces", name=namespace))
    except NotFoundError:
        names = (await readable_namespaces(reader, namespace))[0]
        raise UsageError(f"there is no namespace {namespace!r}", hint=did_you_mean(namespace, names)) from None
    except ForbiddenError:
        return
