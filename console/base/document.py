"""YAML documents that remember where each value stands, so that an error can name file, line, column and key."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from console.base.errors import DocumentError, did_you_mean
from console.base.text import shorten
from console.base.units import parse_number

Path = tuple[str | int, ...]
MAX_BYTES = 4_000_000
"""Characters of a text, and of all that its aliases repeat."""
MAX_NODES = 200_000
MAX_DEPTH = 60

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document:
    """One parsed YAML document.

    Attributes:
        file: the name that errors show.
        data: plain dicts, lists, strings, numbers, booleans, None. Dates stay strings, as do numbers that are not
            finite or need more than 64 bits: JSON can hold all of it.
    """

    def __init__(
        self,
        file: str,
        data: Any,
        marks: dict[Path, tuple[int, int]],
        text: str,
        written: dict[Path, str] | None = None,
    ) -> None:
        self.file, self.data, self.text = file, data, text
        self._marks, self._written = marks, written or {}

    def line(self, path: Iterable[str | int]) -> int:
        """Line (from 1) of the key or item at `path`, or of the nearest parent that has one."""
        return self.mark(path)[0]

    def mark(self, path: Iterable[str | int]) -> tuple[int, int]:
        """Line and column (from 1) of the key or item at `path`, or of its nearest known parent."""
        at = tuple(path)
        while at and at not in self._marks:
            at = at[:-1]
        return self._marks.get(at, (1, 1))

    def holding(self, data: Any) -> Document:
        """The same places with other data: for documents that are laid over each other."""
        return Document(self.file, data, self._marks, self.text, self._written)

    def written(self, path: Iterable[str | int], value: Any) -> Any:
        """The number or truth value at `path` as it stands in the file (`no`, `22:15`, `1.10`), else `value`."""
        return self._written.get(tuple(path), value)

    def error(self, path: Iterable[str | int], message: str, *, hint: str | None = None) -> DocumentError:
        """An error that points at `path`."""
        at = tuple(path)
        line, column = self.mark(at)
        return DocumentError(message, file=self.file, line=line, column=column, key=dotted(at), hint=hint)

    def unknown_key(self, path: Iterable[str | int], key: str, known: Iterable[str]) -> DocumentError:
        """The error for a key that means nothing here."""
        return self.error((*path, key), f"unknown key {key!r}", hint=did_you_mean(key, known))


def dotted(path: Iterable[str | int]) -> str:
    """`steps[2].change.target` of `("steps", 2, "change", "target")`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else str(part))
    return out


def parse(text: str, file: str) -> Document:
    """The single YAML document in `text`.

    Raises:
        DocumentError: it is no YAML, has duplicate keys, aliases, several documents, or is unreasonably large.
    """
    if len(text) > MAX_BYTES:
        raise DocumentError(f"the file is larger than {MAX_BYTES // 1_000_000} MB", file=file)
    if not text.isprintable() and (bad := _forbidden(text)) is not None:
        line = text.count("\n", 0, bad) + 1
        raise DocumentError(f"character U+{ord(text[bad]):04X} is not allowed in YAML", file=file, line=line)
    try:
        if len(text) > MAX_NODES and _nodes(text) > MAX_NODES:
            raise DocumentError(f"the document has more than {MAX_NODES} nodes", file=file)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(
            error.problem or "this is no YAML",
            file=file,
            line=mark.line + 1 if mark else 0,
            column=mark.column + 1 if mark else 0,
            hint=error.context,
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentError(f"this is no YAML: {str(error).splitlines()[0]}", file=file) from None
    marks: dict[Path, tuple[int, int]] = {}
    if node is None:
        return Document(file, None, marks, text)
    builder = _DocumentBuilder(file, marks)
    return Document(file, builder.build(node, ()), marks, text, builder.written)


def parse_all(text: str, file: str) -> list[Document]:
    """Every YAML document in `text`; lines are those of the whole file. Documents that hold nothing are left out.

    Raises:
        DocumentError: as `parse`, for the first document that is wrong.
    """
    parts: list[list[str]] = [[]]
    for number, line in enumerate(text.split("\n")):
        if line.rstrip() == "---" or line.startswith("--- "):
            parts.append([""] * (number + 1))
        else:
            parts[-1].append(line)
    found = [parse("\n".join(part), file) for part in parts]
    return [document for document in found if document.data is not None]


def _forbidden(text: str) -> int | None:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return found.start() if found else None


def _nodes(text: str) -> int:
    """How many nodes a text has, as far as it matters, counted without keeping them: a node takes 500 bytes."""
    events = (event for event in yaml.parse(text, Loader=_LOADER) if isinstance(event, yaml.NodeEvent))
    return sum(1 for _ in itertools.islice(events, MAX_NODES + 1))


_TEXTS = frozenset({"str", "timestamp", "value", "merge"})
_NUMBERS = frozenset({"int", "float"})
_LONGEST = 100
"""Characters of a scalar that can be a number."""


class _DocumentBuilder:
    def __init__(self, file: str, marks: dict[Path, tuple[int, int]]) -> None:
        self.file, self.marks = file, marks
        self.written: dict[Path, str] = {}
        self.seen: set[int] = set()
        self.nodes = self.characters = 0
        self.resolver = yaml.SafeLoader("")

    def fail(self, node: yaml.Node, message: str, path: Path) -> DocumentError:
        mark = node.start_mark
        return DocumentError(message, file=self.file, line=mark.line + 1, column=mark.column + 1, key=dotted(path))

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail(node, f"the document has more than {MAX_NODES} nodes", path)
        if id(node) in self.seen and not isinstance(node, yaml.ScalarNode):
            raise self.fail(node, "aliases are not allowed here", path)
        if len(path) > MAX_DEPTH:
            raise self.fail(node, "the document is nested too deeply", path)
        self.seen.add(id(node))
        self.marks.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.fail(key_node, "a key must be a plain word", path)
            key = self.text(key_node, path)
            if key in out:
                raise self.fail(key_node, f"key {key!r} stands here twice", (*path, key))
            at = (*path, key)
            self.marks[at] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            out[key] = self.build(value_node, at)
        return out

    def scalar(self, node: yaml.Node, path: Path) -> Any:
        text, kind = self.text(node, path), node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in _TEXTS or (kind in _NUMBERS and len(text) > _LONGEST):
            return text
        if kind not in _NUMBERS and kind not in ("bool", "null"):
            raise self.fail(node, f"tag {node.tag!r} is not allowed", path)
        try:
            value = self.resolver.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError):
            raise self.fail(node, f"{shorten(text, 40)!r} is no {kind}", path) from None
        if kind != "null":
            self.written[path] = text
        return text if kind in _NUMBERS and parse_number(value) is None else value

    def text(self, node: yaml.Node, path: Path) -> str:
        """The text of a scalar. A short document can say a long text many times, by aliases."""
        self.characters += len(node.value)
        if self.characters > MAX_BYTES:
            raise self.fail(node, "aliases repeat too much text here", path)
        return str(node.value)


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a plain tree with its path, parents first."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))
