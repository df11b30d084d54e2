"""Executors out of memory: the container's limit (I01), the JVM's heap (I02), garbage collection before that (I03)."""
