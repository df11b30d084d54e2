"""The way in: text of an index (and of workstream files) to an `Index` with everything looked up and checked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.workstreams.codes import problem, settle
from console.workstreams.derived.graph import Graph
from console.workstreams.derived.links import Lookup, members, readiness, workstreams
from console.workstreams.grammar.encoding import Decoded, decode
from console.workstreams.grammar.parse import parse
from console.workstreams.lint.dates import lint_dates
from console.workstreams.lint.features import lint_features
from console.workstreams.lint.rows import lint_rows
from console.workstreams.lint.tail import lint_tail
from console.workstreams.model import Index, IndexProblem


def build(
    text: str | bytes | Decoded, *, file: str = "INDEX.md", files: Sequence[tuple[str, bytes]] | None = None
) -> Index:
    """Read, look up and check an index. Never fails, whatever the text holds.

    Args:
        text: the index; bytes are decoded in whatever encoding they are.
        file: the name that reports show.
        files: (relative path, content) of the individual workstream files, None to look at the index alone.
    """
    from console.workstreams.grammar.files import join
    from console.workstreams.lint.files import lint_files

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
    problems: list[IndexProblem] = list(parsed.problems)
    if source.note:
        problems.append(problem("encoding", source.line, source.note))
    problems.extend(lint_rows(index, Graph(index)))
    problems.extend(lint_features(index))
    problems.extend(lint_tail(index))
    problems.extend(lint_dates(index))
    if files is not None:
        joined = tuple(join(index, path, content) for path, content in files)
        index = msgspec.structs.replace(index, files=joined)
        problems.extend(lint_files(index))
    return msgspec.structs.replace(index, problems=settle(problems))
