"""The shape of a SparkApplication of the kubeflow operator 2.4, as far as the API server checks and prunes it."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


POD_PART = words(
    "cores coreLimit memory memoryLimit memoryOverhead gpu image configMaps secrets env envVars envFrom "
    "envSecretKeyRefs labels annotations volumeMounts affinity tolerations podSecurityContext securityContext "
    "schedulerName sidecars initContainers hostNetwork nodeSelector dnsConfig terminationGracePeriodSeconds "
    "serviceAccount hostAliases shareProcessNamespace template coreRequest javaOptions lifecycle ports "
    "priorityClassName"
)
DRIVER = POD_PART | words("podName kubernetesMaster serviceAnnotations serviceLabels")
EXECUTOR = POD_PART | words("instances deleteOnTermination")
SPEC = words(
    "type sparkVersion mode proxyUser image imagePullPolicy imagePullSecrets mainClass mainApplicationFile arguments "
    "sparkConf hadoopConf sparkConfigMap hadoopConfigMap volumes driver executor deps restartPolicy nodeSelector "
    "failureRetries retryInterval pythonVersion memoryOverheadFactor monitoring batchScheduler timeToLiveSeconds "
    "batchSchedulerOptions sparkUIOptions driverIngressOptions dynamicAllocation suspend"
)
SCHEDULED = words(
    "schedule timeZone template suspend concurrencyPolicy successfulRunHistoryLimit failedRunHistoryLimit"
)
REQUIRED = ("driver", "executor", "mainApplicationFile", "sparkVersion", "type")
TYPES = ("Java", "Python", "Scala", "R")
STRINGS = words("memory memoryLimit memoryOverhead coreLimit coreRequest image serviceAccount javaOptions")
INTEGERS = words("cores instances")
