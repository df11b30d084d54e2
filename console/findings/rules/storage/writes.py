"""Writes of tables that failed while the application went on, and may end well."""

from __future__ import annotations

from console.findings.simple import LogRule

NOTHING_WRITTEN = LogRule(
    code="table-write-rolled-back",
    class_=None,
    wordings=("write-failed",),
    roles=("driver",),
    holds_not="no write of a table was given up",
    title="Hudi gave a write up and threw nothing: its rows are not in the table unless it was repeated",
    confidence="high",
    severity="critical",
    detail="records that could not be written roll the commit back; offsets and checkpoints may have moved on",
    ruled_out=(("success", "an exit code of 0 only says that no exception left the program"),),
    questions=(
        "the newest instants below .hoodie: a .rollback without a commit for this time",
        "which records: TRACE of org.apache.hudi prints the first of them, the executors' logs what they failed with",
    ),
)

RULES = [NOTHING_WRITTEN]
