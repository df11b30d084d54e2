"""Objectives: what they are, what is asked for them, what the answers mean, and rules for Prometheus. Pure."""
