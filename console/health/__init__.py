"""Facts in, verdicts out. Pure: no I/O, no clock, no environment."""
