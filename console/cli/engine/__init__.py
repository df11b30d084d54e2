"""What is told of the runbooks as an engine: drills that prove them, figures of how they did."""
