"""Known kinds of failures with which a standalone master or worker itself ended."""

from __future__ import annotations

from console.facts.logs import Text
from console.findings.case import ClusterView
from console.findings.ends import ends_of_log
from console.findings.figures.kinds import KindFigures
from console.findings.kinds import special_kinds
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.kinds import of_chain, titled

_FEW = 30
"""Lines after the error within which the log ends: it was the end of the process."""


def masters_ended(world: ClusterView) -> Answer:
    """Masters and workers that ended with an exception of a known kind."""
    out = [one for text in world.shared if text.log.role in ("master", "worker") if (one := _of_log(text)) is not None]
    return out or "no log of a standalone master or worker ends with a known kind of failure"


def _of_log(text: Text) -> Finding | None:
    for end in ends_of_log(text):
        found = of_chain(end, special_kinds())
        if found is None or not end.sure or len(text.starts) - end.lines[1] > _FEW:
            continue
        kind, depth = found
        return finding(
            None,
            kind.code,
            kind.class_,
            "critical",
            "medium" if depth else kind.confidence,
            f"standalone {text.log.role}: {titled(kind, end.what.links[depth])}",
            subject=text.log.subject or f"Component//spark-{text.log.role}",
            detail=f"{kind.means}; for the {kind.owner}: {kind.step}",
            evidence=[end.proof],
            ruled_out=kind.like,
            questions=[kind.decide],
            data=KindFigures(owner=kind.owner, step=kind.step, line=end.what.line),
        )
    return None


RULES = [WorldRule("masters-ended", None, masters_ended)]
