"""The pods that Spark on Kubernetes makes: driver and executors of an application."""

from __future__ import annotations

import re
from typing import Any

from console.drill.spark.memory import MI, Sizing, sizing
from console.drill.spark.progress import SparkRun
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import Ids
from console.drill.state.objects import build, owner
from console.drill.state.resources import PODS

Object = dict[str, Any]
TOLERATIONS = [
    {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
    {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300},
]
OPERATOR_LABELS = {
    "sparkoperator.k8s.io/launched-by-spark-operator": "true",
    "sparkoperator.k8s.io/mutated-by-spark-operator": "true",
}
PENDING: Object = {"phase": "Pending", "qosClass": "Burstable"}


def label_of(name: str) -> str:
    """An application's name as Spark puts it into the label `spark-app-name`."""
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", name.lower())).strip("-")[:63]


def conf_of(spec: Object) -> dict[str, str]:
    """`sparkConf` as text."""
    return {key: str(value) for key, value in (spec.get("sparkConf") or {}).items()}


def quantity(count: int) -> str:
    """Bytes as Spark writes them into a pod: whole MiB."""
    return f"{count // MI}Mi" if count % MI == 0 else str(count)


def spec_of(
    role: str,
    image: str,
    size: Sizing,
    *,
    cpu: str,
    args: list[str],
    env: list[Object],
    conf_volume: str,
    account: str,
    local_dir: str,
    tmpfs: bool,
    ids: Ids,
) -> Object:
    """`spec` of a driver or executor pod."""
    memory, most = quantity(size.request), quantity(size.limit)
    ports = [("driver-rpc-port", 7078), ("blockmanager", 7079), ("spark-ui", 4040), ("spark-connect", 15002)]
    token = f"kube-api-access-{ids.suffix()}"
    config = f"spark-conf-volume-{'driver' if role == 'driver' else 'exec'}"
    empty: Object = {"medium": "Memory"} if tmpfs else {}
    return {
        "containers": [
            {
                "args": args,
                "env": env,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "name": f"spark-kubernetes-{role}",
                "ports": [
                    {"containerPort": port, "name": name, "protocol": "TCP"}
                    for name, port in (ports if role == "driver" else ports[1:2])
                ],
                "resources": {"limits": {"memory": most}, "requests": {"cpu": cpu, "memory": memory}},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "volumeMounts": [
                    {"mountPath": local_dir, "name": "spark-local-dir-1"},
                    {"mountPath": "/opt/spark/conf", "name": config},
                    {
                        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                        "name": token,
                        "readOnly": True,
                    },
                ],
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Never",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": account,
        "serviceAccountName": account,
        "terminationGracePeriodSeconds": 30,
        "tolerations": TOLERATIONS,
        "volumes": [
            {"emptyDir": empty, "name": "spark-local-dir-1"},
            {"configMap": {"defaultMode": 420, "name": conf_volume}, "name": config},
            {
                "name": token,
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {
                            "configMap": {
                                "items": [{"key": "ca.crt", "path": "ca.crt"}],
                                "name": "kube-root-ca.crt",
                            }
                        },
                    ],
                },
            },
        ],
    }


def driver_pod(cluster: ClusterState, app: Object, app_id: str, submission: str) -> tuple[Object, Sizing]:
    """The driver pod of a SparkApplication."""
    spec, meta = app["spec"], app["metadata"]
    size = sizing(spec, "driver")
    part = spec.get("driver") or {}
    name = f"{meta['name']}-driver"
    labels = {
        **(part.get("labels") or {}),
        "spark-app-name": label_of(meta["name"]),
        "spark-app-selector": app_id,
        "spark-role": "driver",
        "spark-version": str(spec.get("sparkVersion", "4.1.4")),
        "sparkoperator.k8s.io/app-name": meta["name"],
        **OPERATOR_LABELS,
        "sparkoperator.k8s.io/submission-id": submission,
    }
    scheduled = (meta.get("labels") or {}).get("sparkoperator.k8s.io/scheduled-app-name")
    if scheduled:
        labels["sparkoperator.k8s.io/scheduled-app-name"] = scheduled
    local = f"/var/data/spark-{cluster.ids.uid()}"
    runner = {"Python": "PythonRunner", "R": "RRunner"}.get(str(spec.get("type")))
    entry = f"org.apache.spark.deploy.{runner}" if runner else str(spec.get("mainClass", "Main"))
    env: list[Object] = [
        {"name": "SPARK_USER", "value": "root"},
        {"name": "SPARK_APPLICATION_ID", "value": app_id},
        {
            "name": "SPARK_DRIVER_BIND_ADDRESS",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
        },
        {"name": "SPARK_LOCAL_DIRS", "value": local},
        {"name": "SPARK_CONF_DIR", "value": "/opt/spark/conf"},
    ]
    volume = f"spark-drv-{cluster.ids.hex(16)}-conf-map"
    pod_spec = spec_of(
        "driver",
        str(spec.get("image", "registry.local/spark:4.1.4")),
        size,
        cpu=str(part.get("coreRequest") or part.get("cores") or 1),
        args=[
            "driver",
            "--properties-file",
            "/opt/spark/conf/spark.properties",
            "--class",
            entry,
            str(spec.get("mainApplicationFile", "")),
            *[str(a) for a in spec.get("arguments") or ()],
        ],
        env=env,
        conf_volume=volume,
        account=str(part.get("serviceAccount", "spark")),
        local_dir=local,
        tmpfs=conf_of(spec).get("spark.kubernetes.local.dirs.tmpfs") == "true",
        ids=cluster.ids,
    )
    _mount(pod_spec, spec, part, "driver")
    if spec.get("nodeSelector") or part.get("nodeSelector"):
        pod_spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **(part.get("nodeSelector") or {})}
    pod = build(
        PODS,
        name,
        cluster.heap.now,
        cluster.ids,
        namespace=meta["namespace"],
        labels=labels,
        owners=[owner(app, controller=True, block=True)],
        manager="fabric8-kubernetes-client",
        body={"spec": pod_spec, "status": PENDING},
    )
    cluster.late_volumes[pod["metadata"]["uid"]] = ("spark-conf-volume-driver", volume)
    return pod, size


