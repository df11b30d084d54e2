"""Lower the cores of each executor of a SparkApplication and raise their number, so that the task slots stay.

Reads KUBECONFIG, which leads to Console's guarded proxy: that stamps the object, and makes a dry run one. The last line
is a JSON object with the old and the new values.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
from typing import Any, NoReturn

GROUP, VERSION, PLURAL = "sparkoperator.k8s.io", "v1beta2", "sparkapplications"


def stop(message: str) -> NoReturn:
    sys.exit(f"lower-executor-cores: {message}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--app", required=True)
    parser.add_argument("--divide-by", required=True, type=int)
    parser.add_argument("--keep-slots", choices=["true", "false"], default="true")
    given = parser.parse_args()
    if given.app.count("/") != 1:
        stop(f"{given.app!r} is no namespace/name")
    if given.divide_by < 2:
        stop("dividing by less than 2 lowers nothing")
    return given


def plan(spec: dict[str, Any], divide_by: int, *, keep_slots: bool) -> list[dict[str, Any]]:
    """The JSON patch of the spec; each field is tested before it is replaced."""
    executor = spec.get("executor") or {}
    present = executor.get("cores")
    if not isinstance(present, int):
        stop("spec.executor.cores is not set, so the present number is not known here")
    if present < 2:
        stop("the executors have one core already; there is nothing to lower")
    cores = max(1, present // divide_by)
    operations = [
        {"op": "test", "path": "/spec/executor/cores", "value": present},
        {"op": "replace", "path": "/spec/executor/cores", "value": cores},
    ]
    dynamic = (spec.get("dynamicAllocation") or {}).get("enabled") is True
    instances = executor.get("instances")
    if keep_slots and not dynamic and isinstance(instances, int):
        operations += [
            {"op": "test", "path": "/spec/executor/instances", "value": instances},
            {"op": "replace", "path": "/spec/executor/instances", "value": math.ceil(instances * present / cores)},
        ]
    return operations


def main() -> None:
    given = arguments()
    from kubernetes import client, config

    config.load_kube_config(config_file=os.environ.get("KUBECONFIG"))
    api = client.CustomObjectsApi()
    namespace, name = given.app.split("/")
    place = {"group": GROUP, "version": VERSION, "namespace": namespace, "plural": PLURAL, "name": name}
    dry_run = os.environ.get("CONSOLE_DRY_RUN") == "1"
    try:
        found = api.get_namespaced_custom_object(**place)
        operations = plan(found["spec"], given.divide_by, keep_slots=given.keep_slots == "true")
        more = {"_content_type": "application/json-patch+json", **({"dry_run": "All"} if dry_run else {})}
        api.patch_namespaced_custom_object(**place, body=operations, **more)
    except client.ApiException as error:
        detail = error.reason
        with contextlib.suppress(TypeError, ValueError, KeyError):
            detail = json.loads(error.body)["message"]
        stop(f"the API server said {error.status}: {detail}")
    tested = {o["path"]: o["value"] for o in operations if o["op"] == "test"}
    replaced = {o["path"]: o["value"] for o in operations if o["op"] == "replace"}
    for path, value in replaced.items():
        sys.stdout.write(f"- {path}: {tested[path]}\n+ {path}: {value}\n")
    sys.stdout.write(json.dumps({"dryRun": dry_run, "before": tested, "after": replaced}) + "\n")


if __name__ == "__main__":
    main()
