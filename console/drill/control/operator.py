"""The kubeflow Spark operator, as v2.4 behaves: submits, follows pods, retries, and restarts what was edited.

It acts while a pod of its Deployment leads. What happened meanwhile it sees when it starts: new applications and
drivers that ended, but no edit, because that shows only to who saw the object before.
"""

from __future__ import annotations

from typing import Any

from console.drill.control.leader import ControllerProcess
from console.drill.spark.pods import driver_pod
from console.drill.spark.runs import Spark
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import StatusError, managed
from console.drill.state.pods import terminated
from console.drill.state.resources import PODS, SPARKAPPS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
COMPONENT = "spark-application-controller"
LABELS = {"app.kubernetes.io/name": "spark-operator", "app.kubernetes.io/component": "controller"}
LEASE = ("spark-operator", "spark-operator-controller-lock")
APP = "sparkoperator.k8s.io/app-name"
PHASES = {"Pending": "PENDING", "Running": "RUNNING", "Succeeded": "COMPLETED", "Failed": "FAILED"}
EXEMPT = ("suspend", "timeToLiveSeconds")
RESUBMIT_SECONDS = 20.5
"""From the edit of a running application to its new submission: the old driver has to go first."""


def state_of(app: Object) -> str:
    """`status.applicationState.state`, empty while new."""
    return str(app.get("status", {}).get("applicationState", {}).get("state", ""))


