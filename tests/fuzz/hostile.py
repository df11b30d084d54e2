"""Edges at which texts are hostile: logs, evidence as commands show it, pasted alerts, templates of runbooks."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from console.base.errors import ConsoleError
from console.base.redact import redact
from console.base.text import clean
from console.cli.main import run
from console.facts.model import Facts, Log, Origin
from console.runbook.budget import TooMuchError
from console.runbook.template import fill, render
from tests.findings import worlds as w
from tests.fuzz import judged
from tests.fuzz.values import VALUES, mutated, text_of, torn
from tests.secrets.forms import harmless, planted

UNITS = (
    "\x1b[31m", "\x1b]0;x\x07", "\x9b2J", "\u202e", "\u200b", "\x00", "\x7f", "\r", "\x85", "\u2028", "\ud800",
    "password=", "(a.password,", "Authorization: ", "<name>a.password</name>", "-----BEGIN RSA PRIVATE KEY-----",
    "eyJ-", "://a:", "Caused by: ",
    "java.lang.OutOfMemoryError: ", "26/11/24 10:00:00 ERROR X: ", '{"ts":"',
    "\tat x.y(Z.java:1)\n",
    "[", "Lost executor 1 on h: ", "9" * 50, "a.", "Exception in thread ", "kind: Secret\ndata:\n", "password: |\n ",
    "a=", "{{",
)  # fmt: skip


def unseen(text: str) -> set[str]:
    """Characters of a text that a terminal would obey, or that nobody sees."""
    return {c for c in set(text) - {"\n"} if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}


def _line(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(UNITS) * rng.choice((1, 3, 40, 2_000))
    if kind < 0.5:
        return "".join(rng.choice(UNITS) for _ in range(rng.randint(1, 60)))
    if kind < 0.7:
        return str(rng.choice(planted()).text)
    if kind < 0.8:
        return rng.choice(harmless())
    if kind < 0.9:
        return "".join(chr(rng.choice((rng.randrange(0x20), rng.randrange(0x250), 0x202E, 0x1F4A5))) for _ in range(80))
    return w.line(str(rng.choice(VALUES))[:300], rng.choice(("INFO", "WARN", "ERROR")))


def log_text(rng: random.Random) -> str:
    """A log of a driver among whose lines others stand."""
    lines = [w.line("SparkContext: Running Spark version 4.1.1", "INFO"), w.line("x: Java heap space", "ERROR")]
    lines += [_line(rng) for _ in range(rng.randint(1, 40))]
    rng.shuffle(lines)
    return "\n".join(lines)


def logs(rng: random.Random) -> Facts:
    """The log of another application's driver."""
    text = log_text(rng)
    once = redact(text)
    assert once.count("\n") == text.count("\n"), "lines stay lines"
    assert not unseen(clean(once, lines=True))
    third = w.driver(w.ended(1, "Error"), "Failed", app_id=f"spark-{3:032x}", name="third-driver")
    log = Log("Pod/jobs/third-driver", once, Origin("log", "x"), role="driver")
    base = judged.healthy()
    return replace(base, pods=(*base.pods, third), logs=(*base.logs, log))


def commands(rng: random.Random) -> None:
    """A folder of hostile evidence, as commands show it: no traceback, no control character, JSON that can be read."""
    with tempfile.TemporaryDirectory(prefix="console-fuzz") as name:
        root = Path(name) / "saved"
        root.mkdir()
        pods = json.loads(json.dumps(judged.PODS))
        place = rng.choice(pods)
        place["metadata"]["annotations"] = {_line(rng)[:200]: _line(rng)[:5_000]}
        place["status"]["message"] = _line(rng)[:5_000]
        listed = {"apiVersion": "v1", "kind": "PodList", "items": [*pods, mutated(place, rng)]}
        (root / "pods.json").write_bytes(text_of(listed))
        file = os.fsencode(root) + b"/log-etl-driver-" + bytes(rng.choice((b"\xff", b"\x1b", b"a", b"\xc2\x9b")))
        Path(os.fsdecode(file + b".txt")).write_bytes(log_text(rng).encode("utf-8", "surrogatepass"))
        (root / "broken.json").write_bytes(torn(text_of(mutated(place, rng)), rng))
        argv = ["diagnose", str(root), *rng.choice(([], ["--explain"], ["-o", "json"]))]
        argv = rng.choice((argv, ["advise", str(root), *rng.choice(([], ["-o", "json"]))]))
        out, err = io.StringIO(), io.StringIO()
        kept = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = name
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(argv)
        finally:
            os.environ.pop("XDG_STATE_HOME") if kept is None else os.environ.update(XDG_STATE_HOME=kept)
    said = out.getvalue() + err.getvalue()
    assert "Traceback" not in err.getvalue() and "internal error" not in err.getvalue(), err.getvalue()[:500]
    assert code in (0, 1, 2) and not unseen(said), f"{unseen(said)} in what {argv[0]} prints"
    if argv[-1] == "json":
        json.loads(out.getvalue())


_EXPRESSIONS = (
    "app.name", "app.text", "app.list", "app.map", "app.gone", "app.name ~ app.text", "app.list | length", "app.n + 1",
    "app.n - app.text", "app.list[0]", "app.text[:9]", "app.text in app.list", "app.map.items", "app.list | join(', ')",
    "app.text | upper", "app.n > 3 and app.gone", "app.text * 9", "range(9)", "app.__class__", "app.text.format",
    "[1, 2]", "app.list | sort", "app.text | int", "app.n if app.n else app.text", "not app.gone", "app.n / 0",
    "-app.text",
)  # fmt: skip


def templates(rng: random.Random) -> None:
    """A template over hostile data: it gives clean values, or says why not."""
    values: dict[str, Any] = {"n": rng.choice((0, 2**62, -1, 0.5)), "text": _line(rng)[:4_000], "name": "etl"}
    values |= {"list": [_line(rng)[:100] for _ in range(rng.randint(0, 50))], "map": {_line(rng)[:50]: _line(rng)[:50]}}
    ctx = {"app": mutated(values, rng) if rng.random() < 0.5 else values}
    said = " and ".join("{{ " + rng.choice(_EXPRESSIONS) + " }}" for _ in range(rng.randint(1, 3)))
    if rng.random() < 0.3:
        said = "{% for x in app.list %}{{ x }}{% endfor %}" + said
    if rng.random() < 0.2:
        said = torn(said.encode(), rng).decode("utf-8", "replace")
    for make in (render, fill):
        try:
            made = make(said, ctx, "runbook")
        except (ConsoleError, TooMuchError) as error:
            made = str(error)
        assert not unseen(clean(str(made), lines=True))
