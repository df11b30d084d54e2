"""What may be asked of series: one wanted value, and the labels under which its answer comes back."""

from __future__ import annotations

from msgspec import Struct

MARK = "console_ask"
"""Label under which samples carry the key of the ask that they answer."""


NOTE = "console_note"
"""Label of a sample that only says why the answer to its ask is not whole."""


class Ask(Struct, frozen=True):
    """One wanted value. `slow` ones need asking only every few minutes; of a lost server the last answer to one that
    is `kept` stays, with its age."""

    key: str
    expr: str
    slow: bool = False
    kept: bool = False
