"""What the journal stores of an event: without secrets."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from console.actions.effects import Preview
from console.actions.secrets import seal_before, seal_effect
from console.base.redact import redact_value
from console.runbook.walk import AnyEvent, Intent, Previewed


def seal_preview(preview: Preview) -> Preview:
    """The preview without secrets. Its diff is redacted where it is made; here it passes once more."""
    kind = preview.effect.target.kind if preview.effect.target else ""
    return replace(preview, effect=seal_effect(preview.effect), before=seal_before(preview.before, kind))


def seal(event: AnyEvent) -> AnyEvent:
    """The event as it may be stored."""
    match event:
        case Previewed(preview=preview):
            event = replace(event, preview=seal_preview(preview))
        case Intent(effect=effect, before=before, rollback=rollback):
            kind = effect.target.kind if effect.target else ""
            event = replace(
                event,
                effect=seal_effect(effect),
                before=seal_before(before, kind),
                rollback=None if rollback is None else seal_effect(rollback),
            )
        case _:
            pass
    sealed: AnyEvent = msgspec.convert(redact_value(msgspec.to_builtins(event)), AnyEvent)
    return sealed
