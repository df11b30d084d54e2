"""The operators of Spark: submission, stuck states, schedules, the operator itself."""
