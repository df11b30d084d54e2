"""What can be done with a walk beside answering it: notes, undo, hand-over, end, take-up, timeline."""

from __future__ import annotations

from console.runbook.walk import Walk
from console.tui.hub import Hub
from console.tui.pages.base import Page


class OneWalk(Page):
    """A page about the walk `walk_id`."""

    def __init__(self, hub: Hub, walk: str) -> None:
        super().__init__(hub)
        self.walk_id = walk

    @property
    def walk(self) -> Walk | None:
        return self.hub.situation.walk(self.walk_id)

    def do_note(self) -> None:
        def done(text: str | None) -> None:
            if text:
                self.hub.host.when_done(self.hub.source.note(self.walk_id, text), lambda _: self.hub.host.say("noted"))

        self.hub.host.ask("note: ", done)

    def why_rollback(self) -> str:
        walk = self.walk
        if walk is None or not walk.writes:
            return "this walk has changed nothing"
        return "" if walk.writes[-1].id in walk.rollbacks else "the last change cannot be undone"

    def do_rollback(self) -> None:
        walk = self.walk
        if walk is not None and walk.writes:
            self.hub.host.when_done(self.hub.source.rollback(walk.id, walk.writes[-1].id), lambda _: None)

    def why_hand_over(self) -> str:
        walk = self.walk
        return "" if walk is not None and walk.status != "ended" else "the walk has ended"

    why_stop = why_hand_over

    def why_again(self) -> str:
        walk = self.walk
        if walk is None or walk.status == "ended":
            return "the walk has ended"
        if other := self.hub.situation.elsewhere.get(walk.id):
            return f"{other} is on it: it is answered there"
        return "" if self.hub.situation.left(walk) else "it is walked here"

    def do_hand_over(self) -> None:
        def done(text: str | None) -> None:
            if text is not None and self._worded(text, "to whom, and why"):
                self.hub.host.when_done(self.hub.source.hand_over(self.walk_id, text), lambda _: None)

        self.hub.host.ask("hand over to whom, and why (esc: keep it): ", done)

    def do_stop(self) -> None:
        def done(text: str | None) -> None:
            if text is not None and self._worded(text, "why it ends"):
                self.hub.host.when_done(self.hub.source.stop_walk(self.walk_id, text), lambda _: None)

        self.hub.host.ask("end the walk for good: why, then enter (esc: go on): ", done)

    def _worded(self, text: str, what: str) -> bool:
        """Whether something was said. An empty line does nothing that cannot be taken back."""
        if not text.strip():
            self.hub.host.say(f"nothing was done: say {what}")
        return bool(text.strip())

    def do_again(self) -> None:
        def checked(drift: tuple[str, ...]) -> None:
            if not drift:
                self._resume()
                return
            label = f"its runbook was changed ({len(drift)} lines of diff); type stored to go on with the old copy: "
            self.hub.host.ask(label, lambda text: self._resume(bind=True) if text == "stored" else None)

        self.hub.host.when_done(self.hub.source.drift(self.walk_id), checked)

    def _resume(self, *, bind: bool = False) -> None:
        walk = self.walk
        handed = walk.handed if walk is not None else None
        said = f"resumed; {handed.by} says: {handed.text}" if handed is not None and handed.text else "resumed"
        future = self.hub.source.resume(self.walk_id, bind=bind)
        self.hub.host.when_done(future, lambda _: self.hub.host.say(said))

    def do_timeline(self) -> None:
        self.hub.host.when_done(
            self.hub.source.timeline(self.walk_id), lambda text: self.hub.host.export(f"{self.walk_id}.md", str(text))
        )

    def do_timeline_to(self) -> None:
        name = f"{self.walk_id}.md"
        self.hub.host.when_done(
            self.hub.source.timeline(self.walk_id), lambda text: self.hub.host.export_as(name, str(text))
        )
