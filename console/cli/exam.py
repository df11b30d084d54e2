"""`console exam`: how well labelled cases of failures are answered."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from console.base.errors import Exit, UsageError
from console.base.text import clean
from console.cli.options import output_option
from console.cli.output import plain, print_json, say, table

if TYPE_CHECKING:
    from console.findings.exam import Label, Scored

LABELS = "labels.json"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@output_option()
def command(folder: Path, output: str) -> int:
    """How well labelled cases are answered: DIR holds a folder or file for each case, and `labels.json`.

    A label is {"cause": regular expression that the first finding must match, "classes": accepted classes (null for
    none), "not": codes or classes that are confidently wrong, "kind": what to count it under}; without a cause nothing
    may be found. Exit code 0: no case is wrong or silent; 1: some are; 2: there are no labels, or they are none.
    """
    from console.findings.exam import RESULTS, counted

    cases = examined(folder)
    kinds = counted(cases)
    total = {result: sum(1 for one in cases if one.result == result) for result in RESULTS}
    seconds = round(sum(one.seconds for one in cases), 3)
    if output == "json":
        print_json({"cases": plain(cases), "total": total, "kinds": plain(kinds), "seconds": seconds})
    else:
        rows = [(c.result, c.case, f"{c.seconds:.2f}", c.first or "-", c.why) for c in cases]
        counts = [(kind, *(str(count[result]) for result in RESULTS)) for kind, count in kinds.items()]
        said = ", ".join(f"{count} {result}" for result, count in total.items())
        heads = [result.upper() for result in RESULTS]
        lines = (
            table(("RESULT", "CASE", "SECONDS", "FIRST FINDING", "WHY"), rows), "",
            table(("KIND", *heads), counts), "", f"{len(cases)} cases in {seconds:.1f} s: {said}",
        )  # fmt: skip
        say("\n".join(clean(line, lines=True) for line in lines))
    return Exit.UNHEALTHY if total["wrong"] or total["silent"] else Exit.OK


def examined(folder: Path) -> list[Scored]:
    """The result of each labelled case of a folder."""
    return [_examined(folder / name, name, label) for name, label in _labels(folder).items()]


def _labels(folder: Path) -> dict[str, Label]:
    """Name of a case → its label. Names that begin with `_` are remarks.

    Raises:
        UsageError: there are none, or they are of another shape.
    """
    import re

    from console.findings.exam import Label

    path = folder / LABELS
    try:
        raw = msgspec.json.decode(path.read_bytes())
        named = {name: value for name, value in raw.items() if not name.startswith("_")}
        found = msgspec.convert(named, dict[str, Label])
        for label in found.values():
            re.compile(label.cause)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="give the folder that holds it") from None
    except (msgspec.MsgspecError, AttributeError, re.error) as error:
        raise UsageError(f"{path} holds no labels: {error}") from None
    missing = [name for name in found if not _below(name) or not (folder / name).exists()]
    if missing:
        raise UsageError(f"{path} labels {missing[0]!r}, and there is no such case beside it")
    return found


def _below(name: str) -> bool:
    """Whether it names something below the folder: `case`, or `set/case`."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") for part in parts)


def _examined(path: Path, name: str, label: Label) -> Scored:
    from console.findings.coverage import unjudged
    from console.findings.diagnose import Engine
    from console.findings.exam import scored
    from console.sources.folder.read import read_folder

    began = time.perf_counter()
    facts = read_folder(path)
    verdict = Engine().judge(facts)
    gaps = unjudged(facts, verdict.apps, verdict.findings)
    spoke = any(one.grave for one in gaps) or all(s.state == "absent" for s in facts.sources)
    return scored(name, label, verdict.findings, spoke=spoke, seconds=time.perf_counter() - began)
