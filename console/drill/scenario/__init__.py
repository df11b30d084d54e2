"""Incidents to learn from: scenario files, the worlds that they describe, and what nature does to those."""
