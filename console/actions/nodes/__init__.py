"""Verbs for nodes: whether they take pods, and which."""
