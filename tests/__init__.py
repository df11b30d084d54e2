"""Tests. A regular package, so that `python -m tests.cluster.build` never meets another distribution's `tests`."""
