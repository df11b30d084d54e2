"""Advice: what could be set better or safer, before anything breaks. Read-only, and never part of the verdict."""
