"""Which modules are mutated, and the test files that concern each: those that guard, judge or count.

A file of pure tests stands before one that needs the simulated cluster; real parts take no share in this.
"""

from __future__ import annotations

from typing import Final

_GATE = (
    "tests/operate/test_guards.py",
    "tests/operate/test_gate_stages.py",
    "tests/operate/test_gate_record.py",
    "tests/operate/test_gate_asking.py",
    "tests/operate/test_gate.py",
    "tests/operate/test_second_person.py",
    "tests/operate/test_permission.py",
    "tests/operate/test_consequences.py",
)
_CONTEXT = (
    "tests/runbook/test_context.py",
    "tests/runbook/test_verify.py",
    "tests/runbook/test_changes.py",
    "tests/runbook/test_subjects.py",
    "tests/runbook/test_language.py",
    "tests/runbook/test_applies.py",
)
_OBJECTS = (
    "tests/runbook/test_objects.py",
    "tests/runbook/test_live_objects.py",
    "tests/runbook/test_writers_and_sums.py",
    "tests/runbook/test_subjects.py",
)
_SLO = (
    "tests/slo/test_arithmetic.py",
    "tests/slo/test_evaluate.py",
    "tests/slo/test_hysteresis.py",
    "tests/slo/test_recovery.py",
)

CONCERNS: Final[dict[str, tuple[str, ...]]] = {
    "console/operate/gate.py": _GATE,
    "console/operate/confirm.py": ("tests/operate/test_confirm.py", *_GATE),
    "console/operate/approvals/request.py": ("tests/operate/test_approvals.py",),
    "console/operate/approvals/giving.py": ("tests/operate/test_approvals.py", "tests/operate/test_second_person.py"),
    "console/operate/approvals/waiting.py": ("tests/operate/test_approvals.py", "tests/operate/test_second_person.py"),
    "console/operate/policy.py": ("tests/operate/test_policy.py", *_GATE),
    "console/operate/permission.py": ("tests/operate/test_rights.py", "tests/operate/test_permission.py"),
    "console/operate/landing.py": ("tests/operate/test_landing.py", "tests/operate/test_kubernetes.py"),
    "console/operate/locks.py": (
        "tests/operate/test_lease.py",
        "tests/operate/test_lock_files.py",
        "tests/operate/test_locks.py",
    ),
    "console/operate/journal.py": (
        "tests/operate/test_journal.py",
        "tests/operate/test_journal_file.py",
        "tests/operate/test_sealing.py",
    ),
    "console/runbook/verify.py": ("tests/runbook/test_verify.py",),
    "console/runbook/walk.py": (
        "tests/runbook/test_fold.py",
        "tests/runbook/test_fold_undo.py",
        "tests/runbook/test_fold_record.py",
        "tests/runbook/test_walk.py",
        "tests/runbook/test_inputs.py",
        "tests/runbook/test_recurrence.py",
    ),
    "console/runbook/context/after.py": _CONTEXT,
    "console/runbook/context/app.py": _CONTEXT,
    "console/runbook/context/build.py": _CONTEXT,
    "console/runbook/context/findings.py": _CONTEXT,
    "console/runbook/context/happened.py": _CONTEXT,
    "console/runbook/context/nodes.py": _CONTEXT,
    "console/runbook/context/objectives.py": _CONTEXT,
    "console/runbook/context/objects.py": _OBJECTS,
    "console/runbook/context/plain.py": _CONTEXT,
    "console/runbook/context/podsums.py": _OBJECTS,
    "console/runbook/context/query.py": _CONTEXT,
    "console/runbook/context/scope.py": (*_CONTEXT, "tests/runbook/test_live_objects.py"),
    "console/runbook/context/subject.py": _CONTEXT,
    "console/runbook/context/turns.py": (*_CONTEXT, "tests/runbook/test_live_objects.py"),
    "console/runbook/context/values.py": _CONTEXT,
    "console/runbook/context/writers.py": _OBJECTS,
    "console/slo/arithmetic.py": _SLO,
    "console/slo/recovery.py": ("tests/slo/test_recovery.py", "tests/slo/test_arithmetic.py"),
    "console/base/paths.py": ("tests/base/test_paths.py", "tests/operate/test_state_folder.py"),
    "console/drill/door.py": ("tests/drill/test_door.py",),
    "console/facts/leftout.py": ("tests/facts/test_left_out.py",),
    "console/live/remembered.py": ("tests/live/test_remembered.py",),
}
