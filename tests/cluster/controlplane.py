"""A real etcd and kube-apiserver on loopback, with an administrator, a viewer and the Spark operator's CRDs.

There is no controller-manager and no node: objects are what tests make them, namespaces are not emptied on
deletion, and pods need no service account. Use the fixture `kube_api` for the one that a test session shares, and
`ControlPlane` itself where a test stops or restarts its server.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

from tests.cluster.inventory import CONTROL_PLANE, require
from tests.cluster.kube import Kube, apply_crds
from tests.cluster.pki import Authority, Pair, write_kubeconfig
from tests.cluster.processes import Process, answers, free_port, wait_until

VIEWERS = "viewers"


def bind_viewers(kube: Kube) -> None:
    """Let the group `viewers` read everything that the product reads, and nothing else."""
    verbs = ["get", "list", "watch"]
    groups = (["", "apps", "events.k8s.io"], ["sparkoperator.k8s.io"])
    rules = [{"apiGroups": of, "resources": ["*"], "verbs": verbs} for of in groups]
    kube.grant("a-viewer", *rules, group=VIEWERS)


def server_flags(authority: Authority, serving: Pair, tokens: Path, etcd_url: str) -> list[str]:
    """What every API server of the tests is started with."""
    return [
        f"--etcd-servers={etcd_url}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={authority.certificate}",
        f"--token-auth-file={tokens}",
        f"--service-account-key-file={authority.account_public}",
        f"--service-account-signing-key-file={authority.account_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
    ]


def write_tokens(path: Path) -> tuple[str, str]:
    """Make the tokens of the administrator and of the viewer."""
    admin, viewer = secrets.token_hex(16), secrets.token_hex(16)
    path.write_text(f'{admin},admin,admin,"system:masters"\n{viewer},viewer,viewer,"{VIEWERS}"\n')
    path.chmod(0o600)
    return admin, viewer


class ControlPlane:
    """One etcd and one API server in a folder of their own.

    Attributes:
        etcd, server: their processes, once started.
        url: where the API server listens; the same after a restart.
    """

    etcd: Process
    server: Process

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tools = require(*CONTROL_PLANE)
        folder.mkdir(parents=True, exist_ok=True)
        self._authority = Authority(folder / "pki")
        hosts = ("IP:127.0.0.1", "DNS:localhost", "DNS:kubernetes.default.svc")
        self._serving = self._authority.issue("kube-apiserver", hosts=hosts)
        self._tokens = folder / "tokens.csv"
        self._admin, self._viewer = write_tokens(self._tokens)
        self._etcd_port, self._peer_port, self._port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self._port}"

    def start(self) -> dict[str, Any]:
        """Start both and answer what `KubeApi` is made of.

        Raises:
            PartFailed: with the last lines of the log of what did not start.
        """
        self.start_etcd()
        self.start_server()
        kube = self._kube("admin", self._admin)
        bind_viewers(kube)
        apply_crds(kube, self._tools["spark-operator-crds"])
        self._kube("viewer", self._viewer)
        return {
            "folder": str(self.folder),
            "url": self.url,
            "admin": self._admin,
            "viewer": self._viewer,
            "namespace": "default",
        }

    def start_etcd(self) -> None:
        clients, peers = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        command = [
            str(self._tools["etcd"]),
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        ]
        self.etcd = Process("etcd", command, self.folder / "logs")

    def start_server(self) -> None:
        flags = server_flags(self._authority, self._serving, self._tokens, f"http://127.0.0.1:{self._etcd_port}")
        command = [
            str(self._tools["kube-apiserver"]),
            *flags,
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",  # nobody is here who would make the accounts
        ]
        self.server = Process("kube-apiserver", command, self.folder / "logs")
        wait_until(
            "the API server is ready",
            lambda: answers(f"{self.url}/readyz", authority=self._authority.certificate, token=self._admin),
            seconds=60,
            processes=(self.etcd, self.server),
        )

    def processes(self) -> list[Process]:
        return [self.etcd, self.server]

    def stop(self) -> None:
        for name in ("server", "etcd"):
            if process := getattr(self, name, None):
                process.stop()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def _kube(self, user: str, token: str) -> Kube:
        authority = self._authority.certificate
        path = self.folder / f"{user}.kubeconfig"
        write_kubeconfig(path, server=self.url, authority=authority, user=user, token=token)
        return Kube(self.url, authority, token, path)


class KubeApi(Kube):
    """A running API server, seen by its administrator.

    Attributes:
        viewer: the same server as the read-only user sees it.
        ready: what its server said when it was ready.
    """

    def __init__(self, ready: dict[str, Any]) -> None:
        folder = Path(ready["folder"])
        authority = folder / "pki" / "ca.crt"
        super().__init__(ready["url"], authority, ready["admin"], folder / "admin.kubeconfig")
        self.viewer = Kube(ready["url"], authority, ready["viewer"], folder / "viewer.kubeconfig")
        self.ready = ready
        self.folder = folder

    def user(self, path: Path, name: str, *groups: str, namespace: str = "default") -> Path:
        """A kubeconfig, written to `path`, of a new user with a client certificate and no rights yet."""
        authority = Authority(self.folder / "pki")
        pair = authority.issue(name, groups=groups, file=path.stem)
        server, root = self.url, authority.certificate
        return write_kubeconfig(path, server=server, authority=root, user=name, pair=pair, namespace=namespace)
