"""The systems of the platform: what they are, where they are, and whether they work. Pure."""
