"""How a walk begins from any page: the best runbook at once, a choice where several fit equally well."""

from __future__ import annotations

from collections.abc import Sequence

from console.health.facts import Alert
from console.live.plan import Opening
from console.live.situation import Situation
from console.runbook.match import Matched
from console.tui.hub import Hub


def begin(hub: Hub, matched: Sequence[Matched], *, app: str = "", alert: Alert | None = None) -> None:
    """Start the best of `matched`; where the first ones tie, ask which."""
    best = matched[0]
    ties = [m for m in matched if m.score == best.score and m.runbook != best.runbook]
    if ties:
        names = [best.runbook, *(m.runbook for m in ties)]

        def chosen(text: str | None) -> None:
            if text in names:
                start(hub, str(text), app=app, alert=alert)
            elif text is not None:
                hub.host.say(f"no such runbook here: {text}", bad=True)

        hub.host.ask(f"which runbook ({', '.join(names)}): ", chosen, value=best.runbook)
        return
    start(hub, best.runbook, app=app, alert=alert)


def start(hub: Hub, runbook: str, *, app: str = "", alert: Alert | None = None) -> None:
    """Walk `runbook`, or go on with the walk of it that is open on the same application."""
    from console.tui.pages.walk import WalkPage

    for walk in hub.situation.walks:
        if walk.status != "ended" and walk.runbook == runbook and walk.subject == app and app:
            hub.host.push(WalkPage(hub, walk.id))
            return
    hub.host.say(f"{runbook}: reading the evidence")
    hub.host.when_done(
        hub.source.begin(runbook, app=app, alert=alert), lambda walk: hub.host.push(WalkPage(hub, str(walk)))
    )


def begin_first(hub: Hub, first: Opening) -> None:
    """Walk a runbook, or go on with a walk, as soon as the first facts are there.

    Where no application was named, the runbook is walked on the one that fits.
    """

    def live(situation: Situation) -> bool:
        if situation.phase != "live":
            return False
        if first.resume:
            future = hub.source.resume(first.resume, bind=first.stored)
            hub.host.when_done(future, lambda walk: hub.host.push(WalkPage(hub, str(walk))))
            return True
        app = first.app
        if app and "/" not in app:
            app = next((a.key for a in situation.board.apps if a.name == app), app)
        if not app and first.alert is None:
            apps = sorted({f.app for f in situation.board.findings if f.app and _fits(situation, f.key, first.runbook)})
            app = apps[0] if len(apps) == 1 else ""
        future = hub.source.begin(first.runbook, app=app, alert=first.alert, given=first.given)
        hub.host.when_done(future, lambda walk: hub.host.push(WalkPage(hub, str(walk))))
        return True

    from console.tui.pages.walk import WalkPage

    hub.host.once(live)


def _fits(situation: Situation, finding: str, runbook: str) -> bool:
    return any(matched.runbook == runbook for matched in situation.matches.get(finding, ()))
