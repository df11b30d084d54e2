"""The pods that Spark on Kubernetes makes: driver and executors of an application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from console.drill.memory import MI, Sizing
from console.drill.objects import OPERATOR_LABELS, build, owner, spark_pod_spec
from console.drill.resources import PODS

if TYPE_CHECKING:
    from console.drill.controllers.spark import Run
    from console.drill.world import World

Object = dict[str, Any]
PENDING: Object = {"phase": "Pending", "qosClass": "Burstable"}


def label_of(name: str) -> str:
    """An application's name as Spark puts it into the label `spark-app-name`."""
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", name.lower())).strip("-")[:63]


def conf_of(spec: Object) -> dict[str, str]:
    """`sparkConf` as text."""
    return {key: str(value) for key, value in (spec.get("sparkConf") or {}).items()}


def driver_pod(world: World, app: Object, app_id: str, submission: str) -> tuple[Object, Sizing]:
    """The driver pod of a SparkApplication."""
    from console.drill.memory import sizing

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
    local = f"/var/data/spark-{world.ids.uid()}"
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
    volume = f"spark-drv-{world.ids.hex(16)}-conf-map"
    pod_spec = spark_pod_spec(
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
        ids=world.ids,
    )
    if spec.get("nodeSelector") or part.get("nodeSelector"):
        pod_spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **(part.get("nodeSelector") or {})}
    pod = build(
        PODS,
        name,
        world.heap.now,
        world.ids,
        namespace=meta["namespace"],
        labels=labels,
        owners=[owner(app, controller=True, block=True)],
        manager="fabric8-kubernetes-client",
        body={"spec": pod_spec, "status": PENDING},
    )
    world.late_volumes[pod["metadata"]["uid"]] = ("spark-conf-volume-driver", volume)
    return pod, size


def executor_pod(run: Run, number: int) -> Object:
    """An executor pod of a run."""
    world, spec, driver = run.world, run.spec, run.driver
    part = spec.get("executor") or {}
    name = f"{run.prefix}-exec-{number}"
    own = ("sparkoperator.k8s.io/", "spark.operator/")
    kept = {k: v for k, v in (driver["metadata"].get("labels") or {}).items() if k.startswith(own)}
    driven = driver["metadata"].get("labels") or {}
    labels = {
        **(part.get("labels") or {}),
        "spark-app-name": label_of(run.name),
        "spark-app-selector": run.app_id,
        "spark-exec-id": str(number),
        "spark-exec-resourceprofile-id": "0",
        "spark-role": "executor",
        "spark-version": driven.get("spark-version", str(spec.get("sparkVersion", "4.1.4"))),
        **kept,
    }
    given = {e["name"]: e.get("value", "") for e in driver["spec"]["containers"][0].get("env", ())}
    local = given.get("SPARK_LOCAL_DIRS") or f"/var/data/spark-{run.world.ids.uid()}"
    service = f"{driver['metadata']['name']}-svc.{driver['metadata']['namespace']}.svc"
    env: list[Object] = [
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
    pod_spec = spark_pod_spec(
        "executor",
        str(spec.get("image", "registry.local/spark:4.1.4")),
        run.size,
        cpu=str(part.get("coreRequest") or run.size.cores),
        args=["executor"],
        env=env,
        conf_volume=f"spark-exec-{run.prefix[-16:]}-conf-map",
        account=str(part.get("serviceAccount") or (spec.get("driver") or {}).get("serviceAccount", "spark")),
        local_dir=local,
        tmpfs=conf_of(spec).get("spark.kubernetes.local.dirs.tmpfs") == "true",
        ids=world.ids,
    )
    pod_spec["hostname"] = name[:63]
    if part.get("gpu"):
        resources = pod_spec["containers"][0]["resources"]
        asked = {str(part["gpu"]["name"]): str(part["gpu"]["quantity"])}
        resources |= {"limits": {**resources["limits"], **asked}, "requests": {**resources["requests"], **asked}}
    selector = {**(spec.get("nodeSelector") or {}), **(part.get("nodeSelector") or {})}
    if selector:
        pod_spec["nodeSelector"] = selector
    if part.get("tolerations"):
        pod_spec["tolerations"] = [*pod_spec["tolerations"], *part["tolerations"]]
    app_owner = [
        {k: v for k, v in ref.items() if k not in ("controller", "blockOwnerDeletion")}
        for ref in driver["metadata"].get("ownerReferences", ())
        if ref["kind"] == "SparkApplication"
    ]
    return build(
        PODS,
        name,
        world.heap.now,
        world.ids,
        namespace=driver["metadata"]["namespace"],
        labels=labels,
        owners=[*app_owner, owner(driver, controller=True)],
        manager="fabric8-kubernetes-client",
        body={"spec": pod_spec, "status": PENDING},
    )
