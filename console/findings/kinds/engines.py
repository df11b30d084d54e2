"""What is put into Spark from outside: engines, shuffle, plug-ins, gateways, and addresses given wrongly."""

from __future__ import annotations

from console.findings.kinds.model import FailureKind

KINDS = (
    FailureKind(
        code="cpu-features-missing",
        owner="owner of the job",
        title="a native library uses instructions that this CPU does not have ({what})",
        words=("SIGILL (0x4)",),
        pattern=r"(?P<what>SIGILL)",
        means="a library in the image was built for newer or other CPUs (AVX-512, SVE) than this node has",
        step="nodes of the CPU that the library was built for, or a build of it for older CPUs",
        decide="`Problematic frame` in the log names the library; flags of /proc/cpuinfo on the node",
        like=(
            ("image-architecture", "the library was loaded: its architecture is the node's"),
            ("I01", "the process ended itself at an instruction, it was not killed for memory"),
        ),
        ends=True,
    ),
    FailureKind(
        code="native-engine-memory",
        owner="owner of the job",
        title="the native engine gets too little memory: {what}",
        words=(
            "Not enough spark off-heap execution memory",
            "MEM_CAP_EXCEEDED",
            "Exceeded memory pool cap",
            "Resources exhausted: Failed to allocate additional",
        ),
        pattern=r"(?P<what>Not enough spark off-heap execution memory[^\n]{0,60}|MEM_CAP_EXCEEDED|"
        r"Exceeded memory pool cap[^\n]{0,80}|Failed to allocate additional[^\n]{0,80})",
        means="Gluten, Velox or Comet work outside the heap, within spark.memory.offHeap.size that the tasks of an "
        "executor share",
        step="raise spark.memory.offHeap.size (with the pod's memory), or fewer cores for each executor",
        decide="spark.memory.offHeap.size divided by the cores of an executor, against what the line asks for",
        like=(
            ("I02", "the heap has room: the memory is outside it"),
            ("I01", "the engine itself refused, no container was killed"),
        ),
    ),
    FailureKind(
        code="native-engine-failed",
        owner="owner of the job",
        title="the native engine under Spark fails: {what}",
        words=(
            "VeloxRuntimeError",
            "exception.GlutenException",
            "CometNativeException",
            "CometRuntimeException",
            "org.apache.auron",
        ),
        pattern=r"Reason: (?P<what>[^\n]{1,160})|Comet\w+Exception: (?!General execution error)(?P<what2>[^\n]{1,160})|"
        r"(?P<what3>GlutenException: [^\n]{1,160}|VeloxRuntimeError|org\.apache\.auron[^\n]{1,120})",
        never=("TaskKilledException", "InterruptedException"),
        means="an operator of Gluten, Velox, Comet or Auron met what it cannot do, or a fault of its own; Spark's own "
        "operators might do it",
        step="run the query once without the engine (its plug-in off); then its version, or that operator switched off",
        decide="whether the same query works without the engine's plug-in; the operator and reason in the quoted line",
        like=(("user-error", "the innermost frames are the engine's, below the job's own code"),),
        general=True,
        confidence="medium",
    ),
    FailureKind(
        code="remote-shuffle-no-servers",
        class_="I05",
        owner="platform",
        title="Uniffle has no shuffle servers for this job",
        words=("There isn't enough shuffle servers", "isn't enough shuffle servers"),
        means="its coordinator knows no healthy server with the tags that the job asks for",
        step="the coordinator's list: servers that are lost, unhealthy (disk, memory) or excluded; the "
        "tags of job and servers",
        decide="requiredTags in the coordinator's log of the request, against the tags of servers that are alive",
        like=(("I14", "executors run: what is missing is a place for shuffle data"),),
    ),
    FailureKind(
        code="remote-shuffle-failed",
        class_="I05",
        owner="platform",
        title="shuffle data did not get to Uniffle's servers or back: {what}",
        words=("can't be sent to shuffle server", "Send failed: Task[", "Blocks read inconsistent"),
        pattern=r"(?P<what>[^\n]{0,60}(?:be sent to shuffle server|Send failed|read inconsistent)[^\n]{0,80})",
        means="servers are gone, full, or take data too slowly for what is written",
        step="the shuffle servers' health, memory and disk at that time; run again when they are stable",
        decide="logs of the servers that hold this shuffle, and restarts of their pods",
        like=(("I05 by executors", "the data lay with Uniffle, no executor's death explains it"),),
    ),
    FailureKind(
        code="plugin-not-serializable",
        owner="platform or owner of the job",
        title="a plug-in's own object cannot be sent to executors: {what}",
        words=("NotSerializableException: ",),
        pattern=r"NotSerializableException: (?P<what>(?:com\.nvidia\.spark|ai\.rapids|org\.apache\.spark\.sql\.rapids|"
        r"org\.apache\.gluten|io\.glutenproject|org\.apache\.comet|org\.apache\.spark\.sql\.comet|"
        r"org\.apache\.uniffle|org\.apache\.celeborn)\.[\w.$]{1,160})",
        means="the class belongs to an engine that is put into Spark, which planned a task that holds it: the job's "
        "functions do not name it",
        step="run the query once without the plug-in; then its version, or the operator that it planned switched off",
        decide="whether the same query works without the plug-in; the fields that `Serialization stack` names",
        like=(("task-not-serializable", "what cannot be sent is the plug-in's, not an object of the job's functions"),),
        confidence="medium",
    ),
    FailureKind(
        code="executor-not-created",
        owner="owner of the job",
        title="executors reach the driver and end as they are set up: {what}",
        words=("Unable to create executor due to",),
        pattern=r"Unable to create executor due to:? ?(?P<what>[^\n]{2,160})",
        never=("external shuffle server",),
        means="what follows `due to` was thrown while the executor was made: a plug-in, serializer or shuffle manager "
        "whose class is not in the executors' image, or that refuses to start there",
        step="where it is only the name of a class: put its jar into the image of the executors (spark.plugins and "
        "spark.shuffle.manager are needed before jars are fetched); else read an executor's own log",
        decide="the exception in an executor's own log",
        like=(("I14", "the executors ran and registered: they were scheduled"),),
        ends=True,
    ),
    FailureKind(
        code="broadcast-too-large",
        owner="owner of the job",
        title="a table is too large to be broadcast: {what}",
        words=("Size of broadcasted table far exceeds estimates", "Cannot broadcast the table over"),
        pattern=r"(?P<what>Size of broadcasted table far exceeds estimates[^\n.]{0,100}|"
        r"Cannot broadcast the table over[^\n]{0,100})",
        means="the plan took a side of a join for small, by a hint or by wrong statistics, and it is not",
        step="spark.sql.autoBroadcastJoinThreshold=-1 for this query or no broadcast hint; statistics of the table",
        decide="size of that side in the plan against what was read",
        like=(
            ("I02", "no heap is full: a limit was met before"),
            ("broadcast-timeout", "it was given up for its size, not for its time"),
        ),
    ),
    FailureKind(
        code="gateway-gave-up",
        owner="platform or owner of the job",
        title="a gateway waited in vain for its Spark engine: {what}",
        words=(
            "kyuubi.session.engine.initialize.timeout",
            "unexpectedly reached final status",
            "launch timeout due to: Waited too long",
        ),
        pattern=r"(?P<what>Timeout\(\d+ ms|[Ss]ession \d+ unexpectedly reached final status[^\n]{0,40}|"
        r"launch timeout due to: Waited too long[^\n]{0,60})",
        means="Kyuubi, Livy or a notebook gateway started an application, and it did not answer in time or ended; why "
        "is with that application",
        step="the driver pod and log of the engine that it started; only then a longer timeout",
        decide="state, events and log of that application's driver at the time",
        like=(("user-error", "no statement had been run yet"),),
        confidence="medium",
    ),
    FailureKind(
        code="address-malformed",
        owner="owner of the job",
        title="an address is written wrongly: {what} is asked for as the name of a host",
        words=("UnknownHostException: ",),
        pattern=r"UnknownHostException: \W{0,2}(?P<what>(?:\d{1,3}\.){4}\d{2,5}|https?|k8s|null|\$\{?[\w.]+\}?)"
        r"(?=[\s:,)\]]|$)",
        means="a dot for the colon before a port, a scheme twice, or a variable that nobody filled in: what is left is "
        "no name of a host",
        step="correct the address in spark.master, the endpoint or the variable that it comes from",
        decide="the setting that holds what the line quotes",
        like=(("cluster-dns-down", "the resolver answered: there can be no such name"),),
    ),
    FailureKind(
        code="driver-pod-not-found",
        owner="owner of the job",
        title="the driver looks for its own pod under a name that no pod has: {what}",
        words=("this was supposed to be the driver pod",),
        pattern=r"No pod was found named (?P<what>\S{1,120})",
        means="spark.kubernetes.driver.pod.name or the namespace is not that of the pod in which the driver runs",
        step="set both to the pod's own (downward API: metadata.name, metadata.namespace), or leave them out in client "
        "mode",
        decide="name and namespace of the pod against spark.kubernetes.driver.pod.name and spark.kubernetes.namespace",
        like=(("I16", "the answer was that there is no such pod, not that it may not be read"),),
    ),
    FailureKind(
        code="pod-template-unreadable",
        owner="owner of the job",
        title="the pod template could not be loaded",
        words=("Could not load pod from template file",),
        means="the file is not where Spark runs that builds the pod (submission, driver for executors), or is no pod",
        step="the path in spark.kubernetes.*.podTemplateFile, from where it is read; the file as a pod",
        decide="the exception below it: a file that is not there, rights, or a field that is no pod's",
        like=(("user-error", "no code of the job had run"),),
    ),
    FailureKind(
        code="catalog-login-refused",
        class_="I22",
        owner="platform or owner of the job",
        title="the catalog refuses the login: {what}",
        words=("iceberg.exceptions.NotAuthorizedException", "Malformed request: invalid_client"),
        pattern=r"(?P<what>NotAuthorizedException: [^\n]{1,140}|Malformed request: invalid_client[^\n]{0,100})",
        means="the REST catalog does not know the token or credential that the job sent, or its time is over",
        step="the credential, token and scope in spark.sql.catalog.*, and who renews it",
        decide="the catalog's own log of the request; how long after the start the first refusal came",
        like=(
            ("catalog-forbids", "the catalog does not know who asks: no grant is missing yet"),
            ("object-store-denied", "the files were never asked for"),
        ),
    ),
)
