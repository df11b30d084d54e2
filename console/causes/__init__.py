"""One or all: findings that share a cause, and their story over time. Pure."""
