"""Applications that count as succeeded although part of their work failed: nobody passed the failure on."""

from __future__ import annotations

from console.apps.evidence import of_hit
from console.base.text import shorten
from console.findings.case import Case
from console.findings.ends import ends_of
from console.findings.rule import Answer, Rule, finding


def swallowed(case: Case) -> Answer:
    """A failed job and an error of the owner's own code in the log of an application that ended well."""
    if not case.succeeded:
        return "it did not end well"
    failed = [h for h in case.hits("job-failed", roles=("driver",)) if h.record.logger == "DAGScheduler"]
    if not failed:
        return "no job of it failed"
    end = next((e for e in ends_of(case) if e.role == "driver" and e.rank == 1 and e.what.owner == "user"), None)
    if end is None:
        return "no program of it ended with an error"
    return [
        finding(
            case,
            "failure-swallowed",
            None,
            "warning",
            "medium",
            shorten(f"it counts as succeeded and a part failed: {' '.join(end.what.line.split())}", 200, middle=True),
            detail="a program of the job ended with this error, a job of Spark failed, and the driver exited with 0: "
            "what called it dropped the exit code or caught the exception; what it should have written may be missing",
            evidence=[end.proof, *[of_hit(h) for h in failed[-2:]]],
            ruled_out=[("a retry that was meant", "the error is the end of a program, not of an attempt of a task")],
            questions=["whether the output of that part is there, and whether the code means to go on without it"],
        )
    ]


RULES = [Rule("failure-swallowed", None, swallowed)]
