"""A script of the library as data: what it does, whether it writes, and its typed arguments. Nothing here runs it.

`scripts/lower-executor-cores.yaml` describes `scripts/lower-executor-cores.py` beside it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from console.actions.effects import CallVerb, Subresource
from console.base import decode
from console.base.document import parse
from console.runbook.documents import Id, Name, Text
from console.runbook.model import InputType

Interpreter = Literal["python", "sh"]
_PERSONAL = re.compile(
    r"(^|[=:,\s'\"])~[\w.-]*(/|$)|\$\{?(HOME|KUBECONFIG)\b|(^|[=:,\s'\"])/(home|root|Users)(/|$)|/var/run/secrets|/proc/"
    r"|(^|[/=])\.(kube|ssh|aws|azure|netrc|docker|gnupg)\b|\.config/gcloud|kubeconfig",
    re.IGNORECASE,
)


def persons_file(word: str) -> str:
    """What of a person a word of an argv visibly leads to (`~/.kube/config`), `` where it does not."""
    found = _PERSONAL.search(word)
    return "" if found is None else f"a person's files ({found.group().strip('=:, ') or word.strip()})"


class ScriptArgument(Struct, frozen=True, forbid_unknown_fields=True):
    """One argument that the script takes, after its flag."""

    type: InputType
    title: str = ""
    required: bool = True
    flag: str | None = None


class KindCalls(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    """What the script sends to objects of one kind; the step that runs it names the objects."""

    verbs: Annotated[list[CallVerb], Meta(min_length=1)]
    api_version: Text
    kind: Text
    subresource: Subresource = ""


class ScriptFile(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"api_version": "apiVersion"},
):
    """The file that describes a script."""

    api_version: Literal["console/v1"]
    kind: Literal["Script"]
    name: Id
    title: Text
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", extra={"says": "a file in the same folder"})]
    interpreter: Interpreter
    effect: Literal["read", "write"]
    touches: list[str] = []
    calls: list[KindCalls] = []
    description: str = ""
    arguments: dict[Name, ScriptArgument] = {}


class ScriptSpec(Struct, frozen=True):
    """A script that runbooks may call.

    Attributes:
        path: absolute path of the script file.
        interpreter: `python` (the one that runs Console) or `sh`.
        touches: JSON pointers of the fields that a write script changes on its target.
        calls: what a write script sends to the API server, by kind.
        arguments: by name.
    """

    name: str
    title: str
    path: str
    interpreter: Interpreter
    effect: Literal["read", "write"]
    touches: tuple[str, ...] = ()
    description: str = ""
    arguments: dict[str, ScriptArgument] = {}
    file: str = ""
    calls: tuple[KindCalls, ...] = ()

    def flag(self, name: str) -> str:
        """The flag of an argument."""
        given = self.arguments[name].flag
        return f"--{name.replace('_', '-')}" if given is None else given


def load(text: str, file: str, folder: str) -> ScriptSpec:
    """The script that `text` describes; `folder` is the absolute folder of the file.

    Raises:
        DocumentError: file, line, column and key of the first problem.
    """
    doc = decode.decode(parse(text, file), ScriptFile)
    return ScriptSpec(
        name=doc.name,
        title=doc.title,
        path=f"{folder}/{doc.file}",
        interpreter=doc.interpreter,
        effect=doc.effect,
        touches=tuple(doc.touches),
        description=doc.description,
        arguments=dict(doc.arguments),
        file=file,
        calls=tuple(doc.calls),
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of such a file."""
    return {**decode.schema(ScriptFile), "title": "Script"}
