"""Who could say what an unknown error means: by the package or the words of the innermost exception."""

from __future__ import annotations

from console.facts.chain import Decisive

_BY_WORDS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("io.fabric8.", "KubernetesClientException", "kubernetes.default"),
        "the platform",
        "the API server's answer to this call, and what stands between",
    ),
    (
        ("amazonaws", "awssdk", "botocore", "boto3", "s3a", "s3fs"),
        "the platform or the cloud",
        "the service that the line names: its own log of the request",
    ),
    (
        ("com.google.cloud", "googleapis", "gcs"),
        "the platform or the cloud",
        "the service that the line names: its own log of the request",
    ),
    (
        ("azure", "abfs", "wasb"),
        "the platform or the cloud",
        "the service that the line names: its own log of the request",
    ),
    (("kafka",), "who runs the brokers", "the brokers' log at that time"),
    (
        ("iceberg", "io.delta", "DELTA_", "hudi", "Hoodie"),
        "the data owner",
        "the table's history and its library's version",
    ),
    (("hive", "metastore", "thrift"), "who runs the metastore", "the metastore's own log at that time"),
    (("hadoop.hdfs", "hadoop.ipc", "namenode"), "who runs HDFS", "the name node's log at that time"),
    (
        ("java.sql", "jdbc", "psycopg", "pymysql", "sqlalchemy", "oracle"),
        "who runs the database",
        "the database's log at that time",
    ),
    (
        ("java.net", "javax.net", "socket", "urllib", "requests.exceptions", "grpc", "netty"),
        "the platform",
        "what the address in the line is, and whether it is reached from a pod",
    ),
    (
        ("cuda", "cudf", "rapids", "torch"),
        "the owner of the job, with the platform",
        "the GPU's node and the versions of the libraries",
    ),
    (
        ("org.apache.spark",),
        "the owner of the job",
        "the line and its stack among known issues of this version of Spark",
    ),
)


def who_decides(what: Decisive) -> tuple[str, str]:
    """(who could say it, what to look at)."""
    text = f"{what.name} {what.line}"
    low = text.lower()
    for words, whose, ask in _BY_WORDS:
        if any(w.lower() in low for w in words):
            return whose, ask
    if what.owner == "user":
        return "the owner of the job", "the code in the innermost frames, and the data it was given"
    return "the owner of the job", "the quoted line: whether code, data, image or a service is behind it"
