"""A small client for the tests' own use: create what a test needs, read what became of it.

It is not the product's client, so that a test never judges the product by the product.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.cluster.inventory import require

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


class KubeError(Exception):
    """The API server said no. `status` is the HTTP status, `reason` the reason of its Status object."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class Kube:
    """An API server as one user sees it.

    Attributes:
        url: `https://127.0.0.1:PORT`.
        authority: the file with the certificate that signed the server's.
        kubeconfig: a file for kubectl and for the product, with this user's credentials.
    """

    def __init__(self, url: str, authority: Path, token: str, kubeconfig: Path) -> None:
        self.url = url
        self.authority = authority
        self.token = token
        self.kubeconfig = kubeconfig
        self._session = requests.Session()
        self._session.trust_env = False  # the machine's own certificate bundle is not this cluster's
        self._session.headers["Authorization"] = f"Bearer {token}"

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **params: str
    ) -> Any:
        """Send one request and decode the JSON answer.

        Args:
            body: JSON-able, or bytes that are sent as they are.

        Raises:
            KubeError: for every status from 400 on.
        """
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        answer = self._session.request(
            method, self.url + path, data=data, headers=headers, params=params, verify=str(self.authority), timeout=60
        )
        if answer.status_code >= 400:
            try:
                status = answer.json()
            except ValueError:
                status = {}
            raise KubeError(answer.status_code, status.get("reason", ""), status.get("message", answer.text[:300]))
        return answer.json()

    def text(self, path: str, **params: str) -> str:
        """The body of a GET as text, for logs and metrics."""
        answer = self._session.get(self.url + path, params=params, verify=str(self.authority), timeout=60)
        if answer.status_code >= 400:
            raise KubeError(answer.status_code, "", answer.text[:300])
        return answer.text

    def get(self, path: str, **params: str) -> Any:
        return self.request("GET", path, **params)

    def create(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body)

    def merge(self, path: str, body: Any) -> Any:
        """Merge-patch an object."""
        return self.request("PATCH", path, body, content_type=MERGE)

    def delete(self, path: str, **params: str) -> Any:
        return self.request("DELETE", path, **params)

    def find(self, path: str) -> Any | None:
        """The object, or None where there is none."""
        try:
            return self.get(path)
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def serves(self, path: str) -> bool:
        """Whether a collection is there; a new one is refused for a moment while its storage is made."""
        try:
            return self.find(path) is not None
        except KubeError as error:
            if error.status == 429:
                return False
            raise

    def kubectl(self, *arguments: str, seconds: float = 60, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl as this user. Raises CalledProcessError with its stderr where `check` and it fails."""
        command = [str(require("kubectl")["kubectl"]), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=check)

    def new_namespace(self, prefix: str = "t") -> str:
        """Make a namespace for one test. Its name is new in this cluster."""
        name = f"{prefix}-{uuid.uuid4().hex[:10]}"
        self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def grant(self, user: str, *rules: Any, namespace: str = "", group: str = "") -> None:
        """Give a user (or every user of `group`) rights, in one namespace or in all, and wait until they hold.

        An API server answers by what its informers have seen: for a moment after a binding was made its user is still
        told that everything is forbidden.

        Args:
            user: the name of the role and of its binding too.
            rules: PolicyRules with apiGroups, resources and verbs.

        Raises:
            TimeoutError: with the rule that does not hold.
        """
        rbac, name = "rbac.authorization.k8s.io", group or user
        place, kind = (f"/namespaces/{namespace}", "Role") if namespace else ("", "ClusterRole")
        role = {"apiVersion": f"{rbac}/v1", "kind": kind, "metadata": {"name": name}}
        self.create(f"/apis/{rbac}/v1{place}/{kind.lower()}s", {**role, "rules": list(rules)})
        whose = {"kind": "Group" if group else "User", "name": name, "apiGroup": rbac}
        bound = {"roleRef": {"apiGroup": rbac, "kind": kind, "name": name}, "subjects": [whose]}
        self.create(f"/apis/{rbac}/v1{place}/{kind.lower()}bindings", {**role, "kind": f"{kind}Binding", **bound})
        deadline = time.monotonic() + 60
        for rule in rules:
            resource, _, below = rule["resources"][0].partition("/")
            what = {"group": rule["apiGroups"][0], "resource": resource, "subresource": below, "verb": rule["verbs"][0]}
            asked = {"user": user, "groups": [group] if group else [], "resourceAttributes": what}
            if namespace:
                what["namespace"] = namespace
            while not self.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": asked})["status"][
                "allowed"
            ]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{name} may not yet {what}")
                time.sleep(0.02)

    def wait(self, path: str, holds: Callable[[Any], bool], *, seconds: float, every: float = 0.2) -> Any:
        """Poll an object until `holds(object)`; the object may be None while it does not exist.

        Raises:
            TimeoutError: with the last object seen.
        """
        deadline = time.monotonic() + seconds
        while True:
            seen = self.find(path)
            if holds(seen):
                return seen
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is not as awaited after {seconds:.0f} s: {json.dumps(seen)[:2000]}")
            time.sleep(every)

    @contextmanager
    def watch(self, path: str, **params: str) -> Iterator[Iterator[Any]]:
        """The events of a watch, as they come: `{"type": ..., "object": ...}`."""
        with self._session.get(
            self.url + path,
            params={"watch": "true", **params},
            verify=str(self.authority),
            stream=True,
            timeout=(10, 120),
        ) as answer:
            if answer.status_code >= 400:
                raise KubeError(answer.status_code, "", answer.text[:300])
            yield (json.loads(line) for line in answer.iter_lines() if line)


def apply_crds(kube: Kube, folder: Path, *, seconds: float = 60) -> Sequence[str]:
    """Apply every custom resource definition of a folder and wait until each is served. Answers their names.

    Files are named `<group>_<plural>.yaml`, as controller-gen names them.
    """
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = []
    for path in sorted(folder.glob("*.yaml")):
        group, _, plural = path.stem.partition("_")
        names.append(f"{plural}.{group}")
        kube.request(
            "PATCH",
            f"{definitions}/{names[-1]}",
            path.read_bytes(),
            content_type=APPLY,  # a client-side apply would keep 0.8 MB in an annotation, more than is allowed
            fieldManager="parts",
            force="true",
        )

    def established(definition: Any) -> bool:
        conditions = ((definition or {}).get("status") or {}).get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    deadline = time.monotonic() + seconds
    for name in names:
        definition = kube.wait(f"{definitions}/{name}", established, seconds=seconds)
        plural, _, group = name.partition(".")
        version = next(v["name"] for v in definition["spec"]["versions"] if v["storage"])
        while True:
            try:
                kube.get(f"/apis/{group}/{version}/{plural}", limit="1")
                break
            except KubeError as error:  # established, and for a moment still 404 or "storage is (re)initializing"
                if error.status not in (404, 429, 503) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
    return names
