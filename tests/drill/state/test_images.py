"""What can be pulled, what nodes have, and what a pull says that fails."""

from __future__ import annotations

import pytest

from console.drill.control.programs import process_end
from console.drill.state.images import Image, ImageRegistry

NAME = "registry.local/spark:4.1.4"
HEAD = f'failed to pull and unpack image "{NAME}"'


def registry() -> ImageRegistry:
    images = ImageRegistry()
    images.stocked(NAME)
    return images


def test_an_image_of_the_world_is_on_every_node_until_it_is_collected() -> None:
    images = registry()
    assert images.present("a", NAME) and images.refusal(NAME, "amd64", secret=False) == ""
    images.drop(NAME, ["a"])
    assert not images.present("a", NAME) and images.present("b", NAME)
    assert images.refusal(NAME, "amd64", secret=False) == "", "it can be pulled again"
    images.pulled("a", NAME)
    assert images.present("a", NAME)
    images.remove(NAME, ["a", "b"])
    assert not images.present("a", NAME) and not images.present("b", NAME)
    assert images.refusal(NAME, "amd64", secret=True).endswith(f"failed to resolve image: {NAME}: not found")


def test_an_image_that_was_pushed_later_is_on_no_node() -> None:
    images = registry()
    images.add(Image("registry.local/new:1"))
    assert not images.present("a", "registry.local/new:1")
    assert images.refusal("registry.local/new:1", "amd64", secret=False) == ""
    assert images.refusal("registry.local/typo:1", "amd64", secret=False).startswith("rpc error: code = NotFound")


@pytest.mark.parametrize(
    ("image", "secret", "words"),
    [
        (Image(NAME, private=True), False, f"{HEAD}: failed to resolve image: pull access denied, repository"),
        (Image(NAME, private=True), True, ""),
        (Image(NAME, architectures=("arm64",)), True, f"desc = {HEAD}: no match for platform in manifest: not found"),
        (Image(NAME, architectures=("arm64",), listed=False), True, ""),
        (Image(NAME, pushed=False), True, "not found"),
    ],
)
def test_a_refusal_says_why(image: Image, secret: bool, words: str) -> None:
    images = registry()
    images.images[NAME] = image
    said = images.refusal(NAME, "amd64", secret=secret)
    assert words in said and bool(said) is bool(words)


def test_a_registry_that_does_not_answer_names_what_was_asked() -> None:
    images = registry()
    images.refusing = "dial tcp 10.0.0.1:443: i/o timeout"
    asked = "https://registry.local/v2/spark/manifests/4.1.4"
    assert images.refusal(NAME, "amd64", secret=True) == (
        f'{HEAD}: failed to resolve image: failed to do request: Head "{asked}": dial tcp 10.0.0.1:443: i/o timeout'
    )


def container(*args: str, memory: str = "512Mi") -> dict[str, object]:
    return {"args": list(args), "resources": {"limits": {"memory": memory}}}


@pytest.mark.parametrize(
    ("image", "told", "end"),
    [
        (Image(NAME), container(), None),
        (Image(NAME), container("controller", "start", "--namespaces=a", "--enable-metrics"), None),
        (Image(NAME), container("controller", "start", "--namespace=a"), (1, "Error", "unknown flag: --namespace")),
        (Image(NAME), container("webhook", "start", "--whatever"), None),
        (Image(NAME, needs=2**29), container(memory="512Mi"), None),
        (Image(NAME, needs=2**29 + 1), container(memory="512Mi"), (137, "OOMKilled", "")),
        (Image(NAME, ends=3, says="no"), container(), (3, "Error", "no")),
        (Image(NAME, ends=0), container(), (0, "Completed", "")),
        (Image(NAME, architectures=("arm64",)), container(), (255, "Error", "exec format error")),
    ],
)
def test_a_process_ends_of_what_it_was_given(
    image: Image, told: dict[str, object], end: tuple[int, str, str] | None
) -> None:
    found = process_end(image, told, "amd64")
    if end is None:
        assert found is None
    else:
        assert found is not None and (found.code, found.reason) == end[:2] and end[2] in found.says
