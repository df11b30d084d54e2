"""Kill -9 at random instants of walks: `python -m tests.kills [N] [SEED] [KIND]`.

Three kinds of walks: a patch and a script of small runbooks, and the shipped spark-oom runbook in a drill. The peer and
the log of what it was really asked to change, lie in this process; each walk is another process, which is killed, and
resumed by the next one. However often that happens: one change, none lost, none doubled, a whole chain.
"""
