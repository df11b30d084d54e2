"""Tools for those who write runbooks: the words of the language, a new runbook, what has no runbook yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.base.errors import Exit, UsageError
from console.base.text import clean, joined, plural, shorten
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, plain, print_json, say, table

if TYPE_CHECKING:
    from console.runbook.authors.vocabulary import Term
    from console.runbook.model import Runbook

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


@click.command("coverage")
@click.option("--waivers", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="YAML: name → reason.")
@click.option(
    "--alerts", "files", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="To which runbook each alert of this file leads: rules of Prometheus, a PrometheusRule or a ConfigMap.",
)  # fmt: skip
@where_options
@output_option()
def coverage(waivers: Path | None, files: tuple[Path, ...], where: Where, output: str) -> int:
    """Both ways: findings, alerts and components without a runbook, and runbooks that nothing leads to.

    Exit code 1 where something is open and not waived.
    """
    from console.base.document import parse
    from console.cli.library import known_names, read_library
    from console.runbook.authors import covered
    from console.settings.load import load
    from console.settings.presets import load_library

    alerts, objectives = known_names(where)
    settings = load(Path(where.config) if where.config else None)
    components = load_library(settings.folders("preset_paths")).components
    waived = covered.waivers(parse(waivers.read_text(encoding="utf-8"), str(waivers))) if waivers else {}
    books = read_library(where).runbooks.values()
    if files:
        return _coverage_of(files, books, waived, output)
    found = covered.gaps(books, alerts=alerts, objectives=objectives, components=components, waived=waived)
    if output == "json":
        print_json({"kind": "RunbookCoverage", "gaps": [plain(gap) for gap in found]})
    else:
        for gap in found:
            say(f"{gap.what:<10} {gap.name:<36} {gap.because}" + (f" (waived: {gap.waived})" if gap.waived else ""))
    still = [gap for gap in found if not gap.waived]
    narrate(f"{len(still)} open, {len(found) - len(still)} waived")
    return Exit.UNHEALTHY if still else Exit.OK


def _coverage_of(files: Sequence[Path], books: Collection[Runbook], waived: Mapping[str, str], output: str) -> int:
    """Each alert of these files with its runbook, or that the library lacks one."""
    from console.base.document import parse_all
    from console.runbook.authors import led

    found: list[led.AlertLead] = []
    for file in files:
        documents = parse_all(file.read_text(encoding="utf-8"), str(file))
        rules = [rule for document in documents for rule in led.rules_in(document)]
        found += led.leads(rules, str(file), books, waived)
    if not found:
        raise UsageError(
            f"no alert is in {', '.join(map(str, files))}", hint="`groups:` with rules that have an `alert:`"
        )
    if output == "json":
        print_json({"kind": "AlertCoverage", "alerts": [plain(one) for one in found]})
    else:
        rows = [
            (
                clean(one.alert),
                one.runbook or "lacks",
                joined(one.because, one.waived, clean(one.wrong), sep="; "),
                one.place,
            )
            for one in found
        ]
        say(table(("ALERT", "RUNBOOK", "NOTE", "FILE"), rows))
    lacking = [one for one in found if not one.runbook]
    still = [one for one in lacking if not one.waived]
    narrate(f"{plural(len(found), 'alert')}: {len(found) - len(lacking)} lead to a runbook, {len(still)} lack one")
    return Exit.UNHEALTHY if still else Exit.OK
