"""How a walk begins from any page: the best runbook at once, a choice where several fit equally well."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.errors import ConsoleError
from console.facts.model import Alert
from console.live.plan import Opening
from console.live.shown import apps_for, apps_named
from console.live.situation import Situation
from console.runbook.about import key_of
from console.runbook.inputs import InputMissing, InputRefused, MissingInput
from console.runbook.match import Matched
from console.tui.hub import Hub
from console.tui.pages.walk import WalkPage


def begin(hub: Hub, matched: Sequence[Matched], *, app: str = "", alert: Alert | None = None) -> None:
    """Start the best of `matched`; where the first ones tie, ask which."""
    best = matched[0]
    ties = [m for m in matched if m.score == best.score and m.runbook != best.runbook]
    if ties:
        names = [best.runbook, *(m.runbook for m in ties)]
        label = f"which runbook ({', '.join(names)}): "

        def chosen(text: str | None) -> None:
            if text in names:
                start(hub, str(text), app=app, alert=alert, finding=best.finding)
            elif text is not None:
                hub.host.ask_again(label, chosen, text, f"no such runbook here: {text}")

        hub.host.ask(label, chosen, value=best.runbook)
        return
    start(hub, best.runbook, app=app, alert=alert, finding=best.finding)


def start(hub: Hub, runbook: str, *, app: str = "", alert: Alert | None = None, finding: str = "") -> None:
    """Walk `runbook`, or go on with the walk of it that is open on the same subject.

    Args:
        finding: key of the finding that it is for; what a runbook about other things than applications is about.
    """
    about = _about(hub, runbook, finding)
    for walk in hub.situation.walks:
        if walk.status != "ended" and walk.runbook == runbook and walk.subject == (about or app) and (about or app):
            hub.host.push(WalkPage(hub, walk.id))
            return
    hub.host.say(f"{runbook}: reading the evidence")
    _begin(hub, runbook, app, alert, {"about": about} if about else {})


def _about(hub: Hub, runbook: str, finding: str) -> str:
    """What of a finding the runbook is about; `` where an input of it names the application."""
    book = hub.runbooks.get(runbook)
    found = next((f for f in hub.board.findings if f.key == finding), None)
    return key_of(found, book, hub.board) if book is not None and book.about and found is not None else ""


def _begin(
    hub: Hub, runbook: str, app: str, alert: Alert | None, given: dict[str, str], asked: MissingInput | None = None
) -> None:
    """Begin the walk; the person is asked for each input that it lacks, and again where a value is refused."""

    def failed(error: ConsoleError) -> bool:
        if isinstance(error, InputMissing):
            _need(error.lacking, "")
        elif isinstance(error, InputRefused) and asked is not None and error.name == asked.name:
            _need(asked, f"{error.why}. ", given.get(asked.name, ""))
        else:
            return False
        return True

    def _need(lacking: MissingInput, wrong: str, value: str = "") -> None:
        def done(text: str | None) -> None:
            if text:
                _begin(hub, runbook, app, alert, {**given, lacking.name: text}, lacking)

        hub.host.ask(f"{wrong}{runbook} needs {lacking.asks}, esc: do not walk it: ", done, value=value)

    future = hub.source.begin(runbook, app=app, alert=alert, given=given)
    hub.host.when_done(future, lambda walk: hub.host.push(WalkPage(hub, str(walk))), failed)


def begin_first(hub: Hub, first: Opening) -> None:
    """Walk a runbook, or go on with a walk, as soon as the first facts are there.

    Where no application was named, the runbook is walked on the one that fits.
    """

    def live(situation: Situation) -> bool:
        if situation.phase != "live":
            return False
        if first.resume:
            future = hub.source.resume(first.resume, bind=first.stored, because=first.because)
            hub.host.when_done(future, lambda walk: hub.host.push(WalkPage(hub, str(walk))))
            return True
        app = first.app
        if app and "/" not in app:
            named = apps_named(situation.board, app)
            if len(named) > 1:
                hub.host.say(f"{app!r} is in several namespaces: " + " or ".join(a.key for a in named), bad=True)
                return True
            app = named[0].key if named else app
        if not app and first.alert is None:
            apps = apps_for(situation, first.runbook)
            app = apps[0] if len(apps) == 1 else ""
        _begin(hub, first.runbook, app, first.alert, dict(first.given))
        return True

    hub.host.once(live)
