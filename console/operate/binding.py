"""Which text of a runbook a walk is walked with: the library's while it is the one it began with, else its own copy."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from typing import Protocol

from console.base.errors import UsageError
from console.base.text import clean
from console.operate.journal import Journal, JournalError
from console.runbook import schema
from console.runbook.catalogue import Catalogue
from console.runbook.language.link import link, texts
from console.runbook.model import Runbook
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import Walk, fold


class RunbookSource(Protocol):
    """What the desk needs of `console.sources.files.runbooks.Library`."""

    @property
    def runbooks(self) -> Mapping[str, Runbook]: ...

    @property
    def scripts(self) -> Mapping[str, ScriptSpec]: ...

    @property
    def catalogue(self) -> Catalogue: ...


def load(journal: Journal, walk_id: str) -> Walk:
    """The walk as the journal has it.

    Raises:
        UsageError: it has none of that name.
    """
    events = journal.read(walk_id)
    if not events:
        raise UsageError(f"the journal has no walk {walk_id!r}")
    return fold(events)


def checked(journal: Journal, walk_id: str) -> Walk:
    """The same, with its chain verified: nothing is added to a broken one.

    Raises:
        UsageError, JournalError.
    """
    walk, chain = load(journal, walk_id), journal.verify(walk_id)
    if not chain.ok:
        raise JournalError(f"the journal of walk {walk_id} is broken: {chain.because}", hint="it is not continued")
    return walk


def bound(walk: Walk, library: RunbookSource, *, bind: bool) -> Runbook:
    """The runbook to go on with.

    Args:
        bind: take the stored copy where the library has another text.

    Raises:
        UsageError: the text is another one, and `bind` was not asked for.
    """
    there = library.runbooks.get(walk.runbook)
    now = link(there, library.runbooks) if there is not None else None
    if now is not None and now.hash == walk.hash and texts(now) == walk.parts:
        return now
    if bind:
        return stored(walk)
    what = "is not in the library any more" if now is None else "has another text than when the walk began"
    hint = "`console runbook --resume WALK --stored` goes on with the copy that the walk has stored; or start anew"
    raise UsageError(f"runbook {walk.runbook} {what}", hint=hint)


def stored(walk: Walk) -> Runbook:
    """The runbook out of the walk's first record.

    Raises:
        UsageError: it is not the text that the walk began with, because a secret was taken out of it.
    """
    if hashlib.sha256(walk.text.encode()).hexdigest() != walk.hash:
        raise UsageError(
            f"the copy of runbook {walk.runbook} that was stored is not whole: a secret was taken out of it",
            hint="runbooks must not hold secrets; start anew",
        )
    return schema.walked(walk.text, f"{walk.runbook} as stored in {walk.id}", walk.parts)


def drift(walk: Walk, library: RunbookSource) -> tuple[str, ...]:
    """How the runbook's text differs now from the copy that the walk has stored, as a unified diff."""
    now = library.runbooks.get(walk.runbook)
    news = {} if now is None else {walk.runbook: now.text, **texts(link(now, library.runbooks))}
    olds = {walk.runbook: walk.text, **walk.parts}
    lines: list[str] = []
    for id in dict.fromkeys((*olds, *news)):
        old, new = olds.get(id, "").splitlines(), news.get(id, "").splitlines()
        began, later = (f"{id}, {when}" if len(olds) + len(news) > 2 else when for when in ("as it began", "now"))
        lines += difflib.unified_diff(old, new, began, later, lineterm="", n=2)
    return tuple(clean(line) for line in lines)
