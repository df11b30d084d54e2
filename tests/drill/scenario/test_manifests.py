"""The manifests from which worlds are made."""

from __future__ import annotations

import pytest

from console.drill.scenario.manifests import FOLDER, complete, manifests
from console.drill.state.ids import Ids

HERE = {"namespace": "spark-prod"}


def test_a_value_keeps_its_type_where_it_stands_alone_and_is_text_within_text() -> None:
    texts = dict.fromkeys(("name", "seen", "joined", "boot", "machine", "system"), "node-1")
    (node,) = manifests("node", {**texts, "labels": {}, "amounts": {"cpu": "4"}, "number": 7, "host": 17})
    assert node["status"]["capacity"] == {"cpu": "4"}
    assert node["spec"]["podCIDRs"] == ["10.244.7.0/24"]
    assert node["status"]["addresses"][0]["address"] == "10.99.0.17"


def test_a_world_may_change_what_it_got_and_the_next_one_is_not_touched() -> None:
    first = manifests("rights", HERE)
    first[0]["metadata"]["labels"]["mine"] = "yes"
    assert "mine" not in manifests("rights", HERE)[0]["metadata"]["labels"]


def test_a_value_that_is_not_given_is_named() -> None:
    with pytest.raises(KeyError, match="namespace"):
        manifests("secrets", {})
    with pytest.raises(KeyError, match="number"):
        manifests("node", {"name": "node-1", "labels": {}})


def test_ages_become_times_and_makers_become_managers() -> None:
    (secret,) = manifests("secrets", HERE)
    resource, made = complete(secret, 100 * 86400.0, Ids(1))
    assert resource.plural == "secrets" and made["data"] == secret["data"]
    assert made["metadata"]["creationTimestamp"] == "1970-02-10T00:00:00Z"
    assert made["metadata"]["managedFields"][0]["manager"] == "kubectl-client-side-apply"
    assert "generation" not in made["metadata"]


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_every_file_says_what_it_is_for(name: str) -> None:
    assert (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").startswith("# ")
