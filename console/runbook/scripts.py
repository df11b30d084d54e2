"""A script of the library as data: what it does, whether it writes, and its typed arguments. Nothing here runs it.

`scripts/lower-executor-cores.yaml` describes `scripts/lower-executor-cores.py` beside it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from console.actions.effects import CallVerb, Subresource
from console.base import decode
from console.base.document import Document, parse
from console.base.errors import did_you_mean
from console.runbook.documents import Id, Name, NonEmptyText
from console.runbook.model import Input, InputType
from console.runbook.types import convert

CALLS = "add calls: [{verbs: [patch], apiVersion: …, kind: …}]"
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
    api_version: NonEmptyText
    kind: NonEmptyText
    subresource: Subresource = ""


class ScriptObject(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    """One object of a script's test."""

    api_version: NonEmptyText
    kind: NonEmptyText
    name: NonEmptyText
    namespace: str = ""


class ScriptTest(Struct, frozen=True, forbid_unknown_fields=True):
    """One test of a script, alone: what stands in the cluster, what it is given, and what becomes of it.

    Attributes:
        objects: manifests that stand in an otherwise empty cluster.
        about: the objects that its calls are about; the first is the target.
        changes: JSON pointer → value (None: gone) of all fields of the target that the run changes.
        exit: the exit code.
        says: a text that stands in its output.
    """

    arguments: dict[Name, Any]
    objects: list[dict[str, Any]] = []
    about: list[ScriptObject] = []
    changes: dict[str, Any] = {}
    exit: int = 0
    says: str = ""


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
    title: NonEmptyText
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", extra={"says": "a file in the same folder"})]
    interpreter: Interpreter
    effect: Literal["read", "write"]
    touches: list[str] = []
    calls: list[KindCalls] = []
    description: str = ""
    arguments: dict[Name, ScriptArgument] = {}
    tests: dict[Id, ScriptTest] = {}


class ScriptSpec(Struct, frozen=True):
    """A script that runbooks may call.

    Attributes:
        path: absolute path of the script file.
        interpreter: `python` (the one that runs Console) or `sh`.
        touches: JSON pointers of the fields that a write script changes on its target.
        calls: what a write script sends to the API server, by kind.
        arguments, tests: by name.
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
    tests: dict[str, ScriptTest] = {}

    def flag(self, name: str) -> str:
        """The flag of an argument."""
        given = self.arguments[name].flag
        return f"--{name.replace('_', '-')}" if given is None else given


def argument_word(name: str, type: InputType, value: Any) -> str:
    """The one word of an argv that a value becomes, never through a shell.

    Raises:
        ValueError: it is not of the type, looks like a flag, or leads to a person's files.
    """
    choices = (str(value),) if type == "enum" else ()
    word = convert(Input(name, type, choices=choices), value)
    text = str(word).lower() if isinstance(word, bool) else str(word)
    if text.startswith("-") and type not in ("int", "float"):
        raise ValueError(f"{text!r} looks like a flag")
    if theirs := persons_file(text):
        raise ValueError(f"{text!r} leads to {theirs}, which no script is given")
    return text


def load(text: str, file: str, folder: str) -> ScriptSpec:
    """The script that `text` describes; `folder` is the absolute folder of the file.

    Raises:
        DocumentError: file, line, column and key of the first problem.
    """
    document = parse(text, file)
    doc = decode.decode(document, ScriptFile)
    _hold(document, doc)
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
        tests=dict(doc.tests),
    )


def _hold(document: Document, doc: ScriptFile) -> None:
    """What the file says of itself holds together. Raises DocumentError."""
    if doc.effect == "read" and (doc.calls or doc.touches):
        key = "calls" if doc.calls else "touches"
        raise document.error(
            (key,), "a script that only reads changes nothing", hint=f"remove `{key}`, or `effect: write`"
        )
    if doc.effect == "write" and not doc.calls:
        raise document.error(("effect",), "it writes and declares no call, so nothing is passed on", hint=CALLS)
    for index, call in enumerate(doc.calls):
        if call.kind == "Secret":
            said = "Secrets are neither read nor written by scripts"
            raise document.error(("calls", index, "kind"), said, hint="make it a manual step")
    for index, pointer in enumerate(doc.touches):
        if not pointer.startswith("/"):
            hint = "/" + pointer.replace(".", "/")
            raise document.error(("touches", index), f"{pointer!r} is no JSON pointer", hint=hint)
    for name, test in doc.tests.items():
        _hold_test(document, doc, name, test)


def _hold_test(document: Document, doc: ScriptFile, name: str, test: ScriptTest) -> None:
    at: tuple[str | int, ...] = ("tests", name)
    for argument, value in test.arguments.items():
        if argument not in doc.arguments:
            said = f"the script has no argument {argument!r}"
            raise document.error((*at, "arguments", argument), said, hint=did_you_mean(argument, doc.arguments))
        try:
            argument_word(argument, doc.arguments[argument].type, value)
        except ValueError as error:
            raise document.error((*at, "arguments", argument), str(error)) from None
    missing = [a for a, wanted in doc.arguments.items() if wanted.required and a not in test.arguments]
    if missing:
        raise document.error((*at, "arguments"), f"the script needs the argument {missing[0]!r}")
    kinds = {(call.api_version, call.kind) for call in doc.calls}
    for index, one in enumerate(test.about):
        if (one.api_version, one.kind) not in kinds:
            said = f"the script declares no call on a {one.kind} of {one.api_version}"
            raise document.error((*at, "about", index), said, hint=did_you_mean(one.kind, [kind for _, kind in kinds]))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of such a file."""
    return {**decode.schema(ScriptFile), "title": "Script"}
