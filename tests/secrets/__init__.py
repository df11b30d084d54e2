"""Secrets of many forms, and texts that only speak of them, through every way in and every way out.

`tests/data/secrets/planted.txt` has one form a line, the secret between « and »; `harmless.txt` what must stay as it
is.
`\\n`, `\\t`, `\\e`, `\\uXXXX` and `\\\\` stand for what they usually do. `python -m tests.secrets` plants all of them
everywhere.
"""
