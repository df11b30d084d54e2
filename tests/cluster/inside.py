"""The inside of the real node: process 1 of namespaces of its own. `node.py` starts it and says what it is for.

Here, in order: addresses and mounts, etcd and the API server, containerd with the images, the other daemons, the
stand-ins for DNS and kube-proxy, the kubelet, and the Spark operator. `inside.json` appears in the folder when all
of it serves. When standard input ends, the process ends, and with it everything in its namespaces.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import java
from tests.cluster.controlplane import bind_viewers, server_flags, write_tokens
from tests.cluster.inventory import IMAGE, NODE, PAUSE_IMAGE, image_key, require, spark_home
from tests.cluster.kube import Kube, KubeError, apply_crds
from tests.cluster.network import Forward, Names
from tests.cluster.pki import Authority, Pair, write_kubeconfig
from tests.cluster.processes import PartFailed, Process, answers, wait_until

ADDRESS = "10.99.0.1"
SERVICE_ADDRESS = "10.96.0.1"
PODS = "10.244.0.0/24"
API_PORT = 6443
OPERATOR_METRICS_PORT = 8080
NODE_NAME = "spark-node-1"
NAMESPACE = "spark-jobs"
SOCKET = "/run/containerd/containerd.sock"  # where the kubelet's cAdvisor looks for it


def _run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise PartFailed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Store:
    """containerd's folder. What running pods leave in it is dropped at the next start, not at the end of a run.

    Layers of images are never written to, so it is enough to keep aside the two databases and the list of layers.
    """

    _DATABASES = ("io.containerd.metadata.v1.bolt/meta.db", "io.containerd.snapshotter.v1.overlayfs/metadata.db")
    _CONTENT = "io.containerd.content.v1.content"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root = folder / "containerd"
        self._layers = self._root / "io.containerd.snapshotter.v1.overlayfs" / "snapshots"
        self._kept = folder / "kept.json"

    def keep(self, image: str) -> None:
        """Remember the present state, with `image` imported and containerd stopped."""
        for database in self._DATABASES:
            shutil.copy2(self._root / database, self.folder / Path(database).name)
        layers = sorted(path.name for path in self._layers.iterdir())
        self._kept.write_text(json.dumps({"image": image, "layers": layers}))

    def restore(self, image: str) -> bool:
        """Go back to the state that was kept; False, and empty, where none was kept with this image."""
        kept = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        if kept.get("image") != image:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            return False
        needed = {self._CONTENT, *(str(Path(database).parent) for database in self._DATABASES)}
        for path in self._root.iterdir():
            if path.name not in needed:
                shutil.rmtree(path)
        for path in self._layers.iterdir():
            if path.name not in kept["layers"]:
                shutil.rmtree(path)
        for database in self._DATABASES:
            shutil.copy2(self.folder / Path(database).name, self._root / database)
        return True


class Inside:
    """Everything that runs in the node's namespaces.

    Args:
        folder: logs, certificates and state of this run.
        store: where containerd keeps its images from run to run.
        cgroup: the cgroup below which the kubelet makes its own.
    """

    def __init__(self, folder: Path, store: Path, cgroup: str) -> None:
        self.folder = folder
        self.store = Store(store)
        self.cgroup = cgroup
        self.tools = require(*NODE)
        self.authority = Authority(folder / "pki")
        self.url = f"https://{ADDRESS}:{API_PORT}"
        self.running: list[Process] = []
        search = {str(self.tools[name].parent) for name in ("containerd", "containerd-shim-runc-v2", "runc")}
        self.path = os.pathsep.join([*sorted(search), os.environ["PATH"]])

    def start(self) -> None:
        began = time.monotonic()

        def reached(what: str) -> None:
            print(f"{what} +{time.monotonic() - began:.1f} s", flush=True)

        self._lay_network_and_mounts()
        self._write_containerd_config()
        self._start_control_plane()
        self._start_containerd()
        reached("images here")
        self.kube = self._await_control_plane()
        reached("API server ready")
        self._start_managers()
        self._serve_network()
        apply_crds(self.kube, self.tools["spark-operator-crds"])
        self._make_namespace()
        self._start_kubelet()
        reached("node ready")
        self._start_operator()
        reached("operator ready")

    def _process(self, name: str, *command: str | Path, **environment: str) -> Process:
        process = Process(
            name, command, self.folder / "logs", environment={"PATH": self.path, **environment}, cwd=self.folder
        )
        self.running.append(process)
        return process

    def _lay_network_and_mounts(self) -> None:
        _run("ip", "link", "set", "lo", "up")
        for address in (ADDRESS, SERVICE_ADDRESS):
            _run("ip", "address", "add", f"{address}/32", "dev", "lo")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        _run("mount", "-t", "tmpfs", "tmpfs", "/run")
        for place in ("/var/lib", "/var/log"):  # the kubelet writes to fixed paths below both
            layers = self.folder / "written" / Path(place).name
            for layer in ("new", "work"):
                (layers / layer).mkdir(parents=True, exist_ok=True)
            options = f"lowerdir={place},upperdir={layers / 'new'},workdir={layers / 'work'}"
            _run("mount", "-t", "overlay", "-o", options, "overlay", place)

    def _start_control_plane(self) -> None:
        folder, authority = self.folder, self.authority
        hosts = [f"IP:{address}" for address in ("127.0.0.1", ADDRESS, SERVICE_ADDRESS)]
        names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        hosts += [f"DNS:{name}" for name in (*names, "kubernetes.default.svc.cluster.local")]
        serving = authority.issue("kube-apiserver", hosts=hosts)
        to_kubelet = authority.issue("kubelet-client", groups=["system:masters"])
        admin, viewer = write_tokens(folder / "tokens.csv")
        (folder / "users.json").write_text(json.dumps({"admin": admin, "viewer": viewer}))
        self._process("etcd", self.tools["etcd"], f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync")
        self._process(
            "kube-apiserver",
            self.tools["kube-apiserver"],
            *server_flags(authority, serving, folder / "tokens.csv", "http://127.0.0.1:2379"),
            f"--bind-address={ADDRESS}",
            f"--advertise-address={ADDRESS}",
            f"--secure-port={API_PORT}",
            "--authorization-mode=Node,RBAC",
            f"--kubelet-client-certificate={to_kubelet.certificate}",
            f"--kubelet-client-key={to_kubelet.key}",
            f"--kubelet-certificate-authority={authority.certificate}",
            "--kubelet-preferred-address-types=InternalIP",
        )

    def _await_control_plane(self) -> Kube:
        admin = json.loads((self.folder / "users.json").read_text())["admin"]
        root = self.authority.certificate
        wait_until(
            "the node's API server is ready",
            lambda: answers(f"{self.url}/readyz", authority=root, token=admin),
            seconds=120,
            processes=self.running,
        )
        own = self.folder / "inside.kubeconfig"
        kube = Kube(
            self.url, root, admin, write_kubeconfig(own, server=self.url, authority=root, user="admin", token=admin)
        )
        bind_viewers(kube)
        return kube

    def _component_kubeconfig(self, file: str, user: str, *groups: str) -> Path:
        pair = self.authority.issue(user, groups=groups, file=file)
        path = self.folder / f"{file}.kubeconfig"
        return write_kubeconfig(path, server=self.url, authority=self.authority.certificate, user=user, pair=pair)

    def _start_managers(self) -> None:
        for name in ("kube-controller-manager", "kube-scheduler"):
            config = self._component_kubeconfig(name, f"system:{name}")
            flags = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]
            extra = []
            if name == "kube-controller-manager":
                extra = [
                    f"--service-account-private-key-file={self.authority.account_key}",
                    f"--root-ca-file={self.authority.certificate}",
                    "--use-service-account-credentials=true",
                ]
            self._process(
                name,
                self.tools[name],
                *(f"--{flag}={config}" for flag in flags),
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                *extra,
            )

    def _write_containerd_config(self) -> None:
        folder = self.folder
        (folder / "cni").mkdir(exist_ok=True)
        range_of_pods = {
            "type": "host-local",
            "ranges": [[{"subnet": PODS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(folder / "cni-addresses"),
        }
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False, "ipam": range_of_pods}
        network = {"cniVersion": "1.0.0", "name": "parts", "plugins": [bridge]}
        (folder / "cni" / "10-bridge.conflist").write_text(json.dumps(network))
        version = _run(str(self.tools["containerd"]), "--version").split()[2].lstrip("v")
        config = _config_v1 if version.startswith("1.") else _config_v2
        paths = {"plugins": self.tools["cni-plugins"], "network": folder / "cni", "runc": self.tools["runc"]}
        text = config.format(store=self.store.folder, socket=SOCKET, pause=PAUSE_IMAGE, **paths)
        (folder / "containerd.toml").write_text(text)

    def _start_containerd(self) -> None:
        """Start containerd on a store that holds the images and nothing else, importing them where they are not."""
        if not self.store.restore(image_key()):
            importing = self._containerd()
            for name in ("pause-image", "spark-image"):
                self._ctr("images", "import", "--snapshotter", "overlayfs", str(self.tools[name]))
            importing.stop()
            self.running.remove(importing)
            self.store.keep(image_key())
        self._containerd()

    def _containerd(self) -> Process:
        containerd = self._process("containerd", self.tools["containerd"], "-c", self.folder / "containerd.toml")

        def serves() -> bool:
            with contextlib.suppress(PartFailed):
                self._ctr("version")
                return True
            return False

        wait_until("containerd answers", serves, seconds=30, processes=[containerd])
        return containerd

    def _ctr(self, *arguments: str) -> None:
        _run(str(self.tools["ctr"]), "-a", SOCKET, "-n", "k8s.io", *arguments)

    def _serve_network(self) -> None:
        Forward((ADDRESS, API_PORT), listen=(SERVICE_ADDRESS, 443))
        lookups = Kube(self.url, self.authority.certificate, self.kube.token, self.kube.kubeconfig)

        def resolve(name: str) -> Sequence[str]:
            name = name.removesuffix(".cluster.local")
            if name in ("kubernetes.default", "kubernetes.default.svc"):
                return [SERVICE_ADDRESS]
            service, _, rest = name.partition(".")
            namespace, _, suffix = rest.partition(".")
            if suffix != "svc":
                return []
            path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
            try:
                slices = lookups.get(path, labelSelector=f"kubernetes.io/service-name={service}")["items"]
            except KubeError:
                return []
            return [address for s in slices for end in s.get("endpoints") or () for address in end["addresses"]]

        Names((ADDRESS, 53), resolve)

    def _make_namespace(self) -> None:
        metadata = {"name": NAMESPACE}
        self.kube.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "spark"}}
        self.kube.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "spark-edit"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "ServiceAccount", "name": "spark", "namespace": NAMESPACE}],
        }
        self.kube.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings", binding)
        # Pods are refused until the controller-manager has made the namespace's own account.
        account_path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        self.kube.wait(account_path, lambda seen: seen is not None, seconds=30)

    def _start_kubelet(self) -> None:
        folder = self.folder
        pair = self.authority.issue(
            f"system:node:{NODE_NAME}",
            groups=["system:nodes"],
            hosts=[f"IP:{ADDRESS}", f"DNS:{NODE_NAME}"],
            file="kubelet",
        )
        config = write_kubeconfig(
            folder / "kubelet.kubeconfig",
            server=self.url,
            authority=self.authority.certificate,
            user=f"system:node:{NODE_NAME}",
            pair=pair,
        )
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        settings = _kubelet_settings(folder, self.authority.certificate, pair, self.cgroup)
        (folder / "kubelet.json").write_text(json.dumps(settings, indent=1))
        kubelet = self._process(
            "kubelet",
            self.tools["kubelet"],
            f"--config={folder / 'kubelet.json'}",
            f"--kubeconfig={config}",
            f"--root-dir={folder / 'kubelet'}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={ADDRESS}",
        )

        def ready() -> bool:
            node = self.kube.find(f"/api/v1/nodes/{NODE_NAME}") or {"status": {}}
            conditions = node["status"].get("conditions") or []
            return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

        wait_until("the node is ready", ready, seconds=90, processes=self.running, every=0.2)
        assert kubelet.ended() is None

    def _start_operator(self) -> None:
        operator = self._process(
            "spark-operator",
            self.tools["spark-operator"],
            *("controller", "start", f"--namespaces={NAMESPACE}", "--controller-threads=2"),
            *("--leader-election=false", "--health-probe-bind-address=127.0.0.1:8081", "--enable-metrics=true"),
            f"--metrics-bind-address=127.0.0.1:{OPERATOR_METRICS_PORT}",
            *("--metrics-labels=app_type", "--enable-ui-service=true", "--zap-log-level=info"),
            KUBECONFIG=str(self.kube.kubeconfig),
            KUBERNETES_SERVICE_HOST=ADDRESS,  # the operator submits to this API server
            KUBERNETES_SERVICE_PORT=str(API_PORT),
            SPARK_HOME=str(spark_home()),
            **java.environment(),
        )
        wait_until(
            "the Spark operator is ready",
            lambda: answers("http://127.0.0.1:8081/readyz"),
            seconds=60,
            processes=[operator],
        )


def _kubelet_settings(folder: Path, authority: Path, pair: Pair, cgroup: str) -> dict[str, object]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pair.certificate),
        "tlsPrivateKeyFile": str(pair.key),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [ADDRESS],
        "clusterDomain": "cluster.local",
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "2%",
            "imagefs.available": "2%",
            "nodefs.inodesFree": "1%",
        },
        "systemReserved": {"memory": f"{max(0, total - 10240)}Mi"},  # pods get 10 GiB at most
        "imageGCHighThresholdPercent": 100,
        "maxPods": 30,
        "nodeStatusUpdateFrequency": "5s",
        "makeIPTablesUtilChains": False,
        "resolvConf": str(folder / "resolv.conf"),
    }


_config_v1 = """version = 2
root = "{store}/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{network}"
"""

_config_v2 = """version = 3
root = "{store}/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{pause}"
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "{network}"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "{runc}"
"""


def _reap_orphans(own: set[int]) -> None:
    """Process 1 inherits what daemons leave behind, such as containerd's shims; `own` children are waited for."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in own:
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(ended.si_pid, os.WNOHANG)


def main() -> int:
    settings = json.loads(sys.argv[1])
    folder = Path(settings["folder"])
    inside = Inside(folder, Path(settings["store"]), settings["cgroup"])
    over = threading.Event()

    def until_parent_is_done() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=until_parent_is_done, daemon=True).start()
    try:
        inside.start()
        (folder / ".inside.json").write_text(json.dumps({"namespace": NAMESPACE, "node": NODE_NAME, "image": IMAGE}))
        (folder / ".inside.json").rename(folder / "inside.json")
        while not over.wait(1):
            _reap_orphans({process.pid for process in inside.running})
    except Exception as error:
        (folder / "inside-failed.txt").write_text(str(error))
        print(f"failed: {error}", flush=True)
        return 1
    return 0  # with process 1 the kernel ends every other one in here


if __name__ == "__main__":
    sys.exit(main())
