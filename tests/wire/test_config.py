"""Kubeconfig files mean here what they mean to kubectl; what is wrong in them is named with file, line and key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from console.base.errors import DocumentError, UsageError
from console.wire.config import ContextRef, contexts, resolve

ONE = """
apiVersion: v1
kind: Config
current-context: prod
contexts:
- {name: prod, context: {cluster: c, user: u, namespace: spark}}
- {name: bare, context: {cluster: c}}
clusters:
- {name: c, cluster: {server: "https://one:6443/"}}
users:
- {name: u, user: {token: first}}
"""
TWO = """
current-context: other
contexts:
- {name: prod, context: {cluster: c, user: u, namespace: never}}
- {name: other, context: {cluster: d, user: v}}
clusters:
- {name: c, cluster: {server: "https://never"}}
- {name: d, cluster: {server: "https://two"}}
users:
- {name: u, user: {token: never}}
- {name: v, user: {tokenFile: t}}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def two_files(tmp_path: Path) -> dict[str, str]:
    first, second = write(tmp_path, "one", ONE), write(tmp_path, "two", TWO)
    return {"KUBECONFIG": f"{first}:{tmp_path / 'missing'}::{second}"}


def test_of_several_files_the_first_that_says_something_wins(two_files: dict[str, str], tmp_path: Path) -> None:
    found = contexts(environ=two_files)
    assert found.current == "prod"
    assert [(c.name, c.server, c.namespace) for c in found.contexts] == [
        ("prod", "https://one:6443/", "spark"),
        ("bare", "https://one:6443/", "default"),
        ("other", "https://two", "default"),
    ]
    assert found.contexts[0].file.endswith("/one") and found.contexts[0].line == 6
    target = resolve(ContextRef(), two_files)
    assert (target.server, target.namespace, target.login["token"]) == ("https://one:6443", "spark", "first")
    assert resolve(ContextRef(context="other"), two_files).folder == tmp_path


def test_flags_win(two_files: dict[str, str]) -> None:
    ref = ContextRef(context="prod", namespace="mine", as_user="bob", as_groups=("a", "b"), request_timeout=3.0)
    target = resolve(ref, two_files)
    assert target.namespace == "mine" and target.timeout == 3.0
    assert target.impersonation.user == "bob" and target.impersonation.groups == ("a", "b")


def test_the_kubeconfig_may_impersonate_too(tmp_path: Path) -> None:
    text = ONE.replace("{token: first}", "{token: x, as: alice, as-groups: [ops], as-user-extra: {why: [a, b]}}")
    target = resolve(ContextRef(kubeconfig=str(write(tmp_path, "k", text))))
    assert target.impersonation.user == "alice" and target.impersonation.extra == (("why", "a"), ("why", "b"))


def test_groups_without_a_user_are_refused(two_files: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--as USER"):
        resolve(ContextRef(as_groups=("ops",)), two_files)


@pytest.mark.parametrize(
    ("before", "after", "line", "key", "says"),
    [
        ("cluster: c, user: u", "cluster: sea, user: u", 6, "contexts[0].context.cluster", "no cluster 'sea'"),
        ("cluster: c, user: u", "cluster: c, user: uu", 6, "contexts[0].context.user", "no user 'uu'"),
        ('server: "https://one:6443/"', "x: 1", 9, "clusters[0].cluster.server", "names no server"),
        ('"https://one:6443/"', '"ftp://one"', 9, "clusters[0].cluster.server", "no http or https"),
        ('"https://one:6443/"', '"https://one", certificate-authority: no.pem', 9,
         "clusters[0].cluster.certificate-authority", "cannot read"),
        ('"https://one:6443/"', '"https://one", certificate-authority-data: "€"', 9,
         "clusters[0].cluster.certificate-authority-data", "no base64"),
        ("{token: first}", "{client-certificate-data: YQ==}", 11, "users[0].user", "no client-key"),
        ("- {name: u, user: {token: first}}", "- {user: {}}", 11, "users[0]", "needs a name"),
        ("contexts:\n- {name: prod", "contexts:\n  prod:\n- {name: prod", 6, "", ""),
        ("{token: first}", "[", 12, "", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, line: int, key: str, says: str) -> None:
    assert before in ONE
    path = write(tmp_path, "k", ONE.replace(before, after))
    with pytest.raises(DocumentError) as caught:
        resolve(ContextRef(kubeconfig=str(path)))
    assert caught.value.file == str(path) and caught.value.key == key and says in caught.value.message
    assert abs(caught.value.line - line) <= 1


def test_a_context_that_is_not_there(two_files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(ContextRef(context="prd"), two_files)
    assert caught.value.hint == "did you mean 'prod'?"
    with pytest.raises(UsageError, match="no kubeconfig file"):
        resolve(ContextRef(kubeconfig=str(tmp_path / "nope")))


def test_nothing_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(ContextRef(), {"KUBECONFIG": str(tmp_path / "nope")})
    assert "no cluster to connect to" in caught.value.message and "drill" in (caught.value.hint or "")


def test_in_a_pod_the_service_account_is_taken(tmp_path: Path, two_files: dict[str, str]) -> None:
    for name, text in (("token", "t"), ("namespace", "jobs\n"), ("ca.crt", "x")):
        write(tmp_path, name, text)
    pod = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "KUBECONFIG": str(tmp_path / "none")}
    target = resolve(ContextRef(), pod, tmp_path)
    assert (target.server, target.namespace, target.ca) == ("https://[fd00::1]:443", "jobs", b"x")
    assert target.login == {"tokenFile": str(tmp_path / "token")}
    assert resolve(ContextRef(), {**pod, **two_files}, tmp_path).server == "https://one:6443"


def test_secrets_stay_out_of_repr(two_files: dict[str, str]) -> None:
    assert "first" not in repr(resolve(ContextRef(), two_files))


def test_the_ca_hash_does_not_depend_on_order_or_layout(tmp_path: Path) -> None:
    one = "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n"
    two = "-----BEGIN CERTIFICATE-----\nQkJC\n-----END CERTIFICATE-----\n"
    hashes = set()
    for index, pem in enumerate((one + two, two + "# note\n" + one)):
        data = base64.b64encode(pem.encode()).decode()
        text = ONE.replace('"https://one:6443/"', f'"https://one", certificate-authority-data: "{data}"')
        hashes.add(resolve(ContextRef(kubeconfig=str(write(tmp_path, str(index), text)))).ca_hash)
    assert len(hashes) == 1 and len(hashes.pop()) == 64
