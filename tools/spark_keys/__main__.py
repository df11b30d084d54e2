"""`python -m tools.spark_keys VERSION=JARS ...`: read the jars of each Spark version, oldest first, and write the data.

JARS is the folder `jars` of a Spark distribution, or a file that `Dump.java` printed before. Needs a JDK 17 or newer.
Only names, versions, types and the words of enumerations are kept, no texts.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "console" / "health" / "advice" / "spark-keys.json"
OPTIONS = re.compile(r"should be one of '?([^'.]+)'?")
QUOTED_KEY = re.compile(r"spark\.[A-Za-z0-9_.]+[A-Za-z0-9]")


def dumped(where: Path) -> list[list[str]]:
    """The lines of `Dump.java` for a folder of jars, or of a file."""
    if where.is_file():
        text = where.read_text()
    else:
        command = ["java", "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp", f"{where}/*"]
        text = subprocess.run(
            [*command, str(HERE / "Dump.java"), str(where)], capture_output=True, text=True, check=True
        ).stdout
    return [line.split("\t") for line in text.splitlines()]


def type_of(word: str, more: str) -> str:
    """`bool`, `bytes:m` (what a bare number counts), `enum:A|B`; `` where anything goes."""
    if word in ("bool", "int", "number"):
        return word
    if word in ("bytes", "time"):
        return f"{word}:{more}" if more != "?" else word
    if word == "enum" and (found := OPTIONS.search(more)):
        words = [part.strip() for part in found.group(1).split(",")]
        if len(set(words)) == len(words) and not any(" " in word for word in words):
            return "enum:" + "|".join(sorted(words))
    return ""


def a_key(literal: str) -> bool:
    """Whether a literal of the code can be a key: the names of classes and packages are none."""
    parts = literal.split(".")
    return len(parts) > 1 and all(parts) and not any(part[:1].isupper() for part in parts[1:])


def build(sources: list[tuple[str, Path]]) -> dict[str, Any]:
    spans: dict[str, list[int]] = {}
    types: dict[str, str] = {}
    deprecated: dict[str, tuple[str, str]] = {}
    removed: dict[str, tuple[str, str]] = {}
    comments: list[tuple[dict[str, tuple[str, str]], str, str, str]] = []
    for index, (_, where) in enumerate(sources):
        for what, key, *rest in dumped(where):
            if what == "entry":
                spans.setdefault(key, []).append(index)
                types[key] = type_of(rest[0], rest[1])
                for other in filter(None, rest[3].split(",")):
                    spans.setdefault(other, []).append(index)
            elif what == "literal" and a_key(key):
                spans.setdefault(key, []).append(index)
            elif what == "deprecated":
                comments.append((deprecated, key, rest[0], rest[1]))
            elif what == "removed":
                comments.append((removed, key, rest[0], rest[1]))
            elif what == "alternative":
                deprecated[key] = (rest[1], rest[0])
    for table, key, since, comment in comments:
        named = [k for k in QUOTED_KEY.findall(comment) if k != key and k in spans]
        table[key] = (since, named[0] if named else table.get(key, ("", ""))[1])
    keys = {}
    for key, seen in sorted(spans.items()):
        span = f"{min(seen)}-{max(seen)}" if min(seen) != max(seen) else str(min(seen))
        keys[key] = f"{span} {types.get(key, '')}".strip()
    return {
        "versions": [version for version, _ in sources],
        "keys": keys,
        "deprecated": dict(sorted(deprecated.items())),
        "removed": dict(sorted(removed.items())),
    }


def main() -> int:
    sources = [(version, Path(where)) for version, _, where in (word.partition("=") for word in sys.argv[1:])]
    if not sources or not all(where.exists() for _, where in sources):
        sys.stderr.write(__doc__ or "")
        return 2
    DATA.write_text(json.dumps(build(sources), indent=0, separators=(",", ":")) + "\n")
    sys.stderr.write(f"{DATA}: {DATA.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
