"""What software prints for each kind of failure, and what looks like it and is not. Names, hosts and ids "
"are made up."""

from __future__ import annotations

LINES: dict[str, str] = {
    "driver-pod-not-found": "org.apache.spark.SparkException: No pod was found named etl-driver in the cluster in the "
    "namespace jobs (this was supposed to be the driver pod.).",
    "pod-template-unreadable": "org.apache.spark.SparkException: Could not load pod from template file.",
    "cpu-features-missing": "io.acme.Crashed: SIGILL (0x4) at pc=0x00007f, pid=17, tid=18",
    "native-engine-memory": "org.apache.gluten.memory.memtarget.ThrowOnOomMemoryTarget$OutOfMemoryException: Not "
    "enough spark off-heap execution memory. Acquired: 4.0 MiB, granted: 1024.0 B.",
    "native-engine-failed": "org.apache.comet.CometNativeException: index out of bounds: the len is 3 and not 5",
    "remote-shuffle-no-servers": "org.apache.uniffle.common.exception.RssException: There isn't enough shuffle servers",
    "remote-shuffle-failed": "org.apache.uniffle.common.exception.RssException: Send failed: Task[7_0] failed because "
    "12 blocks can't be sent to shuffle server.",
    "executor-not-created": "org.apache.spark.SparkException: Unable to create executor due to com.acme.TracePlugin",
    "broadcast-too-large": "org.apache.spark.sql.execution.OutOfMemorySparkException: Size of broadcasted table far "
    "exceeds estimates and exceeds limit of spark.driver.maxResultSize=1073741824.",
    "gateway-gave-up": "org.apache.kyuubi.KyuubiSQLException: Timeout(180000 ms, you can modify "
    "kyuubi.session.engine.initialize.timeout to change it) to launched SPARK_SQL engine with spark-submit",
    "address-malformed": "java.net.UnknownHostException: 10.20.30.40.6443: Name or service not known",
    "catalog-login-refused": "org.apache.iceberg.exceptions.NotAuthorizedException: Not authorized: token is unknown",
    "claim-of-many-executors": "java.lang.IllegalArgumentException: PVC ClaimName: shared-scratch should "
    "contain OnDemand "
    "or SPARK_EXECUTOR_ID when requiring multiple executors",
    "service-variable-clash": 'java.lang.NumberFormatException: For input string: "tcp://172.20.3.9:7077"',
    "java-agent-failed": "java.lang.RuntimeException: Exception in agent: processing of -javaagent failed",
    "security-context-refused": "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
    "https://a/pods. Message: pods etl-driver is forbidden: unable to validate against any security context "
    "constraint: "
    "[spec.containers[0].securityContext.runAsUser: Invalid value: 185: must be in the ranges: [1000, 1999]].",
    "pod-network-failed": "io.acme.PodFailed: Failed to create pod sandbox: rpc error: code = Unknown desc = "
    "failed to setup "
    "network for sandbox 0a1b: plugin type=calico failed (add): no more free addresses in pool",
    "queue-refused": "io.acme.Rejected: application 'spark-1' rejected, cannot create queue 'root.etl' without "
    "placement "
    "rules",
    "submitted-twice": "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
    "https://a/pods. "
    "Message: pods etl-driver already exists.",
    "rapids-shuffle-manager": "java.lang.NullPointerException: Cannot invoke "
    "org.acme.ProxyBase.getRealImpl() because rapidsShuffleManagerProxy is null",
    "credential-expired": "software.amazon.awssdk.services.s3.model.S3Exception: The provided token has "
    "expired. (Service: S3, "
    "Status Code: 400, Request ID: 1)",
    "catalog-forbids": "org.apache.iceberg.exceptions.ForbiddenException: Forbidden: User 'svc-load' is not "
    "authorized to load "
    "table 'lake.web.clicks'",
    "bucket-as-host": "javax.net.ssl.SSLPeerUnverifiedException: Certificate for <raw.store.acme.org> doesn't "
    "match any of the "
    "subject alternative names: [store.acme.org, ingress.local]",
    "stream-source-data-lost": "java.lang.IllegalStateException: Cannot fetch offset 4711 (GroupId: g-1, "
    "TopicPartition: "
    "orders-3).\nSome data may have been lost because they are not available in Kafka any more; either the\n data was "
    "aged out by Kafka or the topic may have been deleted",
    "stream-two-writers": "org.apache.spark.SparkException: [CONCURRENT_STREAM_LOG_UPDATE] Concurrent "
    "update to the log. "
    "Multiple streaming jobs detected for 41.",
    "stream-query-changed": "java.lang.AssertionError: assertion failed: There are [1] sources in the "
    "checkpoint offsets "
    "and now there are [2] sources requested by the query. Cannot continue.",
    "stream-checkpoint-damaged": "java.lang.IllegalStateException: batch 812 doesn't exist",
    "stream-source-unreachable": "org.apache.kafka.common.errors.TimeoutException: Topic orders not "
    "present in metadata "
    "after 60000 ms.",
    "stream-source-refused": "org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed during "
    "authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512",
    "stream-topic-missing": "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server "
    "does not host "
    "this topic-partition.",
    "table-commit-unknown": "org.apache.iceberg.exceptions.CommitStateUnknownException: Read timed "
    "out\nCannot determine "
    "whether the commit was successful or not, the underlying data files may or may not be needed.",
    "table-log-vanished": "java.io.FileNotFoundException: No such file or directory: "
    "s3a://lake/orders/_delta_log/00000000000000000812.json",
    "table-commit-conflict": "io.delta.exceptions.ConcurrentAppendException: Files were added to "
    "partition [day=3] by a "
    "concurrent update. Please try the operation again.",
    "table-version-unsupported": "io.delta.exceptions.DeltaException: [DELTA_INVALID_PROTOCOL_VERSION] "
    "Unsupported Delta "
    "protocol version: table t requires reader version 3 and writer version 7",
    "table-source-rewritten": "java.lang.UnsupportedOperationException: Detected a data update (for "
    "example part-0.parquet) "
    "in the source table at version 12.",
    "file-changed-while-reading": "java.io.FileNotFoundException: File does not exist: "
    "hdfs://n/w/part-00007.snappy.parquet\n"
    "It is possible the underlying files have been updated. You can explicitly invalidate the cache in Spark",
    "data-invalid-ansi": "org.apache.spark.SparkNumberFormatException: [CAST_INVALID_INPUT] The value "
    "'abc' of the type "
    '"STRING" cannot be cast to "INT" because it is malformed. SQLSTATE: 22018',
    "file-corrupt": "java.lang.RuntimeException: s3a://w/in/part-1.parquet is not a Parquet file. "
    "Expected magic number at "
    "tail, but found [0, 0, 0, 0]",
    "schema-mismatch": "org.apache.spark.sql.execution.datasources.SchemaColumnConvertNotSupportedException: "
    "column: [a], physicalType: INT64, logicalType: string",
    "task-not-serializable": "java.io.NotSerializableException: com.acme.Client\nTask not serializable",
    "plugin-not-serializable": "java.io.NotSerializableException: com.nvidia.spark.rapids.GpuPlan\n"
    "Serialization stack:\n\t- object not serializable (class: com.nvidia.spark.rapids.GpuPlan, value: p)",
    "pyspark-differs": "py4j.protocol.Py4JError: org.apache.spark.api.python.PythonUtils.isEncryptionEnabled "
    "does not exist in the JVM",
    "task-too-large": "org.apache.spark.SparkException: Serialized task 3:0 was 180000000 bytes, which "
    "exceeds max allowed: "
    "spark.rpc.message.maxSize (134217728 bytes).",
    "closure-class-mismatch": "java.lang.ClassCastException: cannot assign instance of "
    "java.lang.invoke.SerializedLambda to "
    "field org.apache.spark.rdd.MapPartitionsRDD.f of type scala.Function3 in instance of "
    "org.apache.spark.rdd.MapPartitionsRDD",
    "spark-versions-differ": "java.io.InvalidClassException: org.apache.spark.scheduler.Task; local class "
    "incompatible: "
    "stream classdesc serialVersionUID = 1, local class serialVersionUID = 2",
    "kryo-buffer": "org.apache.spark.SparkException: Kryo serialization failed: Buffer overflow. "
    "Available: 0, required: "
    "9216. To avoid this, increase spark.kryoserializer.buffer.max value.",
    "java-version": "java.lang.UnsupportedClassVersionError: com/acme/Job has been compiled by a more "
    "recent version of the "
    "Java Runtime (class file version 61.0), this version only recognizes class file versions up to 55.0",
    "library-mix": "java.lang.NoSuchMethodError: "
    "scala.Predef$.refArrayOps([Ljava/lang/Object;)Lscala/collection/ArrayOps;",
    "class-missing": "java.lang.ClassNotFoundException: org.acme.format.DefaultSource",
    "python-package-clash": "AttributeError: 'DataFrame' object has no attribute 'iteritems'",
    "native-library-missing": "java.lang.UnsatisfiedLinkError: /tmp/snappy.so: Error loading shared library "
    "ld-linux-x86-64.so.2: No such file or directory",
    "jar-missing-for-python": "TypeError: 'JavaPackage' object is not callable",
    "dependency-unresolved": "java.io.FileNotFoundException: "
    "/nonexistent/.ivy2/cache/resolved-org.apache.spark-spark-submit-"
    "parent-1.0.xml (No such file or directory)",
    "uid-without-name": "javax.security.auth.login.LoginException: java.lang.NullPointerException: "
    "invalid null input: name",
    "spark-config-refused": "org.apache.spark.SparkException: Must specify the driver container image",
    "stack-overflow": "java.lang.StackOverflowError",
    "spark-bug": "org.apache.spark.SparkException: [INTERNAL_ERROR] The Spark SQL phase planning failed "
    "with an internal "
    "error. You hit a bug in Spark or the Spark plugins you use.",
    "celeborn-data-lost": "org.apache.celeborn.common.exception.CelebornIOException: Failed to load file "
    "group of shuffle 3 "
    "partition 7! Request returned SHUFFLE_DATA_LOST for 3.",
    "celeborn-no-slots": "org.apache.celeborn.common.exception.CelebornIOException: Register shuffle "
    "failed for shuffle 3, "
    "reason: SLOT_NOT_AVAILABLE",
    "shuffle-service-absent": "org.apache.spark.SparkException: Unable to register with external shuffle "
    "server due to : "
    "Failed to connect to /10.0.0.7:7337",
    "rapids-mismatch": "java.lang.IllegalArgumentException: This RAPIDS Plugin build does not support "
    "Spark build 3.5.3. "
    "Supported Spark versions: 3.3.0",
    "gpu-memory-taken": "ai.rapids.cudf.CudfException: RMM failure at: pool.hpp:100: Initial pool size "
    "exceeds the maximum "
    "pool size!",
    "connect-message-too-large": "io.grpc.StatusRuntimeException: RESOURCE_EXHAUSTED: gRPC message "
    "exceeds maximum size "
    "134217728: 201326592",
    "cluster-dns-down": "java.net.UnknownHostException: store.acme.internal: Temporary failure in name resolution",
    "driver-unreachable": "java.net.UnknownHostException: etl-7c1d-driver-svc.jobs.svc",
    "driver-ended-already": "org.apache.spark.rpc.RpcEndpointNotFoundException: Cannot find endpoint: "
    "spark://CoarseGrainedScheduler@etl-7c1d-driver-svc.jobs.svc:7078",
    "api-client-too-old": "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: "
    "PATCH at: https://a. "
    "Message: failed to create typed patch object: .spec.ports: element 0",
    "api-token-expired": "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET "
    "at: https://a/pods. "
    "Message: Unauthorized. Received status: Status(code=401, reason=Unauthorized).",
    "namespace-terminating": "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: "
    "POST at: https://a. "
    "Message: pods p is forbidden: unable to create new content in namespace n because it is being terminated.",
    "object-rejected": "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://a. "
    "Message: Service s is invalid: metadata.name: Invalid value: must be no more than 63 characters.",
    "driver-cannot-bind": "java.net.BindException: Cannot assign requested address: Service 'sparkDriver' "
    "failed after 16 "
    "retries (on a random free port)!",
    "threads-exhausted": "RuntimeError: can't start new thread",
    "open-files-exhausted": "java.io.FileNotFoundException: /data/blockmgr-1/x (Too many open files)",
    "native-memory-refused": 'java.io.IOException: Cannot run program "nproc": error=12, Cannot allocate memory',
    "shm-too-small": "RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that "
    "dataloader's workers are out of shared memory.",
    "clock-skew": "javax.security.auth.login.LoginException: Clock skew too great (37)",
    "local-dir-unwritable": "java.io.IOException: Failed to get a temp directory under [/data]. Permission denied",
    "service-unreachable": "org.elasticsearch.hadoop.rest.EsHadoopNoNodesLeftException: Connection error "
    "(check network); "
    "tried [[10.0.0.9:9200]]",
    "tls-refused": "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid "
    "certification path "
    "to requested target",
    "image-architecture": "java.lang.UnsatisfiedLinkError: /tmp/libsnappy.so: wrong ELF class: ELFCLASS32",
    "spark-image-version": "Error: Could not find or load main class "
    "org.apache.spark.executor.CoarseGrainedExecutorBackend",
    "main-file-missing": "java.io.IOException: Failed to get main class in JAR with error 'File "
    "file:/opt/x.jar does not "
    "exist'.",
    "identity-refused": "software.amazon.awssdk.services.sts.model.StsException: Not authorized to perform "
    "sts:AssumeRoleWithWebIdentity (Service: Sts, Status Code: 403)",
    "catalog-denied": "software.amazon.awssdk.services.glue.model.GlueException: User: "
    "arn:aws:sts::1:assumed-role/x is not "
    "authorized to perform: glue:GetDatabase on resource",
    "node-identity-used": "software.amazon.awssdk.services.glue.model.AccessDeniedException: User: "
    "arn:aws:sts::1:assumed-role/eks-workers/i-0a1b2c3d4e5f67890 is not authorized to perform: glue:GetTable",
    "kerberos-refused": "org.ietf.jgss.GSSException: No valid credentials provided (Mechanism level: "
    "Failed to find any "
    "Kerberos tgt)",
    "store-pool-exhausted": "com.amazonaws.SdkClientException: Unable to execute HTTP request: Timeout waiting for "
    "connection from pool",
    "store-endpoint-wrong": "org.apache.hadoop.fs.s3a.AWSRedirectException: Received permanent redirect response to "
    "endpoint s3.eu.example.org.",
    "output-commit-failed": "java.io.FileNotFoundException: File s3a://w/out/_temporary/0 does not exist.",
    "metastore-incompatible": "org.apache.thrift.TApplicationException: Invalid method name: 'get_table_req'",
    "jdbc-source-failed": "org.postgresql.util.PSQLException: FATAL: sorry, too many clients already",
    "hdfs-refused": "org.apache.hadoop.ipc.RemoteException(org.apache.hadoop.ipc.StandbyException): "
    "Operation category READ "
    "is not supported in state standby",
    "hdfs-permission": "org.apache.hadoop.security.AccessControlException: Permission denied: user=185, "
    "access=WRITE, inode=/u",
    "service-throttled": "software.amazon.awssdk.services.dynamodb.model.ProvisionedThroughputExceededException: "
    "The level of configured provisioned throughput for the table was exceeded",
}
"""Code → the innermost exception, as it is printed."""

