"""`action: annotate`: annotations of an object are set, or taken off."""

from __future__ import annotations

import re
from typing import ClassVar

from msgspec import Struct

from console.actions.label import SetLabels


class AnnotateArguments(Struct, frozen=True):
    """`annotations`: key → value; no value takes it off."""

    annotations: dict[str, str | None] | None = None


class Annotate(SetLabels):
    name = "annotate"
    noun = "an annotation"
    asks = "Annotate"
    does = "annotate"
    arguments: ClassVar[type[Struct]] = AnnotateArguments
    field = "annotations"
    fits = re.compile(r"(?s).*")


VERB = Annotate()