def executor_pod(cluster: ClusterState, run: SparkRun, number: int) -> Object:
    """An executor pod of a run."""
    spec, driver = run.spec, run.driver
    part = spec.get("executor") or {}
    name = f"{run.prefix}-exec-{number}"
    given = {e["name"]: e.get("value", "") for e in driver["spec"]["containers"][0].get("env", ())}
    local = given.get("SPARK_LOCAL_DIRS") or f"/var/data/spark-{cluster.ids.uid()}"
    pod_spec = spec_of(
        "executor",
        str(spec.get("image", "registry.local/spark:4.1.4")),
        run.size,
        cpu=str(part.get("coreRequest") or run.size.cores),
        args=["executor"],
        env=_executor_env(run, number, local),
        conf_volume=f"spark-exec-{run.prefix[-16:]}-conf-map",
        account=str(part.get("serviceAccount") or (spec.get("driver") or {}).get("serviceAccount", "spark")),
        local_dir=local,
        tmpfs=conf_of(spec).get("spark.kubernetes.local.dirs.tmpfs") == "true",
        ids=cluster.ids,
    )
    pod_spec["hostname"] = name[:63]
    _place(pod_spec, spec, part)
    _mount(pod_spec, spec, part, "executor")
    return build(
        PODS,
        name,
        cluster.heap.now,
        cluster.ids,
        namespace=driver["metadata"]["namespace"],
        labels=_executor_labels(run, number),
        owners=_executor_owners(driver),
        manager="fabric8-kubernetes-client",
        body={"spec": pod_spec, "status": PENDING},
    )


def _executor_labels(run: SparkRun, number: int) -> dict[str, str]:
    """Spark's own labels, and those of operators that the driver's pod has."""
    driven: dict[str, str] = run.driver["metadata"].get("labels") or {}
    own = ("sparkoperator.k8s.io/", "spark.operator/")
    return {
        **((run.spec.get("executor") or {}).get("labels") or {}),
        "spark-app-name": label_of(run.name),
        "spark-app-selector": run.app_id,
        "spark-exec-id": str(number),
        "spark-exec-resourceprofile-id": "0",
        "spark-role": "executor",
        "spark-version": driven.get("spark-version", str(run.spec.get("sparkVersion", "4.1.4"))),
        **{k: v for k, v in driven.items() if k.startswith(own)},
    }


