"""Tools for those who write runbooks: the words of the language, a new runbook, what has no runbook yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.base.errors import Exit, UsageError
from console.base.text import clean, shorten
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, plain, print_json, say

if TYPE_CHECKING:
    from console.runbook.authors.importing.evidence import EvidenceProposal
    from console.runbook.authors.importing.page import MarkdownPage, PageItem
    from console.runbook.authors.vocabulary import Term
    from console.runbook.catalogue import Catalogue

SHOWN_WHOLE = 6
"""Words that are shown with everything; more are shown as a list."""
WIDTH = 70
"""Characters of what a list says of a word; the word alone is shown with all of it."""


@click.command("vocabulary")
@click.argument("word", default="")
@where_options
@output_option()
def vocabulary(word: str, where: Where, output: str) -> int:
    """Words that a runbook can say: a topic (findings, verbs, names, filters …), one word, or what speaks of it."""
    from console.cli.library import known_names, read_library
    from console.runbook.authors.vocabulary import TOPICS, search, terms

    library = read_library(where).knowing(*known_names(where))
    found = search(terms(library.catalogue, _faults()), word)
    if not found:
        raise UsageError(f"no word speaks of {clean(word)!r}", hint=f"topics: {', '.join(TOPICS)}")
    if output == "json":
        print_json({"kind": "Vocabulary", "terms": [plain(term) for term in found]})
        return Exit.OK
    topic = ""
    for term in found:
        if term.topic != topic:
            say(("\n" if topic else "") + term.topic.upper())
            topic = term.topic
        say("\n".join(_whole(term) if len(found) <= SHOWN_WHOLE else _short(term)))
    return Exit.OK


def _faults() -> list[Term]:
    from console.drill.scenario.faults import faults
    from console.runbook.authors.vocabulary import Term

    return [
        Term("faults", kind, f"a fault of a drill, on {fault.on or 'the world'}", f"kind: {kind}", tuple(fault.options))
        for kind, fault in faults().items()
    ]


def _short(term: Term) -> list[str]:
    return [f"  {term.word:<28} {shorten(' '.join(term.says.split()), WIDTH)}".rstrip()]


def _whole(term: Term) -> list[str]:
    keys = [f"    keys: {', '.join(term.keys)}"] if term.keys else []
    example = [f"    {line}" for line in term.example.split("\n")] if term.example else []
    return [f"  {term.word}", f"    {term.says}", *keys, *(["    example:"] if example else []), *example]


@click.command("new")
@click.argument("id")
@click.option("--about", default=None, help="What a walk is about, like `component spark-operator`, node or app.")
@click.option("--finding", default=None, help="The finding that leads to it; `console runbooks vocabulary findings`.")
@click.option("--verb", default=None, help="What it changes: a verb, or `none`.")
@click.option("--title", default=None, help="What is wrong, in one sentence.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("runbooks"), show_default=True)
def new(id: str, about: str | None, finding: str | None, verb: str | None, title: str | None, folder: Path) -> int:
    """Write a new runbook that passes lint, its drill that passes, and the schema by which editors complete it.

    What is not given is asked for; nothing is overwritten.
    """
    from datetime import UTC, datetime

    from console.base.jsontext import json_text
    from console.rehearse import newdrill
    from console.runbook.authors import scaffold
    from console.runbook.schema import json_schema, load
    from console.sources.files.runbooks import Library

    scaffold.check("id", id)
    answers = scaffold.Answers(
        id=id,
        about=about or _asked("about", "What is it about (app, component ID, node, schedule, object KIND, cluster)"),
        finding=finding or _asked("finding", "Which finding leads to it (console runbooks vocabulary findings)"),
        verb=verb or _asked("verb", "What does it change (a verb, or none)", default="none"),
        title=title or click.prompt("What is wrong, in one sentence"),
        day=datetime.now(UTC).date().isoformat(),
    )
    text, file = scaffold.runbook(answers), folder / f"{id}.yaml"
    book, beside = load(text, str(file)), newdrill.drill_file(folder, id)
    found = newdrill.recipe(answers.finding, book.about[0], Library.read().runbooks)
    for there in (file, beside):
        if there.exists():
            raise UsageError(f"{there} is there already", hint="choose another name, or edit it")
    beside.parent.mkdir(parents=True, exist_ok=True)
    for path, content in ((file, text), (beside, newdrill.drill(book, found))):
        with path.open("x", encoding="utf-8") as out:
            out.write(content)
        say(str(path))
    (folder / scaffold.SCHEMA).write_text(json_text(json_schema()), encoding="utf-8")
    if found is None:
        narrate(f"no shipped drill shows {answers.finding} of {answers.about}: its drill breaks nothing yet")
    narrate(f"check it with: console runbooks lint {file} {beside}")
    narrate(f"play it with: console runbooks test {file}")
    return Exit.OK


def _asked(key: str, question: str, default: str | None = None) -> str:
    """An answer that means something: another one is said to be wrong, with what would do, and asked for again."""
    from console.runbook.authors import scaffold

    while True:
        answer = str(click.prompt(question, default=default)).strip()
        try:
            scaffold.check(key, answer)
            return answer
        except UsageError as error:
            narrate(f"{error.message}: {error.hint}")


@click.command("import")
@click.argument("page", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--alert", default="", help="The alert that leads to it, where neither heading nor file is named by it.")
@click.option("--owner", default="nobody yet", show_default=True, help="Whom to ask about the runbook.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("runbooks"), show_default=True)
def import_(page: Path, alert: str, owner: str, folder: Path) -> int:
    """Make a runbook of a Markdown page: its commands become manual steps, never a change.

    A command that only reads may become evidence that Console reads itself, where you say so when you are asked.
    """
    from datetime import UTC, datetime

    from msgspec.structs import replace

    from console.runbook import schema
    from console.runbook.authors.importing import book
    from console.runbook.authors.importing.page import read
    from console.runbook.lint.run import lint
    from console.sources.files.runbooks import read_catalogue

    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{page} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    found, catalogue = read(text, str(page), alert or page.stem), read_catalogue()
    found = replace(found, alert=alert) if alert else found
    day = datetime.now(UTC).date().isoformat()
    made = book.text(found, _confirmed(found, catalogue), owner=owner, day=day)
    file = folder / f"{book.id_of(found.alert)}.yaml"
    if file.exists():
        raise UsageError(f"{file} is there already", hint="move it away first")
    problems = lint(schema.load(made, str(file)), scripts={}, catalogue=catalogue)
    wrong = [one for one in problems if one.severity == "error"]
    for one in wrong:
        narrate(f"{one.place}: {one.message}")
    folder.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as out:
        out.write(made)
    say(str(file))
    narrate(f"read it with: console runbooks show {file}")
    return Exit.UNHEALTHY if wrong else Exit.OK


def _confirmed(page: MarkdownPage, catalogue: Catalogue) -> dict[PageItem, EvidenceProposal]:
    """Commands that a person says to be evidence; where nobody answers, none."""
    from console.runbook.authors.importing.evidence import proposal

    out = {}
    for item in (item for part in page.sections.values() for item in part):
        proposed = proposal(item, catalogue)
        if proposed is None:
            continue
        narrate(f"the page says: {clean(item.text)}")
        try:
            if click.confirm(f"Shall Console {clean(proposed.words)} and show it", default=False, err=True):
                out[item] = proposed
        except click.Abort:
            break
    return out
