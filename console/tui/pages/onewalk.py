"""What can be done with a walk beside answering it: notes, undo, hand-over, end, take-up, timeline."""

from __future__ import annotations

from concurrent.futures import Future

from console.runbook.walk import Walk
from console.tui.clipboard import copy_sequence
from console.tui.hub import Hub
from console.tui.pages.base import Page
from console.tui.pages.reader import PasteReader

NOTE = "note: "


class OneWalk(Page):
    """A page about the walk `walk_id`."""

    def __init__(self, hub: Hub, walk: str) -> None:
        super().__init__(hub)
        self.walk_id = walk

    @property
    def walk(self) -> Walk | None:
        return self.hub.situation.walk(self.walk_id)

    def _others(self) -> str:
        """Who else is on the walk, as a reason why nothing is written of it here; `` where nobody is."""
        other = self.hub.situation.elsewhere.get(self.walk_id)
        return f"{other} is on it: it is answered there" if other else ""

    def why_note(self) -> str:
        return "there is no walk" if self.walk is None else self._others()

    def do_note(self) -> None:
        self.send_text(NOTE, self._note, self._noted, "say what")

    def note_instead(self, text: str, why: str) -> None:
        """Offer to keep `text` as a note, because it could not be what it was meant to be."""
        self.send_text(NOTE, self._note, self._noted, "say what", refused=(text, why))

    def _note(self, text: str) -> Future[None]:
        return self.hub.source.note(self.walk_id, text)

    def _noted(self) -> None:
        self.hub.host.say("noted")

    def why_rollback(self) -> str:
        walk = self.walk
        if walk is None or not walk.writes:
            return "this walk has changed nothing"
        if walk.id in self.hub.situation.here:
            return "the walk goes on: its own verification offers the rollback"
        if others := self._others():
            return others
        last = walk.writes[-1]
        if last.inverse_of:
            return "the last change was rolled back already"
        return "" if last.id in walk.rollbacks else "the last change cannot be undone"

    def do_rollback(self) -> None:
        walk = self.walk
        if walk is not None and walk.writes:
            self.hub.host.when_done(self.hub.source.rollback(walk.id, walk.writes[-1].id), lambda _: None)

    def why_hand_over(self) -> str:
        walk = self.walk
        return self._others() if walk is not None and walk.ended is None else "the walk has ended"

    why_stop = why_hand_over

    def why_again(self) -> str:
        walk = self.walk
        if walk is None or walk.ended is not None:
            return "the walk has ended"
        return self._others() or ("" if self.hub.situation.left(walk) else "it is walked here")

    def do_hand_over(self) -> None:
        self.send_text(
            "hand over to whom, and why (esc: keep it): ",
            lambda text: self.hub.source.hand_over(self.walk_id, text),
            lambda: None,
            "say to whom, and why",
        )

    def do_stop(self) -> None:
        self.send_text(
            "end the walk for good: why, then enter (esc: go on): ",
            lambda text: self.hub.source.stop_walk(self.walk_id, text),
            lambda: None,
            "say why it ends",
        )

    def do_again(self) -> None:
        def checked(drift: tuple[str, ...]) -> None:
            if not drift:
                self._resume()
                return
            label = f"its runbook was changed ({len(drift)} lines of diff); type stored to go on with the old copy: "
            self.hub.host.ask(label, lambda text: self._resume(bind=True) if text == "stored" else None, draft=False)

        self.hub.host.when_done(self.hub.source.drift(self.walk_id), checked)

    def _resume(self, *, bind: bool = False) -> None:
        walk = self.walk
        handed = walk.handed if walk is not None else None
        said = f"resumed; {handed.by} says: {handed.text}" if handed is not None and handed.text else "resumed"
        future = self.hub.source.resume(self.walk_id, bind=bind)
        self.hub.host.when_done(future, lambda _: self.hub.host.say(said))

    def why_rights(self) -> str:
        walk = self.walk
        if walk is None or walk.rights is None:
            return "the rights of this walk were not asked about"
        return "" if walk.rights.rule else "nothing is missing, as far as it could be asked about"

    def do_rights(self) -> None:
        walk = self.walk
        if walk is not None and walk.rights is not None:
            self.hub.host.push(PasteReader(self.hub, "rights to ask for", walk.rights.rule))

    @property
    def pasting(self) -> str:
        """What is to be pasted to whoever was called last."""
        walk = self.walk
        return walk.escalations[-1].paste if walk is not None and walk.escalations else ""

    def why_copy_paste(self) -> str:
        return "" if self.pasting else "nobody was called in this walk: there is nothing to paste"

    def do_copy_paste(self) -> None:
        if copy_sequence(self.pasting, {}) is None:
            self.hub.host.export(f"{self.walk_id}-paste.txt", self.pasting)
        else:
            self.hub.host.copy(self.pasting)

    def why_take_over(self) -> str:
        walk = self.walk
        if walk is None or walk.status == "ended":
            return "the walk has ended"
        return "" if self._others() else "nobody else is on it: a goes on with it"

    def do_take_over(self) -> None:
        other = self.hub.situation.elsewhere.get(self.walk_id, "")
        self.send_text(
            f"take it from {other}: why (esc: leave it): ",
            lambda text: self.hub.source.resume(self.walk_id, because=text),
            lambda: self.hub.host.say("taken over"),
            "say why",
        )

    def do_timeline(self) -> None:
        self.hub.host.when_done(
            self.hub.source.timeline(self.walk_id), lambda text: self.hub.host.export(f"{self.walk_id}.md", str(text))
        )

    def do_timeline_to(self) -> None:
        name = f"{self.walk_id}.md"
        self.hub.host.when_done(
            self.hub.source.timeline(self.walk_id), lambda text: self.hub.host.export_as(name, str(text))
        )
