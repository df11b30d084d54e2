"""The table of docs/diagnosis.md, made by the exam on the project's own cases: `python -m tools.diagnosed` rewrites it,
`--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from console.cli.exam import examined
from console.findings.exam import RESULTS, counted

ROOT = Path(__file__).resolve().parents[1]
PAGE, CASES = ROOT / "docs" / "diagnosis.md", ROOT / "tests" / "data" / "evidence"
BLOCK = re.compile(r"(<!-- exam -->\n).*?(<!-- /exam -->)", re.DOTALL)


def table() -> str:
    """Results by kind, and each case that is not right, as Markdown."""
    cases = examined(CASES)
    rows = [f"| kind | {' | '.join(RESULTS)} |", f"| --- |{' --- |' * len(RESULTS)}"]
    rows += [f"| {kind} | {' | '.join(str(n[r]) for r in RESULTS)} |" for kind, n in counted(cases).items()]
    total = {result: sum(1 for one in cases if one.result == result) for result in RESULTS}
    rows += [f"| **all {len(cases)}** | {' | '.join(str(total[r]) for r in RESULTS)} |", ""]
    missed = [
        f"- {one.result}: `{one.case}`, first found {one.first or 'nothing'}: {one.why}"
        for one in cases
        if one.result != "right"
    ]
    return "\n".join([*rows, *(missed or ["No case of this set is missed."])]) + "\n"


def main() -> int:
    text = PAGE.read_text()
    made = BLOCK.sub(lambda found: found.group(1) + table() + found.group(2), text)
    if "--check" in sys.argv:
        return 0 if made == text else 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