LOOK_ALIKES: tuple[tuple[str, str], ...] = (
    ("driver-pod-not-found", "org.apache.spark.SparkException: Executor cannot find driver pod"),
    ("cpu-features-missing", "io.acme.Crashed: SIGSEGV (0xb) at pc=0x00007f, pid=17"),
    ("native-engine-memory", "java.lang.OutOfMemoryError: Java heap space"),
    ("native-engine-failed", "org.apache.gluten.exception.GlutenException: org.apache.spark.TaskKilledException"),
    (
        "executor-not-created",
        "org.apache.spark.SparkException: Unable to create executor due to Unable to register with external shuffle "
        "server due to : Failed to connect to /10.0.0.9:7337",
    ),
    ("plugin-not-serializable", "java.io.NotSerializableException: org.apache.hadoop.conf.Configuration"),
    ("pyspark-differs", "py4j.protocol.Py4JError: com.acme.Udfs.register does not exist in the JVM"),
    ("identity-refused", "Error getting access token from metadata server: PKIX path building failed"),
    ("broadcast-too-large", "java.util.concurrent.TimeoutException: Could not execute broadcast in 300 secs."),
    ("address-malformed", "java.net.UnknownHostException: db.acme.svc: Name or service not known"),
    ("address-malformed", "java.net.UnknownHostException: 10-20-30-40.pods.acme.svc"),
    ("catalog-login-refused", "org.apache.iceberg.exceptions.ForbiddenException: Forbidden: User 'a' may not"),
    ("claim-of-many-executors", "io.fabric8.X: persistentvolumeclaim shared-scratch not found"),
    ("service-variable-clash", 'java.lang.NumberFormatException: For input string: "12,5"'),
    ("service-variable-clash", "ValueError: invalid literal for int() with base 10: 'tcp'"),
    ("java-agent-failed", "java.lang.IllegalStateException: Error opening zip file: agent library failed Agent_OnLoad"),
    (
        "security-context-refused",
        "io.fabric8.X: pods etl is forbidden: violates PodSecurity restricted:latest: runAsUser",
    ),
    ("pod-network-failed", "io.acme.PodFailed: Failed to create pod sandbox: failed to pull image pause:3.9"),
    ("queue-refused", "io.acme.Waits: LocalQueue team-a: insufficient quota for cpu"),
    ("submitted-twice", "io.fabric8.X: services etl-driver-svc already exists"),
    ("rapids-shuffle-manager", "java.lang.IllegalStateException: RapidsShuffleManager class mismatch (a != b)"),
    ("credential-expired", "software.amazon.X: ExpiredTokenException: Token expired: sts AssumeRoleWithWebIdentity"),
    ("credential-expired", "org.apache.hadoop.X: token (HDFS_DELEGATION_TOKEN token 7) is expired"),
    ("catalog-forbids", "software.amazon.X: User: arn:aws:iam::1:user/u is not authorized to perform: glue:GetTable"),
    ("catalog-forbids", 'io.fabric8.X: pods is forbidden: User "u" cannot list: it is not authorized to do so'),
    (
        "bucket-as-host",
        "javax.net.ssl.SSLPeerUnverifiedException: Certificate for <store.acme.org> doesn't match any of the "
        "subject alternative names: [other.example.net]",
    ),
    (
        "stream-source-data-lost",
        "java.util.concurrent.TimeoutException: Cannot fetch record for offset 7 in 512 milliseconds",
    ),
    (
        "table-log-vanished",
        "org.apache.spark.SparkException: wrote s3a://lake/orders/_delta_log/00000000000000000812.json",
    ),
    ("table-commit-conflict", "org.apache.spark.executor.CommitDeniedException: attempt_1: Not committed"),
    (
        "file-changed-while-reading",
        "java.io.FileNotFoundException: s3a://w/_delta_log/00000000000000000001.json does not exist",
    ),
    ("local-dir-unwritable", "java.io.IOException: Failed to create local dir in /data/x: No space left on device"),
    ("class-missing", "java.lang.ClassNotFoundException: scala.Serializable"),
    (
        "object-rejected",
        "io.fabric8.X: admission webhook v denied the request: spec.containers[0] may not be privileged",
    ),
    (
        "api-client-too-old",
        "java.net.ProtocolException: Expected HTTP 101 response but was '403 Forbidden' pods is "
        "forbidden: User s cannot watch",
    ),
    (
        "kerberos-refused",
        "org.apache.hadoop.security.KerberosAuthException: failure to login: javax.security.auth.login.LoginException: "
        "java.lang.NullPointerException: invalid null input: name",
    ),
    (
        "node-identity-used",
        "software.amazon.awssdk.X: User: arn:aws:sts::1:assumed-role/etl/session is not authorized to perform: s3:Get",
    ),
    ("shm-too-small", "java.io.IOException: No space left on device: /data/blockmgr-1"),
    ("catalog-denied", "com.amazonaws.X: User x is not authorized to perform: sts:AssumeRoleWithWebIdentity"),
    (
        "spark-bug",
        "org.apache.spark.ExecutorDeadException: [INTERNAL_ERROR_NETWORK] The relative remote executor is dead.",
    ),
    (
        "store-endpoint-wrong",
        "com.amazonaws.X: Access Denied (Service: S3; Status Code: 403; Error Code: AccessDenied)",
    ),
    ("output-commit-failed", "java.nio.file.AccessDeniedException: s3a://w/out/_temporary/0: 403 does not exist"),
    (
        "stream-source-unreachable",
        "org.apache.kafka.common.KafkaException: Failed to construct kafka consumer: SaslAuthenticationException",
    ),
    ("driver-unreachable", "java.io.IOException: Failed to connect to warehouse.acme.org:9083"),
    (
        "api-token-expired",
        "io.fabric8.kubernetes.client.KubernetesClientException: pods is forbidden: exceeded quota, code=403",
    ),
)
"""A kind, and an end that must not be taken for it."""
