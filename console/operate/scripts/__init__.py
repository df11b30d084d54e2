"""Scripts of the library as processes: where one works, how all that came of it ends, and what can be known of it."""
