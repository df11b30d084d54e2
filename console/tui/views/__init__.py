"""Views: pure functions from a Situation (or a Focus) and a width to lines."""
