"""Verbs that change things: what each needs, sends, means and leaves behind. Described here; `operate` alone sends.

Every module here with a `VERB` takes part, those of the folders too; none is registered elsewhere.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from console.actions.verb import Verb
from console.base.errors import UsageError, did_you_mean


@cache
def verbs() -> dict[str, Verb]:
    """Name → verb, in the order of their names."""
    found: dict[str, Verb] = {}
    for info in pkgutil.walk_packages(__path__, f"{__name__}."):
        verb = getattr(import_module(info.name), "VERB", None)
        if isinstance(verb, Verb):
            if verb.name in found:
                raise TypeError(f"two verbs are called {verb.name!r}")
            found[verb.name] = verb
    return dict(sorted(found.items()))


def verb_of(action: str) -> Verb:
    """The verb of an effect.

    Raises:
        UsageError: there is none of this name (a journal of a newer version).
    """
    found = verbs().get(action)
    if found is None:
        raise UsageError(f"this version of Console knows no action {action!r}", hint=did_you_mean(action, verbs()))
    return found
