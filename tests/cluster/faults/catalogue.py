"""The faults, by what must be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cluster.faults.around import lost_webhook, quota, unbound_claim
from tests.cluster.faults.model import Fault, Verdict
from tests.cluster.faults.seen import driver_log, event, executor_taken, pod_failed, state, unschedulable, waiting
from tests.cluster.node import SparkNode
from tests.cluster.spark import SparkApplication, submit_sparkapplication


def job(workload: str, **options: Any) -> Callable[[SparkNode, str], SparkApplication]:
    return lambda node, name: submit_sparkapplication(node, name, workload, **options)


_CLAIM = "spark.kubernetes.executor.volumes.persistentVolumeClaim.scratch"
_EMPTY = "spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-1"
_SMALL_VOLUME = {
    f"{_EMPTY}.mount.path": "/scratch",
    f"{_EMPTY}.options.sizeLimit": "10Mi",
    "spark.kubernetes.driverEnv.HOLD": "150",  # the kubelet looks once a minute
}
_IMPATIENT = {
    "spark.network.timeout": "30s",
    "spark.network.timeoutInterval": "5s",
    "spark.executor.heartbeatInterval": "4s",
}
_GPU = {
    "spark.executor.resource.gpu.amount": "1",
    "spark.executor.resource.gpu.vendor": "nvidia.com",
    "spark.executor.resource.gpu.discoveryScript": "/opt/gpus.sh",
    "spark.task.resource.gpu.amount": "1",
}
FAILED = state("FAILED", "FAILING", "SUBMISSION_FAILED")
LOST_DATA: Verdict = ("I05", "fetch-failed")
TOO_MANY: Verdict = (None, "max-executor-failures")

FAULTS = (
    Fault(
        "container-oom",
        "the kernel kills executors at their container's limit",
        (("I01", "executor-oom-container"),),
        job("executor_oom", overhead="200m"),
        event("OOMKilled"),
        also=(TOO_MANY, LOST_DATA),
    ),
    Fault(
        "heap-oom",
        "the heap of an executor's JVM is too small",
        (("I02", "executor-oom-heap"),),
        job("heap_oom"),
        event("ExitCode: 52"),
        also=(TOO_MANY, LOST_DATA),
    ),
    Fault(
        "driver-oom",
        "the kernel kills the driver at its container's limit",
        (("I04", "driver-oom-container"),),
        job("driver_oom"),
        pod_failed("OOMKilled"),
    ),
    Fault(
        "driver-heap-oom",
        "the heap of the driver's JVM is too small",
        (("I04", "driver-oom-heap"),),
        job("driver_heap_oom", conf={"spark.driver.maxResultSize": "0"}),
        driver_log("OutOfMemoryError"),
    ),
    Fault(
        "result-size",
        "more results than the driver takes",
        (("I04", "driver-result-size"),),
        job("result_size", conf={"spark.driver.maxResultSize": "1m"}),
        driver_log("is bigger than"),
    ),
    Fault(
        "deleted-executor",
        "somebody deletes an executor",
        ((None, "executor-deleted"),),
        job("deleted"),
        executor_taken("deleted"),
    ),
    Fault(
        "evicted-executor",
        "an executor is evicted through the API, as by a drain",
        (("I06", "executor-evicted"),),
        job("deleted"),
        executor_taken("evicted"),
    ),
    Fault(
        "killed-executor",
        "an executor gets SIGKILL while others read its shuffle data",
        ((None, "executor-killed"), LOST_DATA),
        job("killed"),
        driver_log("FetchFailed|Missing an output location"),
    ),
    Fault(
        "frozen-executor",
        "an executor is frozen and sends no heartbeat",
        (("I07", "executor-heartbeat"),),
        job("frozen", conf=_IMPATIENT),
        driver_log("no recent heartbeats|heartbeat timed out"),
        also=(LOST_DATA,),
    ),
    Fault(
        "local-storage",
        "an executor writes more than its local volume may hold",
        (("I08", "executor-evicted"),),
        job("executor_oom", conf=_SMALL_VOLUME),
        pod_failed("Evicted"),
        also=(LOST_DATA, TOO_MANY),
    ),
    Fault(
        "claim",
        "a claim of a storage class that does not exist",
        (("I09", "pvc-pending"),),
        job("healthy", conf={f"{_CLAIM}.mount.path": "/scratch", f"{_CLAIM}.options.claimName": "scratch"}),
        unschedulable,
        around=unbound_claim,
        also=(("I14", "unschedulable"),),
    ),
    Fault(
        "python-crash",
        "a Python worker crashes in native code",
        (("I12", "python-worker-crash"),),
        job("python_crash"),
        driver_log("crashed"),
    ),
    Fault(
        "module-missing",
        "a Python package is missing in the executors",
        (("I12", "python-module-missing"),),
        job("module_missing"),
        driver_log("ModuleNotFoundError"),
    ),
    Fault(
        "image",
        "the image does not exist",
        (("I13", "image-pull"),),
        job("healthy", spec={"image": "parts.local/spark:none"}),
        waiting("ErrImage|ImagePull"),
    ),
    Fault(
        "unschedulable",
        "executors that are larger than the node",
        (("I14", "unschedulable"),),
        job("healthy", memory="60g"),
        unschedulable,
    ),
    Fault(
        "gpu",
        "executors that want a GPU where no node has one",
        (("I15", "unschedulable-gpu"),),
        job("healthy", conf=_GPU),
        unschedulable,
        also=(("I29", "gpu-no-rapids"),),
    ),
    Fault(
        "quota",
        "a quota that has room for the driver only",
        (("I16", "quota-exceeded"),),
        job("healthy"),
        driver_log("exceeded quota"),
        around=quota(limits_memory="1Gi"),
    ),
    Fault(
        "quota-driver",
        "a quota that has no room for the driver",
        (("I16", "quota-exceeded"),),
        job("healthy"),
        FAILED,
        around=quota(limits_memory="500Mi"),
    ),
    Fault(
        "rbac",
        "a service account that may not make pods",
        (("I16", "rbac-denied"),),
        job("healthy", spec={"driver": {"serviceAccount": "default"}}),
        driver_log("is forbidden"),
    ),
    Fault(
        "webhook",
        "an admission webhook that nobody serves",
        (("I17", "submission-failed"),),
        job("healthy"),
        FAILED,
        around=lost_webhook,
    ),
    Fault(
        "bad-option",
        "executors whose JVM does not start: an agent is missing",
        ((None, "executor-start-failed"),),
        job("healthy", conf={"spark.executor.extraJavaOptions": "-javaagent:/opt/agent.jar"}),
        event("SparkExecutorFailed .*ExitCode: 1,"),
        also=(TOO_MANY,),
    ),
    Fault(
        "user-error",
        "the application's own code divides by zero",
        ((None, "user-error"),),
        job("pyfail"),
        driver_log("ZeroDivisionError"),
    ),
    Fault("healthy", "nothing", (), job("healthy"), state("COMPLETED")),
)
