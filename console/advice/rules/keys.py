"""Configuration keys: unknown, of another version, deprecated, removed, and values that Spark cannot read."""

from __future__ import annotations

from console.advice.catalogue import version_of, wrong_value
from console.advice.rule import AdviceAnswer, AppRule
from console.advice.view import View

DOC = "https://spark.apache.org/docs/latest/configuration.html"
MIGRATION = "https://spark.apache.org/docs/latest/migration-guide.html"


def unknown(view: View) -> AdviceAnswer:
    """Keys that no version has: Spark ignores them without a word."""
    for key in sorted(view.conf):
        stranger, near = view.catalogue.stranger(key)
        if stranger:
            yield view.advise(
                "unknown-key",
                "configuration",
                "medium" if near else "low",
                f"{key} is a key of no Spark version" + (f"; did you mean {near}?" if near else ""),
                because="Spark takes keys that it does not know without a warning: what was meant is not set",
                do=f"write {near}" if near else "remove it, or correct its name",
                holds_for=view.catalogue.span,
                source=DOC,
                about=key,
                keys=(key,),
            )


def other_version(view: View) -> AdviceAnswer:
    """Keys that another version has, but not the one that runs."""
    at = view.catalogue.index(view.version)
    if at is None:
        return
    for key in sorted(view.conf):
        known = view.catalogue.keys.get(key)
        if known is None or known.first <= at <= known.last or view.catalogue.is_open(key):
            continue
        if view.version is not None and view.catalogue.retired(key, view.version) is not None:
            continue
        if at < known.first:
            since = view.catalogue.versions[known.first]
            words, do = f"{key} is not there before Spark {since}", f"remove it, or run Spark {since} or later"
        else:
            last = view.catalogue.versions[known.last]
            words, do = f"{key} is gone after Spark {last}", "remove it, or find what took its place"
        yield view.advise(
            "key-of-another-version",
            "configuration",
            "medium",
            words,
            because=f"the application runs {view.version_words}, which does not know the key and ignores it",
            do=do,
            holds_for=f"Spark {view.catalogue.versions[at]}",
            source=DOC,
            about=key,
            keys=(key,),
        )


def retired(view: View) -> AdviceAnswer:
    """Keys that Spark itself calls deprecated or removed in the version that runs."""
    named = sorted(k for k in view.conf if k in view.catalogue.deprecated or k in view.catalogue.removed)
    if not named:
        return
    if view.version is None:
        yield view.unjudged(
            "configuration",
            f"whether {', '.join(named)} are still in use",
            "that depends on the Spark version, which is not known",
            "the version: from the driver's REST API or log, or spec.sparkVersion",
        )
        return
    for key in named:
        found = view.catalogue.retired(key, view.version)
        if found is None:
            continue
        removed = found.how == "removed"
        yield view.advise(
            f"{found.how}-key",
            "configuration",
            "high" if removed else "low",
            f"{key} is {found.how} since Spark {found.since}",
            because="Spark SQL refuses a removed key that is set to another value than its last default"
            if removed
            else "it works for now with a warning, or has no effect any more, and a later version drops it",
            do=f"use {found.instead}" if found.instead else "remove it",
            holds_for=f"Spark {found.since} and later",
            source=MIGRATION,
            about=key,
            keys=(key,),
        )


def value(view: View) -> AdviceAnswer:
    """Values of the wrong type or unit: the application fails when it reads them."""
    at = view.catalogue.index(view.version)
    for key in sorted(view.conf):
        known = view.catalogue.keys.get(key)
        if known is None or (at is not None and not known.first <= at <= known.last):
            continue
        wrong = wrong_value(known.type, view.conf[key])
        if wrong:
            yield view.advise(
                "wrong-value",
                "configuration",
                "high",
                f"{key} is {view.conf[key]!r}: {wrong}",
                because="Spark reads it when it is needed and fails there",
                do=_example(known.type),
                holds_for=f"Spark {view.catalogue.versions[known.first]} to {view.catalogue.versions[known.last]}",
                source=f"{DOC}#spark-properties",
                about=key,
                keys=(key,),
            )


MIB = 2**20
_HEAPS = ("spark.executor.memory", "spark.driver.memory")
_LEAST = 450 * MIB


def unit(view: View) -> AdviceAnswer:
    """Sizes without a unit that come out far too small: a bare number is MiB for heaps and bytes elsewhere."""
    for key in _HEAPS:
        heap = view.bytes(key)
        if heap is not None and heap < _LEAST:
            yield view.advise(
                "heap-too-small",
                "configuration",
                "high",
                f"{key} is {view.conf[key]}: less than the 450m that Spark needs",
                because="Spark refuses to start with less than 1.5 times the 300 MiB that it reserves; "
                "a number without a unit counts MiB",
                do="write the unit: 2g",
                holds_for="Spark 1.6 and later",
                source=f"{DOC}#application-properties",
                about=key,
                keys=(key,),
            )
    key = "spark.memory.offHeap.size"
    if view.flag("spark.memory.offHeap.enabled") and key in view.conf and view.conf[key].strip().isdigit():
        amount = int(view.conf[key])
        if amount < 16 * MIB:
            yield view.advise(
                "off-heap-too-small",
                "configuration",
                "medium",
                f"{key} is {amount} bytes",
                because="here a number without a unit counts bytes, not MiB: that is next to nothing",
                do="write the unit: 2g",
                holds_for="Spark 1.6 and later",
                source=f"{DOC}#memory-management",
                about=key,
                keys=(key,),
            )


def uncatalogued(view: View) -> AdviceAnswer:
    """Say that keys could not be compared with a version that the catalogue does not have."""
    if view.conf and view.version is not None and view.catalogue.index(view.version) is None:
        oldest, newest = (version_of(v) for v in (view.catalogue.versions[0], view.catalogue.versions[-1]))
        if oldest is not None and newest is not None:
            yield view.unjudged(
                "configuration",
                "whether its version has every key",
                f"it runs {view.version_words}; the keys of {view.catalogue.span} are known",
                "",
            )
    elif view.conf and view.version is None:
        yield view.unjudged(
            "configuration",
            "whether its version has every key",
            "the Spark version is not known",
            "the version: from the driver's REST API or log, or spec.sparkVersion",
        )


def _example(type_: str) -> str:
    kind, _, more = type_.partition(":")
    return {
        "bool": "write true or false",
        "int": "write a whole number",
        "number": "write a number",
        "bytes": "write a whole number with k, m, g or t: 4g",
        "time": "write a whole number with ms, s, m, h or d: 30s",
        "enum": f"write one of {', '.join(more.split('|'))}",
    }.get(kind, "correct it")


RULES = [
    AppRule("unknown-key", "configuration", unknown),
    AppRule("key-of-another-version", "configuration", other_version),
    AppRule("retired-key", "configuration", retired),
    AppRule("wrong-value", "configuration", value),
    AppRule("unit", "configuration", unit),
    AppRule("uncatalogued", "configuration", uncatalogued),
]
