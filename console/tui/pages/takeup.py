"""`a` where walks are listed: take up the one that waits, open the one that asks, see what a second person is asked."""

from __future__ import annotations

from console.runbook.walk import Walk
from console.tui.keys import KeyBinding
from console.tui.pages.approval import ApprovalPage
from console.tui.pages.base import Page
from console.tui.pages.walk import WalkPage

TAKE_UP = KeyBinding("a", "take_up", "take up", "Take up the walk that waits, or answer the one that asks.")


class ListsWalks(Page):
    """A page on which walks stand, each under `walk:ID`."""

    def _meant(self) -> str:
        """The key of what `a` is about: what is selected, else the only one that waits; `` where that is not clear."""
        if self.selected.startswith(("walk:", "request:")):
            return self.selected
        waits = self._waiting()
        return waits[0] if len(waits) == 1 else ""

    def _waiting(self) -> list[str]:
        situation = self.hub.situation
        waits = [f"walk:{w.id}" for w in situation.walks if w.status != "ended" and not self._why_not(w)]
        return [*waits, *(f"request:{one.digest}" for one in situation.requests)]

    def _why_not(self, walk: Walk) -> str:
        if walk.status == "ended":
            return "the walk has ended"
        if other := self.hub.situation.elsewhere.get(walk.id):
            return f"{other} is on it: it is answered there"
        asks = walk.id in self.hub.situation.questions or self.hub.situation.left(walk)
        return "" if asks else "it is walked here, and asks nothing now"

    def why_take_up(self) -> str:
        key = self._meant()
        if key.startswith("request:"):
            return ""
        if walk := self.hub.situation.walk(key.removeprefix("walk:")):
            return self._why_not(walk)
        if self._waiting():
            return "several wait: which one? enter opens the one under the cursor"
        open_walks = [w for w in self.hub.situation.walks if w.status != "ended"]
        return self._why_not(open_walks[0]) if len(open_walks) == 1 else "no walk waits"

    def do_take_up(self) -> None:
        key = self._meant()
        if key.startswith("request:"):
            self.hub.host.push(ApprovalPage(self.hub, key.removeprefix("request:")))
            return
        page = WalkPage(self.hub, key.removeprefix("walk:"))
        self.hub.host.push(page)
        if not page.why_again():
            page.do_again()
