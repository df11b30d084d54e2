"""Authenticated connections to clusters: reader, writer, and the bridge for `requests` users. Knows no Spark."""
