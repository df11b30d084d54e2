"""What an open walk is about is read like what is sick: the log and the REST API of its application."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from console.live.intents import Intents


def test_what_open_walks_are_about_is_known_by_its_whole_key() -> None:
    walks = [
        SimpleNamespace(subject="spark/etl", status="open"),
        SimpleNamespace(subject="spark/done", status="ended"),
        SimpleNamespace(subject="Node//node-1", status="open"),
    ]
    intents: Any = Intents.__new__(Intents)
    intents.desk = SimpleNamespace(walks=lambda: walks)
    assert intents.walked == {"spark/etl", "Node//node-1"}
