"""Catalogs and buckets that Spark configurations name, and whether anything makes them, as far as that can be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from console.facts.model import Facts, Workload
from console.facts.objectpaths import walk
from console.facts.references import POD_SPEC, Reference, spark_conf

CATALOG, BUCKET = "Catalog", "Bucket"
_CATALOG = "spark.sql.catalog."
_SESSION = "spark_catalog"
"""The catalog of every session: it is there without being configured."""
_IN_S3 = re.compile(r"\bs3a?://([a-z0-9][a-z0-9.-]+[a-z0-9])")
_MADE = re.compile(r"\bmc (?:mb|make-bucket) (?:--?[a-z-]+ )*[\w-]+/([a-z0-9][a-z0-9.-]+[a-z0-9])")
_MAKES = re.compile(r"\bmc (?:mb|make-bucket)\b|\baws s3 mb\b|create-bucket")
_VARIABLE = re.compile(r"\bmc (?:mb|make-bucket) [^\n]*\$")


def missing_storage(facts: Facts) -> tuple[Reference, ...]:
    """Catalogs that are named and have no class, and buckets that no Job beside the object store makes."""
    out: list[Reference] = []
    living = [one for one in (*facts.workloads, *facts.spark) if not one.gone]
    made = _made(living)
    confs = {one.key: dict(spark_conf(one)) for one in living}
    classes = {(one.namespace, name) for one in living for name in _with_class(confs[one.key])}
    for one in living:
        conf = confs[one.key]
        out += (named for named in _catalogs(one, conf) if (one.namespace, named.name) not in classes)
        texts = [*conf.items(), *_environment(one)]
        buckets = made.get(one.namespace)
        if buckets is not None:
            out += (
                Reference(one.key, field, BUCKET, one.namespace, name, found)
                for field, found, name in _buckets(texts)
                if name not in buckets
            )
    return tuple(dict.fromkeys(out))


def _with_class(conf: Mapping[str, str]) -> set[str]:
    return {name for key in conf if key.startswith(_CATALOG) and "." not in (name := key.removeprefix(_CATALOG))}


def _catalogs(one: Workload, conf: Mapping[str, str]) -> Iterable[Reference]:
    """The default catalog, and those of which options are set."""
    named = {"spark.sql.defaultCatalog": conf.get("spark.sql.defaultCatalog", "")}
    named |= {key: name for key in conf if key.startswith(_CATALOG) and "." in (rest := key.removeprefix(_CATALOG))
              and (name := rest.partition(".")[0])}  # fmt: skip
    told: set[str] = {"", _SESSION}
    for field, name in named.items():
        if name not in told:
            told.add(name)
            yield Reference(one.key, field, CATALOG, one.namespace, name, f"{field}={conf[field]}")


def _made(living: Iterable[Workload]) -> dict[str, set[str]]:
    """Namespace -> buckets that Jobs there make; without those where a Job makes some whose names cannot be read."""
    out: dict[str, set[str]] = {}
    unknown: set[str] = set()
    for one in living:
        if one.kind != "Job":
            continue
        text = "\n".join(_texts(one))
        if _MAKES.search(text):
            out.setdefault(one.namespace, set()).update(_MADE.findall(text))
            if _VARIABLE.search(text) or not _MADE.search(text):
                unknown.add(one.namespace)
    return {space: buckets for space, buckets in out.items() if space not in unknown}


def _texts(one: Workload) -> Iterable[str]:
    for part in ("containers", "initContainers"):
        for field in ("command", "args"):
            yield from map(str, walk({"spec": one.spec}, f"{POD_SPEC['Job']}.{part}.*.{field}.*"))


def _environment(one: Workload) -> Iterable[tuple[str, str]]:
    pod = POD_SPEC.get(one.kind)
    for item in walk({"spec": one.spec}, f"{pod}.containers.*.env.*") if pod is not None else ():
        if isinstance(item, Mapping) and isinstance(item.get("value"), str):
            yield f"env {item.get('name')}", item["value"]


def _buckets(texts: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str, str]]:
    for field, text in texts:
        for found in _IN_S3.finditer(text):
            yield field, found[0], found[1]
