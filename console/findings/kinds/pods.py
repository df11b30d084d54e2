"""What Kubernetes puts into and around pods: variables, claims, agents, security contexts, queues, addresses."""

from __future__ import annotations

from console.findings.kinds.model import FailureKind

KINDS = (
    FailureKind(
        code="claim-of-many-executors",
        class_="I09",
        owner="owner of the job",
        title="one volume claim is named for several executors: {what}",
        words=("should contain OnDemand or SPARK_EXECUTOR_ID", "must be OnDemand when multiple executors"),
        pattern=r"ClaimName: ?(?P<what>[^\s,]{1,120}) should contain|"
        r"(?P<what2>ClaimName of PVC must be OnDemand)",
        means="executors each need a claim of their own; a fixed name is taken for one executor only",
        step="claimName OnDemand (Spark makes one for each executor), or SPARK_EXECUTOR_ID within the name",
        decide="the claimName in spark.kubernetes.executor.volumes.*",
        like=(("volume-not-mounted", "no pod was made: Spark itself refuses the setting"),),
    ),
    FailureKind(
        code="service-variable-clash",
        owner="owner of the job",
        title="a variable that Kubernetes makes of a Service is read as a port: {what}",
        words=("For input string: ", "should be int, but was ", "invalid literal for int()"),
        pattern=r"(?:For input string: |but was |base 10: )\W{0,3}(?P<what>(?:tcp|udp|sctp)://[\w.\[\]:-]+:\d+)\W*(?:$|\n)",
        means="a Service in the namespace, named like the process (spark-master, spark-ui), injects NAME_PORT="
        "tcp://address:port, and the process reads its own setting of that name",
        step="another name for the Service, enableServiceLinks: false in the pod, or the variable set in the pod",
        decide="Services of the namespace whose name, in capitals with _PORT, is the variable",
        like=(("user code", "the text is an address that Kubernetes injects, not a value of the data"),),
    ),
    FailureKind(
        code="java-agent-failed",
        owner="owner of the job",
        title="a Java agent stops the JVM as it starts: {what}",
        words=("processing of -javaagent failed", "Exception in agent", "agent library failed Agent_OnLoad"),
        pattern=r"(?P<what>-javaagent|in agent|Agent_OnLoad[^\n]{0,80})",
        never=("Error opening zip file", "manifest missing"),
        means="the agent (metrics, tracing) could not read its configuration or its port is taken; no code of the "
        "job ran",
        step="mount what the agent reads (the ConfigMap of the metrics), or take -javaagent out of the options",
        decide="the exception above this line, and volumes of the pod against the path in it: the operator's webhook "
        "mounts them, where it is reached",
        ends=True,
        like=(("user-error", "the JVM ended before it called the main class"),),
    ),
    FailureKind(
        code="security-context-refused",
        class_="I17",
        owner="platform or owner of the job",
        title="no security context constraint lets the pod in: {why}",
        words=("unable to validate against any security context constraint",),
        pattern=r"any security context constraint(?:[^\n]*?(?P<why>[\w.\[\]]*(?:runAsUser|runAsGroup|fsGroup|"
        r"supplementalGroups|capabilities|privileged|seLinuxOptions|hostNetwork|hostPath|hostPorts?|volumes)"
        r"[\w.\[\]]*: "
        r"(?:Invalid value|Forbidden)[^\n,]{1,60}))?",
        means="OpenShift compares users, groups and volumes of the pod with the constraints that its service account "
        "may use",
        step="leave user and group ids to the namespace, or let the platform give the account a constraint that "
        "allows them",
        decide="the constraints that the message names, and which of them the account may use",
        like=(
            ("I16 by RBAC", "the account may make pods: this pod's ids, groups or volumes are what is refused"),
            ("quota", "no quota is named"),
        ),
    ),
    FailureKind(
        code="pod-network-failed",
        owner="platform",
        title="a pod gets no network: {why}",
        words=(
            "failed to setup network for sandbox",
            "failed to set up sandbox container",
            "networkPlugin cni failed",
            "NetworkPlugin cni failed",
            "failed to assign an IP address to container",
            "cni plugin not initialized",
            "error adding pod",
        ),
        pattern=r"(?:sandbox|cni)[^\n]*?(?P<why>[Ff]ailed to assign an IP address[^\n]{0,40}|"
        r"[Nn]o (?:more |free |available ){0,3}(?:IPs?|addresses)\b[^\n\"]{0,80}|[Ff]ailed to allocate[^\n\"]{0,80}|"
        r"range is full)|"
        r"(?P<why2>cni plugin not initialized|(?:for sandbox|cni failed|sandbox container|error adding pod)"
        r"[^\n]{0,160})|(?P<why3>failed to assign an IP address[^\n]{0,40})",
        means="the node's network plugin could not give the pod an address: the subnet or the node's pool has none "
        "left, or the plugin is not ready",
        step="free addresses of the subnet and of the node, state of the plugin's pod there; fewer pods per node",
        decide="whether pods of one node or of all fail, and the plugin's own log",
        like=(
            ("I14", "the scheduler gave it a node: it failed there"),
            ("image", "no image was pulled yet"),
        ),
        confidence="medium",
    ),
    FailureKind(
        code="queue-refused",
        class_="I14",
        owner="platform or owner of the job",
        title="the queue does not take it: {why}",
        words=(
            "without placement rules",
            "no placement rule matched",
            "ApplicationRejected",
            "rejected, ",
            "failed to find queue",
            "unable to find job queue",
            "queue with state `Open`",
            "status is `Closed`",
            "LocalQueue",
            "ClusterQueue",
        ),
        pattern=r"(?P<why>cannot create queue[^\n]{1,80}|[Aa]pplication '?[\w-]+'? rejected[^\n]{0,120}|"
        r"placement rule[^\n]{0,60}|"
        r"failed to find queue[^\n]{1,80}|unable to find job queue[^\n]{1,80}|"
        r"job to queue with state `Open`[^\n]{0,80}|"
        r"(?:Local|Cluster)Queue [\w./'\"-]+ (?:doesn't exist|does not exist|not found|is inactive|is stopped)\w*)",
        means="the queue that the pods name is not there, is closed, or may not be made by a name: they will not be "
        "tried again",
        step="name a queue that exists, or let the platform make it or its placement rules",
        decide="the queue in labels of the pods against the queues that the scheduler has",
        like=(("I14 for want of room", "the queue refuses the name: room was not looked at"),),
    ),
    FailureKind(
        code="submitted-twice",
        class_="I17",
        owner="platform",
        title="it was submitted a second time: {why}",
        words=(
            "driver pod already exist",
            '-driver" already exists',
            '-driver\\" already exists',
            "-driver already exists",
        ),
        pattern=r"(?P<why>driver pod already exist|[\w.-]+-driver\W{0,3} already exists)",
        means="an earlier submission made this driver pod already: a controller that restarted in between, or a pod "
        "that a former run left",
        step="look whether that driver runs: if so, let it end and do not submit again; if it is of a former run, its "
        "owner removes it",
        decide="creation time and state of the driver pod against the time of this submission",
        like=(("I16", "nothing is forbidden: the name is taken"),),
        confidence="medium",
        ends=True,
    ),
    FailureKind(
        code="watcher-saw-no-driver",
        owner="platform or owner of the job",
        title="whoever watches the job asked for a driver pod that was not there: {what}",
        words=("Reason: Not Found", "(404)"),
        pattern=r"(?s)\(404\).{0,800}pods \W{0,3}(?P<what>[\w.-]+-driver)\W{0,3} not found",
        means="the tool (such as Airflow) asked before the operator had made the driver, or after it was removed: its "
        "task failed, which says nothing of the job",
        step="read the application's own state; let the tool wait longer for the driver, or keep pods that ended",
        decide="start of the driver pod against the time of this line",
        like=(("user-error", "the error is of the tool, not of the job's code"),),
        ceiling="warning",
        confidence="medium",
    ),
)
