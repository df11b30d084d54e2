"""The table of verbs in docs/verbs.md has each of them: its keys, its way back, and whether it proves itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.actions import verbs
from console.actions.verb import Verb

PAGE = Path(__file__).parents[2] / "docs" / "verbs.md"
ROWS = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
TABLE = {re.findall(r"`([\w-]+)`", row[0])[0]: [cell.strip() for cell in row] for row in ROWS}
VERBS = [verb for verb in verbs().values() if verb.step == "change"]
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "Node", "SparkApplication", "CronJob", "ConfigMap")
FILLED = {"labels": {"a": "b"}, "annotations": {"a": "b"}, "to": 1}


def test_the_table_has_every_verb_and_no_other() -> None:
    assert sorted(TABLE) == sorted(verb.name for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_row_says_what_the_verb_says(verb: Verb) -> None:
    _, keys, kinds, rights, risk, back, proof = TABLE[verb.name]
    assert set(re.findall(r"`([\w-]+)`", keys)) == set(verb.arguments.__struct_fields__)
    assert all(kind in kinds for _, kind in verb.kinds)
    way = "never" if verb.no_way_back(target=True) else verb.way_back
    assert back.startswith(way)
    assert rights and risk
    proves = any(verb.proof(FILLED, kind) is not None for kind in KINDS)
    assert proof.startswith("nothing") is not proves
