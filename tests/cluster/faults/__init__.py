"""Real faults on the real node: which there are (`catalogue`), how one is made and diagnosed (`play`), the command."""
