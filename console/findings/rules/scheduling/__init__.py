"""Pods that no node takes, and what the API refuses."""
