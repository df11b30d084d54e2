"""One application as rules of advice look at it: its configuration with the place of every key, and its version."""

from __future__ import annotations

from functools import cached_property

from console.advice.catalogue import KeyCatalogue, MinorVersion, version_of
from console.advice.model import Advice, Family, Priority, Unjudged
from console.advice.version import VersionStatement, best, versions
from console.apps.evidence import of_rest, of_workload
from console.apps.memory import number, size
from console.base.redact import is_secret_key
from console.base.shapes import mapping
from console.facts.evidence import Evidence
from console.findings.case import Case

_FIELDS = {
    "memory": "spark.{role}.memory",
    "memoryOverhead": "spark.{role}.memoryOverhead",
    "cores": "spark.{role}.cores",
    "instances": "spark.{role}.instances",
}


class View:
    """An application and what it was configured with.

    Attributes:
        conf: keys of the custom resource, of its fields that become keys, and of the driver's own environment page.
        whole: the driver itself said its configuration, so that a key which is missing has its default.
    """

    def __init__(self, case: Case, catalogue: KeyCatalogue) -> None:
        self.case, self.app, self.catalogue = case, case.app, catalogue
        self.whole = bool(case.rest.conf)
        self._fields: dict[str, str] = {}
        self.conf: dict[str, str] = {}
        cr = case.group.cr if case.group is not None else None
        if cr is not None and case.app.launcher == "kubeflow":
            for role in ("driver", "executor"):
                part = mapping(cr.spec.get(role))
                for field, key in _FIELDS.items():
                    if part.get(field) not in (None, ""):
                        name = key.format(role=role)
                        self.conf[name] = str(part[field])
                        self._fields[name] = f"spec.{role}.{field}"
            dynamic = cr.spec.get("dynamicAllocation")
            if isinstance(dynamic, dict) and dynamic.get("enabled") is True:
                tracked = dynamic.get("shuffleTrackingEnabled") is not False
                self.conf["spark.dynamicAllocation.shuffleTracking.enabled"] = str(tracked).lower()
                self._fields["spark.dynamicAllocation.enabled"] = "spec.dynamicAllocation.enabled"
        self.conf.update(case.app.conf)

    # the version -----------------------------------------------------------------------------------------------------

    @cached_property
    def said(self) -> list[VersionStatement]:
        return versions(self.case)

    @cached_property
    def version(self) -> MinorVersion | None:
        found = best(self.said)
        return version_of(found.version) if found is not None else None

    @property
    def version_words(self) -> str:
        found = best(self.said)
        return f"Spark {found.version}" if found is not None else "an unknown version of Spark"

    # values ----------------------------------------------------------------------------------------------------------

    def flag(self, key: str) -> bool | None:
        """True or false as it was set; None where it was not set."""
        value = self.conf.get(key, "").strip().lower()
        return value == "true" if value in ("true", "false") else None

    def amount(self, key: str) -> float | None:
        return number(self.conf[key]) if key in self.conf else None

    def bytes(self, key: str) -> float | None:
        return size(self.conf.get(key))

    @property
    def slots(self) -> float | None:
        """Tasks that run at once when every executor is there; None where executors come and go, or are not known."""
        if self.flag("spark.dynamicAllocation.enabled"):
            return None
        executors = self.app.wanted_executors
        cores = self.amount("spark.executor.cores") or (1.0 if self.whole or self._fields else None)
        return executors * cores // (self.amount("spark.task.cpus") or 1.0) if executors and cores else None

    # saying it -------------------------------------------------------------------------------------------------------

    def place(self, key: str) -> Evidence:
        """Where a key is set, with its value unless it names a secret."""
        cr = self.case.group.cr if self.case.group is not None else None
        value = " (value not shown)" if is_secret_key(key) else f": {self.conf.get(key, '')}"
        if cr is not None:
            if key in self._fields and key not in mapping(cr.spec.get("sparkConf")):
                return of_workload(cr, f"{self._fields[key]}{value}")
            for part, name in (("sparkConf", key), ("hadoopConf", key.removeprefix("spark.hadoop."))):
                if name in mapping(cr.spec.get(part)):
                    return of_workload(cr, f"spec.{part} {name}{value}")
        docs = self.case.rest_docs("environment")
        if docs:
            return of_rest(docs[-1].origin, f"{key}{value}")
        return Evidence("kubernetes", self.case.subject, f"{key}{value}")

    def advise(
        self,
        id: str,
        family: Family,
        priority: Priority,
        statement: str,
        *,
        because: str,
        do: str,
        holds_for: str,
        source: str,
        about: str = "",
        keys: tuple[str, ...] = (),
        evidence: tuple[Evidence, ...] = (),
    ) -> Advice:
        """Advice about this application. `keys` are cited from where they are set."""
        return Advice(
            id,
            family,
            priority,
            self.case.subject,
            statement,
            because,
            do,
            holds_for,
            source,
            about,
            (*(self.place(k) for k in keys if k in self.conf), *evidence),
            self.app.key,
            self.app.namespace,
        )

    def unjudged(self, family: Family, what: str, because: str, needs: str) -> Unjudged:
        return Unjudged(family, what, because, needs, self.case.subject)
