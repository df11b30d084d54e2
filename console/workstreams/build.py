"""The way in: text of an index (and of workstream files) to an `Index` with everything looked up and checked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.workstreams.codes import problem, settle
from console.workstreams.graph import Graph
from console.workstreams.lint import lint_features, lint_rows
from console.workstreams.lint_tail import lint_tail
from console.workstreams.model import Index, Problem
from console.workstreams.parse import parse
from console.workstreams.resolve import Lookup, members, readiness, workstreams
from console.workstreams.text import Decoded, decode


def build(
    text: str | bytes | Decoded, *, file: str = "INDEX.md", files: Sequence[tuple[str, bytes]] | None = None
) -> Index:
    """Read, look up and check an index. Never fails, whatever the text holds.

    Args:
        text: the index; bytes are decoded in whatever encoding they are.
        file: the name that reports show.
        files: (relative path, content) of the individual workstream files, None to look at the index alone.
    """
    from console.workstreams.files import join
    from console.workstreams.lint_files import lint_files

    source = decode(text) if isinstance(text, bytes) else text
    if isinstance(source, str):
        source = Decoded(source, "utf-8")
    parsed = parse(source.text)
    items = workstreams(parsed.features)
    lookup = Lookup(parsed.features, items)
    links = tuple(lookup.links(item) for item in items)
    ready, blocked = readiness(items, links)
    index = Index(
        file=file,
        encoding=source.encoding,
        title=parsed.title,
        preamble=parsed.preamble,
        parts=parsed.parts,
        features=parsed.features,
        members=members(parsed.features, items),
        workstreams=items,
        links=links,
        ready=ready,
        blocked=blocked,
        summary=parsed.summary,
        waves=parsed.waves,
        audits=parsed.audits,
        reviews=parsed.reviews,
        claims=parsed.claims,
        updated=parsed.updated,
    )
    problems: list[Problem] = list(parsed.problems)
    if source.note:
        problems.append(problem("encoding", source.line, source.note))
    problems.extend(lint_rows(index, Graph(index)))
    problems.extend(lint_features(index))
    problems.extend(lint_tail(index))
    if files is not None:
        joined = tuple(join(index, path, content) for path, content in files)
        index = msgspec.structs.replace(index, files=joined)
        problems.extend(lint_files(index))
    return msgspec.structs.replace(index, problems=settle(problems))
