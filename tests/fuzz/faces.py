"""What both faces show of facts: text, JSON and the lines that are painted. None holds what a terminal would obey."""

from __future__ import annotations

import contextlib
import io
import json

from console.board.compose import board
from console.board.model import Cluster
from console.causes.incidents import group
from console.cli.board.apps import app_document, app_text
from console.cli.board.status import status_document, status_text
from console.cli.output import print_json, say
from console.components.judge import judge
from console.facts.model import Facts
from console.findings.diagnose import Engine
from console.live.situation import Focus, FocusOn, Situation
from console.settings.presets import load_library
from console.tui.views import app as app_view
from console.tui.views import apps as apps_view
from console.tui.views import components as components_view
from console.tui.views import frame, gpu, leftout, now, slo, texts
from console.tui.views.texts import PagerView
from tests.fuzz.hostile import unseen

WIDTH = 80


def shown(facts: Facts) -> None:
    """Show everything of the facts, and look at each character."""
    verdict = Engine().judge(facts)
    incidents = group(verdict.findings, verdict.apps, facts)
    library = load_library(())
    components = judge(facts, library.components.values(), library.preset("core-baseline"))
    made = board(
        facts, Cluster(), verdict.apps, verdict.findings, incidents, components=components, gpus=verdict.gpus
    )  # fmt: skip
    situation = Situation(made, phase="live")
    _printed(situation)
    painted = "\n".join(_painted(situation, facts))
    assert not unseen(painted), f"{unseen(painted)} is painted"


def _printed(situation: Situation) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        say(status_text(situation))
        for app in situation.board.apps:
            say(app_text(situation, app))
    documents = [status_document(situation), *(app_document(situation, app) for app in situation.board.apps)]
    for document in documents:
        one = io.StringIO()
        with contextlib.redirect_stdout(one):
            print_json(document)
        json.loads(one.getvalue())
        out.write(one.getvalue())
    said = out.getvalue()
    assert not unseen(said), f"{unseen(said)} is printed"


def _painted(situation: Situation, facts: Facts) -> list[str]:
    made = situation.board
    keys = frozenset(finding.key for finding in made.findings)
    lines = [
        frame.verdict(situation, WIDTH), frame.where(situation, ("now",), WIDTH),
        *now.lines(situation, WIDTH, opened=keys),
        *gpu.lines(made, "", WIDTH), *slo.lines(situation, WIDTH), *leftout.left_out(made.left_out, WIDTH),
        *components_view.health(situation, WIDTH, "", ""), *apps_view.empty(situation, "", WIDTH),
    ]  # fmt: skip
    for component in made.components:
        lines += components_view.detail(made, component, WIDTH)
    for app in made.apps:
        own = tuple(finding for finding in made.findings if finding.app == app.key)
        focus = Focus(FocusOn(app.key), state="ready", events=facts.events)
        lines += [*app_view.head(situation, app, WIDTH), *app_view.members(made, app, WIDTH)]
        lines += [*app_view.evidence(situation, own, WIDTH), *app_view.conf(app, WIDTH)]
        lines += app_view.events(made, focus, WIDTH)
    for event in facts.events:
        lines += app_view.event(made, event, WIDTH)
    out = [line.text for line in lines]
    for log in facts.logs:
        focus = Focus(FocusOn(), state="ready", log=log)
        paged = texts.log(focus, PagerView(), WIDTH)
        out += [
            line.text for line in (*paged.lines, *texts.log_head(focus, log.subject, PagerView(), paged, "", WIDTH))
        ]
    return out
