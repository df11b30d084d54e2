"""The text of an index and of workstream files: read to values, printed again, changed by single cells."""
