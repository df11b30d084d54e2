"""Two with one name are told apart: by machine, terminal, where the SSH session comes from, and process."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable

import pytest

from console.live import who


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def sit(tty: str = "pts/3", ssh: str = "", sudo: str = "", user: str = "root") -> None:
        monkeypatch.setattr(getpass, "getuser", lambda: user)
        monkeypatch.setattr(socket, "gethostname", lambda: "bastion")
        monkeypatch.setattr(who, "_terminal", lambda: tty)
        for name in ("SSH_CONNECTION", "SSH_CLIENT", "SUDO_USER"):
            monkeypatch.delenv(name, raising=False)
        if ssh:
            monkeypatch.setenv("SSH_CONNECTION", ssh)
        if sudo:
            monkeypatch.setenv("SUDO_USER", sudo)

    return sit


def test_two_that_are_root_on_one_machine_have_two_names(at: Callable[..., None]) -> None:
    at(tty="pts/3")
    first = who.actor()
    at(tty="pts/5")
    assert (first, who.actor()) == ("root@bastion pts/3", "root@bastion pts/5")


def test_a_session_names_the_ssh_client_the_terminal_and_the_process(at: Callable[..., None]) -> None:
    at(ssh="10.0.0.5 52144 10.0.0.9 22")
    assert who.session() == {
        "user": "root", "host": "bastion", "tty": "pts/3", "ssh_from": "10.0.0.5", "pid": os.getpid(),
    }  # fmt: skip


def test_what_is_not_known_of_a_session_is_left_out(at: Callable[..., None]) -> None:
    at(tty="")
    assert who.session() == {"user": "root", "host": "bastion", "pid": os.getpid()} and who.actor() == "root@bastion"


def test_who_became_another_user_is_named_with_the_one_before(at: Callable[..., None]) -> None:
    at(sudo="ada")
    assert who.actor() == "root@bastion pts/3 (from ada)" and who.session()["sudo_from"] == "ada"
    at(sudo="root")
    assert who.actor() == "root@bastion pts/3"
