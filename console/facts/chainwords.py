"""Words by which chains of exceptions are walked: what only wraps, what is too thin alone, whose frames are whose."""

from __future__ import annotations

WRAPPERS = (
    "UndeclaredThrowableException",
    "InvocationTargetException",
    "Exception thrown in awaitResult",
    "External scheduler cannot be instantiated",
    "Error initializing SparkContext",
    "Py4JJavaError",
    "SparkUserAppException",
    "StreamingQueryException",
    "[STREAM_FAILED]",
    "Job aborted due to stage failure",
    "SparkException: Job aborted.",
    "[WRITING_JOB_ABORTED]",
    "Task failed while writing rows",
    "[TASK_WRITE_FAILED]",
    "Multiple failures in stage materialization",
    "KubernetesClientException: An error has occurred.",
    "KubernetesClientException: Operation: [",
    "SparkException: Writing job aborted",
    "was terminated with exception",
    "cancelled because SparkContext was shut down",
    "Cannot call methods on a stopped SparkContext",
    "Application application_",
    "Uncaught exception in thread",
    "[RETRIES_EXCEEDED]",
)
"""An exception whose name or message holds one of these is not the cause where another one stands below it."""
TRANSPARENT = frozenset(
    {
        "ExecutionException",
        "CompletionException",
        "RuntimeException",
        "SparkException",
        "UncheckedExecutionException",
        "KubernetesClientException",
    }
)
"""Without a message these say nothing of their own."""
THIN = (
    "Connection refused",
    "Connection reset",
    "Broken pipe",
    "Timeout waiting for task",
    "Futures timed out after",
    "null",
    "Network is unreachable",
    "No route to host",
    "timeout",
    "Read timed out",
    "connect timed out",
    "Connection timed out",
    "Success",
    "closed",
    "Premature EOF",
)
"""Messages that say too little without the exception around them."""
STOPS = (
    "=== Streaming Query ===",
    "Driver stacktrace:",
    "Current Committed Offsets:",
    "Logical Plan:",
    "Serialization stack:",
    "JVM stacktrace:",
    "Server stacktrace:",
    "During handling of the above",
    "The above exception was",
)
"""Lines that end a message."""
PASSED_ON = frozenset({"Py4JJavaError", "Py4JError", "Py4JNetworkError", "StreamingQueryException", "SparkException"})
"""Python's names of what the JVM threw."""
FIXED = (
    "Forbidden!Configured service account doesn't have access. Service account may have been revoked.",
    "Unauthorized! Configured service account doesn't have access. Service account may have been revoked.",
    "Unauthorized! Token may have expired! Please log-in again.",
)
"""Sentences that a client adds to every 401 and 403, whatever it was."""
PYTHON_LIBRARIES = (
    "site-packages",
    "dist-packages",
    "/lib/python",
    "/usr/lib64/python",
    "pyspark.zip",
    "pyspark/",
    "py4j",
    "<frozen",
    "spark/python",
    "conda/lib",
)
JAVA_OWNERS = (
    "ai.rapids.",
    "akka.",
    "com.amazon",
    "com.azure.",
    "com.clickhouse.",
    "com.codahale.",
    "com.databricks.",
    "com.datastax.",
    "com.esotericsoftware.",
    "com.fasterxml.",
    "com.google.",
    "com.microsoft.",
    "com.mongodb.",
    "com.mysql.",
    "com.nvidia.",
    "com.sun.",
    "com.zaxxer.",
    "io.delta.",
    "io.fabric8.",
    "io.grpc.",
    "io.netty.",
    "io.vertx.",
    "net.jpountz.",
    "net.snowflake.",
    "okhttp3.",
    "okio.",
    "oracle.",
    "org.apache.",
    "org.codehaus.",
    "org.datanucleus.",
    "org.elasticsearch.",
    "org.glassfish.",
    "org.json4s.",
    "org.mongodb.",
    "org.postgresql.",
    "org.rocksdb.",
    "org.slf4j.",
    "org.sparkproject.",
    "org.xerial.",
    "py4j.",
    "software.amazon",
)
"""Packages that no owner of a job wrote."""
