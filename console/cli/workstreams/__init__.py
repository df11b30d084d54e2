"""`console workstreams`: one module for each group of its commands."""
