"""Images: what the registry of the world holds, what nodes have of it, and what lies in an image."""

from __future__ import annotations

from dataclasses import dataclass, field

NOT_FOUND = "rpc error: code = NotFound desc = "
"""The kubelet leaves the code of an error of containerd away only where it is Unknown."""


@dataclass
class Image:
    """One image of the registry.

    Attributes:
        architectures: for which it was built.
        listed: it is a list of manifests, one for each architecture; else the one that there is is pulled anywhere.
        private: only who brings a pull secret gets it.
        needs: bytes that its process needs to start.
        ends: exit code with which its process ends at once; None: it runs on.
        says: what it writes before that.
        listens: ports that it listens on; empty: those that the pod declares.
        pushed: it lies in the registry.
    """

    name: str
    architectures: tuple[str, ...] = ("amd64", "arm64")
    listed: bool = True
    private: bool = False
    needs: int = 0
    ends: int | None = None
    says: str = ""
    listens: tuple[int, ...] = ()
    pushed: bool = True


@dataclass
class ImageRegistry:
    """What can be pulled, and what nodes have already."""

    images: dict[str, Image] = field(default_factory=dict)
    refusing: str = ""
    """What a pull says while the registry does not answer; empty: it answers."""
    fresh: set[str] = field(default_factory=set)
    """Images that no node had when the world began."""
    _pulled: set[tuple[str, str]] = field(default_factory=set)
    _dropped: set[tuple[str, str]] = field(default_factory=set)

    def add(self, image: Image) -> None:
        """Push an image; nodes do not have it yet."""
        self.images[image.name] = image
        self.fresh.add(image.name)

    def stocked(self, name: str) -> None:
        """An image that every node has had since before the world began."""
        self.images.setdefault(name, Image(name))

    def of(self, name: str) -> Image:
        """What lies in an image; of one that nobody knows: nothing special."""
        return self.images.get(name) or Image(name)

    def present(self, node: str, name: str) -> bool:
        """Whether a node has it."""
        if (node, name) in self._pulled:
            return True
        return name in self.images and name not in self.fresh and (node, name) not in self._dropped

    def pulled(self, node: str, name: str) -> None:
        """A node has it now."""
        self._pulled.add((node, name))

    def remove(self, name: str, nodes: list[str]) -> None:
        """It is gone from the registry, and those nodes have collected it."""
        if name in self.images:
            self.images[name].pushed = False
        self.drop(name, nodes)

    def drop(self, name: str, nodes: list[str]) -> None:
        """Those nodes have collected it; the registry still has it."""
        for node in nodes:
            self._pulled.discard((node, name))
            self._dropped.add((node, name))

    def refusal(self, name: str, architecture: str, *, secret: bool) -> str:
        """What a pull fails with, as containerd says it; empty: it succeeds."""
        head = f'failed to pull and unpack image "{name}"'
        if self.refusing:
            host, _, rest = name.partition("/")
            repository, _, tag = rest.rpartition(":")
            url = f"https://{host}/v2/{repository}/manifests/{tag}"
            return f'{head}: failed to resolve image: failed to do request: Head "{url}": {self.refusing}'
        image = self.images.get(name)
        if image is None or not image.pushed:
            return f"{NOT_FOUND}{head}: failed to resolve image: {name}: not found"
        if image.private and not secret:
            return (
                f"{head}: failed to resolve image: pull access denied, repository does not exist or may require "
                "authorization: authorization failed: no basic auth credentials"
            )
        if image.listed and architecture not in image.architectures:
            return f"{NOT_FOUND}{head}: no match for platform in manifest: not found"
        return ""
