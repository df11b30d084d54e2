"""`python -m tests.secrets [FROM] [UNTIL]`: every form, and every harmless text, through every way; what leaks is
printed. FROM and UNTIL are lines of the list of forms; with them, harmless texts are left out."""

from __future__ import annotations

import argparse
import sys

from tests.secrets.everywhere import leaks, touched
from tests.secrets.forms import harmless, planted


def main(first: int = 0, last: int = 10**6) -> int:
    wrong = 0
    for form in planted():
        if first <= form.line <= last and (found := leaks(form)):
            wrong += 1
            print(f"line {form.line} {form.text!r}", *found[:12], sep="\n    ", flush=True)
    for text in () if first else harmless():
        if found := touched(text):
            wrong += 1
            print(f"harmless {text!r}", *found[:12], sep="\n    ", flush=True)
    print(f"{len(planted())} forms, {len(harmless())} harmless texts, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    asked = argparse.ArgumentParser("python -m tests.secrets", description=__doc__)
    asked.add_argument("first", metavar="FROM", type=int, nargs="?", default=0)
    asked.add_argument("last", metavar="UNTIL", type=int, nargs="?", default=10**6)
    sys.exit(main(**vars(asked.parse_args())))
