"""Spark as it runs: programs and their memory, drivers and executors, what they write and what their REST API shows."""
