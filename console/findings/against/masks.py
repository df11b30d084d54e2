"""What differs in every run, and is no change: ids, times, addresses, names that are made at random, order."""

from __future__ import annotations

import re

_CONF = re.compile(
    r"spark\.(app\.(id|startTime|submitTime|attempt\.id|initial\.(jar|file|archive)\.urls)"
    r"|driver\.(host|port|bindAddress|blockManager\.port)|blockManager\.port|ui\.port|repl\.(class\.(uri|outputDir)|local\.jars)"
    r"|kubernetes\.(submitInDriver|driver\.pod\.name|executor\.podNamePrefix|resource\.type|authenticate\..*)"
    r"|kubernetes\.(driver|executor)\.label\.(sparkoperator\.k8s\.io/.*|spark-.*|version)"
    r"|kubernetes\.driverEnv\.SPARK_.*|submit\.deployMode|master|app\.name|yarn\..*|eventLog\.file.*|executor\.id"
    r"|sql\.(warehouse\.dir|streaming\.checkpointLocation\.deleted.*)|connect\.session.*"
    r"|kubernetes\.driver\.annotation\..*|kubernetes\.executor\.annotation\..*)"
)
_ENV = re.compile(
    r"SPARK_(DRIVER_URL|DRIVER_POD_IP|EXECUTOR_POD_IP|EXECUTOR_POD_NAME|EXECUTOR_ID|APPLICATION_ID|DRIVER_BIND_ADDRESS"
    r"|CONF_DIR|RESOURCE_PROFILE_ID|USER|LOCAL_DIRS|EXECUTOR_CORES|EXECUTOR_MEMORY|JAVA_OPT_\d+)|HADOOP_USER_NAME|AIRFLOW_CTX_.*"
)
_SPEC = re.compile(
    r"(suspend|sparkConf(\..*)?|restartPolicy\..*Interval|timeToLiveSeconds|monitoring\..*"
    r"|(driver|executor)\.(podName|labels\.(kueue\.x-k8s\.io|sparkoperator\.k8s\.io)/.*)|runTimeStamp)$"
)
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T _-]\d{2}[:.-]?\d{2}([:.-]?\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?|\b20\d{6}(T?\d{4,6})?\b"
)
_EPOCH = re.compile(r"\b1[6-9]\d{8}(\d{3})?\b")
_RANDOM = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\bspark-[0-9a-f]{32}\b|\b[0-9a-f]{16,64}\b"
)
_HASH = re.compile(r"-[0-9a-f]{8,16}(?=-|$)|-\d{10,19}(?=-|$)")
_ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\b|(?<=[\w.]):\d{4,5}\b")
_PLAN = re.compile(r"#\d+L?|\[plan_id=\d+\]|\[id=#?\d+\]|\(\d+\)|\*\(\d+\) ?")


def always_differs(family: str, key: str) -> bool:
    """Whether a key has another value in every run."""
    if family == "configuration":
        return _CONF.match(key) is not None
    if family == "environment":
        return _ENV.fullmatch(key.rpartition(" ")[2]) is not None
    return family == "spec" and _SPEC.match(key) is not None


def masked(value: str) -> str:
    """A value without what is made anew for each run."""
    for pattern, mark in (
        (_DATE, "<date>"),
        (_EPOCH, "<time>"),
        (_RANDOM, "<id>"),
        (_ADDRESS, "<address>"),
        (_HASH, "-<id>"),
    ):
        value = pattern.sub(mark, value)
    return value


def plan_word(name: str) -> str:
    """An operator of a plan without the numbers that Spark gives it."""
    return _PLAN.sub("", name).strip().split(" (")[0]


def digest(image_id: str) -> str:
    """`sha256:…` of an image, however a runtime writes it; `` where it says none."""
    found = re.search(r"sha256:[0-9a-f]{12,64}", image_id)
    return found[0] if found else ""