class SparkOperator:
    """One controller for all SparkApplications of the group sparkoperator.k8s.io."""

    def __init__(self, cluster: ClusterState, spark: Spark) -> None:
        self.cluster, self.spark = cluster, spark
        self.process = ControllerProcess(cluster, LABELS, LEASE)
        self.process.on_start(self._resync)
        cluster.store.listen(SPARKAPPS, self._app_changed)
        cluster.store.listen(PODS, self._pod_changed)

    def _get(self, meta: Object) -> Object | None:
        app = self.cluster.store.get(SPARKAPPS, meta["namespace"], meta["name"])
        return app if app and app["metadata"]["uid"] == meta["uid"] else None

    def _status(self, app: Object, **changed: Any) -> Object:
        """Write the status; fields set to None are removed, but for the two times, which stay as null."""
        status = {**app.get("status", {}), **changed}
        keep_null = ("terminationTime", "lastSubmissionAttemptTime")
        status = {k: v for k, v in status.items() if v is not None or k in keep_null}
        entries = [e for e in app["metadata"].get("managedFields", ()) if e.get("subresource") != "status"]
        entries.append(managed("spark-operator", self.cluster.heap.now, app["apiVersion"], {"status": {}}, "status"))
        meta = {**app["metadata"], "managedFields": entries}
        return self.cluster.store.update(SPARKAPPS, {**app, "metadata": meta, "status": status})

    def _event(self, app: Object, kind: str, reason: str, text: str) -> None:
        self.cluster.recorder.record(app, kind, reason, text, COMPONENT)

    # -- its own beginning ----------------------------------------------------------------------------------------

    def _resync(self) -> None:
        """A new leader looks at every application there is."""
        for app in self.cluster.store.all(SPARKAPPS):
            meta = app["metadata"]
            if self.process.watches(meta["namespace"]):
                self.process.after(self.cluster.ids.jitter(0.5, 3.0), lambda meta=meta: self._look(meta))  # type: ignore[misc]

    def _look(self, meta: Object) -> None:
        """Go on with an application from where its status says that it is."""
        app = self._get(meta)
        if app is None:
            return
        match state_of(app):
            case "":
                self.cluster.operator_metrics.added(self.cluster.heap.now)
                self._submit(meta)
            case "PENDING_RERUN" | "RESUMING":
                self._submit(meta)
            case "INVALIDATING":
                self._pending_rerun(meta, fresh=True)
            case "SUSPENDING":
                self._move(meta, "SUSPENDING", "SUSPENDED")
            case "SUCCEEDING":
                self._completed(meta)
            case "FAILING":
                self._after_failure(app)
            case "SUBMISSION_FAILED":
                self._after_refusal(app)
            case "SUBMITTED" | "RUNNING":
                self._follow(app)
            case "COMPLETED" | "FAILED":
                self._expire(app)

    def _follow(self, app: Object) -> None:
        meta = app["metadata"]
        driver = self.cluster.store.get(PODS, meta["namespace"], f"{meta['name']}-driver")
        for pod in self.cluster.store.all(PODS, meta["namespace"]):
            labels = pod["metadata"].get("labels") or {}
            if labels.get(APP) == meta["name"] and labels.get("spark-role") == "executor":
                self._executor(pod, str(pod["status"].get("phase")))
        app = self._get(meta) or app
        if driver is None:
            self._failing(app, "driver pod not found")
        else:
            self._driver(driver, False)

    # -- the application ------------------------------------------------------------------------------------------

    def _app_changed(self, change: ObjectChange) -> None:
        app, old = change.object, change.previous
        meta = app["metadata"]
        if not self.process.watches(meta["namespace"]):
            return
        if change.type == "ADDED" and not state_of(app):
            self.cluster.operator_metrics.added(self.cluster.heap.now)
            self.process.after(self.cluster.ids.jitter(2.8, 3.4), lambda: self._submit(meta))
        elif change.type == "MODIFIED" and old and _edited(old, app):
            self.process.after(0.02, lambda: self._invalidate(meta))
        elif change.type == "MODIFIED" and old and bool(old["spec"].get("suspend")) != bool(app["spec"].get("suspend")):
            self.process.after(0.02, lambda: self._suspend(meta))

    def _invalidate(self, meta: Object) -> None:
        app = self._get(meta)
        if app is None:
            return
        if state_of(app) == "RUNNING":
            self.cluster.operator_metrics.stopped(self.cluster.heap.now)
        app = self._status(app, applicationState={"state": "INVALIDATING"})
        self.process.after(0.3, lambda: self._pending_rerun(meta, fresh=True))

    def _suspend(self, meta: Object) -> None:
        """Suspending takes the driver down; resuming submits anew."""
        app = self._get(meta)
        if app is None:
            return
        state = state_of(app)
        if app["spec"].get("suspend") and state in ("SUBMITTED", "RUNNING", "PENDING_RERUN"):
            if state == "RUNNING":
                self.cluster.operator_metrics.stopped(self.cluster.heap.now)
            self._status(app, applicationState={"state": "SUSPENDING"})
            driver = self.cluster.store.get(PODS, meta["namespace"], f"{meta['name']}-driver")
            if driver is not None:
                self.cluster.delete_pod(driver["metadata"])
            self.process.after(3.0, lambda: self._move(meta, "SUSPENDING", "SUSPENDED"))
        elif not app["spec"].get("suspend") and state == "SUSPENDED":
            self._status(app, applicationState={"state": "RESUMING"}, executionAttempts=None, executorState=None)
            self.process.after(3.0, lambda: self._submit(meta))

    def _move(self, meta: Object, old: str, new: str) -> None:
        app = self._get(meta)
        if app is not None and state_of(app) == old:
            self._status(app, applicationState={"state": new})

    def _pending_rerun(self, meta: Object, *, fresh: bool) -> None:
        app = self._get(meta)
        if app is None:
            return
        cleared: Object = {"executorState": None, "sparkApplicationId": None, "submissionAttempts": None}
        if fresh:
            cleared |= {"executionAttempts": None, "lastSubmissionAttemptTime": None, "terminationTime": None}
        app = self._status(app, applicationState={"state": "PENDING_RERUN"}, **cleared)
        self._event(app, "Warning", "SparkApplicationPendingRerun", f"SparkApplication {meta['name']} is pending rerun")
        driver = self.cluster.store.get(PODS, meta["namespace"], f"{meta['name']}-driver")
        alive = driver is not None and not terminated(driver)
        if driver is not None:
            self.cluster.delete_pod(driver["metadata"])
        wait = RESUBMIT_SECONDS if alive else self.cluster.ids.jitter(3.0, 4.0)
        self.process.after(wait, lambda: self._submit(meta))

    def resubmit(self, meta: Object) -> None:
        """An application that waits for its next run since before the operator was started gets it."""
        self.process.after(1.0, lambda: self._submit(meta))

    def _submit(self, meta: Object) -> None:
        app = self._get(meta)
        if app is None or state_of(app) not in ("", "PENDING_RERUN", "RESUMING", "SUBMISSION_FAILED"):
            return
        if app["spec"].get("suspend"):
            self._status(app, applicationState={"state": "SUSPENDED"})
            text = f"SparkApplication {meta['name']} is suspended"
            self._event(app, "Warning", "SparkApplicationSuspended", text)
            return
        if self.cluster.store.get(PODS, meta["namespace"], f"{meta['name']}-driver"):
            self.process.after(1.0, lambda: self._submit(meta))
            return
        app_id, submission = f"spark-{self.cluster.ids.hex(32)}", self.cluster.ids.uid()
        attempts = int(app.get("status", {}).get("executionAttempts") or 0) + 1
        try:
            pod, _ = driver_pod(self.cluster, app, app_id, submission)
            self.spark.launch(pod, app["spec"], app_id, self.spark.programs.name_of(meta["name"]))
            self.cluster.create(PODS, pod)
        except (StatusError, ValueError) as error:
            self._not_submitted(app, str(error))
            return
        self.cluster.operator_metrics.submitted(self.cluster.heap.now)
        self.process.after(0.6, lambda: self._submitted(meta, app_id, submission, attempts))

    def _not_submitted(self, app: Object, error: str) -> None:
        meta = app["metadata"]
        name = f"{meta['namespace']}/{meta['name']}"
        message = f"failed to run spark-submit for SparkApplication {name}: {error}"
        self.cluster.operator_metrics.not_submitted(self.cluster.heap.now)
        app = self._status(
            app,
            applicationState={"errorMessage": message, "state": "SUBMISSION_FAILED"},
            lastSubmissionAttemptTime=stamp(self.cluster.heap.now),
            submissionAttempts=int(app.get("status", {}).get("submissionAttempts") or 0) + 1,
        )
        self._event(app, "Warning", "SparkApplicationSubmissionFailed", message)
        self._after_refusal(app)

    def _after_refusal(self, app: Object) -> None:
        """A submission that failed is tried again as often as its policy says, else that was all."""
        policy, meta = app["spec"].get("restartPolicy") or {}, app["metadata"]
        kind, attempts = policy.get("type", "Never"), int(app["status"].get("submissionAttempts") or 0)
        retries = policy.get("onSubmissionFailureRetries")
        if kind == "Always" or (kind == "OnFailure" and retries is not None and attempts <= int(retries)):
            wait = float(policy.get("onSubmissionFailureRetryInterval", 5)) * max(1, attempts)
            self.process.after(wait, lambda: self._submit(meta))
            return
        message = app["status"]["applicationState"].get("errorMessage", "")
        ended = stamp(self.cluster.heap.now)
        app = self._status(app, applicationState={"errorMessage": message, "state": "FAILED"}, terminationTime=ended)

    def _submitted(self, meta: Object, app_id: str, submission: str, attempts: int) -> None:
        app = self._get(meta)
        if app is None:
            return
        name = f"{meta['name']}-driver"
        app = self._status(
            app,
            applicationState={"state": "SUBMITTED"},
            driverInfo={"podName": name},
            executionAttempts=attempts,
            lastSubmissionAttemptTime=stamp(self.cluster.heap.now),
            submissionAttempts=1,
            submissionID=submission,
            terminationTime=app.get("status", {}).get("terminationTime"),
        )
        self._event(
            app, "Normal", "SparkApplicationSubmitted", f"SparkApplication {meta['name']} was submitted successfully"
        )
        info = {
            "podName": name,
            "webUIAddress": f"{self.cluster.ids.cluster_ip()}:4040",
            "webUIPort": 4040,
            "webUIServiceName": f"{meta['name']}-ui-svc",
        }
        self._status(app, driverInfo=info, sparkApplicationId=app_id)

    # -- its pods -------------------------------------------------------------------------------------------------

    def _pod_changed(self, change: ObjectChange) -> None:
        pod = change.object
        labels = pod["metadata"].get("labels") or {}
        name = labels.get(APP)
        if not name or not self.process.watches(pod["metadata"]["namespace"]):
            return
        was = change.previous["status"].get("phase") if change.previous and change.type == "MODIFIED" else None
        phase = pod["status"].get("phase")
        role = labels.get("spark-role")
        if role == "driver" and (change.type == "DELETED" or phase != was):
            self.process.after(0.25, lambda: self._driver(pod, change.type == "DELETED"))
        elif role == "executor" and change.type != "DELETED" and phase != was:
            self.process.after(0.2, lambda: self._executor(pod, str(phase)))

    def _app_of(self, pod: Object) -> Object | None:
        labels = pod["metadata"]["labels"]
        app = self.cluster.store.get(SPARKAPPS, pod["metadata"]["namespace"], labels[APP])
        submission = app.get("status", {}).get("submissionID") if app else None
        return app if submission == labels["sparkoperator.k8s.io/submission-id"] else None

    def _executor(self, pod: Object, phase: str) -> None:
        app, name = self._app_of(pod), pod["metadata"]["name"]
        if app is None or state_of(app) not in ("SUBMITTED", "RUNNING", "SUCCEEDING", "FAILING"):
            return
        state = PHASES[phase]
        old = app["status"].get("executorState", {})
        if old.get(name) == state:
            return
        app = self._status(app, executorState=dict(sorted({**old, name: state}.items())))
        metrics = self.cluster.operator_metrics
        if state == "PENDING":
            self._event(app, "Normal", "SparkExecutorPending", f"Executor {name} is pending")
        elif state == "RUNNING":
            metrics.executor_started(self.cluster.heap.now)
            self._event(app, "Normal", "SparkExecutorRunning", f"Executor {name} is running")
        elif state == "COMPLETED":
            metrics.executor_ended(self.cluster.heap.now, True)
            self._event(app, "Normal", "SparkExecutorCompleted", f"Executor {name} completed")
        else:
            metrics.executor_ended(self.cluster.heap.now, False)
            ended = terminated(pod) or {}
            text = (
                f"Executor {name} failed with ExitCode: {ended.get('exitCode', 0)}, Reason: {ended.get('reason', '')}"
            )
            message = pod["status"].get("message", "")
            self._event(app, "Warning", "SparkExecutorFailed", f"{text}, Pod Message: {message}")

    def _driver(self, pod: Object, deleted: bool) -> None:
        app = self._app_of(pod)
        if app is None:
            return
        state, name, now = state_of(app), pod["metadata"]["name"], self.cluster.heap.now
        phase = pod["status"].get("phase")
        if deleted:
            if state in ("SUBMITTED", "RUNNING"):
                self._failing(app, "driver pod not found")
            return
        if phase == "Running" and state == "SUBMITTED":
            app = self._status(app, applicationState={"state": "RUNNING"})
            self.cluster.operator_metrics.started(now, app)
            self._event(app, "Normal", "SparkDriverRunning", f"Driver {name} is running")
        elif phase == "Running" and state == "":
            self.process.after(0.3, lambda: self._driver(pod, deleted))
        elif phase == "Succeeded" and state in ("SUBMITTED", "RUNNING"):
            ended = app["status"].get("terminationTime") or stamp(now)
            self.cluster.operator_metrics.ended(now, app, True)
            app = self._status(app, applicationState={"state": "SUCCEEDING"}, terminationTime=ended)
            self._event(app, "Normal", "SparkDriverCompleted", f"Driver {name} completed")
            self.process.after(0.2, lambda: self._completed(app["metadata"]))
        elif phase == "Failed" and state in ("SUBMITTED", "RUNNING"):
            ended_state = terminated(pod) or {}
            code, reason = ended_state.get("exitCode", 0), ended_state.get("reason", "")
            text = f"driver container failed with ExitCode: {code}, Reason: {reason}"
            self._event(app, "Warning", "SparkDriverFailed", f"Driver {name} failed")
            self._failing(app, text)

    def _failing(self, app: Object, message: str) -> None:
        now = self.cluster.heap.now
        self.cluster.operator_metrics.ended(now, app, False)
        ended = app["status"].get("terminationTime") or stamp(now)
        app = self._status(app, applicationState={"errorMessage": message, "state": "FAILING"}, terminationTime=ended)
        self._after_failure(app)

    def _after_failure(self, app: Object) -> None:
        """A run that failed is begun again as often as its policy says."""
        policy, meta = app["spec"].get("restartPolicy") or {}, app["metadata"]
        attempts = int(app["status"].get("executionAttempts", 1))
        retries = int(policy.get("onFailureRetries", 0))
        kind = policy.get("type", "Never")
        if kind == "Always" or (kind == "OnFailure" and attempts <= retries):
            wait = float(policy.get("onFailureRetryInterval", 5))
            self.process.after(wait, lambda: self._retry(meta))
        else:
            self.process.after(0.3, lambda: self._failed(meta))

    def _retry(self, meta: Object) -> None:
        app = self._get(meta)
        if app is not None and state_of(app) == "FAILING":
            self._pending_rerun(meta, fresh=False)

    def _failed(self, meta: Object) -> None:
        app = self._get(meta)
        if app is None or state_of(app) != "FAILING":
            return
        message = app["status"]["applicationState"].get("errorMessage", "")
        app = self._status(app, applicationState={"errorMessage": message, "state": "FAILED"})
        self._expire(app)

    def _completed(self, meta: Object) -> None:
        app = self._get(meta)
        if app is None or state_of(app) != "SUCCEEDING":
            return
        app = self._status(app, applicationState={"state": "COMPLETED"})
        if (app["spec"].get("restartPolicy") or {}).get("type") == "Always":
            self.process.after(1.0, lambda: self._pending_rerun(meta, fresh=False))
        else:
            self._expire(app)

    def _expire(self, app: Object) -> None:
        seconds = app["spec"].get("timeToLiveSeconds")
        if seconds:
            meta = app["metadata"]
            self.process.after(float(seconds), lambda: self._delete(meta))

    def _delete(self, meta: Object) -> None:
        if self._get(meta) is not None:
            self.cluster.delete(SPARKAPPS, meta)


def _edited(old: Object, new: Object) -> bool:
    before = {k: v for k, v in old["spec"].items() if k not in EXEMPT}
    return before != {k: v for k, v in new["spec"].items() if k not in EXEMPT}
