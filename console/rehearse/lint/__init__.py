"""What can be known to be wrong with a drill before it is played: against its runbook, and against its world."""
