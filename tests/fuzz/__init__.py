"""Hostile input at every edge where something from outside comes in: `python -m tests.fuzz [N] [SEED] [EDGE]`.

Each input is a real answer in which one object, line or file was broken, among healthy ones. Nothing may be raised but
what the edge documents, everything else must be judged as without it, and each must be through in a bounded time.
"""
