"""What was read, as immutable values with origin and time, and the indexes over them. Pure."""