def _executor_env(run: SparkRun, number: int, local: str) -> list[Object]:
    meta = run.driver["metadata"]
    service = f"{meta['name']}-svc.{meta['namespace']}.svc"
    return [
        {"name": "SPARK_USER", "value": "root"},
        {"name": "SPARK_DRIVER_URL", "value": f"spark://CoarseGrainedScheduler@{service}:7078"},
        {"name": "SPARK_EXECUTOR_CORES", "value": str(run.size.cores)},
        {"name": "SPARK_EXECUTOR_MEMORY", "value": f"{run.size.heap // MI}m"},
        {"name": "SPARK_APPLICATION_ID", "value": run.app_id},
        {"name": "SPARK_CONF_DIR", "value": "/opt/spark/conf"},
        {"name": "SPARK_EXECUTOR_ID", "value": str(number)},
        {"name": "SPARK_RESOURCE_PROFILE_ID", "value": "0"},
        {"name": "SPARK_DRIVER_POD_IP", "value": run.driver_ip},
        {"name": "SPARK_JAVA_OPT_0", "value": "-Djava.net.preferIPv6Addresses=false"},
        {"name": "SPARK_JAVA_OPT_1", "value": "-Dspark.driver.port=7078"},
        {
            "name": "SPARK_EXECUTOR_POD_IP",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
        },
        {
            "name": "SPARK_EXECUTOR_POD_NAME",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
        },
        {"name": "SPARK_LOCAL_DIRS", "value": local},
    ]


_CLAIM = re.compile(r"spark\.kubernetes\.(driver|executor)\.volumes\.persistentVolumeClaim\.([^.]+)\.(.+)")


def _mount(pod_spec: Object, spec: Object, part: Object, role: str) -> None:
    """Volumes that the application names, claims that its configuration names, and the secrets that pull its image."""
    declared = {volume["name"]: volume for volume in spec.get("volumes") or ()}
    volumes = [declared[m["name"]] for m in part.get("volumeMounts") or () if m.get("name") in declared]
    mounts = [dict(m) for m in part.get("volumeMounts") or () if m.get("name") in declared]
    claims: dict[str, dict[str, str]] = {}
    for key, value in conf_of(spec).items():
        found = _CLAIM.fullmatch(key)
        if found is not None and found[1] == role:
            claims.setdefault(found[2], {})[found[3]] = value
    for name, told in claims.items():
        if told.get("options.claimName"):
            volumes.append({"name": name, "persistentVolumeClaim": {"claimName": told["options.claimName"]}})
            mounts.append({"name": name, "mountPath": told.get("mount.path", f"/{name}")})
    if volumes:
        container = pod_spec["containers"][0]
        container["volumeMounts"] = [*container["volumeMounts"], *mounts]
        pod_spec["volumes"] = [*pod_spec["volumes"], *volumes]
    secrets = spec.get("imagePullSecrets")
    if secrets:
        pod_spec["imagePullSecrets"] = [{"name": str(name)} for name in secrets]


def _place(pod_spec: Object, spec: Object, part: Object) -> None:
    """Say in an executor's pod where it may run: GPUs that it asks for, node selectors, tolerations."""
    if part.get("gpu"):
        resources = pod_spec["containers"][0]["resources"]
        asked = {str(part["gpu"]["name"]): str(part["gpu"]["quantity"])}
        resources |= {"limits": {**resources["limits"], **asked}, "requests": {**resources["requests"], **asked}}
    selector = {**(spec.get("nodeSelector") or {}), **(part.get("nodeSelector") or {})}
    if selector:
        pod_spec["nodeSelector"] = selector
    if part.get("tolerations"):
        pod_spec["tolerations"] = [*pod_spec["tolerations"], *part["tolerations"]]


def _executor_owners(driver: Object) -> list[Object]:
    """The SparkApplication where there is one, and the driver's pod, which controls it."""
    app = [
        {k: v for k, v in ref.items() if k not in ("controller", "blockOwnerDeletion")}
        for ref in driver["metadata"].get("ownerReferences", ())
        if ref["kind"] == "SparkApplication"
    ]
    return [*app, owner(driver, controller=True)]
