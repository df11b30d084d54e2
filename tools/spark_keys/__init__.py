"""The configuration keys of real Spark versions, as data for advice."""
