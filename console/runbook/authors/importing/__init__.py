"""Markdown runbooks as runbooks of the language: read, what of them could be evidence, and written. Never a change."""
