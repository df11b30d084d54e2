"""The world: the state of a cluster and all that moves it, put together in the order in which they hear of changes."""

from __future__ import annotations

from console.drill.control.budgets import DisruptionController
from console.drill.control.deployments import DeploymentController
from console.drill.control.garbage import GarbageCollector
from console.drill.control.gpus import Gpus
from console.drill.control.kubelet import Kubelet
from console.drill.control.kueue import Kueue
from console.drill.control.nodes import NodeController
from console.drill.control.operator import SparkOperator
from console.drill.control.quotas import QuotaController
from console.drill.control.replicasets import ReplicaSetController
from console.drill.control.scheduled import ScheduledApps
from console.drill.control.scheduler import Scheduler
from console.drill.control.sets import DaemonSetController, StatefulSetController
from console.drill.control.volumes import ClaimBinder
from console.drill.spark.program import Programs
from console.drill.spark.runs import Spark
from console.drill.state.cluster import ClusterState


class SimulatedWorld:
    """One simulated cluster.

    Attributes:
        cluster: its state; `heap`, `store` and `ids` are parts of it.
        programs: what the code of jobs does; faults change them.
        gpus: the cards of nodes that have some.
    """

    def __init__(self, *, seed: int, start: float) -> None:
        self.start = start
        self.cluster = cluster = ClusterState(seed=seed, start=start)
        self.heap, self.store, self.ids = cluster.heap, cluster.store, cluster.ids
        self.programs = Programs()
        self.gpus = Gpus(cluster)
        self.scheduler = Scheduler(cluster)
        self.kubelet = Kubelet(cluster, lambda pod: self.spark.signal(pod))
        self.garbage = GarbageCollector(cluster)
        self.spark = Spark(cluster, self.programs, self.kubelet)
        self.operator = SparkOperator(cluster, self.spark)
        self.kueue = Kueue(cluster)
        self.scheduled = ScheduledApps(cluster, self.operator.process)
        self.replicasets = ReplicaSetController(cluster)
        self.deployments = DeploymentController(cluster)
        self.daemonsets = DaemonSetController(cluster)
        self.statefulsets = StatefulSetController(cluster)
        self.quotas = QuotaController(cluster)
        self.budgets = DisruptionController(cluster)
        self.nodes = NodeController(cluster)
        self.claims = ClaimBinder(cluster)
