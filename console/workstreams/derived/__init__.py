"""What follows from the rows: dependencies looked up, what waits for what, the figures of a feature."""
