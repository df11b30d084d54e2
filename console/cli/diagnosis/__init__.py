"""What `console diagnose` tells beside findings."""
