"""Services that a job needs, as its configuration names them, and how it fails while nobody answers there."""

from __future__ import annotations

from dataclasses import dataclass

from console.drill.spark.progress import SparkRun
from console.drill.state.cluster import ClusterState
from console.drill.state.resources import SERVICES
from console.drill.state.services import ADDRESS, unreachable

METASTORE = ("spark.hadoop.hive.metastore.uris", "spark.hive.metastore.uris")
STORE = ("spark.hadoop.fs.s3a.endpoint",)
CONNECT = ("spark.remote",)
CONNECT_TRIES = 3
REFUSED = "Connection refused"


@dataclass(frozen=True)
class NeededService:
    """One service: what for, and where.

    Attributes:
        why: `refused`, or `unknown` where there is no such Service.
    """

    what: str
    name: str
    namespace: str
    port: int
    why: str

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc"


class NeededServices:
    """What one run needs."""

    def __init__(self, cluster: ClusterState, run: SparkRun) -> None:
        self.cluster, self.run = cluster, run

    def missing(self) -> NeededService | None:
        """The first service that does not answer now."""
        for what, keys in (("metastore", METASTORE), ("store", STORE), ("connect", CONNECT)):
            for key in keys:
                found = ADDRESS.search(self.run.conf.get(key, ""))
                if found is None:
                    continue
                where = found["namespace"], found["name"], int(found["port"])
                why = unreachable(self.cluster.store, *where)
                if why:
                    return NeededService(what, found["name"], found["namespace"], int(found["port"]), why)
        return None

    def fail(self, need: NeededService) -> float:
        """Write what the driver writes when it asks in vain; after how many seconds it gives up."""
        now = self.cluster.heap.now
        log = self.cluster.logs.of(self.run.driver["metadata"]["uid"])
        service = self.cluster.store.get(SERVICES, need.namespace, need.name)
        address = str(service["spec"].get("clusterIP", "")) if service else ""
        if need.what == "metastore":
            log.info(
                now, f"HiveMetaStoreClient: Trying to connect to metastore with URI thrift://{need.host}:{need.port}"
            )
            for number in range(CONNECT_TRIES):
                log.warn(now + number, "metastore: Failed to connect to the MetaStore Server...")
            log.warn(
                now + 3,
                "HiveClientImpl: HiveClient got thrift exception, destroying client and retrying 1 times\n"
                + _metastore_trace(need),
            )
            log.warn(now + 4, "HiveClientImpl: Deadline exceeded")
            log.raw(now + 4, f"pyspark.errors.exceptions.captured.AnalysisException: {_UNABLE}")
            return 5.0
        if need.what == "store":
            log.raw(now + 6, _store_trace(need, address))
            return 7.0
        log.raw(now + 3, _connect_trace(need, address))
        return 4.0


_HIVE = "org.apache.hadoop.hive"
_UNABLE = (
    f"{_HIVE}.ql.metadata.HiveException: java.lang.RuntimeException: "
    f"Unable to instantiate {_HIVE}.ql.metadata.SessionHiveMetaStoreClient"
)


def _metastore_trace(need: NeededService) -> str:
    cause = f"java.net.ConnectException: {REFUSED}"
    if need.why == "unknown":
        cause = f"java.net.UnknownHostException: {need.host}"
    return f"""{_UNABLE}
\tat {_HIVE}.ql.metadata.Hive.getDatabase(Hive.java:1567)
\tat {_HIVE}.ql.metadata.Hive.databaseExists(Hive.java:1552)
\tat org.apache.spark.sql.hive.client.Shim_v2_0.databaseExists(HiveShim.scala:919)
\tat org.apache.spark.sql.hive.HiveExternalCatalog.databaseExists(HiveExternalCatalog.scala:226)
Caused by: java.lang.RuntimeException: Unable to instantiate {_HIVE}.ql.metadata.SessionHiveMetaStoreClient
\tat {_HIVE}.metastore.MetaStoreUtils.newInstance(MetaStoreUtils.java:1742)
\tat {_HIVE}.metastore.RetryingMetaStoreClient.<init>(RetryingMetaStoreClient.java:83)
Caused by: MetaException(message:Could not connect to meta store using any of the URIs provided. Most recent failure: \
org.apache.thrift.transport.TTransportException: {cause}
\tat org.apache.thrift.transport.TSocket.open(TSocket.java:255)
\tat {_HIVE}.metastore.HiveMetaStoreClient.open(HiveMetaStoreClient.java:492)
Caused by: {cause}
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\tat java.base/java.net.Socket.connect(Socket.java:633)
\tat org.apache.thrift.transport.TSocket.open(TSocket.java:250)
)
\tat {_HIVE}.metastore.HiveMetaStoreClient.open(HiveMetaStoreClient.java:541)"""


def _store_trace(need: NeededService, address: str) -> str:
    where = f"{need.host}:{need.port} [{need.host}/{address}]"
    why = f"Connect to {where} failed: {REFUSED}"
    if need.why == "unknown":
        why = f"{need.host}: Name or service not known"
    return (
        "software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request: "
        f"{why} (SDK Attempt Count: 6)\nCaused by: org.apache.http.conn.HttpHostConnectException: {why}\n"
        f"Caused by: java.net.ConnectException: {REFUSED}"
    )


def _connect_trace(need: NeededService, address: str) -> str:
    last = f"UNKNOWN: ipv4:{address}:{need.port}: Failed to connect to remote host: connect: {REFUSED} (111)"
    if need.why == "unknown":
        last = f"DNS resolution failed for {need.host}:{need.port}: C-ares status is not ARES_SUCCESS"
    return (
        "pyspark.errors.exceptions.connect.SparkConnectGrpcException: <_MultiThreadedRendezvous of RPC that terminated "
        "with:\n\tstatus = StatusCode.UNAVAILABLE\n"
        f'\tdetails = "failed to connect to all addresses; last error: {last}"\n>'
    )
