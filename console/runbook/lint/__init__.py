"""What can be known to be wrong with a runbook before it is needed at night."""
